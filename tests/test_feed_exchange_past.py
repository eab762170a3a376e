"""The past of an exchange: candles, settlements, and what was missed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from balance.core.quote import Candle
from balance.strategies.strategy import MOST_LOOKBACK
from tests import exchange_feeds
from tests.exchange_feeds import BTC, ETH, StartFeed, quoted, right
from tests.exchange_server import MINUTE, ExchangeServer
from tests.patience import ends, patience, wait_for

exchange, live = exchange_feeds.exchange, exchange_feeds.live


def milliseconds(moment: datetime) -> int:
    """``moment`` as an exchange writes it."""
    return int(moment.timestamp() * 1000)


def test_what_was_missed_is_told_in_the_order_of_time(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.minute = lambda at: ("100", "120", "90", str(100 + at // MINUTE % 7))
    feed = live()
    feed.wait_for_rules(patience())
    since = datetime.now(UTC) - timedelta(hours=40)
    moments = list(feed.missed(since))
    times = [batch[0].time for batch in moments]
    assert times == sorted(set(times))
    assert times[0] >= since > times[0] - timedelta(minutes=1)
    assert datetime.now(UTC) - timedelta(minutes=2) < times[-1] <= datetime.now(UTC)
    whole = moments[10:-10]
    assert all([quote.symbol for quote in batch] == [BTC, ETH] for batch in whole)
    assert all(len({quote.time for quote in batch}) == 1 for batch in whole)
    # each minute goes through its extremes
    told = {quote.last for batch in whole[:4] for quote in batch}
    assert told >= {Decimal(100), Decimal(120), Decimal(90)}
    assert len(times) >= 40 * 60 * 4 - 8
    assert "looked up" not in feed.message


def test_what_was_missed_moves_within_its_minutes_and_jumps_between_them(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.minute = lambda _: ("100", "120", "90", "110")
    feed = live((BTC,))
    feed.wait_for_rules(patience())
    quotes = [batch[0] for batch in feed.missed(datetime.now(UTC) - timedelta(hours=1))]
    ways = [(each.moved_from and each.moved_from.last, each.last) for each in quotes]
    # Nobody saw what the price did before, in the minute that was running.
    assert ways[0][0] is None
    begun = next(place for place, each in enumerate(quotes[1:], 1) if each.moved_from is None)
    assert ways[begun : begun + 8] == [(None, 100), (100, 90), (90, 120), (120, 110)] * 2


def test_what_was_missed_goes_back_three_days_at_most(
    live: StartFeed,
) -> None:
    feed = live((BTC,))
    feed.wait_for_rules(patience())
    first = next(feed.missed(datetime.now(UTC) - timedelta(days=400)))[0]
    assert timedelta(days=2.99) < datetime.now(UTC) - first.time < timedelta(days=3.01)


def test_when_what_was_missed_cannot_be_looked_up_the_words_say_so(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    feed = live()
    quoted(feed, BTC, right)
    exchange.wrong = {"klines": 500}
    assert list(feed.missed(datetime.now(UTC) - timedelta(hours=1))) == []
    assert "What the market did since" in feed.message
    assert "could not be looked up" in feed.message


def test_a_settlement_has_the_rate_and_the_mark_of_its_moment(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=8)
    before, unknown = at - timedelta(hours=8), at - timedelta(hours=4)
    exchange.settled = {
        milliseconds(at) + 3: ("0.00012", "60123.4"),
        milliseconds(before): ("-0.00031", None),
    }
    exchange.minute = lambda _: ("59000.5", "59001", "58999", "59000")
    feed = live()
    feed.wait_for_rules(patience())
    told = feed.settlement(BTC, at)
    assert told is not None
    assert (told.rate, told.mark) == (Decimal("0.00012"), Decimal("60123.4"))
    # where its mark is not told, what was traded then stands in for it
    told = feed.settlement(BTC, before)
    assert told is not None
    assert (told.rate, told.mark) == (Decimal("-0.00031"), Decimal("59000.5"))
    assert feed.settlement(BTC, unknown) is None
    exchange.wrong = {"fundingRate": 500}
    assert feed.settlement(BTC, at) is None


def test_the_interval_of_funding_is_that_of_the_exchange(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.intervals = {"BTCUSDT": 4}
    feed = live()
    feed.wait_for_rules(patience())
    intervals = [feed.instruments[each].funding_interval for each in (BTC, ETH)]
    assert intervals == [timedelta(hours=4), timedelta(hours=8)]


def test_candles_are_at_hand_and_go_on_with_the_quotes(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.minute = lambda _: ("60000", "60010", "59990", "60000")
    feed = live()
    wait_for(lambda: len(feed.candles(BTC, 60, 2000)) >= 1440, "the candles of a day")
    exchange.told["BTCUSDT"].last = "60500.00"
    quoted(feed, BTC, lambda q: q.last == Decimal(60500))
    wait_for(lambda: feed.candles(BTC, 60, 1)[-1].high == Decimal(60500), "the price")
    hours = wait_for(lambda: (c := feed.candles(BTC, 3600, 300))[299:] and c, "longer candles")
    assert len(hours) == 300
    assert {b.time - a.time for a, b in itertools.pairwise(hours)} == {timedelta(hours=1)}
    assert hours[-1].close == Decimal(60500)
    # a strategy may look back on more of them
    for seconds in (60, 300, 3600):
        count = MOST_LOOKBACK + 1

        def looked_back_on(seconds: int = seconds, count: int = count) -> Sequence[Candle]:
            candles = feed.candles(BTC, seconds, count)
            return candles if len(candles) == count else ()

        most = wait_for(looked_back_on, f"{count} candles")
        apart = {later.time - earlier.time for earlier, later in itertools.pairwise(most)}
        assert apart == {timedelta(seconds=seconds)}
    # whatever happens to the exchange, who asks does not wait
    exchange.wrong = {"": "hang"}
    found: list[Sequence[Candle]] = []

    def ask() -> None:
        found.extend((feed.candles(BTC, 900, 20), feed.candles("NONE/USDT", 60, 5)))

    assert ends(ask)
    assert [len(each) for each in found] == [20, 0]
