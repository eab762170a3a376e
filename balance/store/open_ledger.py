"""The ledger's file while it is open for reading: each line is proved as it is read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from types import TracebackType
from typing import BinaryIO, Final

from balance.core.entry import Entry
from balance.core.errors import StoreUnreadable
from balance.store.checksum import TAIL_BYTES, checksum, is_proved, stated
from balance.store.codec import Unreadable, decode_entry
from balance.store.older_lines import OlderLines
from balance.store.state import Line

_BLOCK: Final = 64 * 1024
# How many numbers of lines are remembered: where all lines are damaged, each looks through them.
_NUMBERS: Final = 64
# A page is found by bisection down to a stretch of this size, then by reading that.
_STRETCH: Final = 8 * 1024


class OpenLedger:
    """The lines of ``file``, in a ``with``, by one thread."""

    def __init__(
        self,
        file: BinaryIO,
        older: OlderLines | None,
        remade: Callable[[], OlderLines | None],
        numbers: dict[int, int],
        refusal: Callable[[str, int], StoreUnreadable],
    ) -> None:
        """``older`` is what is recorded of the lines without a checksum of their own; None: no line
        has one yet, so none can be proved. ``remade`` is that too, made from the ledger itself,
        where that proves it. The numbers of lines that were counted are kept in ``numbers``, by
        their first byte. ``refusal`` makes the error for a reason, and the number of the line."""
        self.file = file
        self.older = older
        self._remade = remade
        self._numbers = numbers
        self._refusal = refusal
        #: How long the file is, and where its whole lines end: what follows is being written, or
        #: torn.
        self.size = file.seek(0, os.SEEK_END)
        self.end = self.whole_until(self.size)

    def __enter__(self) -> OpenLedger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.file.close()

    def whole_until(self, end: int) -> int:
        """Where the whole lines in the first ``end`` bytes end."""
        while end > 0:
            start = max(0, end - _BLOCK)
            newline = self.read(start, end).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
        return 0

    def read(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end``."""
        self.file.seek(start)
        return self.file.read(end - start)

    def raw_lines(self) -> Iterator[bytes]:
        """The text of each whole line, oldest first, proved or not."""
        start = 0
        while start < self.end:
            self.file.seek(start)
            line = self.file.readline()
            yield line
            start += len(line)

    def proves(self, start: int, line: bytes, before: bytes | None = None) -> bool:
        """Whether ``line`` with its newline, which begins at the byte ``start``, is what was
        written there. ``before`` is what stands in front of it, as far as that was read."""
        older = self.older
        if older is None:
            return True
        if start < older.end:
            return older.proves(start, line) or self._is_proved_anew(start, line)
        if start == older.end:
            return is_proved(line, older.checksum) or self._is_proved_anew(start, line)
        if before is None or len(before) < TAIL_BYTES:
            before = self.read(max(0, start - TAIL_BYTES), start)
        previous = stated(before)
        if previous is not None and is_proved(line, previous):
            return True
        # The checksum of the line before may be what is damaged: its text gives it again.
        before = next(self._backwards(start), (0, b""))[1]
        behind = self.read(max(0, start - len(before) - TAIL_BYTES), start - len(before))
        is_first = start - len(before) == older.end
        previous = older.checksum if is_first else stated(behind)
        if previous is not None and is_proved(line, checksum(before[:-TAIL_BYTES], previous)):
            return True
        return self._is_proved_anew(start, line)

    def _is_proved_anew(self, start: int, line: bytes) -> bool:
        """The same with what the ledger itself says of the lines without a checksum, as what is
        recorded of them may be damaged or missing."""
        remade = self._remade()
        if remade is None or remade is self.older:
            return False
        self.older = remade
        return self.proves(start, line)

    def fault(self, start: int, line: bytes) -> str:
        """What is wrong with ``line``, which begins at the byte ``start`` and is not proved."""
        has_none = stated(line) is None and (self.older is None or start >= self.older.end)
        reason = "has no" if has_none else "does not match its"
        return f"line {self.number(start)} {reason} checksum"

    def number(self, start: int) -> int:
        """The number of the line that begins at the byte ``start``, from 1."""
        # Other threads count lines too.
        nearest = max((each for each in list(self._numbers) if each <= start), default=0)
        number = self._numbers.get(nearest, 1)
        while nearest < start:
            block = self.read(nearest, min(nearest + _BLOCK, start))
            number += block.count(b"\n")
            nearest += len(block)
        if len(self._numbers) >= _NUMBERS:
            self._numbers.clear()
        self._numbers[start] = number
        return number

    def refused(self, line: Line) -> StoreUnreadable:
        """The error for ``line``, which has a fault."""
        return self._refusal(line.fault, self.number(line.start))

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The whole lines from the one that begins at ``start`` on, oldest first."""
        before = None
        self.file.seek(start)
        while (text := self.file.readline()).endswith(b"\n"):
            yield self._line(start, text, before)
            start, before = start + len(text), text
            self.file.seek(start)

    def backwards(self, end: int) -> Iterator[Line]:
        """The lines in the first ``end`` bytes, whole ones, newest first."""
        # A line is proved by the one before it, which comes next.
        for newer, older in pairwise(chain(self._backwards(end), [(0, b"")])):
            yield self._line(*newer, older[1])

    def entry(self, line: Line) -> Entry:
        """The entry in ``line``.

        Raises:
            StoreUnreadable: the line is damaged.
        """
        if line.fault:
            raise self.refused(line)
        try:
            return decode_entry(line.text)
        except Unreadable as fault:
            number = self.number(line.start)
            raise self._refusal(f"is damaged: line {number} {fault}", number) from fault

    def stretch(self, is_left: Callable[[Entry], bool]) -> tuple[int, int]:
        """Where lines begin or end, a little apart, such that all entries before the first one
        are ``is_left``, and all of those are before the second one."""
        low, high = 0, self.end
        while high - low > _STRETCH:
            line = self._sound_within((low + high) // 2, high)
            if line is None:
                break
            if is_left(self.entry(line)):
                low = line.end
            else:
                high = line.start
        return low, high

    def _sound_within(self, start: int, end: int) -> Line | None:
        """The first sound line that begins behind ``start``, and before ``end``."""
        self.file.seek(start)
        start += len(self.file.readline())
        while start < end:
            self.file.seek(start)
            text = self.file.readline()
            if self.proves(start, text):
                return Line(start, start + len(text), text)
            start += len(text)
        return None

    def _line(self, start: int, text: bytes, before: bytes | None) -> Line:
        is_sound = self.proves(start, text, before)
        return Line(start, start + len(text), text, "" if is_sound else self.fault(start, text))

    def _backwards(self, end: int) -> Iterator[tuple[int, bytes]]:
        """Where each line in the first ``end`` bytes begins, and its text, newest first."""
        rest = b""
        while end > 0:
            start = max(0, end - _BLOCK)
            text, end = self.read(start, end) + rest, start
            # The first line may have begun before.
            first = text.find(b"\n", 0, -1) + 1 if start else 0
            if start and not first:
                rest = text
                continue
            place = start + len(text)
            for line in reversed(text[first:].split(b"\n")[:-1]):
                place -= len(line) + 1
                yield place, line + b"\n"
            rest = text[:first]
