"""The dialog of an open order: what it would do with other numbers, and that it gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from balance.core.errors import BalanceError, InvalidRequest, UnknownOrder
from balance.core.orders import Preview
from balance.core.rows import OrderRow
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions
from callbacks.amounts import is_empty, read_amount
from callbacks.clicks import clicked
from callbacks.dialogs import request_key, send
from callbacks.focus import move_focus
from layouts.amend import FIELDS, amend_title, amendable, shown
from layouts.ticket import shortage

_ENDED = "The order has ended. History says how, among its orders."


def register(app: Dash, desk: Desk) -> None:
    """Let the dialog of an open order open on it, say what its numbers would do, and set them."""
    _register_opening(app, desk)
    _register_changes(app, desk)


def _register_opening(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("order-dialog", "is_open"),
        Output("order-title", "children"),
        Output("order-opened", "data"),
        *(Output(f"{field}-field", "hidden") for field in FIELDS),
        *(Output(f"{field}-label", "children") for field in FIELDS),
        *(Output(field, "value") for field in FIELDS),
        Output("order-about", "children"),
        Output("order-error", "children"),
        Input("order-edited", "data"),
    )
    def open_dialog(edited: Mapping[str, Any]) -> tuple[Any, ...]:
        order = _find(desk, edited["key"])
        numbers = amendable(order)
        values = [shown(order, each) for each in numbers]
        move_focus("order-price")
        return (
            *(True, amend_title(order), values),
            *(each is None for each in numbers),
            *("" if each is None else each.label for each in numbers),
            *values,
            *("", ""),
        )

    @app.callback(
        Output("order-error", "children", allow_duplicate=True),
        Input("order-changed", "data"),
        State("order-edited", "data"),
    )
    def follow(_: Any, edited: Mapping[str, Any]) -> Any:
        try:
            _find(desk, edited["key"])
        except UnknownOrder as fault:
            return str(fault)
        return no_update


def _register_changes(app: Dash, desk: Desk) -> None:
    app.clientside_callback(
        ClientsideFunction("desk", "rested"),
        Output("order-typed", "data"),
        *(Input(field, "value") for field in FIELDS),
    )

    @app.callback(
        Output("order-about", "children", allow_duplicate=True),
        Input("order-typed", "data"),
        State("order-edited", "data"),
        State("order-opened", "data"),
    )
    def preview(typed: list[str], edited: Mapping[str, Any], opened: list[str]) -> Any:
        try:
            order = _find(desk, edited["key"])
            changes = _changes(order, typed, opened)
            found = desk.preview_amendment(order["id"], **changes) if changes else None
        except BalanceError as refusal:
            return html.Span(str(refusal), className="dialog-error")
        return "" if found is None else _text(found)

    @app.callback(
        Output("order-dialog", "is_open", allow_duplicate=True),
        Output("order-error", "children", allow_duplicate=True),
        Output("order-key", "data", allow_duplicate=True),
        Input("order-set", "n_clicks"),
        *(Input(field, "n_submit") for field in FIELDS),
        State("order-edited", "data"),
        State("order-opened", "data"),
        State("order-key", "data"),
        *(State(field, "value") for field in FIELDS),
    )
    def amend(*given: Any) -> tuple[Any, ...]:
        if clicked() is None:
            return (no_update,) * 3
        edited, opened, key, *typed = given[-3 - len(FIELDS) :]
        order_id = edited["key"]
        try:
            changes = _changes(_find(desk, order_id), typed, opened)
        except BalanceError as refusal:
            return no_update, str(refusal), no_update
        if not changes:
            return False, "", no_update
        how = Conditions(source="screen", idempotency_key=request_key(key, order_id, changes))
        return send(key, lambda: desk.amend_order(order_id, how=how, **changes))


def _find(desk: Desk, order_id: str) -> OrderRow:
    """The open order with that id.

    Raises:
        UnknownOrder: it is not open.
    """
    for order in desk.snapshot().open_orders:
        if order["id"] == order_id:
            return order
    raise UnknownOrder(_ENDED)


def _changes(order: OrderRow, typed: Sequence[str], opened: Sequence[str]) -> dict[str, Any]:
    """The numbers that are ``typed`` as others than they were as the dialog ``opened``.

    Raises:
        InvalidRequest: a field is empty that was not.
        InvalidAmount: what is typed is no number.
    """
    changes = {}
    for number, text, before in zip(amendable(order), typed, opened, strict=True):
        if number is None or text == before:
            continue
        if is_empty(text):
            raise InvalidRequest("Write a number in every field, or cancel the order in its row.")
        changes[number.name] = read_amount(text, number.format)
    return changes


def _text(preview: Preview) -> html.Span | str:
    """What an order would do, or what keeps it from that."""
    display = preview.display
    if not preview.affordable:
        return html.Span(shortage(display), className="dialog-error")
    return (
        f"Margin {display['margin']}, fee {display['fee']}, liquidation price "
        f"{display['liquidation_price']}. {preview.warning}"
    )
