"""The History tab: the page fetches its rows itself, by what the address says."""

from dash import ClientsideFunction, Dash, Input, Output


def register(app: Dash) -> None:
    """Let the page know when the address changes; all else of it is drawn by hand."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseHistory"),
        Output("history-words", "data-chosen"),
        Input("address", "pathname"),
        Input("address", "search"),
    )
