"""What a feed tells of a market: quotes, candles and funding settlements.

Prices are in the quote currency per base unit. Times are the market's own, in UTC: a replay of
January tells times of January.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

#: The prices of a quote that set something off.
PriceName = Literal["bid", "ask", "mark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The prices of one symbol at one moment; all above zero, bid at most ask."""

    symbol: str
    bid: Decimal
    ask: Decimal
    # of the last trade
    last: Decimal
    # what positions are valued at, and what triggers, liquidations and funding go by
    mark: Decimal
    time: datetime
    # of the coming settlement, as a fraction of the notional: above zero, longs pay shorts; None
    # where the feed does not know it
    funding_rate: Decimal | None = None
    # the last price a day before; None where the feed does not know it
    day_open: Decimal | None = None
    # the quote from which the price moved to this one through every price in between; None where
    # it jumped
    moved_from: Quote | None = None

    @property
    def change_percent(self) -> Decimal | None:
        """How far the last price is from that of a day before, in percent of that."""
        if self.day_open is None or self.day_open <= 0:
            return None
        return (self.last - self.day_open) / self.day_open * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """The trades of one interval: ``low <= open, close <= high``; volume in base units."""

    # when the interval began
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
