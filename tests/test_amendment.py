"""Amending an open order: what changes, what stays, what it costs, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance import Desk
from balance.core.account import Account
from balance.core.amendment import amend_order, read_amendment
from balance.core.change import Change
from balance.core.entry import Entry, replay
from balance.core.errors import (
    BalanceError,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    NoLivePrice,
    NotYours,
    StaleRevision,
    UnknownOrder,
)
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.money import exact
from balance.core.order import Order
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT, account
from tests.boards import board
from tests.markets import BTC, ETH, market, quote
from tests.test_orders import FREE_MARKET, MARKET, held, kinds, place, the_fill, the_order

LATER = MOMENT + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def amend(of: Account | Change, id: str = "o-9", at: Market = MARKET, **members: Any) -> Change:
    before = of.account if isinstance(of, Change) else of
    return amend_order(before, id, read_amendment(members), at, LATER)


def waiting(side: str = "buy", price: object = 38_000, quantity: str = "0.5") -> Account:
    return place(account(), side, "limit", quantity=quantity, price=price).account


def test_a_limit_gets_another_price_and_keeps_all_else() -> None:
    before = waiting()
    change = amend(before, price="36000.04")
    assert kinds(change) == ["order"]
    assert change.bookings[0].note == (
        "Amended: Buy 0.5 BTC/USDT, limit 38,000: price 38,000 -> 36,000"
    )
    old, new = the_order(before), the_order(change)
    assert (new.price, new.reserved_margin, new.amended_at) == (36_000, 1_800, LATER)
    assert replace(new, price=old.price, reserved_margin=1_900, amended_at=None) == old
    assert change.account.available_balance == 10_000 - 1_800


def test_price_and_quantity_change_in_one_commit() -> None:
    change = amend(waiting("sell", 42_000), price=44_000, quantity="0.2509")
    assert (the_order(change).quantity, the_order(change).price) == (Decimal("0.25"), 44_000)
    assert the_order(change).reserved_margin == 1_100
    assert change.bookings[0].note.endswith("price 42,000 -> 44,000, quantity 0.5 -> 0.25")


def test_it_keeps_its_place_among_the_orders() -> None:
    of = waiting()
    for number, price in enumerate((37_000, 36_000)):
        of = place(of, "buy", "limit", id=f"o-{number}", quantity="0.1", price=price).account
    after = amend(of, price=37_500).account
    assert [each.id for each in after.orders] == ["o-9", "o-0", "o-1"]


@pytest.mark.parametrize(
    ("side", "price", "filled_at"),
    [("buy", 41_000, "40004.2"), ("buy", "40000.1", "40000.1"), ("sell", 39_000, "39995.9")],
)
def test_what_crosses_at_its_new_price_fills_at_once_as_a_taker(
    side: str, price: object, filled_at: str
) -> None:
    change = amend(waiting(side, 38_000 if side == "buy" else 42_000), price=price)
    assert kinds(change) == ["order", "fill", "fee"]
    fill = the_fill(change)
    assert (fill.order_id, fill.price, fill.liquidity) == ("o-9", Decimal(filled_at), "taker")
    assert change.account.orders == ()
    assert change.account.used_margin == held(change).isolated_margin
    change.account.check()


def test_a_stop_gets_another_trigger_price() -> None:
    for side, trigger, moved in (("sell", 35_000, 36_000), ("buy", 45_000, 44_000)):
        of = place(account(), side, "stop_market", quantity="0.1", trigger_price=trigger)
        assert the_order(amend(of, trigger_price=moved)).trigger_price == moved


@pytest.mark.parametrize(
    ("type", "side", "price"),
    [
        ("stop_market", "sell", 40_000),
        ("stop_market", "buy", 39_000),
        ("take_profit_market", "sell", 39_000),
        ("take_profit_market", "buy", 41_000),
    ],
)
def test_a_trigger_that_is_met_already_is_refused_as_at_placing(
    type: str, side: str, price: object
) -> None:
    is_up = (type == "stop_market") == (side == "buy")
    first = 45_000 if is_up else 35_000
    of = place(account(), side, type, quantity="0.1", trigger_price=first)
    with pytest.raises(InvalidRequest, match="is reached already"):
        amend(of, trigger_price=price)


def test_a_stop_limit_gets_another_limit_and_another_trigger() -> None:
    numbers = {"quantity": "0.1", "trigger_price": 35_000, "price": 34_900}
    of = place(account(), "sell", "stop_limit", **numbers)
    change = amend(of, trigger_price=36_000, price=35_800)
    moved = the_order(change)
    assert (moved.trigger_price, moved.price, moved.reserved_margin) == (36_000, 35_800, 358)
    assert change.bookings[0].note.endswith(
        ": price 34,900 -> 35,800, trigger price 35,000 -> 36,000"
    )
    # What crosses the market does so only once it is triggered.
    assert the_order(amend(of, price=30_000)).price == 30_000


def test_a_post_only_order_stays_as_it_was_where_it_would_cross() -> None:
    of = place(account(), "buy", "limit", quantity="0.5", price=38_000, time_in_force="GTX").account
    with pytest.raises(InvalidRequest, match=r"would fill at once at 40,001: the ask is 40,000\.1"):
        amend(of, price=40_001)
    assert the_order(amend(of, price=39_999)).time_in_force == "GTX"


def test_the_exit_of_a_position_is_moved_and_stays_its_exit() -> None:
    of = place(account(), "buy", quantity="0.5", stop_loss=35_000, at=FREE_MARKET).account
    change = amend(of, "o-9-sl", trigger_price=36_500)
    assert (the_order(change).reason, the_order(change).trigger_price) == ("stop_loss", 36_500)
    with pytest.raises(InvalidRequest, match="closes the whole position"):
        amend(of, "o-9-sl", quantity="0.1")


def test_an_order_that_reduces_is_never_larger_than_its_position() -> None:
    of = place(account(), "buy", quantity="0.5", at=FREE_MARKET).account
    of = place(
        of, "sell", "limit", id="o-1", quantity="0.1", price=45_000, reduce_only=True
    ).account
    change = amend(of, "o-1", quantity=3)
    assert (the_order(change).quantity, the_order(change).reserved_margin) == (Decimal("0.5"), 0)
    after = amend(change, "o-1", price=39_000, at=FREE_MARKET).account
    assert (after.positions, after.orders) == ((), ())


def test_more_margin_than_there_is_is_refused_and_less_never() -> None:
    of = waiting(quantity="2")
    with pytest.raises(InsufficientBalance) as refused:
        amend(of, quantity="2.7")
    # 2.7 * 38,000 / 10, and a taker's fee on it
    assert refused.value.required == Decimal("10311.3")
    assert refused.value.available == 10_000
    poor = replace(of, wallet=replace(of.wallet, balance=Decimal(7_600)))
    assert the_order(amend(poor, quantity="1.9")).reserved_margin == 7_220
    assert the_order(amend(poor, price=37_000)).reserved_margin == 7_400


def test_what_it_would_fill_at_once_must_be_paid() -> None:
    of = waiting(quantity="2.4")
    with pytest.raises(InsufficientBalance):
        amend(of, price=42_000, quantity="2.5")


def test_margin_is_reserved_only_for_what_it_opens() -> None:
    of = place(account(), "sell", quantity="0.5", at=FREE_MARKET).account
    of = place(of, "buy", "limit", id="o-1", quantity="0.5", price=38_000).account
    assert the_order(of).reserved_margin == 0
    assert the_order(amend(of, "o-1", quantity="0.8")).reserved_margin == 1_140


@pytest.mark.parametrize(
    ("members", "error", "words"),
    [
        ({}, InvalidRequest, "Name at least one of price, trigger_price, callback_percent"),
        ({"price": None}, InvalidRequest, "at least one"),
        ({"side": "sell"}, InvalidRequest, "but not 'side'"),
        ({"price": 0}, InvalidAmount, "above zero"),
        ({"price": "many"}, InvalidAmount, "price"),
        ({"quantity": "0.00001"}, InvalidAmount, "smallest order"),
        ({"quantity": 10_000}, InvalidRequest, "may have at most 5x"),
        ({"quantity": "0.001", "price": 4_000}, InvalidAmount, "smallest order"),
        ({"trigger_price": 39_000}, InvalidRequest, "A limit order has no trigger_price"),
        ({"price": 38_000}, InvalidRequest, "Nothing would change: the order is Buy 0.5"),
        ({"price": "38000.01", "quantity": "0.5"}, InvalidRequest, "Nothing would change"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_figures(
    members: dict[str, Any], error: type[BalanceError], words: str
) -> None:
    with pytest.raises(error, match=words):
        amend(waiting(), **members)


def test_an_order_that_is_gone_and_one_without_a_live_price_are_refused() -> None:
    with pytest.raises(UnknownOrder, match="o-7"):
        amend(waiting(), "o-7", price=37_000)
    with pytest.raises(NoLivePrice):
        amend(waiting(), price=37_000, at=replace(MARKET, live=frozenset()))
    with pytest.raises(InvalidRequest, match="is open on the feed simulated"):
        amend(waiting(), price=37_000, at=replace(MARKET, feed="binance"))


def test_an_order_of_a_bot_that_may_open_is_its_own() -> None:
    of = waiting()
    theirs = replace(of, orders=(replace(the_order(of), owner="dca"),))
    with pytest.raises(NotYours, match="dca"):
        amend(theirs, price=37_000)


def test_its_exits_must_lie_on_their_sides_of_the_new_price() -> None:
    of = place(account(), "buy", "limit", quantity="0.1", price=38_000, stop_loss=37_000)
    with pytest.raises(InvalidRequest, match="stop-loss of this order must be below 36,000"):
        amend(of, price=36_000)


def test_a_quote_from_before_it_was_amended_does_not_meet_it() -> None:
    of = amend(waiting(), price=39_500)
    early = market(quote(BTC, 39_000, time=MOMENT + timedelta(seconds=30)))
    assert advance(of.account, early, {}).bookings == ()
    late = market(quote(BTC, 39_000, time=LATER + timedelta(seconds=30)))
    assert kinds(advance(of.account, late, {}))[0] == "fill"


@given(
    side=st.sampled_from(["buy", "sell"]),
    steps=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "price": st.integers(30_000, 50_000),
                "quantity": st.decimals("0.001", "3", places=3),
            },
        ),
        max_size=6,
    ),
)
def test_however_often_it_is_amended_the_account_explains_itself(
    side: str, steps: list[dict[str, Any]]
) -> None:
    with exact():
        of = waiting(side, 38_000 if side == "buy" else 42_000)
        for step in steps:
            if not of.orders:
                break
            first: Order = of.orders[0]
            try:
                change = amend(of, **step)
            except BalanceError:
                continue
            change.account.check()
            entries = [
                Entry(revision=1, line=line, time=LATER, source="http", booking=booking)
                for line, booking in enumerate(change.bookings, 1)
            ]
            after = replay(entries, of)
            assert after is not None
            assert (after.orders, after.wallet) == (change.account.orders, change.account.wallet)
            of = change.account
            for order in of.orders:
                for name in ("id", "side", "type", "leverage", "placed_at", "owner", "feed"):
                    assert getattr(order, name) == getattr(first, name)
                assert order.reserved_margin <= 10_000
            assert sum(booking.kind == "fill" for booking in change.bookings) == (not of.orders)


def test_placing_at_the_amended_terms_reserves_the_same() -> None:
    ours = the_order(amend(waiting(), price=36_000, quantity="0.7"))
    theirs = the_order(place(account(), "buy", "limit", quantity="0.7", price=36_000))
    assert replace(ours, amended_at=None) == theirs


class TestTheDesk:
    """``Desk.amend_order``."""

    def test_amends_once_at_one_revision_and_with_a_key(self) -> None:
        desk = Desk(MemoryStore(), board())
        desk.place_order(symbol=ETH, side="buy", type="limit", quantity=1, price=1_900)
        (order,) = desk.snapshot().open_orders
        with pytest.raises(StaleRevision):
            desk.amend_order(order["id"], price=1_800, how={"if_match": 1})
        how: Any = {"idempotency_key": "k", "note": "lower"}
        first = desk.amend_order(order["id"], price="1800", how=how)
        again = desk.amend_order(order["id"], price=1_800, how=how)
        assert (first.replayed, again.replayed) == (False, True)
        assert first.message == again.message
        assert first.message == (
            "Amended: Buy 1 ETH/USDT, limit 1,900: price 1,900 -> 1,800. lower."
        )
        (row,) = desk.snapshot().open_orders
        assert (row["id"], row["price"], row["placed_at"]) == (
            order["id"],
            1_800,
            order["placed_at"],
        )
        assert row["amended_at"] is not None
