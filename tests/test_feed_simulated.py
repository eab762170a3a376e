"""The simulated market: believable, the same from the same seed, and never with a seam."""

from __future__ import annotations

import json
import math
import statistics
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from balance.core.instruments import KNOWN
from balance.core.quote import Quote
from balance.market.feed import Feed, FeedFault
from balance.market.simulated.feed import DEFAULT_SEED, SimulatedFeed
from balance.market.simulated.walk import CHARACTERS, Walk
from tests.patience import patience

BEGIN = datetime(2026, 3, 4, 7, 59, 30, tzinfo=UTC)
SYMBOLS = list(CHARACTERS)
DAYS = 30


class Clock:
    """A wall clock that stands still but while somebody waits."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self.now = now

        # Seconds that went by, whatever became of the clock.
        self.waited = 0.0

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.waited += seconds


def fresh(clock: Clock | None = None, **how: Any) -> SimulatedFeed:
    """A market on a clock of its own, unless it is given one."""
    clock = clock or Clock()
    return SimulatedFeed(clock=clock, wait=clock.wait, steady=lambda: clock.waited, **how)


@cache
def begun() -> dict[str, Any]:
    """A market that has just begun, as it is saved."""
    return fresh().saved()


def market(clock: Clock | None = None) -> SimulatedFeed:
    """The same market as a fresh one, only quicker."""
    return fresh(clock, saved=begun())


def told(feed: Feed, moments: int) -> list[Quote]:
    """The quotes of the next moments."""
    return [quote for _ in range(moments) for quote in feed.next(1)]


@cache
def minutes() -> dict[str, list[float]]:
    """The moves of the logarithms in each minute of ``DAYS``."""
    walk = Walk(DEFAULT_SEED)
    moves: dict[str, list[float]] = {symbol: [] for symbol in SYMBOLS}
    for _ in range(DAYS * 24 * 60):
        for symbol, move in walk.step(60).items():
            moves[symbol].append(math.log(move.price / move.before))
    return moves


def test_the_same_seed_and_the_same_clock_give_the_same_market() -> None:
    one, other, third = fresh(), market(), fresh(seed=2)
    assert one.candles("BTC/USDT", 60, 3000) == other.candles("BTC/USDT", 60, 3000)
    quotes = told(one, 50)
    assert quotes == told(other, 50)
    assert quotes != told(third, 50)
    assert (one.id, third.id) == ("simulated", "simulated:2")
    assert one.label == third.label == "SIMULATED"


@pytest.mark.parametrize(
    ("symbol", "least", "most"),
    [("BTC/USDT", 0.5, 0.7), ("ETH/USDT", 0.6, 0.9), ("SOL/USDT", 0.75, 1.1)],
)
def test_it_is_as_volatile_as_such_a_market(symbol: str, least: float, most: float) -> None:
    assert least < statistics.pstdev(minutes()[symbol]) * math.sqrt(365 * 24 * 60) < most


def test_the_symbols_move_together_but_not_alike() -> None:
    for one, other in (SYMBOLS[:2], SYMBOLS[1:], SYMBOLS[::2]):
        assert 0.6 < statistics.correlation(minutes()[one], minutes()[other]) < 0.85


def test_restless_minutes_come_together() -> None:
    sizes = [abs(move) for move in minutes()["BTC/USDT"]]
    assert statistics.correlation(sizes[:-1], sizes[1:]) > 0.1


def test_it_jumps_a_few_times_a_day() -> None:
    usual = statistics.median(abs(move) for move in minutes()["BTC/USDT"])
    jumps = [move for move in minutes()["BTC/USDT"] if abs(move) > max(0.003, 8 * usual)]
    assert 1 <= len(jumps) / DAYS <= 6
    assert max(map(abs, jumps)) < 0.02


def test_prices_stay_near_where_they_began() -> None:
    for symbol in SYMBOLS:
        place = 0.0
        for move in minutes()[symbol]:
            place += move
            assert abs(place) < math.log(3), symbol


def test_much_is_traded_after_a_jump() -> None:
    candles = market().candles("BTC/USDT", 60, 10_000)
    usual = statistics.median(candle.volume for candle in candles)
    jumped = max(candles, key=lambda candle: abs(candle.close / candle.open - 1))
    assert jumped.volume > 3 * usual > 0


def test_quotes_come_four_times_a_second_on_the_tick() -> None:
    feed = market()
    quotes = told(feed, 240)
    assert [quote.symbol for quote in quotes[:3]] == SYMBOLS
    assert {quote.time.microsecond for quote in quotes} == {0, 250_000, 500_000, 750_000}
    ours = [quote for quote in quotes if quote.symbol == "BTC/USDT"]
    steps = {after.time - before.time for before, after in pairwise(ours)}
    assert steps == {timedelta(milliseconds=250)}
    for quote in quotes:
        tick = KNOWN[quote.symbol].tick_size
        assert quote.bid + tick <= quote.ask <= quote.bid + 40 * tick
        assert quote.last in (quote.bid, quote.ask)
        assert abs(quote.mark / quote.last - 1) < Decimal("0.016")
        assert all(price % tick == 0 for price in (quote.bid, quote.ask, quote.mark))


def test_the_mark_is_smoother_than_the_last_price() -> None:
    quotes = [quote for quote in told(market(), 1000) if quote.symbol == "ETH/USDT"]
    pairs = list(pairwise(quotes))
    lasts = sum(abs(after.last - before.last) for before, after in pairs)
    marks = sum(abs(after.mark - before.mark) for before, after in pairs)
    assert 0 < marks < lasts
    off = statistics.median(abs(quote.mark / quote.last - 1) for quote in quotes)
    assert off < Decimal("0.0002")


def test_the_past_fills_a_chart_and_ends_in_the_present_price() -> None:
    feed = market()
    for symbol in SYMBOLS:
        candles = feed.candles(symbol, 60, 10_000)
        assert len(candles) >= 2 * 24 * 60
        assert candles[-1].time == BEGIN.replace(second=0) - timedelta(minutes=1)
        times = {after.time - c.time for c, after in pairwise(candles)}
        assert times == {timedelta(minutes=1)}
        assert all(c.low <= min(c.open, c.close) for c in candles)
        assert all(max(c.open, c.close) <= c.high for c in candles)
    first = {quote.symbol: quote for quote in told(feed, 1)}
    for symbol in SYMBOLS:
        before = feed.candles(symbol, 60, 2)[0].close
        assert abs(first[symbol].last / before - 1) < Decimal("0.002")


def test_the_running_candle_is_made_of_the_quotes() -> None:
    feed = market(Clock(BEGIN.replace(second=59, microsecond=750_000)))
    eight = BEGIN.replace(hour=8, minute=0, second=0)
    quotes = [quote for quote in told(feed, 200) if quote.symbol == "SOL/USDT"]
    lasts = [quote.last for quote in quotes if quote.time >= eight]
    running = feed.candles("SOL/USDT", 60, 1)[0]
    assert running.time == eight
    assert 190 < len(lasts) < 200
    assert (running.open, running.close) == (lasts[0], lasts[-1])
    assert (running.high, running.low) == (max(lasts), min(lasts))
    assert running.volume > 0


def test_it_goes_on_after_a_restart_exactly_where_it_was() -> None:
    clock = Clock()
    feed = market(clock)
    told(feed, 100)
    kept = json.loads(json.dumps(feed.saved()))
    again = fresh(Clock(clock.now), saved=kept)
    assert again.candles("BTC/USDT", 60, 3000) == feed.candles("BTC/USDT", 60, 3000)
    assert told(feed, 300) == told(again, 300)


def test_it_stood_still_while_the_program_did_not_run() -> None:
    clock = Clock()
    feed = market(clock)
    before = {quote.symbol: quote for quote in told(feed, 100)}
    kept = feed.saved()
    stopped, clock.now = clock.now, clock.now + timedelta(hours=9)
    again = fresh(clock, saved=kept)
    assert list(again.missed(stopped)) == []
    for quote in told(again, 1):
        assert abs(quote.last / before[quote.symbol].last - 1) < Decimal("0.001")
        assert quote.time >= clock.now
        assert abs(again.candles(quote.symbol, 60, 1)[0].time - quote.time) < timedelta(minutes=1)
    assert len(again.candles("BTC/USDT", 60, 3000)) == 3000
    # the settlement at 16:00 was missed: at the price at which the market stood still
    settled = again.settlement("BTC/USDT", datetime(2026, 3, 4, 16, tzinfo=UTC))
    assert settled is not None
    assert settled.mark == before["BTC/USDT"].last


def test_saving_is_small_however_long_it_ran() -> None:
    clock = Clock()
    feed = market(clock)
    for _ in range(3):
        clock.now += timedelta(minutes=5)
        told(feed, 10)
        kept = feed.saved()
        assert len(json.dumps(kept)) < 300_000


def _without(kept: dict[str, Any], *path: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(kept))
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return changed


@pytest.mark.parametrize(
    "path",
    [
        ("seed",),
        ("time",),
        ("walk",),
        ("walk", "chance"),
        ("walk", "logs", "BTC/USDT"),
        ("candles", "SOL/USDT"),
    ],
)
def test_what_is_damaged_is_refused_in_words(path: tuple[str, ...]) -> None:
    with pytest.raises(FeedFault, match="can't go on where it stopped"):
        fresh(saved=_without(begun(), *path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 3),
        ("time", "yesterday"),
        ("time", 5),
        ("walk", []),
        ("candles", {"BTC/USDT": "eNq=", "ETH/USDT": "", "SOL/USDT": ""}),
        ("candles", None),
    ],
)
def test_what_is_of_another_market_is_refused_in_words(name: str, value: Any) -> None:
    with pytest.raises(FeedFault, match="can't go on where it stopped"):
        fresh(saved={**begun(), name: value})


def test_funding_is_settled_at_the_last_price_before_it() -> None:
    feed = market()
    eight = BEGIN.replace(hour=8, minute=0, second=0)
    assert feed.settlement("BTC/USDT", eight) is None, "still to come"
    quotes = [quote for quote in told(feed, 240) if quote.symbol == "BTC/USDT"]
    early = [quote for quote in quotes if quote.time < eight]
    late = [quote for quote in quotes if quote.time >= eight]
    settled = feed.settlement("BTC/USDT", eight)
    assert settled is not None
    assert settled.mark == early[-1].last
    assert {quote.funding_rate for quote in early} == {settled.rate}
    assert settled.rate not in {quote.funding_rate for quote in late}
    assert feed.settlement("BTC/USDT", eight - timedelta(days=30)) is None, "no price is known"


def test_funding_rates_are_small_and_mostly_paid_by_longs() -> None:
    feed = market()
    days = [BEGIN.replace(hour=0, minute=0, second=0) - timedelta(days=day) for day in range(3)]
    rates = []
    for symbol in SYMBOLS:
        for instant in (day + timedelta(hours=hour) for day in days for hour in (0, 8, 16)):
            settled = feed.settlement(symbol, instant)
            if settled is not None:
                rates.append(settled.rate)
    assert len(set(rates)) > 15
    assert all(abs(rate) <= Decimal("0.0005") for rate in rates)
    assert Decimal("0.00005") < statistics.mean(rates) < Decimal("0.00015")


def test_the_change_of_a_day_is_against_the_price_24_hours_before() -> None:
    feed = market()
    quote = told(feed, 1)[0]
    then = quote.time - timedelta(days=1)
    candles = feed.candles("BTC/USDT", 60, 10_000)
    assert quote.day_open == [c.close for c in candles if c.time <= then - timedelta(minutes=1)][-1]


def test_longer_candles_are_made_of_those_of_a_minute() -> None:
    feed = market()
    told(feed, 300)
    short, hours = feed.candles("ETH/USDT", 60, 10_000), feed.candles("ETH/USDT", 3600, 24)
    assert len(hours) == 24
    assert hours[-1].close == short[-1].close
    within = [candle for candle in short if candle.time >= hours[0].time]
    assert hours[0].open == within[0].open
    assert max(hour.high for hour in hours) == max(candle.high for candle in within)
    assert sum(hour.volume for hour in hours) == sum(candle.volume for candle in within)


def test_a_clock_set_back_neither_stops_it_nor_turns_time_round() -> None:
    clock = Clock()
    feed = market(clock)
    last = told(feed, 10)[-1].time
    clock.now -= timedelta(hours=1)
    # whoever waits in small bites gets the quotes as well
    times = [quote.time for _ in range(100) for quote in feed.next(0.1)]
    assert len(times) > 90
    assert times == sorted(times)
    assert times[0] > last


def test_nothing_comes_before_its_time() -> None:
    clock = Clock(BEGIN + timedelta(milliseconds=10))
    feed = market(clock)
    told(feed, 1)
    assert feed.state == "live"
    assert [len(feed.next(0.1)) for _ in range(6)] == [0, 0, 3, 0, 0, 3]
    for _ in range(50):
        assert all(quote.time <= clock.now for quote in feed.next(0.07))


def test_stop_wakes_who_waits() -> None:
    feed = SimulatedFeed()
    feed.start()
    assert (feed.state, feed.message) == ("waiting", "")
    ended = threading.Event()

    def run() -> None:
        while feed.next(10 * patience()) or feed.state == "waiting":
            feed.stop()
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ended.wait(patience())
    assert feed.next(60) == ()
