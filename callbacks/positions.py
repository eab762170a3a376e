"""The tables of positions and open orders follow the account."""

from dash import ClientsideFunction, Dash, Input, Output


def register(app: Dash) -> None:
    """Let the tables on Futures Trading follow ``balance-store``."""
    app.clientside_callback(
        ClientsideFunction("tables", "positions"),
        Output("futures-positions", "children"),
        Output("futures-orders", "children"),
        Input("balance-store", "data"),
    )
