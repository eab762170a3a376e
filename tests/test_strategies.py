"""The built-in strategies: their indicators are the published ones, their signals mean what their
words say, and no series of prices makes them fail."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.errors import InvalidRequest
from balance.strategies.bollinger_reversion import bands
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.reasons import shown, strength
from balance.strategies.rsi_reversion import rsi
from balance.strategies.series import CandleBuffer, Candles
from balance.strategies.strategy import (
    MOST_LOOKBACK,
    Holding,
    Kind,
    Signal,
    enough_of,
    hold,
    lookback_of,
)
from tests.test_strategy import BEGIN, closing

KINDS = {kind.id: kind for kind in BUILT_IN}
each_kind = pytest.mark.parametrize("kind", BUILT_IN, ids=list(KINDS))

# StockCharts ChartSchool, "Relative Strength Index (RSI)", the spreadsheet cs-rsi.xls: QQQQ
RSI_CLOSES = (
    *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826),
    *(45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439),
    *(46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672),
    *(43.4205, 42.6628, 43.1314),
)
RSI_14 = (
    *(70.5328, 66.3186, 66.5498, 69.4063, 66.3552, 57.9749, 62.9296, 63.2571, 56.0593, 62.3771),
    *(54.7076, 50.4228, 39.9898, 41.4605, 41.8689, 45.4632, 37.3040, 33.0795, 37.7730),
)
# the same, "Moving Averages - Simple and Exponential", cs-movavg.xls: INTC
EMA_CLOSES = (
    *(22.2734, 22.1940, 22.0847, 22.1741, 22.1840, 22.1344, 22.2337, 22.4323, 22.2436, 22.2933),
    *(22.1542, 22.3926, 22.3816, 22.6109, 23.3558, 24.0519, 23.7530, 23.8324, 23.9516, 23.6338),
    *(23.8225, 23.8722, 23.6537, 23.1870, 23.0976, 23.3260, 22.6805, 23.0976, 22.4025, 22.1725),
)
EMA_10 = (
    *(22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.13, 23.28, 23.34, 23.43, 23.51),
    *(23.54, 23.47, 23.40, 23.39, 23.26, 23.23, 23.08, 22.92),
)
# the same, "Bollinger Bands", cs-bbands.xls: SPY; (lower, middle, upper) of 20 closes, 2 deviations
BAND_CLOSES = (
    *(86.16, 89.09, 88.78, 90.32, 89.07, 91.15, 89.44, 89.18, 86.93, 87.68, 86.96, 89.43, 89.32),
    *(88.72, 87.45, 87.26, 89.50, 87.90, 89.13, 90.70, 92.90, 92.98, 91.80, 92.66, 92.68, 92.30),
    *(92.77, 92.54, 92.95, 93.20, 91.07, 89.83, 89.74, 90.40, 90.74, 88.02, 88.09, 88.84, 90.78),
    *(90.54, 91.39, 90.65),
)
BANDS = (
    *((86.13, 88.71, 91.29), (86.14, 89.05, 91.95), (85.87, 89.24, 92.61), (85.85, 89.39, 92.93)),
    *((85.70, 89.51, 93.31), (85.65, 89.69, 93.73), (85.59, 89.75, 93.90), (85.56, 89.91, 94.26)),
    *((85.60, 90.08, 94.56), (85.98, 90.38, 94.79), (86.27, 90.66, 95.04), (86.82, 90.86, 94.91)),
    *((86.86, 90.88, 94.90), (86.91, 90.90, 94.89), (87.12, 90.99, 94.86), (87.63, 91.15, 94.67)),
    *((87.83, 91.19, 94.55), (87.56, 91.12, 94.68), (87.76, 91.17, 94.57), (87.97, 91.25, 94.53)),
    *((87.95, 91.24, 94.53), (87.96, 91.17, 94.37), (87.95, 91.05, 94.15)),
)


def walk(count: int, seed: int = 7, price: float = 40_000.0) -> list[float]:
    """A random walk of closes, in steps of about 0.2 %."""
    chance = random.Random(seed)
    closes = [price]
    while len(closes) < count:
        closes.append(round(closes[-1] * (1 + chance.gauss(0, 0.002)), 2))
    return closes


def held(side: Any, price: float = 1.0) -> Holding:
    """A position."""
    return Holding(side=side, quantity=1.0, entry_price=price, unrealized_pnl=0.0, opened_at=BEGIN)


def decided(
    name: str, closes: Sequence[float], side: Any = None, spread: float = 0.0, **params: Any
) -> Signal:
    """What the strategy says of these closes while it holds a position of ``side``, or none."""
    position = None if side is None else held(side)
    candles = Candles.of(closing(closes, spread))
    signal = KINDS[name].make(params).decide(candles, position)
    assert signal is not None
    return signal


@pytest.mark.parametrize("scale", [1, 1e-8, 1e8])
def test_the_rsi_is_that_of_the_published_table(scale: float) -> None:
    values = rsi(np.array(RSI_CLOSES) * scale, 14)
    assert np.isnan(values[:14]).all()
    assert values[14:] == pytest.approx(RSI_14, abs=0.0005)


def test_the_rsi_is_100_where_all_rise_0_where_all_fall_and_50_where_nothing_moves() -> None:
    assert rsi(np.arange(1.0, 30.0), 14)[-1] == 100
    assert rsi(np.arange(30.0, 1.0, -1.0), 14)[-1] == 0
    assert rsi(np.full(30, 0.1), 14)[-1] == 50


def test_the_ema_is_that_of_the_published_table() -> None:
    values = talib.EMA(np.array(EMA_CLOSES), 10)
    assert values[9:] == pytest.approx(EMA_10, abs=0.0051)


@pytest.mark.parametrize("scale", [1, 1e-8, 1e8])
def test_the_bollinger_bands_are_those_of_the_published_table(scale: float) -> None:
    closes = np.array(BAND_CLOSES) * scale
    found = [bands(closes[: end + 1], 20, 2.0) for end in range(19, len(closes))]
    assert np.array(found) / scale == pytest.approx(np.array(BANDS), abs=0.0101)


def test_bollinger_bands_have_no_width_where_the_price_never_moves() -> None:
    assert bands(np.full(20, 0.1), 20, 2.0) == (0.1, 0.1, 0.1)


def test_the_strategies_are_offered_in_their_order() -> None:
    assert [(kind.id, kind.name) for kind in BUILT_IN] == [
        ("ema_crossover", "EMA crossover"),
        ("rsi_reversion", "RSI mean reversion"),
        ("donchian_breakout", "Donchian breakout"),
        ("bollinger_reversion", "Bollinger reversion"),
        ("buy_and_hold", "Buy and hold"),
        ("signals", "Signals from outside"),
    ]


CROSSING = [20.0, 19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 18.0]


def test_an_ema_crossover_buys_on_the_candle_of_the_cross_and_then_holds() -> None:
    def at(count: int) -> Signal:
        return decided("ema_crossover", [*CROSSING, 19.0][:count], fast=2, slow=3)

    assert at(7).side == "hold"
    assert at(7).reason == "EMA 2 at 14.5 is below EMA 3 at 15"
    assert at(8).side == "buy"
    assert at(8).reason == "EMA 2 at 16.8333333 crossed above EMA 3 at 16.5"
    # the close lies 1.5 above; the ranges are 1 and then 4: (2 * 1 + 4) / 3 = 2, three times that
    assert at(8).confidence == pytest.approx(1.5 / 6)
    assert (at(9).side, at(9).confidence) == ("hold", 0)


def test_an_ema_crossover_sells_on_a_cross_downwards() -> None:
    down = [40 - close for close in CROSSING]
    signal = decided("ema_crossover", down, side="long", fast=2, slow=3)
    assert signal.side == "sell"
    assert "crossed below" in signal.reason
    assert signal.confidence == pytest.approx(1.5 / 6)


def test_an_ema_crossover_needs_a_fast_and_a_slow_average() -> None:
    with pytest.raises(InvalidRequest, match=r"EMA crossover: the fast EMA \(26\) must have fewer"):
        KINDS["ema_crossover"].make({"fast": 26})


# by one each time, and then by ten: the RSI is at 0
FALLING = [float(100 - place) for place in range(12)]


def test_an_rsi_that_comes_back_up_buys_and_closes_in_the_middle() -> None:
    closes = [*FALLING, 79.0, 82.0]
    assert decided("rsi_reversion", closes[:-1], period=2).side == "hold"
    assert decided("rsi_reversion", closes[:-1], period=2).reason == "RSI 2 at 0.0 is below 30"
    signal = decided("rsi_reversion", closes, period=2)
    # Wilder's averages: of gains (0 + 3) / 2, of losses (5.5 + 0) / 2
    assert signal == Signal("buy", 1, "RSI 2 at 35.3 is back above 30")
    assert decided("rsi_reversion", closes, side="long", period=2).side == "buy"
    closes.append(86.0)
    assert decided("rsi_reversion", closes, side="long", period=2) == Signal(
        "close", 1, "RSI 2 at 66.7 is back at 50"
    )
    assert decided("rsi_reversion", closes, period=2).side == "hold"


def test_an_rsi_that_comes_back_down_sells_and_closes_in_the_middle() -> None:
    closes = [200 - close for close in (*FALLING, 79.0, 82.0)]
    assert decided("rsi_reversion", closes[:-1], period=2).reason == "RSI 2 at 100.0 is above 70"
    signal = decided("rsi_reversion", closes, period=2)
    assert signal == Signal("sell", 1, "RSI 2 at 64.7 is back below 70")
    closes.append(114.0)
    assert decided("rsi_reversion", closes, side="short", period=2).side == "close"
    assert decided("rsi_reversion", closes, side="long", period=2).side == "hold"


def test_the_deeper_an_rsi_was_the_surer_is_its_buy() -> None:
    closes = [*FALLING, 79.0, 82.0]
    # it was at 0
    for lower, sure in ((5.0, 0.5), (8.0, 0.8), (10.0, 1), (30.0, 1)):
        assert decided("rsi_reversion", closes, period=2, lower=lower).confidence == sure


RANGE = [10.0, 11.0, 10.0, 11.0, 10.0, 11.0]


def test_a_breakout_is_beyond_the_candles_before_the_newest() -> None:
    signal = decided("donchian_breakout", [*RANGE, 12.0], entry=5, exit=3)
    assert signal.side == "buy"
    assert signal.reason == "Close 12 is above 11, the range of 5 candles"
    # every range is 1, and the close is 1 above
    assert signal.confidence == 1
    assert decided("donchian_breakout", [*RANGE, 11.5], entry=5, exit=3).confidence == (
        pytest.approx(0.5 / 0.9)
    )
    assert decided("donchian_breakout", [*RANGE, 9.5], entry=5, exit=3).side == "sell"
    within = decided("donchian_breakout", [*RANGE, 11.0], entry=5, exit=3)
    assert within == hold("Close 11 is within 10 to 11")


def test_a_breakout_ends_at_the_other_side_of_a_shorter_range() -> None:
    closes = [10.0, 20.0, 18.0, 19.0, 18.0, 17.0]
    for side, wanted in (("long", "close"), ("short", "hold"), (None, "hold")):
        assert decided("donchian_breakout", closes, side=side, entry=5, exit=2).side == wanted
    signal = decided("donchian_breakout", closes, side="long", entry=5, exit=2)
    assert signal == Signal("close", 1, "Close 17 is below 18, the range of 2 candles")
    closes = [10.0, 1.0, 3.0, 2.0, 3.0, 4.0]
    assert decided("donchian_breakout", closes, side="short", entry=5, exit=2).side == "close"


def test_a_breakout_ends_no_later_than_another_begins() -> None:
    with pytest.raises(InvalidRequest, match=r"the exit \(21\) must not have more candles"):
        KINDS["donchian_breakout"].make({"exit": 21})
    KINDS["donchian_breakout"].make({"exit": 20})


def test_bollinger_buys_below_the_bands_sells_above_and_closes_at_the_middle() -> None:
    flat = [10.0, 12.0] * 5
    # the average of the newest ten is 10.6, their deviation 1.8
    low = decided("bollinger_reversion", [*flat, 6.0], period=10)
    assert low.side == "buy"
    assert low.reason == "Close 6 is below the lower band at 7"
    assert low.confidence == pytest.approx((7 - 6) / 3.6)
    assert decided("bollinger_reversion", [*flat, 16.0], side="long", period=10).side == "sell"
    middle = decided("bollinger_reversion", [*flat, 11.5], side="long", period=10)
    assert middle == Signal("close", 1, "Close 11.5 is back at the middle band at 11.15")
    for side in (None, "short"):
        within = decided("bollinger_reversion", [*flat, 11.5], side=side, period=10)
        assert within.side == "hold"
        assert within.reason.startswith("Close 11.5 is within the bands, 9.")


def test_buy_and_hold_buys_unless_it_is_long() -> None:
    assert decided("buy_and_hold", [9.5]) == Signal("buy", 1, "Not long, at 9.5")
    assert decided("buy_and_hold", [9.5], side="short").side == "buy"
    assert decided("buy_and_hold", [9.5], side="long") == hold("Long from 1")


def test_signals_from_outside_are_waited_for() -> None:
    assert decided("signals", [9.5]) == hold("Waits for signals from outside")


@each_kind
def test_too_few_candles_make_no_decision(kind: Kind) -> None:
    made = kind.make({})
    enough = enough_of(made)
    few = made.decide(Candles.of(closing(walk(enough)[1:])), None)
    if enough > 1:
        assert few == hold(f"Needs {enough} candles, has {enough - 1}")
    assert "Needs" not in str(made.decide(Candles.of(closing(walk(enough))), None))


@each_kind
def test_every_value_that_is_offered_can_be_used(kind: Kind) -> None:
    for ends in ("least", "most"):
        params = {each.name: getattr(each, ends) for each in kind.parameters}
        made = kind.make(params)
        assert enough_of(made) <= lookback_of(made) < MOST_LOOKBACK
        signal = made.decide(Candles.of(closing(walk(lookback_of(made)))), None)
        assert isinstance(signal, Signal)


@each_kind
def test_a_lookback_is_long_enough_that_more_candles_change_no_decision(kind: Kind) -> None:
    made = kind.make({})
    buffer = CandleBuffer()
    for candle in closing(walk(1500), spread=0.001):
        buffer.add(candle)
        if len(buffer) > 900:
            short, long = buffer.window(lookback_of(made)), buffer.window(900)
            assert _side(made, short) == _side(made, long)


def _side(made: Any, candles: Candles) -> str:
    return str(made.decide(candles, None).side)


@each_kind
def test_candles_that_come_later_change_no_decision(kind: Kind) -> None:
    made = kind.make({})
    buffer, windows, before = CandleBuffer(), [], []
    for candle in closing(walk(400), spread=0.001):
        buffer.add(candle)
        windows.append(buffer.window(lookback_of(made)))
        before.append(made.decide(windows[-1], None))
    assert [made.decide(window, None) for window in windows] == before


PRICES = st.floats(1e-9, 1e9)
STEPS = st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1, 2.0])


@st.composite
def series(draw: st.DrawFn) -> list[float]:
    """Closes: any, or a walk from one."""
    if draw(st.booleans()):
        return draw(st.lists(PRICES, min_size=1, max_size=90))
    closes = [draw(PRICES)]
    for step in draw(st.lists(STEPS, max_size=90)):
        closes.append(min(1e12, max(1e-12, closes[-1] * step)))
    return closes


POSITIONS = st.sampled_from([None, held("long"), held("short")])


@each_kind
@settings(max_examples=40)
@given(series(), POSITIONS, st.sampled_from([0.0, 0.01]), st.integers(-20, 20))
def test_whatever_the_prices_a_decision_is_sound_repeatable_and_the_same_in_any_unit(
    kind: Kind, closes: list[float], position: Holding | None, spread: float, power: int
) -> None:
    made = kind.make({})
    candles = Candles.of(closing(closes, spread))
    signal: Any = made.decide(candles, position)
    assert 0 <= signal.confidence <= 1
    assert (signal.side == "hold") <= (signal.confidence == 0)
    assert 0 < len(signal.reason) <= 120
    assert kind.make({}).decide(candles, position) == signal
    # by a power of two, so that no digit is lost
    scaled: Any = made.decide(
        Candles.of(closing([close * 2.0**power for close in closes], spread)), position
    )
    assert scaled.side == signal.side
    assert scaled.confidence == pytest.approx(signal.confidence, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (43210.5, "43,210.5"),
        (43210.0, "43,210"),
        (100000.1, "100,000.1"),
        (1234567.8, "1,234,567.8"),
        (999999.9, "999,999.9"),
        (9999999999.9, "10,000,000,000"),
        (100 / 3, "33.3333333"),
        (0.0001234567, "0.0001234567"),
        (0.00001234567, "0.00001234567"),
        (0.0000123, "0.0000123"),
        (5.9876e-7, "0.00000059876"),
        (-1.25e-9, "-0.00000000125"),
        (1.0, "1"),
        (0.0, "0"),
        (float("nan"), "nan"),
    ],
)
def test_a_price_is_shown_with_nine_digits_that_count(price: float, text: str) -> None:
    assert shown(price) == text


@pytest.mark.parametrize(
    ("distance", "scale", "sure"),
    [(1, 4, 0.25), (5, 4, 1), (-1, 4, 0), (1, 0, 0), (0, 0, 0), (float("nan"), 1, 0)],
)
def test_how_sure_a_distance_makes_lies_between_0_and_1(
    distance: float, scale: float, sure: float
) -> None:
    assert strength(distance, scale) == sure
