"""History: the ledger, fills, trades, orders and epochs as lists, with filters, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import starmap
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import dcc, html
from dash.development.base_component import Component

from balance.history.question import Listed
from layouts.compare import epochs_head
from layouts.damage import marked
from layouts.history_columns import KINDS, definitions
from layouts.history_filters import clear_button, setting
from layouts.history_view import LISTS, PATH, View
from layouts.later import later
from layouts.parts import button, empty_state, needs_server
from layouts.tab import Place, Tab

GRID: Final = "history-grid"
#: The list that the grid is to have: the query of its address, up to which revision, and whether
#: the fields of the filters show it already or are to be drawn in any case.
LIST: Final = "history-list"
#: The list that is shown, and whose fields are to be drawn.
SHOWN: Final = "history-shown"
FIELDS: Final = "history-fields"
#: The list that the page asks of what came since.
NEWS: Final = "history-since"
#: So many rows come at once.
BLOCK: Final = 100

_EMPTY: Final[Mapping[Listed, tuple[str, str, str]]] = MappingProxyType(
    {
        "ledger": (
            "journal-text",
            "Nothing in the ledger yet",
            "Every change of the account is listed here: deposits, orders, fills, fees and "
            "results.",
        ),
        "fills": (
            "receipt",
            "No fills yet",
            "Place an order on the Futures Trading tab: each one that fills is listed here, with "
            "its price and its fee.",
        ),
        "trades": (
            "arrow-left-right",
            "No closed trades yet",
            "Open a position and close it, or let a bot do so: from its entry to its exit it is "
            "listed here, with what it brought.",
        ),
        "orders": (
            "card-list",
            "No orders yet",
            "Each order is listed here from its placing to its end, also one that came to nothing.",
        ),
        "epochs": (
            "clock-history",
            "No epochs yet",
            "An epoch is the account between two resets: each is listed here with what it brought.",
        ),
    }
)
_NOT_FITTING: Final = (
    "search",
    "Nothing fits these filters",
    "Take some of them away to see more.",
)
_NOT_YET: Final = (
    "hourglass-split",
    "Nothing found yet",
    "The ledger is still being indexed. What fits is shown here by itself as soon as it is found.",
)
_PAGES: Final = (
    ("first", "First", "chevron-bar-up"),
    ("previous", "Page up", "chevron-up"),
    ("next", "Page down", "chevron-down"),
    ("last", "Last", "chevron-bar-down"),
)
_FILES: Final = (("csv", "CSV"), ("json", "JSON"))
_STORES: Final = (LIST, SHOWN, FIELDS, NEWS)


def _build(_: Place) -> Component:
    return html.Div(
        html.Section(
            [
                html.H2("History", className="visually-hidden"),
                _head(),
                needs_server(
                    [
                        html.Div(
                            id="history-filters", className="history-filters hstack flex-wrap gap-2"
                        )
                    ],
                    id="history-search",
                    role="search",
                    **{"aria-label": "Filters"},
                ),
                html.Div(id="history-chips", className="history-chips hstack flex-wrap gap-2"),
                epochs_head(),
                _rows(),
                # stands in the place of the rows where there are none
                html.Div(id="history-instead"),
                _pager(),
                *(dcc.Store(id=each) for each in _STORES),
            ],
            className="panel history-panel",
        ),
        className="tab-body",
    )


def _head() -> html.Div:
    return html.Div(
        [
            html.Nav(
                table_links(View()),
                id="history-tables",
                className="history-tables btn-group flex-wrap",
                **{"aria-label": "Table"},
            ),
            html.Div(
                [html.Span("Export", className="metric-label"), *starmap(_file, _FILES)],
                id="history-files",
                className="hstack gap-2",
            ),
        ],
        className="panel-head justify-content-between m-0",
    )


def table_links(view: View) -> list[Component]:
    """Links to all lists, with the filters of ``view`` as far as they mean the same there."""
    return [
        html.A(
            label,
            id=f"history-table-{table}",
            href=(replace(view, compare=()) if table == view.table else view.turned(table)).href,
            className=f"btn btn-sm btn-outline-secondary{' active' * (table == view.table)}",
            **({"aria-current": "true"} if table == view.table else {}),
        )
        for table, label in LISTS.items()
    ]


def file_address(form: str, table: Listed, params: Mapping[str, str], root: str = "/") -> str:
    """Where all that is listed is as a file of a ``form``: the rows of ``table`` with the
    ``params`` of its route. ``root`` is the path of the server."""
    return f"{root}history/{table}?{urlencode({**params, 'format': form}, safe=',:/')}"


def _file(form: str, label: str) -> html.A:
    return html.A(
        label,
        id=f"history-{form}",
        href=file_address(form, "ledger", {}),
        download="",
        title=f"All that is listed, as {label}",
        className="btn btn-sm btn-outline-secondary bi-download",
    )


def newer_button(text: str) -> html.Button:
    """What shows the entries that came since the list was begun; the ``text`` says how many."""
    return button(text, "history-newer", "arrow-up", color="primary", outline=False)


def empty_list(view: View, *, is_indexed: bool) -> list[Component]:
    """What stands in the place of the rows of ``view`` where there are none, or none yet."""
    none = _NOT_FITTING if view.filters else _EMPTY[view.table]
    state = empty_state(*(none if is_indexed else _NOT_YET))
    clear = [clear_button(view, "history-clear-all", "Clear filters")] if view.filters else []
    return [html.Div([state, *clear], id="history-empty")]


def unread_list(view: View, message: str, *, is_refused: bool) -> list[Component]:
    """What stands there where the rows could not be read: the ``message``. One that was refused
    is tried again without its order, any other also by itself."""
    refused = setting(sort="") if view.sort else {}
    more = refused if is_refused else {"data-busy": "true"}
    again = button("Try again", "history-again", "arrow-clockwise", **more)
    text = html.P(marked(message), className="problem", role="alert")
    return [html.Div([text, needs_server([again])], id="history-problem")]


def _rows() -> html.Div:
    return html.Div(
        [
            html.Div(id="history-newer-place"),
            later("history-grid-place", _grid()),
        ],
        id="history-rows",
        className="history-rows",
    )


def _grid() -> dag.AgGrid:
    """The rows, which come block by block from a callback; the page says in which columns."""
    return dag.AgGrid(
        id=GRID,
        columnDefs=[],
        rowModelType="infinite",
        getRowId="params.data.id",
        defaultColDef={
            "flex": 1,
            "sortable": True,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "cellDataType": False,
            # back to the newest first
            "sortingOrder": ["desc", "asc", None],
        },
        dashGridOptions={
            "columnTypes": dict(KINDS),
            # the columns of all lists
            "context": definitions(),
            "cacheBlockSize": BLOCK,
            # what was scrolled past is forgotten, so that the page stays small
            "maxBlocksInCache": 10,
            # Dash drops the answer to a request that another one follows
            "maxConcurrentDatasourceRequests": 1,
            # less than a person notices, more than between two frames of scrolling
            "blockLoadDebounceMillis": 20,
            "infiniteInitialRowCount": 20,
            "suppressMultiSort": True,
            "suppressMovableColumns": True,
            "enableBrowserTooltips": True,
            "suppressNoRowsOverlay": True,
            "animateRows": False,
            "rowHeight": 36,
            "headerHeight": 32,
            "rowClassRules": {
                "history-marked": "historyMarked(params)",
                "history-loading": "!params.data",
            },
        },
        eventListeners={
            "rowClicked": ["historyClicked(params)"],
            "cellKeyDown": ["historyPressed(params)"],
            "sortChanged": ["historySorted(params)"],
            **{
                name: ["historyMoved(params)"]
                for name in ("bodyScroll", "gridSizeChanged", "modelUpdated")
            },
        },
        className="desk-grid-table history-grid",
        style={"width": "100%", "height": "100%"},
    )


def _pager() -> html.Div:
    return html.Div(
        [
            html.Span(id="history-range", className="history-range"),
            # how far the ledger is indexed, until all of it is
            html.Span(id="history-words", className="history-words me-auto", role="status"),
            *(button(label, f"history-{name}", icon) for name, label, icon in _PAGES),
        ],
        id="history-pager",
        className="history-pager hstack flex-wrap justify-content-end gap-2 text-body-secondary",
    )


HISTORY = Tab(id="history", label="History", path=PATH, build=_build)
