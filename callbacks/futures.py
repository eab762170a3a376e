"""The Futures tab: its chart, its ticket and its tables."""

from dash import ClientsideFunction, Dash, Input, Output, State

_TICKET = (
    ("futures-symbol", "value"),
    ("futures-side", "value"),
    ("futures-type", "value"),
    ("futures-price", "value"),
    ("futures-second-price", "value"),
    ("futures-third-price", "value"),
    ("futures-force", "value"),
    ("futures-size", "value"),
    ("futures-unit", "value"),
    ("futures-leverage", "value"),
    ("futures-options", "value"),
    ("futures-take-profit", "value"),
    ("futures-stop-loss", "value"),
    ("futures-client-id", "value"),
)


def register(app: Dash) -> None:
    """Let the chart follow its symbol, the ticket its fields, and the tables what is chosen; all in
    the page, which knows the account from ``balance-store``."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseChart"),
        Output("futures-chart-note", "data-chosen"),
        Input("futures-symbol", "value"),
        Input("futures-timeframe", "value"),
        Input("address", "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "chooseBook"),
        Output("futures-book-empty", "data-chosen"),
        Input("futures-book", "value"),
        Input("address", "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "describeTicket"),
        Output("futures-ticket-note", "data-described"),
        *(Input(*field) for field in _TICKET),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "submitTicket"),
        Output("futures-size", "value"),
        Input("futures-submit", "n_clicks"),
        Input("futures-size", "n_submit"),
        Input("futures-price", "n_submit"),
        Input("futures-second-price", "n_submit"),
        Input("futures-third-price", "n_submit"),
        Input("futures-take-profit", "n_submit"),
        Input("futures-stop-loss", "n_submit"),
        Input("futures-client-id", "n_submit"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "positionDialog"),
        Output("position-dialog", "is_open"),
        Output("position-error", "children"),
        Input("position-cancel", "n_clicks"),
        Input("position-close", "n_clicks"),
        Input("position-quantity", "n_submit"),
        Input("position-move-margin", "n_clicks"),
        Input("position-margin", "n_submit"),
        Input("position-reverse", "n_clicks"),
        Input("position-set", "n_clicks"),
        Input("position-take-profit", "n_submit"),
        Input("position-stop-loss", "n_submit"),
        State("position-quantity", "value"),
        State("position-take-profit", "value"),
        State("position-stop-loss", "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "orderDialog"),
        Output("order-dialog", "is_open"),
        Output("order-error", "children"),
        Input("order-cancel", "n_clicks"),
        Input("order-set", "n_clicks"),
        Input("order-price", "n_submit"),
        Input("order-second-price", "n_submit"),
        Input("order-quantity", "n_submit"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "closeAll"),
        Output("futures-close-all", "title"),
        Input("futures-close-all", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "cancelAll"),
        Output("futures-cancel-all", "title"),
        Input("futures-cancel-all", "n_clicks"),
        prevent_initial_call=True,
    )
