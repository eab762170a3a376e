"""The one way of the balance through a page: one callback writes it, one fan-out feeds it."""

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from layouts.live import ids_ending

SYNC_BUTTON = "-sync-balance-btn"


def register(app: Dash, layout: Component) -> None:
    """Let ``balance-store`` be written, and all that is live in ``layout`` follow it."""
    app.clientside_callback(
        ClientsideFunction("desk", "receive"),
        Output("balance-store", "data"),
        Input("live-price-interval", "n_intervals"),
        Input("balance-push", "data"),
        *(Input(button, "n_clicks") for button in ids_ending(layout, SYNC_BUTTON)),
        State("balance-store", "data"),
        prevent_initial_call=False,
    )
    # it finds the live components in the page itself, by what they declare
    app.clientside_callback(
        ClientsideFunction("desk", "fanOut"),
        Output("app-shell", "data-fed"),
        Input("balance-store", "data"),
        prevent_initial_call=False,
    )
