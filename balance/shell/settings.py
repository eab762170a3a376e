"""The command of settings: ``python -m balance settings``."""

from __future__ import annotations

import argparse
from typing import Any

from balance.core.errors import InvalidRequest
from balance.core.settings import RULES, SettingsState, members, texts
from balance.desk.settings import SettingsFile
from balance.shell.parts import AddCommand, Result, table

_SWITCH = {"on": True, "true": True, "off": False, "false": False}


def add_settings_command(command: AddCommand) -> None:
    """Add the command of settings."""
    parser = command("settings", "list the settings, or change one", _settings)
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as taker_fee_percent")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="its new value")


def _settings(options: argparse.Namespace) -> Result:
    file, name, text = SettingsFile(options.data_dir), options.name, options.value
    if name is None:
        return _result(file.state, _table(file.state))
    if text is None:
        raise InvalidRequest(f"Name a value for {name}; without a name all are listed.")
    is_switch = name in RULES and RULES[name].kind == "switch"
    state, message = file.change({name: _SWITCH.get(text.lower(), text) if is_switch else text})
    return _result(state, message, message=message)


def _result(state: SettingsState, text: str, **more: Any) -> Result:
    return Result({**more, **members(state.settings), "version": state.version}, text)


def _table(state: SettingsState) -> str:
    chosen = texts(state.settings)
    rows = [[name, chosen[name], rule.unit, rule.phrase] for name, rule in RULES.items()]
    note = [f"\n{state.note}"] if state.note else []
    return "\n".join([table(["Setting", "Is", "", "May be"], rows, left=4), *note])
