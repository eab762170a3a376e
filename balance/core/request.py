"""Members of requests, from JSON, a shell or Python: each is checked, and read where it is text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import LIMIT, MOST_UNITS, exact, number
from balance.core.shape import Doc, Shape, fields_of
from balance.core.symbols import symbol_among

# The members in base units.
_UNITS: Final = ("quantity", "size")
#: Reads the value of the member with a name.
Reader = Callable[[Any, str], Any]
_LIMITS: Final[Mapping[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "exclusiveMinimum": ("above {:,}", operator.gt),
    "minimum": ("from {:,}", operator.ge),
    "exclusiveMaximum": ("below {:,}", operator.lt),
    "maximum": ("at most {:,}", operator.le),
}
#: The most characters of an idempotency key.
LONGEST_KEY: Final = 200


def symbol(name: object, market: Market) -> str:
    """The symbol that ``name`` means, as :func:`balance.core.symbols.symbol_among` reads it.

    Raises:
        InvalidRequest: it is not traded here, or may be one of several.
    """
    if not isinstance(name, str):
        raise InvalidRequest("symbol must be a text such as BTC/USDT.")
    return symbol_among(name, market.instruments)


def positive(value: object, name: str) -> Decimal:
    """``value``, which the member ``name`` has, as a number above zero.

    Raises:
        InvalidAmount: it is none.
    """
    with exact():
        # Rounded to the digits that calculations have.
        result = +number(value, name, MOST_UNITS if name in _UNITS else LIMIT)
    if result <= 0:
        raise InvalidAmount(f"The {name} must be above zero, not {grouped(result):.40}.")
    return result


def check_key(key: object) -> None:
    """Prove that ``key`` can be the ``Idempotency-Key`` of a request.

    Raises:
        InvalidRequest: it is empty, too long, or holds what can't be printed.
    """
    if key == "":
        raise InvalidRequest("The Idempotency-Key must not be empty.")
    check_text(key, "Idempotency-Key", LONGEST_KEY)


def check_text(text: object, what: str, longest: int) -> None:
    """Prove that ``text`` can be stored as ``what``, of at most ``longest`` characters.

    Raises:
        InvalidRequest: it is too long, or holds what can't be printed.
    """
    if not isinstance(text, str) or not text.isprintable() or len(text) > longest:
        raise InvalidRequest(
            f"The {what} must be a printable text of at most {longest} characters."
        )


def quoted(value: object) -> str:
    """``value``, which is not what it should be, as a message says it: at most 40 characters."""
    return f"{value if isinstance(value, Decimal) else repr(value)!s:.40}"


def one_of(value: object, name: str, choices: tuple[str, ...]) -> str:
    """``value``, which the member ``name`` has, if it is one of ``choices``.

    Raises:
        InvalidRequest: it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidRequest(f"{name} must be one of {', '.join(choices)}, not {quoted(value)}.")
    return value


def flag(value: object, name: str) -> bool:
    """``value``, which the member ``name`` has, if it is true or false.

    Raises:
        InvalidRequest: it is not.
    """
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false, not {quoted(value)}.")
    return value


def readers(shape: Shape, **others: Reader) -> Mapping[str, Reader]:
    """How each field of ``shape`` is read from a request: by its type and the limits in its
    ``Doc``. The ``others`` are for fields with rules of their own.

    A reader raises InvalidRequest or InvalidAmount where the value may not be that.
    """
    return {
        name: others.get(name) or _reader(field.hint) for name, field in fields_of(shape).items()
    }


def check_names(request: Collection[str], names: Collection[str], subject: str) -> None:
    """Prove that ``request`` has only members of these ``names``, as the ``subject`` has.

    Raises:
        InvalidRequest: it has another one.
    """
    unknown = sorted(set(request) - set(names))
    if unknown:
        raise InvalidRequest(f"{subject} has {', '.join(names)}, but not {unknown[0]!r:.40}.")


def check_required(members: Mapping[str, Any], names: Collection[str], subject: str) -> None:
    """Prove that none of the ``members`` with these ``names`` is missing or None.

    Raises:
        InvalidRequest: one is.
    """
    for name in names:
        if members.get(name) is None:
            raise InvalidRequest(f"{subject} needs a {name}.")


def _reader(hint: Any) -> Reader:
    limits: dict[str, Any] = {}
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        for doc in (each for each in notes if isinstance(each, Doc)):
            limits |= doc.keywords
    if get_origin(hint) in (Union, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        return partial(_optional, read=_plain_reader(inner, limits))
    return _plain_reader(hint, limits)


def _plain_reader(hint: Any, limits: Mapping[str, Any]) -> Reader:
    if get_origin(hint) is Literal or "enum" in limits:
        return partial(one_of, choices=tuple(limits.get("enum") or get_args(hint)))
    if hint is str:
        return partial(_text, least=limits.get("minLength", 0), most=limits.get("maxLength"))
    if hint in (int, Decimal):
        return partial(_number, limits=limits, kind=hint)
    if hint is bool:
        return flag
    raise TypeError(f"{hint} needs a reader of its own")


def _optional(value: object, name: str, read: Reader) -> Any:
    return None if value is None else read(value, name)


def _text(value: object, name: str, least: int, most: int | None) -> str:
    if most is None:
        if not isinstance(value, str):
            raise InvalidRequest(f"{name} must be a text, not {quoted(value)}.")
        return value
    text = value.strip() if isinstance(value, str) else None
    if text is None or not text.isprintable() or not least <= len(text) <= most:
        length = f"{least} to {most}" if least else f"at most {most}"
        raise InvalidRequest(f"The {name} must be a printable text of {length} characters.")
    return text


def _number(value: object, name: str, limits: Mapping[str, Any], kind: type) -> Any:
    with exact():
        # Rounded to the digits that calculations have.
        found = +number(value, name)
    is_whole = kind is int or limits.get("type") == "integer"
    rules = [(*rule, limits[each]) for each, rule in _LIMITS.items() if each in limits]
    is_within = all(test(found, limit) for _, test, limit in rules)
    if is_within and not (is_whole and found % 1):
        return kind(found)
    phrase = " and ".join(text.format(limit) for text, _, limit in rules)
    if "minimum" in limits:
        phrase = phrase.replace("and at most", "to")
    whole = "a whole number " if is_whole else ""
    raise InvalidAmount(f"{name} must be {whole}{phrase}, not {grouped(found):.40}.")
