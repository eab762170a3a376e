"""What the servers of the tests need not make anew, each for itself: they are forked off a process
that has imported this, and so made it once."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from datetime import datetime, timedelta

from balance.core.instrument import Instrument
from balance.core.quote import Candle
from balance.market.simulated import feed
from balance.market.simulated.feed import SimulatedFeed
from balance.market.simulated.walk import Walk, past_candles

_Past = dict[str, list[Candle]]
# The past of a market by where its walk began: when it began, its candles, where the walk ended.
_PASTS: dict[str, tuple[datetime, _Past, Mapping[str, object]]] = {}


def shifted_past(
    walk: Walk, instruments: Mapping[str, Instrument], begin: datetime, minutes: int
) -> _Past:
    """What ``past_candles`` returns, which but for the times is the same for the same seed."""
    key = repr((walk.saved(), sorted(instruments), minutes))
    if key not in _PASTS:
        _PASTS[key] = (begin, past_candles(walk, instruments, begin, minutes), walk.saved())
    first, past, end = _PASTS[key]
    walk.restore(end)
    later = begin - first
    return {symbol: [_shifted(each, later) for each in candles] for symbol, candles in past.items()}


def _shifted(candle: Candle, later: timedelta) -> Candle:
    return Candle(
        time=candle.time + later,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
    )


feed.past_candles = shifted_past
SimulatedFeed()
# A collection of garbage in a server would copy every page of what it shares with this process.
gc.collect()
gc.freeze()
