"""All callbacks of the page, whatever they do: none in Python is on the way of the balance, and one
that fails is said and changes nothing, and one that is sent nonsense does nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from tests.answers import problem
from tests.boards import board
from tests.markets import BTC
from tests.pages import UPDATE

DESK = Desk(MemoryStore(), board())
APP = create_app(DESK, Stream(1))
CLIENT = APP.server.test_client()
DESK.place_order(symbol=BTC, side="buy", quantity="0.01")
ALL: list[dict[str, Any]] = CLIENT.get("/_dash-dependencies").get_json()
IN_PYTHON = [each for each in ALL if each["clientside_function"] is None]
STORE = "balance-store"


def outputs_of(callback: dict[str, Any]) -> list[str]:
    """What ``callback`` writes, as ``id.property``."""
    return [each.partition("@")[0] for each in callback["output"].strip(".").split("...")]


def parts(callback: dict[str, Any], *kinds: str) -> Iterator[str]:
    """What ``callback`` reads as its ``kinds``, inputs or state, as ``id.property``."""
    return (f"{each['id']}.{each['property']}" for kind in kinds for each in callback[kind])


def ids_in(part: object) -> Iterator[str]:
    """The ids of components in ``part`` of a layout as JSON, those in its stores as well."""
    if isinstance(part, list):
        for each in part:
            yield from ids_in(each)
    elif isinstance(part, dict):
        if "namespace" in part and isinstance(part["props"].get("id"), str):
            yield part["props"]["id"]
        for each in part.values():
            yield from ids_in(each)


def test_what_callbacks_name_is_in_the_layout() -> None:
    there = {*ids_in(CLIENT.get("/_dash-layout").get_json())}
    for each in ALL:
        named = [*outputs_of(each), *parts(each, "inputs", "state")]
        names = {name.partition(".")[0] for name in named if not name.startswith("{")}
        # Dash names the output of a callback without one by a hash
        missing = {name for name in names - there if len(name) < 64}
        assert not missing, each["output"]


def test_one_callback_writes_the_balance_and_it_runs_in_the_page() -> None:
    (writer,) = (each for each in ALL if f"{STORE}.data" in outputs_of(each))
    assert writer["clientside_function"] == {"namespace": "desk", "function_name": "receive"}


def test_no_callback_in_python_is_on_the_way_of_the_balance() -> None:
    (writer,) = (each for each in ALL if f"{STORE}.data" in outputs_of(each))
    way = {*parts(writer, "inputs", "state"), "app-shell.data-fed"}
    for each in IN_PYTHON:
        assert not way & {*outputs_of(each)}, each["output"]
        assert not [name for name in parts(each, "inputs", "state") if name.startswith(STORE)]


def test_no_callback_in_python_runs_at_a_tick_or_when_another_tab_is_shown() -> None:
    for each in IN_PYTHON:
        inputs = {*parts(each, "inputs")}
        ticking = {name for name in inputs if name.endswith(".n_intervals")}
        # that rests but while a backtest runs
        assert ticking <= {"backtest-interval.n_intervals"}, each["output"]
        assert "address.pathname" not in inputs, each["output"]


def test_no_button_that_may_be_drawn_anew_is_an_input() -> None:
    """Dash drops a callback under way whose input is, so the press would be lost."""
    for each in IN_PYTHON:
        many = [name for name in parts(each, "inputs") if '["ALL"]' in name]
        assert not [name for name in many if name.endswith(".n_clicks")], each["output"]


def sent(id: str) -> Any:
    """The ``id`` of a callback's part as a page sends it: of a pattern, one that matches it."""
    if not id.startswith("{"):
        return id
    return {
        name: "x" if isinstance(value, list) else value for name, value in json.loads(id).items()
    }


def request_of(callback: dict[str, Any]) -> dict[str, Any]:
    """What a page sends to ``callback`` when its first input was clicked."""
    known = APP.callback_map[callback["output"]]

    def part(each: dict[str, str], value: object) -> Any:
        if '["ALL"]' in each["id"]:
            return []
        return {"id": sent(each["id"]), "property": each["property"], "value": value}

    declared = known["output"]
    listed = declared if isinstance(declared, list | tuple) else [declared]
    outputs = [part(each.to_dict(), None) for each in listed]
    for each in outputs:
        if isinstance(each, dict):
            each.pop("value")
    first = callback["inputs"][0]
    name = sent(first["id"])
    named = name if isinstance(name, str) else json.dumps(name, separators=(",", ":"))
    return {
        "output": callback["output"],
        "outputs": outputs if isinstance(declared, list | tuple) else outputs[0],
        "inputs": [part(each, 1) for each in callback["inputs"]],
        "changedPropIds": [f"{named}.{first['property']}"],
        "state": [part(each, None) for each in callback["state"]],
    }


def make_fail(callback: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the function that ``callback`` wraps raise an error."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("/home/me/secret")

    (cell,) = (each for each in callback.__closure__ if each.cell_contents is callback.__wrapped__)
    monkeypatch.setattr(cell, "cell_contents", fail)


@pytest.mark.parametrize("callback", IN_PYTHON, ids=lambda each: each["output"][:60])
def test_each_that_fails_is_said_and_changes_nothing(
    callback: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_fail(APP.callback_map[callback["output"]]["callback"], monkeypatch)
    with caplog.at_level(logging.CRITICAL):
        answer = CLIENT.post(UPDATE, json=request_of(callback))
    assert answer.status_code == 200, answer.text
    whole = answer.get_json()
    # a grid without an answer would never ask for rows again
    changed = {name for each in whole.get("response", {}).values() for name in each}
    assert changed <= {"getRowsResponse"}
    message = whole["sideUpdate"]["toast"]["data"]["message"]
    assert "a fault of the program" in message
    assert "secret" not in answer.text


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["\ud800", "<img src=x onerror=alert(1)>", "9" * 5_000, 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "property", "value", "key", "symbol", "startRow"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
#: What is replaced in a request: the values of all its parts, or one member by its way to it.
WAYS = st.sampled_from(
    [
        *((kind, 0) for kind in ("inputs", "state", "outputs")),
        *(
            (kind, 0, name)
            for kind in ("inputs", "state", "outputs")
            for name in ("id", "property")
        ),
        *((kind, 0, "id", "type") for kind in ("inputs", "state", "outputs")),
        ("outputs",),
        ("outputs", "id"),
        ("outputs", "id", "x"),
        ("changedPropIds", 0),
    ]
)


def replace(whole: Any, way: tuple[Any, ...], value: object) -> None:
    """Put ``value`` into ``whole`` at the end of ``way``, where there is such a way."""
    *before, last = way
    for each in before:
        is_there = each in whole if isinstance(whole, dict) else isinstance(each, int) and whole
        if not is_there or not isinstance(whole[each], dict | list):
            return
        whole = whole[each]
    if isinstance(whole, dict) or (whole and isinstance(last, int)):
        whole[last] = value


@given(
    st.sampled_from(IN_PYTHON),
    st.lists(ANYTHING, min_size=1, max_size=4),
    st.none() | st.tuples(WAYS, ANYTHING),
)
@settings(max_examples=600)
def test_whatever_is_sent_to_one_is_no_mistake_of_the_server_and_changes_nothing(
    callback: dict[str, Any], values: list[Any], other: tuple[tuple[Any, ...], object] | None
) -> None:
    request = request_of(callback)
    parts_of_it = [each for each in request["inputs"] + request["state"] if each]
    for number, each in enumerate(parts_of_it):
        each["value"] = values[number % len(values)]
    if other:
        replace(request, *other)
    before = DESK.snapshot()
    body = json.dumps(request)
    answer = CLIENT.post(UPDATE, data=body, content_type="application/json")
    if answer.status_code not in {200, 204}:
        problem(answer, 400)
    assert DESK.snapshot() == before


@pytest.mark.parametrize(
    "value", [None, 1, "close-all", [1], {"id": 1}, {"verb": "close-all"}, {"verb": "", "row": ""}]
)
def test_what_no_button_presses_closes_and_cancels_nothing(value: object) -> None:
    before = DESK.snapshot()
    (callback,) = (each for each in IN_PYTHON if each["inputs"][0]["id"] == "futures-row")
    request = request_of(callback)
    request["inputs"][0]["value"] = value
    request["state"][0]["value"] = {"page": "0123456789abcdef0123456789abcdef"}
    whole = CLIENT.post(UPDATE, json=request).get_json()
    assert "a fault of the program" in whole["sideUpdate"]["toast"]["data"]["message"]
    assert DESK.snapshot() == before


@pytest.mark.parametrize(
    "given_id",
    [None, 7, "x", [], {}, {"type": "curve-due"}, {"type": "x", "curve": "sidebar-equity"}],
)
def test_an_id_that_fits_no_pattern_is_refused(given_id: object) -> None:
    (callback,) = (each for each in IN_PYTHON if '"sidebar-equity"' in each["output"])
    request = request_of(callback)
    request["inputs"][0]["id"] = given_id
    problem(CLIENT.post(UPDATE, json=request), 400)


def test_what_stands_for_all_is_a_list_of_those_that_fit() -> None:
    kind = "bot-param"
    ((callback, place),) = (
        (each, place)
        for each in IN_PYTHON
        for place, state in enumerate(each["state"])
        if f'"{kind}"' in state["id"]
    )
    for nonsense in ({}, [7], [{}], [[]], [{"id": {"type": kind}, "property": "value"}]):
        request = request_of(callback)
        request["state"][place] = nonsense
        problem(CLIENT.post(UPDATE, json=request), 400)
