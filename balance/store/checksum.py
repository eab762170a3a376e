"""The checksum at the end of each line of a file that is only appended to, which chains it to the
line before it::

    {"revision":2,"line":1,…,"checksum":"0f4c2a9be1d3577a"}

It is the SHA-256, cut to 64 bits, of the checksum of the line before it and of its own text without
the checksum. A line is proved with the few bytes that stand before it, wherever one begins to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

#: What the first line of a file is chained to.
START: Final = "0" * 16
_TAIL: Final = re.compile(rb',"checksum":"([0-9a-f]{16})"\}\n\Z')
#: How many bytes at the end of a line its checksum takes.
TAIL_BYTES: Final = len(b',"checksum":""}\n') + len(START)


def checksum(text: bytes, previous: str = START) -> str:
    """The checksum of ``text``, which stands behind a line with the checksum ``previous``: 16
    hexadecimal digits."""
    return sha256(previous.encode() + text).hexdigest()[: len(START)]


def sealed(document: bytes, previous: str = START) -> bytes:
    """The line for ``document``, the text of a JSON object with members, behind a line with the
    checksum ``previous``; with its newline."""
    body = document.rstrip()[:-1]
    return body + b',"checksum":"' + checksum(body, previous).encode() + b'"}\n'


def stated(line: bytes) -> str | None:
    """The checksum at the end of ``line``, or of a longer text that ends with it; None where it has
    none, as those of schema 1 have none."""
    found = _TAIL.search(line, max(0, len(line) - TAIL_BYTES))
    return None if found is None else found[1].decode()


def is_changed(text: bytes, document: Mapping[str, Any]) -> bool:
    """Whether ``text``, a file that holds the JSON ``document`` alone, is not as it was written:
    its checksum does not match. Files of older versions have none."""
    return "checksum" in document and not is_proved(text)


def is_proved(line: bytes, previous: str = START) -> bool:
    """Whether ``line`` with its newline is as it was written behind a line with the checksum
    ``previous``."""
    found = stated(line)
    return found is not None and found == checksum(line[:-TAIL_BYTES], previous)
