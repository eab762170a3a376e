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
from typing import Any, Final

from balance.core.errors import BalanceError, StoreError
from balance.core.figures import plain
from balance.core.snapshot import Snapshot
from balance.desk.desk import Action
from balance.shell.alerts import add_alert_command
from balance.shell.backtest_options import add_backtest_command
from balance.shell.parts import (
    DONE,
    REFUSED,
    STORE_FAULT,
    add_conditions,
    conditions,
    desk_of,
    print_answer,
    print_change,
)
from balance.shell.settings import add_settings_command
from balance.shell.trade import add_trade_commands
from balance.store.advice import DEFAULT_DATA_DIR
from balance.store.recovery import Report, repair, verify

_CHANGES: Final[dict[str, tuple[Action, str]]] = {
    "set": ("set_balance", "say what the balance is now; books the difference as an adjustment"),
    "adjust": ("adjust", "book a gain, or a loss below zero, from outside"),
    "deposit": ("deposit", "put money in; it is no gain"),
    "withdraw": ("withdraw", "take money out; it is no loss"),
    "reset": ("reset", "begin a new epoch (what the settings say if left out); keeps the history"),
    "undo-reset": ("undo_reset", "let the epoch that the last reset ended go on"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what ``arguments`` (None: those of the process) say; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # what the output has no letter for is written otherwise: the change is made by then
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(_negative_amounts(arguments))
    answer = io.StringIO()
    with redirect_stdout(answer):
        code = _run(options)
    return code if _printed(answer.getvalue()) else STORE_FAULT


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
    except StoreError as fault:
        return _failed(options, fault, STORE_FAULT)
    except BalanceError as fault:
        return _failed(options, fault, REFUSED)
    except OSError as fault:
        return _failed(options, fault, STORE_FAULT)
    return code


def _printed(answer: str) -> bool:
    """Whether all of ``answer`` has reached somebody."""
    try:
        print(answer, end="", flush=True)
    except OSError as fault:
        print(f"The answer could not be printed: {fault.strerror}.", file=sys.stderr)
        # or Python tries again when it ends, and says so in its own words
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _negative_amounts(arguments: Sequence[str] | None) -> list[str]:
    """``adjust -12.30`` reads as an amount, not as an option: argparse wants it behind ``--``."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for place, word in enumerate(words):
        value = place > 0 and words[place - 1].startswith("--") and words[place - 1] != "--json"
        if re.match(r"-[.\d]", word) and not value:
            return [*words[:place], *words[place + 1 :], "--", word]
    return words


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
        name: str, help_text: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, parents=[common], help=help_text, description=help_text.capitalize() + "."
        )
        added.set_defaults(run=run)
        return added

    command("show", "show the account", _show)
    for name, (_, help_text) in _CHANGES.items():
        _add_change_options(command(name, help_text, _change), name)
    add_trade_commands(command)
    add_alert_command(command)
    add_backtest_command(command)
    add_settings_command(command)
    _add_history_options(command("history", "list the ledger, newest first", _history))
    command("verify", "replay the ledger and compare it with the account", _verify)
    command("repair", "rebuild what is damaged; keeps the damaged files beside", _repair)
    return parser


def _add_change_options(parser: argparse.ArgumentParser, name: str) -> None:
    if name == "undo-reset":
        parser.set_defaults(amount=None)
    else:
        parser.add_argument(
            "amount",
            metavar="AMOUNT",
            nargs="?" if name == "reset" else None,
            help="in the quote currency, such as 250 or 12.30",
        )
    parser.add_argument("--note", default="", help="kept in the ledger")
    add_conditions(parser)


def _add_history_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    parser.add_argument("--before", metavar="REVISION", help="only what came before it")
    parser.add_argument("--kind", help="only entries of this kind")
    parser.add_argument("--epoch", type=int, help="only entries of this epoch")


def _show(options: argparse.Namespace) -> int:
    snapshot = desk_of(options).snapshot()
    print_answer(options, {"status": "success", **snapshot}, _shown(snapshot))
    return DONE


def _shown(snapshot: Snapshot) -> str:
    text = snapshot.display
    rows = [
        ("Wallet balance", text["balance"]),
        ("Unrealised P&L", text["unrealized_pnl"]),
        ("Total equity", text["portfolio_value"]),
        ("Available", text["available_balance"]),
        ("P&L", f"{text['current_pnl']} ({text['pnl_percent']})"),
    ]
    width = max(len(figure) for _, figure in rows)
    lines = [f"{name:<16}{figure:>{width}}" for name, figure in rows]
    return "\n".join([*lines, f"Epoch {snapshot.epoch}, revision {snapshot.revision}."])


def _change(options: argparse.Namespace) -> int:
    how = conditions(options)
    how["note"] = options.note
    action = _CHANGES[options.command][0]
    print_change(options, desk_of(options).execute(action, options.amount, **how))
    return DONE


def _history(options: argparse.Namespace) -> int:
    page = desk_of(options).history(
        limit=options.limit, before=options.before, kind=options.kind, epoch=options.epoch
    )
    lines = [
        f"{row['revision']:>6}  {row['time']}  {row['kind']:<13}{plain(row['amount']):>18}"
        f"{plain(row['balance']):>18}  {row['source']:<8}{row['note']}".rstrip()
        for row in page.entries
    ]
    if page.next is not None:
        lines.append(f"More with --before {page.next}")
    print_answer(
        options,
        {"status": "success", "entries": page.entries, "next": page.next},
        "\n".join(lines) or "No entries.",
    )
    return DONE


def _verify(options: argparse.Namespace) -> int:
    report = verify(options.data_dir)
    words = list(report.faults)
    if not report.faults:
        words = [
            f"{report.entries} entries explain the balance of {report.balance} USDT "
            f"at revision {report.revision}."
        ]
    print_answer(options, _reported(report), "\n".join(words))
    return REFUSED if report.faults else DONE


def _repair(options: argparse.Namespace) -> int:
    report = repair(options.data_dir)
    words = [f"Found: {fault}" for fault in report.faults]
    if report.faults:
        words.append(f"Rebuilt: balance {report.balance} USDT at revision {report.revision}.")
        words.append(f"Kept as they were: {', '.join(report.kept)}.")
    else:
        words.append(f"Nothing to repair: balance {report.balance} USDT.")
    print_answer(options, _reported(report), "\n".join(words))
    return DONE


def _reported(report: Report) -> dict[str, Any]:
    return {
        "status": "success",
        "faults": report.faults,
        "entries": report.entries,
        "revision": report.revision,
        "balance": report.balance,
        "kept": report.kept,
    }


def _failed(options: argparse.Namespace, fault: Exception, code: int) -> int:
    said = fault.strerror if isinstance(fault, OSError) else None
    words = f"The disk says {said}." if said else str(fault)
    if options.json:
        print(json.dumps({"status": "error", "detail": words}))
    print(words, file=sys.stderr)
    return code
