"""Alerts for the tests, on an account in a folder and in a market that a test moves by hand; and a
receiver of what they post."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from balance.alerts.alerts import Alerts
from balance.alerts.delivery import Outbox
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.store.disk import Disk
from balance.store.file_store import FileStore
from tests.markets import BTC, ETH, FREE, market, quote
from tests.patience import patience
from tests.refusing import RefusingDisk

ABOVE: Mapping[str, Any] = {
    "what": "price",
    "symbol": BTC,
    "direction": "above",
    "threshold": Decimal(45_000),
}


class AlertsByHand:
    """Alerts, their desk and their market: Bitcoin at 40,000, without fees and slippage."""

    def __init__(
        self,
        folder: Path,
        *,
        pauses: tuple[float, ...] = (0.01, 0.01),
        disk: Disk | None = None,
    ) -> None:
        self.folder = folder
        self.disk = RefusingDisk()
        disk = disk or self.disk
        self.board = LiveBoard()
        self.board.market = market(quote(BTC, 40_000), quote(ETH, 2_000), terms=FREE)
        self.desk = Desk(FileStore(folder, disk=disk), self.board)
        outbox = partial(Outbox, pauses=pauses, timeout=patience())
        self.alerts = Alerts(self.desk, folder, outbox, disk)
        self.heard: list[Mapping[str, Any]] = []
        self.alerts.subscribe(self.heard.append)
        self.desk.subscribe(self.alerts.committed)

    def price(self, *marks: object, symbol: str = BTC, **changes: Any) -> None:
        """``symbol`` costs each of ``marks``, one after the other; alerts look, as in the engine's
        thread."""
        for mark in marks:
            before = self.board.market
            quotes = {**before.quotes, symbol: quote(symbol, mark)}
            self.board.market = replace(before, quotes=quotes, tick=before.tick + 1, **changes)
            self.alerts.look(self.board.market)

    def create(self, **members: Any) -> str:
        """The id of a new alert, by default on Bitcoin at 45,000."""
        alert: str = self.alerts.create({**ABOVE, **members}).members["alert"]["id"]
        return alert

    def row(self, alert: str = "alert-1") -> Mapping[str, Any]:
        """The row of ``alert``."""
        return next(each for each in self.alerts.listed()["alerts"] if each["id"] == alert)

    def firings(self) -> list[str]:
        """The words of all firings, oldest first."""
        return [each["words"] for each in self.alerts.listed(200)["firings"]][::-1]

    def delivered(self) -> Mapping[str, Any]:
        """What came of posting the newest firing."""
        found: Mapping[str, Any] = self.alerts.listed(1)["firings"][0]["delivery"]
        return found

    def again(self, **how: Any) -> AlertsByHand:
        """The alerts after a restart, in the market as it stood."""
        self.alerts.rest()
        other = AlertsByHand(self.folder, **how)
        other.board.market = self.board.market
        other.alerts.begin()
        return other


class Receiver:
    """Takes what is posted to its URL, and answers with each of ``statuses``, then with 200."""

    def __init__(self, *statuses: int, location: str = "") -> None:
        self.posts: queue.Queue[tuple[Mapping[str, str], Any]] = queue.Queue()
        #: Cleared by a test that wants the answers to wait.
        self.may_answer = threading.Event()
        self.may_answer.set()
        statuses_left, posts, may_answer = list(statuses), self.posts, self.may_answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posts.put((dict(self.headers), json.loads(body)))
                may_answer.wait()
                self.send_response(statuses_left.pop(0) if statuses_left else 200)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def next(self) -> tuple[Mapping[str, str], Any]:
        """The headers and the body of the next post."""
        return self.posts.get(timeout=patience())

    def close(self) -> None:
        """Take nothing more."""
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiver(*statuses: int, location: str = "") -> Iterator[Receiver]:
    """A receiver for a ``with`` block."""
    found = Receiver(*statuses, location=location)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def drips() -> Iterator[str]:
    """The URL of a receiver whose answer comes byte by byte, and never ends."""
    is_over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nServer: ")
            while not is_over.wait(0.02):
                connection.sendall(b"x")

    def take() -> None:
        # ends when it is closed
        with suppress(OSError):
            while not is_over.is_set():
                dripping.append(threading.Thread(target=drip, args=(listener.accept()[0],)))
                dripping[-1].start()

    dripping: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0))
    taking = threading.Thread(target=take)
    taking.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        is_over.set()
        # wakes who waits for the next connection
        socket.create_connection(listener.getsockname()).close()
        for each in (taking, *dripping):
            each.join()
        listener.close()


def bodies(posts: Sequence[tuple[Mapping[str, str], Any]]) -> list[Any]:
    """The bodies of ``posts``."""
    return [body for _, body in posts]
