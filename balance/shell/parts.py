"""What the commands of the shell share: options, results and tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from balance.open_account import open_account

#: The exit codes of a command; 0 only where what it printed holds.
DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
STORE_FAULT: Final = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a command, of which one form is printed."""

    # The members of the JSON object, beside its status.
    members: Mapping[str, Any]
    text: str
    code: int = DONE


#: Adds a command: its name, its explanation, and the function that runs it.
AddCommand = Callable[[str, str, Callable[[argparse.Namespace], Result]], argparse.ArgumentParser]


def add_options(
    parser: argparse._ActionsContainer, options: Mapping[str, tuple[str | None, str]]
) -> None:
    """Let ``parser`` take ``options``: by flag, what stands for the value (None: a switch), and the
    explanation."""
    for flag, (value, explanation) in options.items():
        if value is None:
            parser.add_argument(flag, action="store_true", help=explanation)
        else:
            parser.add_argument(flag, metavar=value, help=explanation)


def add_conditions(parser: argparse.ArgumentParser) -> None:
    """Let ``parser`` take the conditions of a change."""
    parser.add_argument(
        "--if-match", type=int, metavar="REVISION", help="refuse unless the account is at it"
    )
    add_options(parser, {"--idempotency-key": ("KEY", "a repeated key changes nothing again")})


def conditions(options: argparse.Namespace) -> Conditions:
    """The conditions in ``options``."""
    return Conditions(
        if_match=options.if_match, idempotency_key=options.idempotency_key, source="shell"
    )


def desk_of(options: argparse.Namespace) -> Desk:
    """The account in the data folder of ``options``.

    Raises:
        StoreError: it is damaged, or its folder is not writable.
    """
    return open_account(options.data_dir)


def change_result(outcome: Outcome, text: str = "", **more: Any) -> Result:
    """The result of a change: its sentence and ``text``, or the snapshot and ``more``."""
    sentences = [outcome.message, text]
    if outcome.replayed:
        sentences.append("Done before with this key; nothing was changed now.")
    members = {"message": outcome.message, **more, **outcome.snapshot}
    return Result(members, " ".join(filter(None, sentences)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """``rows`` under their ``head``, in columns; the first ``left`` of them are texts, the others
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
