"""The answers about the equity over time and about the account's performance."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from balance.core.entry import Entry
from balance.core.errors import BalanceError, InvalidRequest
from balance.core.moments import iso
from balance.core.periods import day_start, week_start
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.history.epochs import Epoch
from balance.history.history import History
from balance.performance.account_figures import AccountView, account_performance
from balance.performance.baselines import period_base
from balance.performance.curve import MOST_MARKS, RANGES, begin_of, curve, mark_row
from balance.performance.derivations.account import past_of
from balance.performance.derivations.returns import growth_terms
from balance.performance.results import Results
from balance.performance.sample import Sample
from balance.performance.sample_reader import Proofs, SampleReader
from balance.performance.sample_results import sample_results
from balance.performance.sample_rows import EQUITY_FILE, is_damage
from balance.performance.tracker import carried_by, current_sample

_NOTHING: Final = Results()
_FEW_MARKS: Final = f"The flags are those of the newest {MOST_MARKS} events of this range."
_NO_MARKS: Final = "Deposits, resets and liquidations are not marked on it."

_Answer = TypeVar("_Answer")


def _nothing() -> None:
    """Do nothing."""


class Equity:
    """Answers from the samples in ``folder`` (None: there are none), the account as it is now, and
    its ``history``. Safe to use from many threads."""

    def __init__(
        self,
        desk: Desk,
        folder: Path | None = None,
        history: History | None = None,
        message: Callable[[], str] = str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        suspect: Callable[[], None] = _nothing,
    ) -> None:
        """``message`` says what became of an earlier file of samples; ``suspect`` is called where
        it is found damaged, so that its writer proves and mends it."""
        self._desk = desk
        self._file = None if folder is None else folder / EQUITY_FILE
        self._history = history
        self._carried = carried_by(history)
        self._message = message
        self._clock = clock
        self._suspect = suspect
        self._proofs = Proofs()
        # The results of epochs that have ended, by their last samples: those do not change.
        self._ended: dict[tuple[str, Sample], Results] = {}
        # Epochs of accounts that ended without a sample: there will be none.
        self._unseen: set[tuple[str, int]] = set()

    def curve(self, name: str) -> Row:
        """The curve of the equity over the range ``name``, one of ``RANGES``.

        Raises:
            InvalidRequest: there is no such range.
            StoreUnreadable: the account can't be read.
        """
        if name not in RANGES:
            raise InvalidRequest(f"range must be one of {', '.join(RANGES)}, not {name!r:.40}.")
        decimals = self._desk.market.decimals

        def answer(reader: SampleReader, message: str) -> Row:
            _, now = self._now(reader)
            begin = begin_of(name, reader, now.time)
            oldest = reader.oldest()
            marks, about_marks = self._marks(begin, now.time)
            messages = (message, self._message(), about_marks)
            return {
                "range": name,
                "from": iso(begin),
                "to": iso(now.time),
                **curve(reader, begin, now, self._epochs(), decimals),
                "marks": [mark_row(each, decimals) for each in marks[-MOST_MARKS:]],
                "since": None if oldest is None else iso(oldest.time),
                "words": " ".join(filter(None, messages)),
            }

        return self._answered(answer)

    def performance(self) -> Row:
        """The figures of the account's performance, each with how it comes about.

        Raises:
            StoreUnreadable: the account can't be read.
        """

        def answer(reader: SampleReader, _: str) -> Row:
            snapshot, now = self._now(reader)
            return {
                "revision": snapshot.revision,
                **account_performance(self._view(reader, snapshot, now)),
            }

        return self._answered(answer)

    def of_epoch(self, epoch: int) -> Results:
        """What came of ``epoch``, but for its trades; nothing where it has no samples.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        snapshot = self._desk.snapshot()
        if epoch < snapshot.epoch and (snapshot.account, epoch) in self._unseen:
            return _NOTHING
        return self._answered(lambda reader, _: self._of_epoch(epoch, reader))

    def _of_epoch(self, epoch: int, reader: SampleReader) -> Results:
        snapshot, now = self._now(reader)
        last = now if epoch == snapshot.epoch else reader.newest_of(epoch)
        newest = reader.newest()
        # Before there is a sample of a later epoch, the last one may not have been written.
        has_ended = newest is not None and newest.epoch > epoch
        if last is None:
            if has_ended:
                self._unseen.add((snapshot.account, epoch))
            return _NOTHING
        known = self._ended.get((snapshot.account, last))
        if known is not None:
            return known
        found = sample_results(reader, last)
        if has_ended:
            self._ended[snapshot.account, last] = found
        return found

    def _answered(self, answer: Callable[[SampleReader, str], _Answer]) -> _Answer:
        """What ``answer`` makes of the samples and a message on them; where the file of them can't
        be read, what it makes of none."""
        account, _ = self._desk.version
        try:
            with SampleReader(self._file, account, self._proofs) as reader:
                return answer(reader, "")
        except sqlite3.Error as fault:
            if is_damage(fault):
                self._suspect()
            message = f"{EQUITY_FILE} can't be read: {fault}. Nothing that was sampled is shown."
            return answer(SampleReader(None, account), message)

    def _now(self, reader: SampleReader) -> tuple[Snapshot, Sample]:
        """The account as it is now, and that as the sample that follows the last one."""
        # The snapshot is taken after the sample, so that no sample is later than it.
        newest = reader.newest()
        snapshot = self._desk.snapshot()
        return snapshot, current_sample(newest, snapshot, self._clock(), self._carried)

    def _view(self, reader: SampleReader, snapshot: Snapshot, now: Sample) -> AccountView:
        past = past_of(self._desk.ledger.lineage(), self._desk.ledger.opening)
        epochs, decimals = self._epochs(), self._desk.market.decimals
        running = epochs.get(now.epoch)
        results = replace(
            sample_results(reader, now),
            trades=None if running is None else running.trades,
            decimals=decimals,
            growth_terms=growth_terms(now, reader.flows(now.chain), decimals),
            epochs=",".join(str(each) for each in (now.epoch, *(one.epoch for one in past.stages))),
        )
        return AccountView(
            snapshot=snapshot,
            sample=now,
            day=period_base(reader, day_start(now.time), now),
            week=period_base(reader, week_start(now.time), now),
            past=past,
            epochs=epochs,
            results=results,
        )

    def _epochs(self) -> Mapping[int, Epoch]:
        if self._history is None:
            return {}
        try:
            return {each.epoch: each for each in self._history.epochs(1_000)}
        except BalanceError:
            return {}  # Derivations that need them say so.

    def _marks(self, begin: datetime, end: datetime) -> tuple[Sequence[Entry], str]:
        """The entries that are marked on the curve, and what is to be said of them."""
        if self._history is None:
            return (), ""
        try:
            marks = self._history.marks(begin, end, MOST_MARKS + 1)
        except BalanceError as fault:
            return (), f"{_NO_MARKS} {fault}"  # The curve is right without them.
        return marks, _FEW_MARKS if len(marks) > MOST_MARKS else ""
