"""Positions, orders, prices and fills as their readers see them: figures, and the same as texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest

from balance.core import rows
from balance.core.account import Account
from balance.core.entry import Entry
from balance.core.figures import NONE
from balance.core.market import NO_MARKET
from balance.core.matching import liquidate
from balance.core.orders import close_position, place_order
from balance.core.ticket import Ticket
from balance.history.rows import fill_row
from balance.store.state import State, next_state
from tests.accounts import MOMENT, account, order, position
from tests.markets import BTC, ETH, FREE, market, quote

SHOWN = "2026-01-02T03:04:05.678Z"


def d(number: object) -> Decimal:
    return Decimal(str(number))


def of_position(market_of_it: Any = NO_MARKET, orders: tuple[Any, ...] = (), **changes: Any) -> Any:
    trading = account(positions=(position(**changes),), orders=orders)
    (row,) = rows.position_rows(trading, market_of_it)
    return row


def committed(of: Account, operation: Any) -> tuple[Entry, ...]:
    """The entries that ``operation`` leaves."""
    state = State(account_id="a", revision=6, changed_at=MOMENT, account=of, entries=())
    return next_state(state, operation, MOMENT, "x").entries


def texts(row: Mapping[str, Any], *names: str) -> list[str]:
    return [row["display"][name] for name in names]


# positions


def test_a_position_is_shown_with_what_it_gains_and_what_it_takes() -> None:
    row = of_position(funding=d("-1.5"), fees_paid=d(2))
    assert (row["symbol"], row["side"], row["feed"]) == (BTC, "long", "simulated")
    assert (row["quantity"], row["entry_price"], row["mark_price"]) == (d("0.1"), 40_000, 41_000)
    assert (row["notional"], row["isolated_margin"], row["leverage"]) == (4_100, 800, 5)
    assert (row["unrealized_pnl"], row["roe_percent"]) == (100, d("12.5"))
    # 4,100 of an equity of 10,100
    assert row["exposure_percent"] == d("40.59405941")
    # from 41,000 down to 32,128.51405622
    assert row["liquidation_distance_percent"] == d("21.63777059")
    # 0.4 % of 4,100, and what that is of 900
    assert (row["maintenance_margin"], row["margin_ratio"]) == (d("16.4"), d("1.82222222"))
    assert (row["fees_paid"], row["funding_paid"], row["realized_pnl"]) == (2, d("1.5"), 0)
    assert (row["opened_at"], row["marked_at"]) == (SHOWN, SHOWN)


def test_a_position_is_written_for_people_on_the_tick_of_its_symbol() -> None:
    known = of_position(market())
    assert texts(known, "entry_price", "mark_price", "liquidation_price") == [
        *("40,000.00", "41,000.00", "32,128.51"),
    ]
    # without a market to say what the tick is, every digit
    assert texts(of_position(), "mark_price", "liquidation_price") == ["41,000", "32,128.51405622"]
    assert texts(known, "side", "quantity", "leverage") == ["Long", "0.1", "5x"]
    assert texts(known, "unrealized_pnl", "roe_percent", "margin_ratio") == [
        *("+$100.00", "+12.50%", "1.82%"),
    ]
    assert texts(known, "notional", "isolated_margin") == ["$4,100.00", "$800.00"]
    assert texts(known, "exposure_percent", "liquidation_distance_percent") == ["40.59%", "21.64%"]


def test_a_short_that_loses_reads_so() -> None:
    row = of_position(side="short")
    assert (row["unrealized_pnl"], row["roe_percent"]) == (-100, d("-12.5"))
    assert texts(row, "side", "unrealized_pnl", "roe_percent") == ["Short", "-$100.00", "-12.50%"]


def test_liquidation_is_as_far_away_as_the_mark_price_may_still_move() -> None:
    for side, price, distance in (("short", 45_100, 10), ("long", 36_900, 10), ("long", 41_500, 0)):
        row = of_position(side=side, liquidation_price=d(price))
        assert row["liquidation_distance_percent"] == distance


def test_what_there_is_not_is_a_dash() -> None:
    row = of_position(liquidation_price=None)
    assert (row["liquidation_price"], row["take_profit"], row["stop_loss"]) == (None, None, None)
    assert row["liquidation_distance_percent"] is None
    nothing = ("liquidation_price", "liquidation_distance_percent", "take_profit", "stop_loss")
    assert set(texts(row, *nothing)) == {NONE}
    # nothing is left that the maintenance margin could be compared with
    beyond = of_position(mark_price=d(32_000))
    assert (beyond["margin_ratio"], beyond["display"]["margin_ratio"]) == (None, NONE)


def test_a_position_shows_the_take_profit_and_stop_loss_that_are_attached_to_it() -> None:
    stop = order(symbol=BTC, type="stop_market", quantity=None, price=None, trigger_price=d(39_000))
    profit = replace(stop, id="o-2", type="take_profit_market", trigger_price=d("43000.5"))
    sized = replace(stop, id="o-3", quantity=d("0.1"), trigger_price=d(38_000))
    others = replace(profit, id="o-4", symbol=ETH, trigger_price=d(9_000))
    row = of_position(market(), (stop, profit, sized, others))
    assert (row["stop_loss"], row["take_profit"]) == (39_000, d("43000.5"))
    assert texts(row, "stop_loss", "take_profit") == ["39,000.00", "43,000.50"]


def test_the_callers_precision_changes_no_figure() -> None:
    with localcontext() as context:
        context.prec = 3
        narrow = of_position(mark_price=d("41234.56789"))
    assert narrow == of_position(mark_price=d("41234.56789"))
    assert narrow["unrealized_pnl"] == d("123.456789")


# orders


def test_orders_are_listed_oldest_first_with_what_they_keep_back() -> None:
    stop = order(id="o-2", type="stop_market", price=None, trigger_price=d("1499.5"))
    first, second = rows.order_rows(account(orders=(order(), stop)), market())
    assert (first["id"], first["price"], first["reserved_margin"]) == ("o-1", 1_500, 150)
    assert (first["placed_at"], first["feed"]) == (SHOWN, "simulated")
    assert texts(first, "side", "type", "quantity", "price", "reserved_margin") == [
        *("Buy", "Limit", "0.5", "1,500.00", "$150.00"),
    ]
    assert texts(second, "type", "price", "trigger_price") == ["Stop", NONE, "1,499.50"]
    assert (first["reason"], second["reason"]) == ("order", "order")


@pytest.mark.parametrize(
    ("type", "reason", "text"),
    [
        ("stop_market", "stop_loss", "Stop-loss"),
        ("take_profit_market", "take_profit", "Take-profit"),
    ],
)
def test_an_attached_order_says_what_it_is_and_that_it_closes_all(
    type: str, reason: str, text: str
) -> None:
    attached = order(type=type, quantity=None, price=None, trigger_price=d(1_600), reduce_only=True)
    (row,) = rows.order_rows(account(orders=(attached,)))
    assert (row["quantity"], row["reduce_only"], row["reason"]) == (None, True, reason)
    assert texts(row, "type", "quantity") == [text, "All"]


# prices


def test_each_price_says_whether_it_is_live_and_how_it_moved() -> None:
    btc = quote(BTC, 40_000, bid="39999.9", ask="40000.1", day_open=32_000, funding_rate="0.0001")
    row = rows.market_row(market(quote(ETH, 1_500), btc, live=frozenset({BTC})))
    # in the order of the instruments, and only those that have a price
    assert list(row["prices"]) == [BTC, ETH]
    assert (row["feed"], row["state"], row["as_of"]) == ("simulated", "live", SHOWN)
    moved, still = row["prices"].values()
    assert (moved["state"], moved["change_percent"], moved["time"]) == ("live", 25, SHOWN)
    assert (moved["bid"], moved["ask"], moved["mark"]) == (d("39999.9"), d("40000.1"), 40_000)
    assert texts(moved, "bid", "change_percent", "funding_rate") == [
        *("39,999.90", "+25.00%", "+0.0100%"),
    ]
    assert (still["state"], still["change_percent"], still["funding_rate"]) == ("stale", None, None)
    assert texts(still, "mark", "change_percent", "funding_rate") == ["1,500.00", NONE, NONE]


def test_without_a_feed_there_are_no_prices() -> None:
    row = rows.market_row(NO_MARKET)
    assert (row["feed"], row["state"], row["as_of"], row["prices"]) == (None, "none", None, {})


# fills


def bought(**asked: Any) -> tuple[Entry, ...]:
    """The entries of an order of BTC at 40,000 without slippage."""
    ticket = Ticket(symbol=BTC, side="buy", **asked)
    at = market(terms=replace(FREE, taker_fee=d("0.0005")))
    return committed(account(), lambda of: place_order(of, ticket, at, "o-9", MOMENT))


def test_a_fill_says_what_it_cost_and_where_it_stands_in_the_ledger() -> None:
    fill, _ = bought(quantity=d("0.1"))
    row = fill_row(fill, market())
    assert (row["revision"], row["line"], row["epoch"], row["time"]) == (7, 1, 1, SHOWN)
    assert (row["order_id"], row["quantity"], row["price"], row["fee"]) == (
        *("7000001", d("0.1"), 40_000, 2),
    )
    assert (row["closed_quantity"], row["position_pnl"]) == (0, None)
    assert texts(row, "side", "why", "liquidity", "quantity", "price", "fee") == [
        *("Buy", "Market", "Taker", "0.1", "40,000.00", "$2.00"),
    ]
    assert row["display"]["realized_pnl"] == NONE


def test_a_fill_that_closes_says_what_that_brought() -> None:
    trading = account(positions=(position(),))
    at = market(quote(BTC, 41_000), terms=FREE)
    fill, _ = committed(trading, lambda of: close_position(of, BTC, at, "o-9", MOMENT))
    row = fill_row(fill)
    assert (row["closed_quantity"], row["realized_pnl"]) == (d("0.1"), 100)
    assert (row["position_pnl"], row["display"]["realized_pnl"]) == (100, "+$100.00")


def test_a_liquidation_is_a_fill_that_says_so() -> None:
    (entry,) = committed(
        account(positions=(position(),)), lambda of: liquidate(of, of.positions[0])
    )
    row = fill_row(entry)
    assert (row["reason"], row["realized_pnl"], row["price"]) == ("liquidation", -800, 32_000)
    assert texts(row, "why", "realized_pnl") == ["Liquidation", "-$800.00"]


def test_only_an_entry_with_a_fill_is_one() -> None:
    _, fee = bought(quantity=d("0.1"))
    with pytest.raises(ValueError, match="has no fill"):
        fill_row(fee)


def test_the_result_of_an_order_is_its_fill_or_the_order_that_waits() -> None:
    filled = rows.order_result(bought(quantity=d("0.1")))
    assert filled is not None
    assert (filled["status"], filled["id"], filled["price"]) == ("filled", "7000001", 40_000)
    waits = rows.order_result(bought(type="limit", quantity=d("0.1"), price=d(39_000)))
    assert waits is not None
    assert (waits["status"], waits["id"], waits["price"]) == ("open", "7000001", 39_000)
    assert (waits["reserved_margin"], waits["quantity"]) == (390, d("0.1"))
    assert rows.order_result(()) is None
