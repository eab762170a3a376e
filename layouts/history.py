"""History: the ledger, the fills, the closed trades and the epochs, with filters, and as files."""

import json

from dash import html
from dash.development.base_component import Component

from balance.history.rows import KIND_LABELS, SOURCE_LABELS
from layouts.grids import history_grid
from layouts.later import later
from layouts.parts import button
from layouts.tab import Place, Tab

_TABLES = (("ledger", "Ledger"), ("fills", "Fills"), ("trades", "Trades"), ("epochs", "Epochs"))
_REASONS = {
    "order": "Order",
    "take_profit": "Take-profit",
    "stop_loss": "Stop-loss",
    "liquidation": "Liquidation",
    "reset": "Reset",
    "undo": "Reset undone",
}
_OUTCOMES = {"win": "Wins", "loss": "Losses", "even": "Even"}
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
                    **{"aria-label": "Filters", "data-choices": json.dumps(_choices(place))},
                ),
                html.Div(id="history-chips", className="history-chips"),
                # what stands over the epochs: some of them side by side
                html.Div(id="history-epochs", hidden=True),
                _rows(),
                # in the place of the rows where there are none
                html.Div(id="history-empty", hidden=True),
                _pager(),
            ],
            className="panel history-panel",
        ),
        className="tab-body",
    )


def _choices(place: Place) -> dict[str, dict[str, str]]:
    """By the filter's name: the values that it may have, and what they are called."""
    return {
        "kind": dict(KIND_LABELS),
        "source": dict(SOURCE_LABELS),
        "reason": _REASONS,
        "outcome": _OUTCOMES,
        "symbol": {symbol: symbol for symbol in place.symbols},
    }


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
