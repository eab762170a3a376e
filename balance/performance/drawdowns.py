"""The deepest falls of an epoch, found in what is drawn of it, told by exact samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from balance.core.wallet import Wallet
from balance.performance.derivations.returns import fall_percent, return_percent
from balance.performance.sample import Sample
from balance.performance.sample_reader import Placed, Reader
from balance.performance.thinning import Fall, deepest_fall


@dataclass(frozen=True, slots=True)
class Falls:
    """Where the growth fell furthest in percent, and the P&L in money, each from a peak to a
    trough; both are ``now`` where there was no fall."""

    now: Sample
    # whether it was seen from its first moment on
    is_seen: bool
    growth: tuple[Sample, Sample]
    pnl: tuple[Sample, Sample]

    @property
    def percent(self) -> Decimal | None:
        """The deepest fall in percent; None where it may not have been seen."""
        return fall_percent(*self.growth) if self.is_seen and self.now.is_whole else None

    @property
    def lost(self) -> Decimal | None:
        """The deepest fall in money; None where it may not have been seen."""
        peak, trough = self.pnl
        return trough.pnl - peak.pnl if self.is_seen else None

    @property
    def percents(self) -> tuple[Decimal | None, Decimal | None]:
        """The time-weighted return and the deepest fall, in percent."""
        return return_percent(self.now), self.percent


def falls(reader: Reader, now: Sample) -> Falls:
    """The falls of the epoch of ``now``, and of those that it continues, up to ``now``."""
    first = reader.first_of_chain(now.chain)
    placed: list[Placed] = []
    if first is not None and first.time <= now.time:
        drawn = reader.points(first.time, now.time)
        placed = [each for each in drawn if each.point.chain == now.chain]
    growth = deepest_fall(
        [*(each.point.growth for each in placed), float(now.growth)], relative=True
    )
    pnl = deepest_fall([*(each.point.pnl for each in placed), float(now.pnl)], relative=False)
    return Falls(
        now=now,
        is_seen=_is_opening(first or now),
        growth=_samples(reader, placed, now, growth),
        pnl=_samples(reader, placed, now, pnl),
    )


def _is_opening(sample: Sample) -> bool:
    """Whether nothing had happened in its epoch yet."""
    opened = Wallet.opened(sample.epoch, sample.wallet.starting_balance)
    return sample.wallet == opened and not sample.unrealized_pnl


def _samples(
    reader: Reader, placed: Sequence[Placed], now: Sample, fall: Fall | None
) -> tuple[Sample, Sample]:
    def sample(place: int) -> Sample:
        found = reader.sample(placed[place].number) if place < len(placed) else None
        return found or now

    return (now, now) if fall is None else (sample(fall.peak), sample(fall.trough))
