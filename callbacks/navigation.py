"""Tabs and the address line, the menu of a narrow screen, light and dark."""

from dash import ClientsideFunction, Dash, Input, Output, State


def register(app: Dash) -> None:
    """Let the page be moved about in."""
    app.clientside_callback(
        ClientsideFunction("screen", "navigate"),
        Output("tabs", "active_tab"),
        Output("address", "pathname"),
        Input("address", "pathname"),
        Input("tabs", "active_tab"),
        State("tab-paths", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("screen", "openMenu"),
        Output("sidebar-actions", "is_open"),
        Input("sidebar-menu-btn", "n_clicks"),
        State("sidebar-actions", "is_open"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("screen", "changeTheme"),
        Output("theme-btn", "title"),
        Input("theme-btn", "n_clicks"),
        prevent_initial_call=True,
    )
