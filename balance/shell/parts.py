"""What the commands of the shell have in common: exit codes, options and answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from balance.open_account import open_account

#: What the command's exit code says; 0 only where what it printed holds.
DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
STORE_FAULT: Final = 3

#: Adds a command: its name, what it does, and what does it.
AddCommand = Callable[[str, str, Callable[[argparse.Namespace], int]], argparse.ArgumentParser]


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """Let ``parser`` take what a change may depend on."""
    parser.add_argument(
        "--if-match", type=int, metavar="REVISION", help="refuse unless the account is at it"
    )
    parser.add_argument(
        "--idempotency-key", metavar="KEY", help="a repeated key changes nothing again"
    )


def conditions(options: argparse.Namespace) -> Conditions:
    """The conditions that ``options`` set for a change."""
    return Conditions(
        if_match=options.if_match, idempotency_key=options.idempotency_key, source="shell"
    )


def desk_of(options: argparse.Namespace) -> Desk:
    """The account that ``options`` mean.

    Raises:
        StoreError: it is damaged, or its folder is not writable.
    """
    return open_account(options.data_dir)


def print_change(
    options: argparse.Namespace, outcome: Outcome, words: str = "", **more: Any
) -> None:
    """Tell what came of a change: its sentence and ``words``, or the snapshot and ``more``."""
    said = [outcome.message, words]
    if outcome.replayed:
        said.append("Done before with this key; nothing was changed now.")
    value = {"status": "success", "message": outcome.message, **more, **outcome.snapshot}
    print_answer(options, value, " ".join(filter(None, said)))


def print_answer(options: argparse.Namespace, value: Mapping[str, Any], words: str) -> None:
    """Print ``value`` where JSON is wanted, else ``words``."""
    if not options.json:
        print(words)
        return
    # here, as it takes longer to load than the rest of the command
    from balance.api.encoding import encoded

    print(encoded(value))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """``rows`` under their ``head``, in columns; the first ``left`` of them are words, the others
    figures."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
