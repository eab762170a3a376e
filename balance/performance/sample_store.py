"""The store of the samples: they wait in memory until a file has them."""

from __future__ import annotations

import logging
import os
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
    SampleFile,
    WrongAccount,
    named_aside,
    set_aside,
    sound_rows,
)
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_rows import EQUITY_FILE, is_damage
from balance.performance.tracker import before_end
from balance.store.damage import Damage, Damages

#: So many samples wait while the disk refuses; then the oldest that need not stay go.
MOST_WAITING: Final = 20_000
#: After so many writes, which is about an hour, all that is in the file is proved again.
PROVED_AFTER: Final = 3_600

_WHEN_DONE: Final = (
    "The account itself is not concerned. Delete that file when you no longer need it."
)

_log = logging.getLogger(__name__)


class SampleStore:
    """Stores the samples of one account at a time in a file in ``folder``; for one thread, but for
    ``message`` and :meth:`suspect`."""

    def __init__(self, folder: Path, damages: Damages | None = None) -> None:
        """A file that is damaged is reported to ``damages``."""
        self._damages = damages or Damages()
        # How often the file was written since all of it was proved; more: it is to be proved now.
        self._writes = 0
        self._path = folder / EQUITY_FILE
        self._account = ""
        self._file: SampleFile | None = None
        self._waiting: list[Sample] = []
        self._is_refused = False
        #: What became of an earlier file, for people; empty where nothing did.
        self.message = ""
        # The damaged files that lie in the folder, and what was reported of them.
        self._asides: tuple[Path, ...] = ()
        self._reported = ""

    def open(self, account: str, now: datetime) -> bool:
        """Open the samples of ``account``; a file of another account is set aside. False where the
        disk refuses."""
        self.close()
        self._account, self._waiting = account, []
        self._open_file(now)
        self._recall_damage()
        return self._file is not None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, samples: Sequence[Sample]) -> None:
        """Let ``samples`` be written at the next :meth:`write`."""
        self._waiting += samples
        if len(self._waiting) > MOST_WAITING:
            half = len(self._waiting) // 2
            older, newer = self._waiting[:half], self._waiting[half:]
            self._waiting = [*(each for each in older if each.is_kept), *newer]

    def write(self, now: datetime, *, thins: bool = True) -> None:
        """Write what waits; where the disk refuses, it waits on. Samples that are old by ``now``
        are thinned out where it ``thins``."""

        def write(file: SampleFile) -> None:
            file.write(self._waiting, now if thins else None)
            self._waiting = []

        self._notice_removal(now)
        if self._asides and not any(each.exists() for each in self._asides):
            self._recall_damage()
        self._writes += 1
        if self._writes > PROVED_AFTER:
            self.close()
        if self._file is None:
            self._open_file(now)
        self._attempt(write, now)

    def suspect(self) -> None:
        """Prove all that is in the file at the next :meth:`write`, as it was found damaged."""
        self._writes = PROVED_AFTER

    def fill(self, carried: Callable[[int], Decimal | None], now: datetime) -> None:
        """Note the P&L of earlier epochs where it is known only now."""
        self._attempt(lambda file: file.fill(carried), now)

    def take_back(self, revision: int, now: datetime) -> None:
        """Delete the samples after ``revision``, to which the account was put back; a copy of all
        is set aside."""

        def take_back(file: SampleFile) -> None:
            aside = self._copied(file, "taken-back", now)
            file.take_back(revision)
            self._report(
                f"The account was put back to revision {revision}. What was sampled after it is "
                f"in {aside.name}."
            )

        self._waiting = [each for each in self._waiting if each.revision <= revision]
        self._attempt(take_back, now)

    def set_back(self, now: datetime) -> None:
        """Let no sample be later than ``now``, as the clock was wrong; a copy of all is set
        aside."""

        def set_back(file: SampleFile) -> None:
            aside = self._copied(file, "set-back", now)
            file.set_back(now)
            self._report(
                f"The clock was ahead of {utc_text(now)}, where it is now. What was sampled after "
                f"that has this time instead; as it was, it is in {aside.name}."
            )

        self._waiting = [replace(each, time=min(each.time, now)) for each in self._waiting]
        self._attempt(set_back, now)

    def newest(self) -> Sample | None:
        """The last sample that was taken."""
        return self._waiting[-1] if self._waiting else self._read(SampleReader.newest)

    def oldest(self) -> Sample | None:
        """The first that was taken."""
        return self._read(SampleReader.oldest) or next(iter(self._waiting), None)

    def at(self, time: datetime) -> Sample | None:
        """The last sample at or before ``time``."""
        waiting = (each for each in reversed(self._waiting) if each.time <= time)
        return next(waiting, None) or self._read(lambda reader: reader.at(time))

    def after(self, time: datetime) -> Sample | None:
        """The first sample after ``time``."""
        waiting = (each for each in self._waiting if each.time > time)
        return self._read(lambda reader: reader.after(time)) or next(waiting, None)

    def before_end(self, epoch: int) -> Sample | None:
        """The last sample of ``epoch``, which has ended, from before that."""
        return before_end(self._waiting, epoch) or self._read(
            lambda reader: reader.before_end(epoch)
        )

    def _read(self, query: Callable[[SampleReader], Sample | None]) -> Sample | None:
        """What ``query`` finds; None where the file can't be read, which the next write mends."""
        try:
            return query(SampleReader(self._path, self._account))
        except sqlite3.Error as fault:
            if self._is_damage(fault):
                self.suspect()
            return None

    def _notice_removal(self, now: datetime) -> None:
        """Close a file that was removed: nobody would ever read it."""
        if self._file is not None and not self._file.is_there:
            self.close()
            self._report(
                f"{EQUITY_FILE} was removed while it was written, and the equity is sampled "
                f"anew since {utc_text(now)}."
            )

    def _copied(self, file: SampleFile, why: str, now: datetime) -> Path:
        aside = named_aside(self._path, why, now)
        file.copy_to(aside)
        return aside

    def _open_file(self, now: datetime) -> None:
        """Open the file; one of no use is set aside, and a new one made."""
        try:
            self._file = self._usable_file(now)
            self._is_refused = False
        except (sqlite3.Error, OSError) as fault:
            self._note_refusal(fault)

    def _usable_file(self, now: datetime) -> SampleFile:
        try:
            return SampleFile(self._path, self._account)
        except WrongAccount:
            aside = set_aside(self._path, "other-account", now)
            self._report(f"The samples of another account are in {aside.name}.")
            return SampleFile(self._path, self._account)
        except sqlite3.Error as fault:
            if not self._is_damage(fault):
                raise
            return self._file_anew(fault, now)
        finally:
            self._writes = 0

    def _attempt(self, action: Callable[[SampleFile], None], now: datetime) -> None:
        if self._file is None:
            return
        try:
            action(self._file)
            self._is_refused = False
        except sqlite3.Error as fault:
            if not self._is_damage(fault):
                self._note_refusal(fault)
                return
            self.close()
            try:
                self._file = self._file_anew(fault, now)
            except (sqlite3.Error, OSError) as refused:
                self._note_refusal(refused)

    def _is_damage(self, fault: sqlite3.Error) -> bool:
        # A file that says that it can't be written, where the system lets it be.
        code = getattr(fault, "sqlite_errorcode", 0)
        says_so = code == sqlite3.SQLITE_READONLY and os.access(self._path, os.W_OK)
        return says_so or is_damage(fault)

    def _file_anew(self, fault: sqlite3.Error, now: datetime) -> SampleFile:
        """A new file in the place of the damaged one, with what is sound in that."""
        aside = set_aside(self._path, "damaged", now)
        rows, is_complete = sound_rows(aside, self._account)
        file = SampleFile(self._path, self._account)
        if rows:
            file.adopt(rows, is_complete=is_complete)
        if rows and is_complete:
            outcome = f"All {len(rows):,} samples in it are sound, and were taken over."
        elif rows:
            outcome = (
                f"The {len(rows):,} samples in it that are sound were taken over; highs, lows and "
                f"results of the time until {utc_text(now)} may lack others."
            )
        else:
            outcome = (
                "Nothing in it could be used, and the equity is sampled anew since "
                f"{utc_text(now)}."
            )
        self._report(f"{EQUITY_FILE} can't be used: {fault}. It is now {aside.name}. {outcome}")
        self._reported = self.message
        self._recall_damage()
        return file

    def _recall_damage(self) -> None:
        """Report what was damaged, also before a restart, as long as it lies in the folder."""
        names = f"{self._path.stem}.damaged-*{self._path.suffix}"
        self._asides = tuple(sorted(self._path.parent.glob(names)))
        if not self._asides:
            self._damages.clear(EQUITY_FILE)
            if self.message == self._reported:
                self.message = self._reported = ""
            return
        if not self._reported:
            there = ", ".join(each.name for each in self._asides)
            self._reported = (
                f"{EQUITY_FILE} was damaged, and lies in {there} as it was.{self._taken_over()}"
            )
            self.message = self.message or self._reported
        message = f"{self._reported} {_WHEN_DONE}"
        self._damages.report(Damage(EQUITY_FILE, None, message))

    def _taken_over(self) -> str:
        """A sentence about what the file has of an earlier, damaged one, behind a space; empty
        where it can't be read."""
        if self._file is None:
            return ""
        record = self._file.record
        if not record.adopted:
            return " Nothing of it is used: the equity was sampled anew."
        if not record.incomplete_until:
            return f" All {record.adopted:,} samples in it were sound, and were taken over."
        return (
            f" The {record.adopted:,} samples in it that were sound were taken over; highs, lows "
            "and results of the time before may lack others."
        )

    def _report(self, message: str) -> None:
        self.message = message
        _log.error("%s", message)

    def _note_refusal(self, fault: Exception) -> None:
        if not self._is_refused:
            _log.error("the equity's samples wait, as the disk takes none: %s", fault)
        self._is_refused = True
