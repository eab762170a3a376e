"""Thinning: which of many points stay, so that lows, highs and falls stay true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple


class Point(NamedTuple):
    """A sample as it is drawn: when, of which chain of epochs, and its figures, rounded to those
    of a float. ``pnl`` is that of its epoch; ``gap`` the seconds before it that nobody saw."""

    # Unix time in milliseconds
    time: int
    chain: int
    equity: float
    pnl: float
    growth: float
    gap: int


class Fall(NamedTuple):
    """The places of the peak and of the trough of the deepest fall in some values."""

    peak: int
    trough: int


def deepest_fall(values: Iterable[float], *, relative: bool) -> Fall | None:
    """The deepest fall in ``values`` from the highest one before it, measured in shares of that
    where ``relative``; None where they never fall."""
    peak = place = -1
    highest, deepest, found = 0.0, 0.0, None
    for place, value in enumerate(values):
        if peak < 0 or value > highest:
            peak, highest = place, value
        depth = highest - value
        if relative:
            depth = depth / highest if highest > 0 else 0.0
        if depth > deepest:
            deepest, found = depth, Fall(peak, place)
    return found


def kept(points: Sequence[Point]) -> set[int]:
    """The places of those of ``points``, of one stretch of time and one epoch, that stay: the
    last, the lowest and highest of each figure, and the ends of the deepest falls."""
    places = range(len(points))
    chosen = {len(points) - 1}
    for name in ("equity", "pnl", "growth"):
        values = [getattr(point, name) for point in points]
        chosen |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    for fall in (
        deepest_fall((point.pnl for point in points), relative=False),
        deepest_fall((point.growth for point in points), relative=True),
    ):
        chosen |= set(fall or ())
    return chosen


def drawdowns(points: Iterable[Point], before: Mapping[int, float]) -> Iterator[float]:
    """How far the growth of each of ``points`` is below its best before, in percent, at most zero;
    epochs that do not continue each other are apart. ``before`` has the best growth of each chain
    before the first of ``points``, where there was one."""
    best = dict(before)
    for point in points:
        peak = best[point.chain] = max(point.growth, best.get(point.chain, 0.0))
        yield (point.growth / peak - 1) * 100 if peak > 0 else 0.0


def drawn(points: Sequence[Point], most: int) -> list[int | None]:
    """The places of at most ``most`` of ``points``, in their order: where there are more, of each
    stretch of time the lowest, the highest and the last. None is before one that nobody saw come
    for longer than such a stretch."""
    if not points:
        return []
    # a gap and three points each, and the first of all
    length = max(1.0, (points[-1].time - points[0].time) / (most // 4 - 2))
    gaps = {place for place, point in enumerate(points) if point.gap * 1_000 > length}
    if len(points) + len(gaps) <= most:
        all_of_them: list[int | None] = []
        for place in range(len(points)):
            all_of_them += [None, place] if place and place in gaps else [place]
        return all_of_them
    chosen: list[int | None] = [0]
    begin = points[0].time
    for _, group in groupby(
        range(1, len(points)), key=lambda place: (points[place].time - begin) // length
    ):
        places = list(group)
        longest = max(places, key=lambda place: points[place].gap)
        chosen += _of_stretch(points, places, longest, points[longest].gap * 1_000 > length)
    return chosen


def _of_stretch(
    points: Sequence[Point], places: Sequence[int], longest: int, is_gap: bool
) -> list[int | None]:
    low = min(places, key=lambda place: points[place].equity)
    high = max(places, key=lambda place: points[place].equity)
    chosen = sorted({low, high, places[-1]})
    if not is_gap:
        return list(chosen)
    return [
        *(place for place in chosen if place < longest),
        None,
        *(place for place in chosen if place >= longest),
    ]
