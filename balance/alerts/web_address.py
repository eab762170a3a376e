"""Addresses in the web that a person names."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

# where the name of the server ends
_END: Final = re.compile(r"[/?#]")
_SERVER: Final = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]*)?")
# what ends so is taken for an address by all that ask for it
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_web_address(text: str) -> bool:
    """Whether ``text`` is an address of http or https in plain ASCII, with some host."""
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        # a port that is none is found when it is asked for
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def has_askable_host(url: str) -> bool:
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
            # both ways: the one looks at the lengths of its labels, the other at what they encode
            host.encode("idna").decode("idna")
    except ValueError:
        return False
    return True


def origin(url: str) -> str:
    """Which server ``url`` is of, such as ``"http://127.0.0.1:9000"``: without its path and a
    password, which are often secrets."""
    scheme, _, rest = url.partition("://")
    server = _END.split(rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{server}".lower()
