"""Trend following: the price leaves the range it has had."""

from __future__ import annotations

from balance.strategies.indicators import talib
from balance.strategies.reasons import shown, strength
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold, parameter, strategy


@strategy(
    "Donchian breakout",
    "Buys above the highest price of the last candles, sells below the lowest, and closes when a "
    "shorter range breaks the other way.",
)
class DonchianBreakout:
    """Long above a range, short below it, out at the other side of a shorter range.

    The ranges are of the candles before the newest one: of a range with it, its close can never be
    outside. The confidence is how far outside the close is, one average true range of as many
    candles or more being 1; that of a close is 1.
    """

    entry: int = parameter(20, least=2, most=400, label="Entry", words="Candles of the range")
    exit: int = parameter(
        10, least=2, most=400, label="Exit", words="Candles of the range that ends it"
    )

    @property
    def lookback(self) -> int:
        """The range and the newest candle."""
        return self.entry + 1

    @property
    def enough(self) -> int:
        """All of them."""
        return self.entry + 1

    def check(self) -> str:
        """What is wrong where a position would end later than another one began."""
        if self.exit <= self.entry:
            return ""
        return f"the exit ({self.exit}) must not have more candles than the entry ({self.entry})"

    def decide(self, candles: Candles, position: Holding | None) -> Signal:
        """Buy or sell outside the range; close outside the shorter one."""
        high, low, close = candles.high, candles.low, float(candles.close[-1])
        count = self.entry
        top = float(talib.MAX(high[-count - 1 : -1], count)[-1])
        bottom = float(talib.MIN(low[-count - 1 : -1], count)[-1])
        if close > top or close < bottom:
            recent = candles[-count - 1 :]
            scale = float(talib.ATR(recent.high, recent.low, recent.close, count)[-1])
            side, edge = ("above", top) if close > top else ("below", bottom)
            reason = f"Close {shown(close)} is {side} {shown(edge)}, the range of {count} candles"
            return Signal(
                "buy" if close > top else "sell", strength(abs(close - edge), scale), reason
            )
        if position is not None:
            count = self.exit
            if position.side == "long":
                side, edge = "below", float(talib.MIN(low[-count - 1 : -1], count)[-1])
            else:
                side, edge = "above", float(talib.MAX(high[-count - 1 : -1], count)[-1])
            if (close - edge) * (1 if side == "above" else -1) > 0:
                reason = f"{shown(close)} is {side} {shown(edge)}, the range of {count} candles"
                return Signal("close", 1.0, f"Close {reason}")
        return hold(f"Close {shown(close)} is within {shown(bottom)} to {shown(top)}")
