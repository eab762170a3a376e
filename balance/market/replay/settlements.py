"""What a file of candles tells of its symbol: the rules, and the funding settlements."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Final

from balance.core.candles import moves
from balance.core.instrument import Instrument
from balance.core.instruments import instrument
from balance.core.leg import Leg
from balance.core.quote import Settlement
from balance.market.replay.candle_file import CandleFile

_TIME: Final = attrgetter("time")


def instrument_of(
    file: CandleFile, symbol: str, funding_interval: timedelta | None = None
) -> Instrument:
    """The rules of ``symbol`` as ``file`` begins; ``funding_interval`` counts where the file does
    not say its own."""
    known = instrument(symbol, file.candles[0].open)
    interval = file.funding_interval or funding_interval or known.funding_interval
    return replace(known, funding_interval=interval, has_mark=bool(file.marks))


def settlement(
    file: CandleFile, instrument: Instrument, instant: datetime, usual_rate: Decimal | None
) -> Settlement | None:
    """The settlement of ``instrument`` at ``instant`` as ``file`` has it: at the mark price of that
    instant on the way through its candle or, in a gap of the file, at the last one before. None
    before the first candle, or without a rate; ``usual_rate``, a fraction, counts where the file
    knows none."""
    place = bisect_right(file.candles, instant, key=_TIME) - 1
    known = rate(file, place, usual_rate) if place >= 0 else None
    if known is None:
        return None
    return Settlement(rate=known, mark=_mark(file, instrument, place, instant))


def rate(file: CandleFile, place: int, usual_rate: Decimal | None) -> Decimal | None:
    """The funding rate, a fraction, as of the candle at ``place`` in ``file``; ``usual_rate`` where
    the file knows none."""
    told = file.funding_rates[place] if file.funding_rates else None
    return usual_rate if told is None else told


def _mark(file: CandleFile, instrument: Instrument, place: int, instant: datetime) -> Decimal:
    marks = file.marks[place] if file.marks else None
    quotes = list(moves(instrument, file.candles[place], file.seconds, marks))
    for start, end in pairwise(quotes):
        if instant < end.time:
            return instrument.price(Leg(start, end).at_time(instant).quote.mark)
    return quotes[-1].mark
