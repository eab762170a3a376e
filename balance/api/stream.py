"""The stream: whole snapshots, and what else there is to follow, as Server-Sent Events, encoded
once for all who listen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from balance.api.encoding import answer, encoded, success
from balance.api.problems import problem_of
from balance.core.errors import StoreError
from balance.core.snapshot import Snapshot

#: How often a listener hears something, news or not.
HEARTBEAT_SECONDS: Final = 2.0
#: How long a browser waits before it connects again.
_RETRY_MILLISECONDS: Final = 500
#: What is sent beside the account, each as an event of its own.
EVENTS: Final = ("bots", "settings", "alerts", "damage", "takeover", "keys", "performance")


class StreamFull(Exception):
    """As many listen as the server has threads to spare."""


class StreamClosed(Exception):
    """The server is stopping."""


@dataclass(slots=True)
class _Slot:
    """The newest message of one kind, and its number among those of its kind; 0: there is none."""

    message: bytes = b""
    number: int = 0
    # the version of what it tells, where that has one
    version: int = 0


class Stream:
    """What the listeners hear of the account, and of each of ``EVENTS``: always the newest message,
    none twice, none out of order."""

    def __init__(self, most_listeners: int, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._most = most_listeners
        self._heartbeat = heartbeat
        self._changed = threading.Condition()
        self._listeners = 0
        self._closed = False
        self._news = _Slot()
        self._events = {name: _Slot() for name in EVENTS}
        self._newest: Snapshot | None = None
        self._fault = ""

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return self._listeners

    def publish(self, snapshot: Snapshot) -> None:
        """Tell ``snapshot``, unless the listeners have heard of it or of a newer one."""
        with self._changed:
            if not self._fault and not _is_news(snapshot, self._newest):
                return
            self._newest, self._fault = snapshot, ""
            message = f"id: {snapshot.revision}\ndata: {encoded(answer(snapshot))}\n\n"
            self._tell(self._news, message)

    def publish_fault(self, fault: StoreError) -> None:
        """Tell that the account can't be read, unless the listeners have heard that."""
        with self._changed:
            if self._fault != str(fault):
                self._fault = str(fault)
                message = f"event: fault\ndata: {encoded(problem_of(fault))}\n\n"
                self._tell(self._news, message)

    def publish_bots(self, listed: Mapping[str, Any]) -> None:
        """Tell ``listed``, what ``GET /bots`` answers, as :meth:`publish_event` does."""
        self.publish_event("bots", listed)

    def publish_event(self, name: str, document: Mapping[str, Any]) -> None:
        """Tell ``document`` as the event ``name``, one of ``EVENTS``, unless the listeners have
        heard of a newer ``version`` of it."""
        with self._changed:
            slot = self._events[name]
            if document["version"] >= slot.version:
                slot.version = document["version"]
                self._tell(slot, f"event: {name}\ndata: {encoded(success(document))}\n\n")

    def listen(self) -> Iterator[bytes]:
        """The messages from the newest on, for as long as the caller wants them.

        The place is taken at once and given back by :meth:`leave`.

        Raises:
            StreamFull: there is no place.
            StreamClosed: the server is stopping.
        """
        with self._changed:
            if self._closed:
                raise StreamClosed
            if self._listeners >= self._most:
                raise StreamFull
            self._listeners += 1
        return self._messages()

    def leave(self) -> None:
        """Give a listener's place back."""
        with self._changed:
            self._listeners -= 1

    def close(self) -> None:
        """Let every listener go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _tell(self, slot: _Slot, message: str) -> None:
        slot.message = message.encode()
        slot.number += 1
        self._changed.notify_all()

    def _messages(self) -> Iterator[bytes]:
        slots = (self._news, *self._events.values())
        heard = [0] * len(slots)
        yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
        while True:
            with self._changed:
                self._wait_for_news(slots, heard)
                if self._closed:
                    return
                fresh = [
                    slot.message
                    for slot, number in zip(slots, heard, strict=True)
                    if slot.number > number
                ]
                heard = [slot.number for slot in slots]
            yield from fresh or [self._beat()]

    def _wait_for_news(self, slots: Sequence[_Slot], heard: list[int]) -> None:
        self._changed.wait_for(
            lambda: self._closed or [slot.number for slot in slots] != heard,
            timeout=self._heartbeat,
        )

    def _beat(self) -> bytes:
        revision = self._newest.revision if self._newest is not None else 0
        return f'event: heartbeat\ndata: {{"revision":{revision}}}\n\n'.encode()


def _is_news(snapshot: Snapshot, newest: Snapshot | None) -> bool:
    if newest is None or snapshot.account != newest.account:
        return True
    return (snapshot.revision, snapshot.tick) > (newest.revision, newest.tick)
