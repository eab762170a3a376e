"""The candles of an exchange that are at hand, so that nobody who asks waits for the network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from balance.core.candles import MINUTE, interval_of, merge_candles
from balance.core.money import ZERO
from balance.core.quote import Candle, Quote

# three days of minutes
_KEPT: Final = 4320
# how many longer ones are read where nobody asks for more
_USUAL: Final = 500
# seconds after which longer candles are asked for again: where they have not come, and where they
# have, so that the minutes never begin after they end
_MISSING: Final = 60.0
_OLD: Final = 43_200.0


class CandleShelf:
    """Candles by symbol and length; any thread may ask."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` is a monotonic one, in seconds."""
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._held: dict[tuple[str, int], dict[datetime, Candle]] = {}
        # how many have been asked for at most
        self._depths: dict[tuple[str, int], int] = {}
        # when longer candles are to be asked for again
        self._due: dict[tuple[str, int], float] = {}
        self._read_until: dict[str, datetime] = {}

    def put(self, symbol: str, seconds: int, candles: Iterable[Candle]) -> None:
        """Keep ``candles`` of ``seconds`` each, in place of those of the same times."""
        with self._lock:
            held = self._held.setdefault((symbol, seconds), {})
            running = held[max(held)] if held else None
            for candle in candles:
                goes_on = running is not None and running.time == candle.time
                held[candle.time] = _gone_on(candle, running) if running and goes_on else candle
                if seconds == MINUTE:
                    until = self._read_until.get(symbol, candle.time)
                    self._read_until[symbol] = max(until, candle.time)
            self._held[symbol, seconds] = {each: held[each] for each in sorted(held)[-_KEPT:]}
            self._due[symbol, seconds] = self._clock() + _OLD

    def depth(self, symbol: str, seconds: int) -> int:
        """How many candles should be read from the exchange."""
        with self._lock:
            return self._depth(symbol, seconds)

    def wants(self, symbol: str, seconds: int, limit: int) -> bool:
        """Whether longer candles should be got from the exchange, now that ``limit`` of them are
        asked for; says so once a minute."""
        with self._lock:
            # whoever asks for more than are kept takes those that are at hand
            if self._depth(symbol, seconds) < limit <= _KEPT:
                self._depths[symbol, seconds] = limit
                self._due.pop((symbol, seconds), None)
            if seconds == MINUTE or self._clock() < self._due.get((symbol, seconds), float("-inf")):
                return False
            self._due[symbol, seconds] = self._clock() + _MISSING
            return True

    def extend(self, quote: Quote) -> None:
        """Let the running minute of a symbol go on to the last price of ``quote``."""
        with self._lock:
            held = self._held.setdefault((quote.symbol, MINUTE), {})
            time, price = interval_of(quote.time, MINUTE), quote.last
            known = held.get(time) or Candle(
                time=time, open=price, high=price, low=price, close=price, volume=ZERO
            )
            held[time] = replace(
                known, high=max(known.high, price), low=min(known.low, price), close=price
            )

    def newest(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest ``limit`` candles of ``seconds`` each that are at hand, oldest first: those of
        the exchange, and from where there are minutes on, those made of minutes."""
        with self._lock:
            minutes = [self._held.get((symbol, MINUTE), {})[each] for each in self._times(symbol)]
            native = sorted(self._held.get((symbol, seconds), {}).items())
        if seconds == MINUTE or not minutes:
            return minutes[-limit:] if seconds == MINUTE else [each for _, each in native][-limit:]
        # the first interval that the minutes cover from its beginning
        first = interval_of(minutes[0].time - timedelta(seconds=1), seconds)
        first = first + timedelta(seconds=seconds) if native else minutes[0].time
        older = [candle for time, candle in native if time < first]
        made = merge_candles((each for each in minutes if each.time >= first), seconds)
        return [*older, *made][-limit:]

    def opening(self, symbol: str, instant: datetime) -> Decimal | None:
        """The price of ``symbol`` at ``instant``, the beginning of a minute; None if it is not at
        hand."""
        with self._lock:
            candle = self._held.get((symbol, MINUTE), {}).get(interval_of(instant, MINUTE))
            return candle.open if candle else None

    def read_until(self, symbol: str) -> datetime | None:
        """When the newest minute of ``symbol`` began that the exchange has told."""
        with self._lock:
            return self._read_until.get(symbol)

    def _depth(self, symbol: str, seconds: int) -> int:
        return self._depths.get((symbol, seconds), _USUAL)

    def _times(self, symbol: str) -> list[datetime]:
        return sorted(self._held.get((symbol, MINUTE), {}))


def _gone_on(fetched: Candle, live: Candle) -> Candle:
    """The running candle: the exchange knows where it began and how much was traded, the quotes
    since know where it stands."""
    return replace(
        fetched,
        high=max(fetched.high, live.high),
        low=min(fetched.low, live.low),
        close=live.close,
    )
