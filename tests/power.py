"""A disk that may fail and lose its power: what of a folder would be there afterwards.

It is as unkind as systems are:
what is written comes to the disk by a sync of the file alone, a name by a sync of its folder, and
after a failed sync of a file the system takes for clean what never came there, so that a later one
writes only what was changed since.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from balance.store.disk import Disk

EIO = OSError(errno.EIO, os.strerror(errno.EIO))
#: A call of the system: what was done, and to which file.
Call = tuple[str, str]


class PowerDisk(Disk):
    """The disk behind ``folder``; ``fault`` says what a call of it raises, by its number from 1."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.calls: list[Call] = []
        self.fault: Callable[[int], BaseException | None] = lambda _number: None
        # by inode: what the system last took for clean, and what came to the disk
        self._clean: dict[int, bytes] = {}
        self._stored: dict[int, bytes] = {}
        self._names: dict[str, int] = {}
        # one more descriptor of each file, so that no inode is used for another one
        self._open: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def restart(self) -> None:
        """Have another process use it, which knows of no sync that failed."""
        self._unsynced.clear()

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._open.values():
            os.close(descriptor)

    def after_power_loss(self, place: Path, *, renamed: bool = False) -> Path:
        """The folder as it is found again, made at ``place``; with ``renamed`` the names had come
        to the disk without a sync."""
        place.mkdir()
        names = self._listed() if renamed else self._names
        for name, inode in names.items():
            if not name.endswith((".tmp", ".lock")):
                (place / name).write_bytes(self._stored.get(inode, b""))
        return place

    def _listed(self) -> dict[str, int]:
        found = {}
        for entry in os.scandir(self.folder):
            if entry.is_file():
                found[entry.name] = entry.inode()
        return found

    def _called(self, what: str, name: str) -> None:
        call = (what, name)
        self.calls.append(call)
        if fault := self.fault(len(self.calls)):
            raise fault

    def sync(self, descriptor: int) -> None:
        """Sync what is behind ``descriptor``, unless there is a fault."""
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path == self.folder:
            self._called("sync folder", "")
            self._names = self._listed()
            return
        if path.is_dir():
            # the folder itself is always there
            return
        inode = self._known(descriptor)
        now, clean = self._content(inode), self._clean.get(inode, b"")
        try:
            self._called("sync", self._name(inode))
        except OSError:
            self._clean[inode] = now
            raise
        self._clean[inode] = now
        stored = bytearray(self._stored.get(inode, b"")[: len(now)].ljust(len(now), b"\0"))
        for place, byte in enumerate(now):
            if place >= len(clean) or clean[place] != byte:
                stored[place] = byte
        self._stored[inode] = bytes(stored)

    def rename(self, source: str, target: Path) -> None:
        """Put ``source`` in the place of ``target``, unless there is a fault."""
        self._called("replace", target.name)
        super().rename(source, target)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file behind ``descriptor`` off at ``size``, unless there is a fault."""
        inode = self._known(descriptor)
        self._called("cut", self._name(inode))
        super().truncate(descriptor, size)
        self._clean[inode] = self._clean.get(inode, b"")[:size]

    def _known(self, descriptor: int) -> int:
        inode = os.fstat(descriptor).st_ino
        if inode not in self._open:
            self._open[inode] = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY)
        return inode

    def _content(self, inode: int) -> bytes:
        descriptor = self._open[inode]
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    def _name(self, inode: int) -> str:
        found = next((name for name, each in self._listed().items() if each == inode), "")
        # a temporary file is called as the one whose place it takes
        return found[1:].rsplit(".", 2)[0] if found.endswith(".tmp") else found
