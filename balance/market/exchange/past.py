"""What an exchange tells of the past: candles, funding settlements, and what was missed."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from balance.core.candles import MINUTE, moves
from balance.core.instrument import Instrument
from balance.core.money import ZERO
from balance.core.quote import Candle, Quote
from balance.market.exchange.public import PublicExchange
from balance.market.exchange.rules import positive

#: ccxt's names of the lengths of candles, by seconds.
NAMES: Final[Mapping[int, str]] = {
    60: "1m",
    180: "3m",
    300: "5m",
    900: "15m",
    1800: "30m",
    3600: "1h",
    7200: "2h",
    14400: "4h",
    21600: "6h",
    28800: "8h",
    43200: "12h",
    86400: "1d",
}
_PAGE: Final = 1000
# what every exchange gives in a page at least; the step over times without trades
_LEAST_PAGE: Final = 100
# enough for three days of minutes from one that gives 100 at once
_MOST_PAGES: Final = 50
#: How many candles can be read at once from any exchange.
MOST_AT_ONCE: Final = _LEAST_PAGE * _MOST_PAGES
_A_MOMENT: Final = 0.5
#: How far the time of a settlement may be from the full hour it is of.
_NEAR: Final = timedelta(minutes=5)


def native(exchange: PublicExchange, seconds: int) -> int | None:
    """The longest candles of the exchange, in seconds, that those of ``seconds`` can be made of;
    None if those are minutes."""
    there = exchange.timeframes
    fitting = [each for each in NAMES if NAMES[each] in there and seconds % each == 0]
    return max((each for each in fitting if each > MINUTE), default=None)


async def candles(
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
        stamp = int(begin.timestamp() * 1000)
        try:
            rows = await exchange.ask("fetch_ohlcv", market, NAMES[seconds], stamp, _PAGE)
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


async def funding_rate(
    exchange: PublicExchange, market: str, instant: datetime
) -> tuple[Decimal, Decimal | None] | None:
    """The rate of the settlement at ``instant`` and its mark price, which not every exchange tells;
    None if there was no settlement then."""
    stamp = int((instant - _NEAR).timestamp() * 1000)
    rows = await exchange.ask("fetch_funding_rate_history", market, stamp, 10)
    for row in rows:
        if not isinstance(row.get("timestamp"), int | float) or row.get("fundingRate") is None:
            continue
        if abs(datetime.fromtimestamp(row["timestamp"] / 1000, UTC) - instant) <= _NEAR:
            info = row.get("info")
            mark = positive(info.get("markPrice")) if isinstance(info, dict) else None
            return Decimal(str(row["fundingRate"])), mark
    return None


async def moments(
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
            candles(exchange, market, MINUTE, begin, until, once_more=True)
            for market in markets.values()
        )
    )
    quotes = [
        quote
        for symbol, held in zip(markets, of_all, strict=True)
        for quote in _seen(_way(instruments[symbol], held, until), since)
    ]
    quotes.sort(key=lambda each: each.time)
    return [tuple(same) for _, same in itertools.groupby(quotes, key=lambda each: each.time)]


def _way(instrument: Instrument, held: Iterable[Candle], until: datetime) -> Iterator[Quote]:
    for candle in held:
        # the running minute has not got to its end yet
        gone = min(MINUTE, math.floor((until - candle.time).total_seconds()))
        if gone > 0:
            on_tick = replace(
                candle,
                open=instrument.price(candle.open),
                high=instrument.price(candle.high),
                low=instrument.price(candle.low),
                close=instrument.price(candle.close),
            )
            yield from moves(instrument, on_tick, gone)


def _seen(quotes: Iterable[Quote], since: datetime) -> Iterator[Quote]:
    """Those of ``quotes`` that are not older than ``since``."""
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
                volume=_volume(row),
            )


def _volume(row: Sequence[Any]) -> Decimal:
    return (positive(row[5]) if len(row) > 5 else None) or ZERO
