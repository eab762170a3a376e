"""Keys over HTTP: what each route answers, and what it refuses."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from balance.keys.addresses import Addresses
from balance.keys.details import key_details
from balance.keys.key import Key
from balance.keys.snippets import SNIPPETS
from tests.accounts import MOMENT
from tests.bots_by_hand import ByHand
from tests.interface import Interface
from tests.markets import BTC

NAME = "freqtrade"
HERE = Addresses("http://127.0.0.1:8050", "ws://127.0.0.1:8051")


def test_a_key_is_made_listed_paused_and_revoked(api: Interface) -> None:
    made = api.told("POST", "/keys", {"name": NAME})
    assert made["message"] == "Made the key freqtrade."
    assert (made["key"]["name"], made["key"]["kind"]) == (NAME, "key")
    assert [each["name"] for each in api.told("GET", "/keys")["keys"]] == [NAME]
    assert api.told("POST", f"/keys/{NAME}/pause")["key"]["is_paused"]
    assert not api.told("POST", f"/keys/{NAME}/resume")["key"]["is_paused"]
    gone = api.told("DELETE", f"/keys/{NAME}")
    assert (gone["message"], gone.get("key")) == ("Revoked freqtrade.", None)
    assert api.told("GET", "/keys")["keys"] == []


def test_only_the_key_itself_tells_its_secret(api: Interface) -> None:
    answers = [api.told("POST", "/keys", {"name": NAME}), api.told("GET", "/keys")]
    told = api.told("GET", f"/keys/{NAME}")
    key = api.keys.get(NAME)
    assert (told["key"], told["secret"]) == (key.key, key.secret)
    for secret in (key.key, key.secret):
        assert secret not in json.dumps(answers, default=str)


def test_the_addresses_are_those_of_who_asks(api: Interface) -> None:
    api.keys.add(NAME)
    api.keys.serve_at(HERE)
    told = api.told("GET", f"/keys/{NAME}")
    assert (told["rest"], told["stream"]) == (HERE.rest, HERE.stream)


@pytest.mark.parametrize(
    ("root", "rest", "stream"),
    [
        ("http://localhost:8050/", HERE.rest, HERE.stream),
        ("http://127.0.0.1:8050/", HERE.rest, HERE.stream),
        ("http://[::1]:8050/", HERE.rest, HERE.stream),
        ("http://desk.example:8050/", "http://desk.example:8050", "ws://desk.example:8051"),
        ("https://desk.example/bot/", "https://desk.example/bot", "ws://desk.example:8051"),
        ("http://[fd00::7]:8050/", "http://[fd00::7]:8050", "ws://[fd00::7]:8051"),
    ],
)
def test_another_machine_has_the_name_it_asked_for(root: str, rest: str, stream: str) -> None:
    assert HERE.seen_from(root) == Addresses(rest, stream)


def test_a_server_that_does_not_know_its_address_has_that_of_the_request() -> None:
    assert Addresses().seen_from("http://127.0.0.1:8050/") == Addresses("http://127.0.0.1:8050", "")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "detail"),
    [
        ("POST", "/keys", {"name": "ema-1"}, 422, "could be the id of a bot"),
        ("POST", "/keys", {"name": "you"}, 422, "is the person"),
        ("POST", "/keys", {}, 422, "must be 1 to 24"),
        ("POST", "/keys", {"name": NAME, "kind": "bot"}, 422, "kind must be one of key, agent"),
        ("POST", "/keys", {"name": NAME, "secret": "x"}, 422, "not 'secret'"),
        ("GET", "/keys/ghost", None, 404, "There is no key 'ghost'"),
        ("POST", "/keys/ghost/pause", None, 404, "There is no key 'ghost'"),
        ("DELETE", "/keys/ghost", None, 404, "There is no key 'ghost'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    api: Interface, method: str, path: str, body: object, status: int, detail: str
) -> None:
    assert detail in api.refused(status, method, path, body)


def test_a_key_that_holds_something_is_revoked_once_that_is_closed(
    api: Interface, by_hand: ByHand
) -> None:
    by_hand.close(40_000)
    api.keys.add(NAME)
    by_hand.desk.place_order(symbol=BTC, side="buy", quantity="0.01", how={"owner": NAME})
    assert "long 0.01 BTC/USDT" in api.refused(422, "DELETE", f"/keys/{NAME}")
    told = api.told("DELETE", f"/keys/{NAME}?close=true")
    assert told["message"] == "Revoked freqtrade. Cancelled and closed long 0.01 BTC/USDT."
    assert not by_hand.desk.account().positions


def test_a_repeated_request_is_answered_again(api: Interface) -> None:
    how = {"headers": {"Idempotency-Key": "k-1"}}
    first = api.ask("POST", "/keys", {"name": NAME}, **how)
    again = api.ask("POST", "/keys", {"name": NAME}, **how)
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"


KEY = Key(name=NAME, kind="key", key="11aa" * 16, secret="22bb" * 16, created_at=MOMENT)
AGENT = Key(name="claude", kind="agent", key="", secret="", created_at=MOMENT)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda each: each.client)
@pytest.mark.parametrize("folder", [None, Path("/home/me/a folder")])
def test_a_snippet_is_filled_in_and_can_be_read(snippet: object, folder: Path | None) -> None:
    (found,) = (
        each
        for key in (KEY, AGENT)
        for each in key_details(key, HERE, folder)["snippets"]
        if each["client"] == snippet.client  # type: ignore[attr-defined]
    )
    text = found["text"]
    assert "$" not in text
    if found["language"] == "python":
        ast.parse(text)
    else:
        json.loads(text)
    if found["client"].startswith("mcp"):
        assert '"--name", "claude"' in text
        assert ("--data-dir" in text) == (folder is not None)
    else:
        for part in (KEY.key, KEY.secret, HERE.rest):
            assert part in text


def test_each_kind_has_the_snippets_of_its_own() -> None:
    clients = [
        [each["client"] for each in key_details(key, HERE, None)["snippets"]]
        for key in (KEY, AGENT)
    ]
    assert clients == [
        ["ccxt", "ccxt.pro", "freqtrade", "python-binance", "sdk", "connector", "nautilus"],
        ["mcp", "mcp-vscode"],
    ]


def test_an_agent_is_told_what_to_install_first_where_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (words, _) = (each["words"] for each in key_details(AGENT, HERE, None)["snippets"])
    assert "install" not in words
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for kind, is_advised in ((AGENT, True), (KEY, False)):
        for each in key_details(kind, HERE, None)["snippets"]:
            assert ("-m pip install mcp==" in each["words"]) == is_advised
