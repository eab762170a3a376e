"""What the index has of a row: the fields of the row's class that are marked so.

A field that is marked is a column of the index, can be sorted by and, where the mark says so,
filtered by; nothing else has to be written for it, unless it is calculated and has a source::

    fee: Annotated[Money, Doc("On the notional."), Indexed("amount", is_fast=True)]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from balance.core import moments
from balance.core.moments import from_iso
from balance.core.shape import fields_of

#: So many units are one of the quote currency.
UNITS: Final = 10**8
#: What stands for an amount that is None: it sorts below all amounts.
NOTHING: Final = b""
# Below this, in the quote currency, a float is nearer to its amount than to any other.
_EXACT: Final = 1e6
_TOO_LARGE: Final = 1e30
#: How a flag is written in a filter, where it is not set and where it is.
FLAGS: Final = ("false", "true")
# The first byte of zero. Above it, the number of bytes that follow; below it likewise, of an
# amount below zero.
_ZERO: Final = 128


# What an entry moves and leaves is often the same as of the one before it.
@lru_cache(maxsize=256)
def amount_key(amount: str | Decimal | None) -> bytes:
    """``amount``, in the quote currency, as bytes that sort as the amounts do, however large.

    Raises:
        ValueError, ArithmeticError: no amount, or beyond all that are booked.
    """
    if amount is None:
        return NOTHING
    near = float(amount)
    if -_EXACT < near < _EXACT:
        return units_key(round(near * UNITS))
    if not abs(near) < _TOO_LARGE:
        raise ValueError("an amount is too large")
    return units_key(int((Decimal(amount) * UNITS).to_integral_value()))


def units_key(units: int) -> bytes:
    """An amount of so many ``units``, as :func:`amount_key` has it."""
    size = (units.bit_length() + 7) // 8
    if units < 0:
        return bytes((_ZERO - size,)) + (units + (1 << 8 * size)).to_bytes(size, "big")
    return bytes((_ZERO + size,)) + units.to_bytes(size, "big")


# The entries of a commit have the same time.
@lru_cache(maxsize=16)
def milliseconds(time: str | datetime) -> int:
    """``time`` as the index has it."""
    return moments.milliseconds(from_iso(time) if isinstance(time, str) else time)


# The type in SQL of each kind of column, and what makes the stored form of a value.
_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], Any] | None]]] = MappingProxyType(
    {
        "name": ("TEXT", None),
        # What people write, to be searched whatever the case of its letters.
        "text": ("TEXT", str.casefold),
        "whole": ("INTEGER", None),
        # Prices and quantities, of which the order counts and not the last digit.
        # SQLite has no zero below zero.
        "number": ("REAL", lambda value: None if value is None else float(value) + 0.0),
        "time": ("INTEGER", lambda value: None if value is None else milliseconds(value)),
        "amount": ("BLOB", amount_key),
        "flag": ("TEXT", lambda value: None if value is None else FLAGS[value]),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """Marks a field of a row: the index has it as a ``kind``."""

    kind: Literal["name", "text", "whole", "number", "time", "amount", "flag"]
    # Whether a list is sorted by it at once, for which it has an index of its own.
    is_fast: bool = False
    # Whether a list may be sorted by it.
    is_sortable: bool = True
    # Whether a list is filtered by it: ``side=buy``, of one or several values.
    is_filter: bool = False
    # What an amount is called in a sentence, where a list is filtered by its bounds; else empty.
    bounded_as: str = ""
    # What calculates it where it does not stand in the document of the entry or of the fill. Those
    # are not decoded, which would cost a sixth more time of filling the index.
    source: Callable[[Mapping[str, Any]], Any] | None = None


#: The usual marks: in which form the index has a field, and what lists do with it.
FAST_AMOUNT: Final = Indexed(kind="amount", is_fast=True)
AMOUNT: Final = Indexed(kind="amount")
FAST_NUMBER: Final = Indexed(kind="number", is_fast=True)
NUMBER: Final = Indexed(kind="number")
FILTER: Final = Indexed(kind="name", is_filter=True)
NAME: Final = Indexed(kind="name")
TEXT: Final = Indexed(kind="text")
TIME: Final = Indexed(kind="time")
FAST_TIME: Final = Indexed(kind="time", is_fast=True)
FAST_FILTER: Final = Indexed(kind="name", is_fast=True, is_filter=True)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the index."""

    name: str
    mark: Indexed
    # The only values that it may have; empty: any.
    values: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """Its name and type."""
        return f"{self.name} {_KINDS[self.mark.kind][0]}"

    @property
    def store(self) -> Callable[[Any], Any] | None:
        """What makes the stored form of a value; None: it is stored as it is."""
        return _KINDS[self.mark.kind][1]


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns that the class ``row`` marks, in their order."""
    found = []
    for name, field in fields_of(row).items():
        for each in getattr(field.hint, "__metadata__", ()):
            if isinstance(each, Indexed):
                values = FLAGS if each.kind == "flag" else _literals(field.hint)
                found.append(Column(name, each, tuple(values)))
    return tuple(found)


def _literals(hint: Any) -> Iterable[str]:
    """The values of the ``Literal`` that ``hint`` is, if it is one."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return [value for each in get_args(hint) for value in _literals(each)]
    inner = getattr(hint, "__origin__", None)
    return () if inner is None else _literals(inner)
