"""The order ticket: the page says what its fields ask for as one types; here it is previewed and
placed, after a question where it may be a slip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions
from callbacks.clicks import clicked
from callbacks.dialogs import request_key, send
from callbacks.focus import move_focus
from callbacks.guard import answer_page
from callbacks.ticket_order import is_doubtful, place, preview_ticket, read_order
from layouts.position import listed
from layouts.ticket import CHOICES, PREVIEWED_AT, SHARES, TYPED, slip_question

_FIELDS = (*CHOICES, *TYPED)


def register(app: Dash, desk: Desk) -> None:
    """Let the page follow the fields of the ticket, and place what they ask for."""
    app.clientside_callback(
        ClientsideFunction("desk", "describeTicket"),
        Output("futures-ticket-error", "children", allow_duplicate=True),
        *(Input(f"futures-{name}", "value") for name in _FIELDS),
        Input("address", "pathname"),
        State("futures-forms", "data"),
        prevent_initial_call="initial_duplicate",
    )
    app.clientside_callback(
        ClientsideFunction("desk", "fillShare"),
        Output("futures-unit", "value"),
        Output("futures-size", "value", allow_duplicate=True),
        *(Input(f"futures-share-{each}", "n_clicks") for each in SHARES),
    )

    # It follows the prices while something is in the ticket, which no callback of Dash does.
    answer_page(app, PREVIEWED_AT, lambda fields: preview_ticket(desk, fields))
    _register_placing(app, desk)
    _register_question(app, desk)


def _register_placing(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("futures-size", "value"),
        Output("futures-client-id", "value"),
        Output("futures-ticket-error", "children"),
        Output("futures-ticket-key", "data"),
        Output("slip-order", "data"),
        Input("futures-submit", "n_clicks"),
        *(Input(f"futures-{name}", "n_submit") for name in TYPED),
        *(State(f"futures-{name}", "value") for name in _FIELDS),
        State("futures-ticket-key", "data"),
    )
    def submit(*given: Any) -> tuple[Any, ...]:
        *typed, key = given[-1 - len(_FIELDS) :]
        if clicked() is None:
            return (no_update,) * 5
        fields = dict(zip(_FIELDS, typed, strict=True))
        try:
            order = read_order(fields)
            if is_doubtful(desk, order):
                return *(no_update,) * 2, "", no_update, {"fields": fields, "request": uuid4().hex}
        except BalanceError as refusal:
            return *(no_update,) * 2, str(refusal), *(no_update,) * 2
        return *_send(desk, order, key)[1:], no_update


def _register_question(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("slip-dialog", "is_open"),
        Output("slip-title", "children"),
        Output("slip-message", "children"),
        Output("slip-about", "children"),
        Output("slip-confirm", "children"),
        Output("slip-error", "children"),
        Input("slip-order", "data"),
    )
    def ask(doubtful: Mapping[str, Any]) -> tuple[Any, ...]:
        order = read_order(doubtful["fields"])
        title, message, about, answer = slip_question(order, desk.preview_order(**order))
        move_focus("slip-cancel")
        return True, title, message, listed([about]), answer, ""

    @app.callback(
        Output("slip-dialog", "is_open", allow_duplicate=True),
        Output("futures-size", "value", allow_duplicate=True),
        Output("futures-client-id", "value", allow_duplicate=True),
        Output("slip-error", "children", allow_duplicate=True),
        Output("slip-key", "data", allow_duplicate=True),
        Input("slip-confirm", "n_clicks"),
        State("slip-order", "data"),
        State("slip-key", "data"),
    )
    def confirm(_: int, doubtful: Mapping[str, Any], key: str) -> tuple[Any, ...]:
        return _send(desk, read_order(doubtful["fields"]), key)


def _send(desk: Desk, order: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """Place ``order``: whether a question about it is open then, the size and the client id in the
    ticket, what went wrong, and the next key. What is placed leaves the ticket; a name is that of
    one open order."""
    how = Conditions(source="screen", idempotency_key=request_key(key, order))
    is_open, *rest = send(key, lambda: place(desk, order, how))
    emptied = ("", "") if is_open is False else (no_update, no_update)
    return is_open, *emptied, *rest
