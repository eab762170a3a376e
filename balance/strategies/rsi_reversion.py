"""Mean reversion: what has fallen or risen too fast comes back."""

from __future__ import annotations

from typing import Final

import numpy as np

from balance.strategies.indicators import talib
from balance.strategies.reasons import memory, strength
from balance.strategies.series import Candles, Floats
from balance.strategies.strategy import Holding, Signal, hold, parameter, strategy

# The RSI at which gains and losses are equal.
_MIDDLE: Final = 50.0
# So far beyond its bound, an RSI gives full confidence.
_DEEP: Final = 10.0


@strategy(
    "RSI mean reversion",
    "Buys when the RSI comes back up from low, sells when back down from high, closes at 50.",
)
class RsiReversion:
    """Long from a low RSI, short from a high one, until gains and losses are in balance.

    The confidence is how far beyond its bound the RSI was within its last candles, ten points or
    more being 1; that of a close is 1.
    """

    period: int = parameter(14, least=2, most=99, label="Period", words="Candles of the RSI")
    lower: float = parameter(30.0, least=5.0, most=45.0, step=1.0, label="Low below")
    upper: float = parameter(70.0, least=55.0, most=95.0, step=1.0, label="High above")

    @property
    def lookback(self) -> int:
        """Wilder's averages begin with plain ones of as many changes: the candles of these, as many
        as it takes to forget them, and the one before."""
        return self.period + 1 + memory(1 / self.period) + 1

    @property
    def enough(self) -> int:
        """Five times the average, when e^-4, about 2 %, of its beginning is left."""
        return 5 * self.period + 1

    def decide(self, candles: Candles, position: Holding | None) -> Signal:
        """Buy or sell on the candle on which the RSI comes back; close from 50 on."""
        values = rsi(candles.close, self.period)
        before, now = float(values[-2]), float(values[-1])
        figures = f"RSI {self.period} at {now:.1f}"
        if position is not None and (now - _MIDDLE) * (1 if position.side == "long" else -1) >= 0:
            return Signal("close", 1.0, f"{figures} is back at {_MIDDLE:g}")
        if before <= self.lower < now < _MIDDLE:
            sure = strength(self.lower - float(values[-self.period :].min()), _DEEP)
            return Signal("buy", sure, f"{figures} is back above {self.lower:g}")
        if before >= self.upper > now > _MIDDLE:
            sure = strength(float(values[-self.period :].max()) - self.upper, _DEEP)
            return Signal("sell", sure, f"{figures} is back below {self.upper:g}")
        if now <= self.lower:
            return hold(f"{figures} is below {self.lower:g}")
        if now >= self.upper:
            return hold(f"{figures} is above {self.upper:g}")
        return hold(f"{figures} is between {self.lower:g} and {self.upper:g}")


def rsi(close: Floats, period: int) -> Floats:
    """Wilder's relative strength index of ``close``, 0 to 100; 50 where the price never moved.

    NaN before there are ``period`` changes. Source: J. Welles Wilder, New Concepts
    in Technical Trading Systems (1978).
    """
    # TA-Lib takes small changes for none, so it gets relative prices.
    values = talib.RSI(close / close[-1], period)
    if not values[-1] and close.min() == close.max():
        return np.full(len(close), _MIDDLE)
    return values
