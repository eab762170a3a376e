"""The settings as the text of their file: JSON, numbers that are exact as decimal strings."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from balance.core.errors import BalanceError
from balance.core.figures import plain
from balance.core.settings import Kept, Settings, changed, members
from balance.store.codec import Unreadable

_SCHEMA: Final = 1


def encode_settings(kept: Kept) -> bytes:
    """The text that keeps ``kept``."""
    values = members(kept.settings)
    told = {
        name: plain(each) if isinstance(each, Decimal) else each for name, each in values.items()
    }
    document = {"schema": _SCHEMA, "version": kept.version, **told}
    return (json.dumps(document, indent=2) + "\n").encode()


def decode_settings(text: bytes) -> Kept:
    """What ``text`` keeps; a setting that it does not name has its default.

    Raises:
        Unreadable: it makes no sense.
    """
    try:
        told = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as fault:
        raise Unreadable("is no JSON") from fault
    if not isinstance(told, dict):
        raise Unreadable("is no object")
    schema, version = told.pop("schema", _SCHEMA), told.pop("version", 0)
    if schema != _SCHEMA:
        raise Unreadable(f"has the schema {schema!r:.40}, not {_SCHEMA}")
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        raise Unreadable(f"has the version {version!r:.40}, which is no whole number")
    try:
        return Kept(settings=changed(Settings(), told), version=version)
    except BalanceError as fault:
        raise Unreadable(f"makes no sense: {str(fault).rstrip('.')}") from fault


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of ``members``, none of which stands in it twice."""
    told = dict(members)
    if len(told) < len(members):
        raise Unreadable("names a setting twice")
    return told
