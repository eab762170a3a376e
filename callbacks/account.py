"""The dialogs of the account: a reset and its undo, money in, out or by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from balance.core.errors import BalanceError
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from callbacks.amounts import read_amount
from callbacks.clicks import clicked
from callbacks.dialogs import open_at_once, request_key, send
from callbacks.first import is_fresh
from callbacks.toasts import show_toast
from layouts.account import ACTIONS, UNDO, MoneyAction
from layouts.live import ids_ending

RESET_BUTTON = "-reset-balance-btn"


def register(app: Dash, layout: Component, desk: Desk) -> None:
    """Let every Reset button in ``layout`` open the one dialog, and the dialogs change ``desk``."""
    open_at_once(app, layout, "reset", ids_ending(layout, RESET_BUTTON))
    open_at_once(app, layout, "money", ["sidebar-money-btn"])
    _register_reset(app, desk)
    _register_undo(app, desk)
    _register_money(app, desk)


def _register_reset(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("reset-dialog", "is_open"),
        Output("reset-error", "children"),
        Output("reset-key", "data"),
        Input("reset-confirm", "n_clicks"),
        Input("reset-amount", "n_submit"),
        State("reset-amount", "value"),
        State("reset-key", "data"),
    )
    def reset(_clicks: Any, _enters: Any, amount: str, key: str) -> tuple[Any, ...]:
        # every page shows a reset, this one as well
        return send(
            key,
            lambda: desk.execute(
                "reset",
                read_amount(amount),
                idempotency_key=request_key(key, amount),
                source="screen",
            ),
            quiet=True,
        )


def _register_undo(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("undo-dialog", "is_open"),
        Output("undo-about", "children"),
        Output("undo-revision", "data"),
        Input(UNDO, "data"),
        Input("undo-confirm", "n_clicks"),
        State("undo-revision", "data"),
    )
    def undo(_requested: Any, _clicks: Any, revision: int) -> tuple[Any, ...]:
        if clicked() is None:
            return (no_update,) * 3
        if clicked() == UNDO:
            snapshot = desk.snapshot()
            revision = snapshot.revision
            ending = list(_ending(snapshot)) if snapshot.can_undo_reset else []
            if ending:
                return True, ending, revision
        try:
            # what happened since the question was not part of it
            done = desk.execute("undo_reset", None, if_match=revision, source="screen")
        except BalanceError as fault:
            show_toast(str(fault), "error")
        else:
            show_toast(done.message)
        return False, no_update, no_update


def _ending(snapshot: Snapshot) -> Iterator[html.Li]:
    """What an undo would end, in sentences."""
    for each in snapshot.positions:
        display = each["display"]
        position = f"{each['symbol']} {display['side_words']}, {display['quantity']}"
        yield html.Li(f"{position}, is closed.")
    orders = len(snapshot.open_orders)
    if orders:
        yield html.Li("1 order is cancelled." if orders == 1 else f"{orders} orders are cancelled.")
    if not is_fresh(snapshot):
        display = snapshot.display
        yield html.Li(
            f"Epoch {display['epoch']} ends, with a balance of {display['balance']} and a P&L of "
            f"{display['current_pnl']} now. It stays in the history."
        )


def _register_money(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("money-confirm", "children"),
        Output("money-words", "children"),
        Input("money-action", "value"),
    )
    def describe(action: MoneyAction) -> tuple[str, str]:
        return ACTIONS[action]

    @app.callback(
        Output("money-dialog", "is_open"),
        Output("money-error", "children"),
        Output("money-key", "data"),
        Input("money-confirm", "n_clicks"),
        Input("money-amount", "n_submit"),
        Input("money-note", "n_submit"),
        State("money-action", "value"),
        State("money-amount", "value"),
        State("money-note", "value"),
        State("money-key", "data"),
    )
    def change(*given: Any) -> tuple[Any, ...]:
        action, amount, note, key = given[-4:]
        return send(
            key,
            lambda: desk.execute(
                action,
                read_amount(amount),
                note=note or "",
                idempotency_key=request_key(key, action, amount, note),
                source="screen",
            ),
        )
