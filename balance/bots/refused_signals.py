"""Signals from outside that were refused: who sends an alert sees no answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict

from balance.core.moments import iso
from balance.core.shape import Count, Doc, Time

#: How many of them a minute are listed in the log; the others are counted.
MOST_LISTED: Final = 10
_MINUTE: Final = 60.0
_LONGEST: Final = 300
# Of a secret, so many letters alone say nothing.
_SHORTEST: Final = 6

_log = logging.getLogger(__name__)


class RefusedSignal(TypedDict):
    """The newest signal that was refused."""

    time: Time
    reason: Annotated[str, Doc("What was wrong with it.")]
    count: Annotated[Count, Doc("How many were refused since the last one that bots could act on.")]


class RefusedSignals:
    """The refused signals since the start. Not for several threads at once."""

    def __init__(
        self, secret: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``secret`` is never part of a reason; ``clock`` tells seconds."""
        #: How many there were.
        self.total = 0
        #: The newest; None where one was accepted since, or none refused.
        self.latest: RefusedSignal | None = None
        self._secret = secret
        self._clock = clock
        # When the minute began whose lines are counted, how many it has, and how many refusals
        # have none.
        self._minute, self._listed, self._unlisted = clock(), 0, 0

    def add(self, reason: str) -> str:
        """Count one that was refused for ``reason``; what a log should say, in sentences: empty
        where this minute has its lines already."""
        reason = _readable(_without(reason, self._secret))
        self.total += 1
        count = 1 if self.latest is None else self.latest["count"] + 1
        self.latest = {"time": iso(datetime.now(UTC)), "reason": reason, "count": count}
        now = self._clock()
        if now - self._minute >= _MINUTE:
            self._minute, self._listed = now, 0
        if self._listed >= MOST_LISTED:
            self._unlisted += 1
            return ""
        self._listed += 1
        message = f"A signal from outside was refused: {reason}"
        if self._unlisted:
            message = f"{message} {self._unlisted:,} more were refused before it."
            self._unlisted = 0
        if self._listed == MOST_LISTED:
            message = f"{message} More of this minute are only counted."
        _log.warning("%s", message)
        return message

    def accept(self) -> None:
        """One was accepted: what was wrong is right now."""
        self.latest = None


def _without(text: str, secret: str | None) -> str:
    """``text`` without ``secret``, nor the beginning of it that a message quotes."""
    known = secret or ""
    for length in range(len(known), _SHORTEST - 1, -1):
        text = text.replace(known[:length], "…")
    return text


def _readable(text: str) -> str:
    """``text`` on one line that can be printed, cut where it is long."""
    line = "".join(each if each.isprintable() else " " for each in text).strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
