"""Candles: longer ones from shorter ones, and the way of the price within one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Final

from balance.core.instrument import Instrument
from balance.core.money import ZERO
from balance.core.quote import Candle, MarkPrices, Quote

MINUTE: Final = 60
_WEEK: Final = 7 * 86_400
# The Unix time of 5 January 1970.
_MONDAY: Final = 4 * 86_400
_HIGH: Final = attrgetter("high")
_LOW: Final = attrgetter("low")
_VOLUME: Final = attrgetter("volume")


def interval_of(moment: datetime, seconds: int) -> datetime:
    """The start of the interval of ``seconds`` that ``moment`` lies in; weeks begin on Monday at
    00:00 UTC."""
    stamp = int(moment.timestamp())
    return datetime.fromtimestamp(stamp - (stamp - first_begin(seconds)) % seconds, UTC)


def first_begin(seconds: int) -> int:
    """The Unix time at which one of the intervals of ``seconds`` begins."""
    return 0 if seconds % _WEEK else _MONDAY


def merge_candles(candles: Iterable[Candle], seconds: int) -> Iterator[Candle]:
    """Candles of ``seconds`` from shorter ones, oldest first; an interval without any has none."""
    for start, within in groupby(candles, key=lambda each: interval_of(each.time, seconds)):
        yield merge_into_one(start, list(within))


def merge_into_one(start: datetime, several: Sequence[Candle]) -> Candle:
    """The one candle that ``several``, oldest first, make; it began at ``start``."""
    return Candle(
        time=start,
        open=several[0].open,
        high=max(map(_HIGH, several)),
        low=min(map(_LOW, several)),
        close=several[-1].close,
        volume=sum(map(_VOLUME, several), ZERO),
    )


def path(candle: Candle, seconds: int = MINUTE) -> tuple[tuple[datetime, Decimal], ...]:
    """The four prices of ``candle`` with their times, in the order that the price is assumed to
    have taken: open, the extremes, close. A rising candle goes down first, a falling one up first.
    They lie a quarter of the interval apart, from its start."""
    step = timedelta(seconds=seconds) / 4
    prices = _ordered(candle, rises=candle.close >= candle.open)
    return tuple((candle.time + place * step, price) for place, price in enumerate(prices))


def quote_of_trade(
    instrument: Instrument,
    moment: datetime,
    price: Decimal,
    *,
    funding_rate: Decimal | None = None,
    day_open: Decimal | None = None,
    mark: Decimal | None = None,
) -> Quote:
    """The quote that is taken for a trade at ``price`` where only trades are known: the bid is the
    price, the ask is one tick above it, and the mark, unless it is known, is the price."""
    return Quote(
        symbol=instrument.symbol,
        bid=price,
        ask=price + instrument.tick_size,
        last=price,
        mark=price if mark is None else mark,
        time=moment,
        funding_rate=funding_rate,
        day_open=day_open,
    )


def moves(
    instrument: Instrument, candle: Candle, seconds: int = MINUTE, marks: MarkPrices | None = None
) -> Iterator[Quote]:
    """The four quotes of ``candle`` as :func:`path` orders its prices: a jump to its open, and from
    there a move to each of the others. ``marks`` are the mark prices of its time, where they are
    known; the mark is at its extremes when the price is."""
    before = None
    known = _ordered(marks or candle, rises=candle.close >= candle.open)
    for (moment, price), mark in zip(path(candle, seconds), known, strict=True):
        quote = quote_of_trade(instrument, moment, price, mark=mark)
        yield replace(quote, moved_from=before)
        before = quote


def _ordered(prices: Candle | MarkPrices, *, rises: bool) -> tuple[Decimal, ...]:
    extremes = (prices.low, prices.high) if rises else (prices.high, prices.low)
    return prices.open, *extremes, prices.close
