"""A callback in Python that fails is shown in a toast, and changes nothing else on the page."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from dash import Input, Output, dcc, html

from app import create_app
from balance.api.stream import Stream
from balance.core.errors import InvalidRequest
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from callbacks.toasts import show_toast
from layouts.tab import Tab
from layouts.tabs import TABS
from tests.pages import UPDATE, asked

MINE = Tab(
    id="mine",
    label="Mine",
    path="/mine",
    build=lambda _: html.Div([dcc.Store(id="mine-input"), html.Div(id="mine-output")]),
)


def response_of(callback: Any, *outputs: Output) -> Any:
    """What a page is answered whose callback with ``outputs`` is ``callback``."""
    app = create_app(Desk(MemoryStore()), Stream(1), tabs=(*TABS, MINE))
    app.callback(*outputs, Input("mine-input", "data"))(callback)
    client = app.server.test_client()
    return client.post(UPDATE, json=asked(client.get, "mine-input", mine_input="1"))


def toast_in(response: Any) -> tuple[str, str]:
    """The message of the toast in ``response``, and its kind; nothing else is in it."""
    whole = response.get_json()
    assert not whole.get("response")
    (changed,) = whole["sideUpdate"].items()
    assert changed[0] == "toast"
    return changed[1]["data"]["message"], changed[1]["data"]["kind"]


@pytest.mark.parametrize("outputs", [(), (Output("mine-output", "children"),)])
def test_a_refusal_is_a_toast_with_its_message(outputs: tuple[Output, ...]) -> None:
    def refuse(_: Any) -> None:
        raise InvalidRequest("At most 4 of them; you have 4.")

    assert toast_in(response_of(refuse, *outputs)) == ("At most 4 of them; you have 4.", "error")


@pytest.mark.parametrize("outputs", [(), (Output("mine-output", "children"),)])
def test_any_other_fault_is_a_toast_without_its_text_and_is_in_the_log(
    outputs: tuple[Output, ...], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("/home/me/secret")

    with caplog.at_level(logging.ERROR, "callbacks.faults"):
        message, kind = toast_in(response_of(fail, *outputs))
    assert ("a fault of the program" in message, kind) == (True, "error")
    assert "secret" not in message
    assert "/home/me/secret" in caplog.text


def test_a_callback_without_outputs_shows_a_toast() -> None:
    assert toast_in(response_of(lambda _: show_toast("Done."))) == ("Done.", "info")
