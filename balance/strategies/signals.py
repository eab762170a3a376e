"""The strategy that only does what signals from other programs say."""

from __future__ import annotations

from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold, strategy


@strategy("Signals from outside", "Does what other programs tell it over HTTP.")
class Signals:
    """Holds at every candle."""

    lookback = 1

    def decide(self, _candles: Candles, _position: Holding | None) -> Signal:
        """Hold."""
        return hold("Waits for signals from outside")
