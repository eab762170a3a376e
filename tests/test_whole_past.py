"""The built-in strategies decide as if they were given the whole past: TA-Lib's indicators over all
candles make the same signals at every candle as the windows that a strategy is given."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise, starmap
from typing import Any, Final

import pytest
import talib

from balance.core.candles import merge_candles
from balance.core.quote import Candle
from balance.strategies.series import CandleBuffer, Candles, Floats
from balance.strategies.strategy import enough_of, lookback_of
from tests.serving import ROOT
from tests.test_strategies import KINDS, held
from tests.test_strategy import BEGIN

REAL: Final = ROOT.parent / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"
EMA: Final = (
    {},
    {"fast": 2, "slow": 3},
    {"fast": 5, "slow": 9},
    {"fast": 50, "slow": 200},
    {"fast": 100, "slow": 200},
    {"fast": 100, "slow": 101},
)
RSI: Final = ({}, {"period": 2}, {"period": 7}, {"period": 50, "lower": 45.0, "upper": 55.0})
LONG_RSI: Final = {"period": 99, "lower": 45.0, "upper": 55.0}
Sides = Sequence[str]


@cache
def walk(seed: int, count: int = 6_000) -> Candles:
    """A random walk whose candles are now calm and now wild, with some that do not move."""
    chance = random.Random(seed)
    price, calm, buffer = 40_000.0, 0.001, CandleBuffer()
    for minute in range(count):
        if minute % 500 == 0:
            calm = chance.choice((0.0002, 0.001, 0.01))
        close = price if chance.random() < 0.1 else price * (1 + chance.gauss(0, calm))
        close = round(close, 1)
        edges = (price, close, price * (1 + calm * chance.random()), close * (1 - calm / 2))
        prices = [Decimal(f"{each:.1f}") for each in (price, max(edges), min(edges), close)]
        opened, high, low, closed = prices
        time = BEGIN + minute * timedelta(minutes=1)
        buffer.add(
            Candle(time=time, open=opened, high=high, low=low, close=closed, volume=Decimal(1))
        )
        price = close
    return buffer.window(count)


@cache
def real(seconds: int) -> Candles:
    """The candles of ``seconds`` that the real minutes make."""
    with REAL.open() as file:
        minutes = [
            Candle(
                time=datetime.fromisoformat(f"{row['timestamp']}+00:00"),
                **{name: Decimal(row[name]) for name in ("open", "high", "low", "close", "volume")},
            )
            for row in csv.DictReader(file)
        ]
    return Candles.of(merge_candles(minutes, seconds))


def ema_sides(whole: Candles, fast: int = 12, slow: int = 26) -> Sides:
    """What the crossings of TA-Lib's averages over the whole past say at each candle."""
    gap = talib.EMA(whole.close, fast) - talib.EMA(whole.close, slow)

    def side(before: float, now: float) -> str:
        if before <= 0 < now:
            return "buy"
        return "sell" if now < 0 <= before else "hold"

    return ["hold", *starmap(side, pairwise(gap))]


def rsi_sides(
    whole: Candles, position: str, period: int = 14, lower: float = 30.0, upper: float = 70.0
) -> Sides:
    """What TA-Lib's RSI over the whole past says at each candle to who holds ``position``."""
    values: Floats = talib.RSI(whole.close, period)

    def side(before: float, now: float) -> str:
        if (position == "long" and now >= 50) or (position == "short" and now <= 50):
            return "close"
        if before <= lower < now < 50:
            return "buy"
        return "sell" if before >= upper > now > 50 else "hold"

    return ["hold", *starmap(side, pairwise(values))]


def decided(made: Any, whole: Candles, position: str = "") -> Sides:
    """What ``made`` decides at each candle, given no more than it looks back on."""
    holding, lookback = held(position) if position else None, lookback_of(made)
    windows = (whole[max(0, end - lookback) : end] for end in range(1, len(whole) + 1))
    return [str(made.decide(window, holding).side) for window in windows]


def signals(made: Any, found: Sides, expected: Sides) -> int:
    """How many signals ``made`` gave, which are those that were ``expected``."""
    first = enough_of(made) - 1
    assert set(found[:first]) <= {"hold"}
    pairs = enumerate(zip(found[first:], expected[first:], strict=True), first)
    assert [(at, *both) for at, both in pairs if both[0] != both[1]] == []
    return sum(each != "hold" for each in found)


def rsi_signals(whole: Candles, params: dict[str, Any]) -> int:
    made = KINDS["rsi_reversion"].make(params)
    return sum(
        signals(made, decided(made, whole, position), rsi_sides(whole, position, **params))
        for position in ("", "long", "short")
    )


def ema_signals(whole: Candles, params: dict[str, Any]) -> int:
    made = KINDS["ema_crossover"].make(params)
    return signals(made, decided(made, whole), ema_sides(whole, **params))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("params", EMA, ids=str)
def test_an_ema_crosses_where_the_averages_of_the_whole_past_cross(
    params: dict[str, Any], seed: int
) -> None:
    assert ema_signals(walk(seed), params) > 10


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("params", [*RSI, LONG_RSI], ids=str)
def test_an_rsi_turns_where_the_one_of_the_whole_past_turns(
    params: dict[str, Any], seed: int
) -> None:
    assert rsi_signals(walk(seed), params) > 10


real_minutes = pytest.mark.skipif(
    not REAL.exists(), reason="needs the real minutes beside the repository"
)


@real_minutes
@pytest.mark.parametrize("seconds", [60, 900, 3600])
@pytest.mark.parametrize("params", [EMA[0], EMA[-2]], ids=str)
def test_an_ema_crosses_on_real_candles_where_those_of_the_whole_past_cross(
    params: dict[str, Any], seconds: int
) -> None:
    ema_signals(real(seconds), params)


@real_minutes
@pytest.mark.parametrize("seconds", [60, 900, 3600])
@pytest.mark.parametrize("params", [RSI[0], RSI[-1]], ids=str)
def test_an_rsi_turns_on_real_candles_where_the_one_of_the_whole_past_turns(
    params: dict[str, Any], seconds: int
) -> None:
    rsi_signals(real(seconds), params)
