"""The keeper of the samples: they wait in memory until a file has them, come what may."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from balance.core.moments import utc_text
from balance.performance.sample import Sample
from balance.performance.sample_file import (
    EQUITY_FILE,
    SampleFile,
    WrongAccount,
    named_aside,
    set_aside,
)
from balance.performance.sample_reader import Reader
from balance.performance.tracker import before_end

#: How many samples wait while the disk takes none; then the oldest that need not stay go.
MOST_WAITING: Final = 20_000

_log = logging.getLogger(__name__)


class Keeper:
    """Keeps the samples of one account at a time in a file in ``folder``; for one thread, but for
    ``words``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EQUITY_FILE
        self._account = ""
        self._file: SampleFile | None = None
        self._waiting: list[Sample] = []
        self._is_refused = False
        #: What became of an earlier file, for people; empty where nothing did.
        self.words = ""

    def open(self, account: str, now: datetime) -> bool:
        """Take up the samples of ``account``; a file that has none of it is kept aside. Whether
        the disk let that be done."""
        self.close()
        self._account, self._waiting = account, []
        self._take_up(now)
        return self._file is not None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, samples: Sequence[Sample]) -> None:
        """Have ``samples`` kept at the next :meth:`write`."""
        self._waiting += samples
        if len(self._waiting) > MOST_WAITING:
            half = len(self._waiting) // 2
            self._waiting = [each for each in self._waiting[:half] if each.is_kept] + self._waiting[
                half:
            ]

    def write(self, now: datetime, *, thins: bool = True) -> None:
        """Write what waits; where the disk refuses, it waits on. What has grown old by ``now`` is
        thinned out where it ``thins``."""

        def write(file: SampleFile) -> None:
            file.write(self._waiting, now if thins else None)
            self._waiting = []

        self._notice_removal(now)
        if self._file is None:
            self._take_up(now)
        self._tried(write, now)

    def fill(self, carried: Callable[[int], Decimal | None], now: datetime) -> None:
        """Note what earlier epochs brought, where that is known only now."""
        self._tried(lambda file: file.fill(carried), now)

    def take_back(self, revision: int, now: datetime) -> None:
        """Forget what came after ``revision``, as the account was put back to that; it is kept
        aside."""

        def take_back(file: SampleFile) -> None:
            aside = self._copied(file, "taken-back", now)
            file.take_back(revision)
            self._say(
                f"The account was put back to revision {revision}. What was sampled after it is "
                f"in {aside.name}."
            )

        self._waiting = [each for each in self._waiting if each.revision <= revision]
        self._tried(take_back, now)

    def set_back(self, now: datetime) -> None:
        """Have nothing be later than ``now``, as the clock was wrong; what was is kept aside."""

        def set_back(file: SampleFile) -> None:
            aside = self._copied(file, "set-back", now)
            file.set_back(now)
            self._say(
                f"The clock was ahead of {utc_text(now)}, where it is now. What was sampled after "
                f"that has this time instead; as it was, it is in {aside.name}."
            )

        self._waiting = [replace(each, time=min(each.time, now)) for each in self._waiting]
        self._tried(set_back, now)

    def newest(self) -> Sample | None:
        """The last sample that was taken."""
        return self._waiting[-1] if self._waiting else self._reader.newest()

    def oldest(self) -> Sample | None:
        """The first that was taken."""
        return self._reader.oldest() or next(iter(self._waiting), None)

    def at(self, time: datetime) -> Sample | None:
        """The last sample at or before ``time``."""
        waiting = (each for each in reversed(self._waiting) if each.time <= time)
        return next(waiting, None) or self._reader.at(time)

    def after(self, time: datetime) -> Sample | None:
        """The first sample after ``time``."""
        waiting = (each for each in self._waiting if each.time > time)
        return self._reader.after(time) or next(waiting, None)

    def before_end(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``, which has ended, from before that."""
        return before_end(self._waiting, epoch) or self._reader.before_end(epoch)

    @property
    def _reader(self) -> Reader:
        return Reader(self._path, self._account)

    def _notice_removal(self, now: datetime) -> None:
        """Let go of a file that somebody has taken away: nobody would ever read it."""
        if self._file is not None and not self._file.is_there:
            self.close()
            self._say(
                f"{EQUITY_FILE} was taken away while it was written, and the equity is sampled "
                f"anew since {utc_text(now)}."
            )

    def _copied(self, file: SampleFile, why: str, now: datetime) -> Path:
        aside = named_aside(self._path, why, now)
        file.copy_to(aside)
        return aside

    def _take_up(self, now: datetime) -> None:
        """Open the file; one that is of no use is kept aside, and a new one begun."""
        try:
            self._file = self._opened(now)
            self._is_refused = False
        except (sqlite3.Error, OSError) as fault:
            self._refused(fault)

    def _opened(self, now: datetime) -> SampleFile:
        try:
            return SampleFile(self._path, self._account)
        except WrongAccount:
            aside = set_aside(self._path, "other-account", now)
            self._say(f"The samples of another account are in {aside.name}.")
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as fault:
            self._set_damaged_aside(fault, now)
        return SampleFile(self._path, self._account)

    def _tried(self, do: Callable[[SampleFile], None], now: datetime) -> None:
        if self._file is None:
            return
        try:
            do(self._file)
            self._is_refused = False
        except sqlite3.OperationalError as fault:
            self._refused(fault)
        except sqlite3.DatabaseError as fault:
            self.close()
            try:
                self._set_damaged_aside(fault, now)
            except OSError as refused:
                self._refused(refused)

    def _set_damaged_aside(self, fault: sqlite3.Error, now: datetime) -> None:
        aside = set_aside(self._path, "damaged", now)
        self._say(
            f"{EQUITY_FILE} can't be used: {fault}. It is kept as {aside.name}, and the equity is "
            f"sampled anew since {utc_text(now)}."
        )

    def _say(self, words: str) -> None:
        self.words = words
        _log.error("%s", words)

    def _refused(self, fault: Exception) -> None:
        if not self._is_refused:
            _log.error("the equity's samples wait, as the disk takes none: %s", fault)
        self._is_refused = True
