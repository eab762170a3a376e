"""Curves: whatever curve there is in the page is drawn, also one that comes into it later."""

from dash import MATCH, ClientsideFunction, Dash, Input, Output, State

from layouts.curve import plot_of, points_of


def register(app: Dash) -> None:
    """Have each curve drawn when its points come."""
    app.clientside_callback(
        ClientsideFunction("desk", "drawCurve"),
        Output(plot_of(MATCH), "data-drawn"),
        Input(points_of(MATCH), "data"),
        State(plot_of(MATCH), "id"),
        prevent_initial_call=False,
    )
