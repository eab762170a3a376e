"""Long work in a thread that leaves the others room."""

from __future__ import annotations

import time
from typing import Final

# so long it works before it lets the others to the processor, and so long it rests
_WORK_SECONDS: Final = 0.02
_REST_SECONDS: Final = 0.001


class Pace:
    """Lets the other threads to the processor now and then."""

    def __init__(self) -> None:
        self._rested = time.monotonic()

    def rest(self) -> None:
        """Let them, where it has been long enough."""
        if time.monotonic() - self._rested > _WORK_SECONDS:
            time.sleep(_REST_SECONDS)
            self._rested = time.monotonic()
