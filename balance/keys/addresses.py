"""``data/server.json``: where the server that runs is reached, for the shell and other programs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

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

    def seen_from(self, root: str) -> Addresses:
        """The addresses for who reaches the server at ``root``: those on this machine, or the same
        under the name that a request from another one has for it."""
        address = urlsplit(root)
        if not self.rest or not _is_here(address.hostname):
            stream = urlsplit(self.stream)
            host = address.netloc.removesuffix(f":{address.port}")
            streams = stream._replace(netloc=f"{host}:{stream.port}").geturl()
            return Addresses(root.rstrip("/"), streams if self.stream else "")
        return self


def _is_here(host: str | None) -> bool:
    """Whether ``host`` is this machine to itself."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


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
