"""The built-in strategies, and what they share: how a price is shown, and how sure one may be."""

from __future__ import annotations

import math


def shown(price: float) -> str:
    """``price`` for a reason, with six digits that count: ``"43,210.5"``, ``"0.0000123"``."""
    size = abs(price)
    if 1e-4 <= size < 999_999 or not size or not math.isfinite(size):
        return f"{price:,.6g}"
    if size > 1:
        return f"{price:,.0f}"
    return f"{price:.{5 - math.floor(math.log10(size))}f}".rstrip("0")


def strength(distance: float, scale: float) -> float:
    """``distance`` as a part of ``scale``, as a confidence: 0 where it is not above zero, 1 from
    ``scale`` on; 0 too where there is no scale."""
    return min(1.0, max(0.0, distance / scale)) if scale > 0 and distance > 0 else 0.0
