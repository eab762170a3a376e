"""The newest news stay in the snapshot, whatever is committed after them and whoever looks."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from balance import Desk
from balance.core.messages import MARKET, MOST_NEWS
from balance.market.board import LiveBoard
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC


@pytest.fixture
def board() -> LiveBoard:
    """Bitcoin at 40,000."""
    return a_board()


@pytest.fixture(params=["memory", "file"])
def desk(request: pytest.FixtureRequest, board: LiveBoard, folder: Path) -> Desk:
    """An account of 10,000 in a store of either kind."""
    return Desk(MemoryStore() if request.param == "memory" else FileStore(folder), board)


def stopped(desk: Desk, board: LiveBoard) -> int:
    """Let the market close a position at its stop: the revision of that."""
    priced(board, 40_000)
    desk.place_order(symbol=BTC, side="buy", quantity="0.01", stop_loss=39_000)
    priced(board, 38_990)
    outcome = desk.advance(board.market, {}, MARKET)
    assert outcome is not None
    return outcome.snapshot.revision


def revisions(desk: Desk) -> list[int]:
    return [each["revision"] for each in desk.snapshot().recent_news]


def test_a_fill_is_told_though_other_changes_follow(desk: Desk, board: LiveBoard) -> None:
    assert desk.snapshot().recent_news == ()
    at = stopped(desk, board)
    words = desk.snapshot().news
    desk.deposit(5)
    seen = desk.deposit(5)
    assert seen.news == ""
    (told,) = seen.recent_news
    (item,) = told["items"]
    assert (told["revision"], told["kind"], told["source"], told["words"]) == (
        *(at, "fill", MARKET),
        words,
    )
    # what it did to the balance after the fee of the order that opened the position
    assert item["result"] == seen.balance - 10 - (10_000 - Decimal("0.20002"))
    assert {**item, "result": 0} == {"kind": "fill", "owner": "", "words": words, "result": 0}


def test_a_liquidation_is_told_as_one(desk: Desk, board: LiveBoard) -> None:
    desk.place_order(symbol=BTC, side="buy", quantity=1, leverage=10)
    priced(board, 30_000)
    desk.advance(board.market, {}, MARKET)
    [told] = desk.deposit(5).recent_news
    assert (told["kind"], told["words"][:26]) == ("liquidation", "Liquidated: long 1 BTC/USD")


def test_what_a_person_asked_for_is_no_news(desk: Desk) -> None:
    desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    assert desk.close_position(BTC).snapshot.recent_news == ()


def test_the_newest_are_kept_oldest_first(desk: Desk, board: LiveBoard) -> None:
    at = [stopped(desk, board) for _ in range(MOST_NEWS + 2)]
    assert revisions(desk) == at[-MOST_NEWS:]


def test_who_looks_late_or_for_the_first_time_finds_them_in_the_ledger(
    board: LiveBoard, folder: Path
) -> None:
    market = Desk(FileStore(folder), board)
    early = Desk(FileStore(folder), board)
    assert revisions(early) == []
    at = [stopped(market, board), stopped(market, board)]
    market.deposit(5)
    late = Desk(FileStore(folder), board)
    assert revisions(market) == revisions(early) == revisions(late) == at


def test_an_account_that_was_put_back_tells_what_it_has_had(board: LiveBoard, folder: Path) -> None:
    desk = Desk(FileStore(folder), board)
    first = stopped(desk, board)
    kept = {each: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    stopped(desk, board)
    for file, content in kept.items():
        file.write_bytes(content)
    assert revisions(Desk(FileStore(folder), board)) == revisions(desk) == [first]


def test_a_ledger_that_is_damaged_keeps_nobody_from_the_newest(
    board: LiveBoard, folder: Path
) -> None:
    at = stopped(Desk(FileStore(folder), board), board)
    ledger = folder / "ledger.jsonl"
    ledger.write_bytes(b"x" * ledger.stat().st_size)
    assert revisions(Desk(FileStore(folder), board)) == [at]
