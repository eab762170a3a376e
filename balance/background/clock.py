"""Clocks that may be wrong for a while: a leap of the wall clock is believed only after it lasted.

Somebody sets it, a machine without a battery starts with a wrong one, a laptop wakes up. A steady
clock, which only counts seconds, tells such a leap from time that has passed; whether it was right
shows in whether it stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

#: By more than this a clock does not move against a steady one unless somebody sets it.
JITTER_SECONDS: Final = 2.0
#: A leap that has lasted for so long is believed.
LEAP_LASTS_SECONDS: Final = 60.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Steadiness:
    """Whether a clock can be believed, which may be wrong for a while after a start above all."""

    def __init__(self, steady: Callable[[], float], lasts: float = LEAP_LASTS_SECONDS) -> None:
        """``steady`` counts seconds and makes no leaps; a clock that has made none for so many as
        ``lasts`` is believed."""
        self._steady = steady
        self._lasts = lasts
        # How far the clock was ahead of the steady one, and since when there was no leap.
        self._ahead: float | None = None
        self._since = 0.0

    def is_believed(self, now: datetime) -> bool:
        """Whether the clock, at ``now``, has made no leap for long enough; called at each turn."""
        steady = self._steady()
        ahead = now.timestamp() - steady
        if self._ahead is None or abs(ahead - self._ahead) > JITTER_SECONDS:
            self._since = steady
        # A clock that is slowly adjusted makes no leap.
        self._ahead = ahead
        return steady - self._since >= self._lasts


class BelievedClock:
    """The time in UTC as it was believed last, which goes on by the steady clock while a leap of
    the wall clock has not lasted for ``LEAP_LASTS_SECONDS``. It must be called more often than
    that."""

    def __init__(
        self,
        clock: Callable[[], datetime] = _utc_now,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` is the wall clock, ``steady`` counts seconds. It begins with the wall clock's
        time."""
        self._clock, self._steady = clock, steady
        self._steadiness = Steadiness(steady)
        #: How far the wall clock was ahead of the believed time at the last call.
        self.leap = timedelta(0)
        self.go_on_from(clock())

    def go_on_from(self, moment: datetime) -> None:
        """Believe that it is ``moment`` now, until the wall clock has lasted."""
        self._begin, self._begun = moment, self._steady()

    def __call__(self) -> datetime:
        now = self._clock()
        believed = self._begin + timedelta(seconds=self._steady() - self._begun)
        is_leap = abs(now - believed).total_seconds() > JITTER_SECONDS
        if self._steadiness.is_believed(now) or not is_leap:
            self.go_on_from(now)
            believed = now
        self.leap = now - believed
        return believed

    @property
    def message(self) -> str:
        """That the wall clock is not believed now, in a sentence; empty while it is."""
        seconds = round(self.leap.total_seconds())
        if abs(seconds) <= JITTER_SECONDS:
            return ""
        where = "ahead of" if seconds > 0 else "behind"
        return (
            f"This computer's clock is {abs(seconds):,} s {where} the time here, and is believed "
            f"once it has stayed so for {LEAP_LASTS_SECONDS:.0f} s."
        )
