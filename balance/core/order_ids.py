"""The ids of orders: decimal digits that rise from commit to commit.

An operation calls its new orders by names of its own, which need only differ from each other and
from the ids of open orders; the commit numbers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking
from balance.core.order import Order

#: How far the ids of two revisions are apart: more than a commit has new orders. The ids of nine
#: billion revisions are exact as floating-point numbers too.
REVISION_STEP: Final = 1_000_000


def numbered(change: Change, before: Account, revision: int) -> Change:
    """``change``, which leads from ``before`` to ``revision``, with ids for its new orders.

    That of an order is ``revision`` x 1,000,000 + its place, from 1, among those that ``before``
    has not open, as they occur in the entries. Orders of an account that is stated anew keep their
    ids. A number that an open order has, as its id by an edit or as its client id, is left out.
    """
    known = {each.id for each in before.orders}
    free, ids = _free_ids(change, known, revision), dict[str, str]()
    for name in _names(change):
        if name not in known and name not in ids:
            ids[name] = next(free)
    if not ids:
        return change
    orders = _renamed(change.account.orders, ids)
    bookings = tuple(_renamed_booking(each, ids) for each in change.bookings)
    return Change(replace(change.account, orders=orders), bookings)


def _free_ids(change: Change, known: set[str], revision: int) -> Iterator[str]:
    """The ids for new orders, the lowest first."""
    taken = known | {name for each in change.account.orders for name in (each.id, each.client_id)}
    return (
        number
        for place in count(1)
        if (number := str(revision * REVISION_STEP + place)) not in taken
    )


def _names(change: Change) -> Iterator[str]:
    """What the entries call the orders that they fill or open."""
    for booking in change.bookings:
        if booking.fill is not None:
            yield booking.fill.order_id
        if booking.effect is not None:
            yield from (each.id for each in booking.effect.opened)


def _renamed(orders: tuple[Order, ...], ids: dict[str, str]) -> tuple[Order, ...]:
    return tuple(
        replace(each, id=ids.get(each.id, each.id), group=ids.get(each.group, each.group))
        if each.id in ids or each.group in ids
        else each
        for each in orders
    )


def _renamed_booking(booking: Booking, ids: dict[str, str]) -> Booking:
    fill, effect = booking.fill, booking.effect
    if fill is not None:
        fill = replace(fill, order_id=ids.get(fill.order_id, fill.order_id))
    if effect is not None:
        arrived = None if effect.arrived is None else _renamed((effect.arrived,), ids)[0]
        effect = replace(
            effect,
            arrived=arrived,
            opened=_renamed(effect.opened, ids),
            closed=tuple(ids.get(each, each) for each in effect.closed),
        )
    return replace(booking, fill=fill, effect=effect)
