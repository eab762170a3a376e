"""The table of orders in the index: a row for each order, which changes until that has ended.

A row leads to the entries that make the record of its order: the one that placed it, the last one
that stated it, and the one that ended it. What is shown is read from those.

Where a line of the ledger is damaged, an order that was open before it may have changed or ended
there. Its row names that line until a later entry states the order as open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any, Final, NamedTuple

from balance.core.order import ORDER_KINDS, Order, OrderSide
from balance.history.columns import milliseconds
from balance.history.database import Damaged, decoding, natural
from balance.history.lists import COLUMNS, SUBJECTS
from balance.history.order_changes import Document, OrderChange, order_changes
from balance.history.proof import checksum
from balance.history.question import PERSON
from balance.store.codec import FAULTS, Unreadable, reason

#: The rows of the orders that line ``n`` placed have numbers from ``n * SPAN`` on. No line is long
#: enough to place more.
SPAN: Final = 1 << 20

#: Whether an order waits for a trigger: it never did, it does, or it was set off.
UNCONDITIONAL, WAITING, SET_OFF = range(3)

# Beside the columns of the list: the order's id, the lines that stated it last and that ended it
# (0: none has), the damaged line that may concern it (0: none), what kind of entry ended it, and
# whether it waits for a trigger.
_WAY: Final = ("id INTEGER PRIMARY KEY", "name TEXT", "stated INTEGER", "ended INTEGER")
_OWN: Final = (*_WAY, "damaged INTEGER", "ended_by TEXT", "conditional INTEGER")
_COLUMNS: Final = (*SUBJECTS["orders"], *COLUMNS["orders"])
#: The table; ``checksum`` is that of all other columns.
ORDER_TABLE: Final = (
    f"orders ({', '.join((*_OWN, *(each.sql for each in _COLUMNS)))}, checksum INTEGER)"
)
#: SQL indexes that are needed while it is filled, or have few rows.
ORDER_INDEXES: Final = (
    "CREATE INDEX orders_open ON orders (id) WHERE state = 'NEW'",
    "CREATE INDEX orders_reset ON orders (name) WHERE ended_by = 'reset'",
    "CREATE INDEX orders_client ON orders (client_id) WHERE client_id > ''",
    "CREATE INDEX orders_damaged ON orders (id) WHERE damaged > 0",
)

# The place of each column in a row.
_AT: Final = {
    name: place
    for place, name in enumerate(
        (*(each.split()[0] for each in _OWN), *(each.name for each in _COLUMNS))
    )
}
_ID, _NAME, _STATED, _ENDED, _DAMAGED, _ENDED_BY, _CONDITIONAL = range(len(_OWN))
_TIME, _EPOCH, _SOURCE, _SYMBOL, _OWNER = (
    _AT[name] for name in ("time", "epoch", "source", "symbol", "owner")
)
_SIDE, _TYPE, _STATE, _QUANTITY, _ENDED_AT, _WHY, _CLIENT = (
    _AT[name] for name in ("side", "type", "state", "quantity", "ended_at", "why", "client_id")
)
_INSERT: Final = f"INSERT OR REPLACE INTO orders VALUES ({', '.join('?' * (len(_AT) + 1))})"  # noqa: S608 - only marks

Row = list[Any]
_Stored = Callable[[Any], Any] | None
_DEFAULTS: Final = {
    each.name: each.default for each in fields(Order) if each.default is not MISSING
}
# The columns that stand in the document of an order: the place of each, its name there, what it is
# where it is missing, and its stored form.
_OF_ORDER: Final[Sequence[tuple[int, str, Any, _Stored]]] = [
    (_AT[each.name], each.name, _DEFAULTS.get(each.name), each.store)
    for each in COLUMNS["orders"]
    if each.name in Order.__dataclass_fields__
]
_IN_FILL: Final = {
    "filled_quantity": "quantity",
    "average_price": "price",
    **{name: name for name in ("fee", "realized_pnl", "liquidity")},
}
# Those that stand in the document of a fill.
_OF_FILL: Final[Sequence[tuple[int, str, _Stored]]] = [
    (_AT[each.name], _IN_FILL[each.name], each.store)
    for each in COLUMNS["orders"]
    if each.name in _IN_FILL
]
# What they are, and the end, of an order that is open.
_OPEN: Final[Sequence[tuple[int, Any]]] = [
    *((place, None if store is None else store(None)) for place, _, store in _OF_FILL),
    *((_AT["filled_quantity"], 0.0), (_STATE, "NEW"), (_WHY, "")),
    *((_ENDED, 0), (_ENDED_AT, None), (_ENDED_BY, "")),
]


def _blank() -> Row:
    row: Row = [None] * len(_AT)
    row[_STATED] = row[_DAMAGED] = 0
    row[_CONDITIONAL] = UNCONDITIONAL
    row[_CLIENT] = row[_AT["because"]] = ""
    for place, value in _OPEN:
        row[place] = value
    return row


_BLANK: Final = _blank()


class OrderHit(NamedTuple):
    """An order that was searched for."""

    id: int
    name: str
    # The numbers of the lines that make its record, oldest first.
    lines: Sequence[int]
    # The damaged line that may concern it; 0: none.
    damaged: int

    @property
    def placed(self) -> int:
        """The number of the line that placed it."""
        return self.id // SPAN


class OrderRows:
    """The rows of the orders that are open and, until they are written, of those that have
    changed; within a transaction."""

    def __init__(self, connection: sqlite3.Connection, damaged: int) -> None:
        """``damaged`` is the number of the newest damaged line; 0: there is none."""
        self._connection = connection
        self._damaged = damaged
        # By the order's id.
        self._open: dict[str, Row] = {}
        self._sides: dict[str, OrderSide] = {}
        # By the number of the row: what is to be written, and the checksums of those that were
        # there before.
        self._changed: dict[int, Row] = {}
        self._before: dict[int, int] = {}
        for row in self._read("state = 'NEW'"):
            self._hold(row)

    def take(self, number: int, document: Document) -> None:
        """Take over what line ``number``, the entry in ``document``, does to orders.

        Raises:
            Unreadable: it is no entry; nothing of it is taken over.
        """
        try:
            changes = order_changes(document, self._sides)
            if not changes:
                return
            rows = self._after(number, document, changes)
        except FAULTS as fault:
            text = f"line {number} does not hold a valid entry: {reason(fault)}"
            raise Unreadable(text) from fault
        for row in rows:
            self._changed[row[_ID]] = row
            if row[_STATE] == "NEW":
                self._hold(row)
            else:
                self._open.pop(row[_NAME], None)
                self._sides.pop(row[_NAME], None)

    def damage(self, number: int) -> None:
        """Note that the line with ``number``, which is damaged, may concern all that are open."""
        self._damaged = number
        for row in self._open.values():
            if not row[_DAMAGED]:
                row[_DAMAGED] = number
                self._changed[row[_ID]] = row

    def write(self) -> tuple[int, int]:
        """Write what has changed; returns what that adds to the sum of the index, and how many rows
        were there before."""
        rows = [(*row, checksum(tuple(row))) for row in self._changed.values()]
        if rows:
            self._connection.executemany(_INSERT, rows)
        before = [self._before[each] for each in self._changed if each in self._before]
        return sum(row[-1] for row in rows) - sum(before), len(before)

    def _after(
        self, number: int, document: Document, changes: Sequence[OrderChange]
    ) -> Sequence[Row]:
        """The rows of the orders that line ``number`` changes, after it."""
        time, found = milliseconds(document["time"]), dict[str, Row]()
        for change in changes:
            name = change.name
            before = found.get(name) or self._open.get(name)
            if before is None and document["kind"] == "undo":
                before = self._ended_by_reset(name)
            if before is not None:
                row = before.copy()
            elif change.was_open:
                continue  # It was placed in a damaged line.
            else:
                row = _BLANK.copy()
                row[_ID], row[_NAME] = number * SPAN + len(found), name
                row[_TIME], row[_EPOCH], row[_SOURCE] = time, document["epoch"], document["source"]
                # What is stated anew may have been placed in a damaged line, too.
                row[_DAMAGED] = self._damaged if document.get("wallet") is not None else 0
            if change.order is not None:
                _state(row, change.order)
                row[_STATED] = number
                if before is not None:
                    row[_DAMAGED] = 0
            else:
                if change.fill is not None:
                    _fill(row, change.fill, change.is_all)
                row[_STATE], row[_WHY] = change.state, change.why.casefold()
                row[_ENDED], row[_ENDED_AT], row[_ENDED_BY] = number, time, _ender(document)
            found[name] = row
        return list(found.values())

    def _hold(self, row: Row) -> None:
        self._open[row[_NAME]] = row
        self._sides[row[_NAME]] = row[_SIDE]

    def _ended_by_reset(self, name: str) -> Row | None:
        """The row of the order ``name`` that a reset has ended, which is undone."""
        for row in reversed(self._changed.values()):
            if row[_NAME] == name and row[_ENDED_BY] == "reset":
                return row
        return next(self._read("ended_by = 'reset' AND name = ? ORDER BY id DESC", name), None)

    def _read(self, where: str, *values: Any) -> Iterator[Row]:
        for *row, stated in self._connection.execute(f"SELECT * FROM orders WHERE {where}", values):  # noqa: S608
            self._before[row[_ID]] = stated
            yield row


def _state(row: Row, order: Document) -> None:
    """Let ``row`` be that of an open order, as the document ``order`` states it."""
    for place, value in _OPEN:
        row[place] = value
    for place, name, default, store in _OF_ORDER:
        value = order.get(name, default)
        row[place] = value if store is None else store(value)
    row[_SYMBOL], row[_OWNER] = order["symbol"], order.get("owner") or PERSON
    if ORDER_KINDS[order["type"]].waits:
        row[_CONDITIONAL] = WAITING
    elif row[_CONDITIONAL]:
        row[_CONDITIONAL] = SET_OFF


def _fill(row: Row, fill: Document, is_all: bool) -> None:
    """Put what the document ``fill`` tells into ``row``, which has nothing else if it ``is_all``
    that is known."""
    for place, name, store in _OF_FILL:
        row[place] = fill[name] if store is None else store(fill[name])
    if is_all:
        row[_SYMBOL], row[_OWNER] = fill["symbol"], fill.get("owner") or PERSON
        row[_SIDE], row[_TYPE] = fill["side"], fill["type"]
        row[_QUANTITY], row[_CLIENT] = row[_AT["filled_quantity"]], fill.get("client_id", "")
    if ORDER_KINDS[fill["type"]].waits:
        row[_CONDITIONAL] = SET_OFF


def _ender(document: Document) -> str:
    """What ended orders in the entry of ``document``: a reset, also where it first closes what is
    open, or the kind of the entry."""
    fill = document.get("fill")
    if fill is not None and fill["reason"] == "reset":
        return "reset"
    kind: str = document["kind"]
    return kind


def rows_of_order(connection: sqlite3.Connection, name: str) -> list[int]:
    """The number of the row of the order with the id ``name``, else of the newest one with that
    client id; none where there is none."""
    for column in ("name", "client_id"):
        then = f"{column} = ? AND {column} > '' ORDER BY id DESC LIMIT 1"
        found = connection.execute(f"SELECT id FROM orders WHERE {then}", (name,)).fetchone()  # noqa: S608
        if found is not None:
            return [*found]
    return []


def order_hits(connection: sqlite3.Connection, ids: Sequence[int]) -> list[OrderHit]:
    """The orders whose rows are ``ids``, in this order."""
    marks = ", ".join("?" * len(ids))
    found = {}
    with decoding():
        for *row, stated in connection.execute(f"SELECT * FROM orders WHERE id IN ({marks})", ids):  # noqa: S608
            if checksum(tuple(row)) != stated:
                raise Damaged(f"the row of order {row[_NAME]!r:.20} is not what was written")
            number, _, last, ended, damaged = row[: _DAMAGED + 1]
            lines = sorted({number // SPAN, *map(natural, (last, ended))} - {0})
            found[number] = OrderHit(number, row[_NAME], lines, damaged)
        return [found[each] for each in ids]
