"""A feed for the tests: it tells the quotes that a test gives it, one moment after the other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from balance.core.instrument import Instrument
from balance.core.instruments import KNOWN
from balance.core.quote import Candle, Quote, Settlement
from balance.market.feed import FeedState
from tests.patience import patience


class HandFed:
    """A feed whose every member the test sets as it likes."""

    def __init__(
        self, id: str = "simulated", instruments: Mapping[str, Instrument] = KNOWN
    ) -> None:
        self.id = id
        self.label = "BY HAND"
        self.notes: Sequence[str] = ()
        self.instruments = instruments
        self.state: FeedState = "live"
        self.message = ""
        # what the market did while no engine ran
        self.past: list[Sequence[Quote]] = []
        self.missed_since: list[datetime] = []
        # by symbol and instant; what is not here is not known
        self.settlements: dict[tuple[str, datetime], Settlement] = {}
        self.asked: list[tuple[str, datetime]] = []
        self.is_started = False
        self._coming: queue.Queue[tuple[Sequence[Quote] | Exception, threading.Event]] = (
            queue.Queue()
        )
        self._dealt_with = threading.Event()
        self._stopped = threading.Event()

    def give(self, *quotes: Quote, fault: Exception | None = None) -> None:
        """Tell ``quotes``, those of one moment (without any: that there are none), or raise
        ``fault``; returns when the engine is done with that and asks for the next."""
        done = threading.Event()
        self._coming.put((fault or quotes, done))
        assert done.wait(patience()), "the engine does not ask for quotes"

    def start(self) -> None:
        """There is nothing to connect to."""
        self.is_started = True

    def next(self, timeout: float) -> Sequence[Quote]:
        """What the test gives next; nothing if it gives nothing in time."""
        self._dealt_with.set()
        try:
            given, done = self._coming.get(timeout=0 if self._stopped.is_set() else timeout)
        except queue.Empty:
            return ()
        self._dealt_with = done
        if isinstance(given, Exception):
            raise given
        return given

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """None."""
        return ()

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """What the test has set."""
        self.asked.append((symbol, instant))
        return self.settlements.get((symbol, instant))

    def missed(self, since: datetime) -> Iterator[Sequence[Quote]]:
        """The past that the test has set."""
        self.missed_since.append(since)
        return iter(self.past)

    def saved(self, *, lightly: bool = False) -> dict[str, Any]:
        """How much of it was asked for."""
        return {"light": True} if lightly else {"light": False, "long": "past"}

    def stop(self) -> None:
        """Wake whoever waits."""
        self._stopped.set()
        self._coming.put(((), threading.Event()))
