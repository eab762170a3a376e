"""``python -m balance settings``: what is chosen, from a shell."""

from __future__ import annotations

import argparse
from typing import Any

from balance.core.errors import InvalidRequest
from balance.core.settings import RULES, SettingsState, members, texts
from balance.desk.settings import SettingsFile
from balance.shell.parts import DONE, AddCommand, print_answer, table

_SWITCH = {"on": True, "true": True, "off": False, "false": False}


def add_settings_command(command: AddCommand) -> None:
    """Add the command with ``command``."""
    parser = command("settings", "list the settings, or change one", _settings)
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as taker_fee_percent")
    parser.add_argument("value", nargs="?", metavar="VALUE", help="what it is to be")


def _settings(options: argparse.Namespace) -> int:
    file = SettingsFile(options.data_dir)
    if options.name is None:
        _print(options, file.state, _listed(file.state))
        return DONE
    if options.value is None:
        raise InvalidRequest(f"Say what {options.name} is to be; without a name all are listed.")
    state, message = file.change({options.name: _meant(options.name, options.value)})
    _print(options, state, message, message=message)
    return DONE


def _meant(name: str, text: str) -> Any:
    is_switch = name in RULES and RULES[name].kind == "switch"
    return _SWITCH.get(text.lower(), text) if is_switch else text


def _print(options: argparse.Namespace, state: SettingsState, text: str, **more: Any) -> None:
    value = {"status": "success", **more, **members(state.settings), "version": state.version}
    print_answer(options, value, text)


def _listed(state: SettingsState) -> str:
    chosen = texts(state.settings)
    rows = [[name, chosen[name], rule.unit, rule.phrase] for name, rule in RULES.items()]
    return table(["Setting", "Is", "", "May be"], rows, left=4)
