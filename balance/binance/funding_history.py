"""The past settlements of funding, as the feed knows them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from balance.binance.errors import Refusal
from balance.core.candles import interval_of
from balance.core.market import Market
from balance.core.quote import Settlement

#: How many settlements are looked at, at most, and how many in a row that are unknown say that the
#: known past begins after them.
_FURTHEST: Final = 1_000
_MOST_UNKNOWN: Final = 10
# An exchange is asked for each settlement on its own: so many seconds a request waits for them.
_PATIENCE: Final = 2.0
# After so many seconds the feed is asked again for one that it did not know.
_UNKNOWN_SECONDS: Final = 60.0


class Settled(NamedTuple):
    """One settlement of a symbol."""

    symbol: str
    instant: datetime
    settlement: Settlement


class FundingHistory:
    """Remembers what the feed said. Safe to use from many threads."""

    def __init__(
        self,
        settle: Callable[[str, datetime], Settlement | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``settle`` is the feed's, which may take seconds; ``clock`` counts them."""
        self._settle = settle
        self._clock = clock
        # By feed, symbol and instant; with the moment until which one that is not known counts.
        self._known: dict[tuple[str | None, str, datetime], tuple[Settlement | None, float]] = {}

    def settlements(
        self,
        market: Market,
        symbols: Iterable[str],
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Settled]:
        """The newest ``limit`` settlements of ``symbols`` until ``until`` or, with ``since``, the
        first ones from then on; oldest first.

        Raises:
            Refusal: the feed has not said all of them in time; it is asked on at the next request.
        """
        deadline = self._clock() + _PATIENCE
        found: list[Settled] = []
        for symbol in symbols:
            known = self._newest_first(market, symbol, since, until, deadline)
            found += itertools.islice(known, limit if since is None else None)
        found.sort(key=lambda each: each.instant)
        return found[-limit:] if since is None else found[:limit]

    def _newest_first(
        self,
        market: Market,
        symbol: str,
        since: datetime | None,
        until: datetime | None,
        deadline: float,
    ) -> Iterator[Settled]:
        unknown = 0
        for instant in _instants(market, symbol, until):
            if unknown >= _MOST_UNKNOWN or (since is not None and instant < since):
                return
            settled = self._at(market.feed, symbol, instant, deadline)
            unknown = 0 if settled else unknown + 1
            if settled:
                yield settled

    def _at(
        self, feed: str | None, symbol: str, instant: datetime, deadline: float
    ) -> Settled | None:
        known, until = self._known.get((feed, symbol, instant), (None, 0.0))
        now = self._clock()
        if known is None and until <= now:
            if now > deadline:
                raise Refusal(
                    -1001,
                    f"The past funding rates of {symbol} are being looked up. Try again.",
                    status=503,
                )
            known = self._settle(symbol, instant)
            self._known[feed, symbol, instant] = known, self._clock() + _UNKNOWN_SECONDS
        return None if known is None else Settled(symbol, instant, known)


def _instants(market: Market, symbol: str, until: datetime | None) -> Iterator[datetime]:
    """The moments by ``until`` at which ``symbol`` was settled by the market's time, newest
    first."""
    quote = market.quotes.get(symbol)
    if quote is None:
        return
    interval = market.instruments[symbol].funding_interval
    instant = interval_of(min(quote.time, until or quote.time), int(interval.total_seconds()))
    for _ in range(_FURTHEST):
        yield instant
        instant -= interval
