"""Damaged lines of the ledger in its index. They have a number as every line has, and no row: what
stood there is not known, only between which entries it stood.

A list needs a damaged line unless its filters exclude it whatever it was. Its revision and its
epoch lie between those of the entries around it; its time is taken to do so too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from balance.core.errors import StoreUnreadable
from balance.history.columns import milliseconds
from balance.history.database import Damaged, decoding, natural
from balance.history.order_table import SPAN
from balance.history.queries import Condition, condition
from balance.history.question import Question
from balance.store.advice import option
from balance.store.file_store import LEDGER_FILE

#: The table. ``previous`` is the id of the last row before it; what comes after it is null until
#: there is a row after it.
TABLE: Final = (
    "damaged (id INTEGER PRIMARY KEY, cause INTEGER, start INTEGER, stop INTEGER, fault TEXT, "
    "previous INTEGER, first_epoch INTEGER, last_epoch INTEGER, first_time INTEGER, "
    "last_time INTEGER)"
)
# What no entry changes of an order that is open.
_FIXED: Final = ("epoch", "source", "symbol", "owner", "side", "client_id")
_SELECT: Final = "SELECT id, cause, start, stop, previous, first_epoch, fault FROM damaged"


@dataclass(frozen=True, slots=True)
class DamagedLine:
    """A line that is not proved to be what was written, or that is no entry."""

    # Its number in the ledger, from 1.
    id: int
    # The number of the line that it can't be read without; its own where it is damaged itself.
    cause: int
    start: int
    stop: int
    # The id of the last row before it, and its epoch; 0: there is none.
    previous: int
    first_epoch: int
    # What is wrong with the cause, as ``Line.fault`` says it.
    fault: str

    def error(self, folder: Path | None) -> StoreUnreadable:
        """The error for what needs it, in an account in ``folder``."""
        return StoreUnreadable(LEDGER_FILE, self.fault, option(folder), line=self.cause)


class Needed(NamedTuple):
    """What a list needs that a damaged line keeps unknown."""

    # The line where it stands: the damaged one, or that which placed an order.
    at: int
    line: DamagedLine


class Neighbour(NamedTuple):
    """A row of the ledger beside damaged lines."""

    id: int
    epoch: int
    time: int


#: What stands before the first row.
NOBODY: Final = Neighbour(0, 0, 0)


def newest_row(connection: sqlite3.Connection) -> Neighbour:
    """The newest row of the ledger, or NOBODY."""
    sql = "SELECT id, epoch, time FROM ledger ORDER BY id DESC LIMIT 1"
    row = connection.execute(sql).fetchone()
    with decoding():
        return NOBODY if row is None else Neighbour(*map(natural, row))


def add_damaged(connection: sqlite3.Connection, found: DamagedLine, before: Neighbour) -> None:
    """Note what was ``found``; ``before`` is the last row before it."""
    spot = (found.id, found.cause, found.start, found.stop, found.fault)
    values = (*spot, before.id, before.epoch, before.time)
    connection.execute("INSERT INTO damaged VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, NULL)", values)


def end_damaged(connection: sqlite3.Connection, after: Neighbour) -> None:
    """Note that the row ``after`` comes after all lines that are damaged so far."""
    connection.execute(
        "UPDATE damaged SET last_epoch = ?, first_time = min(first_time, ?), "
        "last_time = max(first_time, ?) WHERE last_epoch IS NULL",
        (after.epoch, after.time, after.time),
    )


def damaged_lines(connection: sqlite3.Connection, most: int) -> list[DamagedLine]:
    """The first ``most`` of them."""
    return list(_found(connection, "ORDER BY id LIMIT ?", most))


def newest_damaged(connection: sqlite3.Connection) -> DamagedLine | None:
    """The last of them."""
    return next(_found(connection, "ORDER BY id DESC LIMIT 1"), None)


def damaged_among(connection: sqlite3.Connection, first: int, last: int) -> DamagedLine | None:
    """The first of them with a number from ``first`` to ``last``, if there is one."""
    then = "WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1"
    return next(_found(connection, then, first, last), None)


def needed_damaged(
    connection: sqlite3.Connection, where: Condition, question: Question
) -> DamagedLine | None:
    """The first damaged line, in the order of ``question``, that may be among its rows, which meet
    ``where``; None where there is none."""
    terms, values = ["1"], list[Any]()
    if where.ids is not None:
        terms.append("id > ? AND previous <= ?")
        values += where.ids
    epochs = question.one_of.get("epoch")
    if epochs:
        within = "first_epoch <= ? AND ? <= ifnull(last_epoch, ?)"
        terms.append(f"({' OR '.join([within] * len(epochs))})")
        values += [value for each in epochs for value in (each, each, each)]
    if question.begin is not None:
        terms.append("ifnull(last_time >= ?, 1)")
        values.append(milliseconds(question.begin))
    if question.end is not None:
        terms.append("first_time <= ?")
        values.append(milliseconds(question.end))
    way = "DESC" if question.order[1] else "ASC"
    then = f"WHERE {' AND '.join(terms)} ORDER BY id {way} LIMIT 1"
    return next(_found(connection, then, *values), None)


def first_needed(
    connection: sqlite3.Connection, where: Condition, question: Question, rows: int
) -> Needed | None:
    """What ``question``, whose rows meet ``where``, needs of a damaged line, the first in its
    order; None where it needs none. Beside the rows of such lines, that is any order that was open
    before one, as what has become of it is not known. The index has so many ``rows``."""
    line = needed_damaged(connection, where, question)
    found = [] if line is None else [Needed(line.id, line)]
    if question.table == "orders":
        found += _unknown_orders(connection, question, rows)
    first = max if question.order[1] else min
    return first(found, key=lambda each: each.at, default=None)


def _unknown_orders(
    connection: sqlite3.Connection, question: Question, rows: int
) -> Iterator[Needed]:
    """The first order, in the order of ``question``, that may be among its rows."""
    fixed = {name: each for name, each in question.one_of.items() if name in _FIXED}
    broad = replace(question, one_of=fixed, text="", least={}, most={})
    where = replace(condition(connection, broad, rows), is_wide=True)
    way = "DESC" if question.order[1] else "ASC"
    then = f"ORDER BY id {way} LIMIT 1"
    sql, values = where.select("id, damaged", "damaged > 0", then=then)
    # Any other way leads through thousands of orders that no damaged line concerns.
    sql = sql.replace("FROM orders", "FROM orders INDEXED BY orders_damaged", 1)
    found = connection.execute(sql, values).fetchone()
    if found is not None:
        with decoding():
            number, damaged = map(natural, found)
        line = damaged_among(connection, damaged, damaged)
        if line is None:
            raise Damaged(f"line {damaged} is not known to be damaged")
        yield Needed(number // SPAN, line)


def _found(connection: sqlite3.Connection, then: str, *values: Any) -> Iterator[DamagedLine]:
    with decoding():
        for *numbers, fault in connection.execute(f"{_SELECT} {then}", values):
            number, cause, start, stop, previous, epoch = map(natural, numbers)
            yield DamagedLine(number, cause, start, stop, previous, epoch, str(fault))
