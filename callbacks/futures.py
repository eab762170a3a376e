"""The Futures tab: its chart, which of its tables is shown, and what is done to all rows of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, no_update, set_props

from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from callbacks import amend, position, ticket
from callbacks.dialogs import request_key, send
from layouts.futures import PRESSED


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
    @app.callback(Input(PRESSED, "data"), State(f"{PRESSED}-key", "data"))
    def act(pressed: Mapping[str, str], keys: Mapping[str, str]) -> None:
        verb, row = pressed["verb"], pressed["row"]
        name = f"{verb} {row}"
        key = request_key(keys.get(name, keys["page"]), name)
        how = Conditions(source="screen", idempotency_key=key)
        verbs: Mapping[str, Callable[[], Outcome]] = {
            "cancel": lambda: desk.cancel_order(row, **how),
            "close": lambda: desk.close_position(row, **how),
            "half": lambda: desk.close_position(row, percent=50, **how),
            "cancel-all": lambda: desk.cancel_orders(**how),
            "close-all": lambda: desk.close_positions(**how),
        }
        *_, following = send(key, verbs[verb])
        if following is not no_update:
            # Each button has a key of its own, as another one may be answered first; of calls at
            # the same time Dash drops what the earlier ones return.
            changed = Patch()
            changed[name] = following
            set_props(f"{PRESSED}-key", {"data": changed})
