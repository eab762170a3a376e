"""A connection: one client that listens, and the messages that wait for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final

#: So many messages may wait for a client; one that reads slower than that is cut off.
MOST_WAITING: Final = 1_000


class Message:
    """One message to any number of clients, written once."""

    __slots__ = ("_name", "_wrapped", "text")

    def __init__(self, name: str, text: str) -> None:
        """``name`` is the stream that it comes from, ``text`` its event as JSON."""
        self._name, self.text = name, text
        self._wrapped = ""

    @property
    def wrapped(self) -> str:
        """The event with the name of its stream."""
        if not self._wrapped:
            self._wrapped = f'{{"stream":{json.dumps(self._name)},"data":{self.text}}}'
        return self._wrapped


class Connection:
    """One client. All but the messages that wait is the hub's."""

    def __init__(self, *, wraps: bool, cut: Callable[[], None]) -> None:
        """``wraps`` says whether it gets the name of the stream around each event; ``cut`` ends a
        connection whose client does not read."""
        self.names: set[str] = set()
        self._wraps = wraps
        self._cut = cut
        self._waiting = asyncio.Queue[str](MOST_WAITING)

    def push(self, message: Message) -> None:
        """Have the client get the event in ``message``."""
        self.put(message.wrapped if self._wraps else message.text)

    def put(self, text: str) -> None:
        """Have the client get ``text``."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self._cut()

    async def next(self) -> str:
        """The next text for the client."""
        return await self._waiting.get()
