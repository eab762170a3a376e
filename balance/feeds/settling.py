"""Funding settlements of a time that a file of candles tells of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Final

from balance.core.quote import Candle, Settlement
from balance.feeds.csv_file import CandleFile

_TIME: Final = attrgetter("time")
_HOUR: Final = timedelta(hours=1)


def settlement(
    file: CandleFile, told: Sequence[Candle], instant: datetime, usual_rate: Decimal | None
) -> Settlement | None:
    """The settlement at ``instant`` as ``told``, the candles of ``file`` that are known by then,
    tell it: at the price at which one began then, or the last one of the hour before. None without
    these, or without a rate; ``usual_rate`` counts where the file knows none."""
    mark = _mark(told, file.seconds, instant)
    place = bisect_right(file.candles, instant, key=_TIME) - 1
    known = rate(file, place, usual_rate) if place >= 0 else None
    return None if mark is None or known is None else Settlement(rate=known, mark=mark)


def rate(file: CandleFile, place: int, usual_rate: Decimal | None) -> Decimal | None:
    """The funding rate, a fraction, as of the candle at ``place`` in ``file``; ``usual_rate`` where
    the file knows none."""
    told = file.funding_rates[place] if file.funding_rates else None
    return usual_rate if told is None else told


def _mark(candles: Sequence[Candle], seconds: int, instant: datetime) -> Decimal | None:
    place = bisect_right(candles, instant, key=_TIME) - 1
    if place >= 0 and candles[place].time == instant:
        return candles[place].open
    length = timedelta(seconds=seconds)
    place = bisect_right(candles, instant - length, key=_TIME) - 1
    if place < 0 or candles[place].time + length < instant - _HOUR:
        return None
    return candles[place].close
