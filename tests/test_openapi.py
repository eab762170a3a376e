"""The description of the HTTP interface is valid, whole, and what the answers are really like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app import create_app
from balance.api.account import ACTIONS
from balance.api.backtests import LARGEST_FILE, BacktestRange
from balance.api.requests import LARGEST_BODY
from balance.api.stream import Stream
from balance.backtests.report import MOST_POINTS, MOST_ROWS
from balance.bots.log import ACTION, MOST_SHOWN, LogKind
from balance.bots.settings import MEMBERS as SETTINGS
from balance.bots.signals import MEMBERS as SIGNAL_MEMBERS
from balance.bots.state import MOST_TRADES
from balance.core.market import NO_MARKET
from balance.core.request import LONGEST_KEY
from balance.core.snapshot import DISPLAYED
from balance.core.ticket import MEMBERS
from balance.core.wallet import KINDS
from balance.desk.desk import MOST_CANDLES, Desk
from balance.desk.transactions import LONGEST_NOTE
from balance.history.history import LONGEST_PAGE
from balance.market.board import LiveBoard
from balance.store.memory_store import MemoryStore
from tests.boards import board as a_board
from tests.described import schema_of, undescribed
from tests.markets import BTC, ETH

JSON = "application/json"
WRONG_WORDS = (None, "", 5, True, [], {}, "nonsense")
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def board() -> LiveBoard:
    """Bitcoin at 40,000 and Ether at 2,000."""
    return a_board()


@pytest.fixture(scope="module")
def server(board: LiveBoard) -> Flask:
    """An app on an account in memory, with a market that stands still."""
    server: Flask = create_app(Desk(MemoryStore(), board), Stream(5, heartbeat=0.05)).server
    return server


@pytest.fixture(scope="module")
def client(server: Flask) -> FlaskClient:
    """Asks that app."""
    return server.test_client()


@pytest.fixture(scope="module")
def description(client: FlaskClient) -> Any:
    """What the app says of itself."""
    return client.get("/openapi.json").get_json()


def operations(description: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def test_it_is_valid(description: Any) -> None:
    validate(description)


def test_it_describes_every_route_and_no_other(server: Flask, description: Any) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in server.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.endpoint.startswith("balance.") and method.lower() in METHODS
    }
    assert {(path, method) for path, method, _ in operations(description)} == routes
    assert len(routes) >= 35


def test_it_says_of_every_operation_what_it_does(description: Any) -> None:
    for path, method, operation in operations(description):
        assert operation["summary"], (path, method)
        for name, response in operation["responses"].items():
            assert response["description"], (path, method, name)


def test_every_operation_has_an_id_of_its_own_and_a_tag_that_is_described(description: Any) -> None:
    found = [operation for _, _, operation in operations(description)]
    assert len({each["operationId"] for each in found}) == len(found)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", each["operationId"]) for each in found)
    tags = {each["name"] for each in description["tags"]}
    assert {tag for each in found for tag in each["tags"]} == tags
    assert all(each["description"] for each in description["tags"])


def test_it_names_the_address_that_it_was_fetched_from(client: FlaskClient) -> None:
    answer = client.get("/openapi.json", base_url="http://127.0.0.1:8123")
    assert answer.get_json()["servers"] == [{"url": "http://127.0.0.1:8123"}]


def test_every_body_in_json_is_one_flat_object(description: Any) -> None:
    for path, method, operation in operations(description):
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get(JSON, {}).get("schema", {})
        if schema and path != "/candles":
            assert schema["type"] == "object", (path, method)
            assert schema["additionalProperties"] is False, (path, method)
            assert not {"oneOf", "anyOf", "allOf"} & set(schema), (path, method)


def test_options_names_the_methods_that_are_described(
    client: FlaskClient, description: Any
) -> None:
    for path, methods in description["paths"].items():
        allowed = client.options(re.sub(r"{\w+}", "x", path)).headers["Allow"].split(", ")
        described = {each.upper() for each in methods if each in METHODS}
        assert set(allowed) - {"HEAD", "OPTIONS"} == described, path


def test_it_names_the_figures_kinds_and_limits_that_there_are(description: Any) -> None:
    schemas = description["components"]["schemas"]
    assert schemas["EntryRow"]["properties"]["kind"]["enum"] == list(KINDS)
    display = schemas["Snapshot"]["properties"]["display"]["properties"]
    assert set(display) == set(DISPLAYED)
    change = description["paths"]["/virtual_balance"]["post"]
    body = change["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {*ACTIONS, "note"}
    assert body["properties"]["note"]["maxLength"] == LONGEST_NOTE
    headers = {each["name"]: each["schema"] for each in change["parameters"]}
    assert headers["Idempotency-Key"]["maxLength"] == LONGEST_KEY
    assert f"{LARGEST_BODY // 1024} KiB" in change["responses"]["413"]["description"]
    history = description["paths"]["/virtual_balance/history"]["get"]["parameters"]
    assert {each["name"] for each in history} == {"limit", "before", "kind", "epoch", "format"}
    (limit,) = (each["schema"] for each in history if each["name"] == "limit")
    assert (limit["minimum"], limit["maximum"]) == (1, LONGEST_PAGE)


def test_it_names_the_members_and_limits_of_trading_that_there_are(description: Any) -> None:
    paths = description["paths"]
    for path in ("/orders", "/orders/preview"):
        content = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert set(content["schema"]["properties"]) == set(MEMBERS)
    for path, most, usual in (("/candles/{symbol}", MOST_CANDLES, 500), ("/fills", 1_000, 50)):
        (limit,) = (
            each["schema"] for each in paths[path]["get"]["parameters"] if each["name"] == "limit"
        )
        assert limit == {"type": "integer", "minimum": 1, "maximum": most, "default": usual}


def test_it_names_the_members_and_limits_of_bots_that_there_are(description: Any) -> None:
    paths, schemas = description["paths"], description["components"]["schemas"]

    def body_of(path: str, method: str) -> Any:
        return paths[path][method]["requestBody"]["content"]["application/json"]["schema"]

    assert set(schemas["BotSettings"]["properties"]) == set(SETTINGS)
    assert set(body_of("/bots", "post")["properties"]) == set(SETTINGS)
    assert set(body_of("/bots/{bot_id}", "put")["properties"]) == set(SETTINGS)
    assert set(body_of("/backtests", "post")["properties"]) == {
        *SETTINGS,
        *BacktestRange.__annotations__,
    }
    assert set(body_of("/signals", "post")["properties"]) == {*SIGNAL_MEMBERS, "secret"}
    kinds = schemas["LogEntry"]["properties"]["kind"]["enum"]
    assert kinds == list(get_args(LogKind))
    for path, most in (("/bots/log", MOST_SHOWN), ("/bots/trades", MOST_TRADES)):
        parameters = {each["name"]: each["schema"] for each in paths[path]["get"]["parameters"]}
        assert parameters["limit"] == {
            "type": "integer", "minimum": 1, "maximum": most, "default": 100,
        }  # fmt: skip
        assert parameters.get("kind", {"enum": [ACTION, *kinds]})["enum"] == [ACTION, *kinds]
    asked = paths["/candles"]["post"]
    assert f"{LARGEST_FILE // 1024 // 1024} MiB" in asked["responses"]["413"]["description"]
    curve = schemas["Report"]["properties"]["curve"]["description"]
    rows = schemas["Report"]["properties"]["rows"]["description"]
    assert (str(MOST_POINTS) in curve, str(MOST_ROWS) in rows) == (True, True)


def test_it_says_which_parameters_are_in_a_path(description: Any) -> None:
    for path, method, operation in operations(description):
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (path, method)


def test_a_snapshot_is_as_described_member_by_member(description: Any) -> None:
    desk = Desk(MemoryStore())
    described = description["components"]["schemas"]["Snapshot"]
    assert set(described["properties"]) == {*desk.snapshot(), "status"}
    assert set(described["required"]) == set(described["properties"])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/virtual_balance", None),
        *(("post", "/virtual_balance", {name: 5, "note": "x"}) for name in ACTIONS),
        ("post", "/virtual_balance/reset", None),
        # then there is no percentage
        ("post", "/virtual_balance/reset", {"balance": 0}),
        ("get", "/virtual_balance/history", None),
        ("get", "/health", None),
        ("get", "/openapi.json", None),
    ],
)
def test_what_goes_well_is_answered_as_described(
    client: FlaskClient, description: Any, method: str, path: str, body: Any
) -> None:
    how = {} if body is None else {"json": body}
    answer = client.open(path, method=method.upper(), **how)
    assert answer.status_code == 200
    schema = schema_of(description, path, method, "200", "application/json")
    Draft202012Validator(schema).validate(answer.get_json())
    if path != "/openapi.json":
        assert undescribed(answer.get_json(), schema, description) == []
    # what a balance of nothing answers is as described too
    told = client.get("/virtual_balance").get_json()
    read = schema_of(description, "/virtual_balance", "get", "200", "application/json")
    Draft202012Validator(read).validate(told)


BUY = {"symbol": BTC, "side": "buy", "quantity": 0.01}
WAIT = {"symbol": "eth-usdt", "side": "buy", "type": "limit", "notional": 500, "price": 1_900}
STOP = {"symbol": BTC, "side": "sell", "type": "stop_market", "reduce_only": True}
TARGET = {
    "symbol": BTC,
    "side": "sell",
    "type": "limit",
    "price": 45_000,
    "percent": 100,
    "reduce_only": True,
}


@pytest.fixture
def traded(client: FlaskClient) -> str:
    """A new epoch with a position and its stop-loss and take-profit, and an order that waits,
    whose id it is."""
    client.post("/virtual_balance/reset")
    client.post("/orders", json={**BUY, "take_profit": 45_000, "stop_loss": 39_000})
    order_id: str = client.post("/orders", json=WAIT).get_json()["order"]["id"]
    return order_id


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("get", "/virtual_balance", "", None),
        ("get", "/prices", "", None),
        ("get", "/candles/{symbol}", "?timeframe=15m&limit=3", None),
        ("get", "/positions", "", None),
        ("get", "/orders", "", None),
        ("get", "/fills", "?limit=1", None),
        *(
            ("post", path, "", body)
            for path in ("/orders", "/orders/preview")
            for body in (
                BUY,
                WAIT,
                {**BUY, "side": "sell", "quantity": 0.03, "leverage": 10},
                {**STOP, "trigger_price": 38_000},
                {**STOP, "trigger_price": 38_000, "percent": 50},
            )
        ),
        *(
            ("post", path, "", {"orders": [{**STOP, "trigger_price": 38_000}, TARGET]})
            for path in ("/orders/oco", "/orders/oco/preview")
        ),
        ("delete", "/orders/{order_id}", "", None),
        ("delete", "/orders", "", None),
        ("delete", "/orders", "?symbol=BTCUSDT", None),
        ("post", "/positions/{symbol}/close", "", None),
        ("post", "/positions/{symbol}/close", "", {"percent": 50}),
        ("post", "/positions/{symbol}/close", "", {"quantity": 0.004}),
    ],
)
def test_a_trade_that_goes_well_is_answered_as_described(
    client: FlaskClient,
    description: Any,
    traded: str,
    method: str,
    path: str,
    query: str,
    body: Any,
) -> None:
    asked = path.format(symbol="btc-usdt", order_id=traded) + query
    how = {} if body is None else {"json": body}
    answer = client.open(asked, method=method.upper(), **how)
    assert answer.status_code == 200, answer.text
    schema = schema_of(description, path, method, "200", "application/json")
    for told, described in (
        (answer.get_json(), schema),
        # and what it leaves behind
        *(
            (client.get(each).get_json(), schema_of(description, each, "get", "200", JSON))
            for each in ("/virtual_balance", "/positions", "/orders", "/fills")
        ),
    ):
        Draft202012Validator(described).validate(told)
        assert undescribed(told, described, description) == []


def test_prices_that_are_not_known_are_as_described(
    client: FlaskClient, board: LiveBoard, description: Any, traded: str
) -> None:
    before = board.market
    try:
        for known in (replace(before, live=frozenset(), state="stale"), NO_MARKET):
            board.market = known
            for path in ("/virtual_balance", "/prices", "/positions", "/orders", "/fills"):
                schema = schema_of(description, path, "get", "200", JSON)
                told = client.get(path).get_json()
                Draft202012Validator(schema).validate(told)
                assert undescribed(told, schema, description) == []
    finally:
        board.market = before


def test_the_orders_that_are_described_are_the_ones_that_are_taken(
    client: FlaskClient, description: Any, traded: str
) -> None:
    sized, limit = {"symbol": BTC, "side": "buy"}, {**BUY, "type": "limit", "price": 39_000}
    trigger = {**BUY, "type": "stop_market", "trigger_price": 41_000}
    bodies: list[Any] = [
        *(BUY, limit, trigger, {**BUY, "type": "market"}, {**BUY, "leverage": 10}),
        *({**sized, "notional": 500}, {**sized, "percent": 5}, {**BUY, "stop_loss": 39_000}),
        *({**STOP, "trigger_price": 39_000}, {**BUY, "reduce_only": False}),
        {**BUY, "side": "sell", "reduce_only": True},
        # a size, one only
        *(sized, {**BUY, "notional": 500}, {**BUY, "percent": 5, "notional": 500}),
        *({**STOP, "type": "market"}, {**trigger, "side": "buy", "quantity": None}),
        # the prices that its type has, and no other
        *({**BUY, "price": 39_000}, {**BUY, "trigger_price": 41_000}, {**BUY, "type": "limit"}),
        *({**limit, "trigger_price": 41_000}, {**trigger, "price": 41_000}),
        {**BUY, "type": "stop_market"},
        # words and kinds
        *({**BUY, name: value} for name in ("side", "type") for value in WRONG_WORDS),
        *({**BUY, "symbol": value} for value in (None, 5, True, [], {})),
        *({**BUY, "reduce_only": value} for value in (None, 0, 1, "true", "", [], {})),
        *(
            {**limit, name: value}
            for name in ("quantity", "price", "leverage", "take_profit", "stop_loss")
            for value in (None, True, False, "five", 0, -1, [], {})
        ),
        *({**BUY, "leverage": 1.5}, {**sized, "percent": 101}, {**BUY, "note": "x"}),
        *({name: BUY[name] for name in BUY if name != missing} for missing in BUY),
        *([], 5, None, "x"),
    ]
    content = description["paths"]["/orders"]["post"]["requestBody"]["content"]
    described = Draft202012Validator(content["application/json"]["schema"])
    wrong = {
        json.dumps(body): answer.text[:200]
        for body in bodies
        for answer in [client.post("/orders/preview", data=json.dumps(body), content_type=JSON)]
        if described.is_valid(body) != (answer.status_code == 200)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        *((body, True) for body in ({}, {"percent": 50}, {"quantity": 0.004})),
        *((body, False) for body in ({"percent": 5, "quantity": 0.004}, {"percent": 0}, [], 5)),
        *((body, False) for body in ({"percent": 101}, {"percent": "5"}, {"quantity": None})),
        *((body, False) for body in ({"quantity": True}, {"notional": 5}, {"quantity": -1})),
    ],
)
def test_the_closes_that_are_described_are_the_ones_that_are_taken(
    client: FlaskClient, description: Any, traded: str, body: Any, taken: bool
) -> None:
    path = "/positions/{symbol}/close"
    content = description["paths"][path]["post"]["requestBody"]["content"]
    assert Draft202012Validator(content["application/json"]["schema"]).is_valid(body) == taken
    answer = client.post("/positions/BTC/USDT/close", json=body)
    assert (answer.status_code == 200) == taken, answer.text


def test_the_bodies_that_are_described_are_the_ones_that_are_taken(
    client: FlaskClient, description: Any
) -> None:
    bodies = [
        *({name: 5} for name in ACTIONS),
        *({}, {"note": "x"}, {"balance": 5, "adjust": 5}, {"deposit": "five"}, {"deposit": True}),
        *({"deposit": None}, {"deposit": 5, "other": 1}, {"deposit": 5, "note": 7}, [], 5, None),
        {"deposit": 5, "note": "x" * 201},
    ]
    client.post("/virtual_balance/reset")
    content = description["paths"]["/virtual_balance"]["post"]["requestBody"]["content"]
    described = Draft202012Validator(content["application/json"]["schema"])
    for body in bodies:
        answer = client.post(
            "/virtual_balance", data=json.dumps(body), content_type="application/json"
        )
        assert described.is_valid(body) == (answer.status_code == 200), body


@pytest.mark.parametrize(
    ("status", "method", "path", "how"),
    [
        (400, "get", "/virtual_balance", {"headers": {"Host": "evil.com"}}),
        (400, "post", "/virtual_balance", {"data": b"{", "content_type": "application/json"}),
        (403, "post", "/virtual_balance", {"headers": {"Origin": "https://evil.com"}}),
        (412, "post", "/virtual_balance", {"json": {"deposit": 5}, "headers": {"If-Match": "999"}}),
        (413, "post", "/virtual_balance/reset", {"data": b" " * 70_000}),
        (415, "post", "/virtual_balance", {"data": b"deposit=5"}),
        (422, "post", "/virtual_balance", {"json": {"withdraw": 10**9}}),
        (422, "get", "/virtual_balance/history?limit=0", {}),
        (422, "get", "/candles/{symbol}?symbol=DOGE/USDT", {}),
        (422, "get", "/fills?limit=0", {}),
        (422, "post", "/orders", {"json": {**BUY, "quantity": 100}}),
        (404, "post", "/orders", {"json": {**STOP, "symbol": ETH, "trigger_price": 1_000}}),
        (404, "post", "/positions/{symbol}/close?symbol=ETH/USDT", {}),
        (404, "delete", "/orders/{order_id}?order_id=nonsense", {}),
        (404, "delete", "/orders", {}),
        (503, "post", "/orders", {"json": {**BUY, "symbol": "SOL/USDT"}}),
        (503, "post", "/orders/preview", {"json": {**BUY, "symbol": "SOL/USDT"}}),
    ],
)
def test_what_is_refused_is_answered_as_described(
    client: FlaskClient, description: Any, status: int, method: str, path: str, how: Any
) -> None:
    client.post("/virtual_balance/reset")
    path, _, query = path.partition("?")
    parts = dict(parse_qsl(query))
    answer = client.open(
        path.format(**parts) + ("" if "{" in path else f"?{query}"), method=method.upper(), **how
    )
    assert answer.status_code == status, answer.text
    schema = schema_of(description, path, method, str(status), "application/problem+json")
    Draft202012Validator(schema).validate(answer.get_json())
    problem = description["components"]["schemas"]["ProblemDetails"]
    assert set(answer.get_json()) <= set(problem["properties"])


def test_a_csv_and_the_stream_have_the_types_that_are_described(
    client: FlaskClient, description: Any
) -> None:
    for path, query, kind in (
        ("/virtual_balance/history", "?format=csv", "text/csv"),
        ("/virtual_balance/stream", "", "text/event-stream"),
    ):
        with client.get(path + query) as answer:
            assert answer.mimetype == kind
        assert kind in description["paths"][path]["get"]["responses"]["200"]["content"]


def test_every_answer_that_tells_a_time_tells_it_in_utc(client: FlaskClient) -> None:
    snapshot = client.get("/virtual_balance").get_json()
    entry = client.get("/virtual_balance/history").get_json()["entries"][0]
    for moment in (snapshot["as_of"], entry["time"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", moment)
