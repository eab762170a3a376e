"""Listen keys: what opens the private streams of a key."""

from __future__ import annotations

from balance.keys.keys import Keys


class ListenKeys:
    """The listen keys, one of each key."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
