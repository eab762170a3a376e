"""Backtests on real candles make the trades that backtesting.py 0.6.6 makes on them.

Both trade 100,000 USDT at each signal, on the open of the next candle, without slippage; fees are
0.05 %. Here the ask is one tick above the price, and stops and targets are on the tick.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from typing import Any, Final

import pytest

from balance.backtests.backtest import BacktestResult as Outcome
from balance.backtests.backtest import run_backtest
from balance.backtests.candles import history_of_file, plan_backtest
from balance.bots.settings import settings_of
from balance.core.candles import merge_candles
from balance.core.market import Market, Terms
from balance.market.replay.candle_file import CandleFile, read_candles
from balance.strategies.own import Catalogue, ask_strategy
from tests.markets import BTC
from tests.serving import ROOT

REAL: Final = ROOT.parent / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"
SECONDS: Final = {"1m": 60, "15m": 900, "1h": 3600}
# What crossing one tick twice, and two exits on the tick, cost at most: 0.3 of 2.7 BTC, in USDT.
TICKS: Final = Decimal("0.81")

pytestmark = pytest.mark.skipif(
    not REAL.exists(), reason="needs the real minutes beside the repository"
)


@cache
def candles(length: str) -> CandleFile:
    """The real minutes as candles of ``length``."""
    minutes, seconds = read_candles(REAL), SECONDS[length]
    return replace(minutes, candles=list(merge_candles(minutes.candles, seconds)), seconds=seconds)


def outcome(
    strategy: str,
    timeframe: str,
    stop: float | None,
    target: float | None,
    length: str = "",
) -> Outcome:
    """What came of ``strategy`` with a ``stop`` and a ``target`` in percent, on candles of
    ``length`` or, without it, of the ``timeframe``."""
    past, catalogue = history_of_file(candles(length or timeframe), BTC), Catalogue()
    members: dict[str, Any] = {
        "name": "Real",
        "symbol": BTC,
        "strategy": strategy,
        "timeframe": timeframe,
        "stake": 100_000,
        "stake_unit": "usdt",
        "leverage": 1,
        "stop_loss": stop,
        "take_profit": target,
    }
    market = Market(instruments={BTC: past.instrument})
    settings = settings_of(members, catalogue.kind, market)
    chosen = catalogue.kind(strategy).make(settings.params)
    terms, balance = Terms(slippage=Decimal(0)), Decimal(10_000_000)
    return run_backtest(
        plan_backtest(
            past, settings, chosen, partial(ask_strategy, chosen), balance=balance, terms=terms
        )
    )


@pytest.mark.parametrize(
    ("strategy", "timeframe", "stop", "target", "count", "net"),
    [
        ("ema_crossover", "15m", 0.5, 1, 116, "-4580.67"),
        ("ema_crossover", "15m", 1, 2, 116, "-17915.51"),
        ("ema_crossover", "15m", None, None, 115, "-24346.61"),
        ("ema_crossover", "1h", 0.5, 1, 33, "-15295.04"),
        ("ema_crossover", "1h", 2, 4, 32, "-15073.37"),
        ("ema_crossover", "1h", None, None, 32, "-26863.04"),
        ("donchian_breakout", "15m", None, 0.5, 203, "-24282.54"),
        ("donchian_breakout", "15m", 1, 2, 131, "-25623.32"),
        ("donchian_breakout", "1h", None, 0.5, 58, "-19462.82"),
        ("rsi_reversion", "15m", 1, 2, 60, "-6.66"),
        ("rsi_reversion", "1h", None, 0.5, 12, "-8694.93"),
        ("bollinger_reversion", "15m", None, 0.5, 135, "-5752.67"),
        ("bollinger_reversion", "15m", 1, 2, 173, "-14625.55"),
        ("bollinger_reversion", "1h", 1, 2, 63, "8531.66"),
    ],
)
def test_a_backtest_makes_the_trades_of_an_independent_one(
    strategy: str, timeframe: str, stop: float, target: float, count: int, net: str
) -> None:
    trades = outcome(strategy, timeframe, stop, target).trades
    assert len(trades) == count
    assert abs(sum(each.pnl for each in trades) - Decimal(net)) < count * TICKS


@pytest.mark.parametrize(
    ("strategy", "timeframe", "stop", "target", "apart"),
    [
        ("ema_crossover", "15m", 0.5, 1, 0),
        # A short from 18:00 on 5 January meets both within the hour: the target first.
        ("ema_crossover", "1h", 0.5, 1, 1),
        ("rsi_reversion", "1h", 1, 2, 0),
    ],
)
def test_minutes_and_longer_candles_make_the_same_trades_but_where_one_held_both_exits(
    strategy: str, timeframe: str, stop: float, target: float, apart: int
) -> None:
    longer = outcome(strategy, timeframe, stop, target)
    minutes = outcome(strategy, timeframe, stop, target, "1m")
    assert len(longer.trades) == len(minutes.trades)
    differing = [
        one
        for one, other in zip(longer.trades, minutes.trades, strict=True)
        if (one.opened_at, one.side, one.pnl) != (other.opened_at, other.side, other.pnl)
    ]
    assert len(differing) == longer.ambiguous_trades == apart
