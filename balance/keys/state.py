"""``data/keys.json``: the keys, for every program on the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from balance.core.errors import UnknownKey
from balance.keys.key import Key, check_name
from balance.store.disk import DISK, Disk
from balance.store.kept_file import KeptFile
from balance.store.records import Record

KEYS_FILE: Final = "keys.json"

# How many answers to requests with an idempotency key are in the file.
_ANSWERS: Final = 100
_KEY: Final = Record(Key)


@dataclass(frozen=True, slots=True)
class KeyBook:
    """What is in the file: the keys, in the order in which they were made."""

    keys: tuple[Key, ...] = ()

    def named(self, name: str) -> Key | None:
        """The key called ``name``; None where there is none."""
        return next((each for each in self.keys if each.name == name), None)

    def key(self, name: str) -> Key:
        """The key called ``name``.

        Raises:
            UnknownKey: there is none.
        """
        found = self.named(name)
        if found is None:
            raise UnknownKey(f"There is no key {name!r:.40}. It may have been revoked.")
        return found

    def with_key(self, key: Key) -> KeyBook:
        """The same with ``key`` in the place of the one with its name, or as the last one."""
        if self.named(key.name) is None:
            return KeyBook((*self.keys, key))
        return KeyBook(tuple(key if each.name == key.name else each for each in self.keys))

    def without(self, name: str) -> KeyBook:
        """The same without the key called ``name``."""
        return replace(self, keys=tuple(each for each in self.keys if each.name != name))


def key_file(folder: Path | None, disk: Disk = DISK) -> KeptFile[KeyBook]:
    """The file in ``folder``; None keeps the keys nowhere."""
    return KeptFile(
        folder,
        KEYS_FILE,
        KeyBook(),
        lambda book: {"keys": [_KEY.encode(each) for each in book.keys]},
        _decode,
        remedy="No key is taken meanwhile. Put a copy of the file back, or move it away and make "
        "new keys: what the old ones hold is yours to close.",
        answers=_ANSWERS,
        disk=disk,
    )


def _decode(document: Mapping[str, Any]) -> KeyBook:
    keys = [_KEY.decode(each) for each in document["keys"]]
    for name in [check_name(each.name) for each in keys]:
        if sum(each.name == name for each in keys) > 1:
            raise ValueError(f"there are two keys called {name}")
    texts = [each.key for each in keys if each.kind == "key"]
    if len({*texts}) < len(texts):
        raise ValueError("two of the keys are the same")
    for each in keys:
        # Who knows such a key could sign for it.
        if each.kind == "key" and not (each.key and each.secret):
            raise ValueError(f"the key {each.name} has no secret")
    return KeyBook(tuple(keys))
