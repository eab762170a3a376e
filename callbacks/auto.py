"""The Auto Trading tab: the page draws the bots while the tab is shown."""

from dash import ClientsideFunction, Dash, Input, Output


def register(app: Dash) -> None:
    """Let the page know whether the bots are shown; scripts draw the rest."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseBots"),
        Output("auto-bots-list", "data-chosen"),
        Input("address", "pathname"),
    )
