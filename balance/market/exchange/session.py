"""What goes on in the thread of an exchange: finding its rules, then prices and candles."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from balance.core.candles import MINUTE, interval_of, merge_candles
from balance.core.instrument import FUNDING_INTERVAL, Instrument
from balance.core.quote import Settlement
from balance.market.exchange.candles import CandleShelf
from balance.market.exchange.inbox import Inbox
from balance.market.exchange.pace import Pace, keep_at
from balance.market.exchange.past import MOST_AT_ONCE, candles, funding_rate, native
from balance.market.exchange.prices import Prices
from balance.market.exchange.public import PublicExchange
from balance.market.exchange.quotes import Board
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
# minutes that are read again, as the exchange may have corrected them
_AGAIN: Final = timedelta(minutes=3)
# a settlement of so long ago may not be in the exchange's history yet
_JUST_NOW: Final = timedelta(minutes=5)


class Session:
    """One connection to an exchange; all of it happens in one event loop."""

    def __init__(
        self,
        exchange: PublicExchange,
        inbox: Inbox,
        shelf: CandleShelf,
        pace: Pace,
        now: Callable[[], datetime],
        clock: Callable[[], float],
    ) -> None:
        self.exchange: Final = exchange
        self._inbox: Final = inbox
        self._shelf: Final = shelf
        self._pace: Final = pace
        self._now: Final = now
        self._clock: Final = clock
        #: ccxt's symbols by ours, once they are known.
        self.markets: dict[str, str] = {}
        #: The rules by our symbols, as of the newest quotes.
        self.instruments: dict[str, Instrument] = {}
        self._boards: dict[str, Board] = {}
        # how many minutes older ones were last read for, by symbol
        self._depths: dict[str, int] = {}
        self._wanted: Final[asyncio.Queue[tuple[str, int]]] = asyncio.Queue()

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
        self._boards = {
            self.markets[each]: Board(rules[each], perpetual=bool(market.get("swap")))
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
            told = {name: funding_interval(rate) for name, rate in dict(rates).items()}
        except Exception:
            # The usual one is known without it.
            return {}
        return {name: interval for name, interval in told.items() if interval is not None}

    async def _tiers(self, name: str) -> list[Mapping[str, Any]]:
        if self.exchange.id not in TIERS:
            return []
        try:
            return list(await self.exchange.ask("fetch_market_leverage_tiers", name))
        except Exception:
            # brackets are known without them
            return []

    async def run(self) -> None:
        """Get prices and candles until cancelled."""
        names = list(self.markets.values())
        groups = [[each for each in names if (":" in each) is perp] for perp in (True, False)]
        async with asyncio.TaskGroup() as tasks:
            for group in filter(None, groups):
                prices = Prices(self.exchange, group, self._take, self._inbox.tell, self._pace)
                tasks.create_task(prices.run())
            tasks.create_task(self._longer())
            await keep_at(
                self._minutes,
                about="candles",
                exchange=self.exchange,
                tell=self._inbox.tell,
                pace=self._pace,
            )

    def _take(self, name: str, ticker: Mapping[str, Any]) -> None:
        board = self._boards[name]
        quote = board.take(ticker, self._now(), self._clock())
        wrong = f"{self.exchange.id} told {board.refused}. It was left out."
        self._inbox.tell(f"nonsense {name}", wrong if board.refused else "")
        if quote is not None:
            self.instruments[quote.symbol] = board.instrument
            self._inbox.put(quote)
            self._shelf.extend(quote)

    async def _minutes(self) -> None:
        until = self._now()
        there = self.markets if self.exchange.has("fetchOHLCV") else {}
        for symbol, name in there.items():
            read = self._shelf.read_until(symbol)
            since = read - _AGAIN if read is not None else until - _DAY
            got = await candles(self.exchange, name, MINUTE, since, until)
            self._shelf.put(symbol, MINUTE, got)
            await self._older_minutes(symbol, name, until)
        await asyncio.sleep(self._pace.candles)

    async def _older_minutes(self, symbol: str, name: str, until: datetime) -> None:
        """Read the minutes of more than a day where somebody has asked for them; once, as not every
        exchange has them."""
        depth = self._shelf.depth(symbol, MINUTE)
        if depth > self._depths.get(symbol, _DAY // _MINUTE):
            self._depths[symbol] = depth
            since = until - depth * _MINUTE
            with contextlib.suppress(Exception):
                got = await candles(
                    self.exchange, name, MINUTE, since, until - _DAY, once_more=True
                )
                self._shelf.put(symbol, MINUTE, got)

    def want(self, symbol: str, seconds: int) -> None:
        """Get longer candles, so that they are there when they are asked for again."""
        self._wanted.put_nowait((symbol, seconds))

    async def _longer(self) -> None:
        while True:
            symbol, seconds = await self._wanted.get()
            # what fails is asked for again when somebody wants to see it
            with contextlib.suppress(Exception):
                await self._get_longer(symbol, seconds)

    async def _get_longer(self, symbol: str, seconds: int) -> None:
        whole, until = native(self.exchange, seconds), self._now()
        if whole is None:
            self._shelf.put(symbol, seconds, ())
            return
        # longer ones that are made of many can't all be had
        length = min(
            self._shelf.depth(symbol, seconds) * timedelta(seconds=seconds),
            MOST_AT_ONCE * timedelta(seconds=whole),
        )
        since = interval_of(until - length, seconds)
        got = await candles(self.exchange, self.markets[symbol], whole, since, until)
        self._shelf.put(symbol, seconds, merge_candles(got, seconds))

    async def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """What :meth:`balance.market.feed.Feed.settlement` answers."""
        name = self.markets.get(symbol, "")
        if ":" not in name or not self.exchange.has("fetchFundingRateHistory"):
            return None
        found = await funding_rate(self.exchange, name, instant)
        if found is None and abs(self._now() - instant) <= _JUST_NOW:
            rate = self._boards[name].rate_before(instant)
            found = (rate, None) if rate is not None else None
        if found is None:
            return None
        mark = found[1] or self._shelf.opening(symbol, instant)
        if mark is None:
            got = await candles(self.exchange, name, MINUTE, instant - _MINUTE, instant)
            mark = got[-1].open if got and got[-1].time == instant else None
            mark = mark or (got[-1].close if got else None)
        return Settlement(rate=found[0], mark=mark) if mark is not None else None
