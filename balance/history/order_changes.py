"""What entries of the ledger do to orders, as ``balance.core.order_record`` has it, but read from
their documents: to decode them would take most of the time of filling the index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from balance.core.order import OrderSide, closing_side
from balance.core.order_record import END_STATES, NOT_STATED, OrderState
from balance.core.trade import LIQUIDATED, POSITION_CLOSED, REPLACED
from balance.core.wallet import OPENINGS

Document = Mapping[str, Any]


class OrderChange(NamedTuple):
    """What an entry does to one order."""

    # Its id.
    name: str
    # What it is from here on.
    state: OrderState
    # The document of the order where the entry states it, and that of its fill.
    order: Document | None = None
    fill: Document | None = None
    # Why it ended without a fill; empty where somebody cancelled it.
    why: str = ""
    # Whether the entry says that it was open before.
    was_open: bool = False
    # Whether its fill is all that is known of it.
    is_all: bool = False


def order_changes(document: Document, sides: Mapping[str, OrderSide]) -> list[OrderChange]:
    """What the entry in ``document`` does to orders, of which those in ``sides`` are open before
    it."""
    kind, effect = document["kind"], document.get("effect")
    is_restated = kind in OPENINGS or document.get("wallet") is not None
    changes = list(_restated(document, sides)) if is_restated else []
    if effect is None:
        return changes
    opened, closed, fill = effect["opened"], effect["closed"], document.get("fill")
    if "arrived" in effect:
        opened = [effect["arrived"], *opened]
    gone = dict.fromkeys(closed)
    for order in opened:
        name = order["id"]
        was_open = name in gone
        gone.pop(name, None)
        changes.append(OrderChange(name, "NEW", order, None, "", was_open))
    if fill is not None:
        name = fill["order_id"]
        was_open = name in gone
        gone.pop(name, None)
        is_all = not was_open and name not in sides and "arrived" not in effect
        changes.append(OrderChange(name, "FILLED", None, fill, "", was_open, is_all))
    for name in gone:
        state, why = _end(kind, effect, sides.get(name))
        changes.append(OrderChange(name, state, None, None, why, True))
    return changes


def _restated(document: Document, sides: Mapping[str, OrderSide]) -> Iterator[OrderChange]:
    """The orders of an account that is stated anew."""
    orders = {each["id"]: each for each in document.get("orders", ())}
    why = NOT_STATED.get(document["kind"], "")
    for name in sides:
        if name not in orders:
            yield OrderChange(name, "EXPIRED", why=why)
    for name, order in orders.items():
        yield OrderChange(name, "NEW", order)


def _end(kind: str, effect: Document, side: OrderSide | None) -> tuple[OrderState, str]:
    """How an order of ``side`` ended without a fill in an entry of ``kind``, and why."""
    why = effect.get("why", "")
    if why or kind == "cancel":
        return END_STATES[effect.get("ended", "canceled")], why
    # An entry of an older version, which does not say it.
    if kind == "liquidation":
        return "EXPIRED", LIQUIDATED
    position = effect["position"]
    has_closed = position is None or closing_side(position["side"]) != side
    return ("EXPIRED", POSITION_CLOSED) if kind == "fill" and has_closed else ("CANCELED", REPLACED)
