"""Orders: what is asked for is checked, filled or kept, cancelled, and refused with figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import (
    BalanceError,
    ClientIdInUse,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    LeverageTooHigh,
    NoLivePrice,
    NotionalTooSmall,
    OtherFeed,
    PositionTooLarge,
    QuantityTooSmall,
    TriggerReached,
    UnknownOrder,
    UnknownPosition,
)
from balance.core.instruments import KNOWN
from balance.core.market import NO_MARKET, Market, Terms
from balance.core.money import exact
from balance.core.order import Order
from balance.core.orders import (
    cancel_order,
    cancel_orders,
    close_position,
    place_order,
    preview,
)
from balance.core.position import Position
from balance.core.ticket import MOST_ORDERS, Ticket
from balance.core.trade import Fill
from tests.accounts import MOMENT, account, order, position
from tests.markets import BTC, ETH, FREE, SOL, market, quote

#: BTC at 40,000 with a spread of 0.2, ETH at 1,500 and SOL at 20.
MARKET = market(
    quote(BTC, 40_000, bid="39999.9", ask="40000.1"),
    quote(ETH, 1_500, bid="1499.95", ask="1500.05"),
    quote(SOL, 20),
)
#: The same without fees and slippage.
FREE_MARKET = replace(MARKET, terms=FREE)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def ticket(side: str = "buy", type: str = "market", symbol: str = BTC, **asked: Any) -> Ticket:
    """A ticket; numbers may be of any kind."""
    texts = ("time_in_force", "client_id")
    numbers = {
        name: value if name in texts or isinstance(value, bool) else d(value)
        for name, value in asked.items()
    }
    return Ticket(symbol=symbol, side=side, type=type, **numbers)  # type: ignore[arg-type]


def place(of: Account, *words: str, at: Market = MARKET, id: str = "o-9", **asked: Any) -> Change:
    """``of`` after ``ticket(*words, **asked)`` was placed."""
    return place_order(of, ticket(*words, **asked), at, id, MOMENT)


def kinds(change: Change) -> list[str]:
    return [booking.kind for booking in change.bookings]


def the_fill(change: Change) -> Fill:
    found = [booking.fill for booking in change.bookings if booking.fill]
    assert len(found) == 1
    return found[0]


def the_order(of: Account | Change) -> Order:
    (found,) = (of.account if isinstance(of, Change) else of).orders
    return found


def held(of: Account | Change, symbol: str = BTC) -> Position:
    found = (of.account if isinstance(of, Change) else of).position(symbol)
    assert found is not None
    return found


LONG = place(account(), "buy", quantity="0.5", at=FREE_MARKET).account
SHORT = place(account(), "sell", quantity="0.5", at=FREE_MARKET).account


# prices and fees


def test_an_order_at_market_fills_at_once_at_the_ask_or_bid_with_slippage_on_the_tick() -> None:
    bought = the_fill(place(account(), "buy", quantity="0.1"))
    # 40,000.1 and a ten-thousandth of it, up to the next tenth
    assert (bought.price, bought.liquidity, bought.type) == (d("40004.2"), "taker", "market")
    assert bought.fee == d("0.1") * d("40004.2") * d("0.0005")
    sold = the_fill(place(account(), "sell", quantity="0.1"))
    assert (sold.price, sold.liquidity) == (d("39995.9"), "taker")


def test_an_order_at_market_leaves_a_position_and_no_order() -> None:
    change = place(account(), "buy", quantity="0.1", leverage=20)
    assert kinds(change) == ["fill", "fee"]
    assert (held(change).leverage, held(change).isolated_margin) == (20, d("200.021"))
    assert (held(change).feed, change.account.orders) == ("simulated", ())


def test_a_limit_order_that_does_not_cross_rests_and_keeps_its_margin_back() -> None:
    change = place(account(), "buy", "limit", quantity="0.5", price=38_000)
    assert kinds(change) == ["order"]
    assert change.bookings[0].note == "Buy 0.5 BTC/USDT, limit 38,000"
    waiting = the_order(change)
    assert (waiting.reserved_margin, waiting.placed_at, waiting.id) == (1_900, MOMENT, "o-9")
    assert change.account.available_balance == 10_000 - 1_900
    assert change.account.wallet.balance == 10_000


@pytest.mark.parametrize(
    ("side", "price", "filled_at"),
    [
        ("buy", "40000.1", "40000.1"),
        ("buy", 41_000, "40004.2"),
        ("sell", "39999.9", "39999.9"),
        ("sell", 39_000, "39995.9"),
    ],
)
def test_a_limit_order_that_crosses_is_taker_and_never_worse_than_its_price(
    side: str, price: object, filled_at: str
) -> None:
    fill = the_fill(place(account(), side, "limit", quantity="0.1", price=price))
    assert (fill.price, fill.liquidity, fill.type) == (d(filled_at), "taker", "limit")


@pytest.mark.parametrize(("side", "price"), [("buy", 40_000), ("sell", 40_000)])
def test_a_limit_order_within_the_spread_rests(side: str, price: object) -> None:
    assert kinds(place(account(), side, "limit", quantity="0.1", price=price)) == ["order"]


@pytest.mark.parametrize(
    ("side", "type", "trigger"),
    [
        ("buy", "stop_market", 41_000),
        ("sell", "stop_market", 39_000),
        ("buy", "take_profit_market", 39_000),
        ("sell", "take_profit_market", 41_000),
    ],
)
def test_stops_and_take_profits_wait_for_their_trigger(side: str, type: str, trigger: int) -> None:
    waiting = the_order(place(account(), side, type, quantity="0.1", trigger_price=trigger))
    assert (waiting.trigger_price, waiting.reserved_margin) == (trigger, d(trigger) / 100)
    assert not waiting.is_met(quote(mark=40_000))
    assert waiting.is_met(quote(mark=trigger))
    other = 41_000 + 39_000 - trigger
    with pytest.raises(InvalidRequest, match=r"reached already: the mark price is 40,000\."):
        place(account(), side, type, quantity="0.1", trigger_price=other)


# sizes


def test_a_size_is_a_quantity_a_notional_or_a_percentage_of_what_is_available() -> None:
    assert the_fill(place(account(), quantity="0.1239")).quantity == d("0.123")
    # 0.1249869 on the tick of the ask with slippage
    assert the_fill(place(account(), notional=5_000)).quantity == d("0.124")
    waiting = the_order(place(account(), "buy", "limit", price=40_000, percent=50, leverage=5))
    # 5,000 for a fifth of the price and the taker fee
    assert waiting.quantity == d("0.623")


def test_a_percentage_is_of_the_position_where_the_order_reduces_it() -> None:
    assert the_fill(place(LONG, "sell", percent=50, reduce_only=True)).quantity == d("0.25")
    odd = replace(LONG, positions=(replace(held(LONG), quantity=d("0.1237")),))
    assert the_fill(place(odd, "sell", percent=100, reduce_only=True)).quantity == d("0.1237")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "exactly one of quantity, notional, percent"),
        ({"quantity": 1, "percent": 5}, "exactly one of quantity, notional, percent"),
        ({"percent": 101}, r"percent must be at most 100, not 101\.00"),
        ({"percent": -1}, r"size must be above zero"),
        ({"quantity": "0.0009"}, r"smallest order of BTC/USDT is 0\.001 BTC, in steps of 0\.001"),
        ({"quantity": -1}, r"size must be above zero, not -1\.00"),
        ({"quantity": 45_001}, r"may be worth at most 1,800,000,000\.00 USDT, not 1,800,2"),
        ({"symbol": SOL, "quantity": "0.9"}, r"smallest order of SOL/USDT is 1\.00 SOL"),
        ({"symbol": ETH, "quantity": "0.003"}, r"worth 5\.00 USDT; this one is worth 4\.5"),
        ({"quantity": 1, "price": 5}, "A market order has no price"),
        ({"quantity": 1, "trigger_price": 5}, "A market order has no trigger_price"),
        ({"type": "limit", "quantity": 1}, "A limit order needs a price"),
        ({"type": "limit", "quantity": 1, "price": 0}, "price must be above zero"),
        ({"type": "limit", "quantity": 1, "price": -5}, "price must be above zero"),
        ({"type": "stop_market", "quantity": 1}, "A stop order needs a trigger_price"),
        (
            {"type": "stop_market", "quantity": 1, "trigger_price": 0},
            "price must be above zero",
        ),
        ({"quantity": 1, "leverage": "2.5"}, "leverage must be a whole number from 1 to 1,000"),
        ({"quantity": 1, "leverage": 0}, "leverage must be a whole number from 1 to 1,000"),
        ({"quantity": 1, "take_profit": 39_000}, "take-profit of this order must be above 40,000"),
        ({"quantity": 1, "stop_loss": 41_000}, "stop-loss of this order must be below 40,000"),
        ({"quantity": 1, "stop_loss": 0}, "price must be above zero"),
        (
            {"side": "sell", "quantity": 1, "take_profit": 41_000},
            "take-profit of this order must be below 40,000",
        ),
        ({"symbol": "DOGE/USDT", "quantity": 1}, "no symbol 'DOGE/USDT' here. There are: BTC/USDT"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(asked: dict[str, Any], words: str) -> None:
    words_of = {name: asked.pop(name) for name in ("side", "type", "symbol") if name in asked}
    with pytest.raises((InvalidAmount, InvalidRequest), match=words):
        place_order(account(), ticket(**words_of, **asked), MARKET, "o-9", MOMENT)


def test_prices_are_rounded_to_the_tick() -> None:
    waiting = the_order(
        place(
            account(),
            *("buy", "limit"),
            quantity="0.1",
            price="38000.04",
            take_profit="38500.05",
            stop_loss="37000.07",
        )
    )
    assert (waiting.price, waiting.take_profit, waiting.stop_loss) == (
        *(38_000, d("38500.1"), d("37000.1")),
    )


def test_orders_of_one_symbol_have_an_end() -> None:
    orders = tuple(order(id=f"o-{n}", symbol=BTC, reserved_margin=d(0)) for n in range(MOST_ORDERS))
    with pytest.raises(InvalidRequest, match=rf"has {MOST_ORDERS} open orders; cancel some"):
        place(account(orders=orders), type="limit", price=39_000, quantity="0.1", leverage=5)
    full = replace(LONG, orders=orders)
    assert held(place(full, "sell", quantity="0.2")).quantity == d("0.3")
    closed = place(full, "sell", quantity="0.5", reduce_only=True).account
    assert closed.position(BTC) is None


# leverage


def test_a_symbol_is_traded_at_one_leverage_at_a_time() -> None:
    words = r"BTC/USDT is traded at 10x now\. Order at that leverage, or first close"
    with pytest.raises(InvalidRequest, match=words):
        place(LONG, quantity="0.1", leverage=20)
    waiting = place(account(), "buy", "limit", quantity="0.1", price=38_000, leverage=7).account
    with pytest.raises(InvalidRequest, match="traded at 7x now"):
        place(waiting, quantity="0.1", leverage=10)
    assert held(place(waiting, quantity="0.1")).leverage == 7
    assert held(place(LONG, quantity="0.1", leverage=10)).quantity == d("0.6")
    assert held(place(LONG, symbol=ETH, quantity=1, leverage=20), ETH).leverage == 20


def test_closing_takes_the_positions_leverage_whatever_is_asked() -> None:
    stop = place(LONG, "sell", "stop_market", trigger_price=39_000, reduce_only=True, leverage=50)
    assert the_order(stop).leverage == 10


@pytest.mark.parametrize(
    ("symbol", "notional", "most"),
    [(BTC, 299_000, 150), (BTC, 301_000, 100), (BTC, 801_000, 75), (SOL, 51_000, 75)],
)
def test_the_bracket_of_the_position_limits_its_leverage(
    symbol: str, notional: int, most: int
) -> None:
    rich = account(10**6)
    assert held(place(rich, symbol=symbol, notional=notional, leverage=most), symbol)
    with pytest.raises(InvalidRequest, match=rf"may have at most {most}x, not {most + 1}x"):
        place(rich, symbol=symbol, notional=notional, leverage=most + 1)


def test_the_bracket_is_that_of_what_is_held_and_ordered_together() -> None:
    trading = place(account(10_000), notional=280_000, leverage=150).account
    with pytest.raises(InvalidRequest, match="at most 100x, not 150x"):
        place(trading, notional=40_000)
    # the other way the position only shrinks, and what it opens is small
    assert held(place(trading, "sell", notional=300_000)).side == "short"


# funds


def test_what_can_not_be_paid_is_refused_with_figures() -> None:
    with pytest.raises(InsufficientBalance) as refused:
        place(account(1_000), quantity="0.5", at=FREE_MARKET)
    assert (refused.value.required, refused.value.available) == (d("2000.005"), 1_000)
    # a resting order needs its margin, and the fee of a taker
    with pytest.raises(InsufficientBalance) as refused:
        place(account(1_909), "buy", "limit", quantity="0.5", price=38_000)
    assert (refused.value.required, refused.value.available) == (1_900 + d("9.5"), 1_909)
    assert kinds(place(account("1909.5"), "buy", "limit", quantity="0.5", price=38_000)) == [
        "order"
    ]


def test_what_a_resting_order_would_lose_at_once_must_be_there_too() -> None:
    # the mark is far below the book
    at = market(quote(BTC, 39_000, bid=40_000, ask=40_010), terms=FREE)
    with pytest.raises(InsufficientBalance) as refused:
        place(account("499.99"), "buy", "limit", quantity="0.1", price=40_000, at=at)
    assert refused.value.required == 400 + 100


def test_margin_that_others_keep_back_is_not_available() -> None:
    first = place(account(2_000), "buy", "limit", quantity="0.4", price=40_000, at=FREE_MARKET)
    with pytest.raises(InsufficientBalance) as refused:
        place(first.account, symbol=ETH, quantity=4, at=FREE_MARKET)
    assert (refused.value.required, refused.value.available) == (d("600.02"), 400)


def test_an_order_that_only_closes_keeps_nothing_back() -> None:
    change = place(LONG, "sell", "limit", quantity="0.5", price=42_000)
    assert the_order(change).reserved_margin == 0
    more = place(LONG, "sell", "limit", quantity="0.7", price=42_000)
    assert the_order(more).reserved_margin == d("0.2") * 4_200


@st.composite
def markets(draw: st.DrawFn, symbol: str) -> Market:
    """Any price, book, fee, slippage and depth, the mark in the book or beside it."""
    rules, price = KNOWN[symbol], draw(st.decimals(d(1), d(100_000), places=3))
    spread = draw(st.decimals(d(0), d("0.1"), places=3))
    mark_off = draw(st.decimals(d("-0.1"), d("0.1"), places=3))
    return market(
        quote(
            symbol,
            rules.price_up(price * (1 + mark_off)),
            last=price,
            bid=rules.price_down(price * (1 - spread)),
            ask=rules.price_up(price * (1 + spread)),
        ),
        terms=Terms(
            taker_fee=draw(st.decimals(d(0), d("0.01"), places=5)),
            slippage=draw(st.decimals(d(0), d("0.05"), places=4)),
            depth_slippage=draw(st.decimals(d(0), d("0.05"), places=4)),
            market_depth=draw(st.just(d(0)) | st.decimals(d(1), d(10**6), places=2)),
        ),
    )


@given(
    data=st.data(),
    symbol=st.sampled_from([BTC, ETH, SOL]),
    side=st.sampled_from(["buy", "sell"]),
    type=st.sampled_from(["market", "limit", "limit", "stop_market", "take_profit_market"]),
    leverage=st.integers(1, 20) | st.integers(1, 150),
    money=st.decimals(d(100), d(10_000), places=8) | st.decimals(d(1), d(10**6), places=8),
    away=st.decimals(d("-0.15"), d("0.15"), places=3),
)
def test_all_that_is_available_always_fits(
    data: st.DataObject,
    symbol: str,
    side: str,
    type: str,
    leverage: int,
    money: Decimal,
    away: Decimal,
) -> None:
    at = data.draw(markets(symbol))
    name = {"market": None, "limit": "price"}.get(type, "trigger_price")
    prices = {} if name is None else {name: at.quotes[symbol].last * (1 + away)}
    try:
        change = place(
            account(money), side, type, symbol, percent=100, leverage=leverage, at=at, **prices
        )
    except InsufficientBalance:
        raise
    except BalanceError:
        return  # too small, too large, or reached already
    assert change.account.available_balance >= 0


def test_all_that_is_available_fits_where_margin_and_fee_are_both_rounded_up() -> None:
    # 0.083 at 1,500.10 takes 3.890884375 and a fee of 0.006225415: each is booked rounded up
    at = market(quote(ETH, "1500.1"), terms=replace(FREE, taker_fee=d("0.00005")))
    change = place(account("3.89710979"), symbol=ETH, percent=100, leverage=32, at=at)
    assert change.account.available_balance > 0


# reduce-only


def test_reduce_only_is_capped_at_the_position_and_never_flips() -> None:
    change = place(LONG, "sell", quantity=7, reduce_only=True)
    assert (the_fill(change).quantity, change.account.position(BTC)) == (d("0.5"), None)
    assert the_order(
        place(SHORT, "buy", "limit", quantity=7, price=30_000, reduce_only=True)
    ).quantity == d("0.5")


def test_reduce_only_needs_a_position_to_reduce() -> None:
    for of, side, words in (
        (account(), "sell", "no long position of BTC/USDT that this order could reduce"),
        (LONG, "buy", "no short position of BTC/USDT that this order could reduce"),
    ):
        with pytest.raises(UnknownPosition, match=words):
            place(of, side, quantity="0.1", reduce_only=True)


def test_reduce_only_may_be_smaller_than_the_smallest_order_is_worth() -> None:
    tiny = replace(LONG, positions=(replace(held(LONG), quantity=d("0.001")),))
    at = replace(MARKET, quotes={**MARKET.quotes, BTC: quote(BTC, 1_000)})
    assert the_fill(place(tiny, "sell", quantity="0.001", reduce_only=True, at=at))


def test_reduce_only_has_no_take_profit_of_its_own() -> None:
    with pytest.raises(InvalidRequest, match="reduce-only order opens nothing"):
        place(LONG, "sell", quantity="0.1", reduce_only=True, stop_loss=39_000)


def test_a_stop_without_a_size_is_for_the_whole_position_and_replaces_the_one_before() -> None:
    first = place(
        LONG, "sell", "stop_market", trigger_price=39_000, reduce_only=True, id="s-1"
    ).account
    assert the_order(first).is_attached
    second = place(
        first, "sell", "stop_market", trigger_price=39_500, reduce_only=True, id="s-2"
    ).account
    assert [(each.id, each.trigger_price) for each in second.orders] == [("s-2", 39_500)]
    both = place(
        second, "sell", "take_profit_market", trigger_price=41_000, reduce_only=True, id="t-1"
    ).account
    assert [each.id for each in both.orders] == ["s-2", "t-1"]
    # one with a size stands beside it
    three = place(
        *(both, "sell", "stop_market"),
        trigger_price=39_000,
        reduce_only=True,
        quantity="0.1",
        id="s-3",
    ).account
    assert [each.id for each in three.orders] == ["s-2", "t-1", "s-3"]


# cancelling


def test_cancelling_gives_the_margin_free_and_says_what_it_cancelled() -> None:
    waiting = place(account(), "buy", "limit", quantity="0.5", price=38_000).account
    change = cancel_order(waiting, "o-9", "no longer wanted")
    assert change.account == account()
    assert kinds(change) == ["cancel"]
    assert change.bookings[0].note == "Buy 0.5 BTC/USDT, limit 38,000: no longer wanted"


def test_cancelling_leaves_positions_and_other_orders_alone() -> None:
    trading = account(positions=(position(),), orders=(order(), order(id="o-2", symbol=BTC)))
    after = cancel_order(trading, "o-2").account
    assert (after.positions, after.orders) == (trading.positions, trading.orders[:1])


def test_an_order_that_there_is_not_can_not_be_cancelled() -> None:
    with pytest.raises(UnknownOrder, match=r"no open order 'o-77'\. It may have filled by now"):
        cancel_order(account(orders=(order(),)), "o-77")


def test_all_orders_can_be_cancelled_or_those_of_one_symbol() -> None:
    orders = (order(), order(id="o-2", symbol=BTC), order(id="o-3"))
    some = cancel_orders(account(orders=orders), ETH)
    assert ([each.id for each in some.account.orders], len(some.bookings)) == (["o-2"], 2)
    assert cancel_orders(account(orders=orders)).account.orders == ()
    for symbol, words in ((None, "no open orders\\."), (BTC, "no open orders of BTC/USDT\\.")):
        with pytest.raises(UnknownOrder, match=words):
            cancel_orders(account(), symbol)


# closing


def test_closing_takes_the_whole_position_or_a_part() -> None:
    whole = close_position(LONG, BTC, MARKET, "c-1", MOMENT)
    assert (whole.account.position(BTC), the_fill(whole).price) == (None, d("39995.9"))
    half = close_position(LONG, BTC, MARKET, "c-1", MOMENT, percent=d(50))
    assert held(half).quantity == d("0.25")
    some = close_position(LONG, BTC, MARKET, "c-1", MOMENT, quantity=d("0.1"))
    assert held(some).quantity == d("0.4")
    short = close_position(SHORT, BTC, MARKET, "c-1", MOMENT)
    assert (the_fill(short).side, the_fill(short).price) == ("buy", d("40004.2"))


def test_closing_takes_the_positions_stops_with_it() -> None:
    trading = place(account(), quantity="0.5", take_profit=41_000, stop_loss=39_000).account
    assert len(trading.orders) == 2
    assert close_position(trading, BTC, MARKET, "c-1", MOMENT).account.orders == ()


def test_only_what_is_open_can_be_closed() -> None:
    with pytest.raises(UnknownPosition, match="no open position of ETH/USDT"):
        close_position(LONG, ETH, MARKET, "c-1", MOMENT)
    with pytest.raises(InvalidRequest, match="no symbol 'DOGE/USDT' here"):
        close_position(LONG, "DOGE/USDT", MARKET, "c-1", MOMENT)


# stale prices and other feeds


def test_nothing_is_ordered_or_closed_at_a_price_that_is_not_live() -> None:
    stale = replace(MARKET, live=frozenset({ETH}), message="The feed is silent.")
    for act in (
        lambda: place(account(), quantity="0.1", at=stale),
        lambda: place(account(), "buy", "limit", quantity="0.1", price=38_000, at=stale),
        lambda: close_position(LONG, BTC, stale, "c-1", MOMENT),
    ):
        with pytest.raises(NoLivePrice, match=r"nothing fills on an old one\. The feed is silent"):
            act()
    assert place(account(), symbol=ETH, quantity="0.1", at=stale).account.position(ETH)


def test_without_a_feed_there_is_nothing_to_trade() -> None:
    with pytest.raises(InvalidRequest, match="There are: none, as no feed runs"):
        place(account(), quantity="0.1", at=NO_MARKET)


@pytest.mark.parametrize(
    "of",
    [
        replace(LONG, positions=(replace(held(LONG), feed="replay:2020"),)),
        account(orders=(order(symbol=BTC, feed="replay:2020"),)),
    ],
)
def test_what_was_opened_on_another_feed_is_not_traded_at_the_prices_of_this_one(
    of: Account,
) -> None:
    words = r"BTC/USDT is open on the feed replay:2020, but this is simulated\."
    for act in (
        lambda: place(of, quantity="0.1", leverage=5),
        lambda: place(of, "sell", quantity="0.1", reduce_only=True),
        lambda: place(of, "buy", "limit", quantity="0.1", price=38_000),
    ):
        with pytest.raises(InvalidRequest, match=words):
            act()
    if of.positions:
        with pytest.raises(InvalidRequest, match=words):
            close_position(of, BTC, MARKET, "c-1", MOMENT)
    assert place(of, symbol=ETH, quantity="0.1").account.position(ETH)


@pytest.mark.parametrize("reduce_only", [True, False])
@pytest.mark.parametrize(
    "asked",
    [
        {"type": "market"},
        {"type": "limit", "price": 41_000},
        {"type": "stop_limit", "trigger_price": 39_000, "price": 38_900},
    ],
)
def test_a_preview_of_what_only_closes_needs_nothing_that_is_available(
    asked: dict[str, Any], reduce_only: bool
) -> None:
    # All but 0.1 of it is the margin of the position; the fee is 10, from what is closed.
    held_account = place(account("2000.1"), "buy", quantity="0.5", at=FREE_MARKET).account
    request = ticket("sell", quantity="0.5", reduce_only=reduce_only, **asked)
    shown = preview(held_account, request, MARKET, MOMENT)
    assert shown.affordable
    assert shown.available_after > 1_000
    assert place_order(held_account, request, MARKET, "o-2", MOMENT).bookings


def test_the_orders_that_wait_for_a_trigger_and_the_others_are_cancelled_apart() -> None:
    waiting = place(LONG, "sell", "stop_market", quantity="0.1", trigger_price=39_000, id="stop")
    both = place(waiting.account, "buy", "limit", quantity="0.1", price=39_000, id="limit").account
    assert [each.id for each in cancel_orders(both, conditional=True).account.orders] == ["limit"]
    assert [each.id for each in cancel_orders(both, conditional=False).account.orders] == ["stop"]
    with pytest.raises(UnknownOrder):
        cancel_orders(cancel_orders(both, conditional=True).account, conditional=True)


# what programs react to


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (QuantityTooSmall, {"quantity": "0.0001"}),
        (PositionTooLarge, {"quantity": 100_000}),
        (NotionalTooSmall, {"type": "limit", "quantity": "0.001", "price": 40}),
        (LeverageTooHigh, {"quantity": 20, "leverage": 125}),
        (TriggerReached, {"type": "stop_market", "quantity": "0.1", "trigger_price": 40_000}),
        (ClientIdInUse, {"type": "limit", "quantity": "0.1", "price": 39_000, "client_id": "one"}),
        (OtherFeed, {"quantity": "0.1"}),
    ],
)
def test_each_refusal_that_programs_react_to_has_a_class_of_its_own(
    kind: type[BalanceError], asked: dict[str, Any]
) -> None:
    named = {"quantity": "0.1", "price": 38_000, "client_id": "one"}
    before = place(account(), "buy", "limit", **named).account if kind is ClientIdInUse else None
    other = replace(MARKET, feed="binance") if kind is OtherFeed else MARKET
    with pytest.raises(kind):
        place(before or (LONG if kind is OtherFeed else account()), "buy", at=other, **asked)
    assert issubclass(kind, InvalidAmount | InvalidRequest)
