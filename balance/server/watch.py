"""Notices what other programs do to the account's file, and tells it on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from balance.core.errors import StoreError
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk

_INTERVAL_SECONDS: Final = 0.02
# a program that writes in place leaves the file damaged for a moment: that is no news yet
_GRACE_SECONDS: Final = 0.25

_log = logging.getLogger(__name__)


class Watch:
    """A thread that looks at the account's file fifty times a second, from :meth:`start` to
    :meth:`stop`; a look costs a microsecond while nothing has changed."""

    def __init__(
        self,
        desk: Desk,
        on_snapshot: Callable[[Snapshot], None],
        on_fault: Callable[[StoreError], None],
        also: Callable[[], None] = lambda: None,
    ) -> None:
        """``also`` is called at every look: it notices what else others have changed."""
        self._desk = desk
        self._also = also
        self._on_snapshot = on_snapshot
        self._on_fault = on_fault
        self._faulty_since: float | None = None
        self._known: tuple[str, int] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="account-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait until that is so."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_SECONDS):
            try:
                self._look()
                self._also()
            except Exception:
                # whatever goes wrong once, the next look may find mended
                _log.exception("the account's file could not be watched")

    def _look(self) -> None:
        try:
            version = self._desk.version
            if version == self._known and self._faulty_since is None:
                return
            snapshot = self._desk.snapshot()
        except StoreError as fault:
            now = time.monotonic()
            self._faulty_since = self._faulty_since or now
            if now - self._faulty_since >= _GRACE_SECONDS:
                self._on_fault(fault)
        else:
            self._faulty_since, self._known = None, version
            self._on_snapshot(snapshot)
