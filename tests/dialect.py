"""Programs that know only an exchange: their requests, signed as each of them signs."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import ccxt
import requests
from flask import Flask
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from balance import binance
from balance.api.guards import Guards
from balance.api.problems import answer_with_problems
from balance.api.routes import create_api
from balance.api.services import Services
from balance.api.stream import Stream
from balance.binance.endpoints import Security, endpoints_of
from balance.binance.routes import PREFIXES, create_dialect
from balance.binance.signature import KEY_HEADER
from balance.core.moments import milliseconds
from balance.desk.desk import Desk
from balance.keys.key import Key
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from tests.boards import board

#: What a program sends: by name, or in its order.
Sent = Mapping[str, object]


class Dialect:
    """A program that trades ``desk`` as it would trade at the exchange, with the key ``name``; by
    default on an account in memory, at the prices of a board that stands still."""

    def __init__(
        self,
        desk: Desk | None = None,
        name: str = "bot",
        guards: Guards | None = None,
        **services: Any,
    ) -> None:
        """The server's own interface is beside it with ``guards``. ``services`` are members of the
        services that differ from those of a server on which nothing runs."""
        self.desk = desk or Desk(MemoryStore(), board())
        stream = Stream(1)
        self.services: Services = replace(services_alone(self.desk, stream), **services)
        if self.services.keys.named(name) is None:
            self.services.keys.add(name)
        found = self.services.keys.named(name)
        assert found is not None
        self.key: Key = found
        server = Flask(__name__)
        replace(guards or Guards(), keyed_paths=PREFIXES).stand_before(server)
        answer_with_problems(server)
        if guards is not None:
            # Its routes take longer to make than all else.
            server.register_blueprint(create_api(self.desk, stream, self.services))
        server.register_blueprint(create_dialect(self.desk, self.services))
        self.client: FlaskClient = server.test_client()

    def other(self, name: str) -> Key:
        """Another key, called ``name``."""
        self.services.keys.add(name)
        found = self.services.keys.named(name)
        assert found is not None
        return found

    def get(self, path: str, **sent: object) -> Any:
        """The answer to a GET that nobody signs, which must go well."""
        return answered(self.client.get(path, query_string=query(sent)))

    def refused(self, path: str, status: int = 400, **sent: object) -> tuple[int, str]:
        """The code and the message of the error that a GET is answered with that nobody signs."""
        return refusal(self.client.get(path, query_string=query(sent)), status)

    def keyed(self, method: str, path: str, **sent: object) -> TestResponse:
        """The answer to a request that names the key, and signs nothing."""
        return self.client.open(
            path, method=method, query_string=query(sent), headers={KEY_HEADER: self.key.key}
        )

    def signed(
        self,
        method: str,
        path: str,
        *,
        by: Key | None = None,
        body: bool | None = None,
        **sent: object,
    ) -> TestResponse:
        """The answer to a request as ccxt signs it: POST and PUT in the body, the others in the
        query; with ``body``, there or not whatever the method is."""
        key = by or self.key
        text = signed_query(key, sent)
        in_body = method in ("POST", "PUT") if body is None else body
        headers = {KEY_HEADER: key.key}
        if not in_body:
            return self.client.open(path, method=method, query_string=text, headers=headers)
        return self.client.open(
            path,
            method=method,
            data=text,
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    def ask(self, method: str, path: str, **sent: Any) -> Any:
        """The answer to :meth:`signed`, which must go well."""
        return answered(self.signed(method, path, **sent))

    def refuses(self, method: str, path: str, *, status: int = 400, **sent: Any) -> tuple[int, str]:
        """The code and the message of the error that :meth:`signed` is answered with."""
        return refusal(self.signed(method, path, **sent), status)


class Adapter(BaseAdapter):
    """Brings what a client sends by requests to the app of ``dialect``, without a network."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self._client = dialect.client
        #: The methods and addresses that were requested.
        self.requested: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The app's answer to ``request``."""
        assert request.method
        assert request.url
        assert request.url.startswith("http://localhost/"), "nothing leaves this machine"
        self.requested.append(f"{request.method} {request.path_url}")
        answer = self._client.open(
            request.path_url,
            method=request.method,
            headers=dict(request.headers),
            data=request.body,
        )
        response = requests.Response()
        response.status_code, response.url = answer.status_code, request.url
        response.reason = answer.status.partition(" ")[2]
        response.headers.update(answer.headers)
        response._content = answer.data
        return response

    def close(self) -> None:
        """Nothing."""


def ccxt_of(dialect: Dialect, **options: Any) -> Any:
    """The client of ccxt that trades at ``dialect``, as it comes; what it requested is in
    ``adapter.requested`` of it."""
    rest = "http://localhost"
    versions = {"": "v1", "V2": "v2", "V3": "v3"}
    urls = {
        f"fapi{kind}{end}": f"{rest}/fapi/{version}"
        for kind in ("Public", "Private")
        for end, version in versions.items()
    }
    urls["sapi"] = f"{rest}/sapi/v1"
    client = ccxt.binanceusdm(
        {
            "apiKey": dialect.key.key,
            "secret": dialect.key.secret,
            "urls": {"api": urls},
            "options": {"fetchCurrencies": False, **options},
            "enableRateLimit": False,
        }
    )
    client.adapter = Adapter(dialect)
    for scheme in ("http://", "https://"):
        client.session.mount(scheme, client.adapter)
    return client


def served() -> dict[str, Security]:
    """Who may ask for what is served, by method and path: ``"GET /fapi/v1/time"``."""
    return {
        f"{each.method} {path}": each.security
        for module in pkgutil.walk_packages(binance.__path__, f"{binance.__name__}.")
        for resource in vars(importlib.import_module(module.name)).values()
        if isinstance(resource, type)
        for each in endpoints_of(resource)
        for path in each.paths
    }


def query(sent: Sent) -> str:
    """``sent`` as a query; None is not sent."""
    return urlencode({name: text(value) for name, value in sent.items() if value is not None})


def text(value: object) -> str:
    """``value`` as ccxt writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return str(list(value)).replace("'", '"').replace(" ", "")
    return str(value)


def signed_query(key: Key, sent: Sent, *, at: datetime | None = None) -> str:
    """``sent`` as a query with the time, which is ``at`` or now, and the signature of ``key``."""
    moment = milliseconds(at or datetime.now(UTC))
    unsigned = query({**sent, **({} if "timestamp" in sent else {"timestamp": moment})})
    return f"{unsigned}&signature={signature(key, unsigned)}"


def signature(key: Key, unsigned: str) -> str:
    """The signature of ``key`` for ``unsigned``."""
    return hmac.new(key.secret.encode(), unsigned.encode(), hashlib.sha256).hexdigest()


def answered(response: TestResponse) -> Any:
    """The JSON in ``response``, which went well."""
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    return response.get_json()


def refusal(response: TestResponse, status: int = 400) -> tuple[int, str]:
    """The code and the message in ``response``, which is an error of ``status``."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/json"
    members = response.get_json()
    assert set(members) == {"code", "msg"}
    return members["code"], members["msg"]
