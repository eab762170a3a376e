"""A key with all that is needed to use it: its secret, the addresses, and the snippets."""

from __future__ import annotations

import sys
from pathlib import Path

from balance.core.moments import iso
from balance.keys.addresses import Addresses
from balance.keys.key import Key
from balance.keys.rows import KeyDetails, SnippetRow
from balance.keys.snippets import SNIPPETS, agent_values, values_of
from balance.store.advice import DEFAULT_DATA_DIR, HOME, is_installed, sdk_command


def key_details(key: Key, addresses: Addresses, folder: Path | None) -> KeyDetails:
    """``key`` for the server at ``addresses``, on the account in ``folder``."""
    return {
        "name": key.name,
        "kind": key.kind,
        "is_paused": key.is_paused,
        "created_at": iso(key.created_at),
        "key": key.key,
        "secret": key.secret,
        "rest": addresses.rest,
        "stream": addresses.stream,
        "snippets": _snippets(key, addresses, folder),
    }


def _snippets(key: Key, addresses: Addresses, folder: Path | None) -> list[SnippetRow]:
    is_usual = folder is None or folder.resolve() == DEFAULT_DATA_DIR
    values = {
        **values_of(key, addresses),
        **agent_values(
            key.name,
            sys.executable,
            None if is_installed() else HOME,
            None if is_usual or folder is None else folder.resolve(),
        ),
    }
    advised = sdk_command() if key.kind == "agent" else ""
    before = f"First install the SDK of MCP: {advised}. " if advised else ""
    return [
        {
            "client": each.client,
            "label": each.label,
            "language": each.language,
            "words": f"{before}{each.words}",
            "text": each.filled(values),
        }
        for each in SNIPPETS
        if each.kind == key.kind
    ]
