"""Listen keys over HTTP: what a program opens its private streams with."""

from __future__ import annotations

from balance.binance.call import Call
from balance.binance.endpoints import Json, keyed
from balance.binance.errors import no_listen_key
from balance.keys.listen_keys import ListenKeys


class ListenKeyEndpoints:
    """The listen key of each key; it needs no signature."""

    def __init__(self, listen_keys: ListenKeys) -> None:
        self._listen_keys = listen_keys

    @keyed("POST", "/fapi/v1/listenKey")
    def open_listen_key(self, call: Call) -> Json:
        """Open it for an hour; it is the same one again."""
        return {"listenKey": self._listen_keys.open(call.owner)}

    @keyed("PUT", "/fapi/v1/listenKey")
    def renew_listen_key(self, call: Call) -> Json:
        """Have it open for an hour more."""
        listen_key = self._listen_keys.renew(call.owner)
        if listen_key is None:
            raise no_listen_key()
        return {"listenKey": listen_key}

    @keyed("DELETE", "/fapi/v1/listenKey")
    def close_listen_key(self, call: Call) -> Json:
        """Close it."""
        self._listen_keys.close(call.owner)
        return {}
