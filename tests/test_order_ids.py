"""The ids of orders: digits that rise with every commit, and stay as long as there is a ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance import Desk, OrderRejected, Outcome
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import AccountingError
from balance.core.matching import advance
from balance.core.order import Order
from balance.core.order_ids import numbered
from balance.core.orders import cancel_order, cancel_orders
from balance.core.trade import Effect
from balance.market.board import LiveBoard
from balance.store.file_store import ACCOUNT_FILE, FileStore
from balance.store.repair import repair
from balance.store.verification import verify
from tests.accounts import account, order
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC, ETH


def bought(desk: Desk, symbol: str = BTC, **terms: Any) -> Outcome:
    return desk.place_order(symbol=symbol, side="buy", **{"quantity": "0.1", **terms})


def resting(desk: Desk, price: int = 1_500, **terms: Any) -> Outcome:
    return bought(desk, ETH, type="limit", price=price, **terms)


def moved(desk: Desk, board: LiveBoard, btc: object) -> Outcome:
    """What Bitcoin at ``btc`` does."""
    priced(board, btc)
    outcome = desk.advance(board.market, {})
    assert outcome is not None
    return outcome


def ids(orders: Sequence[Any]) -> list[str]:
    return [each["id"] for each in orders]


def fill_ids(outcome: Outcome) -> list[str]:
    return [each.booking.fill.order_id for each in outcome.entries if each.booking.fill]


def opened(orders: Sequence[Order]) -> Change:
    """What opens ``orders``, each by an entry of its own."""
    change = Change(account(10**9))
    for each in orders:
        effect = Effect(symbol=each.symbol, position=None, opened=(each,))
        change = change.booked("order", Decimal(0), effect=effect)
    return change


def opened_ids(change: Change) -> list[str]:
    return [order.id for each in change.bookings if each.effect for order in each.effect.opened]


def test_an_id_is_the_revision_then_the_place_among_the_new_orders(desk: Desk) -> None:
    assert ids(resting(desk).snapshot.open_orders) == ["2000001"]
    filled = bought(desk, take_profit=50_000, stop_loss=30_000)
    assert fill_ids(filled) == ["3000001"]
    assert ids(filled.snapshot.open_orders) == ["2000001", "3000002", "3000003"]


def test_an_order_keeps_its_id_until_it_ends(desk: Desk, board: LiveBoard) -> None:
    bought(desk, type="stop_limit", trigger_price=42_000, price=41_500, stop_loss=39_000)
    rests = moved(desk, board, 43_000).snapshot
    assert [(each["id"], each["type"]) for each in rests.open_orders] == [("2000001", "limit")]
    filled = moved(desk, board, 41_500)
    assert fill_ids(filled) == ["2000001"]
    assert ids(filled.snapshot.open_orders) == ["4000001"]
    assert fill_ids(moved(desk, board, 38_500)) == ["4000001"]


def test_what_ends_a_position_has_an_id_too(desk: Desk, board: LiveBoard) -> None:
    bought(desk, leverage=20)
    assert fill_ids(moved(desk, board, 30_000)) == ["3000001"]
    bought(desk, leverage=2)
    bought(desk, ETH, leverage=2)
    desk.reset()
    bought(desk, leverage=2)
    desk.undo_reset()
    assert [(each["order_id"], each["reason"]) for each in desk.fills().entries] == [
        ("8000001", "undo"),
        ("7000001", "order"),
        ("6000002", "reset"),
        ("6000001", "reset"),
        ("5000001", "order"),
        ("4000001", "order"),
        ("3000001", "liquidation"),
        ("2000001", "order"),
    ]


def test_orders_that_an_undo_brings_back_keep_their_ids(desk: Desk) -> None:
    resting(desk)
    desk.reset()
    assert ids(resting(desk).snapshot.open_orders) == ["4000001"]
    assert ids(desk.undo_reset().open_orders) == ["2000001"]
    assert desk.cancel_order("2000001").snapshot.open_orders == ()


def test_a_repeated_request_is_answered_with_the_same_id(desk: Desk) -> None:
    how = {"idempotency_key": "one"}
    first = bought(desk, how=how)
    resting(desk)
    assert fill_ids(bought(desk, how=how)) == fill_ids(first) == ["2000001"]


def test_ids_survive_a_restart_and_a_repair(folder: Path, board: LiveBoard) -> None:
    resting(Desk(FileStore(folder), board))
    again = Desk(FileStore(folder), board)
    assert ids(again.snapshot().open_orders) == ["2000001"]
    (folder / ACCOUNT_FILE).unlink()
    assert repair(folder).faults
    repaired = Desk(FileStore(folder), board)
    assert ids(repaired.snapshot().open_orders) == ["2000001"]
    assert ids(resting(repaired).snapshot.open_orders) == ["2000001", "4000001"]
    assert verify(folder).faults == ()


def test_orders_of_older_versions_keep_their_ids() -> None:
    """They were hexadecimal, and those of exits ended in -tp and -sl."""
    before = Account(account().wallet, orders=(order(id="9f1c"), order(id="9f1c-sl")))
    change = cancel_order(before, "9f1c-sl")
    assert numbered(change, before, 7) is change


def test_an_id_that_an_edit_brought_is_given_to_no_other_order(folder: Path, desk: Desk) -> None:
    resting(desk)
    path = folder / ACCOUNT_FILE
    document = json.loads(path.read_text())
    document["orders"][0]["id"] = "4000001"
    path.write_text(json.dumps(document))
    assert ids(desk.snapshot().open_orders) == ["4000001"]
    assert ids(resting(desk, 1_400).snapshot.open_orders) == ["4000001", "4000002"]
    assert ids(desk.cancel_order("4000001").snapshot.open_orders) == ["4000002"]
    assert verify(folder).faults == ()


def test_a_number_that_is_a_client_id_is_given_to_no_other_order(desk: Desk) -> None:
    named = resting(desk, client_id="3000001")
    assert ids(resting(desk, 1_400).snapshot.open_orders) == ["2000001", "3000002"]
    assert ids(resting(desk, 1_300, client_id="4000001").snapshot.open_orders)[2:] == ["4000002"]
    assert ids(desk.cancel_order("3000001").snapshot.open_orders) == ["3000002", "4000002"]
    assert ids(named.snapshot.open_orders) == ["2000001"]


def test_a_thousand_orders_of_one_commit_rise_far_below_two_to_the_53(board: LiveBoard) -> None:
    revision = 9_000_000_000
    change = numbered(opened([order(id=f"o-{n}") for n in range(1_000)]), account(), revision)
    found = [each.id for each in change.account.orders]
    assert found == opened_ids(change) == [str(revision * 10**6 + n) for n in range(1, 1_001)]
    assert int(found[-1]) < 2**53
    ended = cancel_orders(change.account)
    assert numbered(ended, change.account, revision + 1) is ended


def test_what_an_operation_opens_and_ends_has_one_id(desk: Desk, board: LiveBoard) -> None:
    change = opened([order(id="a"), order(id="b")])
    change = numbered(change.then(cancel_order(change.account, "a")), account(), 5)
    assert opened_ids(change) == ["5000001", "5000002"]
    last = change.bookings[-1].effect
    assert last is not None
    assert last.closed == ("5000001",)
    assert advance(change.account, board.market, {}).account.orders[0].id == "5000002"


def test_no_commit_ends_an_order_twice_or_hides_one(desk: Desk) -> None:
    resting(desk)

    def twice(of: Account) -> Change:
        return cancel_order(of, "2000001").then(cancel_order(of, "2000001"))

    def hidden(of: Account) -> Change:
        return replace(cancel_order(of, "2000001"), account=of)

    for operation, words in (
        (twice, "ends the order 2000001, which is not open"),
        (hidden, "lead to 0 open orders, not to the 1 that are open"),
    ):
        with pytest.raises(AccountingError, match=words):
            desk.store.commit(operation, source="x")
    assert desk.snapshot().revision == 2


def test_a_group_has_the_id_of_its_first_order(board: LiveBoard) -> None:
    change = opened([order(id="a-1", group="a-1"), order(id="a-2", group="a-1")])
    change = numbered(change, account(), 5)
    expected = [("5000001", "5000001"), ("5000002", "5000001")]
    assert [(each.id, each.group) for each in change.account.orders] == expected


def test_a_refused_request_that_is_repeated_after_a_restart_is_the_same_order(
    folder: Path, desk: Desk
) -> None:
    refused = []
    for each, ether in ((desk, 2_000), (Desk(FileStore(folder), a_board(eth=1_900)), 1_900)):
        assert each.market.quotes[ETH].ask == ether
        with pytest.raises(OrderRejected) as refusal:
            resting(each, 1_900, time_in_force="FOK", how={"idempotency_key": "one"})
        refused.append((refusal.value.order_id, str(refusal.value)))
    assert refused == [("2000001", refused[0][1])] * 2
    assert desk.snapshot().revision == 2
