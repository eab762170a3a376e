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
from balance.performance.sample import Sample
from balance.performance.sample_file import Placed, SampleReader, milliseconds, moment


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
    open_time, time = _open_time(placed, now)
    results = Results(growth=now.growth if now.is_whole else None, open_time=open_time, time=time)
    ours = [each for each in placed if each.point.chain == now.chain]
    if now.is_whole:
        results = replace(results, returns=_returns(reader, ours))
    if not _is_opening(first or now):
        return results

    def moment_at(place: int) -> Moment:
        is_now = place in (-1, len(ours))
        sample = None if is_now else reader.sample(ours[place].number)
        found = now if sample is None else sample
        return Moment(found.time, found.growth, found.pnl, found.revision)

    pnls = [*(each.point.pnl for each in ours), float(now.pnl)]
    pnl_fall = depth_of(deepest(pnls, drawdowns(pnls), relative=False), moment_at)
    if not now.is_whole:
        return replace(results, pnl_fall=pnl_fall)
    growths = [*(each.point.growth for each in ours), float(now.growth)]
    times = [*(each.point.time for each in ours), milliseconds(now.time)]
    falls = list(drawdowns(growths))
    return replace(
        results,
        pnl_fall=pnl_fall,
        fall=depth_of(deepest(growths, falls, relative=True), moment_at),
        longest_fall=length_of(longest(times, falls), moment_at),
    )


def _returns(reader: SampleReader, placed: Sequence[Placed]) -> Sequence[Decimal]:
    """The return of each whole day of which the ends are sampled."""
    ends = [
        (day, placed[place].number)
        for day, place in day_ends(placed, lambda each: moment(each.point.time))
    ]
    growths = reader.growths([number for _, number in ends])
    return daily_returns([(day, growths[number]) for day, number in ends if number in growths])


def _is_opening(sample: Sample) -> bool:
    """Whether nothing had happened in its epoch yet."""
    opened = Wallet.opened(sample.epoch, sample.wallet.starting_balance)
    return sample.wallet == opened and not sample.unrealized_pnl


def _open_time(placed: Sequence[Placed], now: Sample) -> tuple[timedelta, timedelta]:
    """For how long something was open while the chain of ``now`` went on, and for how long it did;
    epochs between are left out."""
    open_for = time = 0
    for before, after in pairwise([each.point for each in placed]):
        if before.chain == after.chain == now.chain:
            time += after.time - before.time
            open_for += (after.time - before.time) * before.is_open
    last = [each.point for each in placed[-1:] if each.point.chain == now.chain]
    found, length = timedelta(milliseconds=open_for), timedelta(milliseconds=time)
    for point in last:
        since = now.time - moment(point.time)
        found, length = found + since * point.is_open, length + since
    return found, length
