"""Orders as they are asked for by name, from JSON, a shell or Python, made into tickets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast, get_args

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import LIMIT, MOST_UNITS, exact, number
from balance.core.position import OrderSide, OrderType
from balance.core.ticket import Ticket

_NUMBERS: Final = (
    "quantity",
    "notional",
    "percent",
    "price",
    "trigger_price",
    "leverage",
    "take_profit",
    "stop_loss",
)
# Of the numbers that are asked for, those in base units.
_UNITS: Final = ("quantity", "size")
#: Of an idempotency key, in characters.
LONGEST_KEY: Final = 200
#: What an order may have; ``symbol`` and ``side`` are needed.
MEMBERS: Final = ("symbol", "side", "type", "reduce_only", *_NUMBERS)


def ticket(asked: Mapping[str, Any], market: Market) -> Ticket:
    """The ticket that the members of ``asked`` tell; None is as good as not given.

    Raises:
        InvalidRequest: a member is missing, unknown or not one of its words.
        InvalidAmount: a number is none, or not above zero.
    """
    unknown = sorted(set(asked) - set(MEMBERS))
    if unknown:
        raise InvalidRequest(f"An order may have {', '.join(MEMBERS)}, but not {unknown[0]!r:.40}.")
    given = _given(asked)
    reduce_only = given["reduce_only"]
    if not isinstance(reduce_only, bool):
        raise InvalidRequest("reduce_only must be true or false.")
    numbers: dict[str, Any] = {
        name: positive(given[name], name) for name in _NUMBERS if name in given
    }
    return Ticket(
        symbol=symbol(given.get("symbol"), market),
        side=cast(OrderSide, _one_of(given.get("side"), "side", get_args(OrderSide))),
        type=cast(OrderType, _one_of(given["type"], "type", get_args(OrderType))),
        reduce_only=reduce_only,
        **numbers,
    )


def symbol(asked: object, market: Market) -> str:
    """The symbol that is meant: ``BTC/USDT``, also written ``btc-usdt`` or ``BTCUSDT``.

    Raises:
        InvalidRequest: it is not traded here.
    """
    if not isinstance(asked, str):
        raise InvalidRequest("symbol must be a text such as BTC/USDT.")
    wanted = _letters(asked)
    for known in market.instruments:
        if _letters(known) == wanted:
            return known
    return market.instrument(asked).symbol


def positive(value: object, name: str) -> Decimal:
    """The number above zero that is meant.

    Raises:
        InvalidAmount: it is none.
    """
    with exact():
        # no price and no size has more digits than are reckoned with
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
    """Prove that ``text`` can be kept as ``what``, of at most ``longest`` characters.

    Raises:
        InvalidRequest: it is too long, or holds what can't be printed.
    """
    if not isinstance(text, str) or not text.isprintable() or len(text) > longest:
        raise InvalidRequest(
            f"The {what} must be a printable text of at most {longest} characters."
        )


def fingerprint(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What tells the order that is asked for from another one, however either is written."""
    return sorted((name, _plainly(name, value)) for name, value in _given(asked).items())


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    usual = {"type": "market", "reduce_only": False}
    return {**usual, **{name: value for name, value in asked.items() if value is not None}}


def _plainly(name: str, value: object) -> str:
    if name == "symbol":
        return _letters(str(value))
    if name not in _NUMBERS:
        return str(value)
    try:
        return str(positive(value, name).normalize())
    except InvalidAmount:
        return ""  # it will be refused


def _letters(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())


def _one_of(value: object, name: str, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise InvalidRequest(f"{name} must be one of {', '.join(words)}, not {value!r:.40}.")
    return value
