"""Work that goes on in a thread of its own, turn after turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

#: The wait of a worker that takes no turn until it is woken.
UNTIL_WOKEN: Final = threading.TIMEOUT_MAX

_log = logging.getLogger(__name__)


class Worker:
    """A thread that takes turns from :meth:`start` to :meth:`stop`, the first one at once.

    A turn that raises is logged with its traceback, and the next one is taken all the same. A
    failure is logged once until a turn has succeeded again.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float | None],
        failure: str,
        every: float = UNTIL_WOKEN,
        settle: float = 0.0,
        last: Callable[[], None] | None = None,
    ) -> None:
        """``turn`` returns how many seconds pass before the next one, or None for the usual
        ``every``, which also follows a turn that failed. ``failure`` is the sentence that a failed
        turn is logged with. ``settle`` seconds pass between :meth:`wake` and its turn, so that many
        calls cost one turn. ``last`` is called after the last turn, in the same thread."""
        self._turn = turn
        self._failure = failure
        self._every = every
        self._settle = settle
        self._last = last
        self._has_failed = False
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether it was stopped: a long turn may look, and end early."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread; does nothing where it was started, or stopped, before. Not for several
        threads at once."""
        if self._thread.ident is None and not self._stopping.is_set():
            self._thread.start()

    def wake(self, *_: object) -> None:
        """Have the next turn taken now; any arguments are ignored, so that this can subscribe."""
        self._woken.set()

    def stop(self, *, wait: bool = True) -> None:
        """Take no more turns, and wait until the one under way has ended, unless ``wait`` is
        False; may be called again."""
        self._stopping.set()
        self._woken.set()
        if wait and self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            seconds = self._attempt(self._turn)
            if seconds == 0:
                continue
            if self._woken.wait(self._every if seconds is None else seconds):
                self._stopping.wait(self._settle)
                self._woken.clear()
        if self._last is not None:
            self._attempt(self._last)

    def _attempt(self, step: Callable[[], float | None]) -> float | None:
        try:
            seconds = step()
        except Exception:
            if not self._has_failed:
                _log.exception("%s", self._failure)
            self._has_failed = True
            return None
        self._has_failed = False
        return seconds
