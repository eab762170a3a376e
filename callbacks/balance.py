"""The one way of the balance through a page: one callback writes it, one fan-out feeds it."""

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from layouts.live import ids_ending, live_components

SYNC_BUTTON = "-sync-balance-btn"


def register(app: Dash, layout: Component) -> None:
    """Let ``balance-store`` be written, and all that is live in ``layout`` follow it."""
    app.clientside_callback(
        ClientsideFunction("balance", "receive"),
        Output("balance-store", "data"),
        Input("live-price-interval", "n_intervals"),
        Input("balance-push", "data"),
        *(Input(button, "n_clicks") for button in ids_ending(layout, SYNC_BUTTON)),
        State("balance-store", "data"),
    )
    outputs = [
        Output(component.id, prop)
        for component in live_components(layout)
        for prop in ("children", "data-tone")
    ]
    app.clientside_callback(
        ClientsideFunction("balance", "fanOut"), outputs, Input("balance-store", "data")
    )
    app.clientside_callback(
        ClientsideFunction("balance", "showLink"),
        Output("link-state", "children"),
        Output("link-pill", "data-link"),
        Output("app-shell", "data-link"),
        Output("link-note", "children"),
        Output("fault-note", "children"),
        Input("balance-store", "data"),
    )
