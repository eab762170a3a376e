"""Prices in the dialect, open to everyone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from balance.binance.call import Call
from balance.binance.endpoints import Json, public
from balance.binance.numbers import milliseconds
from balance.desk.desk import Desk


class MarketData:
    """What the market is, and what it costs."""

    def __init__(
        self, desk: Desk, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._desk = desk
        self._clock = clock

    @public("GET", "/fapi/v1/time")
    def read_time(self, _: Call) -> Json:
        """The time of this machine, whatever that of the market is."""
        return {"serverTime": milliseconds(self._clock())}
