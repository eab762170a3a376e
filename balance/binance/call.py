"""A request of a client: its parameters, read from query and body as they were sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import unquote_to_bytes

from balance.binance.errors import Refusal, illegal, invalid, missing
from balance.binance.names import symbol_of
from balance.core.market import Market
from balance.core.moments import from_milliseconds
from balance.keys.key import Key

#: How many parameters one request may have.
MOST_PARAMETERS: Final = 100

_WHOLE: Final = "^[0-9]{1,20}$"
_NUMBER: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_FLAGS: Final = {"true": True, "false": False}
# Those that no text of a client has; a list in JSON may have lines.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LATEST: Final = 253_402_300_799_999

_Value = TypeVar("_Value")


class Params:
    """The parameters of a request by name, as texts; an empty one was not sent, and what nobody
    reads is ignored. What is read here raises :class:`~balance.binance.errors.Refusal`."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, name: str) -> str | None:
        """``name`` as it was sent."""
        return self._texts.get(name) or None

    def needed(self, name: str) -> str:
        """``name``, which must be sent."""
        found = self.text(name)
        if found is None:
            raise missing(name)
        return found

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        """``name`` as a whole number from ``least`` to ``most``; ``default`` where it was not
        sent."""
        found = self._read(name, _whole)
        if found is None:
            return default
        if not least <= found <= most:
            raise invalid(name)
        return found

    def integer(self, name: str) -> int | None:
        """``name`` as a whole number, such as an id."""
        return self._read(name, _whole)

    def number(self, name: str) -> Decimal | None:
        """``name`` as a decimal number, not below zero, of plain digits."""
        return self._read(name, _number)

    def flag(self, name: str) -> bool:
        """Whether ``name`` is true, in whichever case that is written."""
        return self._read(name, _flag) or False

    def time(self, name: str) -> datetime | None:
        """``name``, in milliseconds, as a moment."""
        return self._read(name, _time)

    def symbol(self, market: Market, name: str = "symbol") -> str:
        """The symbol of ``market`` that ``name`` is, which must be sent: ``"BTC/USDT"``."""
        found = symbol_of(self.needed(name), market)
        if found is None:
            raise Refusal(-1121, "Invalid symbol.")
        return found

    def any_symbol(self, market: Market, name: str = "symbol") -> str | None:
        """As :meth:`symbol`; None where it was not sent."""
        return None if self.text(name) is None else self.symbol(market, name)

    def _read(self, name: str, read: Callable[[str, str], _Value]) -> _Value | None:
        text = self.text(name)
        return None if text is None else read(name, text)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a client, checked."""

    params: Params
    # Whose it is; None at a route that is open to everyone.
    key: Key | None = None

    @property
    def caller(self) -> Key:
        """Whose it is, at a route that needs a key."""
        if self.key is None:
            raise ValueError("the route is open to everyone")
        return self.key

    @property
    def owner(self) -> str:
        """The name of :attr:`caller`, who owns what the call trades."""
        return self.caller.name


def parsed(query: str, body: str) -> dict[str, str]:
    """The parameters in ``query`` and ``body``, both as they came, each byte a character.

    Raises:
        Refusal: too many, one that is named with two values, or one with characters that no text
            has.
    """
    pairs = [each for part in (query, body) for each in part.split("&") if each]
    if len(pairs) > MOST_PARAMETERS:
        raise Refusal(
            -1101,
            f"Too many parameters; expected '{MOST_PARAMETERS}' and received '{len(pairs)}'.",
        )
    found: dict[str, str] = {}
    for pair in pairs:
        name, value = map(_decoded, pair.partition("=")[::2])
        if found.setdefault(name, value) != value:
            raise Refusal(-1101, "Duplicate values for a parameter detected.")
    return found


def _decoded(text: str) -> str:
    try:
        decoded = unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8")
    except UnicodeDecodeError:
        decoded = "\0"
    if _CONTROL.search(decoded):
        raise Refusal(-1100, "Illegal characters found in a parameter.")
    return decoded


def _matched(pattern: str, name: str, text: str) -> str:
    # "$" alone would let a line end pass.
    if not re.fullmatch(pattern, text, re.ASCII) or text.endswith("\n"):
        raise illegal(name, pattern)
    return text


def _whole(name: str, text: str) -> int:
    return int(_matched(_WHOLE, name, text))


def _number(name: str, text: str) -> Decimal:
    return Decimal(_matched(_NUMBER, name, text))


def _flag(name: str, text: str) -> bool:
    flag = _FLAGS.get(text.strip('"').lower())
    if flag is None:
        raise invalid(name)
    return flag


def _time(name: str, text: str) -> datetime:
    number = _whole(name, text)
    if number > _LATEST:
        raise invalid(name)
    return from_milliseconds(number)
