"""The command line: ``python -m balance``, the same account from a shell."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from balance.core.errors import BalanceError, StoreError, StoreUnreadable
from balance.shell.account import add_account_commands, add_ledger_commands
from balance.shell.alerts import add_alert_command
from balance.shell.backtest_options import add_backtest_command
from balance.shell.backup import add_backup_commands
from balance.shell.keys import add_keys_command
from balance.shell.mcp import add_mcp_command
from balance.shell.parts import REFUSED, STORE_FAULT, Result
from balance.shell.settings import add_settings_command
from balance.shell.trade import add_trade_commands
from balance.store.advice import DEFAULT_DATA_DIR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in ``arguments`` (None: those of the process); returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The change is made before it is printed, so a letter that the output lacks must not fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(_negative_amounts(arguments))
    answer = io.StringIO()
    with redirect_stdout(answer):
        code = _run(options)
    return code if _is_printed(answer.getvalue()) else STORE_FAULT


def _run(options: argparse.Namespace) -> int:
    try:
        result: Result = options.run(options)
    except (BalanceError, OSError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else None
        message = f"The disk says {reason}." if reason else str(fault)
        if isinstance(fault, StoreUnreadable) and hasattr(options, "idempotency_key"):
            message += " Nothing was changed."
        if options.json:
            print(json.dumps({"status": "error", "detail": message}))
        print(message, file=sys.stderr)
        return STORE_FAULT if isinstance(fault, StoreError | OSError) else REFUSED
    if options.json:
        # Imported here, as it takes longer to load than the rest of a command.
        from balance.api.encoding import encoded

        print(encoded({"status": "success", **result.members}))
    elif result.text:
        print(result.text)
    return result.code


def _is_printed(answer: str) -> bool:
    """Print ``answer``; whether all of it was written."""
    try:
        print(answer, end="", flush=True)
    except OSError as fault:
        print(f"The answer could not be printed: {fault.strerror}.", file=sys.stderr)
        # Otherwise Python tries again when it ends, and prints a message of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _negative_amounts(arguments: Sequence[str] | None) -> list[str]:
    """``arguments`` with an amount such as -12.30 behind ``--``, where argparse takes it for no
    option."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for place, text in enumerate(given):
        before = given[place - 1] if place else ""
        is_value = before.startswith("--") and before != "--json"
        if re.match(r"-[.\d]", text) and not is_value:
            return [*given[:place], *given[place + 1 :], "--", text]
    return given


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--data-dir",
        type=Path,
        default=DEFAULT_DATA_DIR,
        metavar="DIR",
        help="the folder of the account (%(default)s)",
    )
    common.add_argument("--json", action="store_true", help="answer in JSON")
    parser = argparse.ArgumentParser(
        prog="python -m balance", description="The virtual balance from a shell."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, explanation: str, run: Callable[[argparse.Namespace], Result]
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, parents=[common], help=explanation, description=explanation.capitalize() + "."
        )
        added.set_defaults(run=run)
        return added

    add_account_commands(command)
    add_trade_commands(command)
    add_alert_command(command)
    add_backtest_command(command)
    add_settings_command(command)
    add_keys_command(command)
    add_ledger_commands(command)
    add_backup_commands(command)
    add_mcp_command(command)
    return parser
