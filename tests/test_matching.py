"""What the market does: fills and stops, liquidations, and funding at its hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core import funding, margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.core.matching import advance, is_due, liquidate
from balance.core.money import ZERO, exact
from balance.core.orders import place_order
from balance.core.position import Position
from balance.core.quote import Settlement
from balance.core.ticket import Ticket
from balance.core.trade import Fill
from tests.accounts import MOMENT, account, order, position
from tests.markets import BTC, ETH, FREE, market, quote

#: 03:04:05 on the second of January; the next settlement is at 08:00.
EIGHT = datetime(2026, 1, 2, 8, tzinfo=UTC)
HOURS = funding.FUNDING_INTERVAL


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def place(of: Account, side: str, type: str = "market", id: str = "o-1", **asked: Any) -> Account:
    """``of`` after an order of BTC at 40,000, where trading costs nothing."""
    numbers = {
        name: value if isinstance(value, bool) else d(value) for name, value in asked.items()
    }
    ticket = Ticket(symbol=BTC, side=side, type=type, **numbers)  # type: ignore[arg-type]
    return place_order(of, ticket, market(terms=FREE), id, MOMENT).account


def at(mark: object, **changes: Any) -> Market:
    """The market with BTC at ``mark``; ``live`` and others as Market has them, the rest of its
    quote."""
    of_market = {
        name: changes.pop(name) for name in ("live", "feed", "terms", "state") if name in changes
    }
    return market(quote(BTC, mark, **changes), **of_market)


def after(of: Account, now: Market, told: Mapping[Any, Settlement | None] | None = None) -> Change:
    """``of`` after ``now``, which was due exactly if it did something."""
    change = advance(of, now, told or {})
    assert is_due(of, now) or not change.bookings
    return change


def moved(start: object, end: object, **of_market: Any) -> Market:
    """The market of Bitcoin after its price moved from ``start`` to ``end`` in a minute."""
    before = quote(BTC, start, time=MOMENT)
    end_quote = quote(BTC, end, time=MOMENT + timedelta(minutes=1))
    return market(replace(end_quote, moved_from=before), **of_market)


def kinds(change: Change) -> list[str]:
    return [booking.kind for booking in change.bookings]


def fills(change: Change) -> list[Fill]:
    return [booking.fill for booking in change.bookings if booking.fill]


def held(of: Account | Change) -> Position:
    found = (of.account if isinstance(of, Change) else of).position(BTC)
    assert found is not None
    return found


LONG = place(account(), "buy", quantity="0.5")
SHORT = place(account(), "sell", quantity="0.5")


# limits and triggers


@pytest.mark.parametrize(("side", "price"), [("buy", 39_000), ("sell", 41_000)])
def test_a_limit_that_is_reached_fills_at_its_price_one_that_is_jumped_over_at_the_better(
    side: str, price: int
) -> None:
    waiting = place(account(), side, "limit", quantity="0.1", price=price)
    beyond = price - 500 if side == "buy" else price + 500
    for now, filled_at in ((moved(40_000, beyond), price), (at(beyond), beyond)):
        (fill,) = fills(after(waiting, now))
        assert (fill.price, fill.liquidity, fill.type) == (filled_at, "maker", "limit")
        assert fill.fee == d("0.1") * filled_at * d("0.0002")


def test_a_short_that_can_not_pay_the_better_price_of_a_jump_fills_at_its_own() -> None:
    waiting = place(account(2_060), "sell", "limit", quantity="0.5", price=41_000)
    (fill,) = fills(after(waiting, at(42_000)))
    assert fill.price == 41_000


def test_a_limit_to_buy_waits_for_the_ask_and_one_to_sell_for_the_bid() -> None:
    buy = place(account(), "buy", "limit", quantity="0.1", price=39_000)
    assert kinds(after(buy, at(38_990, bid=38_980, ask="39000.1"))) == []
    assert fills(after(buy, at(39_010, bid=38_980, ask=39_000)))
    sell = place(account(), "sell", "limit", quantity="0.1", price=41_000)
    assert kinds(after(sell, at(41_010, bid="40999.9", ask=41_020))) == []
    assert fills(after(sell, at(40_990, bid=41_000, ask=41_020)))


@pytest.mark.parametrize(
    ("side", "type", "trigger", "before"),
    [
        ("buy", "stop_market", 41_000, "40999.9"),
        ("sell", "stop_market", 39_000, "39000.1"),
        ("buy", "take_profit_market", 39_000, "39000.1"),
        ("sell", "take_profit_market", 41_000, "40999.9"),
    ],
)
def test_a_trigger_goes_by_the_mark_and_fills_at_market_as_taker(
    side: str, type: str, trigger: int, before: str
) -> None:
    waiting = place(account(), side, type, quantity="0.1", trigger_price=trigger)
    book = {"bid": 40_000, "ask": 40_010, "last": 40_005}
    # whatever the book and the last trade say
    assert kinds(after(waiting, at(before, **book))) == []
    assert kinds(after(waiting, at(before, bid=trigger, ask=trigger, last=trigger))) == []
    (fill,) = fills(after(waiting, at(trigger, **book)))
    assert (fill.price, fill.liquidity) == (d("40014.1" if side == "buy" else "39996"), "taker")
    assert (fill.reason, fill.type) == ("order", type)


def test_orders_fill_oldest_first() -> None:
    waiting = place(account(), "buy", "limit", quantity="0.1", price=38_000, id="a")
    waiting = place(waiting, "buy", "limit", quantity="0.1", price=39_000, id="b")
    change = after(waiting, at(37_000))
    assert [fill.order_id for fill in fills(change)] == ["a", "b"]
    assert held(change).entry_price == 37_000
    assert change.account.orders == ()


def test_a_stop_loss_closes_the_whole_position_and_its_take_profit_goes_too() -> None:
    trading = place(account(), "buy", quantity="0.5", take_profit=42_000, stop_loss=39_000)
    trading = place(trading, "buy", quantity="0.3")
    change = after(trading, at(38_900, terms=FREE))
    assert kinds(change) == ["fill", "realized_pnl"]
    (fill,) = fills(change)
    assert (fill.quantity, fill.reason, fill.realized_pnl) == (d("0.8"), "stop_loss", -880)
    assert (change.account.positions, change.account.orders) == ((), ())
    assert change.bookings[0].note == "Sold 0.8 BTC/USDT at 38,900 (stop-loss)"


def test_a_take_profit_closes_the_position_with_its_gain() -> None:
    trading = place(account(), "sell", quantity="0.5", take_profit=38_000, stop_loss=42_000)
    change = after(trading, at(38_000, terms=FREE))
    (fill,) = fills(change)
    assert (fill.reason, fill.realized_pnl, fill.side) == ("take_profit", 1_000, "buy")
    assert change.account.orders == ()


def test_of_two_orders_that_are_met_at_once_only_one_closes_the_position() -> None:
    trading = place(LONG, "sell", "stop_market", trigger_price=39_000, reduce_only=True, id="s")
    trading = place(
        *(trading, "sell", "stop_market"),
        trigger_price=39_500,
        reduce_only=True,
        quantity="0.5",
        id="t",
    )
    change = after(trading, at(38_500))
    assert [fill.order_id for fill in fills(change)] == ["s"]
    assert (change.account.positions, change.account.orders) == ((), ())


def test_a_reduce_only_order_is_capped_at_what_is_left_of_the_position() -> None:
    trading = place(
        LONG, "sell", "limit", quantity="0.5", price=41_000, reduce_only=True, id="limit"
    )
    parted = place(trading, "sell", quantity="0.3", reduce_only=True)
    assert [each.id for each in parted.orders] == ["limit"]
    (fill,) = fills(after(parted, at(41_500)))
    assert fill.quantity == d("0.2")


def test_an_entry_that_can_not_be_paid_when_it_triggers_is_cancelled_with_the_figures() -> None:
    waiting = place(account(2_100), "buy", "stop_market", quantity="0.5", trigger_price=41_000)
    assert waiting.available_balance == 50
    change = after(waiting, at(42_500, terms=FREE))
    assert kinds(change) == ["cancel"]
    assert (change.account.orders, change.account.positions) == ((), ())
    assert change.account.available_balance == 2_100
    assert change.bookings[0].note == (
        "Buy 0.5 BTC/USDT, stop 41,000: could not fill, needs 2,125 USDT, available 2,100"
    )


def test_an_entry_takes_the_margin_that_its_order_kept_back() -> None:
    waiting = place(account(2_000), "buy", "limit", quantity="0.5", price=39_000)
    change = after(waiting, moved(40_000, 38_000, terms=FREE))
    assert held(change).isolated_margin == 1_950
    assert change.account.available_balance == 50


def test_an_entry_brings_its_stop_and_take_profit_when_it_fills() -> None:
    waiting = place(
        account(),
        "buy",
        "limit",
        quantity="0.1",
        price=39_000,
        stop_loss=38_000,
        take_profit=40_500,
    )
    assert len(waiting.orders) == 1
    change = after(waiting, at(38_990))
    assert [each.reason for each in change.account.orders] == ["take_profit", "stop_loss"]


def test_every_position_is_marked_whether_or_not_something_is_due() -> None:
    change = after(LONG, at(41_000))
    assert kinds(change) == []
    assert (held(change).mark_price, change.account.equity) == (41_000, 10_500)


# stale symbols and other feeds


def trading_all() -> Account:
    """Everything that a fall of BTC to 20,000 would set off: a position, a stop, a limit."""
    trading = place(account(), "buy", quantity="0.1", stop_loss=39_000)
    return place(trading, "buy", "limit", quantity="0.1", price=38_000, id="o-2")


def test_a_symbol_without_a_live_quote_is_left_alone() -> None:
    trading = trading_all()
    stale = at(20_000, live=frozenset(), time=EIGHT + HOURS)
    assert not is_due(trading, stale)
    assert funding.due(trading, stale) == []
    change = after(trading, stale, {(BTC, EIGHT): Settlement(rate=d("0.01"), mark=d(1))})
    assert (kinds(change), change.account.orders) == ([], trading.orders)


def test_what_was_opened_on_another_feed_is_left_alone() -> None:
    trading = trading_all()
    other = at(20_000, feed="binance", time=EIGHT + HOURS)
    assert not is_due(trading, other)
    assert funding.due(trading, other) == []
    change = after(trading, other, {(BTC, EIGHT): Settlement(rate=d("0.01"), mark=d(1))})
    assert (kinds(change), change.account) == ([], trading)


def test_an_order_of_this_feed_never_touches_a_position_of_another() -> None:
    foreign = replace(LONG, positions=(replace(held(LONG), feed="replay:2020"),))
    waiting = replace(foreign, orders=(order(symbol=BTC, price=d(39_000), reserved_margin=ZERO),))
    assert not is_due(waiting, at(30_000))
    assert advance(waiting, at(30_000), {}).account == waiting


def test_what_happens_to_one_symbol_leaves_the_others_alone() -> None:
    eth = position(symbol=ETH, liquidation_price=d(1_000), mark_price=d(1_500))
    trading = replace(LONG, positions=(*LONG.positions, eth), orders=(order(price=d(1_200)),))
    both = market(quote(BTC, 30_000), quote(ETH, 1_400))
    change = after(trading, both)
    assert kinds(change) == ["liquidation"]
    assert [each.symbol for each in change.account.positions] == [ETH]
    assert change.account.orders == trading.orders


# liquidation


def liquidation_of(of: Account) -> Decimal:
    price = held(of).liquidation_price
    assert price is not None
    return price


@pytest.mark.parametrize(("of", "beyond"), [(LONG, "-0.1"), (SHORT, "0.1")])
def test_a_position_is_liquidated_at_its_price_by_the_mark_and_not_before(
    of: Account, beyond: str
) -> None:
    price = liquidation_of(of)
    last = {"bid": 40_000, "ask": 40_000, "last": 40_000}
    assert kinds(after(of, at(price - d(beyond), **last))) == []
    assert kinds(after(of, at(price, **last))) == ["liquidation"]
    assert kinds(after(of, at(price + d(beyond), **last))) == ["liquidation"]
    assert kinds(after(of, at(40_000, bid=1, ask=90_000, last=price + d(beyond)))) == []


@pytest.mark.parametrize(
    ("of", "mark", "bankrupt"), [(LONG, 30_000, 36_000), (SHORT, 90_000, 44_000)]
)
def test_a_liquidation_takes_the_isolated_margin_and_no_more_in_one_entry(
    of: Account, mark: int, bankrupt: int
) -> None:
    change = after(of, at(mark))
    (booking,) = change.bookings
    assert (booking.kind, booking.amount, booking.balance) == ("liquidation", -2_000, 8_000)
    assert booking.note.startswith(f"Liquidated: {held(of).side} 0.5 BTC/USDT, mark {mark:,},")
    assert booking.note.endswith(f"bankruptcy price {bankrupt:,}")
    assert change.account.wallet.realized_pnl == -2_000
    assert change.account.available_balance == of.available_balance
    (fill,) = fills(change)
    assert (fill.reason, fill.price, fill.fee) == ("liquidation", bankrupt, 0)
    assert (fill.realized_pnl, fill.position_pnl) == (-2_000, -2_000)


def test_the_symbols_orders_are_cancelled_before_a_liquidation_and_do_not_fill() -> None:
    trading = replace(LONG, orders=(order(),))
    trading = place(trading, "sell", "stop_market", trigger_price=35_000, reduce_only=True, id="s")
    trading = place(trading, "buy", "limit", quantity="0.1", price=38_000, id="l")
    change = after(trading, at(30_000))
    assert kinds(change) == ["liquidation"]
    # the order of another symbol stays, with what it keeps back
    assert [each.symbol for each in change.account.orders] == [ETH]
    assert change.account.available_balance == 8_000 - 150
    effect = change.bookings[0].effect
    assert effect is not None
    assert (effect.closed, effect.position) == (("s", "l"), None)


def test_what_a_liquidated_position_brought_before_is_in_its_last_figure() -> None:
    earlier = replace(held(LONG), realized_pnl=d(70), fees_paid=d(20), funding=d(-5))
    (fill,) = fills(liquidate(replace(LONG, positions=(earlier,)), earlier))
    assert fill.position_pnl == 70 - 20 - 5 - 2_000


def test_a_long_at_1x_is_never_liquidated() -> None:
    whole = place(account(20_000), "buy", quantity="0.5", leverage=1)
    assert kinds(after(whole, at("0.1"))) == []


@given(
    side=st.sampled_from(["buy", "sell"]),
    notional=st.integers(100, 2_000_000),
    leverage=st.integers(1, 75),
    mark=st.decimals(d(1), d(200_000), places=1),
)
def test_a_position_stands_exactly_as_long_as_it_covers_its_maintenance_margin(
    side: str, notional: int, leverage: int, mark: Decimal
) -> None:
    trading = place(account(10**7), side, notional=notional, leverage=leverage)
    change = after(trading, at(mark))
    shown = held(trading).marked(quote(BTC, mark), KNOWN[BTC])
    covered = shown.isolated_margin + shown.unrealized_pnl - shown.maintenance_margin
    # but for the last digits that the liquidation price is kept with
    if abs(covered) > d("1e-6"):
        assert (kinds(change) == []) == (covered > 0)
    assert change.account.wallet.balance >= trading.wallet.balance - shown.isolated_margin


# funding


def settlement(rate: object = "0.0001", mark: object = 40_000) -> Settlement:
    return Settlement(rate=d(rate), mark=d(mark))


def test_settlements_are_at_midnight_eight_and_sixteen() -> None:
    assert funding.next_settlement(MOMENT) == EIGHT
    assert funding.next_settlement(EIGHT) == EIGHT + HOURS
    assert funding.next_settlement(EIGHT + 2 * HOURS - timedelta(microseconds=1)) == datetime(
        2026, 1, 3, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("opened", "now", "instants"),
    [
        # 15 seconds late, and then closed a second early
        (EIGHT + timedelta(seconds=15), EIGHT + HOURS - timedelta(seconds=1), []),
        (EIGHT - timedelta(seconds=1), EIGHT, [EIGHT]),
        (EIGHT - timedelta(seconds=1), EIGHT - timedelta(milliseconds=1), []),
        (MOMENT, EIGHT + 2 * HOURS, [EIGHT, EIGHT + HOURS, EIGHT + 2 * HOURS]),
    ],
)
def test_only_what_is_open_at_the_instant_takes_part(
    opened: datetime, now: datetime, instants: list[datetime]
) -> None:
    held_since = position(opened_at=opened, funded_at=opened)
    assert list(funding.settlements_between(held_since.funded_at, now)) == instants
    trading = account(positions=(held_since,))
    assert funding.due(trading, at(41_000, time=now)) == [(BTC, each) for each in instants]
    assert is_due(trading, at(41_000, time=now)) == bool(instants)


@pytest.mark.parametrize(("of", "amount"), [(LONG, -2), (SHORT, 2)])
def test_longs_pay_and_shorts_receive_by_the_mark_of_the_settlement(
    of: Account, amount: int
) -> None:
    now = at(41_000, time=EIGHT + timedelta(seconds=3))
    change = after(of, now, {(BTC, EIGHT): settlement()})
    assert [(b.kind, b.amount) for b in change.bookings] == [("funding", amount)]
    side = held(of).side
    assert change.bookings[0].note == (
        f"Funding of BTC/USDT at 2026-01-02 08:00 UTC: 0.01 % of {side} 0.5 at 40000"
    )
    assert change.account.wallet.funding == amount
    after_it = held(change)
    assert (after_it.funding, after_it.net_pnl, after_it.funded_at) == (amount, amount, EIGHT)
    # paid from what is available, so the position stays as it was
    assert after_it.isolated_margin == held(of).isolated_margin
    assert after_it.liquidation_price == held(of).liquidation_price
    assert change.account.available_balance == of.available_balance + amount


def test_each_settlement_is_dealt_with_once() -> None:
    now = at(40_000, time=EIGHT + timedelta(seconds=3))
    told = {(BTC, EIGHT): settlement()}
    once = after(LONG, now, told).account
    assert not is_due(once, now)
    assert kinds(after(once, now, told)) == []
    later = at(40_000, time=EIGHT + HOURS)
    assert funding.due(once, later) == [(BTC, EIGHT + HOURS)]


def test_settlements_that_were_missed_are_dealt_with_one_by_one() -> None:
    now = at(40_000, time=EIGHT + 2 * HOURS)
    told = {(BTC, EIGHT + n * HOURS): settlement(rate=f"0.000{n + 1}") for n in range(3)}
    change = after(LONG, now, told)
    assert [(b.kind, b.amount) for b in change.bookings] == [
        *[("funding", -2), ("funding", -4), ("funding", -6)],
    ]
    assert held(change).funded_at == EIGHT + 2 * HOURS


def test_a_settlement_that_is_not_told_yet_waits() -> None:
    now = at(40_000, time=EIGHT)
    change = advance(LONG, now, {})
    assert kinds(change) == []
    assert funding.due(change.account, now) == [(BTC, EIGHT)]


def test_a_settlement_whose_rate_is_not_known_is_skipped_with_a_note() -> None:
    now = at(40_000, time=EIGHT)
    change = after(LONG, now, {(BTC, EIGHT): None})
    assert [(b.kind, b.amount) for b in change.bookings] == [("funding", 0)]
    assert change.bookings[0].note == (
        "Funding of BTC/USDT at 2026-01-02 08:00 UTC skipped: the rate is not known"
    )
    assert (held(change).funded_at, held(change).funding) == (EIGHT, 0)
    assert not is_due(change.account, now)


def poor(available: object) -> Account:
    """A long with 2,000 of margin, and ``available`` beside it."""
    return place(account(d(2_000) + d(available)), "buy", quantity="0.5")


def settled(of: Account, rate: object) -> Change:
    return funding.settle(of, BTC, KNOWN[BTC], EIGHT, settlement(rate))


def test_funding_is_paid_from_what_is_available_first_and_then_from_the_margin() -> None:
    # 0.1 % of 20,000 is 20
    change = settled(poor(5), "0.001")
    assert change.bookings[0].amount == -20
    assert change.account.available_balance == 0
    after_it = held(change)
    assert (after_it.isolated_margin, after_it.funding) == (2_000 - 15, -20)
    # with less margin it is liquidated earlier
    price = margin.liquidation_price("long", d("0.5"), d(40_000), d(1_985), KNOWN[BTC].brackets)
    assert price is not None
    assert abs((after_it.liquidation_price or ZERO) - price) < d("1e-9")
    assert price > liquidation_of(poor(5))


def test_funding_never_takes_more_than_the_margin_and_what_is_available() -> None:
    change = settled(poor(5), "0.9")
    assert change.bookings[0].amount == -2_005
    assert change.account.wallet.balance == 0
    assert held(change).isolated_margin == 0
    # and what is left of the position falls to the next quote
    assert kinds(after(change.account, at(40_000))) == ["liquidation"]


def test_funding_comes_before_the_liquidation_that_it_leads_to() -> None:
    of = poor(0)
    near = liquidation_of(of) + 50
    now = at(near, time=EIGHT)
    assert kinds(after(of, at(near))) == []
    change = after(of, now, {(BTC, EIGHT): settlement("0.01", near)})
    assert kinds(change) == ["funding", "liquidation"]
    assert change.account.wallet.balance == 0


def test_funding_comes_before_the_orders_that_close_the_position() -> None:
    trading = place(account(), "buy", quantity="0.5", stop_loss=39_000)
    change = after(trading, at(38_000, time=EIGHT, terms=FREE), {(BTC, EIGHT): settlement()})
    assert kinds(change) == ["funding", "fill", "realized_pnl"]
    (fill,) = fills(change)
    assert fill.position_pnl == -1_000 - 2


def test_funding_of_what_is_no_longer_there_is_nothing() -> None:
    assert funding.settle(account(), BTC, KNOWN[BTC], EIGHT, settlement()) == Change(account())


def test_a_turned_position_takes_part_from_its_own_opening_on() -> None:
    late = at(40_000, time=EIGHT + timedelta(minutes=1), terms=FREE)
    ticket = Ticket(symbol=BTC, side="sell", quantity=d("0.8"))
    turned = place_order(LONG, ticket, late, "o-2", EIGHT).account
    assert funding.due(turned, late) == []
    assert funding.due(turned, at(40_000, time=EIGHT + HOURS)) == [(BTC, EIGHT + HOURS)]


def test_orders_alone_have_no_funding() -> None:
    trading = account(orders=(order(symbol=BTC),))
    assert not is_due(trading, at(40_000, time=EIGHT))
