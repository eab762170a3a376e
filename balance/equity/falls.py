"""The deepest falls of an epoch, found in what is drawn of it, told by exact samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from balance.core.performance import Sample
from balance.core.return_derivations import fall_percent, return_percent
from balance.core.thinning import Fall, deepest_fall
from balance.equity.reader import Placed, Reader


@dataclass(frozen=True, slots=True)
class Falls:
    """Where the growth fell furthest in percent, and the P&L in money, each from a peak to a
    trough; both are ``now`` where there was no fall."""

    now: Sample
    growth: tuple[Sample, Sample]
    pnl: tuple[Sample, Sample]

    @property
    def percents(self) -> tuple[Decimal | None, Decimal | None]:
        """The time-weighted return and the deepest fall, in percent."""
        return return_percent(self.now), fall_percent(*self.growth)


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
    return Falls(now, _samples(reader, placed, now, growth), _samples(reader, placed, now, pnl))


def _samples(
    reader: Reader, placed: Sequence[Placed], now: Sample, fall: Fall | None
) -> tuple[Sample, Sample]:
    def sample(place: int) -> Sample:
        found = reader.sample(placed[place].number) if place < len(placed) else None
        return found or now

    return (now, now) if fall is None else (sample(fall.peak), sample(fall.trough))
