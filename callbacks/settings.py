"""The settings' dialog opens, saves, and closes when that is done."""

from dash import ClientsideFunction, Dash, Input, Output, State

from layouts.settings import NAMES, TYPED, id_of


def register(app: Dash) -> None:
    """Let the dialog work; the page knows the settings, and asks the server to change them."""
    app.clientside_callback(
        ClientsideFunction("desk", "settingsDialog"),
        Output("settings-dialog", "is_open"),
        *(Output(id_of(name), "value") for name in NAMES),
        Input("settings-btn", "n_clicks"),
        Input("settings-save", "n_clicks"),
        Input("settings-cancel", "n_clicks"),
        Input("settings-defaults", "n_clicks"),
        *(Input(id_of(name), "n_submit") for name in TYPED),
        *(State(id_of(name), "value") for name in NAMES),
        prevent_initial_call=True,
    )
