"""The reader of the samples, for any thread of any process: what it returns has proved itself."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from balance.core.moments import milliseconds
from balance.performance.sample import Point, Sample
from balance.performance.sample_rows import (
    HIGHEST,
    SELECT,
    STRETCHES,
    Damaged,
    Record,
    Row,
    check_sums,
    proved_rows,
    read_record,
    read_tables,
)
from balance.store.disk import DISK, Signature

# A level is read where a span has no more stretches of it than this.
_MOST_STRETCHES: Final = 2_000
# So many pairs of samples that stay are searched for flows, the newest first.
_MOST_FLOWS: Final = 100
# The samples just before a change and just after it.
_JUST_BEFORE: Final = (
    "select id, next_id from (select id, time, revision, lead(id) over ordered as next_id, "
    "lead(time) over ordered as next_time, lead(revision) over ordered as next_revision "
    "from samples indexed by by_time where level = ? and chain = ? "
    "window ordered as (order by time, id)) "
    "where next_time = time and next_revision = revision + 1 order by time desc, id desc limit ?"
)
_LAST_REVISION: Final = "select max(revision) from samples indexed by by_time where epoch = ?1"
_NEWEST_FIRST: Final = "order by time desc, id desc limit 1"
_OLDEST_FIRST: Final = "order by time, id limit 1"


class Placed(NamedTuple):
    """A point and what belongs to it: the sample's number, and the P&L of the epochs before."""

    number: int
    point: Point
    carried: float | None


class _View(NamedTuple):
    """An open file, and the record of its rows."""

    connection: sqlite3.Connection
    record: Record


class Proofs:
    """Remembers which state of a file had all rows in its index, so that those who read it often
    need not count them each time. Safe to use from many threads."""

    def __init__(self) -> None:
        self._proved: tuple[Signature, ...] = ()

    def check(self, before: tuple[Signature, ...], view: _View, now: int) -> None:
        """Prove ``view``, of a file that had the signatures ``before`` it was opened at ``now``, in
        nanoseconds; without any it is proved each time.

        Raises:
            sqlite3.Error: rows are missing, or it can't be read.
        """
        if not before or before != self._proved:
            check_sums(view.connection, view.record)
            # Another change within the same tick of the clock would not be seen.
            self._proved = () if any(each.is_racy(now) for each in before) else before


class SampleReader:
    """Reads the samples of one account, of which there may be none; for one thread. In a ``with``
    block it opens the file once, and everything is read as of that moment.

    Each method, and the beginning of the block, raises sqlite3.Error where the file is damaged or
    can't be read now.
    """

    def __init__(self, file: Path | None, account: str, proofs: Proofs | None = None) -> None:
        """``file`` None: there are none. What was proved of it is remembered in ``proofs``."""
        self._file = file
        self._proofs = proofs or Proofs()
        self._account = account
        self._held: _View | None = None
        self._is_held = False

    def __enter__(self) -> SampleReader:
        self._held, self._is_held = self._opened(), True
        return self

    def __exit__(self, *_: object) -> None:
        held, self._held, self._is_held = self._held, None, False
        if held is not None:
            held.connection.close()

    def newest(self) -> Sample | None:
        """The last sample that was taken."""
        return self._one(_NEWEST_FIRST)

    def oldest(self) -> Sample | None:
        """The first that was taken."""
        return self._one(_OLDEST_FIRST)

    def at(self, time: datetime) -> Sample | None:
        """The last sample at or before ``time``."""
        return self._one(f"where time <= ? {_NEWEST_FIRST}", milliseconds(time))

    def after(self, time: datetime) -> Sample | None:
        """The first sample after ``time``."""
        return self._one(f"where time > ? {_OLDEST_FIRST}", milliseconds(time))

    def newest_of(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``."""
        return self._one(f"where epoch = ? {_NEWEST_FIRST}", epoch)

    def before_end(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``, which has ended, from before that."""
        return self._one(
            f"where epoch = ?1 and revision < ({_LAST_REVISION}) {_NEWEST_FIRST}",
            epoch,
        )

    def first_of_chain(self, chain: int) -> Sample | None:
        """The first sample of ``chain``, the epochs that continue each other."""
        return self._one(f"where chain = ? {_OLDEST_FIRST}", chain)

    def best_growths(self, time: datetime, chains: Sequence[int]) -> dict[int, float]:
        """The best growth of each of ``chains`` before ``time``, of those that had begun."""
        found = dict[int, float]()
        with self._view() as view:
            for chain in set(chains):
                which = f"where chain = ? and time < ? {_NEWEST_FIRST}"
                rows = self._rows(view, which, chain, milliseconds(time))
                found |= {row.chain: row.best for row in rows}
        return found

    def flows(self, chain: int) -> list[Sample]:
        """The newest samples of ``chain`` that were taken just before money came or went, oldest
        first."""
        with self._view() as view:
            if view is None:
                return []
            pairs = view.connection.execute(_JUST_BEFORE, (HIGHEST, chain, _MOST_FLOWS)).fetchall()
            samples = self._samples(view, [number for pair in pairs for number in pair])
        found = [(samples[before], samples[after]) for before, after in reversed(pairs)]
        return [before for before, after in found if _is_flow(before, after)]

    def sample(self, number: int) -> Sample | None:
        """The sample with that number."""
        with self._view() as view:
            return next((_sample(each) for each in self._rows(view, "where id = ?", number)), None)

    def growths(self, numbers: Sequence[int]) -> dict[int, Decimal]:
        """The exact growth at each of the samples with those numbers, all of which there are."""
        with self._view() as view:
            return {number: each.growth for number, each in self._samples(view, numbers).items()}

    def points(self, begin: datetime, end: datetime) -> list[Placed]:
        """What is to be drawn from ``begin`` to ``end``, oldest first: of long spans what stays of
        longer stretches."""
        level, found = _level(end - begin), list[Row]()
        first, last = milliseconds(begin), milliseconds(end) + 1
        with self._view() as view:
            if view is None:
                return []
            # Stretches that are not over have nothing of their level yet: there the next lower one
            # has them.
            for each in range(level, -1, -1):
                until = min(last, view.record.finished[each - 1] or first) if each else last
                if until > first:
                    which = "where level >= ? and time >= ? and time < ? order by time, id"
                    found += self._rows(view, which, each, first, until)
                    first = until
        return [
            Placed(row.id, row.point, None if row.carried is None else float(row.carried))
            for row in found
        ]

    def is_complete(self, since: datetime) -> bool:
        """Whether no samples from ``since`` on were lost with a damaged file."""
        with self._view() as view:
            return view is None or milliseconds(since) > view.record.incomplete_until

    def _one(self, which: str, *values: object) -> Sample | None:
        with self._view() as view:
            return next((_sample(each) for each in self._rows(view, which, *values)), None)

    def _samples(self, view: _View | None, numbers: Sequence[int]) -> Mapping[int, Sample]:
        places = ", ".join("?" * len(numbers))
        rows = self._rows(view, f"where id in ({places})", *numbers)
        found = {row.id: _sample(row) for row in rows}
        if len(found) < len(set(numbers)):
            raise Damaged("some of its samples are missing")
        return found

    def _rows(self, view: _View | None, which: str, *values: object) -> Iterator[Row]:
        """The rows ``which``, a condition and an order of SQL, selects."""
        if view is None:
            return iter(())
        # By their numbers rows are found in the table: those come from the index.
        how = "not indexed" if which.startswith("where id") else "indexed by by_time"
        return proved_rows(
            view.connection.execute(f"{SELECT} {how} {which}", values), self._account
        )

    @contextmanager
    def _view(self) -> Iterator[_View | None]:
        """The file; None where there is none of this account."""
        if self._is_held:
            yield self._held
            return
        view = self._opened()
        try:
            yield view
        finally:
            if view is not None:
                view.connection.close()

    def _opened(self) -> _View | None:
        if self._file is None or not self._file.exists():
            return None
        now, signatures = time.time_ns(), _signatures(self._file)
        # Not "ro": the last one to close the file would leave its log behind.
        where = f"file:{quote(str(self._file.absolute()))}?mode=rw"
        connection = sqlite3.connect(where, uri=True, timeout=2, isolation_level=None)
        try:
            connection.execute("pragma query_only = true")
            connection.execute("begin")
            (version,) = connection.execute("pragma user_version").fetchone()
            # Its writer soon brings an older one up to date.
            with read_tables():
                record = None if version == 1 else read_record(connection)
            if record is not None and record.account == self._account:
                view = _View(connection, record)
                self._proofs.check(signatures, view, now)
                return view
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None


def _signatures(file: Path) -> tuple[Signature, ...]:
    """Those of ``file`` and of its log; none while it has none, as then it is being opened."""
    try:
        return tuple(DISK.signature(file.with_name(file.name + end)) for end in ("", "-wal"))
    except OSError:
        return ()


def _sample(row: Row) -> Sample:
    try:
        return row.sample
    except (ValueError, TypeError, ArithmeticError) as fault:
        raise Damaged(f"the sample {row.id} is none: {fault}") from fault


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
