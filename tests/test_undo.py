"""A reset that is undone leaves the account as it was, in both stores, whatever happened since."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from balance.core import operations
from balance.core.account import Account
from balance.core.entry import Booking, replay
from balance.core.errors import NothingToUndo, StaleRevision
from balance.core.funding import next_settlement
from balance.core.market import NO_MARKET, Market
from balance.core.operations import can_undo, undo_reset
from balance.core.quote import Settlement
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.open_account import open_account
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.ledger_file import LedgerFile
from balance.store.memory_store import MemoryStore
from balance.store.open_ledger import OpenLedger
from balance.store.repair import repair
from balance.store.state import Store
from balance.store.verification import verify
from tests.accounts import MOMENT, account, order, position
from tests.ledgers import rewrite
from tests.markets import BTC, ETH, market, quote
from tests.processes import PROCESSES
from tests.writers import DEAD, die_at_step

NOW = market(quote(BTC, 40_000), quote(ETH, 2_000))


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, folder: Path) -> Store:
    """A new store with 10,000."""
    return MemoryStore() if request.param == "memory" else FileStore(folder)


@pytest.fixture
def board() -> LiveBoard:
    """Bitcoin at 40,000 and Ether at 2,000."""
    board = LiveBoard()
    board.market = NOW
    return board


@pytest.fixture
def desk(store: Store, board: LiveBoard) -> Desk:
    """A desk that has traded: a long with its exits, an order that waits, and money moved."""
    desk = Desk(store, board)
    desk.deposit(500)
    desk.adjust("-12.30")
    desk.place_order(symbol=BTC, side="buy", quantity="0.1", stop_loss=38_000, take_profit=50_000)
    desk.close_position(BTC, quantity="0.03")
    desk.place_order(symbol=ETH, side="buy", type="limit", price=1_500, quantity=1)
    return desk


def moved(board: LiveBoard, btc: object, **later: Any) -> None:
    """Bitcoin is at ``btc`` now."""
    moment = MOMENT + timedelta(**later)
    board.market = market(quote(BTC, btc, time=moment), quote(ETH, 2_000, time=moment))


def test_all_is_as_it_was_under_the_number_of_a_new_epoch(desk: Desk, board: LiveBoard) -> None:
    before = desk.account()
    assert desk.snapshot().can_undo_reset is False
    assert desk.reset(5_000).can_undo_reset is True
    desk.place_order(symbol=ETH, side="sell", notional=500)
    desk.place_order(symbol=BTC, side="buy", type="limit", price=30_000, quantity="0.01")
    moved(board, 41_000, hours=1)
    seen = desk.undo_reset(note="thought better of it")
    after = desk.account()
    assert after == replace(before, wallet=replace(before.wallet, epoch=3))
    assert (seen.epoch, seen.balance, seen.can_undo_reset) == (3, before.wallet.balance, False)
    assert seen.positions[0]["mark_price"] == 41_000
    entries = list(desk.ledger.rows())
    newest = entries[0]
    assert (newest["kind"], newest["epoch"], newest["amount"]) == ("undo", 3, seen.balance)
    assert newest["note"] == "Epoch 1 goes on. thought better of it"
    # what was open in the epoch of the reset was closed in that
    closing = [each for each in entries if each["revision"] == newest["revision"]][1:]
    assert [(each["kind"], each["epoch"]) for each in closing] == [
        ("realized_pnl", 2),
        ("fill", 2),
    ]
    assert desk.fills(limit=1).entries[0]["reason"] == "undo"
    assert [each.booking.kind for each in desk.ledger.lineage()] == ["undo", "start"]


def test_what_comes_back_goes_on(desk: Desk, board: LiveBoard) -> None:
    desk.reset()
    moved(board, 37_900, hours=1)
    desk.undo_reset()
    # the stop-loss acts with the next price
    desk.advance(board.market, {})
    (fill,) = desk.fills(limit=1).entries
    assert (fill["reason"], fill["epoch"], desk.account().positions) == ("stop_loss", 3, ())
    assert [each.symbol for each in desk.account().orders] == [ETH]


def test_funding_that_fell_due_meanwhile_is_settled_once(desk: Desk, board: LiveBoard) -> None:
    desk.reset()
    moved(board, 40_000, hours=9)
    desk.undo_reset()
    instant = next_settlement(MOMENT)
    told = {(BTC, instant): Settlement(rate=Decimal("0.0001"), mark=Decimal(40_000))}
    for _ in range(2):
        desk.advance(board.market, told)
    assert desk.snapshot().funding_paid == Decimal("0.07") * 40_000 * Decimal("0.0001")
    assert desk.account().positions[0].funded_at == instant


def test_a_reset_of_what_was_brought_back_can_be_undone_too(desk: Desk) -> None:
    before = desk.account()
    for epoch in (3, 5):
        desk.reset()
        desk.undo_reset()
        assert desk.account() == replace(before, wallet=replace(before.wallet, epoch=epoch))
    assert [each.booking.continues for each in desk.ledger.lineage()] == [3, 1, None]


def test_only_the_newest_reset_can_be_undone(desk: Desk) -> None:
    with pytest.raises(NothingToUndo, match="epoch 1 is the first of the account"):
        desk.undo_reset()
    desk.reset(1)
    desk.reset(2)
    assert desk.undo_reset().balance == 1
    with pytest.raises(NothingToUndo, match="done already, and epoch 4 goes on where 2 ended"):
        desk.undo_reset()
    assert desk.snapshot().epoch == 4


def test_it_is_done_once_with_a_key_and_from_the_revision_that_was_seen(desk: Desk) -> None:
    desk.reset()
    with pytest.raises(StaleRevision):
        desk.undo_reset(if_match=1)
    first = desk.undo_reset(idempotency_key="k")
    assert desk.undo_reset(idempotency_key="k") == first
    assert desk.version[1] == first.revision


def opening(**changes: Any) -> Booking:
    """The entry of a reset that ended a long of BTC and an order of ETH."""
    held = account(1_000, positions=(position(),), orders=(order(),))
    booking = operations.reset(held).bookings[-1]
    return replace(booking, **changes)


AFTER = account(10_000)
AFTER = replace(AFTER, wallet=replace(AFTER.wallet, epoch=2))


@pytest.mark.parametrize(
    ("opened", "where", "words"),
    [
        (None, NOW, "does not tell what opened epoch 2"),
        (opening(epoch=3), NOW, "Epoch 2 has just started"),
        (opening(ended=None), NOW, "made by an older version"),
        (opening(kind="repair"), NOW, "what opened epoch 2 was lost and repaired"),
        (
            opening(),
            replace(NOW, feed="replay:1a2b"),
            "BTC/USDT long was open on simulated when the account was reset, but prices come "
            "from replay:1a2b now. Start with that feed again",
        ),
        (
            opening(),
            replace(NOW, instruments={BTC: NOW.instruments[BTC]}),
            "An order of ETH/USDT was open when the account was reset, but ETH/USDT has no prices",
        ),
        (
            opening(),
            market(quote(BTC, time=MOMENT - timedelta(days=1))),
            "earlier time now than when it was opened. Wait until it is 2026-01-02 03:04 UTC",
        ),
    ],
)
def test_what_can_not_be_brought_back_is_refused_with_what_to_do(
    opened: Booking | None, where: Market, words: str
) -> None:
    assert not can_undo(2, opened, where)
    with pytest.raises(NothingToUndo, match=words):
        undo_reset(AFTER, opened, where)


def test_without_a_feed_or_with_nothing_open_the_market_forbids_nothing() -> None:
    assert can_undo(2, opening(), NO_MARKET)
    assert can_undo(2, opening(ended=account(5)), replace(NOW, feed="another"))


# in files


@pytest.fixture
def undone(folder: Path, board: LiveBoard) -> Account:
    """The account in ``folder`` after a reset was undone."""
    desk = Desk(FileStore(folder), board)
    desk.place_order(symbol=BTC, side="buy", quantity="0.1", stop_loss=30_000)
    desk.reset()
    desk.undo_reset()
    return desk.account()


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LEDGER_FILE).read_text().splitlines()]


def write_lines(folder: Path, lines: list[dict[str, Any]]) -> None:
    rewrite(folder, (json.dumps(line).encode() for line in lines))


def test_the_ledger_leads_to_what_was_brought_back(folder: Path, undone: Account) -> None:
    assert verify(folder).faults == ()
    (folder / ACCOUNT_FILE).unlink()
    repair(folder)
    assert open_account(folder).account() == undone
    assert verify(folder).faults == ()


def test_an_undo_states_all_it_needs_where_entries_before_it_were_lost(
    folder: Path, undone: Account
) -> None:
    (folder / ACCOUNT_FILE).unlink()
    write_lines(folder, lines_of(folder)[-1:])
    assert repair(folder).faults
    assert open_account(folder).account() == undone
    assert verify(folder).faults == ()


def test_a_reset_that_keeps_what_was_not_so_is_found_and_never_brought_back(folder: Path) -> None:
    desk = open_account(folder)
    desk.reset(7)
    desk.deposit(1)
    lines = lines_of(folder)
    ended = lines[1]["ended"]["wallet"]
    ended["balance"] = ended["starting_balance"] = "99999.00"
    write_lines(folder, lines)
    (fault,) = verify(folder).faults
    assert fault == f"{LEDGER_FILE} line 2 keeps another account than the one that it ended."
    repair(folder)
    assert verify(folder).faults == ()
    again = open_account(folder)
    assert (again.snapshot().can_undo_reset, again.snapshot().balance) == (False, 8)
    with pytest.raises(NothingToUndo):
        again.undo_reset()


@pytest.mark.parametrize("member", ["wallet", "continues"])
def test_an_undo_that_does_not_tell_what_it_brings_back_is_none(
    folder: Path, undone: Account, member: str
) -> None:
    lines = lines_of(folder)
    del lines[-1][member]
    write_lines(folder, lines)
    assert "an undo must tell what it brings back" in verify(folder).faults[0]
    repair(folder)
    assert open_account(folder).account() == undone


def test_a_ledger_of_an_older_version_reads_and_says_that_it_can_not(folder: Path) -> None:
    open_account(folder).reset()
    open_account(folder).deposit(1)
    lines = lines_of(folder)
    del lines[1]["ended"]
    write_lines(folder, lines)
    desk = open_account(folder)
    assert desk.snapshot().can_undo_reset is False
    with pytest.raises(NothingToUndo, match="made by an older version"):
        desk.undo_reset()


def test_an_edited_file_stays_in_its_epoch_and_the_reset_before_it_can_be_undone(
    folder: Path,
) -> None:
    desk = open_account(folder)
    desk.deposit(5)
    desk.reset()
    path = folder / ACCOUNT_FILE
    path.write_text(path.read_text().replace('"balance": "10000.00"', '"balance": "123.00"', 1))
    assert desk.snapshot().balance == 123
    assert desk.undo_reset().balance == 10_005
    assert verify(folder).faults == ()


def test_a_damaged_ledger_keeps_nobody_from_reading_the_balance(folder: Path) -> None:
    open_account(folder).reset()
    (folder / LEDGER_FILE).write_bytes(b"garbage\n")
    assert open_account(folder).snapshot().can_undo_reset is False


def test_what_opened_an_epoch_is_found_without_reading_the_whole_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    for number in range(2_000):
        change = operations.reset if number % 100 == 50 else partial(operations.deposit, amount=1)
        store.commit(change, source="x")
    entries = list(store.entries())[::-1]
    ledger = LedgerFile(tmp_path / LEDGER_FILE)
    ledger.path.write_bytes(b"".join(line.text for line in store.lines()))
    firsts = {each.booking.epoch: each for each in reversed(entries)}
    read, entry = [], OpenLedger.entry
    monkeypatch.setattr(OpenLedger, "entry", lambda file, line: read.append(1) or entry(file, line))
    for epoch, first in firsts.items():
        assert ledger.opening(epoch) == store.opening(epoch) == first
    assert ledger.opening(22) is store.opening(22) is None
    assert len(firsts) == 21
    assert len(read) / len(firsts) < 100


def test_the_snapshot_looks_that_up_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    desk, looked, found = Desk(store), [], store.opening
    monkeypatch.setattr(store, "opening", lambda epoch: looked.append(epoch) or found(epoch))
    desk.reset()
    for _ in range(3):
        assert desk.deposit(1).can_undo_reset
    assert looked == [2]


def test_a_program_that_dies_at_any_step_of_an_undo_leaves_all_of_it_or_nothing(
    tmp_path: Path,
) -> None:
    outcomes = []
    for step in range(1, 40):
        folder = tmp_path / str(step)
        account = open_account(folder)
        account.deposit(5)
        account.reset(7)
        program = PROCESSES.Process(target=die_at_step, args=(folder, step, True))
        program.start()
        program.join()
        code = program.exitcode
        program.close()
        seen = open_account(folder).snapshot()
        assert (seen.epoch, seen.balance, seen.can_undo_reset) in (
            (2, 7, True),
            (3, 10_005, False),
        )
        assert verify(folder).faults == ()
        again = account.undo_reset(idempotency_key="k")
        assert (again.epoch, again.balance, again.revision) == (3, 10_005, 4)
        assert replay(reversed(list(FileStore(folder).entries()))) == account.account()
        if code != DEAD:
            break
        outcomes.append(seen.epoch)
    assert code == 0
    assert set(outcomes) == {2, 3}, "it must have died before and after its commit point"
