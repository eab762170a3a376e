"""Frozen dataclasses as JSON objects and back: a member for each field, in the order of the class.

What a member may be follows from the type of its field: exact numbers are decimal strings, moments
ISO 8601 in UTC, and the types of :mod:`balance.core.shape` have their limits. Reading raises one of
KeyError, TypeError, ValueError or InvalidAmount, with a message that names the member.

This is not pydantic: importing that takes 0.45 s, which would nearly double the start of a command.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from balance.core.errors import InvalidAmount
from balance.core.figures import plain
from balance.core.moments import from_iso, iso
from balance.core.money import LIMIT, MOST_UNITS, is_bounded, number, quantized
from balance.core.shape import (
    Cost,
    Count,
    Leverage,
    Money,
    Name,
    Price,
    Quantity,
    Rate,
    Symbol,
    Total,
    Whole,
)

T = TypeVar("T")
#: Reads the value of a member with a name.
Reader = Callable[[Any, str], Any]

# A total adds up amounts that each stay within LIMIT, over the life of an account.
_LARGEST_TOTAL: Final = LIMIT * 10**12
#: No whole number may be larger: others read it exactly, and SQLite takes it.
LARGEST_COUNT: Final = 2**53 - 1
_REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of a type stand in JSON."""

    read: Reader
    # None: as they are.
    write: Callable[[Any], Any] | None = None


class Record(Generic[T]):
    """How a class stands in JSON."""

    def __init__(
        self,
        cls: type[T],
        *parts: Record[Any],
        later: Collection[str] = (),
        rare: Collection[str] = (),
        mend: Callable[[Mapping[str, Any], T], T] | None = None,
    ) -> None:
        """``parts`` are the records of classes in its fields that need one of their own. Members
        that older versions did not write are named in ``later``, and are the defaults of their
        fields where they are missing. Those in ``rare`` are so too, and are not written where they
        have their defaults, so that files without them stay as they are. ``mend`` corrects what
        older versions wrote, given the document and the object read from it."""
        self.cls = cls
        #: The members that may be missing.
        self.optional = frozenset((*later, *rare))
        self._mend = mend
        known = {each.cls: Form(each.read, each.encode) for each in parts}
        hints = get_type_hints(cls, include_extras=True)
        forms = {each.name: _form(hints[each.name], known) for each in fields(cls)}  # type: ignore[arg-type]
        defaults = {each.name: each.default for each in fields(cls)}  # type: ignore[arg-type]
        self._readers = [
            (name, form.read, defaults[name] if name in self.optional else _REQUIRED)
            for name, form in forms.items()
        ]
        self._writers = [(name, form.write) for name, form in forms.items()]
        self._rare = [(name, defaults[name]) for name in rare]

    def encode(self, value: T) -> dict[str, Any]:
        """``value`` as an object."""
        document = {
            name: getattr(value, name) if write is None else write(getattr(value, name))
            for name, write in self._writers
        }
        for name, default in self._rare:
            if getattr(value, name) == default:
                del document[name]
        return document

    def decode(self, document: Mapping[str, Any]) -> T:
        """The value of ``document``, which may have further members.

        Raises:
            KeyError, TypeError, ValueError, InvalidAmount: a member is missing or wrong.
        """
        value = self.cls(
            **{
                name: read(document[name], name)
                if default is _REQUIRED or name in document
                else default
                for name, read, default in self._readers
            }
        )
        return value if self._mend is None else self._mend(document, value)

    def read(self, document: Any, name: str) -> T:
        """The same for the member called ``name``."""
        return self.decode(_object(document, name))


def text(value: Any, name: str, *, empty: bool = False) -> str:
    """The text ``value``, which may be ``empty`` or not."""
    if not isinstance(value, str) or not (value or empty):
        raise ValueError(f"{name} must be a text, not {value!r}")
    return value


def count(value: Any, name: str, least: int = 1) -> int:
    """The whole number ``value``, from ``least`` to ``LARGEST_COUNT``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_COUNT:
        raise ValueError(f"{name} must be a whole number from {least} on, not {value!r:.40}")
    return value


def amount(value: Any, name: str) -> Decimal:
    """The money ``value``."""
    return quantized(number(value, name, _LARGEST_TOTAL))


def one_of(value: Any, name: str, values: Collection[Any]) -> Any:
    """``value``, one of ``values``."""
    if value not in values:
        raise ValueError(f"{name} must be one of {', '.join(map(str, values))}, not {value!r}")
    return value


def moment(value: Any, name: str) -> datetime:
    """The moment ``value``."""
    return from_iso(text(value, name))


def total(value: Any, name: str, limit: Decimal = _LARGEST_TOTAL) -> Decimal:
    """The sum ``value``, from zero to ``limit``."""
    read = _bounded(value, name, limit)
    if read < 0:
        raise InvalidAmount(f"{name} must not be negative")
    return read


def _bounded(value: Any, name: str, limit: Decimal = _LARGEST_TOTAL) -> Decimal:
    read = number(value, name, limit)
    if not is_bounded(read):
        raise InvalidAmount(f"{name} is too close to zero: {value!r:.40}")
    return read


def _positive(value: Any, name: str, limit: Decimal = LIMIT) -> Decimal:
    read = _bounded(value, name, limit)
    if read <= 0:
        raise InvalidAmount(f"{name} must be above zero, not {read}")
    return read


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}")
    return value


def _float(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{name} must be a number, not {value!r}")
    return float(number(value, name))


def _date(value: Any, name: str) -> date:
    return date.fromisoformat(text(value, name))


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be an object, not {value!r:.40}")
    return value


_FORMS: Final[Mapping[Any, Form]] = {
    Any: Form(lambda value, _: value),
    str: Form(partial(text, empty=True)),
    **dict.fromkeys((Name, Symbol), Form(text)),
    bool: Form(_flag),
    **dict.fromkeys((int, Whole), Form(partial(count, least=0))),
    Count: Form(count),
    float: Form(_float),
    Decimal: Form(_bounded, plain),
    Money: Form(amount, plain),
    **dict.fromkeys((Price, Leverage), Form(_positive, plain)),
    Quantity: Form(partial(_positive, limit=MOST_UNITS), plain),
    **dict.fromkeys((Cost, Rate), Form(partial(total, limit=LIMIT), plain)),
    Total: Form(total, plain),
    datetime: Form(moment, iso),
    date: Form(_date, date.isoformat),
}


def _form(hint: Any, known: Mapping[type, Form]) -> Form:
    if hint in known:
        return known[hint]
    if hint in _FORMS:
        return _FORMS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        # What a field says further of its type is for the description of the interface.
        inner = Annotated[arguments[0], arguments[1]] if len(arguments) > 2 else arguments[0]
        return _form(inner, known)
    if origin is Literal:
        return Form(partial(one_of, values=arguments))
    if origin in (Union, UnionType):
        (inner,) = (each for each in arguments if each is not NoneType)
        return _optional(_form(inner, known))
    if origin is tuple:
        return _several(_form(arguments[0], known))
    if is_dataclass(hint) and isinstance(hint, type):
        record = Record[Any](hint)
        return Form(record.read, record.encode)
    if issubclass(origin or hint, Mapping):
        return Form(_object, dict)
    raise TypeError(f"{hint} has no place in JSON")


def _optional(form: Form) -> Form:
    def read(value: Any, name: str) -> Any:
        return None if value is None else form.read(value, name)

    def write(value: Any) -> Any:
        return None if value is None or form.write is None else form.write(value)

    return Form(read, None if form.write is None else write)


def _several(form: Form) -> Form:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise TypeError(f"{name} must be a list, not {value!r:.40}")
        return tuple([form.read(each, name) for each in value])

    def write(value: Any) -> Any:
        return list(value) if form.write is None else [form.write(each) for each in value]

    return Form(read, write)
