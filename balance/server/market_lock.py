"""The lock of the one server that lets the market act on the account in a folder.

It is a file, and on Unix the folder as well: a lock on a file alone is lost with the file, as
whoever comes next makes another one and locks that.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from balance.core.errors import LockUnusable
from balance.store.disk import DISK, FILE_MODE

MARKET_LOCK_FILE: Final = "market.lock"

# The device and the inode of a file.
_Identity = tuple[int, int]


class MarketLock:
    """Held from :meth:`take` until it is released or this process ends. Safe to use from many
    threads."""

    def __init__(self, folder: Path) -> None:
        """Of the account in ``folder``; it is not held yet."""
        DISK.narrow(folder, MARKET_LOCK_FILE)
        self._path = folder / MARKET_LOCK_FILE
        self._folder = _FolderLock(folder)
        # One for all threads: one takes it, and another releases it.
        self._file = FileLock(
            self._path,
            mode=FILE_MODE,
            fallback_to_soft=False,
            preserve_lock_file=True,
            thread_local=False,
        )
        self._guard = threading.Lock()
        # The file that is locked; None while none is.
        self._locked: _Identity | None = None

    def take(self) -> bool:
        """Take it where no other process has it, at once; whether it is held now.

        Raises:
            LockUnusable: the lock file can't be made or opened.
        """
        with self._guard:
            if self._locked is None and self._folder.take():
                try:
                    self._take_file()
                finally:
                    if self._locked is None:
                        self._folder.release()
            return self._locked is not None

    def is_held(self) -> bool:
        """Whether it is held still. A lock file that was deleted is made anew; where another
        process has got hold of a new one, or the folder is another, it is lost for ever."""
        if self._locked is not None and self._locked == _identity(self._path):
            return True
        with self._guard:
            if self._locked is None:
                return False
            self._locked = None
            self._file.release()
            with suppress(LockUnusable):
                return self._folder.is_same() and self._take_file()
            return False

    def release(self) -> None:
        """Let another process have it; may be called again."""
        with self._guard:
            self._locked = None
            self._file.release()
            self._folder.release()

    def _take_file(self) -> bool:
        try:
            self._file.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as fault:
            raise LockUnusable(self._path.name, fault.strerror or str(fault)) from fault
        self._locked = _identity(self._path)
        if self._locked is None:
            # It was deleted at this moment: the next attempt makes another.
            self._file.release()
        return self._locked is not None


class _FolderLock:
    """A lock on a folder itself, where the system has such; elsewhere whoever asks has it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder
        self._descriptor: int | None = None

    def take(self) -> bool:
        if sys.platform == "win32":
            return True  # A file that is open can't be deleted there.
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except PermissionError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            os.close(descriptor)
            # A file system without locks on folders says so otherwise.
            return not isinstance(fault, BlockingIOError)
        self._descriptor = descriptor
        _inherited.add(descriptor)
        return True

    def is_same(self) -> bool:
        """Whether the folder that is locked has its path still."""
        if self._descriptor is None:
            return self._path.is_dir()
        found = os.fstat(self._descriptor)
        return (found.st_dev, found.st_ino) == _identity(self._path)

    def release(self) -> None:
        if self._descriptor is not None:
            _inherited.discard(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


def _identity(path: Path) -> _Identity | None:
    """What is at ``path``; None where nothing is."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


# A forked child has the descriptors of its parent, and with them the locks beyond its end; the
# library closes its own.
_inherited: set[int] = set()


def _close_inherited() -> None:
    for descriptor in _inherited:
        os.close(descriptor)
    _inherited.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)
