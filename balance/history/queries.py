"""Questions to the index: as SQL that reads as little of it as it can."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType
from typing import Any, Final

from balance.core.entry import Place
from balance.history.columns import UNITS, milliseconds, units_key
from balance.history.database import decoding, natural
from balance.history.lists import COLUMNS
from balance.history.order_table import SPAN
from balance.history.proof import checksum
from balance.history.question import PERSON, Question
from balance.history.trigrams import rare

#: The kinds of entries that are marked on a curve of the equity.
MARKS: Final = ("deposit", "withdrawal", "reset", "undo", "liquidation")
#: Those that have a fill.
FILLS: Final = ("fill", "liquidation")

# The column that a list is sorted by where it is not the one of that name.
_SORTED: Final[Mapping[str, str]] = MappingProxyType({"revision": "id", "place": "id"})
_SEARCHED: Final = {
    table: [each.name for each in columns if each.mark.kind == "text"]
    for table, columns in COLUMNS.items()
}
# No line of the ledger has so many bytes.
_LONGEST: Final = 1 << 28
# Larger than any id.
_LAST: Final = 1 << 62
# How many counts are remembered.
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in the ledger an entry stands that was searched for, and what it is about."""

    symbol: str | None
    owner: str | None
    id: int
    revision: int
    line: int
    start: int
    stop: int
    checksum: int

    def is_of(self, text: bytes) -> bool:
        """Whether it was made from ``text``, the line of the ledger, and is as it was written."""
        spot = (self.id, self.revision, self.line, self.start, self.stop)
        owner = "" if self.owner is None else self.owner or PERSON
        return checksum((zlib.crc32(text), *spot, self.symbol or "", owner)) == self.checksum


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a row, in SQL, with its values."""

    table: str
    terms: tuple[str, ...]
    values: tuple[Any, ...]
    # Lines of the ledger: greater than the first, at most the second; None: all of them.
    ids: tuple[int, int] | None = None
    # Whether those are so many that they are no way to the rows.
    is_wide: bool = False
    # How many times rows had changed, where it is of a column that may change; else 0.
    updates: int = 0

    def within(self, first: int, last: int, rows: int) -> Condition:
        """The same of the rows behind ``first`` up to ``last``, of an index of so many ``rows``."""
        # A range of all rows would only lead the search astray.
        ids = None if first <= 0 and last >= rows else (first, last)
        return replace(self, ids=ids, is_wide=ids is not None and 2 * (last - first) > rows)

    def gapless(self, rows: int) -> tuple[int, int] | None:
        """Its ids, of an index of so many ``rows``, where it holds of each entry among them."""
        return (self.ids or (0, rows)) if self.table == "ledger" and not self.terms else None

    def select(self, what: str, more: str = "", *values: Any, then: str = "") -> tuple[str, Any]:
        """A query for ``what`` where ``more`` holds too, and its values."""
        # With a plus, SQLite looks for the rows by something else.
        name = "+id" if self.is_wide else "id"
        within = "" if self.ids is None else f"{name} > ? AND {name} <= ?"
        terms = " AND ".join(filter(None, (within, *self.terms, more))) or "1"
        sql = f"SELECT {what} FROM {self.table} WHERE {terms} {then}"  # noqa: S608 - names are ours
        span = SPAN if self.table == "orders" else 1
        # The rows of a line have the numbers before those of the next one.
        ends = [(line + 1) * span - 1 for line in self.ids or ()]
        return sql, (*ends, *self.values, *values)


def condition(
    connection: sqlite3.Connection, question: Question, rows: int, updates: int = 0
) -> Condition:
    """What ``question`` demands of a row, of an index of so many ``rows``, some of which have
    changed ``updates`` times."""
    if question.table == "epochs":
        raise ValueError("the epochs are no table to be searched")
    terms: list[str] = []
    values: list[Any] = []
    for name, allowed in question.one_of.items():
        terms.append(f"{name} IN ({', '.join('?' * len(allowed))})")
        values += allowed
    ends = (
        ("time >= ?", None if question.begin is None else milliseconds(question.begin)),
        ("time <= ?", None if question.end is None else milliseconds(question.end)),
        *((f"{name} >= ?", _bound(amount, ceil)) for name, amount in question.least.items()),
        # What stands for an amount that is None sorts below all amounts, and is within no bounds.
        *(
            (f"{name} > x'' AND {name} <= ?", _bound(amount, floor))
            for name, amount in question.most.items()
        ),
    )
    terms += [term for term, value in ends if value is not None]
    values += [value for _, value in ends if value is not None]
    if question.text:
        columns, text = _SEARCHED[question.table], question.text.casefold()
        # The texts of orders change, and are searched one by one.
        match = None if question.table == "orders" else rare(connection, text, rows)
        if match is not None:
            terms.append("id IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
            values.append(match)
        terms.append(f"({' OR '.join(f'instr({column}, ?) > 0' for column in columns)})")
        values += [text] * len(columns)
    first, last = 0, rows
    if question.after is not None:
        first = _count_until(connection, question.after)
    if question.since is not None:
        first = max(first, _count_before(connection, question.since))
    if question.until is not None:
        last = _count_until(connection, question.until)
    if question.before is not None:
        last = min(last, _count_before(connection, question.before))
    if question.begin is not None or question.end is not None:
        before, after = _beside_time(connection, question)
        first, last = max(first, before), min(last, after - 1)
    changing = updates if question.table == "orders" and terms else 0
    where = Condition(question.table, tuple(terms), tuple(values), updates=changing)
    return where.within(first, last, rows)


def page_ids(connection: sqlite3.Connection, where: Condition, question: Question) -> list[int]:
    """The ids of the page of ``question``, in its order."""
    offset, limit = question.offset, -1 if question.limit is None else question.limit
    if sorted_by_id(question):
        where = replace(where, is_wide=False)
    then = f"{_order(question)} LIMIT ? OFFSET ?"
    return _ids(connection, *where.select("id", "", limit, offset, then=then))


def sorted_by_id(question: Question) -> bool:
    """Whether the rows of ``question`` are in the order of the ledger, or in its reverse."""
    name, _ = question.order
    return _SORTED.get(name, name) == "id"


def gapless_ids(where: Condition, question: Question, rows: int) -> range | None:
    """The ids of the page of ``question``, in its order, where it holds every entry between two; of
    an index of so many ``rows``. They have no gaps, so it is known without a search."""
    gapless = where.gapless(rows) if sorted_by_id(question) else None
    if gapless is None:
        return None
    first, last = gapless
    every = range(first + 1, last + 1)
    in_order = every[::-1] if question.order[1] else every
    end = None if question.limit is None else question.offset + question.limit
    return in_order[question.offset : end]


def all_ids(connection: sqlite3.Connection, where: Condition, question: Question) -> array[int]:
    """The ids of all rows of ``question``, in its order: eight bytes each."""
    rows = connection.execute(*where.select("id", then=_order(question)))
    return array("q", (each for (each,) in rows))


def hits(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Hit]:
    """Where the rows with ``ids`` stand in the ledger, in this order."""
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    columns = "symbol, owner, id, revision, line, start, stop, checksum"
    sql = f"SELECT {columns} FROM ledger WHERE id IN ({marks})"  # noqa: S608 - only marks
    with decoding():
        found = {
            row[2]: Hit(row[0] or None, _owner(row[1]), *map(natural, row[2:]))
            for row in connection.execute(sql, tuple(ids))
        }
        wrong = [each for each in found.values() if not 0 < each.stop - each.start < _LONGEST]
        if wrong:
            raise ValueError(f"no entry has {wrong[0].stop - wrong[0].start} bytes")
        return [found[each] for each in ids]


def row_of(connection: sqlite3.Connection, revision: int, line: int) -> Hit | None:
    """Where the entry at a place of the ledger stands; None where the index has none."""
    ids = _ids(
        connection, "SELECT id FROM ledger WHERE revision = ? AND line = ?", (revision, line)
    )
    return hits(connection, ids)[0] if ids else None


def values_of(connection: sqlite3.Connection, column: str) -> list[str]:
    """The values that ``column`` has in the ledger, with a step of its index for each."""
    least = f"SELECT min({column}) FROM ledger"  # noqa: S608 - one of our names
    greater = f"SELECT ({least} WHERE {column} > value) FROM found WHERE value IS NOT NULL"  # noqa: S608
    found = f"WITH RECURSIVE found(value) AS ({least} UNION ALL {greater})"
    rows = connection.execute(f"{found} SELECT value FROM found WHERE value > ''")  # noqa: S608
    return [row[0] for row in rows]


def fill_line(connection: sqlite3.Connection, place: Place) -> int | None:
    """The line of the fill that the realised P&L or the fee at ``place`` is of, within the same
    revision; None where the index has none."""
    revision, line = place
    # A fill comes first, then the P&L of what it closed, then its fee.
    kinds = f"kind IN ({', '.join('?' * len(FILLS))})"
    sql = f"SELECT max(line) FROM ledger WHERE revision = ? AND line BETWEEN ? AND ? AND {kinds}"  # noqa: S608 - only marks
    (found,) = connection.execute(sql, (revision, line - 2, line - 1, *FILLS)).fetchone()
    with decoding():
        return None if found is None else natural(found)


def neighbours(connection: sqlite3.Connection, number: int) -> tuple[Hit | None, Hit | None]:
    """Where the entries stand before and after row ``number``; None where there is none."""
    found = []
    for sql in (
        "SELECT id FROM ledger WHERE id < ? ORDER BY id DESC LIMIT 1",
        "SELECT id FROM ledger WHERE id > ? ORDER BY id LIMIT 1",
    ):
        ids = _ids(connection, sql, (number,))
        found.append(hits(connection, ids)[0] if ids else None)
    return found[0], found[1]


def marked(connection: sqlite3.Connection, begin: datetime, end: datetime, most: int) -> list[int]:
    """The ids of the newest ``most`` marks from ``begin`` to ``end``, oldest first."""
    where = Condition(
        "ledger",
        (f"kind IN ({', '.join('?' * len(MARKS))})", "time >= ?", "time <= ?"),
        (*MARKS, milliseconds(begin), milliseconds(end)),
    )
    then = "ORDER BY id DESC LIMIT ?"
    return _ids(connection, *where.select("id", "", most, then=then))[::-1]


class Counts:
    """How many rows meet a condition: counted once, then only what makes the difference, as long
    as the index only grows."""

    def __init__(self) -> None:
        # By the index, the first row and the condition: until which row, and how many.
        self._known: OrderedDict[tuple[str, int, Condition], tuple[int, int]] = OrderedDict()
        self._guard = threading.Lock()

    def count(self, connection: sqlite3.Connection, where: Condition, build: str, rows: int) -> int:
        """How many of the first ``rows`` rows of the index called ``build`` meet ``where``."""
        gapless = where.gapless(rows)
        if gapless is not None:
            return max(0, gapless[1] - gapless[0])
        first, last = where.ids or (0, rows)
        last = max(first, last)
        key = (build, first, where.within(0, rows, rows))
        with self._guard:
            until, number = self._known.get(key, (first, 0))
        # Another thread may have seen a newer state of the index; and a count that is far from
        # this one is of no use.
        if until > rows or abs(last - until) > last - first:
            until, number = first, 0
        if until != last:
            low, high = sorted((until, last))
            between = _count(connection, where.within(low, high, rows))
            number += between if last > until else -between
        with self._guard:
            self._known[key] = (last, number)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return number


def _count(connection: sqlite3.Connection, where: Condition) -> int:
    number: int = connection.execute(*where.select("count(*)")).fetchone()[0]
    return number


def _order(question: Question) -> str:
    """Ties are in the ledger's order, reversed with it: so an index serves both ways."""
    name, is_reversed = question.order
    column, way = _SORTED.get(name, name), "DESC" if is_reversed else "ASC"
    return f"ORDER BY id {way}" if column == "id" else f"ORDER BY {column} {way}, id {way}"


def _ids(connection: sqlite3.Connection, sql: str, values: Any) -> list[int]:
    return [row[0] for row in connection.execute(sql, values)]


def _owner(column: str) -> str | None:
    """The owner that ``column`` stands for."""
    return None if not column else "" if column == PERSON else column


def _bound(amount: Decimal, rounded: Callable[[Fraction], int]) -> bytes:
    """``amount`` as a bound, rounded to an amount that there may be."""
    return units_key(rounded(Fraction(amount) * UNITS))


def _beside_time(connection: sqlite3.Connection, question: Question) -> tuple[int, int]:
    """The ids of a row that all rows in the time of ``question`` come after, and of one that they
    come before, near to them; so a search for those of the last hour does not pass the years
    before.

    Where a row is earlier than one before it by at most so much as the index says, no row comes
    after the first of that time that is earlier by more than that, and none before the last that is
    later by more.
    """
    before, after = 0, _LAST
    (late,) = connection.execute("SELECT max(late) FROM state WHERE is_ready").fetchone()
    if late is None:
        return before, after
    if question.begin is not None:
        sql = "SELECT id FROM ledger WHERE time < ? ORDER BY time DESC, id DESC LIMIT 1"
        before = _id_at(connection, sql, milliseconds(question.begin) - late, before)
    if question.end is not None:
        sql = "SELECT id FROM ledger WHERE time > ? ORDER BY time, id LIMIT 1"
        after = _id_at(connection, sql, milliseconds(question.end) + late, after)
    return before, after


def _id_at(connection: sqlite3.Connection, sql: str, time: int, default: int) -> int:
    """The id that ``sql`` finds for ``time``, in milliseconds; ``default`` for none."""
    return next(iter(_ids(connection, sql, (time,))), default)


def _count_until(connection: sqlite3.Connection, revision: int) -> int:
    """The number of rows of revisions up to ``revision``."""
    return _count_before(connection, (revision + 1, 1))


def _count_before(connection: sqlite3.Connection, place: Place) -> int:
    """The number of rows that are older than ``place``."""
    revision, line = place
    sql = (
        "SELECT id FROM ledger WHERE revision <= ? AND (revision < ? OR line < ?) "
        "ORDER BY revision DESC, id DESC LIMIT 1"
    )
    row = connection.execute(sql, (revision, revision, line)).fetchone()
    return 0 if row is None else int(row[0])
