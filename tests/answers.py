"""What every answer of the server must be like, whichever test asked for it."""

from __future__ import annotations

import http.client
import json
import re
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from email.message import Message
from typing import Any

import requests
from werkzeug.test import TestResponse

from tests.patience import patience

Answer = requests.Response | TestResponse


@dataclass(frozen=True)
class Raw:
    """An answer read by hand."""

    status: int
    headers: Message
    body: bytes


def raw(port: int, method: str, path: str, **headers: str) -> Raw:
    """The answer to a request with just these headers, and no body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience())
    with closing(connection):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in given, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return Raw(answer.status, answer.headers, answer.read())


def exactly(answer: Answer) -> Any:
    """The JSON of ``answer``, with every number exact."""
    text = answer.text
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """The problem that ``answer`` is: RFC 9457, words that a person can act on, nothing of the
    machine it comes from but the folder that a command which it advises must name."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        status,
        "application/problem+json",
    ), answer.text[:300]
    members: dict[str, Any] = exactly(answer)
    assert members["status"] == status
    assert members["type"] == "about:blank"
    assert members["title"]
    assert len(members["detail"]) > 15
    assert members["detail"][0].isupper() or members["detail"].split()[0].islower()
    rest = re.sub(r"(`python [^`]*?) --data-dir [^`]+`", r"\1`", answer.text)
    for secret in ("Traceback", "/work", "/tmp", "/home", ".py", "site-packages", "object at 0x"):
        assert secret not in rest, answer.text
    return members


def _no_constant(name: str) -> None:
    raise AssertionError(f"the answer holds {name}")
