"""What the tests of the feed of an exchange share: feeds that talk to a server on this machine."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from balance.core.quote import Quote
from balance.feeds.exchange import ExchangeFeed
from balance.feeds.exchange_pace import Pace
from tests.exchange_server import ExchangeServer

QUICK = Pace(
    poll=0.02, funding=0.03, candles=0.05, silence=0.4, rest=60, first_wait=0.04, longest_wait=0.3
)
BTC, ETH = "BTC/USDT", "ETH/USDT"

StartFeed = Callable[..., ExchangeFeed]


@pytest.fixture
def exchange() -> Iterator[ExchangeServer]:
    """An exchange that is well; what asks it is loaded by then, which may take as long as a feed
    is waited for."""
    importlib.import_module("ccxt.pro")
    with ExchangeServer() as running:
        yield running


@pytest.fixture
def live(exchange: ExchangeServer) -> Iterator[StartFeed]:
    """Starts feeds of it, which end with the test."""
    with ExitStack() as running:

        def start(symbols: tuple[str, ...] = (BTC, ETH), **how: Any) -> ExchangeFeed:
            feed = ExchangeFeed("binance", symbols, **{"make": exchange.make, "pace": QUICK} | how)
            running.callback(feed.stop)
            feed.start()
            return feed

        yield start


def until(condition: Callable[[], Any], seconds: float = 8.0) -> Any:
    """What ``condition`` comes to once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it has not come to that"
        time.sleep(0.005)
    return found


def quoted(feed: ExchangeFeed, symbol: str, fitting: Callable[[Quote], bool]) -> Quote:
    """The first quote of ``symbol`` from now on that is ``fitting``."""

    def found() -> Quote | None:
        return next((q for q in feed.next(0.2) if q.symbol == symbol and fitting(q)), None)

    quote: Quote = until(found)
    return quote


def right(quote: Quote) -> bool:
    """Whether it is what the server tells of Bitcoin, with all that there is to know."""
    return (quote.bid, quote.ask, quote.last, quote.mark, quote.funding_rate, quote.day_open) == (
        Decimal("60000"),
        Decimal("60001"),
        Decimal("60000.5"),
        Decimal("59999.12345678"),
        Decimal("0.0001"),
        Decimal("50000"),
    )
