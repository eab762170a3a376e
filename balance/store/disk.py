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
from typing import Final, NamedTuple

# On Windows a reader that has the file open makes a replace fail for as long as it reads.
_REPLACE_TRIES: Final = 50
_REPLACE_PAUSE_SECONDS: Final = 0.01
# A file changed this shortly before it was read may change again within one tick of its clock.
_RACY_NANOSECONDS: Final = 20_000_000


class Signature(NamedTuple):
    """What tells one state of a file from another."""

    # When it was changed, in nanoseconds since the epoch.
    changed: int
    size: int
    inode: int

    def is_racy(self, read: int) -> bool:
        """Whether the file was changed so shortly before ``read``, in nanoseconds since the epoch,
        that its next change may leave it with the same signature."""
        return abs(read - self.changed) < _RACY_NANOSECONDS


class Disk:
    """The disk that files are kept on. Whoever writes is given one, so that a test can hand in
    another, which refuses or records calls of the system: :meth:`create`, :meth:`write`,
    :meth:`sync`, :meth:`rename` and :meth:`truncate`. Safe to use from many threads.
    """

    def __init__(self) -> None:
        # The folders whose last sync failed.
        self._unsynced: set[Path] = set()

    def create(self, target: Path) -> tuple[int, str]:
        """A new temporary file beside ``target``: its descriptor and its name."""
        return tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)

    def write(self, descriptor: int, text: bytes) -> None:
        """Write all of ``text`` where the file behind ``descriptor`` stands."""
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        """Wait until the file or the folder behind ``descriptor`` is on the disk."""
        os.fsync(descriptor)

    def rename(self, source: str, target: Path) -> None:
        """Put the file called ``source`` in the place of ``target``."""
        os.replace(source, target)

    def truncate(self, descriptor: int, size: int) -> None:
        """Shorten the file behind ``descriptor`` to ``size`` bytes."""
        os.ftruncate(descriptor, size)

    def replace_file(self, path: Path, text: bytes, *, durable: bool = True) -> None:
        """Put ``text`` in the place of the file at ``path``: all of it or nothing, whatever happens
        to the machine. Unless it is ``durable``, a power loss may bring back the file before it.

        Raises:
            OSError: the disk refused; the file at ``path`` is then the old one or, if only the sync
                of its folder failed, the new one.
        """
        # A link stays a link: what it points to is replaced.
        target = path.resolve()
        descriptor, name = self.create(target)
        try:
            try:
                self.write(descriptor, text)
                # Without it, a rename may come back with an empty file behind it.
                self.sync(descriptor)
            finally:
                os.close(descriptor)
            self._rename_patiently(name, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        if durable:
            self.sync_folder(target.parent)

    def _rename_patiently(self, name: str, target: Path) -> None:
        for left in reversed(range(_REPLACE_TRIES)):
            try:
                self.rename(name, target)
            except PermissionError:
                if sys.platform != "win32" or not left:
                    raise
                time.sleep(_REPLACE_PAUSE_SECONDS)
            else:
                return

    def cut(self, path: Path, size: int) -> None:
        """Shorten the file at ``path`` to ``size`` bytes, durably."""
        with path.open("r+b") as file:
            self.truncate(file.fileno(), size)
            self.sync(file.fileno())

    def keep_damaged(self, path: Path, now: datetime) -> str | None:
        """Copy the file at ``path`` beside it, durably, and return the name of the copy, which has
        the time ``now`` in it; None where there is no file.

        Raises:
            OSError: it can't be copied.
        """
        if not path.exists():
            return None
        beside = path.with_name(f"{path.stem}.damaged-{now:%Y%m%dT%H%M%S%f}{path.suffix}")
        shutil.copy2(path, beside)
        with beside.open("r+b") as file:
            self.sync(file.fileno())
        self.sync_folder(path.parent)
        return beside.name

    def signature(self, path: Path) -> Signature:
        """What tells the file at ``path`` from what it is after its next change.

        Raises:
            OSError: there is none, or its state can't be read.
        """
        status = os.stat(path)
        return Signature(status.st_mtime_ns, status.st_size, status.st_ino)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in ``folder`` durable, where the system lets a folder be synced.

        Raises:
            OSError: the disk refused.
        """
        if sys.platform == "win32":
            return
        self._unsynced.add(folder)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)
        self._unsynced.discard(folder)

    def settle_folder(self, folder: Path) -> None:
        """Sync ``folder`` again where its last sync failed.

        Raises:
            OSError: the disk refused.
        """
        if folder in self._unsynced:
            self.sync_folder(folder)

    def sweep(self, folder: Path, name: str) -> None:
        """Remove the temporary files that dead writers of ``name`` left in ``folder``.

        Only for the holder of the lock: nobody else is writing one then.
        """
        for leftover in folder.glob(f".{name}.*.tmp"):
            with contextlib.suppress(OSError):
                leftover.unlink()


#: The disk of this machine, which all of a process share: it knows the folders left unsynced.
DISK: Final = Disk()


class AppendedFile:
    """A file that is only appended to, and is not believed beyond what came to the disk.

    After a failed sync the system may hold for clean what never came to the disk, so that another
    sync says nothing of it: what was appended is cut off, and is to be appended anew. Only for the
    holder of the lock.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self._disk = disk
        # Its length when this process last synced it.
        self._synced: int | None = None
        # Where it ends, whatever stands behind: the rest of a failed sync could not be cut off.
        self._end: int | None = None

    def settle(self, start: Callable[[], int]) -> None:
        """Make durable what stands in the file, by whomever it was written. ``start`` says from
        where on its writer may not have come to sync it.

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
        """Add ``text`` to the end, durably, and return how long the file is now; it is made where
        missing.

        Raises:
            OSError: the disk refused; nothing of ``text`` is there, or will be at the next call.
        """
        self._restore()
        # Without a buffer, which would be written once more as the file is closed.
        with self.path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            self._sync(file.fileno(), lambda: before, text)
            self._synced = before + len(text)
        return self._synced

    def _sync(self, descriptor: int, start: Callable[[], int], text: bytes = b"") -> None:
        """Write ``text`` and sync the file; where that fails, cut it off at ``start``."""
        try:
            self._disk.write(descriptor, text)
            self._disk.sync(descriptor)
            if text and not start():
                self._disk.sync_folder(self.path.parent)
        except OSError:
            self._synced, self._end = None, start()
            with contextlib.suppress(OSError):
                self._disk.truncate(descriptor, self._end)
            raise

    def _restore(self) -> None:
        if self._end is not None:
            with contextlib.suppress(FileNotFoundError):
                self._disk.cut(self.path, self._end)
            self._end = None
