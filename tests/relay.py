"""A relay between a browser and a server: counts requests, and breaks connections on demand."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

_REQUEST = re.compile(rb"(GET|POST|HEAD|PUT|DELETE|OPTIONS) (\S+) HTTP/1\.1\r\n")


class Relay:
    """Passes on what comes to :attr:`url`, and notes each request's path in :attr:`paths`."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.paths: list[str] = []
        # requests whose path begins with one of these get no answer, their connection is closed
        self.refused: tuple[str, ...] = ()
        # answers to requests whose path begins with one of these are lost on their way back
        self.mute: tuple[str, ...] = ()
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection there is."""
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            self._open |= {client, server}
            asked = [""]
            back = threading.Thread(target=self._pass, args=(server, client, asked), daemon=True)
            back.start()
            try:
                while data := client.recv(65536):
                    asked[0] = self._noted(data) or asked[0]
                    if _begins(asked[0], self.refused):
                        break
                    server.sendall(data)
            finally:
                self._open -= {client, server}
                for each in (client, server):
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
                back.join()

    def _noted(self, data: bytes) -> str:
        paths = [found[2].decode() for found in _REQUEST.finditer(data)]
        self.paths += paths
        return paths[0] if paths else ""

    def _pass(self, server: socket.socket, client: socket.socket, asked: list[str]) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if _begins(asked[0], self.mute):
                    break
                client.sendall(data)
        # A server that ends over a request resets the connection instead of closing it.
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _begins(path: str, beginnings: tuple[str, ...]) -> bool:
    return bool(beginnings) and path.startswith(beginnings)
