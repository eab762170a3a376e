"""History: the ledger, the fills, the closed trades and the epochs, with filters, and as files."""

import json
from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from balance.core.order import ORDER_KINDS, PATIENCE
from balance.history.lists import SUBJECT
from balance.history.order_rows import STATE_LABELS
from balance.history.question import BOUNDS, FILTER_COLUMNS, FILTERS, Listed
from balance.history.rows import KIND_LABELS, SOURCE_LABELS
from layouts.compare import epochs_head
from layouts.grids import history_grid
from layouts.later import later
from layouts.parts import button
from layouts.tab import Place, Tab

_TABLES: tuple[tuple[Listed, str], ...] = (
    ("ledger", "Ledger"),
    ("fills", "Fills"),
    ("trades", "Trades"),
    ("orders", "Orders"),
    ("epochs", "Epochs"),
)
# Which text a list is searched in; the epochs have none.
_TEXTS = {"ledger": "Note", "fills": "Text", "trades": "Reason", "orders": "Reason", "epochs": ""}
# The fields of a list's filters, in their order. What is a filter of the list alone and does not
# stand here comes last.
_AMOUNTS = "amounts"
_DATES = "time"
_ORDER: dict[Listed, tuple[str, ...]] = {
    "ledger": ("kind", "symbol", _DATES, _AMOUNTS, "owner", "source", "epoch"),
    "fills": ("symbol", "side", "reason", _AMOUNTS, _DATES, "owner", "epoch"),
    "trades": ("outcome", "symbol", "side", _AMOUNTS, _DATES, "owner", "epoch"),
    "orders": ("state", "symbol", "side", "type", _DATES, _AMOUNTS, "owner", "epoch"),
    "epochs": (_DATES, _AMOUNTS, "epoch"),
}
_LABELS = {
    "kind": "What",
    "reason": "Type",
    "owner": "Whose",
    "source": "From",
    "client_id": "Client id",
    "reduce_only": "Reduce-only",
}
# How a field is filled in, where it is not one of several values.
_MANNERS = {"outcome": "one", "epoch": "epoch"}
_VALUE_LABELS = {
    "kind": dict(KIND_LABELS),
    "source": dict(SOURCE_LABELS),
    "reason": {
        "order": "Order",
        "take_profit": "Take-profit",
        "stop_loss": "Stop-loss",
        "trailing_stop": "Trailing stop",
        "liquidation": "Liquidation",
        "reset": "Reset",
        "undo": "Reset undone",
    },
    "state": dict(STATE_LABELS),
    "type": {name: kind.label for name, kind in ORDER_KINDS.items()},
    "time_in_force": {name: each.label for name, each in PATIENCE.items()},
    "reduce_only": {"true": "Only closing", "false": "May open"},
    "outcome": {"win": "Wins", "loss": "Losses", "even": "Even"},
}
_PAGES = (
    ("first", "First", "chevron-bar-up"),
    ("previous", "Page up", "chevron-up"),
    ("next", "Page down", "chevron-down"),
    ("last", "Last", "chevron-bar-down"),
)


def _build(place: Place) -> Component:
    return html.Div(
        html.Section(
            [
                html.H2("History", className="visually-hidden"),
                _head(),
                # drawn by the page, as are the chips: what may be chosen
                html.Div(
                    id="history-filters",
                    className="history-filters",
                    role="search",
                    **{"aria-label": "Filters", "data-filters": json.dumps(_filters(place))},
                ),
                html.Div(id="history-chips", className="history-chips"),
                epochs_head(),
                _rows(),
                # in the place of the rows where there are none
                html.Div(id="history-empty", hidden=True),
                _pager(),
            ],
            className="panel history-panel",
        ),
        className="tab-body",
    )


def _filters(place: Place) -> dict[str, dict[str, Any]]:
    """By list: the names of its filters, the text that it is searched in, and its fields."""
    shared = {each.name for each in SUBJECT}
    found = {}
    for table, _ in _TABLES:
        own = {each.name for each in FILTER_COLUMNS[table]} - shared
        found[table] = {
            # In an address, those of the list alone come first.
            "names": sorted(FILTERS[table], key=lambda name, own=own: name not in own),
            "text": _TEXTS[table],
            "fields": _fields(table, own, place),
        }
    return found


def _fields(table: Listed, own: set[str], place: Place) -> list[dict[str, Any]]:
    """The fields of ``table``: each with its label, the filters that it fills in, how, and the
    values to choose from. One that is not shown is only named where it is set."""
    fields = {_DATES: [_field(_DATES, "Dates", "dates", ("from", "to"))]}
    fields[_AMOUNTS] = [
        _field(each.column, _sentence_case(each.label), "amounts", (each.least, each.most))
        for each in BOUNDS[table]
    ]
    symbols = {symbol: symbol for symbol in place.symbols}
    for column in FILTER_COLUMNS[table]:
        name = column.name
        labels = _VALUE_LABELS.get(name, {value: value for value in column.values})
        values = {value: _sentence_case(label) for value, label in labels.items()}
        label = _LABELS.get(name, _sentence_case(name))
        choices = symbols if name == "symbol" else values
        manner = _MANNERS.get(name, "several")
        fields[name] = [_field(name, label, manner, (name,), choices)]
    order = _ORDER[table]
    more = [name for name in fields if name in own and fields[name][0]["choices"]]
    shown = [*order, *(name for name in more if name not in order)]
    hidden = [name for name in fields if name not in shown]
    return [
        {**field, "is_shown": name in shown} for name in (*shown, *hidden) for field in fields[name]
    ]


def _field(
    name: str,
    label: str,
    manner: str,
    filters: tuple[str, ...],
    choices: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "manner": manner,
        "filters": filters,
        "choices": choices or {},
    }


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:].replace("_", " ")


def _head() -> html.Div:
    return html.Div(
        [
            html.Nav(
                [
                    html.A(
                        words,
                        id=f"history-table-{name}",
                        href="/history" if name == "ledger" else f"/history?table={name}",
                        className="btn btn-sm btn-outline-secondary",
                    )
                    for name, words in _TABLES
                ],
                className="history-tables",
                **{"aria-label": "Table"},
            ),
            html.Div(
                [
                    html.Span("Export", className="metric-label"),
                    *(_file(name, words) for name, words in (("csv", "CSV"), ("json", "JSON"))),
                ],
                id="history-files",
                className="history-files",
            ),
        ],
        className="history-head",
    )


def _file(name: str, words: str) -> html.A:
    """A link to all that is listed as a file; the page keeps it in step with the filters."""
    return html.A(
        words,
        id=f"history-{name}",
        href=f"/history/ledger?format={name}",
        download="",
        title=f"All that is listed, as {words}",
        className="btn btn-sm btn-outline-secondary bi-download",
    )


def _rows() -> html.Div:
    return html.Div(
        [
            # says how many
            html.Button(
                "New entries",
                id="history-newer",
                type="button",
                hidden=True,
                className="btn btn-sm btn-primary bi-arrow-up",
            ),
            later("history-grid-place", history_grid(), className="history-place"),
        ],
        id="history-rows",
        className="history-rows",
    )


def _pager() -> html.Div:
    return html.Div(
        [
            html.Span(id="history-range", className="history-range"),
            # how far the ledger is indexed, until all of it is
            html.Span(id="history-words", className="history-words", role="status"),
            *(button(words, f"history-{name}", icon) for name, words, icon in _PAGES),
        ],
        id="history-pager",
        className="pager history-pager",
    )


HISTORY = Tab(id="history", label="History", path="/history", build=_build)
