"""What stands before every route: the right host and site, the token, and a known path."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import ipaddress
import logging
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Flask, Response, g, make_response, redirect, request
from werkzeug.routing import Map, MapAdapter, RequestRedirect

from balance.api.front import is_host_of
from balance.api.problems import Problem
from balance.api.signin import SIGN_IN_PATH, sign_in_page

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: What strangers may ask, such as the health check of a container: its route tells them less.
HEALTH_PATH: Final = "/health"
#: The environment variable that may have the token, for the server and for programs beside it.
TOKEN_VARIABLE: Final = "VIRTUAL_BALANCE_TOKEN"  # noqa: S105 - its name
_COOKIE: Final = "virtual-balance-session"
_CATCH_ALL: Final = "/<path:path>"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}[a-z0-9]")
_MOST_WARNINGS: Final = 100
_HOST: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::\d{0,5})?", re.ASCII)

_log = logging.getLogger(__name__)

#: Everything comes from this server; the inline scripts and styles are those of Dash.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


@dataclass(frozen=True, slots=True)
class Guards:
    """Who may ask: programs and pages of this machine or, with a token, of others."""

    # the address the server is bound to
    host: str = "127.0.0.1"
    # what everyone must show; None: nothing
    token: str | None = None
    # the paths that are pages of the dashboard
    pages: frozenset[str] = frozenset({"/"})
    # where a POST needs no token, as its route looks for a secret of its own
    open_paths: frozenset[str] = frozenset()
    # the names of this machine elsewhere, such as desk.example.com and *.example.com
    names: tuple[str, ...] = ()
    # below these paths nothing needs the token, as what is there looks for keys of its own
    keyed_paths: tuple[str, ...] = ()

    def stand_before(self, server: Flask) -> None:
        """Have ``server`` let nothing through but what passes, whichever route it is for."""
        server.before_request(self._check_host)
        server.before_request(self._check_site)
        server.before_request(self._check_token)
        server.before_request(self._path_check(server))
        server.after_request(_secured)

    def _check_host(self) -> None:
        self.check_host(request.headers.get("Host", ""))

    def check_host(self, host: str) -> None:
        """Prove that requests with ``host`` as their Host header are answered.

        Raises:
            Problem: they are not.
        """
        if not self._is_answered(host):
            name = _host_name(host)
            advice = f", or start it with --allow-host {name}" if _NAME.fullmatch(name) else ""
            message = (
                "This server does not answer to that host name. Use the address it printed"
                f"{advice}."
            )
            if advice:
                _warn_once(message)
            raise Problem(400, message)

    def _is_answered(self, host: str) -> bool:
        """Whether requests with ``host`` as their Host header are answered."""
        name = _host_name(host)
        if name == "localhost" or name == self.host.lower():
            return True
        if any(is_host_of(name, each) for each in self.names):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return self._is_everywhere() and name == socket.gethostname().lower()
        # a rebound name can't be an address: bound everywhere, each address is one of ours
        return address.is_loopback or self._is_everywhere()

    def _is_everywhere(self) -> bool:
        return self.host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound

    def _check_site(self) -> None:
        if request.method in _SAFE_METHODS:
            return
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            ours = site in ("same-origin", "none")
        else:
            origin = request.headers.get("Origin")
            ours = origin in (None, f"{request.scheme}://{request.host}".lower())
        if not ours:
            raise Problem(
                403,
                "Pages of other sites may not change the balance. If this is its own page behind a "
                "proxy, have that pass on Host and X-Forwarded-Proto, and name it with --proxy: "
                f"the request came for {request.scheme}://{request.host:.80}.",
            )

    def _check_token(self) -> Response | None:
        if self.token is None:
            return None
        if request.path == SIGN_IN_PATH:
            return self._sign_in(self.token)
        if request.method == "POST" and request.path in self.open_paths:
            return None
        if request.path.startswith(self.keyed_paths):
            return None
        shown = request.headers.get("Authorization", "")
        session = request.cookies.get(_COOKIE, "")
        if _same(shown, f"Bearer {self.token}") or _same(session, _session(self.token)):
            return None
        if request.method in ("GET", "HEAD") and request.path == HEALTH_PATH:
            g.is_stranger = True
            return None
        if request.method == "GET" and request.path in self.pages:
            return sign_in_page(request.script_root)
        raise Problem(
            401,
            "Show the server's token: Authorization: Bearer TOKEN.",
            WWW_Authenticate="Bearer",
        )

    def _sign_in(self, token: str) -> Response | None:
        if request.method != "POST":
            return sign_in_page(request.script_root)
        if not _same(request.form.get("token", ""), token):
            return sign_in_page(request.script_root, wrong=True)
        page = f"{request.script_root}/"
        response = make_response(redirect(page, 303))
        response.set_cookie(
            *(_COOKIE, _session(token)),
            path=page,
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
        return response

    def _path_check(self, server: Flask) -> Callable[[], None]:
        """404 for what is no page and no route: Dash by itself answers any path with its page."""

        # a page's first requests come at once, and routes can't be made by several threads
        making = threading.Lock()

        @functools.cache
        def made() -> MapAdapter:
            # at the first request: by then every route is there
            rules = [
                each.empty() for each in server.url_map.iter_rules() if each.rule != _CATCH_ALL
            ]
            return Map(rules, converters=server.url_map.converters).bind("")

        def routes() -> MapAdapter:
            with making:
                return made()

        def check_path() -> None:
            if request.path not in self.pages:
                with contextlib.suppress(RequestRedirect):
                    routes().match(request.path, method=request.method)

        return check_path


def is_stranger() -> bool:
    """Whether the request shows no token where one is needed, and is let through all the same."""
    return bool(g.get("is_stranger"))


@functools.lru_cache(maxsize=_MOST_WARNINGS)
def _warn_once(message: str) -> None:
    """Say in the terminal that a host name was refused: a webhook shows nobody its answer."""
    _log.warning("A request was refused. %s", message)


def _host_name(header: str) -> str:
    """The name in a Host header, without the port and the brackets of IPv6; empty if malformed."""
    match = _HOST.fullmatch(header.strip().lower())
    return (match[1] or match[2]) if match else ""


def _session(token: str) -> str:
    return hmac.new(token.encode(), b"virtual balance session", hashlib.sha256).hexdigest()


def _same(shown: str, secret: str) -> bool:
    return hmac.compare_digest(shown.encode(), secret.encode())


def _secured(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
