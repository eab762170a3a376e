"""The dialogs open, ask the server, and close when it is done."""

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from layouts.live import ids_ending

RESET_BUTTON = "-reset-balance-btn"


def register(app: Dash, layout: Component) -> None:
    """Let every Reset button in ``layout`` open the one dialog, and the dialogs work."""
    app.clientside_callback(
        ClientsideFunction("desk", "resetDialog"),
        Output("reset-dialog", "is_open"),
        Output("reset-amount", "value"),
        Output("reset-error", "children"),
        Input("reset-confirm", "n_clicks"),
        Input("reset-amount", "n_submit"),
        Input("reset-cancel", "n_clicks"),
        *(Input(button, "n_clicks") for button in ids_ending(layout, RESET_BUTTON)),
        State("reset-amount", "value"),
        State("reset-starting-balance", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "moneyDialog"),
        Output("money-dialog", "is_open"),
        Output("money-amount", "value"),
        Output("money-note", "value"),
        Output("money-error", "children"),
        Input("sidebar-money-btn", "n_clicks"),
        Input("money-confirm", "n_clicks"),
        Input("money-amount", "n_submit"),
        Input("money-note", "n_submit"),
        Input("money-cancel", "n_clicks"),
        State("money-action", "value"),
        State("money-amount", "value"),
        State("money-note", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "describeMoney"),
        Output("money-confirm", "children"),
        Output("money-words", "children"),
        Input("money-action", "value"),
    )
