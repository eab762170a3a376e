"""What must hold of a row of a list, in SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType
from typing import Any, Final

from balance.core.entry import Place
from balance.history.amounts import UNITS, units_key
from balance.history.question import Question
from balance.history.trigrams import rare

_AMOUNTS: Final = MappingProxyType({"ledger": "amount", "fills": "realized_pnl", "trades": "pnl"})
_SEARCHED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ledger": ("note",),
        "fills": ("note",),
        "trades": ("opened_because", "closed_because"),
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of a row, in SQL, with its values."""

    table: str
    terms: tuple[str, ...]
    values: tuple[Any, ...]
    # of the rows: greater than the first, at most the second; None: all of them
    ids: tuple[int, int] | None = None
    # those are so many that they are no way to the rows
    is_wide: bool = False

    def within(self, first: int, last: int, rows: int) -> Condition:
        """The same of the rows behind ``first`` up to ``last``, of an index of so many ``rows``."""
        # a range that leaves nothing out would only lead the search astray
        ids = None if first <= 0 and last >= rows else (first, last)
        return replace(self, ids=ids, is_wide=ids is not None and 2 * (last - first) > rows)

    def gapless(self, rows: int) -> tuple[int, int] | None:
        """Its ids, of an index of so many ``rows``, where it holds of each entry among them."""
        return (self.ids or (0, rows)) if self.table == "ledger" and not self.terms else None

    def select(self, what: str, more: str = "", *values: Any, then: str = "") -> tuple[str, Any]:
        """A query for ``what`` where ``more`` holds too, and its values."""
        # with a plus, SQLite looks for the rows by something else
        name = "+id" if self.is_wide else "id"
        within = "" if self.ids is None else f"{name} > ? AND {name} <= ?"
        terms = " AND ".join(filter(None, (within, *self.terms, more))) or "1"
        sql = f"SELECT {what} FROM {self.table} WHERE {terms} {then}"  # noqa: S608 - names are ours
        return sql, (*(self.ids or ()), *self.values, *values)


def condition(connection: sqlite3.Connection, asked: Question, rows: int) -> Condition:
    """What ``asked`` asks of a row, of an index of so many ``rows``."""
    terms: list[str] = []
    values: list[Any] = []
    for name, words in asked.one_of.items():
        terms.append(f"{name} IN ({', '.join('?' * len(words))})")
        values += words
    amount = _AMOUNTS[asked.table]
    bounds = (
        ("time >= ?", None if asked.begin is None else milliseconds(asked.begin)),
        ("time <= ?", None if asked.end is None else milliseconds(asked.end)),
        (f"{amount} >= ?", None if asked.least is None else _bound(asked.least, ceil)),
        (f"{amount} <= ?", None if asked.most is None else _bound(asked.most, floor)),
    )
    terms += [term for term, value in bounds if value is not None]
    values += [value for _, value in bounds if value is not None]
    if asked.text:
        columns, text = _SEARCHED[asked.table], asked.text.casefold()
        match = rare(connection, text, rows)
        if match is not None:
            terms.append("id IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
            values.append(match)
        terms.append(f"({' OR '.join(f'instr({column}, ?) > 0' for column in columns)})")
        values += [text] * len(columns)
    first = 0 if asked.after is None else _until(connection, asked.after)
    last = rows if asked.until is None else _until(connection, asked.until)
    last = last if asked.before is None else min(last, _before(connection, asked.before))
    return Condition(asked.table, tuple(terms), tuple(values)).within(first, last, rows)


def milliseconds(moment: datetime) -> int:
    """``moment`` as the index has it."""
    return round(moment.timestamp() * 1_000)


def _bound(amount: Decimal, rounded: Callable[[Fraction], int]) -> bytes:
    """``amount`` as a bound, of those that there may be."""
    return units_key(rounded(Fraction(amount) * UNITS))


def _until(connection: sqlite3.Connection, revision: int) -> int:
    """The number of rows of revisions up to ``revision``."""
    return _before(connection, (revision + 1, 1))


def _before(connection: sqlite3.Connection, place: Place) -> int:
    """The number of rows that are older than ``place``."""
    revision, line = place
    sql = (
        "SELECT id FROM ledger WHERE revision <= ? AND (revision < ? OR line < ?) "
        "ORDER BY revision DESC, id DESC LIMIT 1"
    )
    row = connection.execute(sql, (revision, revision, line)).fetchone()
    return 0 if row is None else int(row[0])
