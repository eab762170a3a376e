"""The order that the fields of the ticket describe, and what it would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from balance.core.errors import BalanceError, InvalidRequest
from balance.core.figures import NONE
from balance.core.oco import OcoPreview
from balance.core.orders import Preview
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from callbacks.amounts import AmountKind, is_empty, read_amount
from layouts.ticket import FORMS, NUMBERS, OCO, PREVIEW, shortage

#: A limit that is so far through the market, in percent, may be a slip.
_SLIP_PERCENT: Final = 5
_SIZES: Final[Mapping[str, AmountKind]] = {
    "notional": "money",
    "quantity": "quantity",
    "percent": "plain",
}
_EXITS: Final = ("take-profit", "stop-loss")


class MissingNumber(InvalidRequest):
    """A number that the order needs is not typed yet."""


def read_order(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the order that the ``fields`` of the ticket describe, by the names of the
    fields; of an OCO, its two ``orders``.

    Raises:
        MissingNumber: a number is missing.
        InvalidAmount: what is typed is no number.
    """
    options = fields["options"]
    order = {name: fields[name] for name in ("symbol", "side", "type", "leverage")}
    for member, typed, kind, label in _numbers(fields):
        if not is_empty(typed):
            order[member] = read_amount(typed, kind)
        elif label:
            raise MissingNumber(f"Enter a {label}.")
    if FORMS[fields["type"]].is_timed:
        order["time_in_force"] = fields["force"]
    if "reduce_only" in options:
        order["reduce_only"] = True
    if fields["type"] == OCO:
        return {"orders": _both(**order)}
    if "named" in options and not is_empty(fields["client-id"]):
        order["client_id"] = fields["client-id"].strip()
    return order


def _numbers(fields: Mapping[str, Any]) -> Iterator[tuple[str, object, AmountKind, str]]:
    """The numbers of the order: the member that each is, what is typed, how that is read, and what
    it is called where it can't be missing."""
    unit = fields["unit"]
    yield unit, fields["size"], _SIZES[unit], "size"
    for number, name in zip(FORMS[fields["type"]].numbers, NUMBERS, strict=False):
        label = "" if number.is_optional else number.label.lower()
        yield number.name, fields[name], number.format, label
    for name in _EXITS if "bracket" in fields["options"] else ():
        yield name.replace("-", "_"), fields[name], "money", ""


def _both(price: Any, trigger_price: Any, stop_limit: Any = None, **shared: Any) -> list[Row]:
    """Both orders of an OCO, from the members of its form."""
    stop = {**shared, "type": "stop_market", "trigger_price": trigger_price}
    if stop_limit is not None:
        stop |= {"type": "stop_limit", "price": stop_limit}
    return [{**shared, "type": "limit", "price": price}, stop]


def place(desk: Desk, order: Mapping[str, Any], how: Conditions) -> Outcome:
    """Place the ``order``, or both."""
    if "orders" in order:
        return desk.place_oco(order["orders"], how=how)
    return desk.place_order(how=how, **order)


def is_doubtful(desk: Desk, order: Mapping[str, Any]) -> bool:
    """Whether the limit of the ``order`` is so far through the market that it may be a slip."""
    return "price" in order and (desk.preview_order(**order).beyond_percent or 0) > _SLIP_PERCENT


def preview_ticket(desk: Desk, fields: Mapping[str, Any]) -> Row:
    """What the ticket shows of the order in its ``fields``: the texts of its preview, whether it
    can be paid, and a note of some kind."""
    texts, note, kind, affordable = {}, "", "", True
    try:
        order = read_order(fields)
        found = (
            desk.preview_oco(order["orders"]) if "orders" in order else desk.preview_order(**order)
        )
        texts, affordable = _texts(found), found.affordable
        note, kind = _note(found)
    except MissingNumber:
        pass  # What is not typed yet is no fault.
    except BalanceError as refusal:
        note, kind = str(refusal), "error"
    display = {field: texts.get(field, NONE) for _, field in PREVIEW}
    return {"display": display, "affordable": affordable, "note": note, "kind": kind}


def _texts(found: Preview | OcoPreview) -> Mapping[str, str]:
    """Of an OCO, the figures of its limit, and what both need."""
    limit = found.orders[0].display if isinstance(found, OcoPreview) else {}
    return {**limit, **found.display}


def _note(found: Preview | OcoPreview) -> tuple[str, str]:
    if not found.affordable:
        return shortage(found.display), "error"
    if isinstance(found, OcoPreview) and not found.warning:
        limit, stop = map(_outcome, found.orders)
        return f"Limit: {limit}. Stop: {stop}.", ""
    return found.warning, "warning"


def _outcome(found: Preview) -> str:
    """What one of the two orders of an OCO would bring."""
    display = found.display
    pnl = "" if display["realized_pnl"] == NONE else f"P&L {display['realized_pnl']}, "
    return f"at {display['price']}, {pnl}fee {display['fee']}"
