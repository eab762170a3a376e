"""What every other strategy has to beat: to buy, and to wait."""

from __future__ import annotations

from balance.strategies.reasons import shown
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold, strategy


@strategy("Buy and hold", "Buys at once and stays long: what any other strategy has to beat.")
class BuyAndHold:
    """Long, always; the confidence is 1."""

    lookback = 1

    def decide(self, candles: Candles, position: Holding | None) -> Signal:
        """Buy unless it is long."""
        if position is not None and position.side == "long":
            return hold(f"Long from {shown(position.entry_price)}")
        return Signal("buy", 1.0, f"Not long, at {shown(float(candles.close[-1]))}")
