"""An exchange that misbehaves: the feed says so in words, tells no nonsense, and comes back."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from balance.core.instruments import KNOWN
from balance.core.quote import Quote
from balance.market.exchange import retry as exchange_retry
from balance.market.exchange.feed import open_exchange
from balance.market.exchange.retry import Timing
from tests import exchange_feeds
from tests.exchange_feeds import BTC, ETH, StartFeed, quoted, right
from tests.exchange_server import ExchangeServer, Told
from tests.patience import wait_for

exchange, live = exchange_feeds.exchange, exchange_feeds.live

Pauses = defaultdict[Any, list[float]]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """The seconds for which each task of a feed rests after a failure; they pass at once."""
    rests: Pauses = defaultdict(list)

    async def sleep(seconds: float) -> None:
        rests[asyncio.current_task()].append(seconds)
        await asyncio.sleep(0.01)

    monkeypatch.setattr(exchange_retry, "asyncio", SimpleNamespace(sleep=sleep))
    return rests


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
    exchange: ExchangeServer, live: StartFeed, pauses: Pauses, wrong: int | str, words: str
) -> None:
    exchange.refuse_streams = True
    exchange.wrong = {"ticker/24hr": wrong}
    if wrong == "hang":
        exchange.patience = 400
    feed = live((BTC,))
    wait_for(lambda: words in feed.message, "the words")
    assert feed.state == "waiting"
    for unfit in ("http", "127.0.0.1", "fapi", "Traceback", "Error", "<html"):
        assert unfit not in feed.message
    if wrong == 500:
        rests = wait_for(lambda: next((e for e in pauses.values() if e[5:]), None), "six pauses")
        # 0.04, 0.08, 0.16, 0.3 and 0.3 seconds, less a quarter at most
        longest = (0.04, 0.08, 0.16, 0.3, 0.3, 0.3)
        assert all(0.75 * most <= each <= most for each, most in zip(rests, longest, strict=False))
    exchange.wrong = {}
    quoted(feed, BTC, lambda q: q.last == Decimal("60000.5"))
    wait_for(lambda: feed.state == "live" and "Trying again" not in feed.message, "that it is well")


def test_as_long_as_it_asks_to_wait_an_exchange_is_left_alone(
    exchange: ExchangeServer, live: StartFeed, pauses: Pauses
) -> None:
    exchange.wrong = {"fapi/v1/exchangeInfo": 429}
    feed = live()
    rests = wait_for(lambda: next((e for e in pauses.values() if e[1:]), None), "two pauses")
    # Retry-After: 1
    assert rests[:2] == [1, 1]
    exchange.wrong = {}
    quoted(feed, BTC, right)


def test_one_that_does_not_answer_at_the_start_is_tried_until_it_does(
    exchange: ExchangeServer,
) -> None:
    exchange.wrong = {"exchangeInfo": 503}
    feed = open_exchange("binance", make=exchange.make, seconds=0)
    try:
        assert dict(feed.instruments) == dict(KNOWN)
        assert feed.state == "waiting"
        words = "binance answers with an error (503). Trying again in"
        wait_for(lambda: words in feed.message, "what is wrong")
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
    wait_for(lambda: "binance tells no price of ETH/USDT at present." in feed.message, "its name")
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
    wait_for(lambda: "binance told a leap of BTC/USDT" in feed.message, "the doubt")
    assert not [each for each in feed.next(0.1) if each.symbol == BTC and each.bid > 60_001]
    # it is told thirty times a second, so that it is confirmed soon
    told.stands_at = None
    quoted(feed, BTC, lambda q: q.bid == Decimal(6000000))
    wait_for(lambda: feed.message == "", "the end of the doubt")


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
    quotes: list[Quote] = []

    def tell() -> bool:
        quotes.extend(feed.next(0.1))
        asked = sum("BTCUSDT" in each.query.values() for each in exchange.asked[begin:])
        return asked > 12 and len(quotes) > 10

    wait_for(tell, "enough quotes")
    assert {quote.symbol for quote in quotes} == {ETH}
    exchange.told["BTCUSDT"] = sane
    quoted(feed, BTC, right)


def test_silence_makes_it_stale_and_the_next_quote_live_again(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    now = [0.0]
    feed = live(clock=lambda: now[0])
    quoted(feed, BTC, right)
    exchange.streaming = False
    exchange.wrong = {"": "hang"}
    wait_for(lambda: not feed.next(0.2), "the silence")
    assert feed.state == "live"
    now[0] = 11.0
    assert feed.state == "stale"
    assert feed.message
    exchange.wrong, exchange.streaming = {}, True
    wait_for(lambda: feed.state == "live", "another quote")
    quoted(feed, BTC, right)


def test_a_stream_that_breaks_or_falls_silent_is_opened_again(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    feed = live(timing=Timing(poll=0.02, silence=0.3, first_wait=0.04, rest=0.1))
    quoted(feed, BTC, right)
    exchange.cut_streams()
    exchange.told["BTCUSDT"].last = "60000.00"
    quoted(feed, BTC, lambda q: q.last == Decimal(60000))
    exchange.streaming = False
    wait_for(lambda: any(a.path.endswith("ticker/24hr") for a in exchange.asked), "a question")
    exchange.streaming = True
    opened = len(exchange.asked)
    wait_for(lambda: any("/ws/" in a.path for a in exchange.asked[opened:]), "another stream")
    quoted(feed, BTC, lambda q: q.bid == Decimal(60000))
    wait_for(lambda: feed.message == "", "that it is well")
