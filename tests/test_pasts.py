"""The past that is tested on: the same as a replay tells, and no more than is known."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance import InvalidRequest
from balance.backtests.candles import (
    history_of_feed,
    history_of_file,
    plan_backtest,
    starting_balance,
    symbol_of,
)
from balance.core.candles import interval_of
from balance.core.errors import InvalidAmount
from balance.core.instruments import KNOWN
from balance.core.quote import Candle, Settlement
from balance.market.replay.candle_file import candles_in, read_candles
from balance.market.replay.feed import ReplayFeed
from balance.market.simulated.feed import DEFAULT_SEED, SimulatedFeed, simulated_id, simulated_seed
from balance.strategies.own import Catalogue
from tests.backtesting import BEGIN, MINUTE, bodies, csv_of, past, script, settings
from tests.markets import BTC

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("seconds", [60, 300, 3_600])
@pytest.mark.parametrize("column", [False, True])
def test_the_settlements_of_a_file_are_those_of_its_replay(
    tmp_path: Path, seconds: int, column: bool
) -> None:
    chance = random.Random(seconds)
    lines = [f"time,open,high,low,close,volume{',fundingRate' * column}"]
    for number in range(3 * 86_400 // seconds):
        # gaps, also where something is settled
        if chance.random() < 0.2 or 400 < number * seconds // 60 < 700:
            continue
        price = 1_000 + chance.randrange(100)
        time = BEGIN.replace(minute=0) + number * timedelta(seconds=seconds)
        rate = chance.choice(["", "0.0001", "-0.0002"])
        lines.append(f"{time},{price},{price + 5},{price - 5},{price + 1},1{f',{rate}' * column}")
    file = tmp_path / "btc-usdt.csv"
    file.write_text("\n".join(lines))
    usual = Decimal("0.0003")
    made = history_of_file(read_candles(file), BTC, usual)
    replay = ReplayFeed({BTC: file}, speed=None, funding_rate=usual)
    told: dict[datetime, Settlement | None] = {}
    instant = BEGIN.replace(minute=0)
    while quotes := replay.next(0):
        while quotes and instant <= quotes[0].time:
            # as the engine asks: at the first quote that is not before it
            told[instant] = replay.settlement(BTC, instant)
            instant += HOUR
    assert len(told) > 60
    assert {each: made.settlement(each) for each in told} == told
    assert len({each.rate for each in told.values() if each}) == (3 if column else 1)


def test_a_file_without_rates_has_no_settlements_unless_one_is_named() -> None:
    file = candles_in([("btcusdt.csv", csv_of(bodies(*[1_000] * 600)).encode())])
    instant = BEGIN.replace(hour=8, minute=0)
    assert history_of_file(file, BTC).settlement(instant) is None
    told = history_of_file(file, BTC, Decimal("0.0001")).settlement(instant)
    assert told == Settlement(rate=Decimal("0.0001"), mark=Decimal(1_000))


def test_a_file_that_is_wrong_says_where() -> None:
    with pytest.raises(InvalidRequest, match=r'^mine\.csv line 2: open "x" is not'):
        candles_in([("mine.csv", b"time,open,high,low,close,volume\n2022-01-01,x,1,1,1,1\n")])
    with pytest.raises(InvalidRequest, match=r"^mine\.csv is empty\.$"):
        candles_in([("mine.csv", b"")])


@pytest.mark.parametrize(
    ("name", "asked", "symbol"),
    [
        ("BTCUSDT-1m-2022-01.csv", None, "BTC/USDT"),
        ("BTCUSDT-1m-2022-01.csv", "btc-usdt", "BTC/USDT"),
        ("Binance_ETH_USDT_1h.csv", None, "ETH/USDT"),
        ("mine.csv", "doge/usdt", "DOGE/USDT"),
        ("mine.csv", "SOLUSDT", "SOL/USDT"),
    ],
)
def test_the_symbol_of_a_file_is_said_by_its_name_or_by_a_person(
    name: str, asked: str | None, symbol: str
) -> None:
    assert symbol_of(name, asked) == symbol


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("mine.csv", None, "The name of mine.csv does not say of which symbol"),
        ("mine.csv", "nonsense", "The symbol must be such as BTC/USDT, not 'nonsense'"),
        ("mine.csv", 5, "The symbol must be such as BTC/USDT, not 5"),
        ("BTCUSDT.csv", "ETH/USDT", "BTCUSDT.csv has candles of BTC/USDT, not of ETH/USDT"),
    ],
)
def test_a_symbol_that_is_not_clear_is_asked_for(name: str, asked: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        symbol_of(name, asked)
    assert str(refused.value).startswith(words)


class Shelf:
    """Candles as a feed has them at hand."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        self.candles = candles
        self.asked: list[tuple[str, datetime]] = []

    def newest(self, symbol: str, _seconds: int, limit: int) -> Sequence[Candle]:
        assert symbol == BTC
        return self.candles[-limit:]

    def settlement(self, symbol: str, instant: datetime) -> None:
        self.asked.append((symbol, instant))


@pytest.mark.parametrize("seconds", [60, 900])
def test_the_past_of_a_feed_ends_before_the_candle_that_grows(seconds: int) -> None:
    made = [
        each if seconds == 60 else Candle(**{**_members(each), "time": BEGIN + number * HOUR / 4})
        for number, each in enumerate(bodies(*range(100, 120)))
    ]
    shelf = Shelf(made)
    found = history_of_feed(shelf.newest, shelf.settlement, KNOWN[BTC])
    assert list(found.candles) == made[:-1]
    assert (found.seconds, found.instrument) == (seconds, KNOWN[BTC])
    assert found.settlement(BEGIN) is None
    assert shelf.asked == [(BTC, BEGIN)]


def _members(candle: Candle) -> dict[str, Any]:
    return {name: getattr(candle, name) for name in candle.__slots__}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_feed_without_a_past_says_what_to_do(count: int) -> None:
    shelf = Shelf(bodies(*range(100, 101 + count)))
    with pytest.raises(InvalidRequest, match="No past prices of BTC/USDT are at hand"):
        history_of_feed(shelf.newest, shelf.settlement, KNOWN[BTC])


def test_the_simulated_market_can_be_tested_on_with_its_own_funding() -> None:
    feed = SimulatedFeed()
    found = history_of_feed(feed.candles, feed.settlement, feed.instruments[BTC])
    assert len(found.candles) == 3 * 1_440 - 1
    instant = found.candles[-1].time.replace(hour=0, minute=0)
    assert found.settlement(instant) == feed.settlement(BTC, instant)
    assert found.settlement(instant) is not None


@pytest.mark.parametrize(
    ("feed_id", "seed"),
    [
        (simulated_id(DEFAULT_SEED), DEFAULT_SEED),
        (simulated_id(7), 7),
        (simulated_id(-3), -3),
        ("replay:BTC/USDT=btc.csv", None),
        ("binance", None),
    ],
)
def test_the_seed_of_a_simulated_market_is_in_its_id(feed_id: str, seed: int | None) -> None:
    assert simulated_seed(feed_id) == seed


class TestStretch:
    """What of a past is tested, and what is known before."""

    ema = Catalogue().kind("ema_crossover").make({"fast": 2, "slow": 3})
    all_of_it = past(bodies(*range(1_000, 1_601)))

    def planned(self, timeframe: str = "1m", **how: Any) -> Any:
        """The first and the last minute that is tested, and how many are known before."""
        wanted = settings(timeframe=timeframe, strategy="ema_crossover")
        made = plan_backtest(
            self.all_of_it, wanted, self.ema, script(), balance=Decimal(500), **how
        )
        assert made.starting_balance == 500
        assert made.lookback == 34
        tested = made.history.candles[made.begin :]
        first, last = ((each.time - BEGIN) // MINUTE for each in (tested[0], tested[-1]))
        return first, last, made.begin

    def test_without_a_word_it_is_all(self) -> None:
        assert self.planned() == (0, 599, 0)

    def test_the_newest_hours_come_with_what_is_known_before(self) -> None:
        assert self.planned(hours=Decimal(2)) == (480, 599, 35)
        assert self.planned(hours=Decimal("0.5"), timeframe="5m") == (570, 599, 175)
        assert self.planned(hours=Decimal(9), timeframe="15m") == (60, 599, 60)

    @pytest.mark.parametrize("timeframe", ["1m", "5m"])
    def test_where_candles_are_missing_older_ones_are_known_before(self, timeframe: str) -> None:
        candles = [*self.all_of_it.candles[:400], *self.all_of_it.candles[450:]]
        wanted, begin = settings(timeframe=timeframe), BEGIN + 460 * MINUTE
        made = plan_backtest(
            past(candles), wanted, self.ema, script(), balance=Decimal(500), since=begin
        )
        frames = {
            interval_of(each.time, wanted.seconds) for each in made.history.candles[: made.begin]
        }
        assert len(frames) > made.lookback

    def test_more_hours_than_there_are_is_all(self) -> None:
        assert self.planned(hours=Decimal(10**12)) == (0, 599, 0)

    def test_it_may_begin_and_end_at_a_time(self) -> None:
        begin, end = BEGIN + 100 * MINUTE, BEGIN + 200 * MINUTE
        assert self.planned(since=begin) == (100, 599, 35)
        assert self.planned(until=end) == (0, 199, 0)
        assert self.planned(since=begin, until=end) == (100, 199, 35)
        assert self.planned(until=end, hours=Decimal(1)) == (140, 199, 35)

    @pytest.mark.parametrize(
        "how",
        [
            {"since": BEGIN + 600 * MINUTE},
            {"until": BEGIN},
            {"since": BEGIN + 20 * MINUTE, "until": BEGIN + 20 * MINUTE},
        ],
    )
    def test_an_empty_time_is_refused_with_what_there_is(self, how: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as refused:
            self.planned(**how)
        assert str(refused.value) == (
            "There are no candles in that time: they are from 2022-01-03 00:01 UTC to "
            "2022-01-03 10:01 UTC."
        )


@pytest.mark.parametrize(
    ("asked", "balance"), [(None, 10_000), (1, 1), ("250.5", Decimal("250.5")), (10**12, 10**12)]
)
def test_a_test_begins_with_the_balance_that_is_asked_for(asked: Any, balance: Any) -> None:
    assert starting_balance(asked) == balance


@pytest.mark.parametrize("asked", [0, -5, Decimal("0.99"), True, "x", float("nan"), 10**13])
def test_a_balance_that_nobody_could_trade_with_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidAmount):
        starting_balance(asked)
