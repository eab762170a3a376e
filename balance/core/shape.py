"""Shapes: what a record looks like, said once by the class that it is made as.

A record that is answered is a ``TypedDict`` or a frozen dataclass, and each field says what it
means where it stands::

    class PositionRow(TypedDict):
        \"""An open position.\"""

        symbol: Symbol
        margin: Annotated[Money, Doc("What the position can lose.")]
        liquidation_price: Annotated[Price | None, Doc("Null where there is none.")]

The HTTP interface makes its description from these classes (``balance.api.schema``), so a field
that is added here is described there.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    NotRequired,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
#: The class of a record or, where a table has the fields, their types by name.
Shape = type | Mapping[str, Any]


class Doc:
    """What the description says of a field or a type: a text, keywords of JSON Schema and, of a
    mapping, the ``names`` that it has or the ``shape`` whose members it has.

    Where a field and its type both have one, the text of the field comes first, and its keywords
    count.
    """

    def __init__(
        self,
        text: str = "",
        *,
        names: Iterable[str] = (),
        shape: type | None = None,
        **keywords: Any,
    ) -> None:
        self.text = text
        self.shape = shape
        self.names = tuple(names)
        self.keywords = keywords


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a shape."""

    hint: Any
    # Whether a record may be without it.
    is_optional: bool = False
    # Whether a request may leave it out, and what counts then; None: nothing that has a name.
    has_default: bool = False
    default: Any = None


def includes(*shapes: Shape) -> Callable[[type[T]], type[T]]:
    """Let a ``TypedDict`` have the fields of ``shapes`` beside its own, before them; those that
    inherit from it must say so again."""

    def mark(shape: type[T]) -> type[T]:
        shape.__included__ = shapes  # type: ignore[attr-defined]
        return shape

    return mark


def fields_of(shape: Shape) -> Mapping[str, Field]:
    """The fields of ``shape`` by name, in their order."""
    if isinstance(shape, Mapping):
        return {name: Field(hint) for name, hint in shape.items()}
    return _class_fields(shape)


@functools.cache
def _class_fields(shape: type) -> Mapping[str, Field]:
    fields: dict[str, Field] = {}
    for each in getattr(shape, "__included__", ()):
        fields |= fields_of(each)
    hints = get_type_hints(shape, include_extras=True)
    if dataclasses.is_dataclass(shape):
        return fields | {each.name: _field(each, hints) for each in dataclasses.fields(shape)}
    optional: frozenset[str] = getattr(shape, "__optional_keys__", frozenset())
    return fields | {name: _member(hint, name in optional) for name, hint in hints.items()}


def members(record: Any) -> dict[str, Any]:
    """The values of the fields of ``record``, a dataclass, by name."""
    return {each.name: getattr(record, each.name) for each in dataclasses.fields(record)}


def is_record(hint: Any) -> bool:
    """Whether ``hint`` is the class of a record."""
    is_typed_dict = isinstance(hint, type) and hasattr(hint, "__required_keys__")
    return is_typed_dict or dataclasses.is_dataclass(hint)


def text_names(names: Iterable[str]) -> Doc:
    """Says that there is a text under each of ``names``, as people are shown it."""
    return Doc("The figures as text, as the dashboard shows them.", names=names)


def _field(field: dataclasses.Field[Any], hints: Mapping[str, Any]) -> Field:
    missing = dataclasses.MISSING
    has_default = field.default is not missing or field.default_factory is not missing
    default = None if field.default is missing else field.default
    return Field(hints[field.name], has_default=has_default, default=default)


def _member(hint: Any, is_optional: bool) -> Field:
    if get_origin(hint) is NotRequired:
        return Field(get_args(hint)[0], is_optional=True)
    return Field(hint, is_optional=is_optional)


#: A time as text.
Time = Annotated[str, Doc("UTC.", format="date-time")]
#: An amount of the quote currency.
Money = Annotated[Decimal, Doc("In the quote currency.")]
Percent = Annotated[Decimal, Doc("In percent.")]
Price = Annotated[Decimal, Doc("In the quote currency per base unit.", exclusiveMinimum=0)]
Quantity = Annotated[Decimal, Doc("In base units.", exclusiveMinimum=0)]
Leverage = Annotated[Decimal, Doc(minimum=1)]
#: Money that is never below zero, and a sum of it, of quantities or of values over a long time.
Cost = Annotated[Decimal, Doc("In the quote currency.", minimum=0)]
Total = Annotated[Decimal, Doc(minimum=0)]
#: A fraction.
Rate = Annotated[Decimal, Doc(minimum=0)]
Symbol = Annotated[str, Doc("Such as BTC/USDT.")]
#: A text that is never empty.
Name = Annotated[str, Doc(minLength=1)]
#: A whole number from 0, and one from 1.
Whole = Annotated[int, Doc(minimum=0)]
Count = Annotated[int, Doc(minimum=1)]
#: Texts by the names of their figures.
Texts = Mapping[str, str]
