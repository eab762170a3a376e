"""The relay between a browser and a server passes on how a connection ends."""

from __future__ import annotations

import socket

import pytest

from tests.patience import patience
from tests.relay import Relay

_REQUEST = b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize("read", [len(_REQUEST), 1], ids=["closed", "reset"])
def test_a_connection_that_the_server_ends_is_ended_for_the_browser(read: int) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        Relay(listening.getsockname()[1]) as relay,
        socket.create_connection(("127.0.0.1", relay.port), patience()) as client,
    ):
        client.sendall(_REQUEST)
        server, _ = listening.accept()
        with server:
            server.recv(read, socket.MSG_WAITALL)
        # what was not read resets it, as does the end of a process in the middle of a request
        assert client.recv(1) == b""
