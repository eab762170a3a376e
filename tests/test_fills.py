"""What a fill does: a position opens, grows, shrinks, closes or turns, and every cent is booked."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core import margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance
from balance.core.fills import Execution, apply_fill
from balance.core.instruments import KNOWN
from balance.core.money import ZERO, exact
from balance.core.position import Position
from balance.core.trade import Fill
from balance.store.codec import POSITION
from tests.accounts import MOMENT, account, order
from tests.markets import BTC, ETH

BRACKETS = KNOWN[BTC].brackets


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def traded(
    of: Account,
    side: str,
    quantity: object,
    price: object,
    *,
    fee: object = 0,
    leverage: object = 10,
    **changes: Any,
) -> Change:
    """``of`` after an order at market filled."""
    usual = {
        "id": "o-9",
        "symbol": BTC,
        "side": side,
        "type": "market",
        "quantity": d(quantity),
        "price": None,
        "leverage": d(leverage),
        "reserved_margin": ZERO,
    }
    execution = Execution(
        order=order(**{**usual, **changes}),
        quantity=d(quantity),
        price=d(price),
        fee=d(fee),
        liquidity="taker",
        time=MOMENT,
    )
    return apply_fill(of, execution, BRACKETS)


def booked(change: Change) -> list[tuple[str, Decimal]]:
    return [(booking.kind, booking.amount) for booking in change.bookings]


def held(of: Account | Change, symbol: str = BTC) -> Position:
    found = (of.account if isinstance(of, Change) else of).position(symbol)
    assert found is not None
    return found


def the_fill(change: Change) -> Fill:
    """The fill that the first entry tells; no other entry tells one."""
    first, *others = change.bookings
    assert first.fill is not None
    assert first.effect is not None
    assert [(each.fill, each.effect) for each in others] == [(None, None)] * len(others)
    return first.fill


LONG = traded(account(), "buy", "0.5", 40_000, fee=10).account
SHORT = traded(account(), "sell", "0.5", 40_000, fee=10).account


# opening and adding


def test_an_opening_fill_puts_its_margin_aside_and_books_its_fee() -> None:
    change = traded(account(), "buy", "0.5", 40_000, fee=10)
    assert booked(change) == [("fill", 0), ("fee", -10)]
    position = held(change)
    assert (position.side, position.quantity, position.entry_price) == ("long", d("0.5"), 40_000)
    assert (position.isolated_margin, position.leverage) == (2_000, 10)
    assert (position.mark_price, position.unrealized_pnl) == (40_000, 0)
    assert (position.fees_paid, position.net_pnl) == (10, -10)
    assert change.account.wallet.balance == 9_990
    assert change.account.available_balance == 7_990
    fill = the_fill(change)
    assert (fill.closed_quantity, fill.realized_pnl, fill.position_pnl) == (0, 0, None)


def test_a_new_position_has_the_liquidation_price_of_its_bracket() -> None:
    assert round(held(LONG).liquidation_price or ZERO, 4) == round(d(36_000) / d("0.996"), 4)
    assert round(held(SHORT).liquidation_price or ZERO, 4) == round(d(44_000) / d("1.004"), 4)


def test_a_new_position_has_the_maintenance_margin_of_the_bracket_of_its_notional() -> None:
    # 800,000 of notional lies in the third bracket
    big = held(traded(account(100_000), "buy", 20, 40_000))
    assert (big.maintenance_rate, big.maintenance_amount) == (d("0.0065"), 1_500)
    assert big.maintenance_margin == 800_000 * d("0.0065") - 1_500
    # and half of it in the first, where the rest lies that a fill leaves
    small = held(traded(traded(account(100_000), "buy", 20, 40_000).account, "sell", 19, 40_000))
    assert (small.maintenance_rate, small.maintenance_amount) == (d("0.004"), 0)


def test_adding_averages_the_entry_price_and_adds_the_margin() -> None:
    more = held(traded(LONG, "buy", "0.3", 44_000, fee=6))
    assert (more.quantity, more.entry_price) == (d("0.8"), 41_500)
    assert (more.isolated_margin, more.fees_paid) == (2_000 + 1_320, 16)
    assert (more.realized_pnl, more.opened_at) == (0, held(LONG).opened_at)
    assert more.liquidation_price is not None
    assert more.liquidation_price > (held(LONG).liquidation_price or ZERO)


def test_fees_never_enter_the_average_entry() -> None:
    free = held(traded(LONG, "buy", "0.3", 44_000))
    assert held(traded(LONG, "buy", "0.3", 44_000, fee=100)).entry_price == free.entry_price


def test_an_opening_fill_without_the_money_is_refused_with_figures() -> None:
    with pytest.raises(
        InsufficientBalance, match=r"needs 2,010\.00 USDT, but only 2,009\.99"
    ) as no:
        traded(account("2009.99"), "buy", "0.5", 40_000, fee=10)
    assert (no.value.required, no.value.available) == (2_010, d("2009.99"))
    exactly_enough = traded(account(2_010), "buy", "0.5", 40_000, fee=10)
    assert exactly_enough.account.available_balance == 0


# reducing and closing


def test_a_partial_close_keeps_the_entry_and_releases_margin_pro_rata() -> None:
    change = traded(LONG, "sell", "0.2", 41_000, fee=4)
    assert booked(change) == [("fill", 0), ("realized_pnl", 200), ("fee", -4)]
    rest = held(change)
    assert (rest.quantity, rest.entry_price, rest.isolated_margin) == (d("0.3"), 40_000, 1_200)
    assert (rest.realized_pnl, rest.fees_paid, rest.net_pnl) == (200, 14, 186)
    assert change.account.available_balance == LONG.available_balance + 800 + 200 - 4
    fill = the_fill(change)
    assert (fill.closed_quantity, fill.realized_pnl, fill.position_pnl) == (d("0.2"), 200, None)


def test_a_short_gains_when_it_is_bought_back_lower() -> None:
    change = traded(SHORT, "buy", "0.2", 39_000)
    assert booked(change) == [("fill", 0), ("realized_pnl", 200)]
    assert (held(change).side, held(change).quantity) == ("short", d("0.3"))


def test_the_last_close_tells_what_the_position_has_brought_in_all() -> None:
    parted = traded(LONG, "sell", "0.2", 41_000, fee=4).account
    change = traded(parted, "sell", "0.3", 39_000, fee=6)
    assert change.account.position(BTC) is None
    # 200 and then -300 gross, 10 + 4 + 6 of fees
    assert the_fill(change).realized_pnl == -300
    assert the_fill(change).position_pnl == 200 - 300 - 20
    assert change.account.wallet.balance == 10_000 - 120
    assert change.account.available_balance == change.account.wallet.balance


@pytest.mark.parametrize(("of", "side", "price"), [(LONG, "sell", 30_000), (SHORT, "buy", 50_000)])
def test_a_position_closed_beyond_its_bankruptcy_price_loses_its_margin_and_no_more(
    of: Account, side: str, price: int
) -> None:
    change = traded(of, side, "0.5", price)
    assert booked(change) == [("fill", 0), ("realized_pnl", -2_000)]
    assert change.account.available_balance == of.available_balance
    parted = traded(of, side, "0.2", price)
    assert booked(parted) == [("fill", 0), ("realized_pnl", -800)]
    assert (held(parted).isolated_margin, held(parted).quantity) == (1_200, d("0.3"))


def test_a_close_never_fails_for_its_fee() -> None:
    broke = traded(account(2_000), "buy", "0.5", 40_000).account
    assert broke.available_balance == 0
    # all its margin is lost, so nothing is left for the fee
    lost = traded(broke, "sell", "0.5", 36_000, fee=9)
    assert booked(lost) == [("fill", 0), ("realized_pnl", -2_000)]
    assert (the_fill(lost).fee, lost.account.wallet.balance) == (0, 0)
    # 4 of it is left, and that is what the fee can take
    nearly = traded(broke, "sell", "0.5", 36_008, fee=9)
    assert booked(nearly) == [("fill", 0), ("realized_pnl", -1_996), ("fee", -4)]
    assert the_fill(nearly).position_pnl == -2_000


# turning


def test_a_flip_closes_all_and_opens_the_rest_at_the_fill_price() -> None:
    change = traded(LONG, "sell", "0.8", 41_000, fee=16)
    assert booked(change) == [("fill", 0), ("realized_pnl", 500), ("fee", -16)]
    position = held(change)
    assert (position.side, position.quantity, position.entry_price) == ("short", d("0.3"), 41_000)
    assert (position.isolated_margin, position.realized_pnl) == (1_230, 0)
    assert (the_fill(change).quantity, the_fill(change).closed_quantity) == (d("0.8"), d("0.5"))


def test_a_flip_bears_its_fee_once_shared_by_what_it_closed_and_opened() -> None:
    change = traded(LONG, "sell", "0.8", 41_000, fee=16)
    assert change.account.wallet.fees_paid == 10 + 16
    # of 16, five eighths are of the long, three of the short
    assert the_fill(change).position_pnl == 500 - 10 - 10
    assert held(change).fees_paid == 6
    assert (held(change).net_pnl, the_fill(change).fee) == (-6, 16)


def test_a_flip_that_can_not_be_paid_is_refused_and_closes_nothing() -> None:
    poor = traded(account(2_000), "buy", "0.5", 40_000).account
    with pytest.raises(InsufficientBalance) as refused:
        traded(poor, "sell", 2, 40_000, fee=40)
    assert (refused.value.required, refused.value.available) == (6_000 + 40, 2_000)


def test_a_reduce_only_fill_never_flips() -> None:
    change = traded(LONG, "sell", "0.8", 41_000, reduce_only=True)
    assert change.account.position(BTC) is None
    assert the_fill(change).quantity == d("0.5")


# orders


def test_the_filled_order_gives_its_margin_free() -> None:
    waiting = order(id="o-9", symbol=BTC, quantity=d("0.5"), reserved_margin=d(2_000))
    trading = account(2_000, orders=(waiting,))
    assert trading.available_balance == 0
    change = traded(trading, "buy", "0.5", 40_000, reserved_margin=d(2_000))
    assert change.account.orders == ()
    assert (change.account.available_balance, held(change).isolated_margin) == (0, 2_000)


def test_take_profit_and_stop_loss_come_with_the_position() -> None:
    change = traded(account(), "buy", "0.5", 40_000, take_profit=d(42_000), stop_loss=d(39_000))
    profit, loss = change.account.orders
    assert (profit.type, profit.trigger_price, profit.reason) == (
        *("take_profit_market", 42_000, "take_profit"),
    )
    assert (loss.type, loss.trigger_price, loss.reason) == ("stop_market", 39_000, "stop_loss")
    for each in (profit, loss):
        assert (each.side, each.quantity, each.reduce_only) == ("sell", None, True)
        assert (each.is_attached, each.reserved_margin) == (True, 0)
    assert profit.id != loss.id


def test_a_new_take_profit_replaces_the_old_one_and_leaves_the_stop_loss() -> None:
    first = traded(account(), "buy", "0.1", 40_000, take_profit=d(42_000), stop_loss=d(39_000))
    second = traded(first.account, "buy", "0.1", 40_000, id="o-10", take_profit=d(43_000))
    assert [(o.reason, o.trigger_price) for o in second.account.orders] == [
        ("stop_loss", 39_000),
        ("take_profit", 43_000),
    ]


def test_orders_to_close_go_with_the_position_and_others_stay() -> None:
    first = traded(account(), "buy", "0.1", 40_000, take_profit=d(42_000), stop_loss=d(39_000))
    others = (
        order(id="limit", symbol=BTC, side="sell", reduce_only=True, reserved_margin=ZERO),
        order(id="entry", symbol=BTC, price=d(30_000)),
        order(id="eth", symbol=ETH),
    )
    trading = Account(first.account.wallet, first.account.positions, first.account.orders + others)
    parted = traded(trading, "sell", "0.05", 41_000).account
    assert parted.orders == trading.orders
    closed = traded(trading, "sell", "0.1", 41_000).account
    assert [each.id for each in closed.orders] == ["entry", "eth"]
    turned = traded(trading, "sell", "0.2", 41_000).account
    assert [each.id for each in turned.orders] == ["entry", "eth"]


def test_a_flip_brings_the_new_positions_own_stop() -> None:
    first = traded(account(), "buy", "0.1", 40_000, stop_loss=d(39_000))
    turned = traded(first.account, "sell", "0.3", 41_000, id="o-10", stop_loss=d(42_000)).account
    (stop,) = turned.orders
    assert (stop.side, stop.trigger_price, held(turned).side) == ("buy", 42_000, "short")


# figures that are rounded


def test_a_long_at_1x_has_no_liquidation_price_whatever_its_margin_is_rounded_to() -> None:
    first = traded(account(), "buy", "0.004", "40000.1", leverage=1)
    more = traded(first.account, "buy", "0.003", "40000.4", leverage=1)
    parted = traded(more.account, "sell", "0.006", 40_000, leverage=1)
    for change in (first, more, parted):
        position = held(change)
        assert position.liquidation_price is None
        assert POSITION.decode(POSITION.encode(position)) == position


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell"]),
            st.decimals(d("0.001"), d(3), places=3),
            st.decimals(d(100), d(900), places=2),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 100),
)
def test_any_fills_give_the_average_cost_of_what_is_open(
    trades: list[tuple[str, Decimal, Decimal]], leverage: int
) -> None:
    of, open_quantity, average = account(10**6), ZERO, ZERO
    for side, quantity, price in trades:
        step = quantity if side == "buy" else -quantity
        change = traded(of, side, quantity, price, leverage=leverage)
        if open_quantity * step >= 0:
            cost = abs(open_quantity) * average + quantity * price
            average = cost / (abs(open_quantity) + quantity)
        elif abs(step) > abs(open_quantity):
            average = price
        open_quantity += step
        of = change.account
        position = of.position(BTC)
        if position is None:
            assert open_quantity == 0
            assert of.used_margin == 0
            continue
        assert margin.sign(position.side) * position.quantity == open_quantity
        assert abs(position.entry_price - average) <= d("1e-15")
        assert of.used_margin == position.isolated_margin > 0
        assert POSITION.decode(POSITION.encode(position)) == position
