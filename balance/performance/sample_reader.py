"""What the file of the samples tells, read by any thread of any process; never made by reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

from balance.performance.sample import Point, Sample
from balance.performance.sample_rows import COLUMNS, HIGHEST, STRETCHES, milliseconds, sample_of

# a level is read where a span has no more stretches of it than this
_MOST_STRETCHES: Final = 2_000
# so many pairs of those that stay are looked through for flows, the newest
_MOST_FLOWS: Final = 100
# those that were taken just before a change, and just after it
_JUST_BEFORE: Final = (
    "select id, next_id from (select id, time, revision, lead(id) over ordered as next_id, "
    "lead(time) over ordered as next_time, lead(revision) over ordered as next_revision "
    "from samples where level = ? and chain = ? window ordered as (order by time, id)) "
    "where next_time = time and next_revision = revision + 1 order by time desc, id desc limit ?"
)
_SELECT: Final = f"select {', '.join(COLUMNS)} from samples"  # noqa: S608 - names of our own

_Found = TypeVar("_Found")


class Placed(NamedTuple):
    """A point and what belongs to it: the sample's number, and the P&L of the epochs before."""

    number: int
    point: Point
    carried: float | None


class Reader:
    """Reads the samples of one account, of which there may be none; for one thread. In a ``with``
    block it opens the file once, and all that is asked is of one moment: that of the first."""

    def __init__(self, file: Path | None, account: str) -> None:
        self._file = file
        self._account = account
        self._held: sqlite3.Connection | None = None

    def __enter__(self) -> Reader:
        with suppress(sqlite3.Error):
            self._held = self._opened()
            if self._held is not None:
                self._held.execute("begin")
        return self

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def newest(self) -> Sample | None:
        """The last sample that was taken."""
        return self._one("order by id desc limit 1")

    def oldest(self) -> Sample | None:
        """The first that was taken."""
        return self._one("order by id limit 1")

    def at(self, time: datetime) -> Sample | None:
        """The last sample at or before ``time``."""
        return self._one("where time <= ? order by time desc, id desc limit 1", milliseconds(time))

    def after(self, time: datetime) -> Sample | None:
        """The first sample after ``time``."""
        return self._one("where time > ? order by time, id limit 1", milliseconds(time))

    def newest_of(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``."""
        return self._one("where epoch = ? order by id desc limit 1", epoch)

    def before_end(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``, which has ended, from before that."""
        return self._one(
            "where epoch = ?1 and revision < (select max(revision) from samples where epoch = ?1) "
            "order by id desc limit 1",
            epoch,
        )

    def first_of_chain(self, chain: int) -> Sample | None:
        """The first sample of ``chain``, the epochs that continue each other."""
        return self._one("where chain = ? order by id limit 1", chain)

    def best_growths(self, time: datetime) -> dict[int, float]:
        """The best growth of each chain before ``time``."""

        def ask(connection: sqlite3.Connection) -> dict[int, float]:
            found = connection.execute(
                "select chain, max(growth) from samples where time < ? group by chain",
                (milliseconds(time),),
            )
            return dict(found)

        return self._asked(ask, {})

    def flows(self, chain: int) -> list[Sample]:
        """The newest samples of ``chain`` that were taken just before money came or went, oldest
        first."""

        def ask(connection: sqlite3.Connection) -> list[Sample]:
            places = connection.execute(_JUST_BEFORE, (HIGHEST, chain, _MOST_FLOWS)).fetchall()
            found = [
                sample_of(connection.execute(f"{_SELECT} where id = ?", (number,)).fetchone())
                for pair in reversed(places)
                for number in pair
            ]
            pairs = zip(found[::2], found[1::2], strict=True)
            return [before for before, after in pairs if _is_flow(before, after)]

        return self._asked(ask, [])

    def sample(self, number: int) -> Sample | None:
        """The sample with that number."""
        return self._one("where id = ?", number)

    def growths(self, numbers: Sequence[int]) -> dict[int, Decimal]:
        """The exact growth at each of the samples with those numbers."""

        def ask(connection: sqlite3.Connection) -> dict[int, Decimal]:
            places = ", ".join("?" * len(numbers))
            found = connection.execute(
                f"select id, json_extract(exact, '$[2]') from samples where id in ({places})",  # noqa: S608
                tuple(numbers),
            )
            return {number: Decimal(growth) for number, growth in found}

        return self._asked(ask, {})

    def points(self, begin: datetime, end: datetime) -> list[Placed]:
        """What is to be drawn from ``begin`` to ``end``, oldest first: of long spans what stays of
        longer stretches."""
        return self._asked(lambda connection: _points(connection, begin, end), [])

    def _one(self, which: str, *values: object) -> Sample | None:
        def ask(connection: sqlite3.Connection) -> Sample | None:
            row = connection.execute(f"{_SELECT} {which}", values).fetchone()
            return None if row is None else sample_of(row)

        return self._asked(ask, None)

    def _asked(self, ask: Callable[[sqlite3.Connection], _Found], nothing: _Found) -> _Found:
        """What ``ask`` finds; ``nothing`` where there is no file, or none of this account that can
        be read: that is for its writer to mend."""
        try:
            if self._held is not None:
                return ask(self._held)
            connection = self._opened()
            if connection is None:
                return nothing
            with closing(connection):
                return ask(connection)
        except (sqlite3.Error, ValueError):
            return nothing

    def _opened(self) -> sqlite3.Connection | None:
        """The file, where there is one of this account."""
        if self._file is None or not self._file.exists():
            return None
        # not "ro": the last one to close the file would leave what belongs to it lying about
        where = f"file:{quote(str(self._file.absolute()))}?mode=rw"
        connection = sqlite3.connect(where, uri=True, timeout=2)
        try:
            connection.execute("pragma query_only = true")
            found = connection.execute("select value from known where name = 'account'").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        if found == (self._account,):
            return connection
        connection.close()
        return None


def _points(connection: sqlite3.Connection, begin: datetime, end: datetime) -> list[Placed]:
    level, finished = _level(end - begin), _finished(connection)
    first, last = milliseconds(begin), milliseconds(end) + 1
    found: list[tuple[Any, ...]] = []
    # stretches that are not over have nothing of their level yet: there the next lower one tells
    for each in range(level, -1, -1):
        until = min(last, finished.get(each, first)) if each else last
        if until > first:
            found += _rows(connection, each, first, until)
            first = until
    return [
        Placed(row[0], Point(*row[1:8]), None if row[8] is None else float(row[8])) for row in found
    ]


def _rows(
    connection: sqlite3.Connection, level: int, begin: int, end: int
) -> Sequence[tuple[Any, ...]]:
    levels = ", ".join(map(str, range(level, HIGHEST + 1)))
    return connection.execute(
        "select id, time, chain, equity, pnl, growth, gap, "  # noqa: S608 - numbers
        "cast(json_extract(exact, '$[1]') as real) <> 0, carried from samples "
        f"where level in ({levels}) and time >= ? and time < ? order by time, id",
        (begin, end),
    ).fetchall()


def _is_flow(before: Sample, after: Sample) -> bool:
    return (
        (before.time, before.epoch) == (after.time, after.epoch)
        and before.wallet.capital != after.wallet.capital
        and before.revision < after.revision
    )


def _level(span: timedelta) -> int:
    """The lowest level of which ``span`` has few stretches."""
    seconds = span.total_seconds()
    for level, length in enumerate(STRETCHES, start=1):
        if seconds / length <= _MOST_STRETCHES:
            return level
    return HIGHEST


def _finished(connection: sqlite3.Connection) -> dict[int, int]:
    found = connection.execute("select name, value from known where name like 'finished_%'")
    return {int(name.rpartition("_")[2]): int(value) for name, value in found}
