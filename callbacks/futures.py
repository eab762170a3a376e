"""The Futures tab: its chart, which of its tables is shown, and what is done to all rows of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, no_update, set_props

from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from callbacks import amend, position, ticket
from callbacks.clicks import is_click
from callbacks.dialogs import request_key, send
from callbacks.toasts import show_outcome

#: How much of a position its buttons close, in percent.
_CLOSED: Final = {"close": 100, "half": 50}


def register(app: Dash, desk: Desk) -> None:
    """Let the chart follow its symbol, and the tables what is chosen; both in the page, which knows
    the account from ``balance-store``."""
    app.clientside_callback(
        ClientsideFunction("desk", "chooseChart"),
        Output("futures-chart-note", "data-chosen"),
        Input("futures-symbol", "value"),
        Input("futures-timeframe", "value"),
        Input("address", "pathname"),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "chooseBook"),
        Output("futures-book-empty", "data-chosen"),
        Input("futures-book", "value"),
        Input("address", "pathname"),
        prevent_initial_call=False,
    )
    ticket.register(app, desk)
    position.register(app, desk)
    amend.register(app, desk)
    _register_rows(app, desk)


def _register_rows(app: Dash, desk: Desk) -> None:
    @app.callback(Input("futures-cancel-all", "n_clicks"))
    def cancel_all(clicks: object) -> None:
        if is_click(clicks):
            show_outcome(desk.cancel_orders(source="screen"))

    @app.callback(Input("futures-close-all", "n_clicks"))
    def close_all(clicks: object) -> None:
        if is_click(clicks):
            show_outcome(desk.close_positions(source="screen"))

    @app.callback(Input("futures-row", "data"), State("futures-row-key", "data"))
    def act(pressed: Mapping[str, str], keys: Mapping[str, str]) -> None:
        verb, row = pressed["verb"], pressed["row"]
        name = f"{verb} {row}"
        key = request_key(keys.get(name, keys["page"]), name)
        how = Conditions(source="screen", idempotency_key=key)

        def change() -> Outcome:
            if verb == "cancel":
                return desk.cancel_order(row, **how)
            return desk.close_position(row, percent=_CLOSED[verb], **how)

        *_, following = send(key, change)
        if following is not no_update:
            # Each button has a key of its own, as another one may be answered first; of calls at
            # the same time Dash drops what the earlier ones return.
            changed = Patch()
            changed[name] = following
            set_props("futures-row-key", {"data": changed})
