"""The track of one file in a replay: what has been played, and what comes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Final, NamedTuple

from balance.core.candles import path
from balance.core.instruments import grid_message, rules_at, rules_over
from balance.core.quote import Candle, Quote, Settlement
from balance.market.chart import Chart
from balance.market.replay.candle_file import CandleFile

_TIME: Final = attrgetter("time")
_DAY: Final = timedelta(days=1)
_QUARTERS: Final = 4


class Moment(NamedTuple):
    """One of the four quotes of a candle."""

    time: datetime
    # The number of its track and the place of its candle: no two moments of one time are alike.
    track: int
    place: int
    # From 0 at the candle's open to 3 at its close.
    quarter: int
    quote: Quote


class Track:
    """The candles of one symbol. Not for several threads at once: a replay guards it."""

    def __init__(
        self,
        number: int,
        symbol: str,
        file: CandleFile,
        funding_rate: Decimal | None = None,
        funding_interval: timedelta | None = None,
    ) -> None:
        """``number`` among the tracks of the replay; ``funding_rate`` and ``funding_interval`` are
        those of a file that knows none."""
        first = file.instrument(symbol, funding_interval)
        self._rules = rules_over(first, file.candles)
        #: The rules in force, as of the last moment that was played.
        self.instrument = self._rules[0][1]
        self.seconds = file.seconds
        self.first = file.candles[0].time
        self.last = path(file.candles[-1], file.seconds)[-1][0]
        self.chart = Chart(seconds=file.seconds)
        self._number = number
        self._file = file
        self._candles = file.candles
        self._usual_rate = funding_rate
        self._day_open: Decimal | None = None

    def start_after(self, position: datetime) -> Iterator[Moment]:
        """Take all up to and with ``position`` as played; returns the moments after it."""
        place = max(bisect_right(self._candles, position, key=_TIME) - 1, 0)
        self.instrument = rules_at(self._rules, position)
        self.chart = Chart(self._candles[:place], self.seconds)
        for moment in self._moments(place, place + 1):
            if moment.time <= position:
                self._trade(moment)
        coming = self._moments(place, len(self._candles))
        return (moment for moment in coming if moment.time > position)

    def play(self, moment: Moment) -> Quote:
        """Go on to ``moment``, the next one, and return its quote."""
        if moment.quarter == 0 or self._day_open is None:
            self._day_open = self.chart.close_by(moment.time - _DAY)
        self._trade(moment)
        self.instrument = rules_at(self._rules, moment.time)
        return replace(
            moment.quote,
            funding_rate=self._file.funding_rate(moment.place, self._usual_rate),
            day_open=self._day_open,
        )

    @property
    def message(self) -> str:
        """That the rules are not those that the file began with, and since when; else empty."""
        since, rules = next(each for each in reversed(self._rules) if each[1] is self.instrument)
        return grid_message(rules, since) if rules is not self._rules[0][1] else ""

    def settlement(self, instant: datetime) -> Settlement | None:
        """The settlement at ``instant``, which has passed; None without a rate."""
        return self._file.settlement(self._rules, self._usual_rate, instant)

    def _moments(self, begin: int, end: int) -> Iterator[Moment]:
        for place in range(begin, end):
            rules = rules_at(self._rules, self._candles[place].time)
            for quarter, quote in enumerate(self._file.quotes(place, rules)):
                yield Moment(quote.time, self._number, place, quarter, quote)

    def _trade(self, moment: Moment) -> None:
        candle = self._candles[moment.place]
        self.chart.add(candle.time, moment.quote.last, _share(candle, moment.quarter))


def _share(candle: Candle, quarter: int) -> Decimal:
    # The last quarter gets what is left, so that they add up.
    each = candle.volume / _QUARTERS
    return each if quarter < _QUARTERS - 1 else candle.volume - each * quarter
