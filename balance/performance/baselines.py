"""Where the P&L of a day, of a week and of all time is measured from, by the samples there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Protocol

from balance.core.entry import Entry
from balance.core.money import exactly
from balance.core.periods import NO_BASELINES, Baselines, after_reset, day_start, week_start
from balance.performance.sample import Sample, pnl_since
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_rows import EQUITY_FILE

# What could not be found is searched again after so long.
_READ_AGAIN_SECONDS: Final = 5.0


class Samples(Protocol):
    """Samples of one account, to be sought by time."""

    def oldest(self) -> Sample | None:
        """The first that was taken."""

    def at(self, time: datetime) -> Sample | None:
        """The last at or before ``time``."""

    def after(self, time: datetime) -> Sample | None:
        """The first after ``time``."""


def baseline(samples: Samples, time: datetime) -> Sample | None:
    """The account as it was at ``time``: the last sample up to then, or the first moment of an
    account that is younger; None where neither is known."""
    found = samples.at(time)
    if found is not None:
        return found
    oldest = samples.oldest()
    # The first revision is the start of an account: before it there was nothing.
    return oldest if oldest is not None and oldest.revision == 1 else None


def period_base(samples: Samples, time: datetime, last: Sample) -> Sample | None:
    """The account as it was when a period began at ``time``, as :func:`baseline` has it; None also
    where nobody saw what the market did then. ``last`` is the newest moment."""
    base = baseline(samples, time)
    if base is None or base.time > time:
        return base
    after = samples.after(time) or last
    # Entries have times of their own; what the market did may have been before or after.
    return None if after.gap and _by_market(base) != _by_market(after) else base


def _by_market(sample: Sample) -> tuple[Decimal, ...]:
    wallet = sample.wallet
    return sample.unrealized_pnl, wallet.realized_pnl, wallet.fees_paid, wallet.funding


@exactly
def baselines_of(samples: Samples, last: Sample, account: str, now: datetime) -> Baselines:
    """The baselines of ``account`` at ``now``, whose newest sample is ``last``."""
    return Baselines(
        account=account,
        epoch=last.epoch,
        day=_before(last, period_base(samples, day_start(now), last)),
        week=_before(last, period_base(samples, week_start(now), last)),
        all_time=last.carried,
    )


def _before(last: Sample, base: Sample | None) -> Decimal | None:
    """What the P&L of the epoch of ``last`` has to be added to for that since ``base``."""
    pnl = pnl_since(base, last)
    return None if pnl is None else pnl - last.pnl


class FilePast:
    """The past by the samples of the server in ``folder``, for programs beside it."""

    def __init__(
        self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._file = folder / EQUITY_FILE
        self._clock = clock
        #: What was found last.
        self.found = NO_BASELINES
        self._read_at: datetime | None = None
        # The account's revision then, and whether the file had all until that day began.
        self._revision = 0
        self._is_settled = False

    def __call__(self, account: str, epoch: int, entries: Sequence[Entry]) -> Baselines:
        """The baselines of ``epoch`` of ``account``, whose newest commit has ``entries``; read
        anew on another day, and now and then while something is missing."""
        now = self._clock()
        self.found = after_reset(self.found, account, epoch, entries)
        revision = entries[-1].revision if entries else 0
        if not self._is_good(account, epoch, revision, now):
            self._read_at, self._revision = now, revision
            self._read(account, epoch, now)
        return self.found

    def _read(self, account: str, epoch: int, now: datetime) -> None:
        self._is_settled = False
        # The server that writes the file mends it.
        with suppress(sqlite3.Error), SampleReader(self._file, account) as reader:
            last = reader.newest_of(epoch)
            if last is not None:
                found = baselines_of(reader, last, account, now)
                self.found = found.numbered_after(self.found)
                self._is_settled = last.time >= day_start(now) and last.revision <= self._revision

    def _is_good(self, account: str, epoch: int, revision: int, now: datetime) -> bool:
        read_at = self._read_at
        if read_at is None or day_start(read_at) != day_start(now):
            return False
        if revision < self._revision:
            return False  # The account was put back.
        if self.found.fits(account, epoch) and self.found.is_whole and self._is_settled:
            return True
        return abs((now - read_at).total_seconds()) < _READ_AGAIN_SECONDS
