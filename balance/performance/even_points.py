"""Points of a curve evenly apart in time, as the charts of the page count points, not time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from balance.core.moments import from_iso, milliseconds
from balance.core.rows import Row

#: How many places a curve has at least, where its points lie at least a millisecond apart.
LEAST_PLACES: Final = 800
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
# Milliseconds from one place to the next. Each divides those of days that follow, so that places
# stand at round times.
_STEPS: Final = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(each * _SECOND for each in (1, 2, 5, 10, 15, 30)),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 4, 6, 12)),
    _DAY,
)


def even_points(rows: Sequence[Sequence[Any] | None], names: Sequence[str]) -> Row:
    """``rows``, each a time in ISO 8601 and the values of ``names``, oldest first, put on places
    that are evenly apart: all of them with their own values, at the place of their time or, where
    another one has that, the next free one. A row that is None is a gap before the next one.

    ``start`` is the time of the first place and ``step`` the way to the next, in Unix milliseconds;
    ``times`` are those of the rows, ``places`` the numbers of their places, and each name has a
    list of its values, which are None at a gap.
    """
    times = [None if row is None else milliseconds(from_iso(row[0])) for row in rows]
    known = [time for time in times if time is not None]
    step = _step(known)
    start = known[0] // step * step if known else 0
    places = iter(_places([(time - start) // step for time in known]))
    columns = ([None if row is None else row[column] for row in rows] for column in _numbers(names))
    return {
        "start": start,
        "step": step,
        "times": times,
        "places": [None if time is None else next(places) for time in times],
        **dict(zip(names, columns, strict=True)),
    }


def _numbers(names: Sequence[str]) -> Iterator[int]:
    return iter(range(1, len(names) + 1))


def _step(times: Sequence[int]) -> int:
    """The longest step that leaves enough places for points at ``times``."""
    span = times[-1] - times[0] if times else 0
    least = max(LEAST_PLACES, len(times))
    return max((each for each in _STEPS if span // each >= least), default=_STEPS[0])


def _places(nearest: Sequence[int]) -> list[int]:
    """A place of its own for each, in their order: the ``nearest`` or, where that is taken, a
    later one, but none after the last where an earlier one is free."""
    found = list[int]()
    for place in nearest:
        found.append(max(place, found[-1] + 1 if found else 0))
    most = max(nearest[-1], len(nearest) - 1) if nearest else 0
    for number in range(len(found) - 1, -1, -1):
        found[number] = min(found[number], most)
        most = found[number] - 1
    return found
