"""The file of the samples: written in batches by one thread, thinned as they grow old, and read by
any thread of any process.

A sample begins at level 0. When a stretch of time is over, those of it that stay are raised to the
stretch's level; older ones of lower levels are deleted. So what a level has of the past is small,
and still has every low, high and fall. The columns are numbers for drawing and seeking; ``exact``
has the exact figures as text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote

from balance.core.figures import plain
from balance.core.wallet import Wallet
from balance.performance.sample import Point, Sample, milliseconds, moment
from balance.performance.thinning import thin
from balance.store.disk import DISK

EQUITY_FILE: Final = "equity.db"
#: Of how many seconds the stretches are in which samples are thinned out, by level: 1 and up.
STRETCHES: Final = (60, 900, 3_600, 21_600)
#: The level of what always stays.
HIGHEST: Final = len(STRETCHES)
#: For how many seconds each level stays; what is of the highest stays for ever.
STAYS: Final = (0, 86_400, 31 * 86_400, 366 * 86_400)
#: The columns of a sample.
COLUMNS: Final = (
    *("time", "revision", "epoch", "chain", "level", "gap"),
    *("equity", "pnl", "growth", "carried", "exact"),
)
#: Which form of the tables this is.
VERSION: Final = 1
#: The tables and what is sought in them.
TABLES: Final = """
create table if not exists samples (
    id integer primary key,
    time integer not null,
    revision integer not null,
    epoch integer not null,
    chain integer not null,
    level integer not null,
    gap integer not null,
    equity real not null,
    pnl real not null,
    growth real not null,
    carried text,
    exact text not null
);
create index if not exists by_time on samples (time);
create index if not exists by_level on samples (level, time);
create index if not exists by_epoch on samples (epoch);
create table if not exists known (name text primary key, value text not null);
"""

# The totals of the wallet in the order in which the file has them.
_TOTALS: Final = (
    *("starting_balance", "deposits", "withdrawals", "adjustments", "realized_pnl"),
    *("fees_paid", "funding", "balance"),
)
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
# A level is read where a span has no more stretches of it than this.
_MOST_STRETCHES: Final = 2_000
# So many pairs of samples that stay are searched for flows, the newest first.
_MOST_FLOWS: Final = 100
# The samples just before a change and just after it.
_JUST_BEFORE: Final = (
    "select id, next_id from (select id, time, revision, lead(id) over ordered as next_id, "
    "lead(time) over ordered as next_time, lead(revision) over ordered as next_revision "
    "from samples where level = ? and chain = ? window ordered as (order by time, id)) "
    "where next_time = time and next_revision = revision + 1 order by time desc, id desc limit ?"
)
_SELECT: Final = f"select {', '.join(COLUMNS)} from samples"  # noqa: S608 - names of our own

_Found = TypeVar("_Found")


def row_of(sample: Sample) -> tuple[Any, ...]:
    """``sample`` as ``COLUMNS`` have it."""
    totals = [plain(getattr(sample.wallet, name)) for name in _TOTALS]
    exact = [totals, plain(sample.unrealized_pnl), str(sample.growth), sample.is_whole]
    return (
        *(milliseconds(sample.time), sample.revision, sample.epoch, sample.chain),
        *(HIGHEST if sample.is_kept else _level_of_gap(sample.gap), sample.gap),
        *(float(sample.equity), float(sample.pnl), float(sample.growth)),
        None if sample.carried is None else plain(sample.carried),
        json.dumps(exact, separators=(",", ":")),
    )


def point_of(sample: Sample) -> Point:
    """``sample`` as it is drawn."""
    return Point(
        *(milliseconds(sample.time), sample.chain),
        *(float(sample.equity), float(sample.pnl), float(sample.growth)),
        *(sample.gap, bool(sample.unrealized_pnl)),
    )


def sample_of(row: tuple[Any, ...]) -> Sample:
    """The sample of a row of ``COLUMNS``.

    Raises:
        ValueError: it is none.
    """
    values = dict(zip(COLUMNS, row, strict=True))
    try:
        totals, unrealized, growth, is_whole = json.loads(values["exact"])
        named: dict[str, Any] = dict(zip(_TOTALS, map(Decimal, totals), strict=True))
        return Sample(
            time=moment(values["time"]),
            revision=values["revision"],
            wallet=Wallet(epoch=values["epoch"], **named),
            unrealized_pnl=Decimal(unrealized),
            growth=Decimal(growth),
            is_whole=is_whole,
            chain=values["chain"],
            carried=None if values["carried"] is None else Decimal(values["carried"]),
            gap=values["gap"],
            is_kept=values["level"] == HIGHEST,
        )
    except (TypeError, ArithmeticError, OverflowError) as fault:
        raise ValueError(f"this is no sample: {fault}") from fault


def _level_of_gap(gap: int) -> int:
    """What follows a gap stays as long as that can be seen."""
    return sum(gap >= length for length in STRETCHES)


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
        DISK.narrow(file.parent, file.name)
        DISK.reserve(file)
        self._connection = sqlite3.connect(file, timeout=2, check_same_thread=False)
        try:
            self._begin(account)
            self._inode = file.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    @property
    def is_there(self) -> bool:
        """Whether its name still leads to it."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Close the file."""
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
        """Note the P&L of earlier epochs where it was not known yet and now is."""
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
        """Delete the samples after ``revision``, to which the account was put back."""
        with self._connection:
            self._connection.execute("delete from samples where revision > ?", (revision,))
            (newest,) = self._connection.execute("select max(time) from samples").fetchone()
            self._unfinish(newest or 0)

    def set_back(self, now: datetime) -> None:
        """Let no sample be later than ``now``: the clock that said so was wrong."""
        time = milliseconds(now)
        with self._connection:
            self._connection.execute("update samples set time = ? where time > ?", (time, time))
            self._unfinish(time)

    def copy_to(self, file: Path) -> None:
        """Write all of it into ``file`` too, or nothing."""
        DISK.reserve(file)
        try:
            self._connection.execute("vacuum into ?", (str(file),))
        except sqlite3.Error:
            file.unlink(missing_ok=True)
            raise

    def _begin(self, account: str) -> None:
        self._connection.execute("pragma journal_mode = wal")
        # A power failure may cost some seconds of samples.
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
            for number in _thin(list(rows))
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
    """The name of ``file`` when it is set aside at ``now``."""
    return file.with_name(f"{file.stem}.{why}-{now:%Y%m%dT%H%M%S%f}{file.suffix}")


def _thin(rows: Sequence[tuple[int, int, int, float, float, float, int, int]]) -> list[int]:
    places = thin([Point(*row[1:7]) for row in rows])
    return [rows[place][0] for place in places]


def _floor(time: int, length: int) -> int:
    return time - time % (length * 1_000)


class Placed(NamedTuple):
    """A point and what belongs to it: the sample's number, and the P&L of the epochs before."""

    number: int
    point: Point
    carried: float | None


class SampleReader:
    """Reads the samples of one account, of which there may be none; for one thread. In a ``with``
    block it opens the file once, and everything is read as of that moment."""

    def __init__(self, file: Path | None, account: str) -> None:
        self._file = file
        self._account = account
        self._held: sqlite3.Connection | None = None

    def __enter__(self) -> SampleReader:
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

        def query(connection: sqlite3.Connection) -> dict[int, float]:
            found = connection.execute(
                "select chain, max(growth) from samples where time < ? group by chain",
                (milliseconds(time),),
            )
            return dict(found)

        return self._read(query, {})

    def flows(self, chain: int) -> list[Sample]:
        """The newest samples of ``chain`` that were taken just before money came or went, oldest
        first."""

        def query(connection: sqlite3.Connection) -> list[Sample]:
            places = connection.execute(_JUST_BEFORE, (HIGHEST, chain, _MOST_FLOWS)).fetchall()
            found = [
                sample_of(connection.execute(f"{_SELECT} where id = ?", (number,)).fetchone())
                for pair in reversed(places)
                for number in pair
            ]
            pairs = zip(found[::2], found[1::2], strict=True)
            return [before for before, after in pairs if _is_flow(before, after)]

        return self._read(query, [])

    def sample(self, number: int) -> Sample | None:
        """The sample with that number."""
        return self._one("where id = ?", number)

    def growths(self, numbers: Sequence[int]) -> dict[int, Decimal]:
        """The exact growth at each of the samples with those numbers."""

        def query(connection: sqlite3.Connection) -> dict[int, Decimal]:
            places = ", ".join("?" * len(numbers))
            found = connection.execute(
                f"select id, json_extract(exact, '$[2]') from samples where id in ({places})",  # noqa: S608
                tuple(numbers),
            )
            return {number: Decimal(growth) for number, growth in found}

        return self._read(query, {})

    def points(self, begin: datetime, end: datetime) -> list[Placed]:
        """What is to be drawn from ``begin`` to ``end``, oldest first: of long spans what stays of
        longer stretches."""
        return self._read(lambda connection: _points(connection, begin, end), [])

    def _one(self, which: str, *values: object) -> Sample | None:
        def query(connection: sqlite3.Connection) -> Sample | None:
            row = connection.execute(f"{_SELECT} {which}", values).fetchone()
            return None if row is None else sample_of(row)

        return self._read(query, None)

    def _read(self, query: Callable[[sqlite3.Connection], _Found], nothing: _Found) -> _Found:
        """What ``query`` finds; ``nothing`` where there is no file of this account that can be
        read, which its writer mends."""
        try:
            if self._held is not None:
                return query(self._held)
            connection = self._opened()
            if connection is None:
                return nothing
            with closing(connection):
                return query(connection)
        except (sqlite3.Error, ValueError):
            return nothing

    def _opened(self) -> sqlite3.Connection | None:
        """The file, where there is one of this account."""
        if self._file is None or not self._file.exists():
            return None
        # Not "ro": the last one to close the file would leave its log behind.
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
    level, finished = _level(end - begin), _finished_levels(connection)
    first, last = milliseconds(begin), milliseconds(end) + 1
    found: list[tuple[Any, ...]] = []
    # Stretches that are not over have nothing of their level yet: there the next lower one has them
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
        "instr(exact, '],\"0.00\",') + instr(exact, '],\"-0.00\",') = 0, carried from samples "
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


def _finished_levels(connection: sqlite3.Connection) -> dict[int, int]:
    found = connection.execute("select name, value from known where name like 'finished_%'")
    return {int(name.rpartition("_")[2]): int(value) for name, value in found}
