"""The file of the samples: written in batches by one thread, thinned as they grow old.

A sample begins at level 0. When a stretch of time is over, those of it that stay are raised to the
stretch's level; older ones of lower levels are deleted. So what a level has of the past is small,
and still has every low, high and fall.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Final

from balance.core.figures import plain
from balance.performance.sample import Point, Sample
from balance.performance.sample_rows import (
    COLUMNS,
    STRETCHES,
    TABLES,
    VERSION,
    milliseconds,
    row_of,
)
from balance.performance.thinning import kept

EQUITY_FILE: Final = "equity.db"
#: For how many seconds each level stays; what is of the highest stays for ever.
STAYS: Final = (0, 86_400, 31 * 86_400, 366 * 86_400)
#: What belongs to the file while it is open, and may be left by a crash.
_BESIDE: Final = ("-wal", "-shm")
_INSERT: Final = (
    f"insert into samples ({', '.join(COLUMNS)}) "  # noqa: S608 - names of our own
    f"values ({', '.join('?' * len(COLUMNS))})"
)
_CHOSEN: Final = (
    "select id, time, chain, equity, pnl, growth, gap, epoch from samples "
    "where level >= ? and time >= ? and time < ? order by time, id"
)


class SampleFile:
    """Writes the samples of one account; for one thread."""

    def __init__(self, file: Path, account: str) -> None:
        """Open ``file``, made where missing.

        Raises:
            WrongAccount: it is of another account.
            sqlite3.DatabaseError: it is damaged, or of a newer version.
            sqlite3.OperationalError: it can't be opened or written now.
        """
        self._path = file
        self._connection = sqlite3.connect(file, timeout=2, check_same_thread=False)
        try:
            self._begin(account)
            self._inode = file.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    @property
    def is_there(self) -> bool:
        """Whether it is still what its name leads to."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def write(self, samples: Sequence[Sample], now: datetime | None) -> None:
        """Add ``samples``, and thin out what has grown old by ``now``; nothing for None.

        Raises:
            sqlite3.Error: the disk refused; nothing was added.
        """
        with self._connection:
            self._connection.executemany(_INSERT, map(row_of, samples))
            if samples and self._finished(1) is None:
                self._start_levels(min(milliseconds(each.time) for each in samples))
            if now is not None and self._finish(1, now):
                for level in range(2, len(STRETCHES) + 1):
                    self._finish(level, now)
                self._forget(now)

    def fill(self, carried: Callable[[int], Decimal | None]) -> None:
        """Note what the earlier epochs brought, where that was not known yet and now is."""
        found = self._connection.execute(
            "select distinct epoch from samples where carried is null"
        ).fetchall()
        with self._connection:
            for (epoch,) in found:
                known = carried(epoch)
                if known is not None:
                    self._connection.execute(
                        "update samples set carried = ? where epoch = ? and carried is null",
                        (plain(known), epoch),
                    )

    def take_back(self, revision: int) -> None:
        """Forget what came after ``revision``, as the account was put back to that."""
        with self._connection:
            self._connection.execute("delete from samples where revision > ?", (revision,))
            (newest,) = self._connection.execute("select max(time) from samples").fetchone()
            self._unfinish(newest or 0)

    def set_back(self, now: datetime) -> None:
        """Have nothing be later than ``now``: the clock that said so was wrong."""
        time = milliseconds(now)
        with self._connection:
            self._connection.execute("update samples set time = ? where time > ?", (time, time))
            self._unfinish(time)

    def copy_to(self, file: Path) -> None:
        """Write all of it into ``file`` too, or nothing."""
        try:
            self._connection.execute("vacuum into ?", (str(file),))
        except sqlite3.Error:
            file.unlink(missing_ok=True)
            raise

    def _begin(self, account: str) -> None:
        self._connection.execute("pragma journal_mode = wal")
        # what was not yet on the disk when the power failed is some seconds of samples
        self._connection.execute("pragma synchronous = normal")
        (version,) = self._connection.execute("pragma user_version").fetchone()
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError("it is of a newer version of this program")
        self._check_columns()
        self._connection.executescript(TABLES)
        self._connection.execute(f"pragma user_version = {VERSION}")
        with self._connection:
            self._connection.execute(
                "insert or ignore into known values ('account', ?)", (account,)
            )
        (known,) = self._connection.execute(
            "select value from known where name = 'account'"
        ).fetchone()
        if known != account:
            raise WrongAccount(known)
        (sound,) = self._connection.execute("pragma quick_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)

    def _check_columns(self) -> None:
        for table, columns in (("samples", COLUMNS), ("known", ("name", "value"))):
            rows = self._connection.execute("select name from pragma_table_info(?)", (table,))
            names = {name for (name,) in rows}
            if names and not names.issuperset(columns):
                raise sqlite3.DatabaseError(f"its table {table} is not that of this program")

    def _finished(self, level: int) -> int | None:
        """Until when the stretches of ``level`` are thinned out; None before the first sample."""
        found = self._connection.execute(
            "select value from known where name = ?", (f"finished_{level}",)
        ).fetchone()
        return None if found is None else int(found[0])

    def _set_finished(self, level: int, time: int) -> None:
        self._connection.execute(
            "insert or replace into known values (?, ?)", (f"finished_{level}", str(time))
        )

    def _unfinish(self, time: int) -> None:
        """Have the stretches from ``time`` on be thinned out again."""
        for level, length in enumerate(STRETCHES, start=1):
            finished = self._finished(level)
            if finished is not None:
                self._set_finished(level, min(finished, _floor(time, length)))

    def _start_levels(self, time: int) -> None:
        for level, length in enumerate(STRETCHES, start=1):
            self._set_finished(level, _floor(time, length))

    def _finish(self, level: int, now: datetime) -> bool:
        """Raise what stays of the stretches of ``level`` that are over; whether there was one."""
        length = STRETCHES[level - 1]
        begin, end = self._finished(level), _floor(milliseconds(now), length)
        if begin is None or begin >= end:
            return False
        found = self._connection.execute(_CHOSEN, (level - 1, begin, end)).fetchall()
        chosen = [
            (level, number)
            for _, rows in groupby(found, key=lambda row: (row[7], _floor(row[1], length)))
            for number in _kept(list(rows))
        ]
        self._connection.executemany(
            "update samples set level = max(level, ?) where id = ?", chosen
        )
        self._set_finished(level, end)
        return True

    def _forget(self, now: datetime) -> None:
        for level, seconds in enumerate(STAYS):
            until = milliseconds(now - timedelta(seconds=seconds))
            finished = self._finished(level + 1)
            self._connection.execute(
                "delete from samples where level = ? and time < ?",
                (level, until if finished is None else min(until, finished)),
            )


class WrongAccount(Exception):
    """The samples are those of another account."""


def set_aside(file: Path, why: str, now: datetime) -> Path:
    """Move ``file`` out of the way, with ``why`` and the time ``now`` in its name; where it is.

    Raises:
        OSError: it can't be moved.
    """
    aside = named_aside(file, why, now)
    file.rename(aside)
    for ending in _BESIDE:
        left = file.with_name(file.name + ending)
        if left.exists():
            left.rename(aside.with_name(aside.name + ending))
    return aside


def named_aside(file: Path, why: str, now: datetime) -> Path:
    """What ``file`` is called when it is kept aside at ``now``."""
    return file.with_name(f"{file.stem}.{why}-{now:%Y%m%dT%H%M%S%f}{file.suffix}")


def _kept(rows: Sequence[tuple[int, int, int, float, float, float, int, int]]) -> list[int]:
    places = kept([Point(*row[1:7]) for row in rows])
    return [rows[place][0] for place in places]


def _floor(time: int, length: int) -> int:
    return time - time % (length * 1_000)
