"""The description of the HTTP interface is valid, whole, and what the answers are really like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from app import create_app
from balance.api.requests import ACTIONS, LARGEST_BODY
from balance.api.stream import Stream
from balance.clerk import LONGEST_KEY, LONGEST_NOTE
from balance.core.snapshot import DISPLAYED
from balance.core.wallet import KINDS
from balance.desk import Desk
from balance.history import LONGEST_PAGE
from balance.store.memory_store import MemoryStore

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def server() -> Flask:
    """An app on an account in memory."""
    server: Flask = create_app(Desk(MemoryStore()), Stream(5, heartbeat=0.05)).server
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


def schema_of(description: Any, path: str, method: str, status: str, kind: str) -> Any:
    """The schema of one answer, with what it refers to."""
    schema = description["paths"][path][method]["responses"][status]["content"][kind]["schema"]
    return {**schema, "components": description["components"]}


def test_it_is_valid(description: Any) -> None:
    validate(description)


def test_it_describes_every_route_and_no_other(server: Flask, description: Any) -> None:
    routes = {
        (rule.rule, method.lower())
        for rule in server.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.endpoint.startswith("balance.") and method.lower() in METHODS
    }
    assert {(path, method) for path, method, _ in operations(description)} == routes
    assert len(routes) >= 7


def test_it_says_of_every_operation_what_it_does(description: Any) -> None:
    for path, method, operation in operations(description):
        assert operation["summary"], (path, method)
        for name, response in operation["responses"].items():
            assert response["description"], (path, method, name)


def test_it_names_the_figures_kinds_and_limits_that_there_are(description: Any) -> None:
    schemas = description["components"]["schemas"]
    assert schemas["Entry"]["properties"]["kind"]["enum"] == list(KINDS)
    display = schemas["Snapshot"]["properties"]["display"]["properties"]
    assert set(display) == set(DISPLAYED)
    change = description["paths"]["/virtual_balance"]["post"]
    bodies = change["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [body["required"] for body in bodies] == [[name] for name in ACTIONS]
    assert all(body["properties"]["note"]["maxLength"] == LONGEST_NOTE for body in bodies)
    headers = {each["name"]: each["schema"] for each in change["parameters"]}
    assert headers["Idempotency-Key"]["maxLength"] == LONGEST_KEY
    assert f"{LARGEST_BODY // 1024} KiB" in change["responses"]["413"]["description"]
    history = description["paths"]["/virtual_balance/history"]["get"]["parameters"]
    assert {each["name"] for each in history} == {"limit", "before", "kind", "epoch", "format"}
    (limit,) = (each["schema"] for each in history if each["name"] == "limit")
    assert (limit["minimum"], limit["maximum"]) == (1, LONGEST_PAGE)


def test_a_snapshot_is_as_described_member_by_member(description: Any) -> None:
    desk = Desk(MemoryStore())
    described = description["components"]["schemas"]["Snapshot"]
    assert set(described["properties"]) == {*desk.snapshot(), "status"}
    assert set(described["required"]) == set(described["properties"])
    market = described["properties"]["market"]
    assert set(market["properties"]) == set(desk.snapshot().market)


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
    if "properties" in schema:
        assert set(answer.get_json()) == set(schema["properties"])
    # what a balance of nothing answers is as described too
    told = client.get("/virtual_balance").get_json()
    read = schema_of(description, "/virtual_balance", "get", "200", "application/json")
    Draft202012Validator(read).validate(told)


def test_the_bodies_that_are_described_are_the_ones_that_are_taken(
    client: FlaskClient, description: Any
) -> None:
    bodies = [
        *({name: 5} for name in ACTIONS),
        *({}, {"note": "x"}, {"balance": 5, "adjust": 5}, {"deposit": "5"}, {"deposit": True}),
        *({"deposit": None}, {"deposit": 5, "other": 1}, {"deposit": 5, "note": 7}, [], 5, None),
        {"deposit": 5, "note": "x" * 201},
    ]
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
    ],
)
def test_what_is_refused_is_answered_as_described(
    client: FlaskClient, description: Any, status: int, method: str, path: str, how: Any
) -> None:
    answer = client.open(path, method=method.upper(), **how)
    assert answer.status_code == status
    schema = schema_of(
        description, path.partition("?")[0], method, str(status), "application/problem+json"
    )
    Draft202012Validator(schema).validate(answer.get_json())
    problem = description["components"]["schemas"]["Problem"]
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
