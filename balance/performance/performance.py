"""What there is to be asked of the equity over time and of the account's performance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from balance.core.errors import BalanceError, InvalidRequest
from balance.core.moments import iso
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.performance.curve import MOST_MARKS, RANGES, begin_of, curve, mark_row
from balance.performance.derivations.wallet import past_of
from balance.performance.drawdowns import falls
from balance.performance.figures import Told, performance
from balance.performance.past import History, Mark, NoHistory, carried_by
from balance.performance.past_epochs import PastEpoch
from balance.performance.sample import Sample
from balance.performance.sample_file import EQUITY_FILE
from balance.performance.sample_reader import Reader
from balance.performance.tracker import now_of

_FEW_MARKS: Final = f"The flags are those of the newest {MOST_MARKS} events of this range."


def _no_words() -> str:
    return ""


class Equity:
    """Answers from the samples in ``folder`` (None: there are none), the account as it is now, and
    its ``history``. Safe to use from many threads."""

    def __init__(
        self,
        desk: Desk,
        folder: Path | None = None,
        history: History | None = None,
        words: Callable[[], str] = _no_words,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``words`` says what became of an earlier file of samples."""
        self._desk = desk
        self._file = None if folder is None else folder / EQUITY_FILE
        self._history = history or NoHistory()
        self._carried = carried_by(self._history)
        self._words = words
        self._clock = clock
        # of epochs that have ended, by their last samples: those do not change
        self._ended: dict[tuple[str, Sample], tuple[Decimal | None, Decimal | None]] = {}
        # epochs of accounts that ended without a sample: there will be none
        self._unseen: set[tuple[str, int]] = set()

    def curve(self, wanted: str) -> Row:
        """The curve of the equity over the range ``wanted``, one of ``RANGES``.

        Raises:
            InvalidRequest: there is no such range.
            StoreUnreadable: the account can't be read.
        """
        if wanted not in RANGES:
            raise InvalidRequest(f"range must be one of {', '.join(RANGES)}, not {wanted!r:.40}.")
        decimals = self._desk.market.decimals
        with self._reader() as reader:
            _, now = self._now(reader)
            begin = begin_of(wanted, reader, now.time)
            oldest = reader.oldest()
            marks = self._marks(begin, now.time)
            words = (self._words(), _FEW_MARKS if len(marks) > MOST_MARKS else "")
            return {
                "range": wanted,
                "from": iso(begin),
                "to": iso(now.time),
                **curve(reader, begin, now, self._epochs(), decimals),
                "marks": [mark_row(each, decimals) for each in marks[-MOST_MARKS:]],
                "since": None if oldest is None else iso(oldest.time),
                "words": " ".join(filter(None, words)),
            }

    def performance(self) -> Row:
        """The figures of the account's performance, each with how it comes about.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        decimals = self._desk.market.decimals
        with self._reader() as reader:
            snapshot, now = self._now(reader)
            told = Told(
                snapshot=snapshot,
                now=now,
                past=past_of(self._desk.lineage(), self._desk.opening),
                epochs=self._epochs(),
                decimals=decimals,
            )
            return {"revision": snapshot.revision, **performance(told, reader)}

    def of_epoch(self, epoch: int) -> tuple[Decimal | None, Decimal | None]:
        """The time-weighted return and the maximum drawdown of ``epoch``, in percent; None where
        they are not known.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        snapshot = self._desk.snapshot()
        if epoch < snapshot.epoch and (snapshot.account, epoch) in self._unseen:
            return None, None
        with self._reader() as reader:
            snapshot, now = self._now(reader)
            last = now if epoch == snapshot.epoch else reader.newest_of(epoch)
            newest = reader.newest()
            # until one of a later epoch is there, its last may not have been written yet
            has_ended = newest is not None and newest.epoch > epoch
            if last is None:
                if has_ended:
                    self._unseen.add((snapshot.account, epoch))
                return None, None
            known = self._ended.get((snapshot.account, last))
            if known is not None:
                return known
            found = falls(reader, last).percents
        if has_ended:
            self._ended[snapshot.account, last] = found
        return found

    def _reader(self) -> Reader:
        account, _ = self._desk.version
        return Reader(self._file, account)

    def _now(self, reader: Reader) -> tuple[Snapshot, Sample]:
        """The account as it is now, and that as the sample that follows the last one."""
        # first the sample: what the other way round is sampled between them would be after now
        newest = reader.newest()
        snapshot = self._desk.snapshot()
        return snapshot, now_of(newest, snapshot, self._clock(), self._carried)

    def _epochs(self) -> Mapping[int, PastEpoch]:
        try:
            return {each.epoch: each for each in self._history.epochs(1_000)}
        except BalanceError:
            return {}  # what needs them says so

    def _marks(self, begin: datetime, end: datetime) -> Sequence[Mark]:
        try:
            return self._history.marks(begin, end, MOST_MARKS + 1)
        except BalanceError:
            return ()  # the curve is right without them
