"""The commands of the account: what it is, its changes, its history, and its repair."""

from __future__ import annotations

import argparse
from typing import Final

from balance.core.figures import plain
from balance.desk.desk import Action
from balance.shell.parts import (
    REFUSED,
    AddCommand,
    Result,
    add_conditions,
    add_options,
    change_result,
    conditions,
    desk_of,
)
from balance.store.repair import repair
from balance.store.verification import Report, verify

_CHANGES: Final[dict[str, tuple[Action, str]]] = {
    "set": ("set_balance", "say what the balance is now; books the difference as an adjustment"),
    "adjust": ("adjust", "book a gain, or a loss below zero, from outside"),
    "deposit": ("deposit", "put money in; it is no gain"),
    "withdraw": ("withdraw", "take money out; it is no loss"),
    "reset": ("reset", "begin a new epoch (what the settings say if left out); keeps the history"),
    "undo-reset": ("undo_reset", "let the epoch that the last reset ended go on"),
}
_FIGURES: Final = {
    "Wallet balance": "{balance}",
    "Unrealised P&L": "{unrealized_pnl}",
    "Total equity": "{portfolio_value}",
    "Available": "{available_balance}",
    "P&L": "{current_pnl} ({pnl_percent})",
}


def add_account_commands(command: AddCommand) -> None:
    """Add the commands that show and change the account."""
    command("show", "show the account", _show)
    for name, (_, explanation) in _CHANGES.items():
        parser = command(name, explanation, _change)
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


def add_ledger_commands(command: AddCommand) -> None:
    """Add the commands that list the ledger, check it and repair the account by it."""
    history = command("history", "list the ledger, newest first", _history)
    history.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    add_options(history, {"--before": ("REVISION", "only what came before it")})
    history.add_argument("--kind", help="only entries of this kind")
    history.add_argument("--epoch", type=int, help="only entries of this epoch")
    add_options(history, {"--owner": ("NAME", "only what this key, agent or bot trades; you: you")})
    command("verify", "replay the ledger and compare it with the account", _verify)
    command("repair", "rebuild what is damaged; keeps what it can't use beside", _repair)


def _show(options: argparse.Namespace) -> Result:
    snapshot = desk_of(options).snapshot()
    figures = {name: text.format(**snapshot.display) for name, text in _FIGURES.items()}
    width = max(map(len, figures.values()))
    lines = [f"{name:<16}{figure:>{width}}" for name, figure in figures.items()]
    lines.append(f"Epoch {snapshot.epoch}, revision {snapshot.revision}.")
    return Result(snapshot, "\n".join(lines))


def _change(options: argparse.Namespace) -> Result:
    how = conditions(options)
    how["note"] = options.note
    action = _CHANGES[options.command][0]
    return change_result(desk_of(options).execute(action, options.amount, **how))


def _history(options: argparse.Namespace) -> Result:
    page = desk_of(options).history(
        limit=options.limit,
        before=options.before,
        kind=options.kind,
        epoch=options.epoch,
        owner=options.owner,
    )
    lines = [
        f"{row['revision']:>6}  {row['time']}  {row['kind']:<13}{plain(row['amount']):>18}"
        f"{plain(row['balance']):>18}  {row['source']:<8}{row['note']}".rstrip()
        for row in page.entries
    ]
    if page.next is not None:
        lines.append(f"More with --before {page.next}")
    text = "\n".join(lines) or "No entries."
    return Result({"entries": page.entries, "next": page.next}, text)


def _verify(options: argparse.Namespace) -> Result:
    report = verify(options.data_dir)
    if report.faults:
        return Result(_members(report), "\n".join(report.faults), REFUSED)
    return Result(_members(report), report.explanation)


def _repair(options: argparse.Namespace) -> Result:
    report = repair(options.data_dir)
    lines = [f"Found: {fault}" for fault in report.faults] + [*report.done]
    if report.kept:
        lines.append(f"Kept beside: {', '.join(report.kept)}.")
    if not report.faults:
        lines.append(f"Nothing to repair: balance {report.balance} USDT.")
    return Result(_members(report), "\n".join(lines))


def _members(report: Report) -> dict[str, object]:
    names = ("faults", "entries", "revision", "balance", "kept", "done")
    return {name: getattr(report, name) for name in names}
