"""The data of a market: quotes, the move between them, candles and funding settlements.

Prices are in the quote currency per base unit. Times are the market's own, in UTC: a replay of
January has times of January.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from balance.core.money import ZERO, exactly, significant

#: The prices of a quote that set something off.
PriceName = Literal["bid", "ask", "mark"]
# The precision of times.
_TICK: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The prices of one symbol at one moment; all above zero, bid at most ask."""

    symbol: str
    bid: Decimal
    ask: Decimal
    # The price of the last trade.
    last: Decimal
    # The price that positions are valued at, and that triggers, liquidations and funding go by.
    mark: Decimal
    time: datetime
    # The rate of the coming settlement as a fraction of the notional: above zero, longs pay shorts;
    # None where the feed does not know it.
    funding_rate: Decimal | None = None
    # The last price a day before; None where the feed does not know it.
    day_open: Decimal | None = None
    # The quote from which the price moved to this one through every price in between; None where
    # it jumped.
    moved_from: Quote | None = None

    @property
    def change_percent(self) -> Decimal | None:
        """How far the last price is from that of a day before, in percent of that."""
        if self.day_open is None or self.day_open <= 0:
            return None
        return (self.last - self.day_open) / self.day_open * 100


class Stop(NamedTuple):
    """A place on the way from one quote to the next."""

    # Of the leg's length: 0 is its start, 1 its end.
    share: Decimal
    quote: Quote


@dataclass(frozen=True, slots=True)
class Leg:
    """A continuous move from ``start`` to ``end``, two quotes of one symbol, through every price in
    between. Bid, ask, last and mark move in step and evenly over its time."""

    start: Quote
    end: Quote

    @exactly
    def at_price(self, name: PriceName, level: Decimal, *, above: bool) -> Stop | None:
        """Where the price ``name`` first is at ``level``, in the quote currency, or beyond: above
        it or, for ``above`` False, below it; None where it never is. That price of the stop's
        quote is ``level`` to the last digit."""
        first, last = getattr(self.start, name), getattr(self.end, name)
        if first >= level if above else first <= level:
            return Stop(ZERO, self.start)
        if last < level if above else last > level:
            return None
        share = (level - first) / (last - first)
        return Stop(share, self._quote(share, name, level))

    @exactly
    def at_time(self, moment: datetime) -> Stop:
        """Where the price is at ``moment``, or at the end of the leg that is nearer to it."""
        length = self.end.time - self.start.time
        passed = min(max(moment, self.start.time), self.end.time) - self.start.time
        share = Decimal(passed // _TICK) / Decimal(length // _TICK) if length else ZERO
        mark = self.start.mark + (self.end.mark - self.start.mark) * share
        return Stop(share, self._quote(share, "mark", significant(mark)))

    def _quote(self, share: Decimal, name: PriceName, level: Decimal) -> Quote:
        # Differences are what is interpolated: where both ends have the same, it is exact.
        bid, ask, last, mark = (
            level + self._difference(each, name, share) for each in ("bid", "ask", "last", "mark")
        )
        passed = int(share * ((self.end.time - self.start.time) // _TICK))
        time = self.start.time + passed * _TICK
        return replace(self.end, bid=bid, ask=ask, last=last, mark=mark, time=time, moved_from=None)

    def _difference(self, name: str, base: PriceName, share: Decimal) -> Decimal:
        first = getattr(self.start, name) - getattr(self.start, base)
        last = getattr(self.end, name) - getattr(self.end, base)
        difference: Decimal = first + (last - first) * share
        return difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """The trades of one interval: ``low <= open, close <= high``; volume in base units."""

    # The start of the interval.
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class MarkPrices(NamedTuple):
    """The mark price during one candle: ``low <= open, close <= high``."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A funding settlement of one symbol: the rate as a fraction, and the mark price then."""

    rate: Decimal
    mark: Decimal
