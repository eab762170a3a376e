"""How long tests wait for what must come: no test passes or fails by how fast a machine is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

# on a machine that has nothing else to do
_SECONDS: Final = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2

_Found = TypeVar("_Found")


def patience() -> float:
    """Seconds after which a wait is hopeless on this machine, as busy as it is now. Only a test
    that fails waits so long."""
    overbooked = os.getloadavg()[0] / (os.cpu_count() or 1)
    # by each step of niceness a process gets a fifth less (sched(7))
    return _SECONDS * max(1.0, overbooked) * 1.25 ** max(0, os.nice(0))


def be_patient() -> None:
    """Let what the product gives up after a second in this process take as long as a test does."""
    from balance.history import index

    index._PATIENCE_SECONDS = patience()  # type: ignore[misc]


def ends(call: Callable[[], object]) -> bool:
    """Whether ``call`` returns, where it may have to wait for what never comes."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(patience())
    return not thread.is_alive()


def wait_for(condition: Callable[[], _Found], what: str) -> _Found:
    """Wait until ``condition`` holds, however it comes about; what it is then.

    Raises:
        AssertionError: ``what`` is hopeless.
    """
    start, pause = time.monotonic(), _FIRST_PAUSE
    while not (found := condition()):
        waited = time.monotonic() - start
        assert waited < patience(), f"{what} did not come about within {waited:.0f} s"
        # a look takes the time of others, too
        time.sleep(pause)
        pause = min(1.3 * pause, _LONGEST_PAUSE)
    return found
