"""Thinning: which of many points stay, so that lows, highs and falls stay true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

from balance.performance.drawdown import deepest, drawdowns
from balance.performance.sample import Point

_Value = TypeVar("_Value")


def thin(points: Sequence[Point]) -> set[int]:
    """The places of those of ``points``, of one stretch of time and one epoch, that stay: the
    last, the lowest and highest of each figure, and the ends of the deepest falls."""
    places = range(len(points))
    chosen = {len(points) - 1}
    for name in ("equity", "pnl", "growth"):
        values = [getattr(point, name) for point in points]
        chosen |= {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
    for name in ("pnl", "growth"):
        values = [getattr(point, name) for point in points]
        fall = deepest(values, drawdowns(values), relative=name == "growth")
        chosen |= set() if fall is None else {fall.peak, fall.trough}
    return chosen


def drawn(points: Sequence[Point], most: int) -> list[int | None]:
    """The places of at most ``most`` of ``points``, in their order: where there are more, of each
    stretch of time the lowest, the highest and the last. None is before one that nobody saw come
    for longer than such a stretch."""
    if not points:
        return []
    # Each stretch may have a gap and three points, beside the first point of all.
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


def extremes(
    values: Sequence[_Value], most: int, height: Callable[[_Value], Decimal]
) -> Sequence[_Value]:
    """At most ``most`` of ``values``, which are evenly apart: the first, the last, and the lowest
    and highest of each stretch between them, by ``height``."""
    count = len(values)
    if count <= most:
        return values
    stretches = (most - 2) // 2
    chosen = {0, count - 1}
    for number in range(stretches):
        begin = 1 + number * (count - 2) // stretches
        end = 1 + (number + 1) * (count - 2) // stretches
        places = range(begin, end)
        chosen.add(min(places, key=lambda place: height(values[place])))
        chosen.add(max(places, key=lambda place: height(values[place])))
    return [values[place] for place in sorted(chosen)]
