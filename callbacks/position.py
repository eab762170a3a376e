"""The dialog of a position: what its numbers would do, and its exits, its margin, its closing and
its reversal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from balance.core.errors import BalanceError, InvalidRequest, UnknownPosition
from balance.core.figures import plain
from balance.core.order import closing_side
from balance.core.position_preview import PositionPreview
from balance.core.rows import PositionRow
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from callbacks.amounts import is_empty, read_amount
from callbacks.clicks import clicked, is_click
from callbacks.dialogs import request_key, send
from callbacks.focus import move_focus
from callbacks.toasts import Completed, show_outcome
from layouts.position import (
    FIELDS,
    PARTS,
    exit_text,
    listed,
    position_facts,
    position_title,
)

#: The type of the order that each exit is.
_EXITS: Final = {"take-profit": "take_profit_market", "stop-loss": "stop_market"}


def register(app: Dash, desk: Desk) -> None:
    """Let the dialog of a position open on it, say what its numbers would do, and do it."""
    _register_opening(app, desk)
    _register_previews(app, desk)
    _register_changes(app, desk)
    _register_reversal(app, desk)


def _register_opening(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("position-dialog", "is_open"),
        Output("position-title", "children"),
        Output("position-facts", "children"),
        Output("position-take-profit", "value"),
        Output("position-stop-loss", "value"),
        Output("position-margin", "value"),
        Output("position-quantity", "value"),
        *(Output(f"position-{name}-about", "children") for name in FIELDS),
        Output("position-error", "children"),
        Input("position-edited", "data"),
    )
    def open_dialog(edited: Mapping[str, Any]) -> tuple[Any, ...]:
        position = _find(desk, edited["key"])
        title, facts = position_title(position), position_facts(position)
        exits = (exit_text(position, name) for name in _EXITS)
        move_focus("position-take-profit")
        return True, title, facts, *exits, "", "", *("" for _ in FIELDS), ""

    @app.callback(
        Output("position-title", "children", allow_duplicate=True),
        Output("position-error", "children", allow_duplicate=True),
        Input("position-changed", "data"),
        State("position-edited", "data"),
    )
    def follow(_: Any, edited: Mapping[str, Any]) -> tuple[Any, Any]:
        try:
            return position_title(_find(desk, edited["key"])), no_update
        except UnknownPosition as fault:
            return no_update, str(fault)


def _register_previews(app: Dash, desk: Desk) -> None:
    fields = [(f"position-{name}", "value") for name in FIELDS]
    app.clientside_callback(
        ClientsideFunction("desk", "rested"),
        Output("position-typed", "data"),
        *(Input(*field) for field in fields),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "nameClosing"),
        Output("position-close", "children"),
        Output("position-close", "disabled"),
        Input("position-quantity", "value"),
        State("position-edited", "data"),
    )

    @app.callback(
        *(Output(f"position-{name}-about", "children", allow_duplicate=True) for name in FIELDS),
        Input("position-typed", "data"),
        Input("position-changed", "data"),
        State("position-edited", "data"),
    )
    def preview(typed: list[str], _: Any, edited: Mapping[str, Any]) -> list[Any]:
        position = _find(desk, edited["key"])
        return [
            _preview(desk, position, name, text) for name, text in zip(FIELDS, typed, strict=True)
        ]

    @app.callback(Input("position-quantity", "n_submit"))
    def go_to_closing(entered: object) -> None:
        """Enter in the quantity only goes on to the button that says what it closes."""
        if is_click(entered):
            move_focus("position-close")

    @app.callback(
        Output("position-quantity", "value", allow_duplicate=True),
        Output("position-error", "children", allow_duplicate=True),
        *(Input(f"position-part-{each}", "n_clicks") for each in PARTS),
        State("position-edited", "data"),
    )
    def fill_part(*given: Any) -> tuple[Any, Any]:
        part = clicked()
        if part is None:
            return no_update, no_update
        try:
            # A part of the position as it is now, on the step of its symbol.
            order = _closing(_find(desk, given[-1]["key"]))
            found = desk.preview_order(**order, percent=int(part.rpartition("-")[2]))
        except BalanceError as refusal:
            return no_update, str(refusal)
        return plain(found.quantity), ""


def _register_changes(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("position-dialog", "is_open", allow_duplicate=True),
        Output("position-error", "children", allow_duplicate=True),
        Output("position-key", "data", allow_duplicate=True),
        Input("position-set", "n_clicks"),
        Input("position-take-profit", "n_submit"),
        Input("position-stop-loss", "n_submit"),
        Input("position-move-margin", "n_clicks"),
        Input("position-margin", "n_submit"),
        Input("position-close", "n_clicks"),
        State("position-edited", "data"),
        State("position-key", "data"),
        *(State(f"position-{name}", "value") for name in FIELDS),
    )
    def change(*given: Any) -> tuple[Any, ...]:
        trigger = clicked()
        if trigger is None:
            return (no_update,) * 3
        edited, key, *texts = given[-2 - len(FIELDS) :]
        typed = dict(zip(FIELDS, texts, strict=True))
        run = _ACTIONS.get(trigger, _set_exits)
        return send(key, lambda: run(desk, _find(desk, edited["key"]), key, typed))


def _register_reversal(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("reverse-dialog", "is_open"),
        Output("reverse-title", "children"),
        Output("reverse-message", "children"),
        Output("reverse-about", "children"),
        Output("reverse-confirm", "children"),
        Output("reverse-error", "children"),
        Output("position-error", "children", allow_duplicate=True),
        Input("position-reverse", "n_clicks"),
        State("position-edited", "data"),
    )
    def ask(_: int, edited: Mapping[str, Any]) -> tuple[Any, ...]:
        symbol = edited["key"]
        try:
            display = _find(desk, symbol)["display"]
            after = desk.preview_reversal(symbol)
        except BalanceError as refusal:
            return (*(no_update,) * 6, str(refusal))
        then = after.display
        move_focus("reverse-cancel")
        return (
            True,
            f"Reverse {symbol} to {after.side} {then['quantity']}, {then['leverage']}?",
            f"The {display['side'].lower()} of {display['quantity']} is closed at market, and as "
            "much is opened on the other side. Its take-profit and stop-loss go with it.",
            listed([f"Realised P&L {then['realized_pnl']}, fees {then['fee']}", _figures(after)]),
            f"Reverse to {after.side}",
            "",
            "",
        )

    @app.callback(
        Output("reverse-dialog", "is_open", allow_duplicate=True),
        Output("reverse-error", "children", allow_duplicate=True),
        Output("reverse-key", "data", allow_duplicate=True),
        Output("position-dialog", "is_open", allow_duplicate=True),
        Input("reverse-confirm", "n_clicks"),
        State("position-edited", "data"),
        State("reverse-key", "data"),
    )
    def reverse(_: int, edited: Mapping[str, Any], key: str) -> tuple[Any, ...]:
        symbol = edited["key"]
        is_open, *rest = send(
            key, lambda: desk.reverse_position(symbol, **_conditions(key, "reverse", symbol))
        )
        return is_open, *rest, is_open


def _find(desk: Desk, symbol: str) -> PositionRow:
    """The open position of ``symbol``.

    Raises:
        UnknownPosition: there is none.
    """
    for position in desk.snapshot().positions:
        if position["symbol"] == symbol:
            return position
    raise UnknownPosition("The position is closed.")


def _closing(position: PositionRow) -> dict[str, Any]:
    """What orders have that close ``position``."""
    side = closing_side(position["side"])
    return {"symbol": position["symbol"], "side": side, "reduce_only": True}


def _preview(desk: Desk, position: PositionRow, name: str, typed: object) -> Any:
    """What the number ``typed`` into the field ``name`` would do, or why it can't."""
    if is_empty(typed):
        return ""
    try:
        if name == "margin":
            return _figures(desk.preview_margin(position["symbol"], read_amount(typed)))
        size = (
            {"quantity": read_amount(typed, "quantity")}
            if name == "quantity"
            else {"type": _EXITS[name], "trigger_price": read_amount(typed)}
        )
        display = desk.preview_order(**_closing(position), **size).display
    except BalanceError as refusal:
        return html.Span(str(refusal), className="dialog-error")
    return f"P&L {display['realized_pnl']}, fee {display['fee']}"


def _figures(preview: PositionPreview) -> str:
    display = preview.display
    return (
        f"Margin {display['isolated_margin']}, liquidation price {display['liquidation_price']}, "
        f"available {display['available_after']}"
    )


class _Exits(NamedTuple):
    """What was done to the exits of a position."""

    message: str
    replayed: bool


def _set_exits(desk: Desk, position: PositionRow, key: str, typed: Mapping[str, str]) -> _Exits:
    """Set both exits as they are typed. What is wrong with one does not keep the other back.

    Raises:
        InvalidRequest: something is; it says what, of both.
    """
    outcomes, refusals = [], []
    for name in _EXITS:
        try:
            outcomes.append(_set_exit(desk, position, name, key, typed[name]))
        except BalanceError as refusal:
            refusals.append(str(refusal))
    done = [each for each in outcomes if each is not None]
    exits = _Exits(" ".join(each.message for each in done), any(each.replayed for each in done))
    if refusals:
        if done:
            show_outcome(exits)
        raise InvalidRequest(" ".join(refusals))
    return exits


def _set_exit(
    desk: Desk, position: PositionRow, name: str, key: str, typed: object
) -> Outcome | None:
    """Set one exit, or remove it where nothing is typed; None where it is so already."""
    symbol, reason = position["symbol"], name.replace("-", "_")
    found = (
        each
        for each in desk.snapshot().open_orders
        if (each["symbol"], each["reason"]) == (symbol, reason)
    )
    old = next(found, None)
    if is_empty(typed):
        if old is None:
            return None
        return desk.cancel_order(old["id"], **_conditions(key, "cancel", old["id"]))
    price = read_amount(typed)
    if old is not None and old["trigger_price"] == price:
        return None
    order = {**_closing(position), "type": _EXITS[name], "trigger_price": price}
    return desk.place_order(how=_conditions(key, order), **order)


def _move_margin(desk: Desk, position: PositionRow, key: str, typed: Mapping[str, str]) -> Outcome:
    symbol, amount = position["symbol"], read_amount(typed["margin"])
    return desk.move_margin(symbol, amount, **_conditions(key, "margin", symbol, amount))


def _close(desk: Desk, position: PositionRow, key: str, typed: Mapping[str, str]) -> Outcome:
    symbol, quantity = position["symbol"], read_amount(typed["quantity"], "quantity")
    return desk.close_position(symbol, quantity, **_conditions(key, "close", symbol, quantity))


#: What a control of the dialog does; all others set the exits.
_ACTIONS: Final[Mapping[str, Callable[[Desk, PositionRow, str, Mapping[str, str]], Completed]]] = {
    "position-move-margin": _move_margin,
    "position-margin": _move_margin,
    "position-close": _close,
}


def _conditions(key: str, *content: object) -> Conditions:
    """Those of a request with ``content``, sent with the ``key`` of its dialog."""
    return {"source": "screen", "idempotency_key": request_key(key, *content)}
