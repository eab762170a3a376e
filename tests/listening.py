"""A listener to the stream of a running server, as a browser's EventSource is one."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.patience import patience


@dataclass(frozen=True)
class Event:
    """One message of the stream."""

    name: str
    id: str
    data: Any


class Listener:
    """Listens from the moment it is made until its ``with`` block ends."""

    def __init__(self, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience())
        connection.connect()
        self._socket: socket.socket = connection.sock
        connection.request("GET", "/virtual_balance/stream")
        self.answer = connection.getresponse()
        self.ended = threading.Event()
        #: Whether the server has let it go, instead of breaking off.
        self.is_dismissed = False
        self._events: queue.Queue[Event] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up, as a browser whose page is closed does."""
        with suppress(OSError):
            # wakes the thread that reads from it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.answer.close()
        self._socket.close()

    def next(self, *names: str) -> Event:
        """The next event with one of ``names`` (none: a snapshot); others are passed over."""
        while True:
            event = self._events.get(timeout=patience())
            if event.name in (names or ("message",)):
                return event

    def until(self, revision: int) -> list[Event]:
        """The snapshots up to the one of ``revision``."""
        found = [self.next()]
        while found[-1].data["revision"] < revision:
            found.append(self.next())
        return found

    def _listen(self) -> None:
        fields: dict[str, str] = {}
        # it may be cut off, by the server or by close
        with suppress(OSError, http.client.HTTPException, ValueError):
            while line := self.answer.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                    continue
                if "data" in fields:
                    kind, data = fields.get("event", "message"), json.loads(fields["data"])
                    self._events.put(Event(kind, fields.get("id", ""), data))
                fields = {}
            # the last chunk, which is empty, has come
            self.is_dismissed = self.answer.chunk_left is None
        self.ended.set()
