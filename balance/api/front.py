"""What stands in front of the server: a proxy that ends TLS, or serves it below a path."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Environ = dict[str, Any]
_Application = Callable[[_Environ, Callable[..., Any]], Iterable[bytes]]

_BASE_PATH: Final = re.compile(r"/([A-Za-z0-9_-][A-Za-z0-9._-]*/)*([A-Za-z0-9_-][A-Za-z0-9._-]*)?")
_SCHEMES: Final = ("http", "https")
_LABEL: Final = "[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def host_pattern(text: str) -> str:
    """``text``, the name of a host or, as ``*.example.com``, of all below one, in lower case.

    Raises:
        ValueError: it is none; the message says why.
    """
    name = text.strip().lower().removesuffix(".")
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        pass
    if _NAME.fullmatch(name.removeprefix("*.")) is None:
        raise ValueError(
            f"{text!r:.80} is no host name such as desk.example.com or *.example.com: leave out "
            "https:// before it and a port or a path behind it"
        )
    return name


def is_host_of(name: str, pattern: str) -> bool:
    """Whether ``name``, in lower case, is the host of ``pattern``, or one of those that it has."""
    name = name.removesuffix(".")
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and _NAME.fullmatch(name) is not None
    return name == pattern


def network_of(text: str) -> Network:
    """The addresses that ``text`` names: ``127.0.0.1`` or ``172.16.0.0/12``.

    Raises:
        ValueError: it names none; the message says why.
    """
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as fault:
        raise ValueError(
            f"{text!r:.80} is no address such as 127.0.0.1, nor a network such as 172.16.0.0/12"
        ) from fault


def base_path_of(text: str) -> str:
    """The path that ``text`` names, such as ``/bot/``, without the slash at its end; empty: the
    server's root.

    Raises:
        ValueError: it is none; the message says why.
    """
    if _BASE_PATH.fullmatch(text) is None:
        raise ValueError(
            f"{text!r:.80} is no path such as /bot/: letters, digits, -, _ and . between slashes"
        )
    return text.rstrip("/")


@dataclass(frozen=True, slots=True)
class Front:
    """Which proxies are believed, and below which path they serve the server."""

    # Those whose X-Forwarded-Proto counts; what others say of a request does not.
    proxies: tuple[Network, ...] = ()
    # Such as /bot; empty: the root.
    base_path: str = ""

    def stand_before(self, server: Flask) -> None:
        """Have ``server`` see each request as the proxy got it: below the path, whether the proxy
        has taken that off or not."""
        application: _Application = server.wsgi_app

        def forwarded(environ: _Environ, start: Callable[..., Any]) -> Iterable[bytes]:
            scheme = self._scheme(environ)
            if scheme is not None:
                environ["wsgi.url_scheme"] = scheme
            path = environ["PATH_INFO"]
            if self.base_path and path == self.base_path:
                # Without the slash, the addresses of the page would lead beside it.
                start("308 Permanent Redirect", [("Location", f"{path}/"), ("Content-Length", "0")])
                return ()
            if self.base_path:
                environ["SCRIPT_NAME"] = self.base_path
                if path.startswith(f"{self.base_path}/"):
                    environ["PATH_INFO"] = path.removeprefix(self.base_path)
            return application(environ, start)

        server.wsgi_app = forwarded  # type: ignore[assignment]

    def _scheme(self, environ: _Environ) -> str | None:
        """By what the client came to the proxy; None where no proxy says so that is believed."""
        # Each proxy appends its own: the last one is that of the proxy that is believed.
        said = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        return said if said in _SCHEMES and self._is_proxy(environ.get("REMOTE_ADDR")) else None

    def _is_proxy(self, sender: str | None) -> bool:
        try:
            address = ipaddress.ip_address(sender or "")
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.proxies)
