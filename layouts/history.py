"""History: the ledger, fills, trades, orders and epochs as lists, with filters, and as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import dash_ag_grid as dag
from dash import dcc, html
from dash.development.base_component import Component

from balance.history.question import Listed
from layouts.compare import epochs_head
from layouts.history_columns import KINDS, definitions
from layouts.history_filters import PRESET, clear_button
from layouts.history_view import LISTS, PATH, View, filter_names
from layouts.later import later
from layouts.parts import button, empty_state, needs_server
from layouts.tab import Place, Tab

GRID: Final = "history-grid"
#: What the address says of the list, without what is open over it; whose fields are drawn; the rows
#: that the grid is to have: of which list, up to which revision.
VIEW: Final = "history-view"
TABLE: Final = "history-table"
ROWS: Final = "history-list"
#: What the newest answer says of the list: how many rows, what is wrong, how much is indexed.
FOUND: Final = "history-found"
#: What the page asks for, and is answered, of what came since.
NEWS: Final = "history-since"
NEWER: Final = "history-newer-count"
#: The columns of all lists.
COLUMNS: Final = "history-columns"
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
_STORES: Final = (VIEW, TABLE, ROWS, FOUND, NEWS, NEWER, PRESET)


def _build(_: Place) -> Component:
    names = {table: filter_names(table) for table in LISTS}
    return html.Div(
        html.Section(
            [
                html.H2("History", className="visually-hidden"),
                _head(),
                # The page reads an address by the names of the filters.
                needs_server(
                    [
                        html.Div(
                            id="history-filters", className="history-filters hstack flex-wrap gap-2"
                        )
                    ],
                    id="history-search",
                    role="search",
                    **{"aria-label": "Filters", "data-names": json.dumps(names)},
                ),
                html.Div(id="history-chips", className="history-chips hstack flex-wrap gap-2"),
                epochs_head(),
                _rows(),
                # in the place of the rows where there are none
                html.Div(id="history-empty"),
                html.Div(
                    [
                        html.P(id="history-problem-text", className="problem", role="alert"),
                        needs_server([button("Try again", "history-again", "arrow-clockwise")]),
                    ],
                    id="history-problem",
                    hidden=True,
                ),
                _pager(),
                *(dcc.Store(id=each) for each in _STORES),
                dcc.Store(id=COLUMNS, data=definitions()),
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
                [
                    html.Span("Export", className="metric-label"),
                    *(_file(name, label) for name, label in (("csv", "CSV"), ("json", "JSON"))),
                ],
                id="history-files",
                className="hstack gap-2",
            ),
        ],
        className="panel-head justify-content-between m-0",
    )


def table_links(view: View, path: str = PATH) -> list[Component]:
    """Links to all lists, with the filters of ``view`` as far as they mean the same there."""
    return [
        html.A(
            label,
            id=f"history-table-{table}",
            href=(view if table == view.table else view.turned(table)).href(path),
            className=f"btn btn-sm btn-outline-secondary{' active' * (table == view.table)}",
            **({"aria-current": "true"} if table == view.table else {}),
        )
        for table, label in LISTS.items()
    ]


def empty_states(view: View, path: str = PATH) -> list[Component]:
    """What stands in the place of the rows of ``view`` where there are none, and where there are
    none yet; the page shows one of them."""
    none = [empty_state(*(_NOT_FITTING if view.filters else _EMPTY[view.table]))]
    clear = [clear_button(view, "history-clear-all", "Clear filters", path)] if view.filters else []
    return [
        html.Div([*none, *clear], id="history-none", hidden=True),
        html.Div([empty_state(*_NOT_YET), *clear], id="history-none-yet", hidden=True),
    ]


def _file(name: str, label: str) -> html.A:
    """A link to all that is listed as a file; the page keeps it in step with the list."""
    return html.A(
        label,
        id=f"history-{name}",
        href=f"/history/ledger?format={name}",
        download="",
        title=f"All that is listed, as {label}",
        className="btn btn-sm btn-outline-secondary bi-download",
    )


def _rows() -> html.Div:
    return html.Div(
        [
            # says how many
            button(
                *("New entries", "history-newer", "arrow-up"),
                color="primary",
                outline=False,
                hidden=True,
            ),
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
            **{name: ["historyMoved(params)"] for name in ("bodyScroll", "modelUpdated")},
            "gridSizeChanged": ["historyResized(params)"],
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
