"""Questions to the index: as SQL that looks at as little of it as it can."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from balance.core.question import Question
from balance.index.columns import owner_of

#: So far a page is found by sorting; beyond it, it pays to look for the value that it begins with.
_NEAR: Final = 1_000
#: No revision is larger.
_NEWEST: Final = 2**62
#: How many rows of a whole list are looked up at once.
_BLOCK: Final = 500

#: The kinds of entries that are marked on a curve of the equity.
MARKS: Final = ("deposit", "withdrawal", "reset", "undo", "liquidation")

# by which column a list is sorted or filtered where it is not the one of that name
_SORTED: Final[Mapping[str, str]] = MappingProxyType({"revision": "id", "place": "id"})
_AMOUNTS: Final = MappingProxyType({"ledger": "amount", "fills": "realized_pnl", "trades": "pnl"})
_SEARCHED: Final = MappingProxyType(
    {
        "ledger": ("note",),
        "fills": ("note",),
        "trades": ("opened_because", "closed_because"),
    }
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in the ledger an entry stands that was asked for, and of what it tells."""

    symbol: str | None
    owner: str | None
    id: int
    revision: int
    line: int
    start: int
    stop: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a row, in SQL, with its values."""

    table: str
    # of the rows: greater than the first, at most the second; None: all of them
    ids: tuple[int, int] | None
    terms: tuple[str, ...]
    values: tuple[Any, ...]

    def gapless(self, rows: int) -> tuple[int, int] | None:
        """Its ids, of an index of so many ``rows``, where it holds of each entry among them."""
        return (self.ids or (0, rows)) if self.table == "ledger" and not self.terms else None

    def select(self, what: str, more: str = "", *values: Any, then: str = "") -> tuple[str, Any]:
        """A query for ``what`` where ``more`` holds too, and its values."""
        # a range that leaves nothing out would only lead the search astray
        within = "" if self.ids is None else "id > ? AND id <= ?"
        terms = " AND ".join(filter(None, (within, *self.terms, more))) or "1"
        sql = f"SELECT {what} FROM {self.table} WHERE {terms} {then}"  # noqa: S608 - names are ours
        return sql, (*(self.ids or ()), *self.values, *values)


def condition(connection: sqlite3.Connection, asked: Question) -> Condition:
    """What ``asked`` asks of a row."""
    terms: list[str] = []
    values: list[Any] = []
    for name, words in asked.one_of.items():
        terms.append(f"{name} IN ({', '.join('?' * len(words))})")
        values += words
    amount = _AMOUNTS[asked.table]
    bounds = (
        ("time >= ?", None if asked.begin is None else _milliseconds(asked.begin)),
        ("time <= ?", None if asked.end is None else _milliseconds(asked.end)),
        (f"{amount} >= ?", None if asked.least is None else float(asked.least)),
        (f"{amount} <= ?", None if asked.most is None else float(asked.most)),
    )
    terms += [term for term, value in bounds if value is not None]
    values += [value for _, value in bounds if value is not None]
    if asked.text:
        columns = _SEARCHED[asked.table]
        terms.append(f"({' OR '.join(f'instr({column}, ?) > 0' for column in columns)})")
        values += [asked.text.casefold()] * len(columns)
    ids = None
    if asked.after is not None or asked.until is not None:
        first = 0 if asked.after is None else _until(connection, asked.after)
        ids = first, _until(connection, _NEWEST if asked.until is None else asked.until)
    return Condition(asked.table, ids, tuple(terms), tuple(values))


def count(connection: sqlite3.Connection, wanted: Condition) -> int:
    """How many rows there are of which ``wanted`` holds."""
    return _number(connection, *wanted.select("count(*)"))


def page(
    connection: sqlite3.Connection, wanted: Condition, asked: Question, rows: int
) -> list[int]:
    """The ids of those of all ``rows`` that are asked for, in their order; ties newest first."""
    name, falls = asked.order
    column, limit = _SORTED.get(name, name), -1 if asked.limit is None else asked.limit
    if column == "id":
        gapless = wanted.gapless(rows)
        if gapless is not None:
            # ids have no gaps: the page begins at a known one
            first, last = gapless
            ids = (first, last - asked.offset) if falls else (first + asked.offset, last)
            return _by_id(connection, replace(wanted, ids=ids), 0, limit, falls=falls)
        return _by_id(connection, wanted, asked.offset, limit, falls=falls)
    if falls or asked.offset < _NEAR:
        way = "DESC" if falls else "ASC"
        then = f"ORDER BY {column} {way}, id DESC LIMIT ? OFFSET ?"
        return _ids(connection, *wanted.select("id", "", limit, asked.offset, then=then))
    return _from_value(connection, wanted, column, asked.offset, limit)


def _by_id(
    connection: sqlite3.Connection, wanted: Condition, offset: int, limit: int, *, falls: bool
) -> list[int]:
    then = f"ORDER BY id {'DESC' if falls else 'ASC'} LIMIT ? OFFSET ?"
    return _ids(connection, *wanted.select("id", "", limit, offset, then=then))


def _from_value(
    connection: sqlite3.Connection, wanted: Condition, column: str, offset: int, limit: int
) -> list[int]:
    """The page from ``offset`` on in rising order: the index has ties oldest first, so the value
    that the page begins with is looked for, and its rows turned round."""
    value = connection.execute(
        *wanted.select(column, "", offset, then=f"ORDER BY {column} LIMIT 1 OFFSET ?")
    ).fetchone()
    if value is None:
        return []
    skipped = offset - _number(connection, *wanted.select("count(*)", f"{column} < ?", *value))
    then = "ORDER BY id DESC LIMIT ? OFFSET ?"
    found = _ids(
        connection, *wanted.select("id", f"{column} = ?", *value, limit, skipped, then=then)
    )
    if len(found) < limit:
        then = f"ORDER BY {column}, id DESC LIMIT ?"
        left = limit - len(found)
        found += _ids(connection, *wanted.select("id", f"{column} > ?", *value, left, then=then))
    return found


def hits(connection: sqlite3.Connection, ids: list[int]) -> list[Hit]:
    """Where the rows with ``ids`` stand in the ledger, in this order."""
    marks = ", ".join("?" * len(ids))
    columns = "symbol, owner, id, revision, line, start, stop, checksum"
    sql = f"SELECT {columns} FROM ledger WHERE id IN ({marks})"  # noqa: S608 - only marks
    found = {
        row[2]: Hit(row[0] or None, owner_of(row[1]), *row[2:])
        for row in connection.execute(sql, ids)
    }
    return [found[each] for each in ids]


def all_hits(connection: sqlite3.Connection, wanted: Condition, asked: Question) -> Iterator[Hit]:
    """Where all rows that are asked for stand in the ledger, in their order."""
    name, falls = asked.order
    column = _SORTED.get(name, name)
    order = "id" if column == "id" else f"{column} {'DESC' if falls else 'ASC'}, id"
    way = "ASC" if column == "id" and not falls else "DESC"
    rows = connection.execute(*wanted.select("id", then=f"ORDER BY {order} {way}"))
    try:
        while block := [each for (each,) in islice(rows, _BLOCK)]:
            yield from hits(connection, block)
    finally:
        rows.close()


def row_of(connection: sqlite3.Connection, revision: int, line: int) -> Hit | None:
    """Where the entry at a place of the ledger stands; None where the index has none."""
    ids = _ids(
        connection, "SELECT id FROM ledger WHERE revision = ? AND line = ?", (revision, line)
    )
    return hits(connection, ids)[0] if ids else None


def _until(connection: sqlite3.Connection, revision: int) -> int:
    """The number of rows of revisions up to ``revision``."""
    sql = "SELECT id FROM ledger WHERE revision <= ? ORDER BY revision DESC, id DESC LIMIT 1"
    return next(iter(_ids(connection, sql, (revision,))), 0)


def _ids(connection: sqlite3.Connection, sql: str, values: Any) -> list[int]:
    return [row[0] for row in connection.execute(sql, values)]


def _number(connection: sqlite3.Connection, sql: str, values: Any) -> int:
    number: int = connection.execute(sql, values).fetchone()[0]
    return number


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)


def marked(connection: sqlite3.Connection, begin: datetime, end: datetime, most: int) -> list[int]:
    """The ids of the newest ``most`` marks from ``begin`` to ``end``, oldest first."""
    wanted = Condition(
        "ledger",
        None,
        (f"kind IN ({', '.join('?' * len(MARKS))})", "time >= ?", "time <= ?"),
        (*MARKS, _milliseconds(begin), _milliseconds(end)),
    )
    then = "ORDER BY id DESC LIMIT ?"
    return _ids(connection, *wanted.select("id", "", most, then=then))[::-1]
