"""The figures of performance as pages follow them: made anew after each change of the account, and
now and then while only its prices move."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from balance.background.worker import Worker
from balance.core.errors import StoreError
from balance.desk.desk import Desk
from balance.performance.performance import Equity

# They are made at most so often, and may take this part of the time at most: with a year of samples
# in one epoch they take 75 ms.
_SHORTEST_SECONDS: Final = 1.0
_SHARE: Final = 0.05
# While prices move they are made so often; without them, too, as a day ends.
_PRICE_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 60.0
# So many changes in a row are one.
_SETTLE_SECONDS: Final = 0.3

#: What the figures are of: another one after each change, and when money is written otherwise.
_Version = tuple[str, int, int]


class FigureFeed:
    """Publishes the figures of ``equity`` from :meth:`start` to :meth:`stop`, as ``GET
    /performance`` writes them for people, while ``is_heard`` says that somebody listens."""

    def __init__(
        self,
        desk: Desk,
        equity: Equity,
        publish: Callable[[Mapping[str, Any]], None],
        is_heard: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._equity = equity
        self._publish = publish
        self._is_heard = is_heard
        self._clock = clock
        # Whether a page was opened that will listen.
        self._is_expected = False
        self._version: _Version | None = None
        self._tick = 0
        self._made = 0.0
        # What the last ones took, in seconds.
        self._took = 0.0
        self._display: Mapping[str, str] = {}
        self._worker = Worker(
            "figures",
            self._turn,
            "the figures of performance could not be shown",
            _SHORTEST_SECONDS,
            _SETTLE_SECONDS,
        )
        desk.subscribe(self._worker.wake)

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def stop(self) -> None:
        """End."""
        self._worker.stop()

    def expect(self) -> None:
        """Publish them now: a page was opened, which listens as soon as it is there."""
        self._is_expected = True
        self._worker.wake()

    def turn(self) -> float | None:
        """Publish them where they may have changed; returns the seconds after which the next turn
        is due, None for the usual ones.

        Raises:
            StoreError: the account can't be read.
        """
        if not (self._is_expected or self._is_heard()):
            return None
        rest = max(_SHORTEST_SECONDS, self._took / _SHARE)
        passed = self._clock() - self._made
        if self._version is not None and passed < rest:
            return rest - passed
        snapshot = self._desk.snapshot()
        version = (snapshot.account, snapshot.revision, self._desk.market.decimals)
        longest = _LONGEST_SECONDS if snapshot.tick == self._tick else _PRICE_SECONDS
        if self._is_expected or version != self._version or passed >= longest:
            self._is_expected = False
            self._make()
            self._version, self._tick = version, snapshot.tick
        return None

    def _turn(self) -> float | None:
        with suppress(StoreError):  # Every tab says so.
            return self.turn()
        return None

    def _make(self) -> None:
        begun = self._clock()
        display = self._equity.performance()["display"]
        self._made = self._clock()
        self._took = self._made - begun
        if display != self._display:
            self._display = display
            version = time.time_ns() // 1_000_000
            self._publish({"version": version, "display": display})
