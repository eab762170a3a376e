"""The candles and settlements of an exchange: fetched page by page, and cached, so that no caller
waits for the network."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from balance.core.candles import MINUTE, interval_of, merge_candles, moves
from balance.core.instrument import Instrument
from balance.core.moments import milliseconds
from balance.core.money import ZERO
from balance.core.quote import Candle, Quote
from balance.market.exchange.public import PublicExchange
from balance.market.exchange.rules import positive

#: ccxt's names of the lengths of candles, by seconds.
_NAMES: Final[Mapping[int, str]] = {
    **{minutes * 60: f"{minutes}m" for minutes in (1, 3, 5, 15, 30)},
    **{hours * 3_600: f"{hours}h" for hours in (1, 2, 4, 6, 8, 12)},
    86_400: "1d",
}
_PAGE: Final = 1000
# Every exchange gives at least so many in a page; it is also the step over times without trades.
_LEAST_PAGE: Final = 100
# Enough for three days of minutes from an exchange that gives 100 at once.
_MOST_PAGES: Final = 50
#: How many candles can be read at once from any exchange.
MOST_AT_ONCE: Final = _LEAST_PAGE * _MOST_PAGES
_A_MOMENT: Final = 0.5
#: How far the time of a settlement may be from the full hour it is of.
_NEAR: Final = timedelta(minutes=5)
# How many candles of a length are cached: three days of minutes.
_CACHED: Final = 4320
# How many longer candles are fetched unless more are requested.
_USUAL: Final = 500
# Seconds after which longer candles are fetched again: where they have not come, and where they
# have, so that the minutes never begin after they end.
_MISSING: Final = 60.0
_OLD: Final = 43_200.0


def native_length(exchange: PublicExchange, seconds: int) -> int | None:
    """The longest candles of the exchange, in seconds, that those of ``seconds`` can be made of;
    None if those are minutes."""
    there = exchange.timeframes
    fitting = [each for each in _NAMES if _NAMES[each] in there and seconds % each == 0]
    return max((each for each in fitting if each > MINUTE), default=None)


async def fetch_candles(
    exchange: PublicExchange,
    market: str,
    seconds: int,
    since: datetime,
    until: datetime,
    *,
    once_more: bool = False,
) -> list[Candle]:
    """The candles of ``seconds`` each that begin from ``since`` to ``until``, oldest first; with
    ``once_more``, one failure is forgiven."""
    found: dict[datetime, Candle] = {}
    begin = since
    for _ in range(_MOST_PAGES):
        stamp = milliseconds(begin)
        try:
            rows = await exchange.ask("fetch_ohlcv", market, _NAMES[seconds], stamp, _PAGE)
        except Exception:
            if not once_more:
                raise
            once_more = False
            await asyncio.sleep(_A_MOMENT)
            continue
        page = {each.time: each for each in _read(rows) if since <= each.time <= until}
        newest = max(page, default=None)
        if newest is not None and newest < begin:
            break
        found |= page
        step = timedelta(seconds=seconds)
        begin = newest + step if newest is not None else begin + _LEAST_PAGE * step
        if begin > until:
            break
    return [found[each] for each in sorted(found)]


async def fetch_funding_rate(
    exchange: PublicExchange, market: str, instant: datetime
) -> tuple[Decimal, Decimal | None] | None:
    """The rate of the settlement at ``instant`` and its mark price, which not every exchange
    publishes; None if there was no settlement then."""
    stamp = milliseconds(instant - _NEAR)
    rows = await exchange.ask("fetch_funding_rate_history", market, stamp, 10)
    for row in rows:
        if not isinstance(row.get("timestamp"), int | float) or row.get("fundingRate") is None:
            continue
        if abs(datetime.fromtimestamp(row["timestamp"] / 1000, UTC) - instant) <= _NEAR:
            info = row.get("info")
            mark = positive(info.get("markPrice")) if isinstance(info, dict) else None
            return Decimal(str(row["fundingRate"])), mark
    return None


async def fetch_moments(
    exchange: PublicExchange,
    markets: Mapping[str, str],
    instruments: Mapping[str, Instrument],
    since: datetime,
    until: datetime,
) -> list[Sequence[Quote]]:
    """What the market did from ``since`` to ``until``, moment by moment; ``markets`` has ccxt's
    symbols by ours. From what was seen last to the first of them the price jumps."""
    begin = since - timedelta(seconds=MINUTE)
    of_all = await asyncio.gather(
        *(
            fetch_candles(exchange, market, MINUTE, begin, until, once_more=True)
            for market in markets.values()
        )
    )
    quotes = [
        quote
        for symbol, candles in zip(markets, of_all, strict=True)
        for quote in _quotes_since(since, _quotes(instruments[symbol], candles, until))
    ]
    time = attrgetter("time")
    return [tuple(same) for _, same in itertools.groupby(sorted(quotes, key=time), key=time)]


def _quotes(instrument: Instrument, candles: Iterable[Candle], until: datetime) -> Iterator[Quote]:
    for candle in candles:
        # The running minute has not come to its end yet.
        seconds = min(MINUTE, math.floor((until - candle.time).total_seconds()))
        if seconds > 0:
            prices: dict[str, Any] = {
                name: instrument.price(getattr(candle, name))
                for name in ("open", "high", "low", "close")
            }
            yield from moves(instrument, replace(candle, **prices), seconds)


def _quotes_since(since: datetime, quotes: Iterable[Quote]) -> Iterator[Quote]:
    for quote in quotes:
        start = quote.moved_from
        if start is not None and start.time < since <= quote.time:
            # What the price did before is known, and orders that came since have not seen it.
            yield replace(quote, moved_from=None)
        elif quote.time >= since:
            yield quote


def _read(rows: object) -> Iterator[Candle]:
    for row in rows if isinstance(rows, list) else []:
        stamp, prices = row[0], tuple(positive(each) for each in row[1:5])
        if not isinstance(stamp, int | float) or len(prices) < 4:
            continue
        opened, high, low, close = prices
        if opened is None or high is None or low is None or close is None:
            continue
        if low <= min(opened, close) and high >= max(opened, close):
            yield Candle(
                time=datetime.fromtimestamp(stamp / 1000, UTC),
                open=opened,
                high=high,
                low=low,
                close=close,
                volume=(positive(row[5]) if len(row) > 5 else None) or ZERO,
            )


class CandleCache:
    """Candles by symbol and length. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` is a monotonic one, in seconds."""
        self._clock: Final = clock
        self._guard: Final = threading.Lock()
        # The candles by time, of each symbol and length.
        self._candles: dict[tuple[str, int], dict[datetime, Candle]] = {}
        # The most candles that were requested.
        self._depths: dict[tuple[str, int], int] = {}
        # When longer candles are to be fetched again.
        self._due: dict[tuple[str, int], float] = {}
        self._fetched_until: dict[str, datetime] = {}

    def put(self, symbol: str, seconds: int, candles: Iterable[Candle]) -> None:
        """Add ``candles`` of ``seconds`` each, in place of those of the same times."""
        with self._guard:
            known = self._candles.setdefault((symbol, seconds), {})
            running = known[max(known)] if known else None
            for candle in candles:
                is_running = running is not None and running.time == candle.time
                known[candle.time] = _grown(candle, running) if running and is_running else candle
                if seconds == MINUTE:
                    until = self._fetched_until.get(symbol, candle.time)
                    self._fetched_until[symbol] = max(until, candle.time)
            newest = sorted(known)[-_CACHED:]
            self._candles[symbol, seconds] = {each: known[each] for each in newest}
            self._due[symbol, seconds] = self._clock() + _OLD

    def depth(self, symbol: str, seconds: int) -> int:
        """How many candles should be fetched from the exchange."""
        return self._depths.get((symbol, seconds), _USUAL)

    def needs_fetching(self, symbol: str, seconds: int, limit: int) -> bool:
        """Whether longer candles should be fetched, now that ``limit`` of them are requested; says
        so once a minute."""
        with self._guard:
            # A request for more than are cached gets those that are there.
            if self.depth(symbol, seconds) < limit <= _CACHED:
                self._depths[symbol, seconds] = limit
                self._due.pop((symbol, seconds), None)
            if seconds == MINUTE or self._clock() < self._due.get((symbol, seconds), float("-inf")):
                return False
            self._due[symbol, seconds] = self._clock() + _MISSING
            return True

    def extend(self, quote: Quote) -> None:
        """Let the running minute of a symbol go on to the last price of ``quote``."""
        with self._guard:
            known = self._candles.setdefault((quote.symbol, MINUTE), {})
            time, price = interval_of(quote.time, MINUTE), quote.last
            candle = known.get(time) or Candle(
                time=time, open=price, high=price, low=price, close=price, volume=ZERO
            )
            known[time] = replace(
                candle, high=max(candle.high, price), low=min(candle.low, price), close=price
            )

    def newest(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest ``limit`` candles of ``seconds`` each that are cached, oldest first: those of
        the exchange, and from where there are minutes on, those made of minutes."""
        with self._guard:
            minutes = self._sorted(symbol, MINUTE)
            native = self._sorted(symbol, seconds)
        if seconds == MINUTE or not minutes:
            return native[-limit:]
        # The first interval that the minutes cover from its beginning.
        first = interval_of(minutes[0].time - timedelta(seconds=1), seconds)
        first = first + timedelta(seconds=seconds) if native else minutes[0].time
        older = [candle for candle in native if candle.time < first]
        merged = merge_candles((each for each in minutes if each.time >= first), seconds)
        return [*older, *merged][-limit:]

    def opening(self, symbol: str, instant: datetime) -> Decimal | None:
        """The price of ``symbol`` at ``instant``, the beginning of a minute; None if it is not
        cached."""
        with self._guard:
            candle = self._candles.get((symbol, MINUTE), {}).get(interval_of(instant, MINUTE))
            return candle.open if candle else None

    def fetched_until(self, symbol: str) -> datetime | None:
        """When the newest fetched minute of ``symbol`` began."""
        with self._guard:
            return self._fetched_until.get(symbol)

    def _sorted(self, symbol: str, seconds: int) -> list[Candle]:
        return [each for _, each in sorted(self._candles.get((symbol, seconds), {}).items())]


def _grown(fetched: Candle, live: Candle) -> Candle:
    """The running candle: the exchange knows where it began and how much was traded, the quotes
    since know where it stands."""
    return replace(
        fetched,
        high=max(fetched.high, live.high),
        low=min(fetched.low, live.low),
        close=live.close,
    )
