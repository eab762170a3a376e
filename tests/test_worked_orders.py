"""Every kind of order worked by hand, with fees, slippage and a spread, to the last of eight
decimals: on rising, falling and jumping prices, long and short.

All of them are of 0.1 Bitcoin, whose mark is 40,000 when they are placed. The bid is the mark, the
ask is 10 above it; a maker pays 0.02 %, a taker 0.05 %, and an order at market fills 0.01 % beyond
bid or ask, on the tenth that is worse. The account has 10,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from balance.core.account import Account
from balance.core.change import Change
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.money import exact
from balance.core.oco import place_oco
from balance.core.orders import place_order
from balance.core.quote import Quote
from balance.core.ticket import Ticket
from tests.accounts import MOMENT, account
from tests.markets import BTC, market, quote


@dataclass(frozen=True)
class To:
    """The mark comes to ``price``, through every price in between or by a jump."""

    price: int
    jumps: bool = False


@dataclass(frozen=True)
class Case:
    """What is placed, where the price goes, and what that does."""

    name: str
    # Each an order, as its side, its type and its numbers, or two of them as an OCO.
    placed: Sequence[Any]
    way: Sequence[To]
    # The price of each fill, and whether the order had rested.
    fills: Sequence[tuple[str, str]]
    # The balance after it: 10,000, what was realised, and the fees.
    balance: str
    # What is held then: above zero, long.
    held: str
    # How those ended that did not fill, and how many are still open.
    ended: Sequence[str] = ()
    waiting: int = 0


def order(side: str, type: str = "market", **numbers: Any) -> dict[str, Any]:
    return {"side": side, "type": type, **numbers}


JUMP = True
LONG = order("buy")
SHORT = order("sell")

LIMITS = (
    # The ask is at 39,000 when the mark is at 38,990. 3,900 x 0.0002 = 0.78.
    Case(
        "a limit to buy, falling",
        [order("buy", "limit", price=39_000)],
        [To(38_991), To(38_500)],
        [("39000", "maker")],
        "9999.22",
        "0.1",
    ),
    # 4,100 x 0.0002 = 0.82.
    Case(
        "a limit to sell, rising",
        [order("sell", "limit", price=41_000)],
        [To(41_500)],
        [("41000", "maker")],
        "9999.18",
        "-0.1",
    ),
    # At the ask behind the jump: 3,851 x 0.0002 = 0.7702.
    Case(
        "a limit to buy, jumped over",
        [order("buy", "limit", price=39_000)],
        [To(38_500, JUMP)],
        [("38510", "maker")],
        "9999.2298",
        "0.1",
    ),
    # 4,150 x 0.0002 = 0.83.
    Case(
        "a limit to sell, jumped over",
        [order("sell", "limit", price=41_000)],
        [To(41_500, JUMP)],
        [("41500", "maker")],
        "9999.17",
        "-0.1",
    ),
    # 40,010 x 1.0001 = 40,014.001; 4,001.41 x 0.0005 = 2.000705.
    Case(
        "a limit to buy through the market",
        [order("buy", "limit", price=40_100)],
        [To(41_000)],
        [("40014.1", "taker")],
        "9997.999295",
        "0.1",
    ),
    # Slippage ends at the limit: 4,001.2 x 0.0005 = 2.0006.
    Case(
        "a limit to buy a little through the market",
        [order("buy", "limit", price=40_012)],
        [To(41_000)],
        [("40012", "taker")],
        "9997.9994",
        "0.1",
    ),
    # 40,000 x 0.9999 = 39,996; 3,999.6 x 0.0005 = 1.9998.
    Case(
        "a limit to sell through the market",
        [order("sell", "limit", price=39_900)],
        [To(39_000)],
        [("39996", "taker")],
        "9998.0002",
        "-0.1",
    ),
    Case(
        "IOC that does not cross, and the price comes there later",
        [order("buy", "limit", price=39_000, time_in_force="IOC")],
        [To(38_000)],
        [],
        "10000",
        "0",
        ["expired"],
    ),
    Case(
        "IOC that crosses",
        [order("buy", "limit", price=40_012, time_in_force="IOC")],
        [To(38_000)],
        [("40012", "taker")],
        "9997.9994",
        "0.1",
    ),
    Case(
        "FOK that does not cross",
        [order("sell", "limit", price=41_000, time_in_force="FOK")],
        [To(42_000)],
        [],
        "10000",
        "0",
        ["rejected"],
    ),
    Case(
        "FOK that crosses",
        [order("sell", "limit", price=39_998, time_in_force="FOK")],
        [To(42_000)],
        # The bid less its slippage would be below the limit: 3,999.8 x 0.0005 = 1.9999.
        [("39998", "taker")],
        "9998.0001",
        "-0.1",
    ),
    Case(
        "post-only at the ask",
        [order("buy", "limit", price=40_010, time_in_force="GTX")],
        [To(39_000)],
        [],
        "10000",
        "0",
        ["rejected"],
    ),
    # A tenth below the ask it waits: 4,000.99 x 0.0002 = 0.800198.
    Case(
        "post-only inside the spread",
        [order("buy", "limit", price="40009.9", time_in_force="GTX")],
        [To(39_000)],
        [("40009.9", "maker")],
        "9999.199802",
        "0.1",
    ),
)

TRIGGERS = (
    # The mark is at 41,000, the ask at 41,010: x 1.0001 = 41,014.101; 4,101.42 x 0.0005 = 2.05071.
    Case(
        "a stop to buy, rising",
        [order("buy", "stop_market", trigger_price=41_000)],
        [To(42_000)],
        [("41014.2", "taker")],
        "9997.94929",
        "0.1",
    ),
    # 39,000 x 0.9999 = 38,996.1; 3,899.61 x 0.0005 = 1.949805.
    Case(
        "a stop to sell, falling",
        [order("sell", "stop_market", trigger_price=39_000)],
        [To(38_000)],
        [("38996.1", "taker")],
        "9998.050195",
        "-0.1",
    ),
    # 42,010 x 1.0001 = 42,014.201; 4,201.43 x 0.0005 = 2.100715.
    Case(
        "a stop to buy, jumped over",
        [order("buy", "stop_market", trigger_price=41_000)],
        [To(42_000, JUMP)],
        [("42014.3", "taker")],
        "9997.899285",
        "0.1",
    ),
    # 39,010 x 1.0001 = 39,013.901; 3,901.4 x 0.0005 = 1.9507.
    Case(
        "a take-profit order to buy, falling",
        [order("buy", "take_profit_market", trigger_price=39_000)],
        [To(38_000)],
        [("39014", "taker")],
        "9998.0493",
        "0.1",
    ),
    # 42,000 x 0.9999 = 41,995.8; 4,199.58 x 0.0005 = 2.09979.
    Case(
        "a take-profit order to sell, jumped over",
        [order("sell", "take_profit_market", trigger_price=41_000)],
        [To(42_000, JUMP)],
        [("41995.8", "taker")],
        "9997.90021",
        "-0.1",
    ),
    # The limit arrives at an ask of 41,010 and is above what the market costs with slippage.
    Case(
        "a stop-limit to buy whose limit is far enough",
        [order("buy", "stop_limit", trigger_price=41_000, price=41_020)],
        [To(42_000)],
        [("41014.2", "taker")],
        "9997.94929",
        "0.1",
    ),
    # Below the ask it waits until that comes back, where the mark is at 40,995: 4,100.5 x 0.0002.
    Case(
        "a stop-limit to buy whose limit is below the ask",
        [order("buy", "stop_limit", trigger_price=41_000, price=41_005)],
        [To(42_000), To(40_996), To(40_900)],
        [("41005", "maker")],
        "9999.1799",
        "0.1",
    ),
    Case(
        "a stop-limit to sell that is jumped over",
        [order("sell", "stop_limit", trigger_price=39_000, price=38_900)],
        [To(38_000, JUMP), To(38_800)],
        [],
        "10000",
        "0",
        waiting=1,
    ),
    # 38,950 x 0.9999 = 38,946.105; 3,894.61 x 0.0005 = 1.947305.
    Case(
        "a stop-limit to sell, jumped to between trigger and limit",
        [order("sell", "stop_limit", trigger_price=39_000, price=38_900)],
        [To(38_950, JUMP)],
        [("38946.1", "taker")],
        "9998.052695",
        "-0.1",
    ),
    # Post-only: the limit would fill at the trigger, so the market refuses it there.
    Case(
        "a stop-limit that is post-only and crosses at its trigger",
        [order("buy", "stop_limit", trigger_price=41_000, price=41_020, time_in_force="GTX")],
        [To(42_000)],
        [],
        "10000",
        "0",
        ["rejected"],
    ),
    # 41,000 x 0.9999 = 40,995.9; 4,099.59 x 0.0005 = 2.049795.
    Case(
        "a take-profit-limit to sell whose limit is below the bid",
        [order("sell", "take_profit_limit", trigger_price=41_000, price=40_990)],
        [To(42_000)],
        [("40995.9", "taker")],
        "9997.950205",
        "-0.1",
    ),
    # 3,850 x 0.0002 = 0.77, at a mark of 38,490.
    Case(
        "a take-profit-limit to buy whose limit is further on",
        [order("buy", "take_profit_limit", trigger_price=39_000, price=38_500)],
        [To(38_000)],
        [("38500", "maker")],
        "9999.23",
        "0.1",
    ),
)

TRAILING = (
    # 1 % below 42,000 is 41,580; x 0.9999 = 41,575.842; 4,157.58 x 0.0005 = 2.07879.
    Case(
        "a trailing stop to sell, up and down",
        [order("sell", "trailing_stop", callback_percent=1)],
        [To(42_000), To(41_600), To(41_000)],
        [("41575.8", "taker")],
        "9997.92121",
        "-0.1",
    ),
    # 1 % above 38,000 is 38,380, the ask 38,390; x 1.0001 = 38,393.839; 3,839.39 x 0.0005.
    Case(
        "a trailing stop to buy, down and up",
        [order("buy", "trailing_stop", callback_percent=1)],
        [To(38_000), To(39_000)],
        [("38393.9", "taker")],
        "9998.080305",
        "0.1",
    ),
    # At the bid behind the jump: 41,000 x 0.9999 = 40,995.9.
    Case(
        "a trailing stop to sell that a jump back goes beyond",
        [order("sell", "trailing_stop", callback_percent=1)],
        [To(42_000, JUMP), To(41_000, JUMP)],
        [("40995.9", "taker")],
        "9997.950205",
        "-0.1",
    ),
    # From 39,000 on: it knows nothing of the rise from 38,000 to 38,990 before.
    # 1 % above 38,500 is 38,885, the ask 38,895; x 1.0001 = 38,898.8895; 3,889.89 x 0.0005.
    Case(
        "a trailing stop to buy with an activation price",
        [order("buy", "trailing_stop", callback_percent=1, activation_price=38_600)],
        [To(38_700), To(40_000), To(38_500), To(39_000)],
        [("38898.9", "taker")],
        "9998.055055",
        "0.1",
    ),
    Case(
        "a trailing stop that is never activated",
        [order("sell", "trailing_stop", callback_percent=1, activation_price=41_000)],
        [To(40_999), To(38_000)],
        [],
        "10000",
        "0",
        waiting=1,
    ),
)

# Bought at 40,014.1 with a fee of 2.000705, or sold at 39,996 with one of 1.9998.
PAIRS = (
    # 0.1 x (41,000 - 40,014.1) = 98.59; 4,100 x 0.0002 = 0.82.
    Case(
        "an OCO that closes a long, rising",
        [
            LONG,
            [
                order("sell", "limit", price=41_000, reduce_only=True),
                order("sell", "stop_market", trigger_price=39_500, reduce_only=True),
            ],
        ],
        [To(41_500), To(39_000)],
        [("40014.1", "taker"), ("41000", "maker")],
        "10095.769295",
        "0",
        ["canceled"],
    ),
    # 39,500 x 0.9999 = 39,496.05; 0.1 x (39,496 - 40,014.1) = -51.81; 3,949.6 x 0.0005 = 1.9748.
    Case(
        "an OCO that closes a long, falling",
        [
            LONG,
            [
                order("sell", "limit", price=41_000, reduce_only=True),
                order("sell", "stop_market", trigger_price=39_500, reduce_only=True),
            ],
        ],
        [To(39_000), To(41_500)],
        [("40014.1", "taker"), ("39496", "taker")],
        "9944.214495",
        "0",
        ["canceled"],
    ),
    # The limit at 39,000 fills at an ask of 38,510: 0.1 x (39,996 - 38,510) = 148.6; 0.7702.
    Case(
        "an OCO that closes a short, jumping down",
        [
            SHORT,
            [
                order("buy", "stop_market", trigger_price=41_000, reduce_only=True),
                order("buy", "limit", price=39_000, reduce_only=True),
            ],
        ],
        [To(38_500, JUMP)],
        [("39996", "taker"), ("38510", "maker")],
        "10145.83",
        "0",
        ["canceled"],
    ),
    # Either way out of a range: 38,996.1 as the stop to sell above; the one to buy is gone then.
    Case(
        "an OCO of two stops, a breakout downwards",
        [
            [
                order("buy", "stop_market", trigger_price=41_000),
                order("sell", "stop_market", trigger_price=39_000),
            ]
        ],
        [To(38_500), To(42_000)],
        [("38996.1", "taker")],
        "9998.050195",
        "-0.1",
        ["canceled"],
    ),
    # The trigger ends the limit at 41,000, though its own limit, 39,200, is above the market then.
    Case(
        "an OCO whose stop-limit is triggered and waits",
        [
            [
                order("sell", "limit", price=41_000),
                order("sell", "stop_limit", trigger_price=39_000, price=39_200),
            ]
        ],
        [To(38_500), To(39_199)],
        [],
        "10000",
        "0",
        ["canceled"],
        waiting=1,
    ),
)

BRACKETS = (
    # 40,995.9 as above: 0.1 x 981.8 = 98.18; fees 2.000705 + 2.049795.
    Case(
        "a long with both exits, rising",
        [order("buy", take_profit=41_000, stop_loss=39_000)],
        [To(42_000)],
        [("40014.1", "taker"), ("40995.9", "taker")],
        "10094.1295",
        "0",
    ),
    # 38,996.1: 0.1 x -1,018 = -101.8; fees 2.000705 + 1.949805.
    Case(
        "a long with both exits, falling",
        [order("buy", take_profit=41_000, stop_loss=39_000)],
        [To(38_000)],
        [("40014.1", "taker"), ("38996.1", "taker")],
        "9894.24949",
        "0",
    ),
    # 38,000 x 0.9999 = 37,996.2: 0.1 x -2,017.9 = -201.79; 3,799.62 x 0.0005 = 1.89981.
    Case(
        "a long with both exits, jumping down",
        [order("buy", take_profit=41_000, stop_loss=39_000)],
        [To(38_000, JUMP)],
        [("40014.1", "taker"), ("37996.2", "taker")],
        "9794.309485",
        "0",
    ),
    # 39,014: 0.1 x (39,996 - 39,014) = 98.2; fees 1.9998 + 1.9507.
    Case(
        "a short with both exits, falling",
        [order("sell", take_profit=39_000, stop_loss=41_000)],
        [To(38_000)],
        [("39996", "taker"), ("39014", "taker")],
        "10094.2495",
        "0",
    ),
    # 41,014.2: 0.1 x (39,996 - 41,014.2) = -101.82; fees 1.9998 + 2.05071.
    Case(
        "a short with both exits, rising",
        [order("sell", take_profit=39_000, stop_loss=41_000)],
        [To(42_000)],
        [("39996", "taker"), ("41014.2", "taker")],
        "9894.12949",
        "0",
    ),
    # Bought at 39,000 as a maker, 0.78; sold at 38,500 x 0.9999 = 38,496.15: 0.1 x -503.9 = -50.39;
    # 3,849.61 x 0.0005 = 1.924805. The target was passed before there was anything to take.
    Case(
        "a limit that brings exits, which count from its fill on",
        [order("buy", "limit", price=39_000, take_profit=40_000, stop_loss=38_500)],
        [To(38_000)],
        [("39000", "maker"), ("38496.1", "taker")],
        "9946.905195",
        "0",
    ),
)

CASES = (*LIMITS, *TRIGGERS, *TRAILING, *PAIRS, *BRACKETS)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def quoted(mark: int, minutes: int) -> Quote:
    return quote(BTC, mark, ask=mark + 10, time=MOMENT + timedelta(minutes=minutes))


TEXTS = ("side", "type", "time_in_force")


def ticket(numbers: dict[str, Any]) -> Ticket:
    members = {
        name: value if isinstance(value, bool) or name in TEXTS else Decimal(str(value))
        for name, value in numbers.items()
    }
    return Ticket(symbol=BTC, quantity=Decimal("0.1"), **members)


def placed(of: Account, asked: Any, at: Market, name: str) -> Change:
    if isinstance(asked, list):
        return place_oco(of, [ticket(each) for each in asked], at, name, MOMENT)
    return place_order(of, ticket(asked), at, name, MOMENT)


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
def test_it_comes_out_as_worked_by_hand(case: Case) -> None:
    last = quoted(40_000, 0)
    change = Change(account())
    for number, asked in enumerate(case.placed):
        change = change.then(placed(change.account, asked, market(last), f"o{number}"))
    for minutes, to in enumerate(case.way, 1):
        now = quoted(to.price, minutes)
        moved = now if to.jumps else replace(now, moved_from=last)
        change = change.then(advance(change.account, market(moved), {}))
        last = now
    fills = [each.fill for each in change.bookings if each.fill is not None]
    assert [(each.price, each.liquidity) for each in fills] == [
        (Decimal(price), liquidity) for price, liquidity in case.fills
    ]
    assert change.account.wallet.balance == Decimal(case.balance)
    position = change.account.position(BTC)
    held = Decimal(0) if position is None else position.quantity
    assert held == abs(Decimal(case.held))
    assert position is None or (position.side == "long") == (Decimal(case.held) > 0)
    effects = [each.effect for each in change.bookings if each.kind == "cancel" and each.effect]
    assert [each.ended for each in effects] == list(case.ended)
    assert len(change.account.orders) == case.waiting
