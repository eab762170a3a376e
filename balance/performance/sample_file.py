"""The file of the samples: written in batches by one thread, and thinned as they grow old.

A sample begins at level 0. When a stretch of time is over, those of it that stay are raised to the
stretch's level; older ones of lower levels are deleted. So what a level has of the past is small,
and still has every low, high and fall.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, islice, pairwise
from pathlib import Path
from typing import Any, Final

from balance.core.figures import plain
from balance.core.moments import milliseconds
from balance.performance.sample import Sample
from balance.performance.sample_rows import (
    COLUMNS,
    HIGHEST,
    SELECT,
    STRETCHES,
    SUMS,
    TABLES,
    VERSION,
    Damaged,
    Record,
    Row,
    check_sums,
    proved_rows,
    read_record,
    read_tables,
    row_of,
    sums_of,
)
from balance.performance.thinning import thin
from balance.store.disk import DISK

#: For how many seconds each level stays; what is of the highest stays for ever.
STAYS: Final = (0, 86_400, 31 * 86_400, 366 * 86_400)

#: What belongs to the file while it is open, and may be left by a crash.
_BESIDE: Final = ("-wal", "-shm")
_PLACES: Final = ", ".join("?" * len(COLUMNS))
_STORE: Final = f"insert or replace into samples values ({_PLACES})"  # noqa: S608 - no names
_BY_TIME: Final = f"{SELECT} indexed by by_time"
_DELETE: Final = "delete from samples indexed by by_time"
_LEVELS: Final = range(1, HIGHEST + 1)
# More rows than a sound file ever has.
_MOST_ROWS: Final = 1_000_000
# The columns of the version before, in which rows did not prove themselves.
_OLDER: Final = (
    *("id", "time", "revision", "epoch", "chain", "level", "gap"),
    *("equity", "pnl", "growth", "carried", "exact"),
)
_SELECT_OLDER: Final = f"select {', '.join(_OLDER)} from samples order by id"  # noqa: S608


class SampleFile:
    """Writes the samples of one account; for one thread. Each method raises sqlite3.Error where
    the disk refuses or the file is damaged; nothing of it is done then."""

    def __init__(self, file: Path, account: str) -> None:
        """Open ``file``, made where missing, and prove all that is in it.

        Raises:
            WrongAccount: it is of another account.
            sqlite3.Error: it is damaged or of a newer version, or can't be opened now.
        """
        if not file.exists():
            _create(file, account)
        elif not file.stat().st_size:
            raise Damaged("it is empty")
        self._path = file
        self._account = account
        # What the file says of its rows; read anew at each change.
        self._record = Record(account=account)
        DISK.narrow(file.parent, file.name)
        self._connection = sqlite3.connect(
            file, timeout=2, check_same_thread=False, isolation_level=None
        )
        try:
            with read_tables():
                self._begin()
            self._inode = file.stat().st_ino
        except BaseException:
            self._connection.close()
            raise

    @property
    def record(self) -> Record:
        """What the file says of its rows."""
        return self._record

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
        """Add ``samples``, and thin out what has grown old by ``now``; nothing for None."""
        with self._change():
            best = {chain: self._best_of(chain) for chain in {each.chain for each in samples}}
            rows = list[Row]()
            for number, sample in enumerate(samples, self._record.last + 1):
                rows.append(row_of(sample, number, best[sample.chain]))
                best[sample.chain] = rows[-1].best
            self._store(rows)
            self._record = replace(self._record, last=self._record.last + len(rows))
            if samples and self._record.finished[0] is None:
                self._start_levels(min(milliseconds(each.time) for each in samples))
            if now is not None and self._finish(1, now):
                for level in _LEVELS[1:]:
                    self._finish(level, now)
                self._forget(now)

    def adopt(self, rows: Sequence[Row], *, is_complete: bool) -> None:
        """Take over the ``rows`` of an earlier file, oldest first. Unless it ``is_complete``,
        nobody knows what was between any two of them."""
        if not is_complete:
            rows = _with_gaps(rows)
        until = 0 if is_complete else rows[-1].time
        with self._change():
            self._store(rows)
            self._record = replace(
                self._record, last=rows[-1].id, adopted=len(rows), incomplete_until=until
            )
            self._start_levels(rows[0].time)

    def fill(self, carried: Callable[[int], Decimal | None]) -> None:
        """Note the P&L of earlier epochs where it was not known yet and now is."""
        with self._change():
            rows = self._rows("where carried is null")
            known = {epoch: carried(epoch) for epoch in {row.epoch for row in rows}}
            self._update(
                (row, row._replace(carried=plain(total)))
                for row in rows
                if (total := known[row.epoch]) is not None
            )

    def take_back(self, revision: int) -> None:
        """Delete the samples after ``revision``, to which the account was put back."""
        with self._change():
            self._delete("where revision > ?", revision)
            newest = self._rows("order by time desc, id desc limit 1")
            self._unfinish(newest[0].time if newest else 0)

    def set_back(self, now: datetime) -> None:
        """Let no sample be later than ``now``: the clock that said so was wrong."""
        time = milliseconds(now)
        with self._change():
            rows = self._rows("where time > ?", time)
            self._update((row, row._replace(time=time)) for row in rows)
            self._unfinish(time)

    def copy_to(self, file: Path) -> None:
        """Write all of it into ``file`` too, or nothing."""
        DISK.reserve(file)
        try:
            self._connection.execute("vacuum into ?", (str(file),))
        except sqlite3.Error:
            file.unlink(missing_ok=True)
            raise

    def _begin(self) -> None:
        self._connection.execute("pragma journal_mode = wal")
        # A power failure may cost some seconds of samples.
        self._connection.execute("pragma synchronous = normal")
        (version,) = self._connection.execute("pragma user_version").fetchone()
        if version > VERSION:
            raise Damaged("it is of a newer version of this program")
        (sound,) = self._connection.execute("pragma integrity_check(1)").fetchone()
        if sound != "ok":
            raise Damaged(sound.splitlines()[-1])
        if version == 1:
            self._bring_up_to_date()
        self._record = read_record(self._connection)
        if self._record.account != self._account:
            raise WrongAccount(self._record.account)
        check_sums(self._connection, self._record)
        self._rows("")

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Do all that is done in the block, or nothing; with the record of the rows at hand."""
        with _transaction(self._connection):
            before = self._record = read_record(self._connection)
            yield
            if self._record != before:
                self._connection.execute("update record set text = ?", (self._record.text,))

    def _rows(self, which: str, *values: object) -> list[Row]:
        """The rows ``which``, a condition and an order of SQL, selects."""
        found = self._connection.execute(f"{_BY_TIME} {which}", values)
        return list(proved_rows(found, self._account))

    def _store(self, rows: Sequence[Row]) -> None:
        """Add ``rows``."""
        self._connection.executemany(_STORE, [(*row, row.proof(self._account)) for row in rows])
        self._record = self._record.with_rows(rows)

    def _update(self, changes: Iterable[tuple[Row, Row]]) -> None:
        """Store the second row of each pair in place of the first, where it is another."""
        pairs = [(before, after) for before, after in changes if before != after]
        self._record = self._record.with_rows((before for before, _ in pairs), -1)
        self._store([after for _, after in pairs])

    def _delete(self, which: str, *values: object) -> None:
        sums = self._connection.execute(f"{SUMS} {which}", values).fetchone()
        self._connection.execute(f"{_DELETE} {which}", values)
        self._record = self._record.with_sums([each or 0 for each in sums], -1)

    def _best_of(self, chain: int) -> float:
        """The best growth of ``chain`` so far."""
        newest = self._rows("where chain = ? order by time desc, id desc limit 1", chain)
        return newest[0].best if newest else 0.0

    def _bring_up_to_date(self) -> None:
        """Give the rows of the version before what they prove themselves by."""
        known = dict(self._connection.execute("select name, value from known"))
        account = known.get("account", "")
        if account != self._account:
            raise WrongAccount(account)
        best = dict[int, float]()
        found = self._connection.execute(_SELECT_OLDER)
        rows = [_older_row(each, best) for each in found]
        record = Record(account=account)
        try:
            if rows:
                finished = tuple(int(known[f"finished_{each}"]) for each in _LEVELS)
                record = replace(record, finished=finished)
        except (KeyError, ValueError) as fault:
            raise Damaged(f"it does not say what is thinned out: {fault}") from fault
        with _transaction(self._connection):
            for table in ("samples", "known"):
                self._connection.execute(f"drop table {table}")
            _make_tables(self._connection, record, rows)

    def _set_finished(self, level: int, time: int) -> None:
        finished = list(self._record.finished)
        finished[level - 1] = time
        self._record = replace(self._record, finished=tuple(finished))

    def _unfinish(self, time: int) -> None:
        """Have the stretches from ``time`` on be thinned out again."""
        for level, length in enumerate(STRETCHES, start=1):
            finished = self._record.finished[level - 1]
            if finished is not None:
                self._set_finished(level, min(finished, _floor(time, length)))

    def _start_levels(self, time: int) -> None:
        for level, length in enumerate(STRETCHES, start=1):
            self._set_finished(level, _floor(time, length))

    def _finish(self, level: int, now: datetime) -> bool:
        """Raise what stays of the stretches of ``level`` that are over; whether there was one."""
        length = STRETCHES[level - 1]
        begin, end = self._record.finished[level - 1], _floor(milliseconds(now), length)
        if begin is None or begin >= end:
            return False
        found = self._rows(
            "where level >= ? and time >= ? and time < ? order by time, id", level - 1, begin, end
        )
        self._update(
            (row, row._replace(level=max(row.level, level)))
            for _, rows in groupby(found, key=lambda row: (row.epoch, _floor(row.time, length)))
            for row in _thin(list(rows))
        )
        self._set_finished(level, end)
        return True

    def _forget(self, now: datetime) -> None:
        for level, seconds in enumerate(STAYS):
            until = milliseconds(now - timedelta(seconds=seconds))
            finished = self._record.finished[level]
            until = until if finished is None else min(until, finished)
            self._delete("where level = ? and time < ?", level, until)


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


def sound_rows(file: Path, account: str) -> tuple[list[Row], bool]:
    """The rows of ``account`` in a damaged ``file`` that prove themselves, oldest first; whether
    they are all that there were."""
    found, record = dict[int, Row](), None
    with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=2)) as connection:
        # From both ends, as far as each leads.
        for order in ("order by id", "order by id desc"):
            with suppress(sqlite3.Error), read_tables():
                rows = connection.execute(f"{SELECT} not indexed {order}")
                for each in islice(rows, _MOST_ROWS):
                    with suppress(Damaged):
                        found |= {row.id: row for row in proved_rows([each], account)}
        with read_tables():
            record = read_record(connection)
    sound = sorted(found.values())
    return sound, record is not None and record.sums == sums_of(sound)


def _create(file: Path, account: str) -> None:
    """Make ``file`` with all its tables, so that an empty one is always a damaged one."""
    new = file.with_name(f".{file.name}.new.tmp")
    new.unlink(missing_ok=True)
    DISK.reserve(new)
    connection = sqlite3.connect(new, isolation_level=None)
    with closing(connection), _transaction(connection):
        _make_tables(connection, Record(account=account), ())
    # What is left of the log of an earlier file is none of this one's.
    for ending in _BESIDE:
        file.with_name(file.name + ending).unlink(missing_ok=True)
    DISK.rename(str(new), file)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all that is done in the block, or nothing."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def _make_tables(connection: sqlite3.Connection, record: Record, rows: Sequence[Row]) -> None:
    """Make the tables with ``rows``, of which ``record`` does not know yet."""
    for each in TABLES:
        connection.execute(each)
    connection.executemany(_STORE, [(*row, row.proof(record.account)) for row in rows])
    record = replace(record.with_rows(rows), last=rows[-1].id if rows else 0)
    connection.execute("insert into record values (1, ?)", (record.text,))
    connection.execute(f"pragma user_version = {VERSION}")


def _older_row(values: tuple[Any, ...], best: dict[int, float]) -> Row:
    """The row for one of the version before, as ``_OLDER`` has it; ``best`` has the best growths of
    the chains up to it.

    Raises:
        Damaged: its numbers are not those of its exact figures.
    """
    *numbers, carried, exact = values
    try:
        row = Row._make([*numbers, 0.0, carried, exact])
        sample = replace(row.sample, is_kept=False)
        known = row_of(sample, row.id, best.get(row.chain, 0.0))._replace(level=row.level)
    except (ValueError, TypeError, ArithmeticError) as fault:
        raise Damaged(f"the sample {values[0]!r:.20} is none: {fault}") from fault
    if known._replace(best=0.0) != row:
        raise Damaged(f"the sample {row.id} does not agree with its exact figures")
    best[row.chain] = known.best
    return known


def _with_gaps(rows: Sequence[Row]) -> list[Row]:
    """``rows`` with a gap before each of them."""
    seconds = [0, *((after.time - before.time) // 1_000 for before, after in pairwise(rows))]
    return [row._replace(gap=max(row.gap, gap, 1)) for row, gap in zip(rows, seconds, strict=True)]


def _thin(rows: Sequence[Row]) -> list[Row]:
    return [rows[place] for place in thin([row.point for row in rows])]


def _floor(time: int, length: int) -> int:
    return time - time % (length * 1_000)
