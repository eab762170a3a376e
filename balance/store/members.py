"""Members of JSON objects, each read with a check of its kind.

The functions raise KeyError, TypeError, ValueError or InvalidAmount, with words that name the
member, where it is missing or of the wrong kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast

from balance.core.errors import InvalidAmount
from balance.core.moments import from_iso
from balance.core.money import LIMIT, MOST_UNITS, number, quantized

# in base units, as they may be of a coin that costs next to nothing
_UNITS: Final = ("quantity", "closed_quantity")
# a total adds up amounts that each stay within LIMIT, over the life of an account
_LARGEST_TOTAL: Final = LIMIT * 10**12


def amount(document: Mapping[str, Any], name: str) -> Decimal:
    """The money that is called ``name``."""
    return quantized(number(document[name], name, _LARGEST_TOTAL))


def positive(document: Mapping[str, Any], name: str) -> Decimal:
    """The number above zero that is called ``name``."""
    value = number(document[name], name, MOST_UNITS if name in _UNITS else LIMIT)
    if value <= 0:
        raise InvalidAmount(f"{name} must be above zero, not {value}")
    return value


def positive_or_none(document: Mapping[str, Any], name: str) -> Decimal | None:
    """The number above zero that is called ``name``, or None."""
    return None if document[name] is None else positive(document, name)


def not_negative(document: Mapping[str, Any], name: str) -> Decimal:
    """The number from zero on that is called ``name``."""
    value = number(document[name], name, MOST_UNITS if name in _UNITS else LIMIT)
    if value < 0:
        raise InvalidAmount(f"{name} must not be negative")
    return value


def total(document: Mapping[str, Any], name: str) -> Decimal:
    """The sum, from zero on, that is called ``name``."""
    value = number(document[name], name, _LARGEST_TOTAL)
    if value < 0:
        raise InvalidAmount(f"{name} must not be negative")
    return value


def count(document: Mapping[str, Any], name: str) -> int:
    """The whole number from 1 on that is called ``name``."""
    value = document[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")
    return value


def flag(document: Mapping[str, Any], name: str) -> bool:
    """The true or false that is called ``name``."""
    value = document[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}")
    return value


def text(document: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    """The text that is called ``name``."""
    value = document[name]
    if not isinstance(value, str) or not (value or empty):
        raise ValueError(f"{name} must be a text, not {value!r}")
    return value


def one_of(document: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    """The text that is called ``name``, one of ``values``."""
    value = document[name]
    if value not in values:
        raise ValueError(f"{name} must be one of {', '.join(values)}, not {value!r}")
    return cast(str, value)


def moment(document: Mapping[str, Any], name: str) -> datetime:
    """The moment that is called ``name``."""
    return from_iso(text(document, name))
