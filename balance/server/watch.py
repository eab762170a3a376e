"""The watch: notices what other programs do to the account's file, and publishes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from balance.background.worker import Worker
from balance.core.errors import StoreError
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk

_INTERVAL_SECONDS: Final = 0.02
# A program that writes in place leaves the file damaged for a moment, which is no fault yet.
_GRACE_SECONDS: Final = 0.25


class Watch:
    """Checks the account's file fifty times a second, from :meth:`start` to :meth:`stop`; a check
    costs a microsecond while nothing has changed."""

    def __init__(
        self,
        desk: Desk,
        on_snapshot: Callable[[Snapshot], None],
        on_fault: Callable[[StoreError], None],
        check_others: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``check_others`` is called at every check, for the other files that other programs
        write; ``clock`` counts seconds."""
        self._desk = desk
        self._on_snapshot = on_snapshot
        self._on_fault = on_fault
        self._check_others = check_others
        self._clock = clock
        self._faulty_since: float | None = None
        self._known: tuple[str, int] | None = None
        self._worker = Worker(
            "account-watch",
            self._turn,
            "the account's file could not be watched",
            _INTERVAL_SECONDS,
        )

    def start(self) -> None:
        """Start to watch."""
        self._worker.start()

    def stop(self) -> None:
        """Stop watching, and wait until that is so."""
        self._worker.stop()

    def check(self) -> None:
        """Publish the account where it has changed, or its fault where that has lasted."""
        try:
            version = self._desk.version
            if version == self._known and self._faulty_since is None:
                return
            snapshot = self._desk.snapshot()
        except StoreError as fault:
            now = self._clock()
            if self._faulty_since is None:
                self._faulty_since = now
            if now - self._faulty_since >= _GRACE_SECONDS:
                self._on_fault(fault)
        else:
            self._faulty_since, self._known = None, version
            self._on_snapshot(snapshot)

    def _turn(self) -> None:
        self.check()
        self._check_others()
