"""The report of a backtest: its figures are those that one gets by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.api.encoding import encoded
from balance.backtests import backtest
from balance.backtests.backtest import Plan, Point
from balance.backtests.report import MOST_POINTS, MOST_ROWS, notes, report
from balance.core.account import Account
from balance.core.quote import MarkPrices
from balance.core.trade import Trade
from balance.core.trade_sums import TradeSums
from tests.accounts import account, position
from tests.backtesting import BEGIN, MINUTE, bodies, plan, script
from tests.markets import BTC


def trade(number: int, gross: object, fees: object = 0, funding: object = 0) -> Trade:
    """The ``number``-th trade, an hour of 0.1 Bitcoin."""
    return Trade(
        owner="backtest",
        symbol=BTC,
        side="long",
        quantity=Decimal("0.1"),
        entry_price=Decimal(100),
        exit_price=Decimal(101),
        opened_at=BEGIN + number * timedelta(hours=1),
        closed_at=BEGIN + (number + 1) * timedelta(hours=1),
        gross=Decimal(str(gross)),
        fees=Decimal(str(fees)),
        funding=Decimal(str(funding)),
        opened_because=f"Reason {number}",
        closed_because="",
    )


def outcome(
    equities: Sequence[object],
    closes: Sequence[object] | None = None,
    trades: Sequence[Trade] = (),
    **changes: Any,
) -> backtest.BacktestResult:
    """A test that ended with these; the account has the last equity as its balance."""
    points = [
        Point(time=BEGIN + number * MINUTE, equity=Decimal(str(equity)), close=Decimal(str(close)))
        for number, (equity, close) in enumerate(zip(equities, closes or equities, strict=True))
    ]
    usual: dict[str, Any] = {
        "account": account(equities[-1]),
        "sums": reduce(TradeSums.with_trade, trades, TradeSums()),
        "trades": tuple(trades),
        "points": points,
        "exposed": 0,
        "stopped_because": "",
        "skipped_funding": False,
        "ambiguous_trades": 0,
    }
    return backtest.BacktestResult(**{**usual, **changes})


def planned(count: int, balance: object = 1_000, first: object = 100, **changes: Any) -> Plan:
    """A plan on ``count`` candles, the first of which opens at ``first``."""
    return plan(bodies(first, *[100] * count), script(), balance=balance, **changes)


def test_the_figures_of_an_equity_are_those_of_the_hand() -> None:
    told = report(
        planned(5),
        outcome([1_100, 990, 1_200, 900, 1_050], [110, 99, 120, 90, 130], exposed=3),
    )
    assert (told["starting_balance"], told["equity"], told["net_pnl"]) == (1_000, 1_050, 50)
    assert told["return_percent"] == 5
    # from the price 100 to 130
    assert told["hold_percent"] == 30
    # from 1,200 to 900
    assert told["max_drawdown_percent"] == 25
    assert told["exposure_percent"] == 60
    assert (told["candles"], told["seconds"]) == (5, 60)
    assert (told["from"], told["to"]) == ("2022-01-03T00:01:00.000Z", "2022-01-03T00:06:00.000Z")
    assert told["curve"] == [
        ["2022-01-03T00:01:00.000Z", 1_000, 1_000],
        ["2022-01-03T00:02:00.000Z", 1_100, 1_100],
        ["2022-01-03T00:03:00.000Z", 990, 990],
        ["2022-01-03T00:04:00.000Z", 1_200, 1_200],
        ["2022-01-03T00:05:00.000Z", 900, 900],
        ["2022-01-03T00:06:00.000Z", 1_050, 1_300],
    ]
    display = told["display"]
    assert display["return_percent"] == "+5.00%"
    assert display["hold_percent"] == "+30.00%"
    assert display["max_drawdown_percent"] == "-25.00%"
    assert display["exposure_percent"] == "60.00%"
    assert display["net_pnl"] == "+$50.00"


def test_what_is_lost_at_once_is_a_drawdown_from_the_beginning() -> None:
    told = report(planned(3), outcome([900, 950, 925]))
    assert told["max_drawdown_percent"] == 10
    assert told["return_percent"] == Decimal("-7.5")


def test_an_equity_that_only_rises_has_no_drawdown() -> None:
    told = report(planned(3), outcome([1_000, 1_001, 1_002]))
    assert told["max_drawdown_percent"] == 0
    assert told["display"]["max_drawdown_percent"] == "0.00%"


def test_the_figures_of_trades_are_those_of_the_hand() -> None:
    trades = [trade(0, 31, fees="0.5", funding="-0.5"), trade(1, "-9.5", fees="0.5"), trade(2, 0)]
    told = report(planned(1), outcome([1_020], trades=trades))
    # +30, -10 and 0, which is neither a win nor a loss
    assert (told["trades"], told["wins"], told["losses"], told["even"]) == (3, 1, 1, 1)
    assert told["win_rate"] == Decimal("33.33333333")
    assert told["profit_factor"] == 3
    assert told["average_pnl"] == Decimal("6.66666667")
    assert told["display"]["win_rate"] == "33.33%"
    assert told["display"]["profit_factor"] == "3.00"
    assert told["display"]["average_pnl"] == "+$6.67"
    assert [row["pnl"] for row in told["rows"]] == [0, -10, 30]
    assert told["rows"][0]["name"] == "By hand"


def test_fees_and_funding_are_those_of_the_whole_account() -> None:
    paid = replace(
        account(1_000).wallet,
        balance=Decimal("997.5"),
        fees_paid=Decimal(3),
        funding=Decimal("0.5"),
    )
    told = report(planned(1), outcome([997.5], account=Account(paid)))
    assert (told["fees"], told["funding"]) == (3, Decimal("0.5"))
    assert (told["display"]["fees"], told["display"]["funding"]) == ("$3.00", "+$0.50")


def test_without_trades_there_are_dashes_and_no_division() -> None:
    told = report(planned(1), outcome([1_000]))
    assert [told[name] for name in ("win_rate", "profit_factor", "average_pnl")] == [None] * 3
    for name in ("win_rate", "profit_factor", "average_pnl"):
        assert told["display"][name] == "\u2013"
    assert (told["display"]["trades"], told["rows"]) == ("0", [])


def test_where_nothing_was_lost_there_is_no_profit_factor() -> None:
    told = report(planned(1), outcome([1_005], trades=[trade(0, 5)]))
    assert told["profit_factor"] is None
    assert told["win_rate"] == 100


def test_what_is_open_at_the_end_counts_in_the_equity_and_is_no_trade() -> None:
    held = Account(account(10_000).wallet, (position(),))
    told = report(planned(1, balance=10_000), outcome([10_100], account=held))
    assert (told["equity"], told["net_pnl"], told["trades"]) == (10_100, 100, 0)


def test_the_newest_trades_come_first_and_are_not_too_many() -> None:
    trades = [trade(number, 1) for number in range(MOST_ROWS + 20)]
    told = report(planned(1), outcome([1_000], trades=trades))
    assert told["trades"] == MOST_ROWS + 20
    assert len(told["rows"]) == MOST_ROWS
    assert told["rows"][0]["opened_because"] == f"Reason {MOST_ROWS + 19}"
    assert told["rows"][-1]["opened_because"] == "Reason 20"


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=3).flatmap(
        lambda some: st.tuples(st.just(some), st.integers(1, 3_000), st.integers(0, 2**32))
    )
)
def test_a_curve_keeps_its_ends_and_its_extremes(case: tuple[list[int], int, int]) -> None:
    some, count, seed = case
    equities = [some[(seed >> (number % 29)) % len(some)] + number % 7 for number in range(count)]
    curve = report(planned(count), outcome(equities))["curve"]
    shown = [point[1] for point in curve]
    assert len(curve) <= MOST_POINTS
    assert len(curve) >= min(count + 1, MOST_POINTS // 2)
    assert shown[0] == 1_000
    assert shown[-1] == equities[-1]
    assert (min(shown), max(shown)) == (min(1_000, *equities), max(1_000, *equities))
    times = [point[0] for point in curve]
    assert times == sorted(set(times))


def test_a_report_is_plain_json() -> None:
    trades = [trade(0, 31, fees="0.5"), trade(1, "-9.5")]
    text = encoded(report(planned(2), outcome([1_000, 1_021], trades=trades)))
    assert '"win_rate":50' in text
    assert '"profit_factor":3.2105263' in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "It never traded: look at its settings, or test a longer time."),
        (
            {"stopped_because": "Lost 12.00 USDT today, with at most 10.00 allowed"},
            "It stopped itself: Lost 12.00 USDT today, with at most 10.00 allowed. It never traded",
        ),
        ({"trades": (trade(0, 1),), "skipped_funding": True}, "Funding was left out where"),
        (
            {"trades": (trade(0, 1),), "ambiguous_trades": 1},
            "1 trade ended in a candle that held both stop and target: which came first is an",
        ),
        ({"trades": (trade(0, 1),), "ambiguous_trades": 1_200}, "1,200 trades ended in a candle"),
        (
            {"account": Account(account(10_000).wallet, (position(),))},
            "It still holds a long of 0.1 at the end: its +$100.00 are in the P&L, but it is no",
        ),
    ],
)
def test_the_notes_say_what_the_figures_do_not(changes: dict[str, Any], words: str) -> None:
    assert notes(planned(1), outcome([1_000], **changes)).startswith(words)


def test_a_usual_test_needs_no_notes() -> None:
    made = planned(1)
    tested = outcome([1_000], trades=[trade(0, 1)])
    assert notes(made, tested) == "The mark price is the last price: its past has no other."
    marks = (MarkPrices(*[Decimal(1_000)] * 4),)
    assert notes(replace(made, history=replace(made.history, marks=marks)), tested) == ""


def test_the_notes_of_a_file_come_first() -> None:
    made = planned(1)
    made = replace(made, history=replace(made.history, notes=("It has gaps.",)))
    assert notes(made, outcome([1_000])).startswith("It has gaps. It never traded")


@pytest.mark.parametrize(
    ("seconds", "timeframe", "words"),
    [
        (3_600, "5m", "The candles are of 1 hour, so it decided every 1 hour and not every 5 min"),
        (86_400, "4h", "The candles are of 1 day, so it decided every 1 day and not every 4 hours"),
    ],
)
def test_candles_that_are_longer_than_the_timeframe_are_told(
    seconds: int, timeframe: str, words: str
) -> None:
    made = planned(1, timeframe=timeframe)
    made = replace(made, history=replace(made.history, seconds=seconds))
    assert notes(made, outcome([1_000], trades=[trade(0, 1)])).startswith(words)
