"""The candles of one symbol as they grow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Final

from balance.core.candles import MINUTE, interval_of, merge_candles, merge_into_one
from balance.core.quote import Candle

# How many lengths of longer candles are cached; a screen offers fewer.
_LENGTHS: Final = 16
_TIME: Final = attrgetter("time")


class Chart:
    """Candles of ``seconds`` each, oldest first, the running one last. Not for several threads at
    once: a feed guards it."""

    def __init__(
        self, candles: Iterable[Candle] = (), seconds: int = MINUTE, keep: int | None = None
    ) -> None:
        """At least the newest ``keep`` candles stay; None: all."""
        self._candles = list(candles)
        self._seconds = seconds
        self._keep = keep
        # By length: the longer candles, and how many of the chart's own are in them; never the
        # running one.
        self._longer: dict[int, tuple[list[Candle], int]] = {}

    @property
    def candles(self) -> Sequence[Candle]:
        """All candles of the chart's own length; the list grows."""
        return self._candles

    def add(self, begin: datetime, price: Decimal, volume: Decimal) -> None:
        """Add a trade at ``price`` in the interval from ``begin`` on, the running one or a later
        one; ``volume`` in base units."""
        trade = Candle(time=begin, open=price, high=price, low=price, close=price, volume=volume)
        if self._candles and self._candles[-1].time == begin:
            self._candles[-1] = merge_into_one(begin, (self._candles[-1], trade))
            return
        self._candles.append(trade)
        if self._keep is not None and len(self._candles) > 2 * self._keep:
            del self._candles[: -self._keep]
            self._longer.clear()

    def newest(self, seconds: int, limit: int) -> list[Candle]:
        """The newest ``limit`` candles of ``seconds`` each, the running one last; of the chart's
        own length where ``seconds`` is shorter."""
        if limit < 1 or not self._candles:
            return []
        if seconds <= self._seconds:
            return self._candles[-limit:]
        result = self._closed(seconds)[-limit:]
        _grow(result, self._candles[-1], seconds)
        return result[-limit:]

    def close_by(self, instant: datetime) -> Decimal | None:
        """The close of the last candle that had ended at ``instant``; None where there is none."""
        begin = instant - timedelta(seconds=self._seconds)
        place = bisect_right(self._candles, begin, key=_TIME)
        return self._candles[place - 1].close if place else None

    def _closed(self, seconds: int) -> list[Candle]:
        if seconds not in self._longer and len(self._longer) >= _LENGTHS:
            self._longer.clear()
        longer, held = self._longer.get(seconds, ([], 0))
        for candle in merge_candles(self._candles[held:-1], seconds):
            _grow(longer, candle, seconds)
        self._longer[seconds] = (longer, len(self._candles) - 1)
        return longer


def _grow(longer: list[Candle], candle: Candle, seconds: int) -> None:
    begin = interval_of(candle.time, seconds)
    if longer and longer[-1].time == begin:
        longer[-1] = merge_into_one(begin, (longer[-1], candle))
    else:
        longer.append(replace(candle, time=begin))
