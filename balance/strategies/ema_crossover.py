"""Trend following: a fast average of the price crosses a slow one."""

from __future__ import annotations

from typing import Final

from balance.strategies.indicators import talib
from balance.strategies.reasons import memory, shown, strength
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold, parameter, strategy

# Averages closer together than this part of the price differ by rounding alone.
_NOISE: Final = 1e-12


@strategy(
    "EMA crossover",
    "Buys when a fast moving average of the close crosses above a slow one, sells when below.",
)
class EmaCrossover:
    """Long from a cross upwards, short from a cross downwards; between crosses it holds.

    The confidence is how far the close lies beyond the slow average, three average true ranges or
    more being 1. The range is Wilder's, over as many candles as the slow average.
    """

    fast: int = parameter(12, least=2, most=100, label="Fast EMA", words="Candles of the fast one")
    slow: int = parameter(26, least=3, most=200, label="Slow EMA", words="Candles of the slow one")

    @property
    def lookback(self) -> int:
        """An EMA begins with a plain average: the candles of that, as many as it takes to forget
        it, and the one before."""
        return self.slow + memory(2 / (self.slow + 1)) + 1

    @property
    def enough(self) -> int:
        """Twice the slow average, when e^-2 of its beginning is left: before, a cross hangs on how
        the averages began, in which programs differ."""
        return 2 * self.slow

    def check(self) -> str:
        """What is wrong where the averages are not one fast and one slow."""
        if self.fast < self.slow:
            return ""
        return f"the fast EMA ({self.fast}) must have fewer candles than the slow one ({self.slow})"

    def decide(self, candles: Candles, _position: Holding | None) -> Signal:
        """Buy or sell on the candle of a cross."""
        close = candles.close
        fast, slow = talib.EMA(close, self.fast), talib.EMA(close, self.slow)
        now, before = (_gap(float(fast[at]), float(slow[at])) for at in (-1, -2))
        figures = f"EMA {self.fast} at {shown(fast[-1])} {{}} EMA {self.slow} at {shown(slow[-1])}"
        if before <= 0 < now or now < 0 <= before:
            way = 1 if now > 0 else -1
            ranges = talib.ATR(candles.high, candles.low, close, self.slow)
            sure = strength(way * float(close[-1] - slow[-1]), 3 * float(ranges[-1]))
            crossed = "crossed above" if now > 0 else "crossed below"
            return Signal("buy" if now > 0 else "sell", sure, figures.format(crossed))
        return hold(figures.format("is above" if now > 0 else "is below" if now < 0 else "is at"))


def _gap(fast: float, slow: float) -> float:
    gap = fast - slow
    return gap if abs(gap) > _NOISE * slow else 0.0
