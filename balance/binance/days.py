"""The last 24 hours of each symbol, from candles of a minute; closed ones are added up once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from balance.api.services import Services
from balance.binance.market_rows import Day, day_of, day_row
from balance.core.candles import MINUTE
from balance.core.market import Market
from balance.core.quote import Quote
from balance.desk.desk import Desk

_MINUTES: Final = 24 * 60
_DAY: Final = timedelta(days=1)


class Days:
    """The newest day of the symbols of ``desk``. Safe to use from many threads."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._desk = desk
        self._services = services
        # By symbol: when the running candle begins, and the closed part of the day until then.
        self._closed: dict[str, tuple[datetime, Day | None]] = {}

    def row(self, market: Market, quote: Quote) -> Mapping[str, Any] | None:
        """The day of the symbol of ``quote``; None where the candles are those of another server,
        which this one follows."""
        day = self._day(quote.symbol)
        if day is None and not self._services.leads:
            return None
        ticks = self._services.ticks.newest(quote.symbol, 1)
        return day_row(market, quote, day, ticks[-1].id if ticks else 0)

    def _day(self, symbol: str) -> Day | None:
        """The newest day of ``symbol``, with the running minute; None without a candle."""
        newest = self._desk.candles(symbol, MINUTE, 1)
        if not newest:
            return None
        running = newest[-1]
        known = self._closed.get(symbol)
        if known is None or known[0] != running.time:
            candles = self._desk.candles(symbol, MINUTE, _MINUTES)
            within = [each for each in candles if running.time - _DAY < each.time < running.time]
            known = self._closed[symbol] = running.time, day_of(within)
        return day_of([running], known[1])
