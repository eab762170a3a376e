"""What the tests of the feed of an exchange share: feeds that talk to a server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest

from balance.core.quote import Quote
from balance.market.exchange import feed as exchange_module
from balance.market.exchange.feed import ExchangeFeed
from balance.market.exchange.retry import Timing
from tests.exchange_server import ExchangeServer
from tests.patience import patience, wait_for

QUICK = Timing(
    poll=0.02, funding=0.03, candles=0.05, silence=1e6, rest=1e6, first_wait=0.04, longest_wait=0.3
)
BTC, ETH = "BTC/USDT", "ETH/USDT"

StartFeed = Callable[..., ExchangeFeed]


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeServer]:
    """An exchange that is well; a feed waits for it as long as a test does."""
    for name in ("_OPENING", "_STOPPING", "_ENDING", "_SETTLING", "_LOOKING_BACK"):
        monkeypatch.setattr(exchange_module, name, patience())
    with ExchangeServer() as running:
        yield running


@pytest.fixture
def live(exchange: ExchangeServer) -> Iterator[StartFeed]:
    """Starts feeds of it, which end with the test; no time passes that could make one stale."""
    with ExitStack() as running:

        def start(symbols: tuple[str, ...] = (BTC, ETH), **how: Any) -> ExchangeFeed:
            usual = {"make": exchange.make, "timing": QUICK, "clock": lambda: 0.0}
            feed = ExchangeFeed("binance", symbols, **usual | how)
            running.callback(feed.stop)
            feed.start()
            return feed

        yield start


def quoted(feed: ExchangeFeed, symbol: str, fitting: Callable[[Quote], bool]) -> Quote:
    """The first quote of ``symbol`` from now on that is ``fitting``."""

    def found() -> Quote | None:
        return next((q for q in feed.next(0.2) if q.symbol == symbol and fitting(q)), None)

    return wait_for(found, "that quote")


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
