"""Long work in a thread that leaves the others room."""

from __future__ import annotations

import time
from typing import Final

# Seconds of work after which other threads get the processor, and seconds of rest.
_WORK_SECONDS: Final = 0.02
_REST_SECONDS: Final = 0.001


class Pace:
    """Gives the processor to other threads now and then."""

    def __init__(self) -> None:
        self._rested = time.monotonic()

    def rest(self) -> None:
        """Rest, where the last rest was long enough ago."""
        if time.monotonic() - self._rested > _WORK_SECONDS:
            time.sleep(_REST_SECONDS)
            self._rested = time.monotonic()
