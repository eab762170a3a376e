"""What a feed is: the one contract of the simulated market, replays and exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from balance.core.errors import InvalidRequest
from balance.core.instrument import Instrument
from balance.core.quote import Candle, Quote, Settlement

#: ``waiting`` before the first quote; ``stale`` when quotes have stopped; ``ended`` when a replay
#: is through.
FeedState = Literal["waiting", "live", "stale", "ended"]


class FeedFault(InvalidRequest):
    """A feed can't be used; the message says why, and what to do."""


class Feed(Protocol):
    """Quotes of some symbols as they come. One thread calls :meth:`next`; the others may be called
    from any thread."""

    @property
    def id(self) -> str:
        """What positions are bound to: they are never marked with quotes of another id. It says
        which market it is and, of a replay, which files: ``simulated``,
        ``replay:BTC/USDT=btc.csv``."""

    @property
    def label(self) -> str:
        """What the screen calls it, in a word or two: ``SIMULATED``, ``REPLAY 600x``."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """By symbol, in the order in which they are to be shown."""

    @property
    def notes(self) -> Sequence[str]:
        """What there is to know of where its prices come from, in sentences."""

    def start(self) -> None:
        """Begin, where it takes a connection; returns at once.

        Raises:
            FeedFault: it can't be.
        """

    def next(self, timeout: float) -> Sequence[Quote]:
        """The quotes of the next moment, at most one a symbol, each at least as late as those
        before; waits up to ``timeout`` seconds for them and returns none if none came."""

    @property
    def state(self) -> FeedState:
        """Whether quotes are coming."""

    @property
    def message(self) -> str:
        """What there is to say about the state: why there are no quotes, or where a replay stands;
        empty while all is well."""

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest ``limit`` candles of ``seconds`` each, oldest first, the running one last;
        fewer where there are no more. ``seconds`` is 60 or a multiple of it."""

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The funding settlement of ``symbol`` at ``instant``, a past or the present moment; None
        where its rate or its mark price is not known."""

    def missed(self, since: datetime) -> Iterator[Sequence[Quote]]:
        """What the market did from ``since``, when this program last saw it, until :meth:`start`:
        as :meth:`next` would have returned it. Nothing where the market stood still meanwhile."""

    def saved(self, *, lightly: bool = False) -> dict[str, Any]:
        """What it takes to go on after a restart, as JSON; ``lightly`` without the long past, which
        an earlier and whole one tells as well."""

    def stop(self) -> None:
        """End, and wait until that is so."""
