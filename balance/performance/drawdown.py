"""Drawdowns: how far, and for how long, a value is below its best before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from balance.performance.sample import Point

_Number = TypeVar("_Number", float, Decimal)


class Drawdown(NamedTuple):
    """One drawdown, by the places of its values."""

    # The first place of the best value.
    peak: int
    # The last place of that value, from where it fell.
    start: int
    # The first place of the lowest value before it recovered.
    trough: int
    # The first place at which it was as good as at the peak again, or else the last of all.
    end: int


def drawdowns(values: Iterable[_Number]) -> Iterator[Drawdown]:
    """The drawdowns in ``values``, oldest first."""
    peak = start = trough = place = 0
    highest = lowest = None
    for place, value in enumerate(values):
        if highest is None or lowest is None or value >= highest:
            if trough > start:
                yield Drawdown(peak, start, trough, place)
            if value != highest:
                peak, highest = place, value
            lowest, start, trough = value, place, place
        elif value < lowest:
            lowest, trough = value, place
    if trough > start:
        yield Drawdown(peak, start, trough, place)


def deepest(
    values: Sequence[_Number], candidates: Iterable[Drawdown], *, relative: bool
) -> Drawdown | None:
    """The deepest of ``candidates``, the drawdowns in ``values``, by the share of its peak where
    ``relative``; None where there is none."""

    def depth(fall: Drawdown) -> _Number:
        lost = values[fall.peak] - values[fall.trough]
        if not relative:
            return lost
        # What is at nothing has no share to lose.
        return lost / values[fall.peak] if values[fall.peak] > 0 else lost * 0

    found = max(candidates, key=depth, default=None)
    return found if found is not None and depth(found) > 0 else None


def longest(
    times: Sequence[int] | Sequence[datetime], candidates: Iterable[Drawdown]
) -> Drawdown | None:
    """The longest of ``candidates``, from their start to their end by ``times``; None where there
    is none."""

    def length(fall: Drawdown) -> Any:
        end: Any = times[fall.end]
        return end - times[fall.start]

    return max(candidates, key=length, default=None)


def depths(points: Iterable[Point], best: Mapping[int, float]) -> Iterator[float]:
    """How far the growth of each of ``points`` is below its best before, in percent, at most zero;
    chains of epochs are apart. ``best`` has the best growth of each chain before the first of
    ``points``, where there was one."""
    peaks = dict(best)
    for point in points:
        peak = peaks[point.chain] = max(point.growth, peaks.get(point.chain, 0.0))
        yield (point.growth / peak - 1) * 100 if peak > 0 else 0.0
