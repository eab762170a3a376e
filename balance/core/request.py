"""Members of requests, from JSON, a shell or Python: each is checked, and read where it is text."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import LIMIT, MOST_UNITS, exact, number

# The members in base units.
_UNITS: Final = ("quantity", "size")
#: The most characters of an idempotency key.
LONGEST_KEY: Final = 200


def symbol(name: object, market: Market) -> str:
    """The symbol that ``name`` means: ``BTC/USDT``, also written ``btc-usdt`` or ``BTCUSDT``.

    Raises:
        InvalidRequest: it is not traded here.
    """
    if not isinstance(name, str):
        raise InvalidRequest("symbol must be a text such as BTC/USDT.")
    short = letters(name)
    for known in market.instruments:
        if letters(known) == short:
            return known
    return market.instrument(name).symbol


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


def letters(text: str) -> str:
    """The letters and digits of ``text`` in capitals, by which symbols are compared."""
    return "".join(letter for letter in text.upper() if letter.isalnum())


def one_of(value: object, name: str, choices: tuple[str, ...]) -> str:
    """``value``, which the member ``name`` has, if it is one of ``choices``.

    Raises:
        InvalidRequest: it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidRequest(f"{name} must be one of {', '.join(choices)}, not {value!r:.40}.")
    return value


def flag(value: object, name: str) -> bool:
    """``value``, which the member ``name`` has, if it is true or false.

    Raises:
        InvalidRequest: it is not.
    """
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false, not {value!r:.40}.")
    return value
