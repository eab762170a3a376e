"""The listener of the streams: a port of its own, with a thread that serves all clients."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from balance.api.encoding import encoded
from balance.api.guards import Guards
from balance.api.problems import Problem
from balance.api.services import Services
from balance.binance.errors import Refusal, no_listen_key, refusal_of, unknown_path
from balance.binance.streams.account_stream import AccountStream
from balance.binance.streams.connection import Connection
from balance.binance.streams.hub import Hub
from balance.binance.streams.market_streams import MarketStreams, UnknownStream
from balance.core.errors import BalanceError, InvalidRequest, StoreError
from balance.core.moments import milliseconds
from balance.desk.desk import Desk
from balance.keys.listen_keys import LENGTH

#: So many clients may listen at once.
MOST_CONNECTIONS: Final = 200
#: How often a silent client is asked whether it is still there.
PING_SECONDS: Final = 180.0

# How often streams with a period are looked at, and listen keys.
_LOOK_SECONDS: Final = 0.25
# No message of a client may be larger, in bytes, nor the line that it begins with.
_LARGEST: Final = 64 * 1024
# How long a client may take to answer that its connection ends.
_CLOSE_SECONDS: Final = 1.0
# How long who connects may take to say what for.
_SILENT_SECONDS: Final = 10.0
# So many ports are tried where none is named.
_MOST_PORTS: Final = 100
# Clients route by what a stream is; each of these has all.
_PLACES: Final = ("/public", "/market", "/private")

_log = logging.getLogger(__name__)


class StreamServer:
    """Serves the streams of ``desk`` from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        desk: Desk,
        services: Services,
        guards: Guards,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._desk = desk
        self._listen_keys = services.listen_keys
        self._guards = guards
        self._clock = clock
        self._hub = Hub(MarketStreams(desk, services).open, self._listen_keys.is_open)
        self._account = AccountStream(desk.store)
        self._listening: Sequence[socket.socket] = ()
        # Who listens, and by which connection.
        self._clients: dict[web.WebSocketResponse, asyncio.Transport | None] = {}
        # That of the thread; None before it runs.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._is_stopped = asyncio.Event()
        self._is_woken = False
        self._has_failed = False
        self._thread = threading.Thread(target=self._run, name="streams", daemon=True)
        services.ticks.subscribe(self.wake)
        desk.subscribe(self.wake)

    def bind(self, host: str, port: int | None, beside: int) -> int:
        """Take ``port`` of ``host``, 0: any that is free, None: the first free one behind the port
        ``beside``; return which that is.

        Raises:
            InvalidRequest: there is none, or it can't be served.
        """
        try:
            self._listening = _first_free(host, beside) if port is None else _bound(host, port)
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                raise InvalidRequest(
                    f"Port {port} for the streams is taken by another program. Choose another one, "
                    "or 0 for any that is free: --stream-port 0"
                ) from fault
            raise InvalidRequest(f"The streams can't be served: {fault.strerror}.") from fault
        return int(self._listening[0].getsockname()[1])

    def start(self) -> None:
        """Serve, on the port that was taken."""
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many clients listen now."""
        return len(self._clients)

    def wake(self, *_: object) -> None:
        """Push what is new; any arguments are ignored, so that this can subscribe."""
        if not self._is_woken:
            self._is_woken = True
            self._call(self._look)

    def close(self) -> None:
        """Let every client go; returns at once."""
        self._is_closed = True
        self._call(self._is_stopped.set)

    def stop(self) -> None:
        """Let every client go, and wait until that is so."""
        self.close()
        if self._thread.is_alive():
            self._thread.join()
        for each in self._listening:  # Those of a thread that never began.
            each.close()

    def _call(self, step: Callable[[], None]) -> None:
        """Have the thread do ``step``, while it runs."""
        if self._loop is not None:
            # It has ended, or is about to.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(step)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            _log.exception("the streams failed")
        finally:
            # Nobody waits there for an answer that never comes.
            for each in self._listening:
                each.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._is_closed:
            return
        server = web.Server(self._respond, access_log=None, max_line_size=_LARGEST)
        runner = web.ServerRunner(server, shutdown_timeout=_CLOSE_SECONDS)
        await runner.setup()
        for each in self._listening:
            await web.SockSite(runner, each).start()
        tasks = [
            asyncio.create_task(each) for each in (self._look_often(), self._drop_silent(server))
        ]
        await self._is_stopped.wait()
        for task in tasks:
            task.cancel()
        for site in tuple(runner.sites):
            await site.stop()
        message = b"The server stops."
        going = [each.close(code=WSCloseCode.GOING_AWAY, message=message) for each in self._clients]
        await asyncio.gather(*going, return_exceptions=True)
        await runner.cleanup()

    async def _look_often(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._look()
            with suppress(StoreError):  # Every tab says that the keys can't be read.
                self._hub.expire(self._expired_event)

    async def _drop_silent(self, server: web.Server) -> None:
        """End the connections of those who say nothing, so that they take no places."""
        known = set[object]()
        while True:
            await asyncio.sleep(_SILENT_SECONDS)
            busy = set(self._clients.values())
            silent = {each for each in server.connections if each.transport not in busy}
            for each in silent & known:
                each.force_close()
            known = set(silent)

    def _look(self) -> None:
        """Push what is due, and what has happened to the account."""
        self._is_woken = False
        self._hub.look(time.monotonic())
        self._push_account()

    def _push_account(self) -> None:
        try:
            if self._hub.has_private:
                self._account.begin()
                self._hub.push_private(self._account.events(self._desk.market))
            else:
                self._account.end()
        except StoreError:
            return  # The watch on the account's file reports it.
        except Exception:
            if not self._has_failed:
                _log.exception("the events of the account failed")
            self._has_failed = True
            # What could not be sent is left out, so that what comes after it is sent.
            self._account.end()
        else:
            self._has_failed = False

    def _expired_event(self, listen_key: str) -> Mapping[str, Any]:
        now = milliseconds(self._clock())
        return {"e": "listenKeyExpired", "E": now, "listenKey": listen_key}

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._connect(request)
        except (Refusal, BalanceError, Problem) as fault:
            refusal = refusal_of(fault)
            body = encoded({"code": refusal.code, "msg": refusal.message})
            return web.Response(text=body, status=refusal.status, content_type="application/json")

    async def _connect(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a client until it goes.

        Raises:
            Problem, Refusal: it is not let in.
        """
        self._check_caller(request)
        names, wraps = self._named(request)
        client = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS, heartbeat=PING_SECONDS, max_msg_size=_LARGEST, compress=False
        )
        if not client.can_prepare(request):
            raise Refusal(-5000, "Streams are served over WebSockets: connect with one.", 426)
        if len(self._clients) >= MOST_CONNECTIONS:
            raise Refusal(-1003, f"There are {MOST_CONNECTIONS} connections; close one first.", 503)
        transport = request.transport
        connection = Connection(wraps=wraps, cut=transport.abort if transport else lambda: None)
        self._clients[client] = transport
        try:
            self._push_account()
            self._hub.join(connection, names)
            self._push_account()
            await client.prepare(request)
            await self._talk(client, connection)
        except UnknownStream as fault:
            raise Refusal(-1121, str(fault)) from fault
        finally:
            self._hub.leave(connection)
            del self._clients[client]
        return client

    async def _talk(self, client: web.WebSocketResponse, connection: Connection) -> None:
        writing = asyncio.create_task(_write(client, connection))
        try:
            async for message in client:
                text = message.data if message.type is WSMsgType.TEXT else ""
                self._push_account()
                self._hub.receive(connection, text)
                self._push_account()
        finally:
            writing.cancel()

    def _check_caller(self, request: web.BaseRequest) -> None:
        """Refuse other host names, and pages of other sites, as HTTP does.

        Raises:
            Problem, Refusal: it is one of these.
        """
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        self._guards.check_host(host)
        ours = (f"http://{host}".lower(), f"https://{host}".lower())
        if origin is not None and origin.lower() not in ours:
            raise Refusal(-1106, "Pages of other sites may not listen.", 403)

    def _named(self, request: web.BaseRequest) -> tuple[Sequence[str], bool]:
        """The streams that the address of ``request`` names, and whether events are to have the
        name of their stream around them.

        Raises:
            Refusal: nothing is served there, or it names a listen key that is not open.
        """
        path = request.path
        for place in _PLACES:
            path = path.removeprefix(place) if path.startswith(f"{place}/") else path
        door, _, rest = path.lstrip("/").partition("/")
        if request.method != "GET" or door not in ("ws", "stream"):
            raise unknown_path(request.method, request.path)
        query = request.query
        # What is no name, such as a number, means nothing.
        names = [
            each
            for each in (*rest.split("/"), *query.get("streams", "").split("/"))
            if "@" in each or each[:1] == "!" or len(each) == LENGTH
        ]
        names += query.getall("listenKey", [])
        for each in names:
            is_key = "@" not in each and each[:1] != "!"
            if is_key and not self._listen_keys.is_open(each):
                raise no_listen_key()
        return names, door == "stream"


async def _write(client: web.WebSocketResponse, connection: Connection) -> None:
    """Send ``client`` the texts that wait for it, until it goes."""
    # It has gone, or is going.
    with suppress(ConnectionError, RuntimeError):
        while True:
            await client.send_str(await connection.next())


def _bound(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets that listen at ``port`` of all addresses of ``host``.

    Raises:
        OSError: it is taken, or no address of this machine.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made = list[socket.socket]()
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            taken = made[0].getsockname()[1] if made else port
            made.append(socket.create_server((address[0], taken), family=family))
    except OSError:
        for each in made:
            each.close()
        raise
    return made


def _first_free(host: str, beside: int) -> Sequence[socket.socket]:
    last = min(beside + _MOST_PORTS, 65_535)
    for port in range(beside + 1, last + 1):
        try:
            return _bound(host, port)
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
    raise InvalidRequest(
        f"No port of the {_MOST_PORTS} behind {beside} is free, and the streams need one. Take any "
        "that is: --stream-port 0"
    )
