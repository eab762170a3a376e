"""Candles: longer ones keep what shorter ones told, and the way within one is a way it can have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.candles import interval_of, merge_candles, merge_into_one, path, quote_of_trade
from balance.core.instruments import KNOWN
from balance.core.quote import Candle

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
PRICES = st.integers(1, 10_000).map(Decimal)


@st.composite
def series(draw: st.DrawFn) -> list[Candle]:
    """Candles of a minute, some of them missing."""
    gaps = draw(st.lists(st.integers(1, 90), min_size=1, max_size=30))
    candles, time = [], BEGIN
    for gap in gaps:
        low, opened, close, high = sorted(draw(st.tuples(PRICES, PRICES, PRICES, PRICES)))
        if draw(st.booleans()):
            opened, close = close, opened
        time += timedelta(minutes=gap)
        volume = draw(st.integers(0, 1000).map(Decimal))
        candles.append(
            Candle(time=time, open=opened, high=high, low=low, close=close, volume=volume)
        )
    return candles


@given(series(), st.sampled_from([60, 300, 900, 3600, 86400]))
def test_longer_candles_keep_highs_lows_volume_and_ends(
    candles: list[Candle], seconds: int
) -> None:
    longer = list(merge_candles(candles, seconds))
    assert max(c.high for c in longer) == max(c.high for c in candles)
    assert min(c.low for c in longer) == min(c.low for c in candles)
    assert sum(c.volume for c in longer) == sum(c.volume for c in candles)
    assert (longer[0].open, longer[-1].close) == (candles[0].open, candles[-1].close)


@given(series(), st.sampled_from([60, 300, 3600]))
def test_longer_candles_begin_on_their_interval_and_only_where_there_was_one(
    candles: list[Candle], seconds: int
) -> None:
    longer = [candle.time for candle in merge_candles(candles, seconds)]
    assert longer == sorted({interval_of(candle.time, seconds) for candle in candles})


@given(series())
def test_in_two_steps_they_become_the_same(candles: list[Candle]) -> None:
    assert list(merge_candles(merge_candles(candles, 300), 3600)) == list(
        merge_candles(candles, 3600)
    )


@given(series())
def test_two_joined_span_both(candles: list[Candle]) -> None:
    for candle, later in pairwise(candles):
        both = merge_into_one(candle.time, (candle, later))
        assert both.low <= min(both.open, both.close) <= max(both.open, both.close) <= both.high
        assert (both.time, both.open, both.close) == (candle.time, candle.open, later.close)


@given(series(), st.sampled_from([60, 3600]))
def test_the_way_within_a_candle_touches_all_its_prices(
    candles: list[Candle], seconds: int
) -> None:
    for candle in candles:
        times, prices = zip(*path(candle, seconds), strict=True)
        assert (prices[0], prices[-1]) == (candle.open, candle.close)
        assert (max(prices), min(prices)) == (candle.high, candle.low)
        assert times[0] == candle.time
        assert {b - a for a, b in pairwise(times)} == {timedelta(seconds=seconds / 4)}


def test_a_rising_candle_goes_down_first_and_a_falling_one_up() -> None:
    rising = Candle(
        time=BEGIN,
        open=Decimal(10),
        high=Decimal(14),
        low=Decimal(8),
        close=Decimal(12),
        volume=Decimal(1),
    )
    assert [int(price) for _, price in path(rising)] == [10, 8, 14, 12]
    falling = Candle(
        time=BEGIN,
        open=Decimal(12),
        high=Decimal(14),
        low=Decimal(8),
        close=Decimal(10),
        volume=Decimal(1),
    )
    assert [int(price) for _, price in path(falling)] == [12, 14, 8, 10]


def test_an_interval_is_counted_from_midnight_utc() -> None:
    moment = datetime(2022, 1, 31, 22, 59, 59, 999_999, tzinfo=UTC)
    assert interval_of(moment, 60) == datetime(2022, 1, 31, 22, 59, tzinfo=UTC)
    assert interval_of(moment, 14_400) == datetime(2022, 1, 31, 20, tzinfo=UTC)
    assert interval_of(moment, 86_400) == datetime(2022, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("day", range(1, 8))
def test_a_week_begins_on_monday(day: int) -> None:
    monday = datetime(2023, 5, 1, tzinfo=UTC)
    for hour in (0, 23):
        assert interval_of(datetime(2023, 5, day, hour, tzinfo=UTC), 604_800) == monday
    fortnight = interval_of(datetime(2023, 5, day, tzinfo=UTC), 1_209_600)
    assert fortnight.weekday() == 0


def test_days_make_weeks_from_monday_on() -> None:
    days = [
        Candle(
            time=datetime(2023, 5, 1, tzinfo=UTC) + number * timedelta(days=1),
            open=Decimal(number + 1),
            high=Decimal(number + 1),
            low=Decimal(number + 1),
            close=Decimal(number + 1),
            volume=Decimal(1),
        )
        for number in range(14)
    ]
    first, second = merge_candles(days, 604_800)
    assert (first.time, first.open, first.close) == (days[0].time, 1, 7)
    assert (second.time, second.open, second.close) == (days[7].time, 8, 14)


def test_a_trade_is_quoted_with_the_ask_a_tick_above() -> None:
    quote = quote_of_trade(KNOWN["BTC/USDT"], BEGIN, Decimal("46319.0"))
    assert (quote.bid, quote.last, quote.mark) == (Decimal(46319),) * 3
    assert quote.ask == Decimal("46319.1")
    assert (quote.funding_rate, quote.day_open) == (None, None)
