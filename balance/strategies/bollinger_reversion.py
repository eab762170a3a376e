"""Mean reversion: what lies far from its average comes back to it."""

from __future__ import annotations

from balance.strategies.indicators import talib
from balance.strategies.reasons import shown, strength
from balance.strategies.series import Candles, Floats
from balance.strategies.strategy import Holding, Signal, hold, parameter, strategy


@strategy(
    "Bollinger reversion",
    "Buys below the lower Bollinger band, sells above the upper one, closes at the middle.",
)
class BollingerReversion:
    """Long below the lower band, short above the upper one, until the close is at the average.

    The confidence is how far outside the close is, half the width of the bands or more being 1;
    that of a close is 1.
    """

    period: int = parameter(20, least=2, most=400, label="Period", words="Candles of the average")
    width: float = parameter(
        2.0, least=0.5, most=5.0, step=0.1, label="Width", words="Standard deviations to a band"
    )

    @property
    def lookback(self) -> int:
        """The candles of the average."""
        return self.period

    @property
    def enough(self) -> int:
        """All of them."""
        return self.period

    def decide(self, candles: Candles, position: Holding | None) -> Signal:
        """Buy or sell outside the bands; close at the middle."""
        lower, middle, upper = bands(candles.close, self.period, self.width)
        close = float(candles.close[-1])
        figures = f"Close {shown(close)} is"
        if close < lower:
            sure = strength(lower - close, middle - lower)
            return Signal("buy", sure, f"{figures} below the lower band at {shown(lower)}")
        if close > upper:
            sure = strength(close - upper, upper - middle)
            return Signal("sell", sure, f"{figures} above the upper band at {shown(upper)}")
        if position is not None and (close - middle) * (1 if position.side == "long" else -1) >= 0:
            return Signal("close", 1.0, f"{figures} back at the middle band at {shown(middle)}")
        return hold(f"{figures} within the bands, {shown(lower)} to {shown(upper)}")


def bands(close: Floats, period: int, width: float) -> tuple[float, float, float]:
    """The lower, middle and upper band at the newest of ``close``: the average of the newest
    ``period``, and ``width`` standard deviations (of the population) around it. Source: John
    Bollinger, Bollinger on Bollinger Bands (2001).
    """
    # TA-Lib takes small variances for none and loses digits of those of large numbers, so it gets
    # how far each close is from the newest, relatively.
    newest = float(close[-1])
    upper, middle, lower = talib.BBANDS(close[-period:] / newest - 1, period, width, width)
    lows, mids, tops = (newest * (1 + float(band[-1])) for band in (lower, middle, upper))
    return lows, mids, tops
