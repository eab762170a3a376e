"""Whether the clock can be believed: it may be wrong for a while, after a start above all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

#: A clock that has gone on for so long without a leap is believed.
STEADY_SECONDS: Final = 300.0
#: By more than this a clock does not move against a steady one unless somebody sets it.
JITTER_SECONDS: Final = 2.0


class Steadiness:
    """Watches a clock for leaps, by ``steady``, which counts seconds and makes none."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        # how far the clock was ahead of the steady one, and since when there was no leap
        self._ahead: float | None = None
        self._since = 0.0

    def is_believed(self, now: datetime) -> bool:
        """Whether the clock, which says ``now``, has made no leap for long enough; to be asked
        again and again."""
        steady = self._steady()
        ahead = now.timestamp() - steady
        if self._ahead is None or abs(ahead - self._ahead) > JITTER_SECONDS:
            self._since = steady
        # a clock that is slowly adjusted makes no leap
        self._ahead = ahead
        return steady - self._since >= STEADY_SECONDS
