"""Futures Trading: the chart, the ticket, and the positions, orders and fills."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from uuid import uuid4

from dash import dcc, html
from dash.development.base_component import Component

from balance.core.instruments import label
from layouts.cards import summary_row
from layouts.grids import fills_grid, orders_grid, positions_grid
from layouts.later import later
from layouts.live import live_price, live_text
from layouts.parts import button, choice, empty_state, needs_server, pressing, select, unseen_label
from layouts.tab import Place, Tab
from layouts.ticket import ticket

#: The store of what is pressed below the chart; that of its keys ends with ``-key``.
PRESSED: Final = "futures-row"
TIMEFRAMES = (
    ("1m", "1m"),
    ("5m", "5m"),
    ("15m", "15m"),
    ("1h", "1h"),
    ("4h", "4h"),
    ("1d", "1d"),
)


class _Book(NamedTuple):
    """One of the tables below the chart, and what stands where it has no rows."""

    name: str
    grid: Callable[[], Component]
    empty: Component


_BOOKS = (
    _Book(
        "positions",
        positions_grid,
        empty_state(
            "graph-up-arrow",
            "No open positions",
            "Choose a side and a size in the ticket above. The position is listed here with its "
            "profit or loss.",
        ),
    ),
    _Book(
        "orders",
        orders_grid,
        empty_state(
            "list-check",
            "No open orders",
            "A limit, stop or take-profit order waits here until its price comes, with the margin "
            "it keeps back.",
        ),
    ),
    _Book(
        "fills",
        fills_grid,
        empty_state(
            "receipt",
            "No fills yet",
            "Each order that fills is listed here with its price, its fee and what it realised.",
        ),
    ),
)


def _build(place: Place) -> Component:
    return html.Div(
        [
            summary_row(
                "futures",
                balance_id="futures-virtual-balance",
                pnl_id="futures-pnl-display",
                equity_id="futures-total-balance",
                available_id="futures-available-balance",
            ),
            html.Div([_chart(place.symbols), ticket(place.leverage)], className="desk"),
            _book(),
        ],
        className="tab-body",
    )


def _chart(symbols: Sequence[str]) -> html.Section:
    first = symbols[0] if symbols else ""
    return html.Section(
        [
            html.H2("Chart", className="visually-hidden"),
            html.Div(
                [
                    unseen_label("Symbol", "futures-symbol"),
                    select(
                        "futures-symbol",
                        {each: label(each) for each in symbols},
                        value=first,
                        className="symbol-picker",
                        persistence=True,
                    ),
                    live_price("last", first, id="futures-last", className="last-price"),
                    live_price(
                        "change_percent", first, id="futures-change", className="pnl-figure"
                    ),
                    button("Alert", "futures-alert", "bell"),
                    choice("futures-timeframe", TIMEFRAMES, "1m", label="Timeframe", small=True),
                    html.Div(
                        [
                            html.Span(
                                [
                                    *("Mark ", live_price("mark", first, id="futures-mark"), " "),
                                    live_price("mark_source", first, id="futures-mark-source"),
                                ],
                                title="Positions are valued at it, and liquidated by it",
                            ),
                            html.Span(
                                [
                                    "Funding ",
                                    live_price("funding_rate", first, id="futures-funding"),
                                ],
                                title="Rate of the coming settlement, as a rule at 00, 08, 16 UTC",
                            ),
                        ],
                        className="w-100 d-flex gap-3",
                    ),
                ],
                className="panel-head chart-head m-0",
            ),
            html.Div(
                html.Div(id="futures-chart", className="fill"),
                className="chart",
                role="group",
                **{"aria-label": "Candles of the symbol, with the position and its orders"},
            ),
            html.Div(id="futures-chart-note", className="chart-note text-body-secondary"),
        ],
        className="panel chart-panel vstack gap-2",
    )


def _book() -> html.Section:
    return html.Section(
        [
            html.H2("Positions, orders and fills", className="visually-hidden"),
            # What is to be done with which row, or with all, and the keys of what is sent for it.
            dcc.Store(id=PRESSED),
            dcc.Store(id=f"{PRESSED}-key", data={"page": uuid4().hex}),
            html.Div(
                [
                    choice(
                        "futures-book",
                        (
                            (_counted("Positions", "position_count"), "positions"),
                            (_counted("Open orders", "order_count"), "orders"),
                            ("Fills", "fills"),
                        ),
                        "positions",
                        label="Table",
                        small=True,
                    ),
                    # Each is shown by the page with the table that it is for.
                    needs_server([_for_all("Cancel all"), _for_all("Close all")]),
                ],
                className="panel-head justify-content-between",
            ),
            *(
                needs_server(
                    [later(f"futures-{each.name}-place", each.grid(), module="futures/cells.js")],
                    "book",
                    id=f"futures-{each.name}",
                    hidden=True,
                )
                for each in _BOOKS
            ),
            html.Div(
                [
                    *(
                        html.Div(each.empty, id=f"futures-{each.name}-empty", hidden=True)
                        for each in _BOOKS
                    ),
                    # Why the rows can't be read, in words of the server.
                    html.P(id="futures-book-problem", className="problem", role="alert"),
                ],
                id="futures-book-empty",
                hidden=True,
            ),
        ],
        className="panel",
    )


def _for_all(label: str) -> html.Button:
    verb = label.lower().replace(" ", "-")
    acts = pressing(PRESSED, verb=verb, row="")
    return button(label, f"futures-{verb}", "x-circle", color="danger", **acts)


def _counted(words: str, field: str) -> list[str | Component]:
    return [f"{words} ", live_text(field, id=f"futures-{field.replace('_', '-')}")]


FUTURES = Tab(id="futures", label="Futures Trading", path="/futures", build=_build)
