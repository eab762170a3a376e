"""Addresses in the web that a person names."""

from __future__ import annotations

import re
from typing import Final

# where the name of the server ends
_END: Final = re.compile(r"[/?#]")


def origin(url: str) -> str:
    """Which server ``url`` is of, such as ``"http://127.0.0.1:9000"``: without its path and a
    password, which are often secrets."""
    scheme, _, rest = url.partition("://")
    server = _END.split(rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{server}".lower()
