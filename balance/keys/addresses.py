"""``data/server.json``: where the server that runs is reached, for the shell and other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from balance.store.disk import DISK, Disk
from balance.store.kept_file import KeptFile
from balance.store.records import Record

SERVER_FILE: Final = "server.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a server, without a slash at the end; empty where they are not known."""

    # Of HTTP: ``http://127.0.0.1:8050``.
    rest: str = ""
    # Of the streams: ``ws://127.0.0.1:8051``.
    stream: str = ""


_ADDRESSES: Final = Record(Addresses)


class AddressFile:
    """The addresses of the server that leads on a folder or, while none does, of the last one; None
    keeps them nowhere."""

    def __init__(self, folder: Path | None = None, disk: Disk = DISK) -> None:
        self._file = KeptFile(
            folder,
            SERVER_FILE,
            Addresses(),
            _ADDRESSES.encode,
            _ADDRESSES.decode,
            remedy="Move it away: the next start of the server writes another.",
            disk=disk,
        )

    @property
    def latest(self) -> Addresses:
        """What is in the file now."""
        with self._file.guard:
            return self._file.latest_known()

    def write(self, addresses: Addresses) -> None:
        """Have the server at ``addresses``; where the disk refuses, the program's log says so."""
        with self._file.guard:
            if self.latest == addresses:
                return
            self._file.put(addresses)
            self._file.try_save(durable=False)
