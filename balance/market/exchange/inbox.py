"""Where the thread of an exchange leaves quotes and words, and other threads find them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from balance.core.quote import Quote
from balance.market.feed import FeedState

#: What is said first, by the beginning of what it is about: one trouble brings others along.
_FIRST: Final = ("rules", "prices", "nonsense", "missing", "stream")
#: What was missed is told besides: it does not pass by itself.
MISSED: Final = "missed"


class Inbox:
    """The newest quote of each symbol that has not been fetched yet, and what there is to say."""

    def __init__(self, name: str, stale_after: float, clock: Callable[[], float]) -> None:
        """``stale_after`` is in seconds of ``clock``, a monotonic one."""
        self._name: Final = name
        self._stale_after: Final = stale_after
        self._clock: Final = clock
        self._changed: Final = threading.Condition()
        self._waiting: dict[str, Quote] = {}
        self._said: dict[str, str] = {}
        self._latest: datetime | None = None
        self._accepted: float | None = None
        self._closed = False

    def put(self, quote: Quote) -> None:
        """Leave ``quote``; one of the same symbol that nobody has fetched is forgotten."""
        with self._changed:
            self._waiting[quote.symbol] = quote
            self._accepted = self._clock()
            self._changed.notify_all()

    def next(self, timeout: float) -> Sequence[Quote]:
        """What :meth:`balance.market.feed.Feed.next` answers."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout)
            quotes = sorted(self._waiting.values(), key=lambda each: each.time)
            self._waiting = {}
            return tuple(self._in_time(each) for each in quotes)

    def _in_time(self, quote: Quote) -> Quote:
        # the clocks of an exchange's markets differ by a moment; a feed's time never goes back
        if self._latest is not None and quote.time < self._latest:
            return replace(quote, time=self._latest)
        self._latest = quote.time
        return quote

    def tell(self, about: str, words: str) -> None:
        """Say ``words`` about something until others are said about it; empty ones take it back."""
        with self._changed:
            self._said.pop(about, None)
            if words:
                self._said[about] = words

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def state(self) -> FeedState:
        """Whether quotes are coming."""
        with self._changed:
            return self._state()

    def _state(self) -> FeedState:
        if self._accepted is None:
            return "waiting"
        return "stale" if self._clock() - self._accepted > self._stale_after else "live"

    @property
    def message(self) -> str:
        """The worst of what was said and not taken back; without it, why there are no quotes."""
        with self._changed:
            troubles = sorted((each for each in self._said if each != MISSED), key=_rank)
            told = [*troubles[:1], *(each for each in self._said if each == MISSED)]
            if told:
                return " ".join(self._said[each] for each in told)
            if self._accepted is None:
                return f"Waiting for the first prices of {self._name}."
            if self._state() == "stale":
                silent = int(self._clock() - self._accepted)
                return f"{self._name} has sent no prices for {silent} s."
            return ""


def _rank(about: str) -> int:
    found = [place for place, word in enumerate(_FIRST) if about.startswith(word)]
    return found[0] if found else len(_FIRST)
