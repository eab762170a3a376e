"""The built-in strategies, and what they share: how a price is shown, how sure one may be, and when
a recursive average has forgotten its beginning."""

from __future__ import annotations

import math
from typing import Final

#: The part of its beginning that a recursive average may still hold. Averages of one price begin
#: about as far apart as they move in a thousand candles, so less than a millionth of what one
#: candle moves them is left.
_REMAINDER: Final = 1e-9


def shown(price: float) -> str:
    """``price`` for a reason, with nine digits that count, as many as prices have: ``"43,210.5"``,
    ``"0.0000123"``."""
    # One of numpy's takes three times as long to write.
    price = float(price)
    size = abs(price)
    if 1e-4 <= size < 999_999_999 or not size or not math.isfinite(size):
        return f"{price:,.9g}"
    text = f"{price:,.{max(0, 8 - math.floor(math.log10(size)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def strength(distance: float, scale: float) -> float:
    """``distance`` as a part of ``scale``, as a confidence: 0 where it is not above zero, 1 from
    ``scale`` on; 0 too where there is no scale."""
    return min(1.0, max(0.0, distance / scale)) if scale > 0 and distance > 0 else 0.0


def memory(weight: float) -> int:
    """After how many candles a recursive average is the same wherever it began.

    The newest candle has ``weight`` in it, above 0 and below 1: 2 / (n + 1) in an EMA of n candles,
    1 / n in an average of Wilder's.
    """
    return math.ceil(math.log(_REMAINDER) / math.log1p(-weight))
