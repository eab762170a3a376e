"""The arithmetic of a position: P&L, margins, and the price at which it is liquidated."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from balance.core import margin
from balance.core.instrument import Instrument
from balance.core.instrument import brackets as brackets_of
from balance.core.instruments import KNOWN, instrument
from balance.core.margin import Side
from balance.core.money import ZERO, exact

TINY = Decimal("1e-30")
SIDES: tuple[Side, Side] = ("long", "short")


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def test_a_long_gains_what_a_short_loses() -> None:
    long = margin.unrealized_pnl("long", d("0.5"), d(40_000), d("41000.5"))
    assert long == d("500.25")
    assert margin.unrealized_pnl("short", d("0.5"), d(40_000), d("41000.5")) == -long


def test_return_is_on_the_initial_margin_at_the_entry_price() -> None:
    assert margin.roe("long", d(2), d(100), d(110), d(10)) == 1
    assert margin.roe("short", d(2), d(100), d(110), d(10)) == -1
    assert margin.roe("long", d(2), d(100), d(110), d(1)) == d("0.1")


def test_fees_are_on_the_notional_whatever_the_leverage() -> None:
    assert margin.trading_fee(d(1), d(10_104), d("0.0005")) == d("5.052")
    assert margin.trading_fee(d(1), d(11_104), d("0.0002")) == d("2.2208")


def test_a_fresh_position_breaks_even_where_it_has_earned_its_opening_fee() -> None:
    assert margin.break_even_price("long", d(100), d("0.0005")) == d("100.05")
    assert margin.break_even_price("short", d(100), d("0.0005")) == d("99.95")


def test_only_a_position_that_opens_under_water_has_an_open_loss() -> None:
    assert margin.open_loss("short", d(2), d(100), d(103)) == 6
    assert margin.open_loss("long", d(2), d(100), d(97)) == 6
    assert margin.open_loss("long", d(2), d(100), d(103)) == 0


def test_at_a_rate_above_zero_longs_pay_and_shorts_receive() -> None:
    assert margin.funding_received("long", d(2), d(100), d("0.001")) == d("-0.2")
    assert margin.funding_received("short", d(2), d(100), d("0.001")) == d("0.2")
    assert margin.funding_received("long", d(2), d(100), d("-0.001")) == d("0.2")


quantities = st.decimals(d("0.001"), d(1_000), places=3)
prices = st.decimals(d("0.01"), d(100_000), places=2)
rates = st.decimals(d(0), d("0.01"), places=5)


@given(quantities, prices, quantities, prices)
def test_an_average_entry_costs_what_both_fills_cost(
    quantity: Decimal, entry: Decimal, added: Decimal, price: Decimal
) -> None:
    average = margin.average_entry(quantity, entry, added, price)
    assert min(entry, price) <= average <= max(entry, price)
    spent = quantity * entry + added * price
    assert abs(average * (quantity + added) - spent) <= spent * TINY


@given(st.sampled_from(SIDES), quantities, prices, prices, rates, rates)
def test_a_round_trip_brings_its_gross_less_both_fees_and_the_funding(
    side: Side,
    quantity: Decimal,
    entry: Decimal,
    exit_price: Decimal,
    open_rate: Decimal,
    close_rate: Decimal,
) -> None:
    funding = d("-1.25")
    net = margin.net_pnl(side, quantity, entry, exit_price, open_rate, close_rate, funding)
    fees = margin.trading_fee(quantity, entry, open_rate)
    fees += margin.trading_fee(quantity, exit_price, close_rate)
    gross = margin.unrealized_pnl(side, quantity, entry, exit_price)
    assert net == gross - fees + funding


def test_the_callers_precision_changes_nothing() -> None:
    brackets = KNOWN["BTC/USDT"].brackets
    arguments: Any = ("short", d("1.234"), d("43210.7"), d("5331.98765432"), brackets)
    told = margin.liquidation_price(*arguments)
    with localcontext() as context:
        context.prec = 4
        assert margin.liquidation_price(*arguments) == told
        assert margin.average_entry(d("1.111"), d("1.23456"), d("2.222"), d("1.23456")) == d(
            "1.23456"
        )


# maintenance


@pytest.mark.parametrize("known", KNOWN.values(), ids=list(KNOWN))
def test_the_maintenance_margin_has_no_step_from_one_bracket_to_the_next(
    known: Instrument,
) -> None:
    for below, above in pairwise(known.brackets):
        assert above.floor > below.floor
        assert above.maintenance_rate > below.maintenance_rate
        assert above.max_leverage < below.max_leverage
        ends, begins = (
            margin.maintenance_margin(above.floor, each.maintenance_rate, each.maintenance_amount)
            for each in (below, above)
        )
        assert ends == begins > 0


def test_the_brackets_amounts_are_those_that_binance_publishes() -> None:
    amounts = {symbol: [b.maintenance_amount for b in i.brackets] for symbol, i in KNOWN.items()}
    assert amounts == {
        "BTC/USDT": [
            *(0, 300, 1_500, 12_000, 132_000, 482_000, 2_982_000, 14_482_000, 26_482_000),
            *(41_482_000, 121_482_000, 421_482_000),
        ],
        "ETH/USDT": [
            *(0, 300, 1_500, 12_000, 132_000, 382_000, 2_007_000, 9_507_000, 17_507_000),
            *(27_507_000, 80_507_000, 280_507_000),
        ],
        "SOL/USDT": [
            *(0, 75, 1_475, 11_475, 31_475, 231_475, 2_231_475, 4_231_475, 16_731_475, 66_731_475)
        ],
    }


# liquidation


def test_the_bracket_that_holds_the_liquidation_price_counts() -> None:
    brackets = brackets_of([("0", "0.004", 125), ("50000", "0.005", 100), ("600000", "0.0065", 75)])
    price = margin.liquidation_price("long", d(1), d(60_000), d(6_000), brackets)
    assert price is not None
    # the second bracket, though the position was opened in it too: 0.5 % less 50
    assert price == (d(6_000) + 50 - 60_000) / (d("0.005") - 1)
    assert round(price, 2) == d("54221.11")
    # 50,200 of notional opens in the second bracket and is liquidated in the first
    price = margin.liquidation_price("long", d(1), d(50_200), d(502), brackets)
    assert price == (d(50_200) - 502) / (1 - d("0.004"))


def test_a_long_at_1x_has_no_liquidation_price_and_a_short_has() -> None:
    brackets = KNOWN["ETH/USDT"].brackets
    assert margin.liquidation_price("long", d(3), d(1_500), d(4_500), brackets) is None
    short = margin.liquidation_price("short", d(3), d(1_500), d(4_500), brackets)
    assert short == d(3_000) / d("1.004")
    assert margin.liquidation_price("long", d(3), d(1_500), d(4_400), ()) is None


@st.composite
def positions(draw: st.DrawFn) -> tuple[Instrument, Side, Decimal, Decimal, Decimal]:
    """A position that its instrument allows, with some margin more or less than its first."""
    known = draw(st.sampled_from([*KNOWN.values(), instrument("PEPE/USDT", d("0.0000091"))]))
    notional = draw(st.decimals(d(5), d(50_000_000), places=2))
    entry = draw(st.decimals(d("0.00000001"), d(200_000), places=8))
    leverage = draw(st.integers(1, int(known.max_leverage(notional))))
    wallet = notional / leverage * draw(st.decimals(d("0.8"), d("1.5"), places=2))
    quantity = (notional / entry).quantize(d("1e-12"))
    assume(quantity)
    return known, draw(st.sampled_from(SIDES)), quantity, entry, wallet


def left_over(
    known: Instrument, side: Side, quantity: Decimal, entry: Decimal, wallet: Decimal, mark: Decimal
) -> Decimal:
    """What a position has beyond its maintenance margin, by the bracket of its notional."""
    bracket = known.bracket(quantity * mark)
    needed = margin.maintenance_margin(
        quantity * mark, bracket.maintenance_rate, bracket.maintenance_amount
    )
    return wallet + margin.unrealized_pnl(side, quantity, entry, mark) - needed


@given(positions(), st.decimals(d("1e-9"), d("0.9"), places=9))
def test_a_position_is_liquidated_where_its_wallet_and_pnl_no_longer_cover_its_maintenance(
    held: tuple[Instrument, Side, Decimal, Decimal, Decimal], away: Decimal
) -> None:
    known, side, quantity, entry, wallet = held
    price = margin.liquidation_price(side, quantity, entry, wallet, known.brackets)
    if price is None:
        assert side == "long"
        for mark in (entry, entry * away, entry * TINY):
            assert left_over(*held, mark) > 0
        return
    notional = quantity * price
    assert abs(left_over(*held, price)) <= (notional + wallet) * TINY
    safe, lost = (1 + away, 1 - away) if side == "long" else (1 - away, 1 + away)
    assert left_over(*held, price * safe) > 0 > left_over(*held, price * lost)


@given(positions())
def test_liquidation_comes_before_bankruptcy_and_later_with_more_margin(
    held: tuple[Instrument, Side, Decimal, Decimal, Decimal],
) -> None:
    known, side, quantity, entry, wallet = held
    direction = margin.sign(side)
    bankrupt = margin.bankruptcy_price(side, quantity, entry, wallet)
    loss = margin.unrealized_pnl(side, quantity, entry, bankrupt)
    assert abs(wallet + loss) <= wallet * TINY
    price = margin.liquidation_price(side, quantity, entry, wallet, known.brackets)
    more = margin.liquidation_price(side, quantity, entry, wallet * 2, known.brackets)
    if price is not None:
        assert direction * (price - bankrupt) > 0
        assert more is None or direction * (price - more) > 0
    else:
        assert more is None


@given(positions())
def test_margins_are_never_negative(
    held: tuple[Instrument, Side, Decimal, Decimal, Decimal],
) -> None:
    known, side, quantity, entry, _ = held
    for bracket in known.brackets:
        assert (
            margin.maintenance_margin(
                quantity * entry, bracket.maintenance_rate, bracket.maintenance_amount
            )
            >= ZERO
        )
    assert margin.open_loss(side, quantity, entry, entry * 2) >= ZERO
