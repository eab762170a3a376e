"""Questions to the index: as SQL that looks at as little of it as it can."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from balance.history.columns import owner_of
from balance.history.condition import Condition, milliseconds
from balance.history.database import decoding, natural
from balance.history.question import Question

#: The kinds of entries that are marked on a curve of the equity.
MARKS: Final = ("deposit", "withdrawal", "reset", "undo", "liquidation")

# by which column a list is sorted or filtered where it is not the one of that name
_SORTED: Final[Mapping[str, str]] = MappingProxyType({"revision": "id", "place": "id"})


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


def count(connection: sqlite3.Connection, wanted: Condition) -> int:
    """How many rows there are of which ``wanted`` holds."""
    number: int = connection.execute(*wanted.select("count(*)")).fetchone()[0]
    return number


def page_ids(
    connection: sqlite3.Connection, wanted: Condition, asked: Question, rows: int
) -> list[int]:
    """The ids of those of all ``rows`` that are asked for, in their order."""
    name, falls = asked.order
    offset, limit = asked.offset, -1 if asked.limit is None else asked.limit
    if _SORTED.get(name, name) == "id":
        gapless = wanted.gapless(rows)
        if gapless is not None:
            # ids have no gaps: the page begins at a known one
            first, last = gapless
            ids = (first, last - offset) if falls else (first + offset, last)
            wanted, offset = replace(wanted, ids=ids), 0
        wanted = replace(wanted, is_wide=False)
    then = f"{_order(asked)} LIMIT ? OFFSET ?"
    return _ids(connection, *wanted.select("id", "", limit, offset, then=then))


def _order(asked: Question) -> str:
    """Ties are in the ledger's order, turned round with it: so an index serves both ways."""
    name, falls = asked.order
    column, way = _SORTED.get(name, name), "DESC" if falls else "ASC"
    return f"ORDER BY id {way}" if column == "id" else f"ORDER BY {column} {way}, id {way}"


def hits(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Hit]:
    """Where the rows with ``ids`` stand in the ledger, in this order."""
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    columns = "symbol, owner, id, revision, line, start, stop, checksum"
    sql = f"SELECT {columns} FROM ledger WHERE id IN ({marks})"  # noqa: S608 - only marks
    with decoding():
        found = {
            row[2]: Hit(row[0] or None, owner_of(row[1]), *map(natural, row[2:]))
            for row in connection.execute(sql, ids)
        }
        return [found[each] for each in ids]


def all_ids(connection: sqlite3.Connection, wanted: Condition, asked: Question) -> array[int]:
    """The ids of all rows that are asked for, in their order: eight bytes each."""
    rows = connection.execute(*wanted.select("id", then=_order(asked)))
    return array("q", (each for (each,) in rows))


def row_of(connection: sqlite3.Connection, revision: int, line: int) -> Hit | None:
    """Where the entry at a place of the ledger stands; None where the index has none."""
    ids = _ids(
        connection, "SELECT id FROM ledger WHERE revision = ? AND line = ?", (revision, line)
    )
    return hits(connection, ids)[0] if ids else None


def _ids(connection: sqlite3.Connection, sql: str, values: Any) -> list[int]:
    return [row[0] for row in connection.execute(sql, values)]


def marked(connection: sqlite3.Connection, begin: datetime, end: datetime, most: int) -> list[int]:
    """The ids of the newest ``most`` marks from ``begin`` to ``end``, oldest first."""
    wanted = Condition(
        "ledger",
        (f"kind IN ({', '.join('?' * len(MARKS))})", "time >= ?", "time <= ?"),
        (*MARKS, milliseconds(begin), milliseconds(end)),
    )
    then = "ORDER BY id DESC LIMIT ?"
    return _ids(connection, *wanted.select("id", "", most, then=then))[::-1]
