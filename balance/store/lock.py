"""The one lock of an account: between the threads of this process, then between processes."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from filelock import FileLock, Timeout

from balance.core.errors import LockUnusable, StoreBusy
from balance.store.disk import FILE_MODE

#: How long a writer waits for its turn.
TIMEOUT_SECONDS: Final = 5.0
# Polling is unfair: at the library's own 0.05 s the last of eight writers waits ten times longer.
_POLL_SECONDS: Final = 0.001
# A process that takes the lock again at once would be first again, so it lets the others poll.
_GIVE_WAY_SECONDS: Final = 2 * _POLL_SECONDS


class AccountLock:
    """Held in a ``with`` by whoever writes the account; not reentrant.

    Raises:
        StoreBusy: it could not be had in time.
        LockUnusable: the lock file can't be made or opened.
    """

    def __init__(self, path: Path, timeout: float = TIMEOUT_SECONDS) -> None:
        self._name, self._timeout = path.name, timeout
        self._threads = threading.Lock()
        # When this process may take its next turn.
        self._next_turn = 0.0
        self._processes = FileLock(
            path,
            mode=FILE_MODE,
            poll_interval=_POLL_SECONDS,
            fallback_to_soft=False,
            preserve_lock_file=True,
        )

    def __enter__(self) -> None:
        deadline = time.monotonic() + self._timeout
        if not self._threads.acquire(timeout=self._timeout):
            raise StoreBusy(self._timeout)
        try:
            time.sleep(max(0.0, self._next_turn - time.monotonic()))
            self._processes.acquire(timeout=max(0.0, deadline - time.monotonic()))
        except BaseException as fault:
            self._threads.release()
            if isinstance(fault, Timeout):
                raise StoreBusy(self._timeout) from fault
            if isinstance(fault, OSError):
                raise LockUnusable(self._name, fault.strerror or str(fault)) from fault
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._processes.release()
        finally:
            self._next_turn = time.monotonic() + _GIVE_WAY_SECONDS
            self._threads.release()


# There is one lock object a path and process: two on one path would time each other out.
_locks: dict[Path, AccountLock] = {}
_making = threading.Lock()


def account_lock(path: Path) -> AccountLock:
    """The lock object of this process for the lock file at ``path``."""
    path = Path(os.path.realpath(path))
    with _making:
        if path not in _locks:
            _locks[path] = AccountLock(path)
        return _locks[path]


def _forget() -> None:
    # A forked child must not inherit a lock that a thread of its parent holds.
    global _making
    _making = threading.Lock()
    _locks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
