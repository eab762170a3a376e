"""The order ticket: what its fields ask for is previewed and placed by the page, which asks here
about an order that may be a slip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from balance.desk.desk import Desk
from balance.desk.transactions import Conditions
from callbacks.dialogs import request_key, send
from callbacks.focus import move_focus
from layouts.position import listed
from layouts.ticket import SHARES, slip_question

#: The fields of the ticket, as their ids end; Enter in some of them places the order.
_CHOICES = ("symbol", "side", "type", "force", "unit", "leverage", "options")
_TYPED = (
    *("size", "price", "second-price", "third-price", "take-profit", "stop-loss", "client-id"),
)


def register(app: Dash, desk: Desk) -> None:
    """Let the page follow the fields of the ticket, and ask about an order that may be a slip."""
    app.clientside_callback(
        ClientsideFunction("desk", "describeTicket"),
        Output("futures-ticket-note", "data-described"),
        *(Input(f"futures-{name}", "value") for name in (*_CHOICES, *_TYPED)),
        prevent_initial_call=False,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "submitTicket"),
        Output("futures-size", "value"),
        Input("futures-submit", "n_clicks"),
        *(Input(f"futures-{name}", "n_submit") for name in _TYPED),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "fillShare"),
        Output("futures-unit", "value"),
        Output("futures-size", "value", allow_duplicate=True),
        *(Input(f"futures-share-{each}", "n_clicks") for each in SHARES),
    )
    _register_question(app, desk)


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
        order = _read(doubtful)
        title, message, about, answer = slip_question(order, desk.preview_order(**order))
        move_focus("slip-cancel")
        return True, title, message, listed([about]), answer, ""

    @app.callback(
        Output("slip-dialog", "is_open", allow_duplicate=True),
        Output("slip-error", "children", allow_duplicate=True),
        Output("slip-key", "data", allow_duplicate=True),
        Output("futures-size", "value", allow_duplicate=True),
        Output("futures-client-id", "value"),
        Input("slip-confirm", "n_clicks"),
        State("slip-order", "data"),
        State("slip-key", "data"),
    )
    def place(_: int, doubtful: Mapping[str, Any], key: str) -> tuple[Any, ...]:
        order = _read(doubtful)
        how = Conditions(source="screen", idempotency_key=request_key(key, order))
        is_open, *rest = send(key, lambda: desk.place_order(how=how, **order))
        # What is placed leaves the ticket; a name is that of one open order.
        return is_open, *rest, *(("", "") if is_open is False else (no_update, no_update))


def _read(doubtful: Mapping[str, Any]) -> dict[str, Any]:
    """The order that the page asks about, with its numbers exactly as they were typed."""
    order: dict[str, Any] = json.loads(doubtful["body"], parse_float=Decimal, parse_int=Decimal)
    return order
