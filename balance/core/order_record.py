"""What became of each order, from the entries of the ledger alone.

A record begins with the entry that places its order and ends with the one that fills or ends it.
What an older version left out is what its entries tell: of an order that filled as it arrived, the
fill; of one that ended with its position, the position.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from balance.core.entry import Entry, Place
from balance.core.order import Order, closing_side
from balance.core.trade import LIQUIDATED, POSITION_CLOSED, REPLACED, Effect, Fill, OrderEnd
from balance.core.wallet import OPENINGS

#: What became of an order: it is open, it filled, it was cancelled on request or for another one,
#: the desk ended it, or the market refused it as it arrived.
OrderState = Literal["NEW", "FILLED", "CANCELED", "EXPIRED", "REJECTED"]

#: The state of an order that ended without a fill.
END_STATES: Final[Mapping[OrderEnd, OrderState]] = MappingProxyType(
    {"canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED"}
)
#: Why orders are not in an account that an entry of a kind states anew.
NOT_STATED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "reset": "the account was reset",
        "undo": "a reset was undone",
        "external_edit": "the account's file was edited",
        "repair": "the account was repaired",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order from its placing to its end."""

    id: str
    state: OrderState
    # The entry that placed it: where it stands, and its time, epoch and source.
    placed: Place
    time: datetime
    epoch: int
    source: str
    # As it was placed, and as it was stated last, both without the best price that it followed;
    # None: only its fill is known.
    asked: Order | None = None
    order: Order | None = None
    # None: it has not filled.
    fill: Fill | None = None
    # The last entry that stated it otherwise, and the one that ended it; None: there is none.
    changed: Place | None = None
    ended: Place | None = None
    ended_at: datetime | None = None
    # Why it ended without a fill; empty where it did not, or where that was requested.
    why: str = ""


def order_records(entries: Iterable[Entry]) -> dict[str, OrderRecord]:
    """The records of all orders after ``entries``, oldest first, by id; of several orders with one
    id, as an edit may bring them, the last."""
    records: dict[str, OrderRecord] = {}
    for entry in entries:
        for record in changed_records(records, entry):
            records[record.id] = record
    return records


def changed_records(records: Mapping[str, OrderRecord], entry: Entry) -> tuple[OrderRecord, ...]:
    """The records that ``entry`` begins, changes or ends, as they are after it; ``records`` are
    those before it, by id."""
    booking, changed = entry.booking, list[OrderRecord]()
    if booking.restated is not None or booking.kind in OPENINGS:
        changed += _restated(records, entry)
    if booking.effect is not None:
        changed += _affected(records, entry, booking.effect)
    return tuple(changed)


def _restated(records: Mapping[str, OrderRecord], entry: Entry) -> Iterator[OrderRecord]:
    """The records of an account that is stated anew."""
    booking = entry.booking
    orders = () if booking.restated is None else booking.restated.orders
    stated = {each.id for each in orders}
    for record in records.values():
        if record.state == "NEW" and record.id not in stated:
            yield _ended(record, entry, "EXPIRED", NOT_STATED.get(booking.kind, ""))
    # An undo brings back what the reset had ended.
    same = ("NEW", "EXPIRED") if booking.kind == "undo" else ("NEW",)
    for order in orders:
        known = records.get(order.id)
        yield _stated(known if known and known.state in same else None, entry, order)


def _affected(
    records: Mapping[str, OrderRecord], entry: Entry, effect: Effect
) -> Iterator[OrderRecord]:
    """The records of the orders in ``effect``. One that it says was open, and that has no record,
    was placed by an entry that is lost."""
    fill, opened = entry.booking.fill, {each.id for each in effect.opened}
    filled = None if fill is None else fill.order_id
    for order in effect.opened:
        record = _open(records, order.id)
        if record is not None or order.id not in effect.closed:
            yield _stated(record, entry, order)
    if fill is not None:
        record = _open(records, fill.order_id)
        if record is None and fill.order_id not in effect.closed:
            record = _begun(entry, fill.order_id, effect.arrived)
        if record is not None:
            yield replace(_ended(record, entry, "FILLED", ""), fill=fill)
    for name in effect.closed:
        record = _open(records, name)
        if record is not None and name != filled and name not in opened:
            yield _ended(record, entry, *_end(entry.booking.kind, effect, record))


def _open(records: Mapping[str, OrderRecord], name: str) -> OrderRecord | None:
    """The record of the open order ``name``."""
    record = records.get(name)
    return record if record is not None and record.state == "NEW" else None


def _begun(entry: Entry, name: str, order: Order | None) -> OrderRecord:
    return OrderRecord(
        id=name,
        state="NEW",
        placed=entry.place,
        time=entry.time,
        epoch=entry.booking.epoch,
        source=entry.source,
        asked=order and order.unmarked(),
        order=order and order.unmarked(),
    )


def _stated(record: OrderRecord | None, entry: Entry, order: Order) -> OrderRecord:
    """The record, None: a new one, of an order that ``entry`` states as open."""
    if record is None:
        return _begun(entry, order.id, order)
    order = order.unmarked()
    changed = record.changed if record.order == order else entry.place
    return replace(
        record, state="NEW", order=order, changed=changed, ended=None, ended_at=None, why=""
    )


def _ended(record: OrderRecord, entry: Entry, state: OrderState, why: str) -> OrderRecord:
    return replace(record, state=state, ended=entry.place, ended_at=entry.time, why=why)


def _end(kind: str, effect: Effect, record: OrderRecord) -> tuple[OrderState, str]:
    """How an order ended without a fill in an entry of ``kind``, and why."""
    if effect.why or kind == "cancel":
        return END_STATES[effect.ended], effect.why
    # An entry of an older version, which does not say it.
    if kind == "liquidation":
        return "EXPIRED", LIQUIDATED
    position, order = effect.position, record.order
    has_closed = position is None or (
        order is not None and order.side != closing_side(position.side)
    )
    return ("EXPIRED", POSITION_CLOSED) if kind == "fill" and has_closed else ("CANCELED", REPLACED)
