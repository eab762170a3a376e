"""The dialect on the server: one route for all that is below its paths, so that each error there
is answered in its form."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import PathConverter, Rule

from balance.api.encoding import encoded
from balance.api.problems import Problem
from balance.api.services import Services
from balance.binance.account import AccountEndpoints
from balance.binance.algo_orders import AlgoOrderEndpoints
from balance.binance.call import Call, Params, parsed
from balance.binance.courtesies import Courtesies
from balance.binance.endpoints import Endpoint, Json, endpoints_of
from balance.binance.errors import Refusal, refusal_of, unknown_path
from balance.binance.listen_keys import ListenKeyEndpoints
from balance.binance.market_data import MarketData
from balance.binance.orders import OrderEndpoints
from balance.binance.signature import KEY_HEADER, check_signature, identify
from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from balance.keys.key import Activity, Key
from balance.keys.keys import Keys

#: All that is below is the dialect's.
PREFIXES: Final = ("/fapi/", "/sapi/", "/futures/data/")
#: No query and no body may be larger, in bytes.
LARGEST: Final = 64 * 1024

# What the exchange has counted of the client's requests; here nothing is counted.
_LIMITS: Final = {
    "X-MBX-USED-WEIGHT-1M": "1",
    "X-MBX-ORDER-COUNT-10S": "1",
    "X-MBX-ORDER-COUNT-1M": "1",
}
_ENDPOINT: Final = "dialect"
_log = logging.getLogger(__name__)


def create_dialect(
    desk: Desk, services: Services, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Blueprint:
    """The blueprint that serves ``desk`` to the keys of ``services`` in the dialect, by the time of
    ``clock``."""
    keys = services.keys
    return blueprint_of(
        keys,
        clock,
        MarketData(desk, services, clock),
        OrderEndpoints(desk, keys),
        AlgoOrderEndpoints(desk, keys),
        AccountEndpoints(desk),
        ListenKeyEndpoints(services.listen_keys),
        Courtesies(),
    )


def blueprint_of(keys: Keys, clock: Callable[[], datetime], *resources: object) -> Blueprint:
    """The blueprint that serves the endpoints of ``resources`` to ``keys``."""
    dialect = _Dialect(keys, clock, resources)
    blueprint = Blueprint("binance", __name__)
    blueprint.record_once(dialect.add_rules)
    blueprint.register_error_handler(Exception, dialect.refuse)
    return blueprint


class _Rest(PathConverter):
    """All that is behind a prefix, also nothing."""

    regex = ".*?"
    part_isolating = False


class _Dialect:
    """Finds the endpoint of a request, and answers."""

    def __init__(
        self, keys: Keys, clock: Callable[[], datetime], resources: Sequence[object]
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._endpoints: Mapping[tuple[str, str], tuple[Endpoint, object]] = {
            (each.method, path): (each, resource)
            for resource in resources
            for each in endpoints_of(type(resource))
            for path in each.paths
        }

    def add_rules(self, state: BlueprintSetupState) -> None:
        """Have the server of ``state`` bring everything below the prefixes here, by whichever
        method, as Flask itself would answer an unknown one in its own form."""
        state.app.url_map.converters["rest"] = _Rest
        endpoint = f"{state.blueprint.name}.{_ENDPOINT}"
        for prefix in PREFIXES:
            state.app.url_map.add(Rule(f"{prefix}<rest:rest>", endpoint=endpoint))
        state.app.view_functions[endpoint] = self.respond

    def respond(self, rest: str) -> Response:  # noqa: ARG002
        """The answer to the request."""
        query = request.query_string.decode("latin-1")
        endpoint, resource = self._endpoint()
        body = _body(query)
        key = None
        if endpoint.security != "public":
            key = identify(self._keys, request.headers.get(KEY_HEADER))
            self._record(key)
        try:
            params = (
                check_signature(key, query, body, self._clock)
                if key is not None and endpoint.security == "signed"
                else Params(parsed(query, body))
            )
            return _response(endpoint.view(resource, Call(params, key)))
        except (Refusal, BalanceError) as fault:
            refusal = refusal_of(fault)
            if key is not None:
                what = f"{request.method} {request.path}"
                self._keys.refuse(key.name, what, f"{refusal.code} {refusal.message}")
            raise refusal from fault

    def refuse(self, fault: Exception) -> Response:
        """The answer to a request that failed with ``fault``, wherever that was."""
        refusal = _refusal(fault)
        return _response({"code": refusal.code, "msg": refusal.message}, refusal.status)

    def _endpoint(self) -> tuple[Endpoint, object]:
        method = "GET" if request.method == "HEAD" else request.method
        found = self._endpoints.get((method, request.path))
        if found is None:
            raise unknown_path(request.method, request.path)
        return found

    def _record(self, key: Key) -> None:
        activity = Activity(
            time=self._clock(),
            method=request.method,
            path=request.path,
            client=request.headers.get("User-Agent", ""),
        )
        self._keys.record(key.name, activity)


def _body(query: str) -> str:
    """The body of the request, each byte a character."""
    request.max_content_length = LARGEST
    if len(query) > LARGEST:
        raise _too_large()
    # Before Flask reads it as a form, which depends on method and type.
    return request.get_data().decode("latin-1")


def _too_large() -> Refusal:
    return Refusal(
        -1101, f"Too many parameters; expected at most {LARGEST // 1024} KiB of them.", status=413
    )


def _refusal(fault: Exception) -> Refusal:
    if isinstance(fault, Refusal | BalanceError | Problem):
        return refusal_of(fault)
    if isinstance(fault, HTTPException):
        if fault.code == 413:
            return _too_large()
        return Refusal(-1000, str(fault.description), fault.code or 500)
    _log.error("%s %s failed", request.method, request.path, exc_info=fault)
    return Refusal(
        -1000,
        "An unknown error occurred while processing the request. The server's log tells more.",
        status=500,
    )


def _response(answer: Json, status: int = 200) -> Response:
    response = Response(encoded(answer), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(_LIMITS)
    return response
