"""Amounts of money as the index has them: bytes that sort as the amounts do, however large."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

#: So many units are one of the quote currency.
UNITS: Final = 10**8
#: What stands for an amount that there is none of: it is below all that there are.
NOTHING: Final = b""
# below this, in the quote currency, a float is nearer to its amount than to any other
_EXACT: Final = 1e6
_TOO_LARGE: Final = 1e30
# the first byte of nothing: above it, how many bytes follow; below it likewise, of what is negative
_ZERO: Final = 128


def amount_key(amount: str | Decimal) -> bytes:
    """``amount``, in the quote currency, to be sorted by.

    Raises:
        ValueError, ArithmeticError: no amount, or beyond all that are booked.
    """
    near = float(amount)
    if -_EXACT < near < _EXACT:
        return units_key(round(near * UNITS))
    if not abs(near) < _TOO_LARGE:
        raise ValueError("an amount is too large")
    return units_key(int((Decimal(amount) * UNITS).to_integral_value()))


def units_key(units: int) -> bytes:
    """An amount of so many ``units``, to be sorted by."""
    size = (units.bit_length() + 7) // 8
    if units < 0:
        return bytes((_ZERO - size,)) + (units + (1 << 8 * size)).to_bytes(size, "big")
    return bytes((_ZERO + size,)) + units.to_bytes(size, "big")
