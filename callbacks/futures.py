"""The Futures tab: its chart, which of its tables is shown, and what is done to all rows of one."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from balance.desk.desk import Desk
from callbacks import amend, position, ticket
from callbacks.clicks import is_click
from callbacks.toasts import show_outcome


def register(app: Dash, desk: Desk) -> None:
    """Let the chart follow its symbol, and the tables what is chosen; both in the page, which knows
    the account from ``balance-store``."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseChart"),
        Output("futures-chart-note", "data-chosen"),
        Input("futures-symbol", "value"),
        Input("futures-timeframe", "value"),
        Input("address", "pathname"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "chooseBook"),
        Output("futures-book-empty", "data-chosen"),
        Input("futures-book", "value"),
        Input("address", "pathname"),
        prevent_initial_call=False,
    )
    ticket.register(app, desk)
    position.register(app, desk)
    amend.register(app, desk)

    @app.callback(Input("futures-cancel-all", "n_clicks"))
    def cancel_all(clicks: object) -> None:
        if is_click(clicks):
            show_outcome(desk.cancel_orders(source="screen"))

    @app.callback(Input("futures-close-all", "n_clicks"))
    def close_all(clicks: object) -> None:
        if is_click(clicks):
            show_outcome(desk.close_positions(source="screen"))
