"""Keeps the index up to date while nobody asks."""

from __future__ import annotations

import logging
import threading
from typing import Final

from balance.core.errors import StoreError
from balance.history.index import Index

# so long one turn of the work lasts, and so long what has just been committed is left alone
_TURN_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 2.0
# so often it looks for what other programs did, or whether what was wrong is mended
_LOOK_SECONDS: Final = 15.0

_log = logging.getLogger(__name__)


class Keeper:
    """A thread that brings ``index`` up to date, from :meth:`start` to :meth:`stop`."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="history-index", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self, *_: object) -> None:
        """Tell that something was committed; it costs next to nothing."""
        self._woken.set()

    def stop(self) -> None:
        """End, and wait until that is so."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()
        self._index.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._has_caught_up():
                self._woken.wait(_LOOK_SECONDS)
                self._woken.clear()
                self._stopping.wait(_QUIET_SECONDS)

    def _has_caught_up(self) -> bool:
        """Work for a turn; whether there is nothing more that can be done now."""
        try:
            is_done = self._index.is_complete or self._index.catch_up(_TURN_SECONDS)
        except StoreError as fault:
            if str(fault) != self._said:
                _log.warning("the history is not indexed: %s", fault)
            self._said = str(fault)
            return True
        except Exception:
            _log.exception("the history could not be indexed")
            return True
        self._said = ""
        return is_done
