"""An exchange that misbehaves: the feed says so in words, tells no nonsense, and comes back."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal

import pytest

from balance.core.instruments import KNOWN
from balance.feeds.exchange import open_exchange
from balance.feeds.exchange_pace import Pace
from tests import exchange_feeds
from tests.exchange_feeds import BTC, ETH, StartFeed, quoted, right, until
from tests.exchange_server import ExchangeServer, Told

exchange, live = exchange_feeds.exchange, exchange_feeds.live


def asked_at(exchange: ExchangeServer, part: str) -> list[float]:
    """When paths with ``part`` were asked for."""
    return [each.at for each in exchange.asked if part in each.path]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (500, "binance answers with an error (500). Trying again in 1 s."),
        (429, "binance asks for fewer requests (429). Trying again in 1 s."),
        ("html", "binance sent an answer that can't be read. Trying again in 1 s."),
        ("cut", "binance can't be reached: no connection. Trying again in 1 s."),
        ("hang", "binance does not answer: timeout. Trying again in 1 s."),
    ],
)
def test_an_error_is_told_in_plain_words_and_tried_again_ever_more_slowly(
    exchange: ExchangeServer, live: StartFeed, wrong: int | str, words: str
) -> None:
    exchange.refuse_streams = True
    exchange.wrong, exchange.patience = {"ticker/24hr": wrong}, 400
    feed = live((BTC,))
    until(lambda: words in feed.words)
    assert feed.state == "waiting"
    for unfit in ("http", "127.0.0.1", "fapi", "Traceback", "Error", "<html"):
        assert unfit not in feed.words
    if wrong == 500:
        times = until(lambda: (t := asked_at(exchange, "ticker/24hr"))[6:] and t)
        # 0.04, 0.08, 0.16, 0.3 and 0.3 seconds, less a quarter at most
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert all(gap > least for gap, least in zip(gaps, (0.03, 0.06, 0.12, 0.22), strict=False))
        assert gaps[5] > 0.22
    exchange.wrong = {}
    quoted(feed, BTC, lambda q: q.last == Decimal("60000.5"))
    until(lambda: feed.state == "live" and "Trying again" not in feed.words)


def test_as_long_as_it_asks_to_wait_an_exchange_is_left_alone(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.wrong = {"fapi/v1/exchangeInfo": 429}
    feed = live()
    times = until(lambda: (t := asked_at(exchange, "fapi/v1/exchangeInfo"))[1:] and t)
    # Retry-After: 1
    assert times[1] - times[0] >= 1
    exchange.wrong = {}
    quoted(feed, BTC, right)


def test_one_that_does_not_answer_at_the_start_is_tried_until_it_does(
    exchange: ExchangeServer,
) -> None:
    exchange.wrong = {"exchangeInfo": 503}
    feed = open_exchange("binance", make=exchange.make, seconds=0.3)
    try:
        assert dict(feed.instruments) == dict(KNOWN)
        assert feed.state == "waiting"
        assert "binance answers with an error (503). Trying again in" in feed.words
        exchange.wrong = {}
        quoted(feed, BTC, right)
        assert feed.instruments[BTC].tick_size == Decimal("0.5")
        # it was shown before it was known that there is none
        assert "SOL/USDT" in feed.instruments
    finally:
        feed.stop()


def test_a_symbol_that_is_taken_off_is_named_and_the_others_go_on(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.refuse_streams = True
    feed = live()
    quoted(feed, ETH, lambda q: q.bid == Decimal(3000))
    del exchange.told["ETHUSDT"]
    until(lambda: "binance tells no price of ETH/USDT at present." in feed.words)
    exchange.told["BTCUSDT"].last = "60001.00"
    quoted(feed, BTC, lambda q: q.last == Decimal(60001))


def test_a_huge_leap_of_the_price_waits_for_confirmation(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    feed = live()
    quoted(feed, BTC, right)
    told = exchange.told["BTCUSDT"]
    # the same moment told again confirms nothing
    told.stands_at = int(time.time() * 1000) + 500
    told.last, told.bid, told.ask = "6000000.00", "6000000.00", "6000001.00"
    until(lambda: "binance told a leap of BTC/USDT" in feed.words)
    assert not [each for each in feed.next(0.1) if each.symbol == BTC and each.bid > 60_001]
    # it is told thirty times a second, so that it is confirmed soon
    told.stands_at = None
    quoted(feed, BTC, lambda q: q.bid == Decimal(6000000))
    until(lambda: feed.words == "")


@pytest.mark.parametrize(
    "nonsense",
    [
        Told("NaN", "NaN", "NaN", "NaN"),
        Told("1e999999", "1e-999999", "1e999999", "1e-999999"),
        Told("0", "0", "0", "0", opened="0"),
        Told("-60000", "-2", "-1", "-60000"),
        Told("60000.5", "60000", "60001", "60000", ahead=3_600_000),
    ],
)
def test_nonsense_never_becomes_a_quote(
    exchange: ExchangeServer, live: StartFeed, nonsense: Told
) -> None:
    exchange.refuse_streams = True
    sane, exchange.told["BTCUSDT"] = exchange.told["BTCUSDT"], nonsense
    feed = live()
    begin = len(exchange.asked)
    until(lambda: sum("BTCUSDT" in a.query.values() for a in exchange.asked[begin:]) > 12)
    quotes = [quote for _ in range(10) for quote in feed.next(0.1)]
    assert {quote.symbol for quote in quotes} == {ETH}
    exchange.told["BTCUSDT"] = sane
    quoted(feed, BTC, right)


def test_silence_makes_it_stale_and_the_next_quote_live_again(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    skipped = [0.0]
    feed = live(clock=lambda: time.monotonic() + skipped[0], pace=Pace(poll=0.02, silence=60))
    quoted(feed, BTC, right)
    exchange.streaming = False
    exchange.wrong = {"": "hang"}
    until(lambda: not feed.next(0.2))
    assert feed.state == "live"
    skipped[0] = 11.0
    assert feed.state == "stale"
    assert feed.words
    exchange.wrong, exchange.streaming = {}, True
    until(lambda: feed.state == "live")
    quoted(feed, BTC, right)


def test_a_stream_that_breaks_or_falls_silent_is_opened_again(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    feed = live(pace=Pace(poll=0.02, silence=0.3, first_wait=0.04, rest=0.1))
    quoted(feed, BTC, right)
    exchange.cut_streams()
    exchange.told["BTCUSDT"].last = "60000.00"
    quoted(feed, BTC, lambda q: q.last == Decimal(60000))
    exchange.streaming = False
    until(lambda: any(each.path.endswith("ticker/24hr") for each in exchange.asked))
    exchange.streaming = True
    opened = len(exchange.asked)
    until(lambda: any("/ws/" in each.path for each in exchange.asked[opened:]))
    quoted(feed, BTC, lambda q: q.bid == Decimal(60000))
    until(lambda: feed.words == "")
