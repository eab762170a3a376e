"""The settings of an alert as requests and files have them, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from balance.alerts.readings import OF_A_SYMBOL
from balance.alerts.rules import LONGEST_URL, MEMBERS, AlertSettings
from balance.core.errors import InvalidRequest
from balance.core.market import Market
from balance.core.request import check_names, check_required, readers, symbol

_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {each.name: each.default for each in fields(AlertSettings) if each.default is not MISSING}
)
# Where the name of the server ends in an address.
_END: Final = re.compile(r"[/?#]")
_SERVER: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]*)?")
# A host that ends so is taken for an IPv4 address by all libraries.
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def settings_of(
    request: Mapping[str, Any], market: Market, before: AlertSettings | None = None
) -> AlertSettings:
    """The settings in ``request``; what it leaves out is as ``before`` or, in a new alert, the
    default.

    Raises:
        InvalidRequest: a member is missing, unknown or makes no sense.
        InvalidAmount: the threshold is no number, or out of its range.
    """
    check_names(request, MEMBERS, "An alert")
    members = {} if before is None else {each: getattr(before, each) for each in MEMBERS}
    if before is not None and request.get("what", before.what) not in OF_A_SYMBOL:
        # An alert that is changed to a figure of the account has no symbol any more.
        members["symbol"] = None
    members.update(request)
    check_required(members, ("what", "direction", "threshold"), "An alert")
    watched = members["what"], members.get("symbol")
    # A symbol that was chosen on another feed may stay.
    if watched[0] in OF_A_SYMBOL and (before is None or watched != (before.what, before.symbol)):
        members["symbol"] = symbol(watched[1], market)
    settings = read_settings({**_DEFAULTS, **members})
    # An address from before this was checked may stay: its posts say what is wrong with it.
    is_new = settings.url is not None and (before is None or settings.url != before.url)
    if is_new and not has_valid_host(settings.url or ""):
        raise InvalidRequest(
            "url must name its host as example.org, 192.168.1.30 or [::1] do, which "
            f"{origin(settings.url or '')!r:.60} does not."
        )
    return settings


def read_settings(members: Mapping[str, Any]) -> AlertSettings:
    """The settings in ``members``, all of them; each is checked by itself, as the symbol may be
    gone by now.

    Raises:
        KeyError: one is missing.
        InvalidRequest, InvalidAmount: one makes no sense.
    """
    settings = AlertSettings(**{name: read(members[name], name) for name, read in _READERS.items()})
    if settings.what in OF_A_SYMBOL and settings.symbol is None:
        raise InvalidRequest(f"An alert on {settings.what} needs a symbol, such as BTC/USDT.")
    if settings.what not in OF_A_SYMBOL and settings.symbol is not None:
        raise InvalidRequest(f"{settings.what} is of the account: leave the symbol out.")
    settings.figure.unit.check(settings.threshold)
    return settings


def _url(value: object, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_URL or not is_web_address(value):
        raise InvalidRequest(
            f"{name} must be an address that begins with http:// or https:// and has at most "
            f"{LONGEST_URL} characters, such as http://127.0.0.1:9000/alerts, not {value!r:.60}."
        )
    return value


_READERS: Final = readers(AlertSettings, url=_url)


def is_web_address(text: str) -> bool:
    """Whether ``text`` is an address of http or https in plain ASCII, with some host."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        # Reading the port finds out whether it is one.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def has_valid_host(url: str) -> bool:
    """Whether the host of the web address ``url`` is one by its form: a name, or a whole address of
    IPv4 or, in brackets, of IPv6."""
    found = _SERVER.fullmatch(origin(url).partition("://")[2])
    if found is None:
        return False
    host = found["host"]
    try:
        if host.startswith("["):
            IPv6Address(host[1:-1])
        elif _NUMERIC.fullmatch(host.removesuffix(".").rpartition(".")[2]):
            IPv4Address(host)
        else:
            # Both ways: encoding checks the lengths of its labels, decoding what they encode.
            host.encode("idna").decode("idna")
    except ValueError:
        return False
    return True


def origin(url: str) -> str:
    """The server of ``url``, such as ``"http://127.0.0.1:9000"``: without its path and a password,
    which are often secrets."""
    scheme, _, rest = url.partition("://")
    server = _END.split(rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{server}".lower()
