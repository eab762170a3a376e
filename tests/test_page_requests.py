"""What a page asks of Dash's own route is answered; what no page asks is a problem."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from dash import Input, Output, dcc, html
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.tab import Tab
from layouts.tabs import TABS
from tests.answers import problem
from tests.pages import UPDATE, asked

# a tab that somebody adds, whose callback runs on the server
MINE = Tab(
    id="mine",
    label="Mine",
    path="/mine",
    build=lambda _: html.Div([dcc.Store(id="mine-wanted"), html.Div(id="mine-shown")]),
)


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """Asks an app on an account in memory."""
    app = create_app(Desk(MemoryStore()), Stream(1), tabs=(*TABS, MINE))
    app.callback(Output("mine-shown", "children"), Input("mine-wanted", "data"))(
        lambda wanted: f"Wanted: {wanted}"
    )
    client: FlaskClient = app.server.test_client()
    return client


def mine(get: Callable[[str], Any]) -> dict[str, Any]:
    """What a page sends when what is wanted on the tab has changed."""
    return asked(get, "mine-wanted", mine_wanted="1")


def changed(whole: dict[str, Any], **members: Any) -> dict[str, Any]:
    """``whole`` with other members; None: without."""
    return {name: value for name, value in {**whole, **members}.items() if value is not None}


def test_a_callback_of_a_page_is_answered(client: FlaskClient) -> None:
    answer = client.post(UPDATE, json=mine(client.get))
    assert answer.status_code == 200
    assert "Wanted: 1" in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 200_000, b"null", b"5", b'"x"', b"[]", b"{}", b"true"],
)
def test_what_is_no_callback_is_400(client: FlaskClient, body: bytes) -> None:
    answer = client.post(UPDATE, data=body, content_type="application/json")
    assert "Reload" in problem(answer, 400)["detail"]


INPUT = {"id": "mine-wanted", "property": "data", "value": "1"}


@pytest.mark.parametrize(
    "members",
    [
        {"output": None},
        {"output": 7},
        {"output": []},
        {"output": "nope.children"},
        # runs in the page
        {"output": "balance-store.data"},
        {"outputs": None},
        {"outputs": 7},
        {"outputs": {}},
        {"outputs": []},
        {"outputs": [{}]},
        {"outputs": {"id": "app-shell", "property": "children"}},
        {"inputs": None},
        {"inputs": {}},
        {"inputs": []},
        {"inputs": [7]},
        {"inputs": [{}]},
        {"inputs": [[]]},
        {"inputs": [{**INPUT, "id": {"a": 1}}]},
        {"inputs": [{**INPUT, "id": "virtual-balance"}]},
        {"inputs": [{"id": "mine-wanted"}]},
        {"inputs": [INPUT, INPUT]},
        {"state": {}},
        {"state": [INPUT]},
        {"changedPropIds": 7},
        {"changedPropIds": [{}]},
        {"changedPropIds": {"a": 1}},
    ],
)
def test_a_callback_that_no_page_has_is_400(client: FlaskClient, members: dict[str, Any]) -> None:
    answer = client.post(UPDATE, json=changed(mine(client.get), **members))
    assert "Reload" in problem(answer, 400)["detail"]


def test_a_callback_that_is_not_declared_as_json_is_400(client: FlaskClient) -> None:
    body = json.dumps(mine(client.get))
    problem(client.post(UPDATE, data=body, content_type="text/plain"), 400)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "property", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["output", "outputs", "inputs", "state", "changedPropIds"]),
        ANYTHING,
        max_size=3,
    )
)
@settings(max_examples=200)
def test_whatever_is_sent_in_place_of_a_callback_is_no_mistake_of_the_server(
    client: FlaskClient, members: dict[str, Any]
) -> None:
    answer = client.post(UPDATE, json={**mine(client.get), **members})
    if answer.status_code != 200:
        problem(answer, 400)
