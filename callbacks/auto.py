"""The Auto Trading tab: the page draws the bots while the tab is looked at."""

from dash import ClientsideFunction, Dash, Input, Output


def register(app: Dash) -> None:
    """Let the page know whether the bots are looked at; all else of them is drawn by hand."""
    app.clientside_callback(
        ClientsideFunction("bots", "choose"),
        Output("auto-bots-list", "data-chosen"),
        Input("address", "pathname"),
    )
