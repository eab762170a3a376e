"""The results of an epoch from its samples: drawn points say where, exact samples say what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from balance.core.money import exactly
from balance.core.wallet import Wallet
from balance.performance.drawdown import deepest, drawdowns, longest
from balance.performance.results import (
    Moment,
    Results,
    daily_returns,
    day_ends,
    depth_of,
    length_of,
)
from balance.performance.sample import Point, Sample
from balance.performance.sample_reader import Placed, SampleReader
from balance.performance.sample_rows import point_of


@exactly
def sample_results(reader: SampleReader, now: Sample) -> Results:
    """The results of the epoch of ``now``, and of those that it continues, up to ``now``.

    Its returns are of the days that were sampled. The time in which something was open is that
    after samples with an unrealised P&L; of old samples it is known to six hours.
    """
    first = reader.first_of_chain(now.chain)
    placed: list[Placed] = []
    if first is not None and first.time <= now.time:
        placed = reader.points(first.time, now.time)
    open_time, time = _open_time([*(each.point for each in placed), point_of(now)], now.chain)
    ours = [each for each in placed if each.point.chain == now.chain]
    points = [*(each.point for each in ours), point_of(now)]

    def moment_at(place: int) -> Moment:
        is_now = place in (-1, len(ours))
        sample = None if is_now else reader.sample(ours[place].number)
        found = now if sample is None else sample
        return Moment(found.time, found.growth, found.pnl, found.revision)

    results = Results(open_time=open_time, time=time)
    is_seen = _is_opening(first or now)
    if first is not None and not reader.is_complete(first.time):
        return results  # A low or a high may be among those that were lost.
    if is_seen:
        pnls = [each.pnl for each in points]
        fall = depth_of(deepest(pnls, drawdowns(pnls), relative=False), moment_at)
        results = replace(results, pnl_drawdown=fall)
    if now.is_whole:
        results = replace(results, growth=now.growth, returns=_returns(reader, ours))
    if is_seen and now.is_whole:
        growths, times = [each.growth for each in points], [each.time for each in points]
        found = list(drawdowns(growths))
        results = replace(
            results,
            drawdown=depth_of(deepest(growths, found, relative=True), moment_at),
            longest_drawdown=length_of(longest(times, found), moment_at),
        )
    return results


def _returns(reader: SampleReader, placed: Sequence[Placed]) -> Sequence[Decimal]:
    """The return of each whole day of which the ends are sampled."""
    ends = [
        (day, placed[place].number) for day, place in day_ends(placed, lambda each: each.point.time)
    ]
    growths = reader.growths([number for _, number in ends])
    return daily_returns([(day, growths[number]) for day, number in ends if number in growths])


def _is_opening(sample: Sample) -> bool:
    """Whether nothing had happened in its epoch yet."""
    opened = Wallet.opened(sample.epoch, sample.wallet.starting_balance)
    return sample.wallet == opened and not sample.unrealized_pnl


def _open_time(points: Sequence[Point], chain: int) -> tuple[timedelta, timedelta]:
    """For how long something was open while ``chain`` went on, and for how long it did."""
    lengths = [
        (after.time - before.time, before.is_open)
        for before, after in pairwise(points)
        if before.chain == after.chain == chain
    ]
    open_for = sum(length for length, is_open in lengths if is_open)
    time = sum(length for length, _ in lengths)
    return timedelta(milliseconds=open_for), timedelta(milliseconds=time)
