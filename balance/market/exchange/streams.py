"""The websockets of an exchange: nothing that comes is lost, and all of them are closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from weakref import WeakSet

# The most tickers that wait for somebody to watch.
_MOST_NEWS: Final = 1000
_RECENT: Final = 50
# Seconds for the closing handshake.
_CLOSING: Final = 0.5


class Streams:
    """The streams of an exchange of ccxt."""

    def __init__(self, raw: Any) -> None:
        """Take note of what ``raw`` writes down and of which connections it makes."""
        self._news: Final = (_News(raw.tickers or {}), _News(raw.bidsasks or {}))
        self._recent: Final[deque[Any]] = deque(maxlen=_RECENT)
        self._clients: Final[WeakSet[Any]] = WeakSet()
        raw.tickers, raw.bidsasks = self._news
        connect = getattr(raw, "client", None)

        def client(url: str) -> Any:
            made = connect(url) if connect is not None else None
            self._clients.add(made)
            return made

        raw.client = client
        self._open: Callable[[], dict[str, Any]] = lambda: raw.clients or {}

    def new(self, answer: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """The tickers since the last call, with ccxt's symbol; ``answer`` is what ccxt returned to
        the one who watched."""
        written = [item for news in self._news for item in news.take()]
        new = []
        # Not every exchange writes all of its streams down.
        for symbol, ticker in [*written, *answer]:
            if not any(ticker is each for each in self._recent):
                self._recent.append(ticker)
                new.append((symbol, ticker))
        return new

    async def renew(self) -> None:
        """Close those that are open; who watches gets an error, and a new one the next time."""
        clients = self._open()
        # Of those that are about to open, ccxt would never close one that it has forgotten.
        for url, client in list(clients.items()):
            if client.connection is not None:
                clients.pop(url, None)
                client.reject(ConnectionError("the stream was closed"))
                await _ended(client)

    async def close(self) -> None:
        """Close all that there are, also those that ccxt has forgotten."""
        ending = (_ended(each) for each in list(self._clients))
        await asyncio.gather(*ending, return_exceptions=True)


class _News(dict[str, Any]):
    """Where ccxt writes the newest ticker of each symbol; it keeps those in between too.

    Of several that come at once, ccxt returns only the first one.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._new: deque[tuple[str, Any]] = deque(maxlen=_MOST_NEWS)

    def __setitem__(self, symbol: str, ticker: Any) -> None:
        super().__setitem__(symbol, ticker)
        self._new.append((symbol, ticker))

    def take(self) -> list[tuple[str, Any]]:
        """What was written since the last call."""
        new = list(self._new)
        self._new.clear()
        return new


async def _ended(client: Any) -> None:
    connection = client.connection
    if connection is None:
        return
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CLOSING):
            await connection.close()
    # A close that was interrupted counts as closed, but its socket is still open.
    connection._response.close()
