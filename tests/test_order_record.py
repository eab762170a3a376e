"""What became of each order, from the ledger alone: also from one of an older version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance import BalanceError, Desk
from balance.core.entry import Entry
from balance.core.order_record import OrderRecord, order_records
from balance.market.board import LiveBoard
from balance.store.codec import decode_order_entry, encode_entry
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.repair import repair
from balance.store.verification import verify
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC, ETH


def bought(desk: Desk, symbol: str = BTC, **terms: Any) -> str:
    outcome = desk.place_order(symbol=symbol, side="buy", **{"quantity": "0.1", **terms})
    effect = outcome.entries[0].booking.effect
    assert effect is not None
    return (effect.arrived or effect.opened[0]).id


def resting(desk: Desk, price: int = 1_500, **terms: Any) -> str:
    return bought(desk, ETH, type="limit", price=price, **terms)


def moved(desk: Desk, board: LiveBoard, btc: object) -> None:
    """Have Bitcoin at ``btc``."""
    priced(board, btc)
    assert desk.advance(board.market, {}) is not None


def entries(desk: Desk) -> list[Entry]:
    return [*desk.store.entries()][::-1]


def records(desk: Desk) -> dict[str, OrderRecord]:
    """The records, which must agree with what is open."""
    found = order_records(entries(desk))
    still = [each.order for each in found.values() if each.state == "NEW"]
    assert {each.id: each for each in still if each} == {
        each.id: each.unmarked() for each in desk.account().orders
    }
    assert len(still) == len(desk.account().orders)
    return found


def ends(desk: Desk) -> dict[str, tuple[str, str]]:
    return {name: (each.state, each.why) for name, each in records(desk).items()}


def reread(entries: Iterable[Entry]) -> dict[str, OrderRecord]:
    """The records from the lines of ``entries``, of which only what tells of orders is read."""
    return order_records(decode_order_entry(encode_entry(each)) for each in entries)


def as_before(entry: Entry) -> Entry:
    """``entry`` as the version before wrote it."""
    effect = entry.booking.effect
    if effect is None:
        return entry
    why = effect.why if entry.booking.kind == "cancel" else ""
    ended = effect.ended if entry.booking.kind == "cancel" else "canceled"
    effect = replace(effect, arrived=None, why=why, ended=ended)
    return replace(entry, booking=replace(entry.booking, effect=effect))


def test_an_order_at_market_is_placed_and_filled_by_one_entry(desk: Desk) -> None:
    name = bought(desk, leverage=3)
    record = records(desk)[name]
    fill = record.fill
    assert (record.state, record.placed, record.ended, record.source) == (
        *("FILLED", (2, 1), (2, 1), "program"),
    )
    assert record.asked == record.order
    assert record.asked is not None
    assert fill is not None
    assert (record.asked.leverage, fill.quantity, fill.price) == (3, Decimal("0.1"), 40_004)


def test_a_resting_order_is_asked_changed_filled(desk: Desk, board: LiveBoard) -> None:
    name = bought(desk, type="stop_limit", trigger_price=42_000, price=41_500)
    moved(desk, board, 43_000)
    waits = records(desk)[name]
    assert waits.asked is not None
    assert waits.order is not None
    assert (waits.asked.type, waits.order.type, waits.changed) == ("stop_limit", "limit", (3, 1))
    moved(desk, board, 41_500)
    filled = records(desk)[name]
    assert filled == replace(
        waits, state="FILLED", ended=(4, 1), ended_at=filled.ended_at, fill=filled.fill
    )
    assert filled.fill is not None
    assert filled.fill.liquidity == "maker"


def test_the_price_that_an_order_follows_changes_nothing_of_it(
    desk: Desk, board: LiveBoard
) -> None:
    name = bought(desk, type="trailing_stop", callback_percent=5)
    before = records(desk)[name]
    priced(board, 39_000)
    desk.reset()
    desk.undo_reset()
    after = records(desk)[name]
    assert (after.order, after.changed, after.state) == (before.order, None, "NEW")
    assert desk.snapshot().open_orders[0]["best_price"] == 39_000


def test_an_order_ends_as_the_one_who_ends_it_says(desk: Desk, board: LiveBoard) -> None:
    cancelled = resting(desk)
    desk.cancel_order(cancelled)
    hasty = resting(desk, time_in_force="IOC")
    assert ends(desk) == {
        cancelled: ("CANCELED", ""),
        hasty: ("EXPIRED", "it can't fill at once, the ask is 2,000"),
    }


def test_exits_end_with_their_position_or_by_others(desk: Desk, board: LiveBoard) -> None:
    first = bought(desk, stop_loss=38_000, take_profit=50_000)
    second = bought(desk, stop_loss=39_000)
    desk.place_order(
        symbol=BTC, side="sell", type="stop_market", trigger_price=39_500, reduce_only=True
    )
    desk.close_position(BTC)
    expected = {
        first: ("FILLED", ""),
        "2000002": ("EXPIRED", "its position was closed"),
        "2000003": ("CANCELED", "another exit has replaced it"),
        second: ("FILLED", ""),
        "3000002": ("CANCELED", "another exit has replaced it"),
        "4000001": ("EXPIRED", "its position was closed"),
        "5000001": ("FILLED", ""),
    }
    assert ends(desk) == expected
    before = [as_before(each) for each in entries(desk)]
    older = order_records(before)
    assert {name: (each.state, each.why) for name, each in older.items()} == expected
    assert reread(before) == older
    assert older[first].asked is None
    assert older[first].fill == records(desk)[first].fill


def test_a_liquidation_ends_all_orders_of_its_symbol(desk: Desk, board: LiveBoard) -> None:
    bought(desk, leverage=20, take_profit=50_000)
    limit = bought(desk, type="limit", price=30_000)
    moved(desk, board, 30_000)
    expected = {
        "2000001": ("FILLED", ""),
        "2000002": ("EXPIRED", "its position was liquidated"),
        limit: ("EXPIRED", "its position was liquidated"),
        "4000001": ("FILLED", ""),
    }
    assert ends(desk) == expected
    older = order_records(map(as_before, entries(desk)))
    assert {name: (each.state, each.why) for name, each in older.items()} == expected


def test_a_reset_ends_what_is_open_and_its_undo_brings_it_back(desk: Desk) -> None:
    bought(desk, stop_loss=30_000)
    first = resting(desk)
    before = records(desk)
    desk.reset()
    assert ends(desk) == {
        "2000001": ("FILLED", ""),
        "2000002": ("EXPIRED", "its position was closed"),
        first: ("EXPIRED", "the account was reset"),
        "4000001": ("FILLED", ""),
    }
    second = resting(desk)
    desk.undo_reset()
    after = records(desk)
    assert {name: after[name] for name in before} == before
    assert (after[second].state, after[second].why) == ("EXPIRED", "a reset was undone")


def test_an_edit_ends_what_it_leaves_out_and_begins_what_it_brings(
    folder: Path, desk: Desk
) -> None:
    name = resting(desk)
    path = folder / ACCOUNT_FILE
    document = json.loads(path.read_text())
    document["orders"][0]["id"] = "mine"
    path.write_text(json.dumps(document))
    desk.snapshot()
    assert ends(desk) == {
        name: ("EXPIRED", "the account's file was edited"),
        "mine": ("NEW", ""),
    }


def test_a_repair_that_states_the_account_anew_keeps_what_is_open(folder: Path, desk: Desk) -> None:
    name = resting(desk)
    before = records(desk)
    (folder / ACCOUNT_FILE).unlink()
    assert repair(folder).faults
    assert records(Desk(FileStore(folder))) == before == {name: before[name]}


def acted(desk: Desk, board: LiveBoard, act: str, price: int) -> None:
    """Do ``act`` at or with ``price``; what is refused is nothing."""
    limit = {"side": "buy", "type": "limit", "quantity": "0.01", "price": price}
    sides = {"reduce_only": True, "quantity": "0.01", "symbol": BTC, "side": "sell"}
    acts: dict[str, Callable[[], object]] = {
        "move": lambda: (priced(board, price), desk.advance(board.market, {})),
        "open": lambda: bought(desk, leverage=10, take_profit=price + 3_000, stop_loss=price - 900),
        "wait": lambda: desk.place_order(symbol=BTC, **limit, stop_loss=price - 3_000),
        "ioc": lambda: desk.place_order(symbol=BTC, **limit, time_in_force="IOC"),
        "fok": lambda: desk.place_order(symbol=BTC, **limit, time_in_force="FOK"),
        "post": lambda: desk.place_order(symbol=BTC, **limit, time_in_force="GTX"),
        "stop": lambda: desk.place_order(**sides, type="stop_market", trigger_price=price),
        "trail": lambda: desk.place_order(**sides, type="trailing_stop", callback_percent=1),
        "oco": lambda: desk.place_oco(
            [
                {**sides, "type": "limit", "price": price + 2_000},
                {**sides, "type": "stop_market", "trigger_price": price - 2_000},
            ]
        ),
        "amend": lambda: desk.amend_order(desk.account().orders[0].id, price=price),
        "cancel": lambda: desk.cancel_order(desk.account().orders[-1].id),
        "close": lambda: desk.close_position(BTC),
        "reverse": lambda: desk.reverse_position(BTC),
        "reset": desk.reset,
        "undo": desk.undo_reset,
    }
    with suppress(BalanceError, IndexError):
        acts[act]()


ACTS = (
    *("move", "open", "wait", "ioc", "fok", "post", "stop", "trail", "oco", "amend", "cancel"),
    *("close", "reverse", "reset", "undo"),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(38, 42)), max_size=25))
def test_records_lead_to_what_is_open_and_ids_rise(steps: list[tuple[str, int]]) -> None:
    board = a_board()
    desk = Desk(MemoryStore(), board)
    for act, thousands in steps:
        acted(desk, board, act, thousands * 1_000)
    found = records(desk)
    placed = sorted(found.values(), key=lambda each: int(each.id))
    assert [each.placed[0] for each in placed] == sorted(each.placed[0] for each in placed)
    assert all(int(each.id) // 10**6 == each.placed[0] for each in placed)
    for each in placed:
        assert (each.state == "NEW") == (each.ended is None)
        assert (each.state == "FILLED") == (each.fill is not None)
        assert each.state == "FILLED" or each.asked is not None
    # What an older version wrote of the same says as much of how orders ended.
    before = [as_before(each) for each in entries(desk)]
    older = order_records(before)
    assert {name: (each.state, each.why) for name, each in older.items()} == ends(desk)
    assert reread(entries(desk)) == found
    assert reread(before) == older


@pytest.mark.parametrize("is_account_lost", [False, True])
def test_what_is_left_of_a_damaged_ledger_tells_of_what_is_open(
    folder: Path, board: LiveBoard, is_account_lost: bool
) -> None:
    desk = Desk(FileStore(folder), board)
    steps = "open fok post ioc wait amend trail oco reverse reset wait undo stop cancel wait"
    for act in steps.split():
        acted(desk, board, act, 39_000)
    moved(desk, board, 38_900)
    ledger, account = folder / LEDGER_FILE, folder / ACCOUNT_FILE
    kept, lines, text = desk.account(), ledger.read_bytes().splitlines(True), account.read_bytes()
    for number in range(1, len(lines) - 1, 2):
        flipped = bytes([lines[number][80] ^ 1])
        damaged = [*lines]
        damaged[number] = lines[number][:80] + flipped + lines[number][81:]
        ledger.write_bytes(b"".join(damaged))
        account.unlink() if is_account_lost else account.write_bytes(text)
        assert repair(folder).faults
        assert verify(folder).faults == ()
        found = Desk(FileStore(folder))
        assert records(found)
        assert is_account_lost or found.account().orders == kept.orders
