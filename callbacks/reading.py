"""How a dialog is emptied that shows what the server is asked for."""

from dash import ClientsideFunction, Dash, Input, Output, State

from layouts.elements import CONTENT


def register_emptying(app: Dash, name: str) -> None:
    """Have the reading dialog called ``name`` empty when it opens again; what shows something in it
    has ``{name}-read`` as its input."""
    app.clientside_callback(
        ClientsideFunction("desk", "emptyReading"),
        Output(f"{name}-title", "children", allow_duplicate=True),
        Output(f"{name}-body", CONTENT, allow_duplicate=True),
        Output(f"{name}-drawn", "data", allow_duplicate=True),
        Input(f"{name}-dialog", "is_open"),
        State(f"{name}-heading", "data"),
    )
