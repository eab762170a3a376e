"""Programs that listen to the streams of the dialect, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from balance.api.guards import Guards
from balance.binance.streams.server import StreamServer
from balance.desk.desk import Desk
from balance.keys.listen_keys import ListenKeys
from balance.store.memory_store import MemoryStore
from tests.boards import board, priced
from tests.dialect import Dialect
from tests.patience import patience

_Result = TypeVar("_Result")


class Streams:
    """The streams of an account in memory while this is entered, at the prices of a board that
    :meth:`move` moves."""

    def __init__(
        self,
        guards: Guards | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.board = board()
        self.desk = Desk(MemoryStore(), self.board)
        self.dialect = Dialect(self.desk)
        self.services = self.dialect.services
        if clock is not None:
            self.services.listen_keys = ListenKeys(self.services.keys, clock)
        self.server = StreamServer(
            self.desk, self.services, guards or Guards(), clock or (lambda: datetime.now(UTC))
        )
        self.port = self.server.bind("127.0.0.1", 0, beside=0)
        self.services.ticks.look(self.board.market)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def move(self, price: object) -> None:
        """Let the next moment of the market come, with Bitcoin at ``price``."""
        priced(self.board, price)
        self.services.ticks.look(self.board.market)

    @property
    def listen_key(self) -> str:
        """The listen key of the key called bot, which is open."""
        return self.services.listen_keys.open("bot")

    def listen(self, path: str, **headers: str) -> Listener:
        """A program that connects to ``path``."""
        return Listener(f"http://127.0.0.1:{self.port}{path}", headers)


class Listener:
    """A program that listens, while this is entered."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._url, self._headers = url, headers
        self._open = AsyncExitStack()
        #: The connection.
        self.socket: ClientWebSocketResponse

    def __enter__(self) -> Self:
        async def connect() -> None:
            session = await self._open.enter_async_context(ClientSession())
            connecting = session.ws_connect(self._url, headers=self._headers)
            self.socket = await self._open.enter_async_context(connecting)

        try:
            self._wait(connect())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._wait(self._open.aclose())
        self._loop.close()

    def send(self, method: str, *params: object, number: object = 1) -> Any:
        """The answer to a message, which may come behind events."""
        self.write(json.dumps({"method": method, "params": list(params), "id": number}))
        while "id" not in (message := self.next()):
            pass
        return message

    def write(self, text: str | bytes) -> None:
        """Send ``text`` as it is."""
        sending = self.socket.send_str if isinstance(text, str) else self.socket.send_bytes
        self._wait(sending(text))  # type: ignore[arg-type]

    def next(self) -> Any:
        """The next message."""
        message = self._wait(self.socket.receive())
        assert message.type is WSMsgType.TEXT, message
        return json.loads(message.data)

    def until(self, event: str) -> Any:
        """The next event called ``event``, whatever comes before it."""
        while True:
            message = self.next()
            found = message.get("data", message)
            if isinstance(found, dict) and found.get("e") == event:
                return found

    def close(self) -> None:
        """End the connection."""
        self._wait(self.socket.close())

    def end(self) -> int | None:
        """The code that the server ends the connection with, whatever comes before it."""
        while self._wait(self.socket.receive()).type in (WSMsgType.TEXT, WSMsgType.PING):
            pass
        return self.socket.close_code

    def _wait(self, what: Coroutine[Any, Any, _Result]) -> _Result:
        return self._loop.run_until_complete(asyncio.wait_for(what, patience()))
