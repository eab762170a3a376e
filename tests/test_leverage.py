"""The leverage of a symbol: set before anything is open, kept until it is set anew."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from balance import Desk
from balance.api.stream import Stream
from balance.core.errors import InvalidAmount, InvalidRequest, LeverageInUse
from balance.market.board import LiveBoard
from balance.store.backup import back_up, restore
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.repair import repair
from balance.store.verification import verify
from tests.boards import board as a_board
from tests.markets import BTC, ETH, SOL

ORDER = {"symbol": BTC, "side": "buy", "quantity": "0.01"}


@pytest.fixture
def board() -> LiveBoard:
    return a_board()


@pytest.fixture
def desk(board: LiveBoard) -> Desk:
    """A new account in memory, Bitcoin at 40,000 and Ether at 2,000."""
    return Desk(MemoryStore(), board)


@pytest.fixture
def kept(folder: Path, board: LiveBoard) -> Desk:
    """An account in ``folder`` whose Bitcoin is set to 5x and Ether to 7x."""
    desk = Desk(FileStore(folder), board)
    desk.set_leverage(BTC, 5)
    desk.set_leverage(ETH, 7)
    return desk


def leverages(desk: Desk) -> dict[str, tuple[int, str]]:
    return {
        each["symbol"]: (int(each["leverage"]), each["source"])
        for each in desk.snapshot().leverages
    }


SET = {BTC: (5, "set"), ETH: (7, "set"), SOL: (10, "default")}


def test_an_order_that_names_none_has_that_of_its_symbol(desk: Desk) -> None:
    assert leverages(desk) == dict.fromkeys((BTC, ETH, SOL), (10, "default"))
    outcome = desk.set_leverage("btcusdt", 5)
    assert outcome.message == "Leverage of BTC/USDT: 5x."
    assert leverages(desk) == {BTC: (5, "set"), ETH: (10, "default"), SOL: (10, "default")}
    assert desk.preview_order(**ORDER).leverage == 5
    # An order may still name another one, which is that of what is open until it is closed.
    desk.place_order(**ORDER, leverage=20)
    assert leverages(desk)[BTC] == (20, "open")
    desk.close_position(BTC)
    assert leverages(desk)[BTC] == (5, "set")


def test_it_moves_no_money_and_the_ledger_says_it(desk: Desk) -> None:
    desk.set_leverage(BTC, 5, note="calm")
    entry = next(desk.store.entries()).booking
    assert (entry.kind, entry.amount, entry.note) == (
        "leverage",
        0,
        "Leverage of BTC/USDT: 5x. calm",
    )
    assert entry.effect is not None
    assert entry.effect.leverage == 5
    assert desk.snapshot().balance == 10_000


@pytest.mark.parametrize("is_order", [False, True], ids=["position", "order"])
def test_it_stays_while_something_is_open_at_another_one(desk: Desk, is_order: bool) -> None:
    rest: dict[str, Any] = {"type": "limit", "price": 30_000} if is_order else {}
    desk.place_order(**ORDER, **rest, leverage=8)
    with pytest.raises(LeverageInUse, match=r"BTC/USDT is traded at 8x now\. First close"):
        desk.set_leverage(BTC, 5)
    # The one that it has may be set, and is kept.
    desk.set_leverage(BTC, 8)
    desk.cancel_orders() if is_order else desk.close_position(BTC)
    assert leverages(desk)[BTC] == (8, "set")


def test_a_reduce_only_order_alone_holds_no_leverage(desk: Desk) -> None:
    desk.place_order(**ORDER, leverage=8)
    stop = {**ORDER, "side": "sell", "type": "stop_market", "trigger_price": 30_000}
    desk.place_order(**stop, reduce_only=True)
    desk.close_position(BTC)
    desk.set_leverage(BTC, 5)
    assert leverages(desk)[BTC] == (5, "set")


@pytest.mark.parametrize(
    ("symbol", "leverage", "error", "words"),
    [
        (BTC, 151, InvalidRequest, r"BTC/USDT may be traded at 150x at most, not 151x"),
        (SOL, 150, InvalidRequest, r"SOL/USDT may be traded at 100x at most"),
        (BTC, "2.5", InvalidAmount, "whole number"),
        (BTC, 0, InvalidAmount, "above zero"),
        ("DOGE/USDT", 5, InvalidRequest, "no symbol"),
    ],
)
def test_what_the_symbol_does_not_allow_is_refused(
    desk: Desk, symbol: str, leverage: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        desk.set_leverage(symbol, leverage)
    assert desk.snapshot().revision == 1


def test_the_size_of_an_order_may_still_be_too_large_for_it(desk: Desk) -> None:
    desk.deposit(10_000_000)
    desk.set_leverage(BTC, 150)
    with pytest.raises(InvalidRequest, match="may have at most"):
        desk.place_order(symbol=BTC, side="buy", notional=20_000_000)


def test_it_survives_a_restart_a_reset_and_its_undo(
    folder: Path, kept: Desk, board: LiveBoard
) -> None:
    kept.place_order(**ORDER)
    kept.reset()
    assert leverages(kept) == SET
    kept.set_leverage(ETH, 3)
    kept.undo_reset()
    # What is open again has the leverage that it had; what was set since stays.
    found = leverages(Desk(FileStore(folder), board))
    assert found == {BTC: (5, "open"), ETH: (3, "set"), SOL: (10, "default")}
    assert verify(folder).faults == ()


def test_a_backup_has_it(kept: Desk, tmp_path: Path, board: LiveBoard) -> None:
    copy = tmp_path / "copy"
    assert kept.store.folder is not None
    back_up(kept.store.folder, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", copy)
    assert leverages(Desk(FileStore(copy), board)) == SET


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ({}, SET),
        (
            {"leverages": [{"symbol": ETH, "leverage": 4}]},
            {**SET, BTC: (10, "default"), ETH: (4, "set")},
        ),
    ],
)
def test_an_edit_of_the_file_may_change_it_or_leave_it_out(
    folder: Path, kept: Desk, members: dict[str, Any], wanted: object
) -> None:
    edit(folder, balance="9000.00", **members)
    kept.deposit(1)
    assert leverages(kept) == wanted
    edited = next(each.booking for each in kept.store.entries() if each.booking.kind != "deposit")
    assert ("leverage ETH/USDT 7.00 -> 4.00" in edited.note) == (wanted != SET)
    assert verify(folder).faults == ()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([{"symbol": BTC, "leverage": "2.5"}], "must be a whole number from 1 to 1,000, not 2.50"),
        ([{"symbol": BTC, "leverage": 5}] * 2, "The leverage of BTC/USDT is named twice"),
        ([{"symbol": BTC, "leverages": 5}], "leverage"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(
    folder: Path, kept: Desk, named: object, words: str
) -> None:
    edit(folder, leverages=named)
    with pytest.raises(Exception, match=words):
        kept.deposit(1)


def edit(folder: Path, **members: Any) -> None:
    """What a person's script does that knows of no leverages: load, change, dump."""
    path = folder / ACCOUNT_FILE
    document = json.loads(path.read_text())
    del document["leverages"]
    path.write_text(json.dumps(document | members))


def test_a_lost_account_is_rebuilt_with_it(folder: Path, kept: Desk, board: LiveBoard) -> None:
    kept.reset(5_000)
    (folder / ACCOUNT_FILE).write_text("no account")
    repair(folder)
    assert leverages(Desk(FileStore(folder), board)) == SET


def test_a_ledger_without_it_is_found_and_repaired(
    folder: Path, kept: Desk, board: LiveBoard
) -> None:
    kept.deposit(1)
    ledger = folder / LEDGER_FILE
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(each for each in lines if b"Leverage of ETH" not in each))
    assert verify(folder).faults
    repair(folder)
    assert verify(folder).faults == ()
    assert leverages(Desk(FileStore(folder), board)) == SET


def test_accounts_without_any_are_written_as_before(folder: Path, board: LiveBoard) -> None:
    Desk(FileStore(folder), board).place_order(**ORDER)
    assert b"leverages" not in (folder / ACCOUNT_FILE).read_bytes()


def test_over_http(desk: Desk) -> None:
    client = create_app(desk, Stream(1)).server.test_client()
    put = client.put("/leverage/BTC-USDT", json={"leverage": 5}, headers={"If-Match": '"1"'})
    assert put.get_json()["message"] == "Leverage of BTC/USDT: 5x."
    rows = client.get("/leverage").get_json()["leverages"]
    assert rows == put.get_json()["leverages"]
    assert rows[0] == {
        "symbol": BTC,
        "leverage": 5,
        "source": "set",
        "display": {"leverage": "5x"},
    }
    stale = client.put("/leverage/BTC-USDT", json={"leverage": 6}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    again = [
        client.put("/leverage/BTC-USDT", json={"leverage": 7}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [each.get_json()["revision"] for each in again] == [3, 3]
    for body in ({"leverage": 1_001}, {"leverage": 1.5}, {"leverage": 500}, {}):
        assert client.put("/leverage/BTC-USDT", json=body).status_code == 422
    assert desk.snapshot().revision == 3


def test_the_decimal_of_a_leverage_is_exact(desk: Desk) -> None:
    desk.set_leverage(BTC, "5.0")
    assert desk.preview_order(**ORDER).display["leverage"] == "5x"
    assert desk.preview_order(**ORDER).margin == Decimal("80.008")
