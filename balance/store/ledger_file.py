"""The ledger in its file: one JSON line an entry, in order, appended to and never rewritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from balance.core.entry import Entry, Place, follows
from balance.core.errors import StoreUnreadable
from balance.store.advice import option
from balance.store.codec import Unreadable, decode_entry, encode_entry
from balance.store.disk import DISK, AppendedFile, Disk
from balance.store.state import Line, Spot

_BLOCK: Final = 64 * 1024
# A page is found by bisection down to a stretch of this size, then by reading that.
_STRETCH: Final = 8 * 1024


class LedgerFile:
    """The lines of ``ledger.jsonl``. Reading needs no lock; mending and appending do."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self._disk = disk
        self._file = AppendedFile(path, disk)

    def last(self, end: int | None = None) -> Entry | None:
        """The newest whole entry of the first ``end`` bytes (None: of all), or None where there is
        none.

        Raises:
            StoreUnreadable: the newest whole line is no entry.
        """
        with self._opened() as file:
            end = _whole(file) if end is None else end
            return next(map(self._decoded, _lines_backwards(file, end)), None)

    def newest_first(self, before: Place | None = None) -> Iterator[Entry]:
        """The whole entries from just before ``before`` (None: the newest) back to the first.

        Raises:
            StoreUnreadable: a line on the way is no entry.
        """
        with self._opened() as file:
            end = _whole(file)
            if before is not None:
                _, end = self._stretch(file, end, lambda entry: entry.place < before)
            for line in _lines_backwards(file, end):
                entry = self._decoded(line)
                if before is None or entry.place < before:
                    yield entry

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``, as epochs only grow; None where there is none.

        Raises:
            StoreUnreadable: a line on the way is no entry.
        """
        with self._opened() as file:
            end = _whole(file)
            start, _ = self._stretch(file, end, lambda entry: entry.booking.epoch < epoch)
            file.seek(start)
            while file.tell() < end:
                entry = self._decoded(file.readline())
                if entry.booking.epoch >= epoch:
                    return entry if entry.booking.epoch == epoch else None
        return None

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The whole lines from the one that begins at ``start`` on, oldest first."""
        with self._opened() as file:
            file.seek(start)
            for text in file:
                if not text.endswith(b"\n"):
                    return  # it is being written
                yield Line(start, start + len(text), text)
                start += len(text)

    def texts(self, spots: Iterable[Spot]) -> Iterator[tuple[Spot, bytes]]:
        """Each of ``spots``, a first byte and the one behind the last, and what stands there."""
        with self._opened() as file:
            for start, end in spots:
                file.seek(start)
                yield (start, end), file.read(end - start)

    def end(self) -> int:
        """Where the whole lines end."""
        return self._tail()[0]

    def append(self, entries: Sequence[Entry]) -> None:
        """Add ``entries`` durably, all of them or none.

        Raises:
            OSError: the disk refused.
        """
        self._file.append(b"".join(map(encode_entry, entries)))

    def settle(self, revision: int) -> None:
        """Make durable what stands in the ledger; only the entries of the newest commit, which led
        to ``revision``, can be less than that.

        Raises:
            OSError: the disk refused.
            StoreUnreadable: the newest whole line is no entry.
        """
        self._file.settle(lambda: self._start_of(revision))

    def _start_of(self, revision: int) -> int:
        """Where the entries of ``revision`` begin that stand at the end, or would."""
        end = self.end()
        with self._disk.open(self.path) as file:
            for line in _lines_backwards(file, end):
                # There is a line of a later revision where an older account was put back.
                if self._decoded(line).revision != revision:
                    break
                end -= len(line) + 1
        return end

    def mend(self, entries: Sequence[Entry]) -> None:
        """Make the ledger end with ``entries``, those of the newest commit, whatever part of them
        its writer wrote before it died.

        Raises:
            StoreUnreadable: the ledger does not lead up to ``entries``.
            OSError: the disk refused.
        """
        self._drop_torn_line(entries)
        last = self.last()
        missing = [entry for entry in entries if last is None or entry.place > last.place]
        if missing and not follows(last, missing[0]):
            ends = f"ends with revision {last.revision}" if last else "has no entries"
            raise self._unreadable(f"{ends}, but the account is at {missing[0].revision}")
        if missing:
            self.append(missing)

    def ends_broken(self, entries: Sequence[Entry]) -> bool:
        """Whether the file ends with a part of a line, and not one of ``entries``."""
        # A power cut may leave zeros in the place of the rest of a line.
        torn = self._tail()[1].rstrip(b"\0")
        return torn != b"" and not any(encode_entry(entry).startswith(torn) for entry in entries)

    def _drop_torn_line(self, entries: Sequence[Entry]) -> None:
        if self.ends_broken(entries):
            raise self._unreadable("ends with a broken line")
        end, torn = self._tail()
        if torn:
            self._disk.cut(self.path, end)

    def _tail(self) -> tuple[int, bytes]:
        """Where the whole lines end, and what stands after them."""
        with self._opened() as file:
            end = _whole(file)
            file.seek(end)
            return end, file.read()

    def _opened(self) -> BinaryIO:
        """The file; an empty one where there is none yet."""
        try:
            return self._disk.open(self.path)
        except FileNotFoundError:
            return BytesIO()

    def _decoded(self, line: bytes) -> Entry:
        try:
            return decode_entry(line)
        except Unreadable as fault:
            raise self._unreadable(f"is damaged: a line {fault}") from fault

    def _unreadable(self, reason: str) -> StoreUnreadable:
        return StoreUnreadable(self.path.name, reason, option(self.path.parent))

    def _stretch(
        self, file: BinaryIO, end: int, is_left: Callable[[Entry], bool]
    ) -> tuple[int, int]:
        """Where lines begin or end, a little apart, such that all entries before the first one
        are ``is_left``, and all of those are before the second one."""
        low, high = 0, end
        while high - low > _STRETCH:
            file.seek((low + high) // 2)
            file.readline()
            start = file.tell()
            line = file.readline() if start < high else b""
            if not line:
                break
            if is_left(self._decoded(line)):
                low = start + len(line)
            else:
                high = start
        return low, high


def _whole(file: BinaryIO) -> int:
    """The size of ``file`` up to its last newline: what follows is being written, or torn."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _lines_backwards(file: BinaryIO, end: int) -> Iterator[bytes]:
    rest = b""
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        lines = (file.read(end - start) + rest).split(b"\n")
        rest = lines[0]
        yield from (line for line in reversed(lines[1:]) if line)
        end = start
    if rest:
        yield rest
