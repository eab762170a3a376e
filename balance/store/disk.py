"""Durable writes: whole files replaced atomically, lines appended, both synced to the disk."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

# On Windows a reader that has the file open makes a replace fail for as long as it reads.
_REPLACE_TRIES: Final = 50
_REPLACE_PAUSE_SECONDS: Final = 0.01
# A file changed this shortly before it was read may change again within one tick of its clock.
_RACY_NANOSECONDS: Final = 20_000_000
#: Files and folders are their owner's alone from the first byte on. Not by the process's umask: the
#: program that has opened the account may have files of its own.
FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_OTHERS: Final = 0o077
# Of a file that is copied, in bytes.
_BLOCK: Final = 1024 * 1024

_log = logging.getLogger(__name__)


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
    another, which refuses or records calls of the system: :meth:`open`, :meth:`create`,
    :meth:`write`, :meth:`sync`, :meth:`rename` and :meth:`truncate`. Safe to use from many threads.
    """

    def __init__(self) -> None:
        # The folders whose last sync failed.
        self._unsynced: set[Path] = set()
        # The files that others may read and that could not be narrowed, as the log says already.
        self._wide: set[Path] = set()

    def open(self, path: Path, mode: Literal["rb", "r+b", "ab"] = "rb") -> BinaryIO:
        """The file at ``path``, to read, to change or to append to; the last makes it where it is
        missing. Without a buffer where it is written, which would be written once more as the file
        is closed.

        Raises:
            OSError: it can't be opened, or is no regular file, such as a pipe, which might be
                waited for, or a device, which might have no end.
        """
        buffering = -1 if mode == "rb" else 0
        return open(path, mode, buffering, opener=_open_regular)

    def read(self, path: Path) -> bytes:
        """All of the file at ``path``.

        Raises:
            OSError: it can't be read, or is no regular file.
        """
        with self.open(path) as file:
            return file.read()

    def create(self, target: Path) -> tuple[int, str]:
        """A new temporary file beside ``target``: its descriptor and its name."""
        return tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)

    def write(self, descriptor: int, text: bytes) -> None:
        """Write all of ``text`` where the file behind ``descriptor`` stands, however little of it
        the system takes at a time."""
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

    def replace_file(
        self, path: Path, text: bytes | Iterable[bytes], *, durable: bool = True
    ) -> None:
        """Put ``text``, or its blocks, in the place of the file at ``path``: all of it or nothing,
        whatever happens to the machine. Unless it is ``durable``, a power loss may bring back the
        file before it. What dead writers of it left beside is removed: only for the holder of its
        lock.

        Raises:
            OSError: the disk refused, or there is something else than a regular file; the file at
                ``path`` is then the old one or, if only the sync of its folder failed, the new one.
        """
        # A link stays a link: what it points to is replaced.
        target = Path(os.path.realpath(path))
        with contextlib.suppress(FileNotFoundError):
            _check_regular(os.lstat(target).st_mode)
        self.sweep(target.parent, target.name)
        blocks = [text] if isinstance(text, bytes) else text
        self._put(target, blocks, durable=durable)

    def _put(self, target: Path, blocks: Iterable[bytes], *, durable: bool = True) -> None:
        descriptor, name = self.create(target)
        try:
            try:
                for block in blocks:
                    self.write(descriptor, block)
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
        with self.open(path, "r+b") as file:
            self.truncate(file.fileno(), size)
            self.sync(file.fileno())

    def keep_damaged(self, path: Path, now: datetime) -> str | None:
        """Copy the file at ``path`` beside it, durably, and return the name of the copy, which has
        the time ``now`` in it; None where there is nothing. What is no regular file, such as a
        folder or a link to nowhere, is moved there instead.

        Raises:
            OSError: it can't be copied or moved.
        """
        beside = path.with_name(f"{path.stem}.damaged-{now:%Y%m%dT%H%M%S%f}{path.suffix}")
        try:
            damaged = self.open(path)
        except OSError:
            if not os.path.lexists(path):
                return None
            if path.is_file():
                raise
            self.rename(str(path), beside)
            self.sync_folder(path.parent)
            return beside.name
        with damaged:
            self._put(beside, iter(partial(damaged.read, _BLOCK), b""))
        return beside.name

    def reserve(self, path: Path) -> None:
        """Have a file at ``path``, an empty one where there is none, for libraries that would make
        one that others may read. A file that is there is not opened: to close it again would take
        from this process the locks that SQLite has on it."""
        if sys.platform == "win32" or os.path.lexists(path):
            return
        # What fails here, the library finds out itself.
        with contextlib.suppress(OSError):
            descriptor, name = self.create(path)
            os.close(descriptor)
            try:
                os.link(name, path)
            finally:
                os.unlink(name)

    def make_folder(self, folder: Path) -> None:
        """Have a ``folder``, and make it durable: one that is missing is made for its owner alone,
        with those above it that are missing too.

        Raises:
            OSError: it can't be made.
        """
        missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
        for each in reversed(missing):
            try:
                os.mkdir(each, _FOLDER_MODE)
            except FileExistsError:
                # Unless another program was first.
                if not each.is_dir():
                    raise
        unsynced = {each.parent for each in missing or [folder]} | self._unsynced
        for each in folder.parents:
            # Who may not read a folder can't sync it.
            if each in unsynced:
                with contextlib.suppress(PermissionError):
                    self.sync_folder(each)

    def narrow(self, folder: Path, *names: str) -> None:
        """Let only their owner read and write the files in ``folder`` with these ``names``, their
        damaged copies, and what SQLite has beside them. What can't be changed is a warning in the
        log. Nothing on Windows, where files have the rights of their folder."""
        if sys.platform == "win32":
            return
        wide, reason = [], ""
        with contextlib.suppress(OSError), os.scandir(folder) as found:
            for each in found:
                if any(_belongs(each.name, name) for name in names):
                    # It may be gone, or a link to nowhere.
                    with contextlib.suppress(OSError):
                        fault = _narrowed(Path(each.path))
                        if fault and Path(each.path) not in self._wide:
                            wide.append(each.name)
                            self._wide.add(Path(each.path))
                            reason = fault
        if wide:
            _log.warning(
                "Other users of this machine may read %s, which could not be kept from them (%s). "
                "Move the data folder to where you alone may read, or take the rights from them "
                "yourself.",
                ", ".join(sorted(wide)),
                reason,
            )

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

    def sweep(self, folder: Path, *names: str) -> None:
        """Remove the temporary files that dead writers of the files with these ``names`` left in
        ``folder``.

        Only for the holder of the lock: nobody else is writing one then.
        """
        starts = tuple(f".{name}." for name in names)
        with contextlib.suppress(OSError), os.scandir(folder) as found:
            for each in found:
                if each.name.startswith(starts) and each.name.endswith(".tmp"):
                    with contextlib.suppress(OSError):
                        os.unlink(each.path)


def _narrowed(path: Path) -> str:
    """Why others may still read the file at ``path``; empty where they may not."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) or not mode & _OTHERS:
        return ""
    try:
        os.chmod(path, stat.S_IMODE(mode) & ~_OTHERS)
    except OSError as fault:
        return fault.strerror or type(fault).__name__
    return "its file system has no modes" if os.stat(path).st_mode & _OTHERS else ""


def _open_regular(path: str, flags: int) -> int:
    # A pipe is not waited for.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), FILE_MODE)
    try:
        _check_regular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Not a regular file")


def _belongs(found: str, name: str) -> bool:
    """Whether the file ``found`` is that with ``name``, or one that is made beside it."""
    stem, suffix = os.path.splitext(name)
    is_copy = found.startswith(f"{stem}.") and found.endswith(suffix)
    return found == name or is_copy or found in (f"{name}-wal", f"{name}-shm")


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
            with self._disk.open(self.path, "r+b") as file:
                self._sync(file.fileno(), start)
            self._synced = size

    def append(self, text: bytes) -> int:
        """Add ``text`` to the end, durably, and return how long the file is now; it is made where
        missing.

        Raises:
            OSError: the disk refused; nothing of ``text`` is there, or will be at the next call.
        """
        self._restore()
        with self._disk.open(self.path, "ab") as file:
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
