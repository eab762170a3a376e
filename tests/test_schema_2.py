"""A folder that a version with schema 2 wrote goes on as it is: with the ids of its orders, and
without the members that tell how orders ended."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from balance import Desk
from balance.core.order_record import order_records
from balance.store.codec import SCHEMA, decode_entry, decode_state, encode_entry, encode_state
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.repair import repair
from balance.store.salvage import document_of
from balance.store.verification import verify
from tests.boards import board as a_board
from tests.markets import ETH
from tests.processes import ROOT

WRITTEN = ROOT / "tests" / "schema_2"
TAKE_PROFIT, STOP, ENTRY = "a25ff83caa-tp", "a25ff83caa-sl", "4697d915a5"


@pytest.fixture
def desk(folder: Path) -> Desk:
    """The account of a copy."""
    shutil.copytree(WRITTEN, folder)
    return Desk(FileStore(folder), a_board(30_000))


def open_ids(desk: Desk) -> list[str]:
    return [each["id"] for each in desk.snapshot().open_orders]


def placed(desk: Desk, **how: Any) -> Any:
    terms: dict[str, Any] = {"symbol": ETH, "side": "buy", "type": "limit", "quantity": 1}
    return desk.place_order(**terms, price=1_900, how=how)


def test_its_files_are_written_as_they_were_read() -> None:
    text = (WRITTEN / ACCOUNT_FILE).read_bytes()
    state, is_sealed = decode_state(text)
    assert is_sealed
    before, after = json.loads(text), json.loads(encode_state(state))
    assert (before["schema"], after["schema"]) == (2, SCHEMA)
    changed = ("schema", "seal")
    assert {**before, **dict.fromkeys(changed)} == {**after, **dict.fromkeys(changed)}
    for line in (WRITTEN / LEDGER_FILE).read_bytes().splitlines(keepends=True):
        # Behind the entry, a line may have the account and the request.
        entry = encode_entry(decode_entry(line)).removesuffix(b"}\n")
        assert document_of(line).startswith(entry)


def test_it_is_read_without_a_change(folder: Path, desk: Desk) -> None:
    assert open_ids(desk) == [TAKE_PROFIT, STOP, ENTRY]
    assert verify(folder).faults == ()
    assert (folder / ACCOUNT_FILE).read_bytes() == (WRITTEN / ACCOUNT_FILE).read_bytes()
    assert (folder / LEDGER_FILE).read_bytes() == (WRITTEN / LEDGER_FILE).read_bytes()


def test_its_orders_are_found_by_their_ids_beside_new_ones(folder: Path, desk: Desk) -> None:
    assert placed(desk, idempotency_key="k").replayed
    placed(desk)
    assert open_ids(desk) == [TAKE_PROFIT, STOP, ENTRY, "16000001"]
    desk.cancel_order(TAKE_PROFIT)
    desk.cancel_order(ENTRY)
    assert open_ids(desk) == [STOP, "16000001"]
    assert verify(folder).faults == ()


def test_its_records_say_how_orders_ended(desk: Desk) -> None:
    records = order_records([*desk.store.entries()][::-1])
    ended = [(each.state, each.why) for each in records.values() if each.state != "FILLED"]
    assert ended == [
        ("CANCELED", ""),
        ("EXPIRED", ""),
        ("EXPIRED", "its position was liquidated"),
        ("CANCELED", "another exit has replaced it"),
        ("EXPIRED", "its position was liquidated"),
        *[("NEW", "")] * 3,
    ]


def test_it_is_repaired_from_its_ledger(folder: Path, desk: Desk) -> None:
    (folder / ACCOUNT_FILE).unlink()
    assert repair(folder).faults
    assert verify(folder).faults == ()
    assert open_ids(Desk(FileStore(folder))) == [TAKE_PROFIT, STOP, ENTRY]
