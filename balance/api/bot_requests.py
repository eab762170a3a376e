"""What a request about bots, signals and backtests asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Request

from balance.api.problems import Problem
from balance.api.requests import body_of, bytes_of, json_object, with_only
from balance.bots.settings import MEMBERS
from balance.bots.signals import MEMBERS as SIGNAL_MEMBERS
from balance.core.errors import InvalidRequest

#: No file of candles may be larger, in bytes.
LARGEST_FILE: Final = 16 * 1024 * 1024
#: What a file of candles may be declared as.
FILE_TYPES: Final = ("text/csv", "application/json", "application/zip", "application/gzip")
#: What a backtest has beside the settings of a bot.
BACKTEST_MEMBERS: Final = (*MEMBERS, "hours", "file", "balance")
#: The members that are texts; the others are numbers.
_TEXTS: Final = (
    *("name", "symbol", "timeframe", "strategy", "params", "direction", "stake_unit"),
    *("file", "side", "source"),
)


def settings_wanted(request: Request) -> dict[str, Any]:
    """The members of a bot's settings that the body has.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    return _with_numbers(body_of(request, MEMBERS))


def backtest_wanted(request: Request) -> dict[str, Any]:
    """The members of a backtest that the body has.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    return _with_numbers(body_of(request, BACKTEST_MEMBERS))


def nothing_wanted(request: Request) -> None:
    """Nothing: the body is empty, or an object without members.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: there is something in it.
    """
    if bytes_of(request):
        body_of(request, ())


def close_wanted(request: Request) -> bool:
    """Whether the body has ``{"close": true}``; it may be empty.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, ("close",)) if bytes_of(request) else {}
    close = body.get("close", False)
    if not isinstance(close, bool):
        raise InvalidRequest("close must be true or false.")
    return close


def signal_wanted(request: Request, is_secret: Callable[[str], bool] | None) -> dict[str, Any]:
    """The members of the signal in the body, without its secret, which ``is_secret`` must know
    (None: none is needed). Those who can't say that they send JSON may send it as text.

    Raises:
        Problem: not JSON, or too large; or the secret is missing or wrong.
        InvalidRequest: JSON that asks for something else.
    """
    body = json_object(request, ("application/json", "text/plain"))
    told = body.pop("secret", None)
    shown = request.headers.get("X-Signal-Secret", told)
    if is_secret is not None and not (isinstance(shown, str) and is_secret(shown)):
        raise Problem(
            403,
            'Signals need their secret here: send it as "secret" in the body, or in the header '
            "X-Signal-Secret.",
        )
    return _with_numbers(with_only(body, SIGNAL_MEMBERS))


def _with_numbers(body: dict[str, Any]) -> dict[str, Any]:
    """``body``, in which no number is written as a text, as a shell may do."""
    params = body.get("params")
    numbers = [(name, value) for name, value in body.items() if name not in _TEXTS]
    for name, value in (*numbers, *(params.items() if isinstance(params, dict) else ())):
        if isinstance(value, str):
            raise InvalidRequest(f"{name} must be a number such as 250 or 12.30, without quotes.")
    return body


def candles_wanted(request: Request) -> bytes:
    """The file of candles in the body.

    Raises:
        Problem: not declared as such a file, or too large.
    """
    content = bytes_of(request, LARGEST_FILE)
    if request.mimetype not in FILE_TYPES:
        raise Problem(
            415,
            "The body must be a file of candles: send Content-Type: text/csv, or "
            f"{', '.join(FILE_TYPES[1:-1])} or {FILE_TYPES[-1]}.",
        )
    return content
