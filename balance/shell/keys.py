"""The command of keys: ``python -m balance keys``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from balance.core.errors import InvalidRequest
from balance.keys.key import Key
from balance.keys.keys import Keys
from balance.shell.parts import AddCommand, Result, desk_of, table
from balance.store.advice import command
from balance.store.kept_file import Done

_HEAD: Final = ("Key", "Kind", "State", "Position", "P&L", "Fills")
_VERBS: Final = ("add", "pause", "resume", "revoke")


def add_keys_command(add: AddCommand) -> None:
    """Add the command of keys."""
    parser = add("keys", "list the keys of other programs, show one, or change one", _keys)
    parser.add_argument(
        "verb", nargs="?", metavar="VERB", help=f"{', '.join(_VERBS)}; or the name of one to show"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as freqtrade")
    parser.add_argument(
        "--close", action="store_true", help="with revoke: cancel its orders, close its positions"
    )
    parser.add_argument(
        "--agent", action="store_true", help="with add: a name for an agent, which needs no key"
    )
    parser.add_argument(
        "--idempotency-key", metavar="KEY", help="a repeated key changes nothing again"
    )


def _keys(options: argparse.Namespace) -> Result:
    keys, verb, name = Keys(desk_of(options), options.data_dir), options.verb, options.name
    if verb not in _VERBS:
        if name is not None:
            raise InvalidRequest(f"The actions are {', '.join(_VERBS)}, but not {verb[:40]!r}.")
        return _listed(keys) if verb is None else _shown(keys, keys.get(verb))
    if name is None:
        advised = command(f"keys {verb} NAME", options.data_dir)
        raise InvalidRequest(f"Name the key: {advised}")
    done = _changed(keys, options)
    if verb != "add":
        return Result({"message": done.message, **done.members}, done.message)
    shown = _shown(keys, keys.get(name))
    members = {"message": done.message, **shown.members}
    return Result(members, f"{done.message}\n{shown.text}")


def _changed(keys: Keys, options: argparse.Namespace) -> Done:
    name, again = options.name, options.idempotency_key
    match options.verb:
        case "add":
            return keys.add(name, "agent" if options.agent else "key", again)
        case "pause":
            return keys.pause(name, again)
        case "resume":
            return keys.resume(name, again)
        case _:
            return keys.revoke(name, close=options.close, idempotency_key=again)


def _listed(keys: Keys) -> Result:
    """All keys and, in JSON, the secret of the only one."""
    signing = [each for each in keys.all() if each.kind == "key"]
    listed = keys.listed()
    rows = [_row(each) for each in listed["keys"]]
    members = {"keys": listed["keys"], **_addresses(keys)}
    if len(signing) == 1:
        members = {**_secrets(signing[0]), **members}
    none = f"No keys. Make one: {command('keys add NAME', keys.folder)}"
    return Result(members, table(_HEAD, rows, 4) if rows else none)


def _shown(keys: Keys, key: Key) -> Result:
    """``key`` with its secret and the addresses."""
    members = {"name": key.name, **_secrets(key), **_addresses(keys)}
    if key.kind == "agent":
        starts = command(f"mcp --name {key.name}", keys.folder)
        return Result(members, f"{key.name} needs no key. Its client starts it with: {starts}")
    lines = [(name, text or "none") for name, text in members.items()]
    return Result(members, "\n".join(f"{name:<6}  {text}" for name, text in lines))


def _secrets(key: Key) -> Mapping[str, str]:
    return {"key": key.key, "secret": key.secret}


def _addresses(keys: Keys) -> Mapping[str, str]:
    addresses = keys.addresses
    return {"rest": addresses.rest, "stream": addresses.stream}


def _row(key: Mapping[str, Any]) -> tuple[str, ...]:
    texts = key["display"]
    return (
        *(key["name"], key["kind"], texts["status"]),
        *(texts["position"], texts["pnl"], texts["fills"]),
    )
