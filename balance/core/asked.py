"""Orders as they are asked for by name, from JSON, a shell or Python, made into tickets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, cast, get_args

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import number
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
    given: dict[str, Any] = {"type": "market", "reduce_only": False}
    given |= {name: value for name, value in asked.items() if value is not None}
    reduce_only = given["reduce_only"]
    if not isinstance(reduce_only, bool):
        raise InvalidRequest("reduce_only must be true or false.")
    return Ticket(
        symbol=symbol(given.get("symbol"), market),
        side=cast(OrderSide, _one_of(given.get("side"), "side", get_args(OrderSide))),
        type=cast(OrderType, _one_of(given["type"], "type", get_args(OrderType))),
        reduce_only=reduce_only,
        **{name: positive(given[name], name) for name in _NUMBERS if name in given},
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
    result = number(value, name)
    if result <= 0:
        raise InvalidAmount(f"The {name} must be above zero, not {grouped(result)}.")
    return result


def _letters(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())


def _one_of(value: object, name: str, words: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in words:
        raise InvalidRequest(f"{name} must be one of {', '.join(words)}, not {value!r:.40}.")
    return value
