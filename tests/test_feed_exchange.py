"""The feed of an exchange: its prices, rules and symbols, and that it only asks what is public."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from balance.core.instruments import KNOWN
from balance.market.exchange.feed import ExchangeFeed, open_exchange
from balance.market.exchange.public import raw_exchange
from balance.market.feed import FeedFault
from tests import exchange_feeds
from tests.exchange_feeds import BTC, ETH, QUICK, StartFeed, quoted, right
from tests.exchange_server import ExchangeServer
from tests.patience import ends, patience, wait_for
from tests.serving import ROOT

exchange, live = exchange_feeds.exchange, exchange_feeds.live


def test_the_stream_becomes_quotes_with_book_mark_and_funding(
    live: StartFeed,
) -> None:
    begin = datetime.now(UTC) - timedelta(milliseconds=1)
    feed = live()
    quote = quoted(feed, BTC, right)
    assert begin < quote.time <= datetime.now(UTC)
    assert quote.change_percent == Decimal("20.001")
    assert quoted(feed, ETH, lambda q: q.ask == Decimal("3000.10")).mark == Decimal("3000.01")
    assert (feed.state, feed.message) == ("live", "")


def test_a_symbol_is_not_starved_by_others_that_are_told_at_the_same_moment(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    feed = live()
    for price in ("61000.00", "62000.00", "63000.00"):
        exchange.told["BTCUSDT"].last = price
        quoted(feed, BTC, lambda q, price=price: q.last == Decimal(price))


def test_without_streams_prices_are_asked_for_and_the_words_say_so(
    exchange: ExchangeServer, live: StartFeed
) -> None:
    exchange.refuse_streams = True
    feed = live()
    quoted(feed, BTC, right)
    wait_for(lambda: "The stream of binance fails" in feed.message, "the words")
    assert feed.state == "live"
    assert "/fapi/v1/ticker/bookTicker" in exchange.paths()


def test_the_rules_are_the_markets_own(live: StartFeed) -> None:
    feed = live()
    feed.wait_for_rules(patience())
    rules = feed.instruments[BTC]
    assert (rules.tick_size, rules.step_size, rules.min_quantity) == (
        Decimal("0.5"),
        Decimal("0.002"),
        Decimal("0.002"),
    )
    assert (rules.min_notional, rules.max_quantity) == (Decimal(100), Decimal(1000))
    # Binance tells leverage brackets only to those who have a key
    assert rules.brackets == KNOWN[BTC].brackets


def test_defaults_that_the_exchange_lacks_are_left_out(exchange: ExchangeServer) -> None:
    feed = open_exchange("binance", make=exchange.make, seconds=patience())
    feed.stop()
    assert list(feed.instruments) == [BTC, ETH]


def test_a_symbol_without_a_perpetual_is_that_of_the_spot_market(
    live: StartFeed,
) -> None:
    # its stream is silent, so that prices are asked for
    feed = live(("FOO/USDT",), timing=replace(QUICK, silence=0.1))
    quote = quoted(feed, "FOO/USDT", lambda q: q.bid == Decimal("2.49"))
    assert (quote.ask, quote.mark, quote.funding_rate) == (Decimal("2.51"), Decimal("2.5"), None)
    assert feed.settlement("FOO/USDT", datetime.now(UTC)) is None


def test_a_symbol_that_there_is_not_is_refused_by_name(exchange: ExchangeServer) -> None:
    with pytest.raises(FeedFault, match=r"binance has no BTX/USDT\. It has .*BTC/USDT"):
        open_exchange("binance", ("btc/usdt", "BTX/USDT"), make=exchange.make, seconds=patience())


def test_an_exchange_without_any_of_the_defaults_is_refused(exchange: ExchangeServer) -> None:
    exchange.futures = []
    with pytest.raises(FeedFault, match="has no BTC/USDT and no ETH/USDT and no SOL/USDT"):
        open_exchange("binance", make=exchange.make, seconds=patience())


def test_an_exchange_that_nobody_knows_is_refused_with_others_that_are_like_it() -> None:
    with pytest.raises(FeedFault, match=r"'binanse'.*binance.*--feed simulated"):
        open_exchange("binanse")


def test_only_what_is_public_is_ever_asked_for(
    exchange: ExchangeServer, live: StartFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BINANCE_APIKEY", "BINANCE_API_KEY", "BINANCE_SECRET", "APIKEY", "SECRET"):
        monkeypatch.setenv(name, "a-key-that-must-not-be-used")
    feed = live()
    quoted(feed, BTC, right)
    wait_for(lambda: feed.candles(BTC, 60, 10), "candles")
    feed.candles(BTC, 300, 10)
    feed.settlement(BTC, datetime.now(UTC))
    list(feed.missed(datetime.now(UTC) - timedelta(minutes=5)))
    exchange.refuse_streams = True
    exchange.cut_streams()
    wait_for(lambda: "/fapi/v1/ticker/bookTicker" in exchange.paths(), "a question for prices")
    public = re.compile(
        r"/fapi/v1/(exchangeInfo|ticker/24hr|ticker/bookTicker|premiumIndex|klines|fundingRate|fundingInfo)"
        r"|/api/v3/exchangeInfo|/(market|public)/ws/\d+"
    )
    assert [each for each in exchange.paths() if not public.fullmatch(each)] == []
    for each in exchange.asked:
        assert each.method == "GET"
        assert not {"signature", "timestamp", "recvWindow"} & set(each.query)
        assert not {"authorization", "x-mbx-apikey", "cookie"} & {h.lower() for h in each.headers}
        assert "must-not-be-used" not in str(each)


@pytest.mark.parametrize("wrong", [{}, {"exchangeInfo": "hang"}, {"klines": "hang"}])
def test_it_stops_at_once_and_leaves_nothing_behind(
    exchange: ExchangeServer, live: StartFeed, wrong: dict[str, int | str]
) -> None:
    exchange.wrong = wrong
    feed = live()
    wait_for(lambda: any("exchangeInfo" in path for path in exchange.paths()), "the first one")
    if "exchangeInfo" not in wrong:
        quoted(feed, BTC, right)
    # what hangs does so for longer than it is waited for here
    assert ends(feed.stop)
    assert not [each for each in threading.enumerate() if each.name.startswith("feed")]
    feed.stop()
    assert feed.settlement(BTC, datetime.now(UTC)) is None
    assert list(feed.missed(datetime.now(UTC))) == []
    assert ends(lambda: feed.next(10 * patience()))


def test_building_the_feed_of_any_exchange_asks_nothing() -> None:
    for name in ("binance", "kraken", "bybit", "okx", "coinbase"):
        feed = ExchangeFeed(name)
        assert (feed.id, feed.label, feed.state) == (name, name, "waiting")
        assert list(feed.instruments) == list(KNOWN)
        assert feed.saved() == {}
        feed.stop()
        assert raw_exchange(name).id == name


def test_who_does_not_ask_for_an_exchange_does_not_load_ccxt() -> None:
    code = "import balance.market.exchange.feed, sys; print('ccxt' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"
