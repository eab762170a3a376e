"""A replay tells every moment of its files once, in step, and never the future."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.core.quote import Quote
from balance.market.feed import Feed, FeedFault
from balance.market.replay.candle_file import read_candles
from balance.market.replay.feed import ReplayFeed
from tests.patience import patience

BEGIN = datetime(2022, 1, 1, 7, 58, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Files = Callable[..., dict[str, Path]]
#: Open, high, low, close: one up, one down, one that stays.
CANDLES = [(10, 14, 8, 12), (12, 13, 9, 11), (11, 11, 11, 11), (11, 16, 10, 15)]


class Clock:
    """A clock of which somebody's waiting is all the time that passes."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Writes a file for each symbol: rows of minutes since ``BEGIN`` and its candle's prices."""

    def written(more: Sequence[str] = (), **rows: Sequence[tuple[int, ...]]) -> dict[str, Path]:
        paths = {}
        for base, candles in rows.items():
            paths[f"{base}/USDT"] = path = tmp_path / f"{base.lower()}.csv"
            header = ",".join(["time,open,high,low,close,volume", *more])
            lines = [
                f"{BEGIN + minute * MINUTE},{','.join(map(str, figures))}"
                for minute, *figures in candles
            ]
            path.write_text("\n".join([header, *lines]))
        return paths

    return written


def candles(*minutes: int, base: int = 0) -> list[tuple[int, ...]]:
    """Rows for :func:`files`, at these minutes; each has a volume of 7."""
    return [
        (minute, *(price + base for price in CANDLES[place % len(CANDLES)]), 7)
        for place, minute in enumerate(minutes)
    ]


def replay(files: dict[str, Path], **how: Any) -> ReplayFeed:
    """A replay that waits for nothing."""
    return ReplayFeed(files, **{"speed": None, **how})


def rest(feed: Feed) -> list[Sequence[Quote]]:
    """All that still comes."""
    batches = []
    while feed.state != "ended":
        if batch := feed.next(1):
            batches.append(batch)
    return batches


def at(minute: float) -> datetime:
    """The market's time, so many minutes after the files' beginning."""
    return BEGIN + minute * MINUTE


def test_each_candle_becomes_four_moments_at_its_prices(files: Files) -> None:
    quotes = [quote for batch in rest(replay(files(BTC=candles(0, 1)))) for quote in batch]
    assert [int(quote.last) for quote in quotes] == [10, 8, 14, 12, 12, 13, 9, 11]
    assert [quote.time for quote in quotes] == [at(quarter / 4) for quarter in range(8)]
    assert all(quote.mark == quote.bid == quote.last for quote in quotes)
    assert {quote.ask - quote.bid for quote in quotes} == {Decimal("0.001")}


def test_symbols_are_told_in_step_on_one_clock(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1), ETH=candles(1, 2)))
    assert list(feed.instruments) == ["BTC/USDT", "ETH/USDT"]
    batches = rest(feed)
    symbols = ["".join(quote.symbol[0] for quote in batch) for batch in batches]
    assert symbols == ["B"] * 4 + ["BE"] * 4 + ["E"] * 4
    assert all(len({quote.time for quote in batch}) == 1 for batch in batches)
    times = [batch[0].time for batch in batches]
    assert times == sorted(set(times))


def test_it_is_named_by_its_files_and_its_speed(files: Files) -> None:
    both = files(ETH=candles(0), BTC=candles(0))
    assert replay(both).id == "replay:BTC/USDT=btc.csv,ETH/USDT=eth.csv"
    labels = [replay(both, speed=speed).label for speed in (1, 60, 0.5, Decimal("600"), None)]
    assert labels == ["REPLAY", "REPLAY 60x", "REPLAY 0.5x", "REPLAY 600x", "REPLAY"]


@pytest.mark.parametrize("speed", [1, 60, 0.5, Decimal(1000)])
def test_a_minute_takes_its_time_by_schedule(files: Files, speed: Decimal | float) -> None:
    clock = Clock()
    feed = replay(files(BTC=candles(*range(100))), speed=speed, clock=clock, wait=clock.wait)
    begun = clock.now
    for place in range(400):
        assert len(feed.next(1000)) == 1
        # a consumer that is slow but not too slow does not put the schedule off
        clock.now += 0.001 / float(speed)
        assert clock.now - begun == pytest.approx((place * 15 + 0.001) / float(speed), rel=1e-6)


def test_a_late_consumer_gets_every_moment_at_once(files: Files) -> None:
    clock = Clock()
    feed = replay(files(BTC=candles(*range(10))), speed=1, clock=clock, wait=clock.wait)
    feed.next(1)
    clock.now += 300
    late = clock.now
    prices = [int(feed.next(1)[0].last) for _ in range(20)]
    assert prices[:7] == [8, 14, 12, 12, 13, 9, 11]
    assert clock.now == late
    feed.next(1)
    assert clock.now > late, "it has caught up"


def test_nothing_comes_before_its_time(files: Files) -> None:
    clock = Clock()
    feed = replay(files(BTC=candles(0, 1)), speed=1, clock=clock, wait=clock.wait)
    assert feed.state == "waiting"
    assert len(feed.next(1)) == 1
    assert feed.state == "live"
    assert [len(feed.next(4)) for _ in range(4)] == [0, 0, 0, 1]
    assert clock.now == 1015


def test_gaps_are_jumped_over_within_a_second(files: Files) -> None:
    clock = Clock()
    feed = replay(files(BTC=candles(0, 600, 601)), speed=1, clock=clock, wait=clock.wait)
    for _ in range(4):
        feed.next(100)
    before = clock.now
    assert feed.next(100)[0].time == at(600)
    assert clock.now - before == 1
    feed.next(100)
    assert clock.now - before == 16


def test_it_waits_by_the_wall_clock_and_stop_wakes_it(files: Files) -> None:
    feed = ReplayFeed(files(BTC=candles(0, 1)), speed=100)
    feed.start()
    started = time.monotonic()
    assert [len(feed.next(10 * patience())) for _ in range(3)] == [1, 1, 1]
    # a tick each fifteen seconds of the market, the first one at once
    assert time.monotonic() - started >= 2 * 15 / 100
    slow = ReplayFeed(files(BTC=candles(0, 1)))
    slow.next(5)
    waiting, given = threading.Event(), list[Any]()

    def wait() -> None:
        waiting.set()
        given.append(slow.next(10 * patience()))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert waiting.wait(patience())
    slow.stop()
    thread.join(patience())
    assert given == [()]


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan"), Decimal("NaN")])
def test_a_speed_that_can_not_be_is_refused(files: Files, speed: Decimal | float) -> None:
    with pytest.raises(FeedFault, match="speed of a replay is a number above 0"):
        replay(files(BTC=candles(0)), speed=speed)


def test_the_end_is_told(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1)))
    assert feed.message == ""
    rest(feed)
    assert feed.state == "ended"
    assert feed.message == (
        "The replay has ended at 2022-01-01 07:59 UTC. Start with --from to see it again."
    )
    assert feed.next(0.01) == ()


@pytest.mark.parametrize("told", range(1, 9))
def test_it_goes_on_right_after_where_it_was(files: Files, told: int) -> None:
    both = files(BTC=candles(0, 1, 5), ETH=candles(1, 2, base=20))
    whole = rest(replay(both))
    feed = replay(both)
    for _ in range(told):
        feed.next(1)
    again = replay(both, saved=json.loads(json.dumps(feed.saved())))
    for symbol in both:
        for seconds in (60, 300):
            assert again.candles(symbol, seconds, 10) == feed.candles(symbol, seconds, 10)
    assert list(again.missed(at(0))) == []
    assert rest(again) == whole[told:]


def test_one_that_had_ended_has_ended(files: Files) -> None:
    feed = replay(files(BTC=candles(0)))
    rest(feed)
    again = replay(files(BTC=candles(0)), saved=feed.saved())
    assert (again.state, again.message) == ("ended", feed.message)
    assert len(again.candles("BTC/USDT", 60, 5)) == 1


def test_one_that_had_not_begun_begins(files: Files) -> None:
    saved = replay(files(BTC=candles(0))).saved()
    assert len(rest(replay(files(BTC=candles(0)), saved=saved))) == 4


@pytest.mark.parametrize("saved", [{"time": "noon"}, {"time": 5}, {"when": "2022-01-01"}])
def test_what_is_damaged_is_refused_in_words(files: Files, saved: dict[str, Any]) -> None:
    with pytest.raises(FeedFault, match="can't go on where it stopped"):
        replay(files(BTC=candles(0)), saved=saved)


def test_it_begins_where_it_is_told_with_the_past_behind_it(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1, 2, 3)), start=at(2), saved={"time": at(1).isoformat()})
    assert [int(candle.close) for candle in feed.candles("BTC/USDT", 60, 9)] == [12, 11]
    assert [int(c.volume) for c in feed.candles("BTC/USDT", 120, 9)] == [14]
    assert rest(feed)[0][0].time == at(2)


def test_it_can_begin_within_a_candle(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1)), start=at(0.3))
    assert feed.next(1)[0].time == at(0.5)


def test_before_the_files_it_begins_with_them_and_after_them_not_at_all(files: Files) -> None:
    both = files(BTC=candles(0, 1), ETH=candles(3))
    assert len(rest(replay(both, start=at(-1000)))) == 12
    assert replay(both, start=at(3.75)).next(1)[0].time == at(3.75)
    with pytest.raises(FeedFault, match=r"can't begin at 2022-01-01 08:02 UTC: its files end at"):
        replay(both, start=at(4))


def test_the_running_candle_knows_only_what_was_told(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1)))
    seen = []
    for _ in range(5):
        feed.next(1)
        newest = feed.candles("BTC/USDT", 60, 1)[0]
        seen.append(tuple(int(p) for p in (newest.open, newest.high, newest.low, newest.close)))
    assert seen == [(10, 10, 10, 10), (10, 10, 8, 8), (10, 14, 8, 14), CANDLES[0], (12,) * 4]
    assert [candle.volume for candle in feed.candles("BTC/USDT", 60, 9)] == [7, Decimal("1.75")]


def test_in_the_end_the_candles_are_those_of_the_file(files: Files) -> None:
    paths = files(BTC=candles(0, 1, 2, 7, 8))
    feed = replay(paths)
    assert feed.candles("BTC/USDT", 60, 9) == []
    rest(feed)
    assert feed.candles("BTC/USDT", 60, 9) == read_candles(paths["BTC/USDT"]).candles
    assert feed.candles("BTC/USDT", 60, 2) == read_candles(paths["BTC/USDT"]).candles[-2:]
    # from 07:55, 08:00 and 08:05
    assert [int(c.volume) for c in feed.candles("BTC/USDT", 300, 9)] == [14, 7, 14]


def test_longer_candles_grow_with_the_moments(files: Files) -> None:
    feed = replay(files(BTC=candles(*range(20))))
    while feed.state != "ended":
        feed.next(1)
        short, longer = (feed.candles("BTC/USDT", seconds, 99) for seconds in (60, 300))
        assert max(candle.high for candle in longer) == max(candle.high for candle in short)
        assert sum(candle.volume for candle in longer) == sum(candle.volume for candle in short)
        assert longer[-1].close == short[-1].close
        assert feed.candles("BTC/USDT", 300, 2) == longer[-2:]


def test_the_change_of_a_day_is_against_the_price_24_hours_before(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1, 1440, 1441, 1442)))
    day_opens = [quote.day_open for batch in rest(feed) for quote in batch if not quote.time.second]
    assert day_opens == [None, None, None, 12, 11]


def test_funding_is_settled_at_the_open_of_its_candle(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1, 2, 3)), funding_rate=Decimal("0.0003"))
    eight = at(2)
    for _ in range(8):
        assert feed.next(1)[0].funding_rate == Decimal("0.0003")
    assert feed.settlement("BTC/USDT", eight) is None, "still to come"
    feed.next(1)
    settled = feed.settlement("BTC/USDT", eight)
    assert settled is not None
    assert (settled.rate, settled.mark) == (Decimal("0.0003"), 11)


@pytest.mark.parametrize(
    ("minutes", "mark"), [((0, 1, 5), 11), ((-61, -60, 500), 11), ((9, 10), None)]
)
def test_in_a_gap_it_is_settled_at_the_last_price_before_it(
    files: Files, minutes: tuple[int, ...], mark: int | None
) -> None:
    feed = replay(files(BTC=candles(*minutes)), funding_rate=Decimal("0.0003"))
    rest(feed)
    settled = feed.settlement("BTC/USDT", at(2))
    assert (settled and settled.mark) == mark


def test_the_file_knows_the_rate_better_than_the_option(files: Files) -> None:
    rows = [(*row, rate) for row, rate in zip(candles(0, 1, 2), ("", 0.0001, -0.0002), strict=True)]
    feed = replay(files(["funding_rate"], BTC=rows), funding_rate=Decimal("0.0003"))
    rates = [str(batch[0].funding_rate) for batch in rest(feed)]
    assert rates[::4] == ["0.0003", "0.0001", "-0.0002"]
    settled = feed.settlement("BTC/USDT", at(2))
    assert settled is not None
    assert settled.rate == Decimal("-0.0002")


def test_without_a_rate_nothing_is_settled(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 1, 2)))
    assert {batch[0].funding_rate for batch in rest(feed)} == {None}
    assert feed.settlement("BTC/USDT", at(2)) is None


def test_longer_candles_of_a_file_are_replayed_too(files: Files) -> None:
    feed = replay(files(BTC=candles(0, 60, 120)))
    assert [batch[0].time for batch in rest(feed)][:5] == [at(15 * place) for place in range(5)]
    assert len(feed.candles("BTC/USDT", 60, 9)) == 3
    assert len(feed.candles("BTC/USDT", 14_400, 9)) == 2


def test_a_market_that_is_not_known_gets_rules_by_its_first_price(files: Files) -> None:
    feed = replay(files(DOGE=candles(0)))
    assert feed.instruments["DOGE/USDT"].tick_size == Decimal("0.001")
