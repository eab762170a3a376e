"""Durable writes: whole files replaced atomically, lines appended, both synced to the disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Final

# on Windows a reader that has the file open makes a replace fail for as long as it reads
_REPLACE_TRIES: Final = 50
_REPLACE_PAUSE_SECONDS: Final = 0.01


def replace_file(path: Path, text: bytes, *, durable: bool = True) -> None:
    """Put ``text`` in the place of the file at ``path``: all of it or nothing, and durable unless
    a crash of the machine may take it back.

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
            if durable:
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


def append(path: Path, text: bytes) -> None:
    """Add ``text`` to the end of the file at ``path``, durably; the file is made where missing.

    Raises:
        OSError: the disk refused; a part of ``text`` may be there.
    """
    new = not path.exists()
    with path.open("ab") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def cut(path: Path, size: int) -> None:
    """Shorten the file at ``path`` to ``size`` bytes, durably."""
    with path.open("r+b") as file:
        file.truncate(size)
        file.flush()
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


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable, where the system lets a folder be synced."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, name: str) -> None:
    """Remove the temporary files that dead writers of ``name`` left in ``folder``.

    Only for the holder of the lock: nobody else is writing one then.
    """
    for leftover in folder.glob(f".{name}.*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()
