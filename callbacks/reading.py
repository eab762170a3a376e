"""How a dialog opens that shows what the server is asked for."""

from dash import ClientsideFunction, Dash, Input, Output, State


def register_opening(app: Dash, name: str, shown: str, function: str) -> None:
    """Let the reading dialog called ``name`` open at once for what its store ``shown`` says, and
    close for None. What shows it has ``{name}-read`` as its input; ``{name}-drawn`` is None where
    nothing is drawn. ``function`` is that of the page which knows its first title."""
    app.clientside_callback(
        ClientsideFunction("desk", function),
        Output(f"{name}-dialog", "is_open"),
        Output(f"{name}-title", "children", allow_duplicate=True),
        Output(f"{name}-body", "children", allow_duplicate=True),
        Output(f"{name}-drawn", "data", allow_duplicate=True),
        Output(f"{name}-read", "data"),
        Input(shown, "data"),
        State(f"{name}-dialog", "is_open"),
        prevent_initial_call=True,
    )
