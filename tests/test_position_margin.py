"""Closing all positions, reversing one, and moving margin into a position and out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance import Desk
from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Entry, replay
from balance.core.errors import (
    BalanceError,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    NoLivePrice,
    NotYours,
    UnknownPosition,
)
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.money import exact
from balance.core.orders import close_all, reverse_position
from balance.core.position_margin import move_margin, removable_margin
from balance.store.codec import decode_entry, encode_entry
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT, account
from tests.boards import board
from tests.markets import BTC, ETH, FREE, SOL, market, quote
from tests.test_orders import FREE_MARKET, MARKET, held, kinds, place


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def at(mark: object) -> Market:
    return market(quote(BTC, mark), terms=FREE)


LONG = place(account(), "buy", quantity="0.5", at=at(40_000)).account
SHORT = place(account(), "sell", quantity="0.5", at=at(40_000)).account


def move(of: Account, amount: object, mark: object = 40_000) -> Change:
    now = at(mark)
    return move_margin(of.marked(now), BTC, amount, now)


def replayed(of: Account, change: Change) -> Account:
    entries = [
        Entry(revision=1, line=line, time=MOMENT, source="http", booking=booking)
        for line, booking in enumerate(change.bookings, 1)
    ]
    after = replay(entries, of)
    assert after is not None
    return after


class TestMovingMargin:
    """``move_margin``: half a bitcoin at 40,000 and 10x, with a margin of 2,000."""

    @pytest.mark.parametrize(
        # (40,000 -+ 3,000 / 0.5) / (1 -+ 0.004)
        ("of", "price"),
        [(LONG, "34136.54618473896"), (SHORT, "45816.73306772908")],
        ids=["long", "short"],
    )
    def test_added_margin_moves_the_liquidation_price_away_at_once(
        self, of: Account, price: str
    ) -> None:
        change = move(of, 1_000)
        position = held(change)
        assert kinds(change) == ["margin"]
        assert position.isolated_margin == 3_000
        assert position.liquidation_price == Decimal(price)
        assert change.account.wallet == of.wallet
        assert change.account.available_balance == 7_000
        assert change.account.equity == of.equity

    def test_the_entry_says_what_moved(self) -> None:
        change = move(LONG, "500.5")
        assert change.bookings[0].amount == 0
        assert change.bookings[0].note == (
            "Added 500.50 USDT to the margin of long 0.5 BTC/USDT: 2,000.00 -> 2,500.50, "
            "liquidation price 36,144.58 -> 35,139.56"
        )
        assert replayed(LONG, change) == change.account
        entry = Entry(revision=1, line=1, time=MOMENT, source="http", booking=change.bookings[0])
        assert decode_entry(encode_entry(entry)) == entry

    def test_more_than_is_available_is_not_added(self) -> None:
        assert held(move(LONG, 8_000)).isolated_margin == 10_000
        with pytest.raises(InsufficientBalance):
            move(LONG, "8000.01")

    def test_what_was_added_can_be_removed_and_no_more(self) -> None:
        added = move(LONG, 1_000).account
        with pytest.raises(InvalidAmount, match=r"At most 1,000\.00 USDT can be removed"):
            move(added, "-1000.01")
        back = move(added, -1_000).account
        assert back == LONG
        with pytest.raises(InvalidAmount, match=r"At most 0\.00 USDT"):
            move(back, "-0.01")

    @pytest.mark.parametrize(
        # initial margin at the mark and the loss so far stay; a gain can't be taken out
        ("of", "mark", "most"),
        [
            (LONG, 38_000, 3_000 - 1_900 - 1_000),
            (LONG, 42_000, 3_000 - 2_100),
            (SHORT, 42_000, 0),
            (SHORT, 41_000, 3_000 - 2_050 - 500),
            (SHORT, 38_000, 3_000 - 1_900),
        ],
    )
    def test_what_can_be_removed_follows_the_mark(self, of: Account, mark: int, most: int) -> None:
        added = move(of, 1_000).account
        assert removable_margin(held(added.marked(at(mark)))) == most
        with pytest.raises(InvalidAmount, match="can be removed"):
            move(added, Decimal(-most) - Decimal("0.01"), mark)
        if most:
            moved = held(move(added, -most, mark))
            assert not moved.is_liquidated_at(Decimal(mark))

    @pytest.mark.parametrize(("of", "beyond"), [(LONG, 35_500), (SHORT, 44_500)])
    def test_added_margin_saves_a_position_from_a_jump(self, of: Account, beyond: int) -> None:
        assert kinds(advance(of, at(beyond), {})) == ["liquidation"]
        saved = move(of, 3_000).account
        assert advance(saved, at(beyond), {}).bookings == ()

    def test_a_liquidation_loses_the_margin_that_was_added_too(self) -> None:
        added = move(LONG, 500).account
        lost = advance(added, at(30_000), {})
        assert lost.account.wallet.balance == 7_500

    def test_a_part_that_is_closed_gives_its_share_back(self) -> None:
        added = move(LONG, 1_000).account
        half = place(added, "sell", quantity="0.25", reduce_only=True, at=FREE_MARKET)
        assert held(half).isolated_margin == 1_500

    @pytest.mark.parametrize(
        ("amount", "error", "words"),
        [
            (0, InvalidAmount, "must not be zero"),
            ("some", InvalidAmount, "amount"),
            (None, InvalidAmount, "amount"),
        ],
    )
    def test_what_is_no_amount_is_refused(
        self, amount: object, error: type[BalanceError], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            move(LONG, amount)

    def test_whose_it_is_not_and_what_is_not_there(self) -> None:
        with pytest.raises(UnknownPosition):
            move(account(), 10)
        theirs = replace(LONG, positions=(replace(held(LONG), owner="grid"),))
        with pytest.raises(NotYours, match="grid"):
            move(theirs, 10)
        other = replace(FREE_MARKET, feed="binance")
        with pytest.raises(InvalidRequest, match="is open on the feed simulated"):
            move_margin(LONG, BTC, 10, other)
        with pytest.raises(NoLivePrice):
            move_margin(move(LONG, 10).account, BTC, -5, replace(FREE_MARKET, live=frozenset()))

    @given(
        steps=st.lists(
            st.tuples(st.decimals("-4000", "4000", places=2), st.integers(30_000, 50_000)),
            max_size=8,
        ),
        is_long=st.booleans(),
    )
    def test_whatever_is_moved_the_account_explains_itself(
        self, steps: list[tuple[Decimal, int]], is_long: bool
    ) -> None:
        with exact():
            of = LONG if is_long else SHORT
            for amount, mark in steps:
                if advance(of, at(mark), {}).bookings:
                    continue  # It is liquidated there.
                try:
                    change = move(of, amount, mark)
                except BalanceError:
                    continue
                change.account.check()
                assert (change.account.wallet, change.account.equity) == (
                    of.wallet,
                    of.marked(at(mark)).equity,
                )
                position = held(change)
                assert not position.is_liquidated_at(Decimal(mark))
                assert replayed(of, change).positions == change.account.positions
                of = change.account


class TestReversing:
    """``reverse_position``."""

    @pytest.mark.parametrize(
        ("of", "side", "mark", "gross"),
        [
            (LONG, "short", 41_000, 500),
            (LONG, "short", 39_000, -500),
            (SHORT, "long", 41_000, -500),
            (SHORT, "long", 39_000, 500),
        ],
    )
    def test_closes_and_opens_as_much_on_the_other_side(
        self, of: Account, side: str, mark: int, gross: int
    ) -> None:
        change = reverse_position(of, BTC, at(mark), "o-1", MOMENT)
        assert kinds(change) == ["fill", "realized_pnl", "fill"]
        position = held(change)
        assert (position.side, position.quantity, position.leverage) == (side, Decimal("0.5"), 10)
        assert (position.entry_price, position.isolated_margin) == (mark, Decimal(mark) / 20)
        assert position.realized_pnl == 0
        assert change.account.wallet.balance == 10_000 + gross
        change.account.check()
        assert replayed(of, change).wallet == change.account.wallet

    def test_costs_two_fees_and_the_spread(self) -> None:
        change = reverse_position(LONG, BTC, MARKET, "o-1", MOMENT)
        assert kinds(change) == ["fill", "realized_pnl", "fee", "fill", "fee"]
        fee = Decimal("0.5") * Decimal("39995.9") * Decimal("0.0005")
        assert change.account.wallet.fees_paid == 2 * fee

    def test_drops_the_exits_and_keeps_orders_that_open(self) -> None:
        of = place(
            account(), "buy", quantity="0.1", stop_loss=35_000, take_profit=45_000, at=FREE_MARKET
        ).account
        of = place(of, "buy", "limit", id="rests", quantity="0.1", price=30_000).account
        after = reverse_position(of, BTC, FREE_MARKET, "o-1", MOMENT).account
        assert [each.id for each in after.orders] == ["rests"]

    def test_is_refused_whole_where_there_is_too_little(self) -> None:
        of = place(account(), "buy", quantity="2.4", at=FREE_MARKET).account
        with pytest.raises(InsufficientBalance):
            reverse_position(of, BTC, at(39_000), "o-1", MOMENT)

    def test_of_a_bot_or_of_nothing_is_refused(self) -> None:
        theirs = replace(LONG, positions=(replace(held(LONG), owner="grid"),))
        with pytest.raises(NotYours, match="grid"):
            reverse_position(theirs, BTC, FREE_MARKET, "o-1", MOMENT)
        with pytest.raises(UnknownPosition):
            reverse_position(account(), BTC, FREE_MARKET, "o-1", MOMENT)


class TestClosingAll:
    """``close_all``."""

    def test_closes_every_position_in_one_change_and_leaves_other_orders(self) -> None:
        of = place(LONG, "sell", symbol=ETH, quantity=1, stop_loss=1_900, at=FREE_MARKET).account
        of = place(of, "buy", "limit", SOL, id="rests", quantity=10, price=15).account
        change = close_all(of, FREE_MARKET, "o")
        assert change.account.positions == ()
        assert [each.id for each in change.account.orders] == ["rests"]
        ids = [booking.fill.order_id for booking in change.bookings if booking.fill]
        assert ids == ["o-1", "o-2"]
        assert replayed(of, change) == change.account

    def test_closes_none_where_one_has_no_price(self) -> None:
        of = place(LONG, "sell", symbol=ETH, quantity=1, at=FREE_MARKET).account
        with pytest.raises(NoLivePrice, match=ETH):
            close_all(of, replace(FREE_MARKET, live=frozenset({BTC})), "o")
        with pytest.raises(UnknownPosition, match="no open positions"):
            close_all(account(), FREE_MARKET, "o")


def test_the_desk_does_each_once_with_a_key() -> None:
    desk = Desk(MemoryStore(), board())
    desk.place_order(symbol=BTC, side="buy", quantity="0.02")
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (desk.move_margin, (BTC, "25")),
        (desk.reverse_position, ("btcusdt",)),
        (desk.close_positions, ()),
    ]
    for number, (call, given_) in enumerate(calls):
        first = call(*given_, idempotency_key=f"k{number}")
        again = call(*given_, idempotency_key=f"k{number}")
        assert (first.replayed, again.replayed) == (False, True)
        assert first.message == again.message
        desk.snapshot()
    assert desk.snapshot().positions == ()
    assert desk.snapshot().used_margin == 0
