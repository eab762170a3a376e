"""Ticks: the newest price changes of each symbol, and those of its bid and ask, with numbers.

A number is the millisecond of this machine's clock, or one more than the number before where that
is higher: numbers rise across restarts too, and are the same in a server that follows another.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import Final

from balance.background.listeners import Listeners
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.quote import Quote

#: So many ticks of each symbol are known.
MOST_TICKS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Tick:
    """One change of the last price."""

    # It rises from tick to tick of the symbol.
    id: int
    # By the market's clock.
    time: datetime
    price: Decimal
    # Whether the price fell to it, so that one who sold is taken to have met one who waited.
    falls: bool


@dataclass(frozen=True, slots=True)
class Book:
    """The bid and the ask of one symbol since they changed last."""

    # It rises from change to change of the symbol.
    id: int
    quote: Quote


class Ticks:
    """What has changed in the market since this program runs. Safe to use from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._ticks: dict[str, deque[Tick]] = {}
        self._books: dict[str, Book] = {}
        # The newest moment that was taken.
        self._moment = 0
        self._listeners = Listeners[Market]("market's ticks")

    def look(self, market: Market) -> None:
        """Take what is new in ``market``, a later moment than the last; an earlier one is
        ignored."""
        with self._guard:
            if market.tick < self._moment:
                return
            self._moment = market.tick
            for symbol in market.live:
                quote = market.quotes[symbol]
                self._take(quote, milliseconds(market.as_of or quote.time))
        self._listeners.publish(market)

    def newest(self, symbol: str, limit: int = MOST_TICKS) -> Sequence[Tick]:
        """The newest ticks of ``symbol``, oldest first: at most ``limit``, above zero."""
        with self._guard:
            return list(self._ticks.get(symbol, ()))[-limit:]

    def since(self, symbol: str, number: int) -> Sequence[Tick]:
        """The ticks of ``symbol`` with higher ids than ``number``, oldest first."""
        with self._guard:
            ticks = reversed(self._ticks.get(symbol, ()))
            return list(takewhile(lambda each: each.id > number, ticks))[::-1]

    def book(self, symbol: str) -> Book | None:
        """The bid and the ask of ``symbol``; None before the first."""
        return self._books.get(symbol)

    def subscribe(self, listener: Callable[[Market], None]) -> None:
        """Have ``listener`` called with each later moment of the market, once it is taken."""
        self._listeners.add(listener)

    def _take(self, quote: Quote, now: int) -> None:
        book = self._books.get(quote.symbol)
        if book is None or (book.quote.bid, book.quote.ask) != (quote.bid, quote.ask):
            number = now if book is None else max(now, book.id + 1)
            self._books[quote.symbol] = Book(number, quote)
        ticks = self._ticks.setdefault(quote.symbol, deque(maxlen=MOST_TICKS))
        if not ticks:
            ticks.append(Tick(now, quote.time, quote.last, falls=False))
        elif quote.last != ticks[-1].price:
            number, falls = max(now, ticks[-1].id + 1), quote.last < ticks[-1].price
            ticks.append(Tick(number, quote.time, quote.last, falls))
