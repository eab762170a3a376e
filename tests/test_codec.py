"""Files of schema 1 stay readable: what they say is written again as it was read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from balance.core.entry import Entry
from balance.core.errors import InvalidAmount
from balance.core.operations import deposit
from balance.core.orders import cancel_order
from balance.core.shape import Count, Money, Name, Price, Quantity, Total
from balance.core.trade import OrderEnd
from balance.core.wallet import KINDS
from balance.store import codec
from balance.store.codec import (
    FAULTS,
    ORDER,
    SCHEMA,
    Unreadable,
    decode_entry,
    decode_state,
    encode_entry,
    encode_state,
)
from balance.store.file_store import ACCOUNT_FILE, FileStore
from balance.store.records import Record
from balance.store.verification import verify
from tests.accounts import account, order
from tests.processes import ROOT

# One line of each kind of entry, with each type of order and each reason of a fill, by the last
# version before this was read by one mechanism; and the account of a day by the same.
FOLDERS = (ROOT / "tests" / "schema_1", ROOT / "tests" / "golden" / "data")


def lines(name: str) -> Iterator[bytes]:
    for folder in FOLDERS:
        yield from (folder / name).read_bytes().splitlines(keepends=True)


def test_every_entry_is_written_as_it_was_read() -> None:
    for line in lines("ledger.jsonl"):
        assert encode_entry(decode_entry(line)) == line


def test_there_is_an_entry_of_every_kind() -> None:
    found = [json.loads(line) for line in lines("ledger.jsonl")]
    # Margin could not be moved and no leverage be set when these were recorded.
    assert {each["kind"] for each in found} == set(KINDS) - {"margin", "leverage"}
    fills = [each["fill"] for each in found if "fill" in each]
    assert {each["reason"] for each in fills} >= {"order", "stop_loss", "take_profit", "undo"}
    orders = [order for each in found if "effect" in each for order in each["effect"]["opened"]]
    assert {each["type"] for each in orders} == {"limit", "stop_market", "take_profit_market"}


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({}, set()),
        ({"time_in_force": "GTX"}, {"time_in_force"}),
        (
            {
                "type": "trailing_stop",
                "callback_percent": Decimal("1.5"),
                "activation_price": Decimal(1_600),
            },
            {"callback_percent", "activation_price"},
        ),
        ({"type": "stop_limit", "trigger_price": Decimal(1_400)}, set()),
    ],
)
def test_what_few_orders_have_is_written_only_there(
    changes: dict[str, Any], written: set[str]
) -> None:
    placed = order(**changes)
    document = ORDER.encode(placed)
    assert document.keys() - ORDER.encode(order()).keys() == written
    assert ORDER.decode(json.loads(json.dumps(document))) == placed


@pytest.mark.parametrize("ended", ["canceled", "expired"])
def test_an_entry_says_how_an_order_ended(ended: OrderEnd) -> None:
    of = account(orders=(order(),))
    (booking,) = cancel_order(of, "o-1", "why", ended).bookings
    entry = Entry(revision=2, line=1, time=MOMENT, source="http", booking=booking)
    line = encode_entry(entry)
    assert decode_entry(line) == entry
    assert (b'"ended":"expired"' in line) == (ended == "expired")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_account_is_written_as_it_was_read(folder: Path) -> None:
    text = (folder / "virtual_balance.json").read_bytes()
    state, sealed = decode_state(text)
    assert sealed
    before, after = json.loads(text), json.loads(encode_state(state))
    assert (state.previous_checksum, state.previous_answered) == ("", 0)
    assert list(after) == [*list(before)[:-1], "previous_checksum", "previous_answered", "seal"]
    changed = {"schema", "previous_checksum", "previous_answered", "seal"}
    assert {name: before[name] for name in before.keys() - changed} == {
        name: after[name] for name in after.keys() - changed
    }


def test_an_account_of_schema_2_is_as_good_as_one_of_3_and_the_next_change_writes_3(
    folder: Path,
) -> None:
    FileStore(folder).commit(partial(deposit, amount=5), source="x")
    path = folder / ACCOUNT_FILE
    document = json.loads(path.read_bytes())
    del document["seal"]
    document["schema"] = 2
    path.write_text(json.dumps({**document, "seal": codec._seal(document)}))
    before = path.read_bytes()
    store = FileStore(folder)
    assert store.read().revision == 2
    assert verify(folder).faults == ()
    assert path.read_bytes() == before
    store.commit(partial(deposit, amount=5), source="x")
    assert json.loads(path.read_bytes())["schema"] == SCHEMA == 3
    assert (store.read().revision, verify(folder).faults) == (3, ())


def changed(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    document = json.loads(json.dumps(document))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(document).encode()


def paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    named = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in named:
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, name))


def test_a_member_of_another_kind_is_refused_and_named() -> None:
    fill = next(each for each in map(json.loads, lines("ledger.jsonl")) if "fill" in each)
    for path in paths(fill):
        for wrong in (True, ["x", 1], {"a": 1}, 1.5):
            if path[-1] == "reduce_only" or wrong == 1.5:
                continue
            with pytest.raises(Unreadable) as refused:
                decode_entry(changed(fill, path, wrong))
            name = [each for each in path if isinstance(each, str)][-1]
            missing = "is missing" in str(refused.value)
            assert missing or name in str(refused.value), (path, wrong)


@dataclass(frozen=True, slots=True)
class Part:
    name: Name
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A field of every kind."""

    text: str
    name: Name
    flag: bool
    number: int
    count: Count
    ratio: float
    plain: Decimal
    money: Money
    price: Price | None
    quantity: Quantity
    total: Total
    word: Literal["up", "down"]
    moment: datetime
    day: date | None
    part: Part | None
    parts: tuple[Part, ...] = ()
    raw: Mapping[str, Any]
    later: str = "as before"


MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
WHOLE = Whole(
    text="",
    name="x",
    flag=True,
    number=0,
    count=1,
    ratio=0.25,
    plain=Decimal("-1.20"),
    money=Decimal("1.5"),
    price=None,
    quantity=Decimal("1e-9"),
    total=Decimal(0),
    word="up",
    moment=MOMENT,
    day=date(2026, 1, 2),
    part=None,
    parts=(Part("a", MOMENT), Part("b", MOMENT)),
    raw={"a": [1, None]},
    later="new",
)
RECORD = Record(Whole, later=("later",))


def test_a_record_is_read_as_it_was_written() -> None:
    document = RECORD.encode(WHOLE)
    assert list(document) == list(Whole.__dataclass_fields__)
    assert document["parts"][1] == {"name": "b", "since": "2026-01-02T03:04:05.678Z"}
    assert document["plain"] == "-1.20"
    assert RECORD.decode(json.loads(json.dumps(document))) == WHOLE


def test_only_what_came_later_may_be_missing() -> None:
    document = RECORD.encode(WHOLE)
    del document["later"]
    assert RECORD.decode(document).later == "as before"
    for name in document:
        with pytest.raises(KeyError, match=name):
            RECORD.decode({each: document[each] for each in document if each != name})


@dataclass(frozen=True, slots=True)
class Later:
    name: Name
    share: Price | None = None
    mode: str = "usual"


def test_a_rare_member_is_written_only_where_it_is_not_its_default() -> None:
    record = Record(Later, rare=("share", "mode"))
    assert record.encode(Later("x")) == {"name": "x"}
    assert record.decode({"name": "x"}) == Later("x")
    for value in (Later("x", share=Decimal("2.5")), Later("x", mode="other")):
        document = record.encode(value)
        assert len(document) == 2
        assert record.decode(document) == value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", [None, 1, ["x"]]),
        ("name", [None, ""]),
        ("flag", [1, None, "true"]),
        ("number", [True, -1, 1.0, "1"]),
        ("count", [True, 0, Decimal(1)]),
        ("ratio", [True, "0.5", None]),
        ("plain", [True, None, "x", "NaN", Decimal("Infinity")]),
        ("money", [True, None, "1e400"]),
        ("price", [0, "-1", "", True]),
        ("quantity", [None, 0]),
        ("total", ["-1", None]),
        ("word", ["Up", None, ["up"]]),
        ("moment", ["2026-01-02", "2026-01-02T03:04:05", 5, None]),
        ("day", ["02.01.2026", 5]),
        ("part", [{}, [], "", {"name": "a", "since": "x"}]),
        ("parts", [None, {}, "a", [None], [{"name": ""}]]),
        ("raw", [None, [], "a"]),
    ],
)
def test_values_of_another_kind_are_refused(name: str, values: list[Any]) -> None:
    document = RECORD.encode(WHOLE)
    for value in values:
        with pytest.raises(FAULTS):
            RECORD.decode({**document, name: value})


def test_a_message_says_what_a_member_must_be() -> None:
    with pytest.raises(InvalidAmount, match="price must be above zero, not -1"):
        RECORD.decode({**RECORD.encode(WHOLE), "price": "-1"})


def test_a_type_without_a_place_in_json_is_told_at_once() -> None:
    @dataclass
    class Wrong:
        values: set

    with pytest.raises(TypeError, match="has no place in JSON"):
        Record(Wrong)
