"""Tabs and the address line, the menu of a narrow screen, light and dark, the help."""

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from callbacks.dialogs import open_at_once
from layouts.later import LATER
from layouts.live import ids_ending


def register(app: Dash, layout: Component) -> None:
    """Let the page be moved about in: the address says which of the panels is shown."""
    app.clientside_callback(
        ClientsideFunction("desk", "showPanel"),
        [Output(panel, "hidden") for panel in ids_ending(layout, "-panel")],
        Input("address", "pathname"),
        State("tab-paths", "data"),
        prevent_initial_call=False,
    )
    for store in ids_ending(layout, LATER):
        app.clientside_callback(
            ClientsideFunction("desk", "bring"),
            Output(store.removesuffix(LATER), "children"),
            Input("address", "pathname"),
            State(store, "data"),
            State("tab-paths", "data"),
            prevent_initial_call=False,
        )
    app.clientside_callback(
        ClientsideFunction("desk", "openMenu"),
        Output("sidebar-actions", "className"),
        Output("sidebar-menu-btn", "aria-expanded"),
        Input("sidebar-menu-btn", "n_clicks"),
    )
    open_at_once(app, layout, "help", ["help-btn"])
