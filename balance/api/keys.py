"""The keys of other programs over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from flask import request

from balance.api.operations import Answer, delete, done, get, post
from balance.api.requests import Body, Key
from balance.api.services import Services
from balance.core.shape import Doc
from balance.keys.details import key_details
from balance.keys.key import Kind
from balance.keys.keys import Keys
from balance.keys.rows import KeyDetails, KeyList, KeyName, KeyRow

OfKey = Annotated[str, Doc("The name of the key.")]
CloseFirst = Annotated[
    bool, Doc("Whether to cancel its open orders and close its positions first.")
]


class NewKey(TypedDict):
    """A key that is to be made."""

    name: KeyName
    kind: NotRequired[Annotated[Kind, Doc(default="key")]]


NewKeyBody = Annotated[dict[str, Any], Body(NewKey)]


class KeyChanged(TypedDict):
    """What was done, and the key after it."""

    message: Annotated[str, Doc("What was done.")]
    key: NotRequired[
        Annotated[KeyRow, Doc("Missing where a repeated request is of one that is gone.")]
    ]


class KeyRevoked(TypedDict):
    """What was done, and what was closed."""

    message: Annotated[str, Doc("What was done.")]


class KeyRoutes:
    """Keys: the names under which other programs and agents trade."""

    tag = "keys"

    def __init__(self, services: Services, folder: Path | None) -> None:
        self._services = services
        self._folder = folder

    @property
    def keys(self) -> Keys:
        """The keys as they are served now."""
        return self._services.keys

    @get("/keys")
    def list_keys(self) -> Answer[KeyList]:
        """All keys and agents, with what they do, as the stream sends them; without secrets."""
        return Answer(self.keys.listed())

    @post("/keys")
    def create_key(self, body: NewKeyBody, key: Key) -> Answer[KeyChanged]:
        """Make a key or, as the kind agent, a name for one that needs no key."""
        return done(self.keys.add(body.get("name"), body.get("kind", "key"), key))

    @get("/keys/<name>", 404)
    def read_key(self, name: OfKey) -> Answer[KeyDetails]:
        """A key with its secret, the addresses, and the configuration of each client."""
        addresses = self.keys.addresses.seen_from(request.url_root)
        return Answer(key_details(self.keys.get(name), addresses, self._folder))

    @post("/keys/<name>/pause")
    def pause_key(self, name: OfKey, key: Key) -> Answer[KeyChanged]:
        """Let a key open nothing; it still reads, cancels and closes."""
        return done(self.keys.pause(name, key))

    @post("/keys/<name>/resume")
    def resume_key(self, name: OfKey, key: Key) -> Answer[KeyChanged]:
        """Let a paused key open again."""
        return done(self.keys.resume(name, key))

    @delete("/keys/<name>")
    def revoke_key(self, name: OfKey, key: Key, close: CloseFirst = False) -> Answer[KeyRevoked]:
        """Revoke a key; refused while it has something open, unless that is closed."""
        return done(self.keys.revoke(name, close=close, idempotency_key=key))
