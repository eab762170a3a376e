"""The random walk in exact prices: its quotes, and the past that it comes with."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from balance.core.candles import MINUTE
from balance.core.instrument import Instrument
from balance.core.quote import Candle, Quote
from balance.market.simulated.walk import Move, Walk

_MINUTE: Final = timedelta(seconds=MINUTE)
#: Between two funding settlements, the first of a day at midnight UTC.
FUNDING_SECONDS: Final = 8 * 3600
_USUAL_RATE: Final = 0.0001
_RATE_DEVIATION: Final = 0.00008
_HIGHEST_RATE: Final = 0.0005


def exact_price(instrument: Instrument, price: float) -> Decimal:
    """``price`` on the tick, at least one tick."""
    ticks = round(price / float(instrument.tick_size))
    return max(ticks, 1) * instrument.tick_size


def exact_volume(instrument: Instrument, volume: float) -> Decimal:
    """``volume`` in base units, cut to the step."""
    return int(volume / float(instrument.step_size)) * instrument.step_size


def quote(
    instrument: Instrument,
    move: Move,
    moment: datetime,
    *,
    funding_rate: Decimal,
    day_open: Decimal | None,
) -> Quote:
    """What is quoted after ``move``; the last trade took the ask if the price rose, or the bid."""
    tick = instrument.tick_size
    # half of the spread lies below the price
    bid = exact_price(instrument, move.price - float(tick) * (move.spread - 1) / 2)
    ask = bid + tick * move.spread
    return Quote(
        symbol=instrument.symbol,
        bid=bid,
        ask=ask,
        last=ask if move.price > move.before else bid,
        mark=exact_price(instrument, move.mark),
        time=moment,
        funding_rate=funding_rate,
        day_open=day_open,
    )


def past(
    walk: Walk, instruments: Mapping[str, Instrument], begun: datetime, minutes: int
) -> dict[str, list[Candle]]:
    """The candles of the ``minutes`` from ``begun`` on, by symbol; ``walk`` stands at their end."""
    candles: dict[str, list[Candle]] = {symbol: [] for symbol in instruments}
    for minute in range(minutes):
        for symbol, move in walk.step(MINUTE).items():
            if symbol in instruments:
                instrument = instruments[symbol]
                candle = _candle(instrument, move, begun + minute * _MINUTE, walk.chance)
                candles[symbol].append(candle)
    return candles


@lru_cache(maxsize=64)
def funding_rate(seed: int, symbol: str, instant: datetime) -> Decimal:
    """The rate of the settlement at ``instant``, the same whenever it is asked for: about 0.01 %,
    at most 0.05 % either way."""
    # a text is hashed the same way in every process
    chance = random.Random(f"{seed} {symbol} {instant.timestamp():.0f}")  # noqa: S311 - no secret hangs on it
    rate = chance.gauss(_USUAL_RATE, _RATE_DEVIATION)
    return Decimal(f"{max(-_HIGHEST_RATE, min(_HIGHEST_RATE, rate)):.6f}")


def _candle(instrument: Instrument, move: Move, begun: datetime, chance: random.Random) -> Candle:
    opened = exact_price(instrument, move.before)
    closed = exact_price(instrument, move.price)
    return Candle(
        time=begun,
        open=opened,
        high=max(opened, closed, exact_price(instrument, _extreme(move, 1, chance))),
        low=min(opened, closed, exact_price(instrument, _extreme(move, -1, chance))),
        close=closed,
        volume=exact_volume(instrument, move.volume),
    )


def _extreme(move: Move, side: int, chance: random.Random) -> float:
    # the extreme of a Brownian bridge: P(max > m) = exp(-2 (m - a)(m - b) / variance), solved for m
    gone = math.log(move.price / move.before)
    reach = math.sqrt(gone**2 - 2 * move.deviation**2 * math.log(1 - chance.random()))
    return move.before * math.exp((gone + side * reach) / 2)
