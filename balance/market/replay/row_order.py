"""The order of rows in time: which come first, how long a candle is, and when each began."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import lt, sub
from typing import Final

from balance.core.candles import MINUTE
from balance.core.quote import Candle
from balance.market.replay.cells import length_text, time_text
from balance.market.replay.rows import Row

_MINUTE: Final = timedelta(seconds=MINUTE)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
# Fewer rows than these don't show how long their candles are.
_ENOUGH_ROWS: Final = 4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What is between the last moment of a candle and the next candle, as vendors write it.
_BEFORE_NEXT: Final = tuple(
    timedelta(microseconds=each) for each in (1, 1_000, 1_000_000, 60_000_000)
)


def in_order(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """``rows``, oldest first, and notes on them; a candle that is there twice counts once.

    Raises:
        ValueError: two different ones are of one time.
    """
    times = [row.candle.time for row in rows]
    if all(map(lt, times, times[1:])):
        return rows, []
    rows.sort(key=_time)
    single: list[Row] = []
    finished = []
    for row in rows:
        if not single or single[-1].candle.time != row.candle.time:
            single.append(row)
        elif single[-1][:3] != row[:3]:
            single[-1] = _finished(single[-1], row)
            finished.append(row.candle.time)
    if not finished:
        return single, []
    which = (
        f"The candle of {time_text(finished[0])} is"
        if len(finished) == 1
        else f"{len(finished):,} candles are"
    )
    return single, [f"{which} there twice, once unfinished: the finished one counts."]


def length_of(rows: Sequence[Row]) -> timedelta:
    """How long each of the candles of ``rows``, oldest first, is.

    Raises:
        ValueError: they are not of whole minutes, or overlap.
    """
    times = [row.candle.time for row in rows]
    apart = list(map(sub, times[1:], times))
    gaps: Counter[timedelta] = Counter()
    for gap, count in Counter(apart).items():
        gaps[_in_whole_days(gap)] += count
    least = min(gaps, default=_MINUTE)
    # Where most candles are missing, the usual step is longer than a candle.
    is_sparse = not least % _MINUTE and not any(gap % least for gap in gaps)
    length = least if is_sparse else statistics.median_low(gaps.elements())
    if length < _MINUTE or length % _MINUTE:
        raise ValueError(
            f"{rows[0].table.name} has candles of {length.total_seconds():g} seconds: they must be "
            "of whole minutes"
        )
    if least < length:
        early = next(place for place, gap in enumerate(apart) if _in_whole_days(gap) < length)
        raise ValueError(
            f"{rows[early + 1].where}: it is {apart[early].total_seconds():g} seconds after the "
            f"candle before it, but the candles of this file are {length.total_seconds():g} "
            "seconds long"
        )
    return length


def check_alike(tables: Mapping[str, list[Row]], length: timedelta) -> None:
    """Prove that the candles of ``tables``, rows in their order by names, are ``length`` long in
    each of them.

    Raises:
        ValueError: those of one are not, as far as so few rows can tell.
    """
    for name, rows in tables.items():
        own = length_of(rows) if len(rows) >= _ENOUGH_ROWS else length
        if own != length:
            raise ValueError(
                f"{name} has candles of {length_text(own)}, and the other files have some of "
                f"{length_text(length)}: give files of one length"
            )


def from_their_begin(name: str, rows: list[Row], *, is_end: bool) -> tuple[list[Row], list[str]]:
    """``rows`` with the times at which their candles begin, where the file called ``name`` has
    their ends, as ``is_end`` or all of the times say; and notes on that.

    Raises:
        ValueError: there is one only, so that nobody can tell when it began.
    """
    missing = _before_next(rows) if rows else None
    if not rows or (missing is None and not is_end):
        return rows, []
    if len(rows) < 2:
        raise ValueError(
            f"{name} has one candle only, and the time at which it ended: when it began is not "
            "known"
        )
    length = length_of(sorted(rows, key=_time))
    earlier = length - (missing or timedelta())
    moved = [
        row._replace(candle=replace(row.candle, time=row.candle.time - earlier)) for row in rows
    ]
    note = "Its times are those at which candles end: each was moved back by"
    return moved, [f"{note} {length_text(length)}."]


def _time(row: Row) -> datetime:
    return row.candle.time


def _finished(one: Row, other: Row) -> Row:
    """That of two candles of one time which holds the other, where they follow each other.

    Raises:
        ValueError: neither does.
    """
    is_same_table = one.table is other.table
    is_adjacent = not is_same_table or abs(one.place - other.place) == 1
    for less, more in ((one, other), (other, one)):
        if is_adjacent and _is_within(less.candle, more.candle):
            return more
    where = one.table.where(one.place) if is_same_table else one.where
    raise ValueError(
        f"{other.where}: another candle of {time_text(one.candle.time)} is in {where}, with other "
        "figures"
    )


def _is_within(candle: Candle, grown: Candle) -> bool:
    if candle.open != grown.open or candle.low < grown.low or candle.high > grown.high:
        return False
    # Without volumes, only the prices can tell.
    return candle.volume < grown.volume or not grown.volume


def _in_whole_days(gap: timedelta) -> timedelta:
    """``gap``; the days on which clocks are changed count as 24 hours."""
    if gap < _DAY - _HOUR:
        return gap
    days = round(gap / _DAY) * _DAY
    return days if abs(gap - days) == _HOUR else gap


def _before_next(rows: Sequence[Row]) -> timedelta | None:
    """What is missing from the time of each row to a whole candle, where that is the last moment
    that vendors write: 23:59:59.999, 23:59:59 or 23:59 of a day; None where it is none."""
    is_last = rows[0].candle.time.minute == 59 and len(rows) > 1
    for missing in _BEFORE_NEXT:
        step = _MINUTE
        if missing == _MINUTE and is_last:
            step = length_of(sorted(rows, key=_time))
        times = (row.candle.time + missing - _EPOCH for row in rows)
        if missing < step and not any(each % step for each in times):
            return missing
    return None
