"""Listen keys: what the private streams of a key are opened with, for an hour at a time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from balance.keys.key import Key
from balance.keys.keys import Keys

#: How many characters a listen key has.
LENGTH: Final = 64
#: How long a listen key is open after it was opened or renewed.
OPEN_FOR: Final = timedelta(minutes=60)


class ListenKeys:
    """One listen key of each key, made from its secret, so that it is always the same: programs
    come back with it after a restart of the server, where the listen keys of all keys that were
    there before are open. Safe to use from many threads.

    Raises:
        UnknownKey: there is no key of that name.
        StoreError: the keys can't be read.
    """

    def __init__(
        self, keys: Keys, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = keys
        self._clock = clock
        # When each was opened or renewed last; None: it was closed since.
        self._renewed: dict[str, datetime | None] = {}

    def open(self, name: str) -> str:
        """The listen key of the key called ``name``, which is open for an hour from now."""
        listen_key = _listen_key(self._keys.get(name))
        self._renewed[listen_key] = self._clock()
        return listen_key

    def renew(self, name: str) -> str | None:
        """As :meth:`open`; None where it is not open."""
        return self.open(name) if self._is_open(self._keys.get(name)) else None

    def close(self, name: str) -> None:
        """Close the listen key of the key called ``name``."""
        self._renewed[_listen_key(self._keys.get(name))] = None

    def is_open(self, listen_key: str) -> bool:
        """Whether ``listen_key`` is one that is open, and its key not revoked."""
        # Names of streams are asked for as well, and are many.
        return len(listen_key) == LENGTH and any(
            hmac.compare_digest(_listen_key(each).encode(), listen_key.encode())
            and self._is_open(each)
            for each in self._keys.all()
            if each.secret
        )

    def _is_open(self, key: Key) -> bool:
        since = self._keys.since
        renewed = self._renewed.get(_listen_key(key), since if key.created_at < since else None)
        return renewed is not None and self._clock() - renewed < OPEN_FOR


def _listen_key(key: Key) -> str:
    return hmac.new(key.secret.encode(), b"listen key", hashlib.sha256).hexdigest()
