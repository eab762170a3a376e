"""Follows the mean of the last candles."""

from balance import Signal


def decide(candles, position):
    """Buy above the mean, sell below, and leave where the two are close."""
    closes = candles[-8:].close
    if len(closes) < 8:
        return None
    distance = closes[-1] / closes.mean() - 1
    if distance > 0.004:
        return Signal("buy", 0.9, f"{distance:.2%} above the mean")
    if distance < -0.004:
        return Signal("sell", 0.6, f"{distance:.2%} below the mean")
    return Signal("close", 1, "Near the mean") if abs(distance) < 0.0005 else None
