"""Whatever is posted: the balance changes exactly when the answer says so."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from tests.answers import exactly, problem

NUMBERS = st.one_of(
    st.integers(),
    st.integers(min_value=-20_000, max_value=20_000),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=8).map(float),
    st.sampled_from([0, -0.0, 1e-9, 1e12, 1e12 + 1, 1e308, 2**63, 10**400, 0.1, 10_000]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["balance", "adjust", "deposit", "withdraw"])
BODIES = st.one_of(
    # mostly what could pass
    st.builds(lambda name, amount: {name: amount}, MEMBERS, NUMBERS),
    st.dictionaries(MEMBERS | st.just("note") | st.text(max_size=6), VALUES, max_size=3),
    VALUES,
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account in memory."""
    return Desk(MemoryStore())


@pytest.fixture(scope="module")
def client(desk: Desk) -> FlaskClient:
    """Asks an app on that account."""
    client: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    return client


def moved_by(body: dict[str, Any], balance: Decimal) -> Decimal:
    """What ``body``, which was accepted, must have moved ``balance`` by."""
    amounts = {name: Decimal(repr(body[name])) for name in body if name != "note"}
    ((name, amount),) = amounts.items()
    amount = amount.quantize(Decimal("0.00000001"))
    return {
        "balance": amount - balance,
        "adjust": amount,
        "deposit": amount,
        "withdraw": -amount,
    }[name]


@given(BODIES)
@example({"deposit": 1e400})
@example({"deposit": 0.1, "note": "é"})
@example({"balance": 5, "note": "\x7f"})
@settings(max_examples=400)
def test_no_json_is_a_mistake_of_the_server_and_only_a_200_moves_the_balance(
    desk: Desk, client: FlaskClient, body: Any
) -> None:
    before = desk.snapshot()
    answer = client.post("/virtual_balance", data=json.dumps(body), content_type="application/json")
    after = desk.snapshot()
    if answer.status_code == 200:
        told = exactly(answer)
        assert after.revision == told["revision"] == before.revision + 1
        assert after.balance == told["balance"] == before.balance + moved_by(body, before.balance)
        assert after.balance >= 0
    else:
        problem(answer, 400 if answer.status_code == 400 else 422)
        assert after == before


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_no_bytes_are_a_mistake_of_the_server(desk: Desk, client: FlaskClient, body: bytes) -> None:
    before = desk.snapshot()
    answer = client.post("/virtual_balance", data=body, content_type="application/json")
    assume(answer.status_code != 200)
    problem(answer, 400 if answer.status_code == 400 else 422)
    assert desk.snapshot() == before


@given(
    st.dictionaries(
        st.sampled_from(["If-Match", "Idempotency-Key", "If-None-Match", "Accept", "Origin"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    )
)
@example({"Origin": "http://["})
@example({"Origin": "http://[::1"})
@settings(max_examples=300)
def test_no_header_is_a_mistake_of_the_server(client: FlaskClient, headers: dict[str, str]) -> None:
    for answer in (
        client.get("/virtual_balance", headers=headers),
        client.get("/virtual_balance/history", headers=headers),
        client.post("/virtual_balance", json={"deposit": 1}, headers=headers),
    ):
        assert answer.status_code < 500, answer.text


@given(
    st.dictionaries(
        st.sampled_from(["limit", "before", "kind", "epoch", "format"]), st.text(max_size=12)
    )
)
@settings(max_examples=200)
def test_no_query_is_a_mistake_of_the_server(client: FlaskClient, query: dict[str, str]) -> None:
    answer = client.get("/virtual_balance/history", query_string=query)
    if answer.status_code != 200:
        problem(answer, 422)
