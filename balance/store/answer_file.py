"""The answers that keyed requests got: a line each, the newest thousand at least."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from balance.core.errors import StoreUnreadable
from balance.store.advice import option
from balance.store.codec import Unreadable, decode_answer, encode_answer
from balance.store.disk import DISK, AppendedFile, Disk
from balance.store.state import State

#: How many answers are kept at least; the file is cut back to them when it holds twice as many.
KEPT: Final = 1_000


class AnswerFile:
    """``answers.jsonl``: which state answered which idempotency key. Only for the lock's holder."""

    def __init__(self, path: Path, kept: int = KEPT, disk: Disk = DISK) -> None:
        self.path = path
        self._kept = kept
        self._disk = disk
        self._file = AppendedFile(path, disk)

    def find(self, key: str) -> State | None:
        """The state that answered ``key``, or None where it is not known (any more).

        Raises:
            StoreUnreadable: the key is there, but its answer is damaged.
        """
        for line in reversed(self._lines()):
            if line.startswith(_start(key)) and line.endswith(b"\n"):
                try:
                    return decode_answer(line)
                except Unreadable as fault:
                    reason = f"is damaged: a line {fault}"
                    raise StoreUnreadable(
                        self.path.name, reason, option(self.path.parent)
                    ) from fault
        return None

    def mend(self, state: State) -> None:
        """Make sure that the newest commit's answer is kept, whatever its writer came to.

        Raises:
            OSError: the disk refused.
        """
        self._file.settle(lambda: self._start_of(state))
        if state.request is None:
            return
        earlier = self.find(state.request.key)
        if earlier is None or earlier.revision != state.revision:
            self.append(state)

    def append(self, state: State) -> None:
        """Keep the answer of ``state``, durably; a line that a dead writer tore is dropped.

        Raises:
            OSError: the disk refused.
        """
        lines, text = self._lines(), encode_answer(state)
        if len(lines) >= 2 * self._kept or (lines and not lines[-1].endswith(b"\n")):
            whole = [line for line in lines if line.endswith(b"\n")]
            self._disk.replace_file(self.path, b"".join([*whole[-self._kept + 1 :], text]))
        else:
            self._file.append(text)

    def _start_of(self, state: State) -> int:
        """Where the answer of ``state`` begins, or would."""
        lines = self._lines()
        if lines and state.request is not None and lines[-1].startswith(_start(state.request.key)):
            lines = lines[:-1]
        return sum(map(len, lines))

    def faults(self) -> list[str]:
        """What is wrong with the lines that can't be read; a line that was torn is no fault."""
        numbered = enumerate(self._lines(), start=1)
        return [
            f"{self.path.name} line {number} {fault}."
            for number, line in numbered
            if line.endswith(b"\n") and (fault := _fault(line))
        ]

    def drop_damaged(self) -> None:
        """Keep only the lines that can be read.

        Raises:
            OSError: the disk refused.
        """
        self._disk.replace_file(
            self.path, b"".join(line for line in self._lines() if not _fault(line))
        )

    def _lines(self) -> list[bytes]:
        try:
            return self._disk.read(self.path).splitlines(keepends=True)
        except FileNotFoundError:
            return []


def _start(key: str) -> bytes:
    """How the line of the answer to ``key`` begins."""
    return b'{"key": ' + json.dumps(key).encode() + b","


def _fault(line: bytes) -> str | None:
    try:
        decode_answer(line)
    except Unreadable as fault:
        return str(fault)
    return None
