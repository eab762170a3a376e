"""Numbers as text: the one place where a figure of the account is written for people.

Exact figures go into files and sentences; rounded ones, with their unit, go on the screen.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

#: What stands where no number is known.
NONE: Final = "\N{EN DASH}"
#: How many decimals money is shown with by default.
CENTS: Final = 2

_TENTH: Final = Decimal("0.1")
_TEN: Final = Decimal(10)
_THOUSAND: Final = Decimal(1_000)
# The fewest decimals and digits that a calculated number is written with.
_LEAST_DECIMALS: Final = 8
_LEAST_DIGITS: Final = 8
_FEW_TICKS: Final = 1_000
# The most digits of a price or quantity of a market; calculated ones have at least sixteen.
_EXACT_DIGITS: Final = 15
_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def plain(number: Decimal) -> str:
    """``number`` as a decimal string without exponent, with at least two decimals: ``"10.50"``."""
    return _two_or_more_decimals(f"{number:f}")


def grouped(number: Decimal) -> str:
    """``number`` for a sentence: every digit that counts, thousands set apart: ``"10,000.50"``."""
    return _two_or_more_decimals(f"{number:,f}")


def amount(number: Decimal, decimals: int = CENTS) -> str:
    """``number``, an amount of money in a sentence that names its unit, rounded to ``decimals``:
    ``"10,000.50"``."""
    return f"{_quantized(number, decimals):,f}"


def _two_or_more_decimals(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def rounded(number: Decimal) -> str:
    """``number``, a price or a quantity, without zeros at its end: ``"43,812.4"``, ``"0.005"``,
    ``"0.0000092111"``.

    What can be traded keeps every digit. What was calculated has more than fifteen, and is rounded
    to eight decimals or, below 1, to eight digits that count.
    """
    text = f"{number:,f}"
    # Looked at first, as a shorter text has fewer digits.
    is_long = len(text) > _EXACT_DIGITS and _decimals(number) > _LEAST_DECIMALS
    if is_long and len(_digits(number)) > _EXACT_DIGITS:
        number = _quantized(number, max(_LEAST_DECIMALS, _LEAST_DIGITS - 1 - number.adjusted()))
        text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def float_text(number: float) -> str:
    """``number``, such as a parameter of a strategy, never with an exponent: ``"0.0000005"``."""
    exact = Decimal(repr(number))
    return rounded(exact) if exact.is_finite() else repr(number)


def on_tick(price: Decimal, tick: Decimal) -> str:
    """``price`` with as many decimals as ``tick`` has, but at least two: ``"43,812.40"``. One of
    fewer than a thousand ticks, as an old fill may be where the price has risen since, keeps its
    own digits."""
    decimals = _tick_decimals(tick)
    if price.copy_abs() < tick * _FEW_TICKS:
        decimals = max(decimals, min(_decimals(price), _LEAST_DIGITS - 1 - price.adjusted()))
    return f"{_quantized(price, decimals):,f}"


def _digits(number: Decimal) -> tuple[int, ...]:
    """The digits of ``number`` that count."""
    return number.normalize(_CONTEXT).as_tuple().digits


def _decimals(number: Decimal) -> int:
    """How many decimals ``number`` has; below zero where it ends before the point."""
    return -int(number.normalize(_CONTEXT).as_tuple().exponent)


# There are few ticks, and a snapshot has hundreds of prices.
@lru_cache(maxsize=1_000)
def _tick_decimals(tick: Decimal) -> int:
    return max(2, _decimals(tick))


def _quantized(number: Decimal, decimals: int) -> Decimal:
    return number.quantize(_unit(decimals), context=_CONTEXT)


@lru_cache(maxsize=1_000)
def _unit(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def dollars(amount: Decimal | None, decimals: int = CENTS) -> str:
    """``amount`` rounded to ``decimals``: ``"$10,000.00"``, ``"-$12.30"``; a dash for None."""
    return _signed(amount, decimals, prefix="$", plus="")


def gain(amount: Decimal | None, decimals: int = CENTS) -> str:
    """``amount`` rounded to ``decimals`` with its sign: ``"+$240.18"``, ``"-$12.30"``,
    ``"$0.00"``; a dash for None."""
    return _signed(amount, decimals, prefix="$", plus="+")


def percent(amount: Decimal | None) -> str:
    """``amount``, in percent, rounded to two decimals, with its sign: ``"+1.25%"``."""
    return _signed(amount, 2, suffix="%", plus="+")


def share(amount: Decimal | None) -> str:
    """``amount``, in percent and no gain or loss, rounded to two decimals: ``"1.25%"``."""
    return percent(amount).lstrip("+")


def exposure(amount: Decimal | None, decimals: int = CENTS) -> str:
    """What is held, with its side: ``"$500.00 long"``, ``"$500.00 short"``, ``"$0.00"``."""
    if amount is None:
        return NONE
    text = dollars(amount, decimals)
    if not text.strip("$0.,"):
        return text
    return f"{text[1:]} short" if text[0] == "-" else f"{text} long"


def _signed(
    amount: Decimal | None, decimals: int, *, prefix: str = "", suffix: str = "", plus: str
) -> str:
    if amount is None:
        return NONE
    shown = _quantized(amount, decimals)
    # The sign is that of the rounded number: what reads zero is no gain and no loss.
    sign = "" if not shown else "-" if shown < 0 else plus
    return f"{sign}{prefix}{shown.copy_abs():,f}{suffix}"


def short(amount: Decimal) -> str:
    """``amount``, from zero on, in at most four letters: ``"950"``, ``"9.8k"``, ``"240k"``."""
    value, letters = amount, iter(("", *"kMBT"))
    letter = next(letters)
    # A number that rounds to four digits is written with the next letter.
    while value.quantize(Decimal(1), context=_CONTEXT) >= _THOUSAND:
        value, letter = value / _THOUSAND, next(letters)
    tenths = value.quantize(_TENTH, context=_CONTEXT)
    if tenths >= _TEN:
        return f"{value.quantize(Decimal(1), context=_CONTEXT)}{letter}"
    return f"{str(tenths).removesuffix('.0')}{letter}"
