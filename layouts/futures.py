"""Futures Trading: the balance for trading, the open positions and orders."""

from dash import html
from dash.development.base_component import Component

from layouts.cards import summary_row
from layouts.parts import card
from layouts.tab import Place, Tab


def _build(_: Place) -> Component:
    return html.Div(
        [
            summary_row(
                "futures",
                balance_id="futures-virtual-balance",
                pnl_id="futures-pnl-display",
                equity_id="futures-total-balance",
                available_id="futures-available-balance",
            ),
            card("Positions", html.Div(id="futures-positions", className="scroller")),
            card("Open orders", html.Div(id="futures-orders", className="scroller")),
        ],
        className="tab-body",
    )


FUTURES = Tab(id="futures", label="Futures Trading", path="/futures", build=_build)
