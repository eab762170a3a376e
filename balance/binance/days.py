"""The last 24 hours of each symbol, from candles of a minute; closed ones are added up once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from balance.binance.market_rows import Day, day_of
from balance.core.candles import MINUTE
from balance.desk.desk import Desk

_MINUTES: Final = 24 * 60
_DAY: Final = timedelta(days=1)


class Days:
    """The newest day of the symbols of ``desk``. Safe to use from many threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # By symbol: when the running candle begins, and the closed part of the day until then.
        self._closed: dict[str, tuple[datetime, Day | None]] = {}

    def day(self, symbol: str) -> Day | None:
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
