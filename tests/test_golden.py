"""A folder that an earlier version wrote is answered as that version answered it: the same members
and figures in the same order. New members may come, and sentences may be put otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from balance.alerts.state import alert_file
from balance.bots.state import bot_file
from balance.store.kept_file import KeptFile
from tests.golden.clock import Clock
from tests.golden.questions import answers, difference
from tests.golden.server import ANSWERS, NOW, golden_copy, served

#: Whose answers are no JSON that stands still: a stream, the description, which tells more with
#: every version, a backup, and the keys, which that version had not: the first start makes one.
_LEFT_OUT = {"/virtual_balance/stream", "/openapi.json", "/backup", "/keys", "/keys/{name}"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder = golden_copy(tmp_path_factory.mktemp("golden"))
    with served(folder, Clock(NOW)) as found:
        yield found


def golden() -> dict[str, Any]:
    """The answers by path."""
    found: dict[str, Any] = json.loads(ANSWERS.read_text(), parse_float=Decimal, parse_int=Decimal)
    return found


def test_all_get_answers_are_those_of_the_version_before(client: FlaskClient) -> None:
    expected, found = golden(), answers(client)
    assert list(found) == list(expected)
    faults = [difference(path, each, found[path]) for path, each in expected.items()]
    assert list(filter(None, faults)) == []


@pytest.mark.parametrize("kept_file", [alert_file, bot_file])
def test_a_file_of_the_version_before_is_written_as_it_was_with_a_checksum(
    kept_file: Callable[[Path], KeptFile[Any]], tmp_path: Path
) -> None:
    folder = golden_copy(tmp_path)
    file = kept_file(folder)
    before = in_order(folder / file.name)
    file.put(replace(file.latest()))
    file.save()
    *members, (last, _) = in_order(folder / file.name)
    assert (members, last) == (before, "checksum")


def in_order(path: Path) -> Any:
    """The JSON in a file, with the members of its objects in their order."""
    return json.loads(path.read_bytes(), object_pairs_hook=list)


def test_every_get_operation_is_asked(client: FlaskClient) -> None:
    description: Any = client.get("/openapi.json").get_json()
    described = {path for path, each in description["paths"].items() if "get" in each}
    asked = {path.split("?")[0] for path in golden()}
    for path in described - _LEFT_OUT:
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        assert any(map(pattern.fullmatch, asked)), path


@pytest.mark.parametrize(
    ("golden", "found"),
    [
        ({"pnl": Decimal("1.10")}, {"pnl": Decimal("1.11")}),
        ({"pnl": Decimal("1.10")}, {"pnl": "1.10"}),
        ({"pnl": Decimal(1)}, {"pnl": True}),
        ({"pnl": Decimal(1)}, {}),
        ({"rows": [{"a": "x"}, {"a": "y"}]}, {"rows": [{"a": "y"}, {"a": "x"}]}),
        ({"rows": []}, {"rows": [{}]}),
        ({"display": {"pnl": "$10,000.00"}}, {"display": {"pnl": "$10,000.01"}}),
        ({"words": "It stopped."}, {"words": ""}),
        ({"words": "It stopped."}, {"words": None}),
    ],
)
def test_a_changed_answer_is_noticed(golden: Any, found: Any) -> None:
    assert difference("/positions", golden, found)


def test_new_members_and_other_sentences_are_no_change() -> None:
    expected = {"rows": [{"pnl": Decimal("1.10"), "words": "It is begun."}], "tick": Decimal(3)}
    row = {"pnl": Decimal("1.1"), "words": "It has started.", "sharpe": None}
    assert difference("/positions", expected, {"rows": [row], "tick": Decimal(4), "n": "new"}) == ""
