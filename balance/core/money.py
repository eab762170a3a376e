"""Exact decimal money in the quote currency: made, added up and written here."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from balance.core.errors import InvalidAmount

CURRENCY: Final = "USDT"
ZERO: Final = Decimal(0)
#: What a new account and a reset begin with by default.
DEFAULT_STARTING_BALANCE: Final = Decimal("10000.00")
#: The smallest difference that is booked: eight decimals.
QUANTUM: Final = Decimal("0.00000001")
#: No amount and no balance may be larger; twelve digits and eight decimals stay exact everywhere.
LIMIT: Final = Decimal(10) ** 12
#: No quantity, in base units, may be larger: a coin may cost less than a billionth.
MOST_UNITS: Final = LIMIT * 10**12

# Bounds of a market's numbers: their products and quotients neither overflow nor need more digits
# than calculations have.
_LARGEST_RULE: Final = LIMIT * LIMIT
_FINEST: Final = 1 / _LARGEST_RULE

# Wide enough for any product of a price and a quantity, whatever context the caller has set.
_CONTEXT: Final = Context(
    prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_SIGNIFICANT: Final = Context(prec=16, rounding=ROUND_HALF_EVEN)
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST: Final = 200
_HUGE: Final = 10**100


_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def exact() -> AbstractContextManager[Context]:
    """A ``with`` block in which sums and products of money are exact, whatever context it is in."""
    return localcontext(_CONTEXT)


def exactly(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """``function``, always run within :func:`exact`."""

    @wraps(function)
    def run(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
        with exact():
            return function(*arguments, **named)

    return run


def money(value: object, what: str = "amount") -> Decimal:
    """The amount that a caller means, in the quote currency, rounded half to even to 8 decimals.

    Takes a Decimal, an int, a str such as ``"12.30"`` or a float; a float is taken as the decimal
    number that it prints as, so ``money(0.1)`` is exactly 0.1.

    Raises:
        InvalidAmount: not a number (a bool is none), not finite, or beyond ``LIMIT``.
    """
    return quantized(number(value, what, unit=f" {CURRENCY}"))


def number(value: object, what: str = "number", limit: Decimal = LIMIT, unit: str = "") -> Decimal:
    """The number that a caller means, as :func:`money` takes it, but not rounded: a price or a
    quantity; ``unit`` follows ``limit`` in the message.

    Raises:
        InvalidAmount: not a number (a bool is none), not finite, or beyond ``limit``.
    """
    result = _decimal(value, what)
    if not result.is_finite():
        raise InvalidAmount(f"The {what} must be a finite number, not {_short(value)}.")
    if result.copy_abs() > limit:
        raise InvalidAmount(f"The {what} is too large: at most {limit:,}{unit}.")
    return result


def is_bounded(number: Decimal) -> bool:
    """Whether calculations may be made with ``number``, a price, a quantity, a rate or a rule that
    a file or an exchange gives: it is 0, or from 1e-24 to 1e24, above or below zero."""
    if not number.is_finite():
        return False
    return not number or _FINEST <= number.copy_abs() <= _LARGEST_RULE


def number_in(text: str) -> Decimal | None:
    """The number that ``text`` writes: ``12.30``, ``.5`` or ``1e3``, with spaces around it or
    without; None where it writes none, or may be misread: ``1,000``, ``0x10``, ``NaN``."""
    if len(text) > _LONGEST or _NUMBER.fullmatch(text.strip()) is None:
        return None
    return Decimal(text.strip())


def _decimal(value: object, what: str) -> Decimal:
    if isinstance(value, str):
        found = number_in(value)
        if found is not None:
            return found
    elif isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        # A huge one would take minutes to convert, and is refused anyway.
        return Decimal(min(max(value, -_HUGE), _HUGE))
    if isinstance(value, float):
        # A float of another library, such as numpy's, may print as something else.
        return Decimal(float.__repr__(value))
    raise InvalidAmount(f"The {what} must be a number such as 250 or 12.30, not {_short(value)}.")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def quantized(number: Decimal) -> Decimal:
    """``number`` as it is booked: rounded half to even to 8 decimals, never a negative zero."""
    rounded = number.quantize(QUANTUM, context=_CONTEXT)
    return rounded if rounded else ZERO.quantize(QUANTUM)


def significant(price: Decimal) -> Decimal:
    """``price``, which was calculated, as it is stored: rounded to 16 significant digits, as some
    coins cost less than a hundred-millionth."""
    return _SIGNIFICANT.plus(price)
