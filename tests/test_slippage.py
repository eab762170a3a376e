"""Slippage by size: a larger order fills worse, by the depth of the market and no further."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.amendment import amend_order
from balance.core.figures import NONE
from balance.core.market import Market, Terms
from balance.core.matching import advance
from balance.core.money import exact
from balance.core.orders import close_position, place_order, preview
from balance.core.ticket import Ticket
from balance.core.trade import Fill
from tests.accounts import MOMENT, account
from tests.markets import BTC, market, quote, unlimited

# An order of 400,000 USDT slips by 0.01 % + 0.4 x 0.1 % = 0.05 %.
DEEP = Terms(
    maker_fee=Decimal(0),
    taker_fee=Decimal(0),
    slippage=Decimal("0.0001"),
    depth_slippage=Decimal("0.001"),
    market_depth=Decimal(1_000_000),
)
RICH = account(10_000_000)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def at(mark: object = 40_000, terms: Terms = DEEP, minutes: int = 0, **changes: Any) -> Market:
    """Bitcoin at ``mark`` on a tick of 0.1, of any size and at any leverage."""
    rules = replace(unlimited(BTC), tick_size=d("0.1"), step_size=d("0.001"))
    time = MOMENT + timedelta(minutes=minutes)
    return market(quote(BTC, mark, time=time, **changes), terms=terms, instruments={BTC: rules})


def ticket(side: str = "buy", type: str = "market", **members: Any) -> Ticket:
    given = ("reduce_only", "time_in_force")
    numbers = {name: each if name in given else d(each) for name, each in members.items()}
    return Ticket(symbol=BTC, side=side, type=type, leverage=d(1), **numbers)  # type: ignore[arg-type]


def place(
    of: Account, side: str, type: str = "market", where: Market | None = None, **members: Any
) -> Any:
    return place_order(of, ticket(side, type, **members), where or at(), "o-1", MOMENT)


def fills(change: Any) -> list[Fill]:
    return [booking.fill for booking in change.bookings if booking.fill]


@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [
        ("buy", 10, "40020"),  # 0.05 % of 40,000 is 20
        ("sell", 10, "39980"),
        ("buy", 50, "40084"),  # 2,000,000: 0.01 % + 0.2 %
        ("buy", "0.01", "40004.1"),  # 400: 0.01004 % is 4.016, up to the tick
        ("sell", "0.01", "39995.9"),
    ],
)
def test_worked_cases_of_orders_at_market(side: str, quantity: object, price: str) -> None:
    (fill,) = fills(place(RICH, side, quantity=quantity))
    assert (fill.price, fill.quantity) == (d(price), d(quantity))


@pytest.mark.parametrize(
    ("side", "notional", "price"), [("buy", 400_200, "40020"), ("sell", 399_800, "39980")]
)
def test_an_order_of_a_notional_is_worth_it_where_it_fills(
    side: str, notional: int, price: str
) -> None:
    (fill,) = fills(place(RICH, side, notional=notional))
    assert (fill.quantity, fill.price) == (10, d(price))


def test_all_that_is_available_buys_as_much_as_it_pays_for() -> None:
    # At 1x and without a fee, 400,200 buy ten at 40,020, and not a step more.
    (fill,) = fills(place(account("400200.00000001"), "buy", percent=100))
    assert (fill.quantity, fill.price) == (10, d(40_020))
    (fill,) = fills(place(account("400199"), "buy", percent=100))
    assert (fill.quantity, fill.price) == (d("9.999"), d(40_020))


def test_a_limit_that_crosses_is_never_filled_beyond_it() -> None:
    (fill,) = fills(place(RICH, "buy", "limit", quantity=10, price=40_010))
    assert (fill.price, fill.liquidity) == (40_010, "taker")
    (fill,) = fills(place(RICH, "buy", "limit", quantity=10, price=41_000))
    assert fill.price == 40_020
    for force in ("IOC", "FOK"):
        (fill,) = fills(
            place(RICH, "sell", "limit", quantity=10, price=39_990, time_in_force=force)
        )
        assert fill.price == 39_990
    # By notional it is worth what was named at its limit.
    (fill,) = fills(place(RICH, "buy", "limit", notional=400_100, price=40_010))
    assert (fill.quantity, fill.price) == (10, 40_010)


def test_a_limit_that_rested_slips_by_nothing() -> None:
    resting = place(RICH, "buy", "limit", quantity=10, price=39_000).account
    (fill,) = fills(advance(resting, at(39_000, minutes=1), {}))
    assert (fill.price, fill.liquidity) == (39_000, "maker")


@pytest.mark.parametrize(
    ("type", "mark", "price"),
    # Ten are worth 390,000 there: 0.049 %, which is 19.11; or 410,000: 0.051 %, which is 20.91.
    [("stop_market", 39_000, "38980.8"), ("take_profit_market", 41_000, "40979")],
)
@pytest.mark.parametrize("size", [10, 25, None], ids=["quantity", "more", "whole"])
def test_an_exit_slips_by_the_size_of_what_it_closes(
    type: str, mark: int, price: str, size: int | None
) -> None:
    of = place(RICH, "buy", quantity=10).account
    sized = {} if size is None else {"quantity": size}
    of = place(of, "sell", type, trigger_price=mark, reduce_only=True, **sized).account
    (fill,) = fills(advance(of, at(mark, minutes=1), {}))
    assert (fill.price, fill.quantity) == (d(price), 10)


def test_a_stop_limit_that_has_more_than_is_held_slips_by_what_is_held() -> None:
    of = place(RICH, "buy", quantity=20).account
    stop = {"quantity": 20, "trigger_price": 39_000, "price": 38_000, "reduce_only": True}
    of = place(of, "sell", "stop_limit", **stop).account
    of = close_position(of, BTC, at(), "c", MOMENT, quantity=d(10)).account
    (fill,) = fills(advance(of, at(39_000, minutes=1), {}))
    assert (fill.price, fill.quantity) == (d("38980.8"), 10)


def test_a_close_slips_by_what_it_closes_and_a_flip_by_all() -> None:
    of = place(RICH, "buy", quantity=20).account
    (fill,) = fills(close_position(of, BTC, at(), "c", MOMENT, percent=d(50)))
    assert (fill.price, fill.quantity) == (39_980, 10)
    (fill,) = fills(place(of, "sell", quantity=50))
    assert (fill.price, fill.closed_quantity) == (39_916, 20)


def test_a_liquidation_slips_by_nothing() -> None:
    of = place_order(RICH, replace(ticket(quantity=10), leverage=d(20)), at(), "o", MOMENT).account
    (fill,) = fills(advance(of, at(30_000, minutes=1), {}))
    assert (fill.reason, fill.price) == ("liquidation", d("40020") * d("0.95"))


def test_an_order_that_is_amended_through_the_market_slips_by_its_size() -> None:
    of = place(RICH, "buy", "limit", quantity=10, price=39_000).account
    change = amend_order(of, "o-1", {"price": d(41_000)}, at(), MOMENT)
    assert fills(change)[0].price == 40_020


@pytest.mark.parametrize(("side", "price"), [("buy", 60_000), ("sell", 20_000)])
def test_the_largest_order_slips_by_half_of_the_price_and_says_so(side: str, price: int) -> None:
    huge = account(10**11)
    (fill,) = fills(place(huge, side, quantity=1_000_000))
    assert fill.price == price
    shown = preview(huge, ticket(side, quantity=1_000_000), at(), MOMENT)
    assert "Its slippage is cut at 50 %" in shown.warning
    assert "1,000,000.00 USDT" in shown.warning
    (fill,) = fills(place(huge, side, notional=price * 1_000_000))
    assert (fill.quantity, fill.price) == (1_000_000, price)


def test_the_preview_tells_it() -> None:
    shown = preview(RICH, ticket(quantity=10), at(bid=39_990, ask=40_000), MOMENT)
    assert (shown.price, shown.slippage_percent, shown.slippage_cost) == (40_020, d("0.05"), 200)
    assert shown.display["slippage"] == "$200.00 (0.05%)"
    assert shown.warning == ""
    # Where the limit holds it, it is less; an order that rests has none yet.
    shown = preview(RICH, ticket(type="limit", quantity=10, price=40_010), at(), MOMENT)
    assert (shown.slippage_percent, shown.slippage_cost) == (d("0.025"), 100)
    shown = preview(RICH, ticket(type="limit", quantity=10, price=39_000), at(), MOMENT)
    assert (shown.slippage_percent, shown.slippage_cost) == (None, None)
    assert shown.display["slippage"] == NONE


@pytest.mark.parametrize(("side", "leverage"), [("buy", 20), ("sell", 20), ("buy", 5)])
def test_the_preview_warns_of_a_position_that_would_be_liquidated_at_once(
    side: str, leverage: int
) -> None:
    # A hundred slip by 0.01 % + 4 x 2.5 %: more than the margin at 20x, and less than at 5x.
    where = at(terms=replace(DEEP, depth_slippage=d("0.025")))
    wanted = replace(ticket(side, quantity=100), leverage=d(leverage))
    warning = preview(RICH, wanted, where, MOMENT).warning
    assert ("would be liquidated at once" in warning) == (leverage == 20)
    placed = place_order(RICH, wanted, where, "o", MOMENT).account
    ended = fills(advance(placed, at(minutes=1), {}))
    assert [each.reason for each in ended] == ["liquidation"] * (leverage == 20)


@pytest.mark.parametrize(
    ("side", "target", "loses"),
    [
        ("buy", 40_010, True),
        ("buy", 40_030, False),
        ("sell", 39_990, True),
        ("sell", 39_970, False),
    ],
)
def test_the_preview_warns_of_a_take_profit_between_the_mark_and_the_fill(
    side: str, target: int, loses: bool
) -> None:
    # Ten slip by 0.05 %: a target at the mark's side of that is a loss.
    shown = preview(RICH, replace(ticket(side, quantity=10), take_profit=d(target)), at(), MOMENT)
    assert ("would close at a loss" in shown.warning) == loses


@given(
    side=st.sampled_from(["buy", "sell"]),
    small=st.decimals(d("0.001"), d(10_000), places=3),
    more=st.decimals(d(0), d(10_000), places=3),
    depth=st.decimals(d(0), d(10**8), places=2),
    rate=st.decimals(d(0), d("0.05"), places=6),
)
def test_a_larger_order_never_fills_better_nor_is_worth_less(
    side: str, small: Decimal, more: Decimal, depth: Decimal, rate: Decimal
) -> None:
    where = at(terms=replace(DEEP, market_depth=depth, depth_slippage=rate))
    sign, large = (1 if side == "buy" else -1), small + more
    first, second = (where.taker_price(BTC, side, each) for each in (small, large))
    assert sign * first <= sign * second
    assert first * small <= second * large + d("0.1") * large  # but for the tick
    assert 20_000 <= second <= 60_000
    # It is how many base units are worth that.
    fine = replace(where, instruments={BTC: unlimited(BTC)})
    worth = fine.taker_price(BTC, side, large) * large
    assert abs(fine.taker_quantity(BTC, side, worth) - large) <= large * d("1e-15")


@given(
    size=st.fixed_dictionaries({"quantity": st.decimals(d("0.001"), d(100), places=3)})
    | st.fixed_dictionaries({"notional": st.decimals(d(100), d(10**6), places=2)})
    | st.fixed_dictionaries({"percent": st.decimals(d(1), d(100), places=2)}),
    side=st.sampled_from(["buy", "sell"]),
    type=st.sampled_from(["market", "limit"]),
    off=st.sampled_from([{"market_depth": d(0)}, {"depth_slippage": d(0)}]),
)
@example(size={"percent": d(100)}, side="buy", type="market", off={"market_depth": d(0)})
def test_without_a_depth_or_a_rate_the_size_makes_no_difference(
    size: dict[str, Decimal], side: str, type: str, off: dict[str, Decimal]
) -> None:
    prices = {"price": 41_000 if side == "buy" else 39_000} if type == "limit" else {}
    (fill,) = fills(place(RICH, side, type, at(terms=replace(DEEP, **off)), **size, **prices))
    assert fill.price == (d("40004") if side == "buy" else d("39996"))
    percent = size.get("percent")
    worth = size.get("notional") or (percent and RICH.available_balance * percent / 100)
    if worth:
        # All of it but for a step.
        assert 0 <= worth - fill.quantity * fill.price < fill.price * d("0.001") + d("1e-7")
