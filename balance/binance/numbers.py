"""Numbers as the dialect writes them: decimals as text, never with an exponent."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

from balance.core.instrument import Instrument

#: How many decimals amounts have, and at most so many more than its tick a price that is off it.
DECIMALS: Final = 8

_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def unit_text(number: Decimal) -> str:
    """``number``, such as a tick, without zeros at its end: ``"0.1"``, ``"10"``."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(price: Decimal, instrument: Instrument | None) -> str:
    """``price`` with the decimals of the tick: ``"64671.0"``. One off the tick, such as an entry
    price, has its own, at most eight more, so that P&L that is calculated from it is right to the
    cent, also of coins that cost next to nothing. So has one of a symbol that is not traded now
    (None)."""
    return unit_text(price) if instrument is None else _on_unit(price, instrument.tick_size)


def quantity_text(quantity: Decimal, instrument: Instrument | None) -> str:
    """``quantity``, in base units, with the decimals of the step: ``"0.020"``; without an
    instrument, with its own."""
    return unit_text(quantity) if instrument is None else _on_unit(quantity, instrument.step_size)


def amount_text(amount: Decimal) -> str:
    """``amount``, in the quote currency, with eight decimals: ``"12.30000000"``."""
    return _with_decimals(amount, DECIMALS)


@lru_cache(maxsize=1_000)
def decimals_of(unit: Decimal) -> int:
    """How many decimals ``unit`` has: 1 of 0.1, 0 of 10."""
    return max(0, -int(unit.normalize(_CONTEXT).as_tuple().exponent))


def _on_unit(number: Decimal, unit: Decimal) -> str:
    decimals, text = decimals_of(unit), f"{number:f}"
    whole, _, own = text.partition(".")
    # What is on the grid mostly has its decimals already, and candles are many numbers.
    if len(own) == decimals and whole[0] != "-":
        return text
    needed = min(len(own.rstrip("0")), decimals + DECIMALS)
    return _with_decimals(number, max(decimals, needed))


def _with_decimals(number: Decimal, decimals: int) -> str:
    rounded = number.quantize(_last_place(decimals), context=_CONTEXT)
    return f"{abs(rounded) if rounded.is_zero() else rounded:f}"


@lru_cache(maxsize=100)
def _last_place(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)
