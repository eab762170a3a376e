"""The settings of an alert as they are asked for by name, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, get_args

from balance.alerts.rules import (
    LONGEST_NOTE,
    LONGEST_URL,
    MEMBERS,
    OF_A_SYMBOL,
    AlertSettings,
    Direction,
    What,
)
from balance.alerts.web_address import has_askable_host, is_web_address, origin
from balance.core import request
from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import exact, number

_NEEDED: Final = ("what", "direction", "threshold")


def settings_of(
    asked: Mapping[str, Any], market: Market, before: AlertSettings | None = None
) -> AlertSettings:
    """The settings that the members of ``asked`` tell; what they leave out is as ``before`` or, in
    a new alert, as usual.

    Raises:
        InvalidRequest: a member is missing, unknown or makes no sense.
        InvalidAmount: the threshold is no number, or out of its range.
    """
    unknown = sorted(set(asked) - set(MEMBERS))
    if unknown:
        raise InvalidRequest(f"An alert has {', '.join(MEMBERS)}, but not {unknown[0]!r:.40}.")
    members = {} if before is None else {each: getattr(before, each) for each in MEMBERS}
    if before is not None and asked.get("what", before.what) not in OF_A_SYMBOL:
        # what is changed to a figure of the account has no symbol any more
        members["symbol"] = None
    members.update(asked)
    for name in _NEEDED:
        if members.get(name) is None:
            raise InvalidRequest(f"An alert needs a {name}.")
    watched = members["what"], members.get("symbol")
    # a symbol that was taken on another feed may be kept here
    if watched[0] in OF_A_SYMBOL and (before is None or watched != (before.what, before.symbol)):
        members["symbol"] = request.symbol(watched[1], market)
    settings = read_settings({**_USUAL, **members})
    _check_host(settings.url, before)
    return settings


def read_settings(members: Mapping[str, Any]) -> AlertSettings:
    """The settings that ``members`` tell, all of them; each is checked by itself, as the symbol may
    be gone by now.

    Raises:
        KeyError: one is missing.
        InvalidRequest, InvalidAmount: one makes no sense.
    """
    settings = AlertSettings(**{name: _READ[name](members[name], name) for name in MEMBERS})
    if settings.what in OF_A_SYMBOL and settings.symbol is None:
        raise InvalidRequest(f"An alert on {settings.what} needs a symbol, such as BTC/USDT.")
    if settings.what not in OF_A_SYMBOL and settings.symbol is not None:
        raise InvalidRequest(f"{settings.what} is of the account: leave the symbol out.")
    if settings.what == "price" and settings.threshold <= 0:
        raise InvalidAmount(
            f"The threshold of a price must be above zero, not {grouped(settings.threshold)}."
        )
    return settings


def _word(*words: str) -> Callable[[object, str], str]:
    def read(value: object, name: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise InvalidRequest(f"{name} must be one of {', '.join(words)}, not {value!r:.40}.")
        return value

    return read


def _threshold(value: object, name: str) -> Decimal:
    with exact():
        # as prices are taken: no figure has more digits than are reckoned with
        return +number(value, name)


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false, not {value!r:.40}.")
    return value


def _symbol(value: object, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text such as BTC/USDT, not {value!r:.40}.")
    return value


def _note(value: object, name: str) -> str:
    request.check_text(value, name, LONGEST_NOTE)
    return str(value).strip()


def _url(value: object, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_URL or not is_web_address(value):
        raise InvalidRequest(
            f"{name} must be an address that begins with http:// or https:// and has at most "
            f"{LONGEST_URL} characters, such as http://127.0.0.1:9000/alerts, not {value!r:.60}."
        )
    return value


def _check_host(url: str | None, before: AlertSettings | None) -> None:
    # of what is kept already a post says what is wrong: it may be from before this was checked
    if url is None or (before is not None and url == before.url) or has_askable_host(url):
        return
    raise InvalidRequest(
        "url must name its host as example.org, 192.168.1.30 or [::1] do, which "
        f"{origin(url)!r:.60} does not."
    )


_USUAL: Final = MappingProxyType(
    {"symbol": None, "once": True, "note": "", "url": None, "toast": True, "notify": True}
)
_READ: Final[Mapping[str, Callable[[Any, str], Any]]] = MappingProxyType(
    {
        "what": _word(*get_args(What)),
        "symbol": _symbol,
        "direction": _word(*get_args(Direction)),
        "threshold": _threshold,
        "once": _flag,
        "note": _note,
        "url": _url,
        "toast": _flag,
        "notify": _flag,
    }
)
