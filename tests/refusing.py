"""A disk that works until a test has it refuse."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from balance.store.disk import Disk

#: What a disk says that has no room left.
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class RefusingDisk(Disk):
    """A disk that refuses some of its calls for a while."""

    def __init__(self) -> None:
        super().__init__()
        # What is refused now: calls, the names of the files that they are about (none: all), and
        # what is raised.
        self._refused: tuple[tuple[str, ...], tuple[str, ...], BaseException] = (), (), FULL
        #: The files that were replaced, oldest first.
        self.replaced: list[Path] = []

    @contextmanager
    def refusing(self, *calls: str, fault: BaseException = FULL) -> Iterator[None]:
        """Have ``calls``, methods by their names, raise ``fault``."""
        self._refused = calls, (), fault
        try:
            yield
        finally:
            self._refused = (), (), FULL

    @contextmanager
    def full(self, *names: str) -> Iterator[None]:
        """Have no room for the files with these names, or for any file."""
        self._refused = ("replace_file",), names, FULL
        try:
            yield
        finally:
            self._refused = (), (), FULL

    def _check(self, call: str, name: str = "") -> None:
        calls, names, fault = self._refused
        if call in calls and (not names or name in names):
            raise fault

    def create(self, target: Path) -> tuple[int, str]:
        self._check("create")
        return super().create(target)

    def write(self, descriptor: int, text: bytes) -> None:
        self._check("write")
        super().write(descriptor, text)

    def sync(self, descriptor: int) -> None:
        self._check("sync")
        super().sync(descriptor)

    def rename(self, source: str, target: Path) -> None:
        self._check("rename")
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._check("sync_folder")
        super().sync_folder(folder)

    def keep_damaged(self, path: Path, *arguments: Any) -> str | None:
        self._check("keep_damaged", path.name)
        return super().keep_damaged(path, *arguments)

    def replace_file(self, path: Path, text: bytes, *, durable: bool = True) -> None:
        self._check("replace_file", path.name)
        super().replace_file(path, text, durable=durable)
        self.replaced.append(path)
