"""The keys from a shell: what each command prints, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from balance import open_account
from balance.keys.addresses import Addresses
from balance.keys.keys import Keys
from balance.shell.main import main

NAME = "freqtrade"
HERE = Addresses("http://127.0.0.1:8050", "ws://127.0.0.1:8051")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs ``keys`` with words: its exit code, and what it printed."""

    def start(*words: str) -> tuple[int, str, str]:
        code = main(["keys", "--data-dir", str(folder), *words])
        return (code, *capsys.readouterr())

    return start


@pytest.fixture
def keys(folder: Path) -> Keys:
    """The keys of the folder, on which a server has run."""
    keys = Keys(open_account(folder), folder)
    keys.begin()
    keys.serve_at(HERE)
    return keys


def json_of(answer: tuple[int, str, str]) -> Any:
    """What was printed, which must have gone well."""
    code, out, err = answer
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found.pop("status") == "success"
    return found


def test_the_only_key_is_printed_with_all_that_a_program_needs(call: Call, keys: Keys) -> None:
    key = keys.get("bot")
    found = json_of(call("--json"))
    assert {name: found[name] for name in ("key", "secret", "rest", "stream")} == {
        "key": key.key,
        "secret": key.secret,
        "rest": HERE.rest,
        "stream": HERE.stream,
    }


def test_of_several_keys_one_must_be_named(call: Call, keys: Keys) -> None:
    keys.add(NAME)
    found = json_of(call("--json"))
    assert "secret" not in found
    assert [each["name"] for each in found["keys"]] == ["bot", NAME]
    found = json_of(call(NAME, "--json"))
    assert (found["key"], found["rest"]) == (keys.get(NAME).key, HERE.rest)
    assert (found["secret"], found["stream"]) == (keys.get(NAME).secret, HERE.stream)


def test_the_table_has_no_secrets(call: Call, keys: Keys) -> None:
    keys.add(NAME)
    keys.pause(NAME)
    _, out, _ = call()
    head, first, second = (line.split() for line in out.splitlines())
    assert head == ["Key", "Kind", "State", "Position", "P&L", "Fills"]
    assert first[:3] == ["bot", "key", "Ready"]
    assert second[:3] == [NAME, "key", "Paused"]
    assert keys.get(NAME).secret not in out
    assert keys.get(NAME).key not in out


def test_a_key_is_made_paused_resumed_and_revoked(call: Call, keys: Keys) -> None:
    _, out, _ = call("add", NAME)
    key = keys.get(NAME)
    for text in ("Made the key freqtrade.", key.key, key.secret, HERE.rest, HERE.stream):
        assert text in out
    for verb, is_paused in (("pause", True), ("resume", False)):
        assert call(verb, NAME)[0] == 0
        assert keys.get(NAME).is_paused == is_paused
    assert call("revoke", NAME, "--close")[1] == "Revoked freqtrade.\n"
    assert keys.named(NAME) is None


def test_an_agent_is_made_without_a_key(call: Call, keys: Keys) -> None:
    assert json_of(call("add", "claude", "--agent", "--json"))["key"] == ""
    assert "python -m balance mcp --name claude" in call("claude")[1]
    # The only key is still the other one.
    assert json_of(call("--json"))["key"] == keys.get("bot").key


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ghost"], "There is no key 'ghost'"),
        (["pause", "ghost"], "There is no key 'ghost'"),
        (["add"], "Name the key: python -m balance keys add NAME"),
        (["make", NAME], "but not 'make'"),
        (["add", "ema-1"], "could be the id of a bot"),
        (["add", "bot"], "There is a key called bot already"),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Call, keys: Keys, words: list[str], message: str
) -> None:
    before = keys.all()
    code, out, err = call(*words)
    assert (code, out) == (1, "")
    assert message in err
    assert keys.all() == before


def test_without_a_server_there_are_no_keys_yet(call: Call) -> None:
    assert call()[1].startswith("No keys. Make one: python -m balance keys add NAME --data-dir")


def test_a_repeated_request_is_answered_again(call: Call, keys: Keys) -> None:
    first = json_of(call("add", NAME, "--idempotency-key", "k-1", "--json"))
    assert json_of(call("add", NAME, "--idempotency-key", "k-1", "--json")) == first
