"""A session with an exchange, in a thread of its own: its rules, then prices and candles."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from balance.background.clock import BelievedClock
from balance.core.candles import MINUTE, interval_of, merge_candles
from balance.core.instrument import FUNDING_INTERVAL, Instrument
from balance.core.quote import Quote, Settlement
from balance.market.exchange.candles import (
    MOST_AT_ONCE,
    CandleCache,
    fetch_candles,
    fetch_funding_rate,
    native_length,
)
from balance.market.exchange.prices import Prices
from balance.market.exchange.quotes import QuoteBuilder
from balance.market.exchange.retry import Retry
from balance.market.exchange.rules import (
    TIERS,
    Market,
    chosen,
    funding_interval,
    has_grid,
    not_there,
    positive,
    ruled,
)
from balance.market.feed import FeedFault

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(seconds=MINUTE)
# The newest minutes are fetched again, as the exchange may have corrected them.
_AGAIN: Final = timedelta(minutes=3)
# A settlement of so long ago may not be in the exchange's history yet.
_JUST_NOW: Final = timedelta(minutes=5)


class Session:
    """One connection to an exchange; all of it happens in one event loop."""

    def __init__(
        self,
        retry: Retry,
        publish: Callable[[Quote], None],
        cache: CandleCache,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        """``publish`` gets every quote; ``now`` is in UTC, ``clock`` counts seconds."""
        self.exchange: Final = retry.exchange
        self._retry: Final = retry
        self._publish: Final = publish
        self._cache: Final = cache
        self._now: Final = now
        self._clock: Final = clock
        self._believed: Final = BelievedClock(now, clock)
        #: ccxt's symbols by ours, once they are known.
        self.markets: dict[str, str] = {}
        #: The rules by our symbols, as of the newest quotes.
        self.instruments: dict[str, Instrument] = {}
        self._builders: dict[str, QuoteBuilder] = {}
        # How many minutes back the older ones were last fetched, by symbol.
        self._depths: dict[str, int] = {}
        self._requests: Final[asyncio.Queue[tuple[str, int]]] = asyncio.Queue()

    async def rules(self, symbols: tuple[str, ...], *, all_of_them: bool) -> dict[str, Instrument]:
        """The instruments of those of ``symbols`` that the exchange has.

        Raises:
            FeedFault: it has not got ``all_of_them``, or none.
        """
        markets: Mapping[str, Market] = await self.exchange.ask("load_markets")
        found = {each: chosen(markets, each) for each in symbols}
        there = {each: market for each, market in found.items() if market is not None}
        missing = [each for each in symbols if each not in there]
        if not there or (all_of_them and missing):
            raise FeedFault(not_there(self.exchange.id, missing, markets))
        self.markets = {each: str(market["symbol"]) for each, market in there.items()}
        perpetuals = [str(market["symbol"]) for market in there.values() if market.get("swap")]
        intervals = await self._funding_intervals(perpetuals)
        rules = {}
        for each, market in there.items():
            interval = intervals.get(str(market["symbol"]), FUNDING_INTERVAL)
            rules[each] = replace(await self._ruled(each, market), funding_interval=interval)
        self.instruments = dict(rules)
        self._builders = {
            self.markets[each]: QuoteBuilder(rules[each], perpetual=bool(market.get("swap")))
            for each, market in there.items()
        }
        return rules

    async def _ruled(self, symbol: str, market: Market) -> Instrument:
        name, price = str(market["symbol"]), None
        if not has_grid(market, self.exchange.precision_mode):
            price = positive((await self.exchange.ask("fetch_ticker", name))["last"])
        tiers = await self._tiers(name) if market.get("swap") else ()
        return ruled(symbol, market, self.exchange.precision_mode, price, tiers)

    async def _funding_intervals(self, names: Sequence[str]) -> dict[str, timedelta]:
        """The time from one funding settlement to the next, by ccxt's symbols, of those of
        ``names`` whose exchange says it."""
        has = self.exchange.has
        try:
            if names and has("fetchFundingIntervals"):
                rates = await self.exchange.ask("fetch_funding_intervals", names)
            elif names and has("fetchFundingRates"):
                rates = await self.exchange.ask("fetch_funding_rates", names)
            elif names and has("fetchFundingRate"):
                rates = {
                    each: await self.exchange.ask("fetch_funding_rate", each) for each in names
                }
            else:
                return {}
            found = {name: funding_interval(rate) for name, rate in dict(rates).items()}
        except Exception:
            # The usual one is known without it.
            return {}
        return {name: interval for name, interval in found.items() if interval is not None}

    async def _tiers(self, name: str) -> list[Mapping[str, Any]]:
        if self.exchange.id not in TIERS:
            return []
        try:
            return list(await self.exchange.ask("fetch_market_leverage_tiers", name))
        except Exception:
            # Brackets are known without them.
            return []

    async def run(self) -> None:
        """Get prices and candles until cancelled."""
        names = list(self.markets.values())
        groups = [[each for each in names if (":" in each) is perp] for perp in (True, False)]
        async with asyncio.TaskGroup() as tasks:
            for group in filter(None, groups):
                tasks.create_task(Prices(self._retry, group, self._take).run())
            tasks.create_task(self._fetch_longer())
            await self._retry.forever(self._fetch_minutes, "candles")

    def _take(self, name: str, ticker: Mapping[str, Any]) -> None:
        builder = self._builders[name]
        quote = builder.take(ticker, self._now(), self._clock(), self._believed())
        refused = f"{self.exchange.id} told {builder.refused}. It was left out."
        self._retry.report(f"nonsense {name}", refused if builder.refused else "")
        if quote is not None:
            self.instruments[quote.symbol] = builder.instrument
            self._publish(quote)
            self._cache.extend(quote)

    async def _fetch_minutes(self) -> None:
        until = self._now()
        there = self.markets if self.exchange.has("fetchOHLCV") else {}
        for symbol, name in there.items():
            fetched = self._cache.fetched_until(symbol)
            since = fetched - _AGAIN if fetched is not None else until - _DAY
            candles = await fetch_candles(self.exchange, name, MINUTE, since, until)
            self._cache.put(symbol, MINUTE, candles)
            await self._fetch_older_minutes(symbol, name, until)
        await asyncio.sleep(self._retry.timing.candles)

    async def _fetch_older_minutes(self, symbol: str, name: str, until: datetime) -> None:
        """Fetch the minutes of more than a day where they are requested; once, as not every
        exchange has them."""
        depth = self._cache.depth(symbol, MINUTE)
        if depth > self._depths.get(symbol, _DAY // _MINUTE):
            self._depths[symbol] = depth
            since = until - depth * _MINUTE
            with contextlib.suppress(Exception):
                candles = await fetch_candles(
                    self.exchange, name, MINUTE, since, until - _DAY, once_more=True
                )
                self._cache.put(symbol, MINUTE, candles)

    def request_candles(self, symbol: str, seconds: int) -> None:
        """Have longer candles fetched, so that the next request finds them cached."""
        self._requests.put_nowait((symbol, seconds))

    async def _fetch_longer(self) -> None:
        while True:
            symbol, seconds = await self._requests.get()
            # What fails is fetched again at the next request.
            with contextlib.suppress(Exception):
                await self._fetch_length(symbol, seconds)

    async def _fetch_length(self, symbol: str, seconds: int) -> None:
        native, until = native_length(self.exchange, seconds), self._now()
        if native is None:
            self._cache.put(symbol, seconds, ())
            return
        # Not all of the longer ones that are made of many can be had.
        length = min(
            self._cache.depth(symbol, seconds) * timedelta(seconds=seconds),
            MOST_AT_ONCE * timedelta(seconds=native),
        )
        since = interval_of(until - length, seconds)
        candles = await fetch_candles(self.exchange, self.markets[symbol], native, since, until)
        self._cache.put(symbol, seconds, merge_candles(candles, seconds))

    async def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The settlement that :meth:`balance.market.feed.Feed.settlement` returns."""
        name = self.markets.get(symbol, "")
        if ":" not in name or not self.exchange.has("fetchFundingRateHistory"):
            return None
        found = await fetch_funding_rate(self.exchange, name, instant)
        if found is None and abs(self._now() - instant) <= _JUST_NOW:
            rate = self._builders[name].rate_before(instant)
            found = (rate, None) if rate is not None else None
        if found is None:
            return None
        mark = found[1] or self._cache.opening(symbol, instant)
        if mark is None:
            got = await fetch_candles(self.exchange, name, MINUTE, instant - _MINUTE, instant)
            mark = got[-1].open if got and got[-1].time == instant else None
            mark = mark or (got[-1].close if got else None)
        return Settlement(rate=found[0], mark=mark) if mark is not None else None
