"""Durable writes: whole files replaced atomically, lines appended, both synced to the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

# on Windows a reader that has the file open makes a replace fail for as long as it reads
_REPLACE_TRIES: Final = 50
_REPLACE_PAUSE_SECONDS: Final = 0.01


def replace_file(path: Path, text: bytes, *, durable: bool = True) -> None:
    """Put ``text`` in the place of the file at ``path``: all of it or nothing, whatever happens to
    the machine. Unless it is ``durable``, a power loss may bring back the file before it.

    Raises:
        OSError: the disk refused; the file at ``path`` is then the old one or, if only the sync
            of its folder failed, the new one.
    """
    # a link stays a link: what it points to is replaced
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            # without it, a rename may come back with an empty file behind it
            os.fsync(file.fileno())
        _replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    if durable:
        sync_folder(target.parent)


def _replace(name: str, target: Path) -> None:
    for left in reversed(range(_REPLACE_TRIES)):
        try:
            os.replace(name, target)
        except PermissionError:
            if sys.platform != "win32" or not left:
                raise
            time.sleep(_REPLACE_PAUSE_SECONDS)
        else:
            return


class AppendedFile:
    """A file that is only appended to, and is not believed beyond what came to the disk.

    After a failed sync the system may hold for clean what never came to the disk, so that another
    sync says nothing of it: what was appended is cut off, and is to be appended anew. Only for the
    holder of the lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # how long it was when this process last synced it
        self._synced: int | None = None
        # where it ends, whatever stands behind: what came of a failed sync could not be cut off
        self._end: int | None = None

    def settle(self, start: Callable[[], int]) -> None:
        """Make durable what stands in the file, by whomever it was written. ``start`` tells where
        that begins which its writer may not have come to sync.

        Raises:
            OSError: the disk refused; nothing from there on is in the file, or will be at the next
                call.
        """
        self._restore()
        try:
            size = os.stat(self.path).st_size
        except FileNotFoundError:
            return
        if size != self._synced:
            with self.path.open("r+b") as file:
                self._sync(file.fileno(), start)
            self._synced = size

    def append(self, text: bytes) -> int:
        """Add ``text`` to the end, durably, and say how long the file is now; it is made where
        missing.

        Raises:
            OSError: the disk refused; nothing of ``text`` is there, or will be at the next call.
        """
        self._restore()
        # without a buffer, which would be written once more as the file is closed
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            self._sync(file.fileno(), lambda: before, text)
            self._synced = before + len(text)
        return self._synced

    def _sync(self, descriptor: int, start: Callable[[], int], text: bytes = b"") -> None:
        """Write ``text`` and sync the file; where that fails, cut it off at ``start``."""
        try:
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
            if text and not start():
                sync_folder(self.path.parent)
        except OSError:
            self._synced, self._end = None, start()
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._end)
            raise

    def _restore(self) -> None:
        if self._end is not None:
            with contextlib.suppress(FileNotFoundError):
                cut(self.path, self._end)
            self._end = None


def cut(path: Path, size: int) -> None:
    """Shorten the file at ``path`` to ``size`` bytes, durably."""
    with path.open("r+b") as file:
        os.ftruncate(file.fileno(), size)
        os.fsync(file.fileno())


def keep_damaged(path: Path, now: datetime) -> str | None:
    """Copy the file at ``path`` beside it, with the time ``now`` in the name, which is told; None
    where there is no file.

    Raises:
        OSError: it can't be copied.
    """
    if not path.exists():
        return None
    beside = path.with_name(f"{path.stem}.damaged-{now:%Y%m%dT%H%M%S%f}{path.suffix}")
    shutil.copy2(path, beside)
    with beside.open("r+b") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return beside.name


#: What tells one state of a file from another: when it was changed, its size and its inode.
Signature = tuple[int, int, int]
# a file changed this shortly before it was read may change again within one tick of its clock
_RACY_NANOSECONDS: Final = 20_000_000


def signature(path: Path) -> Signature:
    """What tells the file at ``path`` from what it is after its next change.

    Raises:
        OSError: there is none, or it can't be looked at.
    """
    status = os.stat(path)
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def is_racy(seen: Signature, looked: int) -> bool:
    """Whether the file was changed so shortly before somebody looked, in nanoseconds since the
    epoch, that the next change may look the same."""
    return abs(looked - seen[0]) < _RACY_NANOSECONDS


# the folders whose last sync failed
_UNSYNCED: Final[set[Path]] = set()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system lets a folder be synced.

    Raises:
        OSError: the disk refused.
    """
    if sys.platform == "win32":
        return
    _UNSYNCED.add(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _UNSYNCED.discard(folder)


def settle_folder(folder: Path) -> None:
    """Sync ``folder`` again where this process could not the last time.

    Raises:
        OSError: the disk refused.
    """
    if folder in _UNSYNCED:
        sync_folder(folder)


def sweep(folder: Path, name: str) -> None:
    """Remove the temporary files that dead writers of ``name`` left in ``folder``.

    Only for the holder of the lock: nobody else is writing one then.
    """
    for leftover in folder.glob(f".{name}.*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()
