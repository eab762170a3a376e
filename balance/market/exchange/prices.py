"""The prices of an exchange: by stream where there is one, else by polling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from balance.market.exchange.retry import Retry

#: Takes ccxt's symbol and a ticker of it.
Take = Callable[[str, Mapping[str, Any]], None]

# A stream that has failed so often in a row is left alone for a while.
_FAILURES: Final = 3
_SECOND: Final = 1.0


class Prices:
    """The prices of markets of one type, which is what one stream can have."""

    def __init__(self, retry: Retry, symbols: list[str], take: Take) -> None:
        """``symbols`` are ccxt's."""
        self._retry: Final = retry
        self._exchange: Final = retry.exchange
        self._timing: Final = retry.timing
        self._symbols: Final = symbols
        self._take: Final = take
        self._perpetual: Final = ":" in symbols[0]
        self._failures = 0
        self._resting_until = float("-inf")
        # Set where tickers come without bid and ask, which are then fetched elsewhere.
        self._no_book: Final = asyncio.Event()

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._retry.forever(self._prices, "prices"))
            if self._exchange.has("watchBidsAsks"):
                tasks.create_task(self._retry.forever(self._book, "bids and asks"))
            if self._perpetual and self._exchange.has("watchMarkPrices"):
                # Not reported, as they come with the funding rates too, only less often.
                quiet = replace(self._retry, report=lambda _subject, _message: None)
                tasks.create_task(quiet.forever(self._marks, "mark prices"))
            if self._perpetual and self._funding_method() is not None:
                tasks.create_task(self._retry.forever(self._funding, "funding rates"))

    async def _prices(self) -> None:
        if not self._streams() or time.monotonic() < self._resting_until:
            await self._poll()
            await asyncio.sleep(self._timing.poll)
            return
        try:
            await self._stream()
        except Exception:
            await self._without_stream()

    async def _without_stream(self) -> None:
        await self._exchange.close_streams()
        # Polling shows whether the stream fails or the exchange.
        await self._poll()
        self._failures += 1
        if self._failures >= _FAILURES:
            self._failures = 0
            self._resting_until = time.monotonic() + self._timing.rest
            name = self._exchange.id
            self._retry.report(
                "stream", f"The stream of {name} fails, so {name} is asked about once a second."
            )
        await asyncio.sleep(self._timing.poll)

    def _streams(self) -> bool:
        return self._exchange.has("watchTickers") or self._exchange.has("watchTicker")

    async def _stream(self) -> None:
        if self._exchange.has("watchTickers"):
            async with asyncio.timeout(self._timing.silence):
                tickers = await self._exchange.watch("watch_tickers", self._symbols)
            self._streamed(tickers)
            return
        async with asyncio.TaskGroup() as tasks:
            for each in self._symbols:
                tasks.create_task(self._stream_of(each))

    async def _stream_of(self, symbol: str) -> None:
        while True:
            async with asyncio.timeout(self._timing.silence):
                tickers = await self._exchange.watch("watch_ticker", symbol)
            self._streamed(tickers)

    def _streamed(self, tickers: Iterable[tuple[str, Any]]) -> None:
        self._failures = 0
        self._retry.report("stream", "")
        self._taken(tickers)

    async def _poll(self) -> None:
        tickers = await self._tickers()
        if self._no_book.is_set() and self._exchange.has("fetchBidsAsks"):
            books = await self._exchange.ask("fetch_bids_asks", self._symbols)
            for symbol in self._symbols:
                if symbol in books:
                    # Together, so that neither is taken for older than the other.
                    tickers[symbol] = _joined(tickers.get(symbol, {}), books[symbol])
        self._taken(tickers.items())
        missing = [
            each.partition(":")[0] for each in self._symbols if not _priced(tickers.get(each, {}))
        ]
        if len(missing) == len(self._symbols):
            # ccxt takes a page for people for an answer without prices.
            raise ValueError("no price in the answer")
        message = f"{self._exchange.id} tells no price of {' and '.join(missing)} at present."
        self._retry.report("missing", message if missing else "")

    async def _tickers(self) -> dict[str, Any]:
        if self._one_by_one("fetchTicker", "fetchTickers"):
            return await self._each("fetch_ticker")
        return dict(await self._exchange.ask("fetch_tickers", self._symbols))

    async def _each(self, method: str) -> dict[str, Any]:
        """The answers for the symbols that have one; an error only where none has."""
        answers = await asyncio.gather(
            *(self._exchange.ask(method, each) for each in self._symbols), return_exceptions=True
        )
        pairs = list(zip(self._symbols, answers, strict=True))
        failed = [answer for _, answer in pairs if isinstance(answer, BaseException)]
        if len(failed) == len(pairs):
            raise failed[0]
        return {each: answer for each, answer in pairs if not isinstance(answer, BaseException)}

    def _one_by_one(self, one: str, all_at_once: str) -> bool:
        """Whether to ask for each symbol by itself: the answer for all is that for hundreds, and
        costs much of what an exchange allows."""
        if not self._exchange.has(all_at_once):
            return True
        in_time = len(self._symbols) * self._exchange.spacing <= _SECOND
        return self._exchange.has(one) and in_time

    def _taken(self, tickers: Iterable[tuple[str, Any]]) -> None:
        for symbol, ticker in tickers:
            if ticker.get("last") and not (ticker.get("bid") and ticker.get("ask")):
                self._no_book.set()
            if symbol in self._symbols:
                self._take(symbol, ticker)

    async def _book(self) -> None:
        await self._no_book.wait()
        if time.monotonic() < self._resting_until:
            await asyncio.sleep(self._timing.poll)
            return
        try:
            await self._watched("watch_bids_asks")
        except Exception:
            if not self._exchange.has("fetchBidsAsks"):
                raise
            books = await self._exchange.ask("fetch_bids_asks", self._symbols)
            self._taken(books.items())
            await asyncio.sleep(self._timing.silence / 2)

    async def _marks(self) -> None:
        await self._watched("watch_mark_prices")

    async def _watched(self, method: str) -> None:
        async with asyncio.timeout(3 * self._timing.silence):
            tickers = await self._exchange.watch(method, self._symbols)
        self._taken(tickers)

    def _funding_method(self) -> str | None:
        if self._exchange.has("fetchFundingRate") or self._exchange.has("fetchFundingRates"):
            each = self._one_by_one("fetchFundingRate", "fetchFundingRates")
            return "fetch_funding_rate" if each else "fetch_funding_rates"
        return None

    async def _funding(self) -> None:
        if self._funding_method() == "fetch_funding_rate":
            rates = await self._each("fetch_funding_rate")
        else:
            rates = dict(await self._exchange.ask("fetch_funding_rates", self._symbols))
        self._taken(rates.items())
        marked = any(rate.get("markPrice") for rate in rates.values())
        if not marked and self._exchange.has("fetchMarkPrices"):
            marks = await self._exchange.ask("fetch_mark_prices", self._symbols)
            self._taken(marks.items())
        await asyncio.sleep(self._timing.funding)


def _priced(ticker: Mapping[str, Any]) -> bool:
    return bool(ticker.get("last") or ticker.get("bid") or ticker.get("ask"))


def _joined(ticker: Mapping[str, Any], book: Mapping[str, Any]) -> dict[str, Any]:
    stamps = [each["timestamp"] for each in (ticker, book) if each.get("timestamp")]
    sides = {"bid": book.get("bid"), "ask": book.get("ask")}
    return {**ticker, **sides, "timestamp": max(stamps, default=None)}
