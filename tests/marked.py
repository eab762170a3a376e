"""A ledger in which a test says which lines are damaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from balance.core.entry import Entry, Place
from balance.core.errors import StoreUnreadable
from balance.store.file_store import LEDGER_FILE, FileStore
from balance.store.state import Extent, Line, Spot


class Marked(FileStore):
    """An account in files. The lines of its ledger whose numbers are in ``damaged`` are read as a
    store reads damaged lines."""

    damaged: frozenset[int] = frozenset()
    changes = 0
    #: How often lines were read.
    reads = 0

    def damage(self, *numbers: int) -> None:
        """Have the lines with ``numbers`` damaged, as if somebody had edited the file."""
        self.damaged, self.changes = frozenset(numbers), self.changes + 1

    def lines(self, start: int = 0) -> Iterator[Line]:
        self.reads += 1
        for number, line in enumerate(super().lines(start), self._number(start)):
            fault = f"line {number} does not match its checksum"
            yield replace(line, fault=fault) if number in self.damaged else line

    def texts(self, spots: Iterable[Spot]) -> Iterator[bytes]:
        listed = list(spots)
        for (start, _), text in zip(listed, super().texts(listed), strict=True):
            self._refuse(self._number(start))
            yield text

    def entries(self, *, before: Place | None = None) -> Iterator[Entry]:
        numbers = {entry.place: number for number, entry in self._numbered()}
        for entry in super().entries(before=before):
            self._refuse(numbers[entry.place])
            yield entry

    def extent(self) -> Extent:
        return replace(super().extent(), changed=self.changes)

    def _numbered(self) -> Iterator[tuple[int, Entry]]:
        entries = list(super().entries())
        return enumerate(reversed(entries), 1)

    def _number(self, start: int) -> int:
        return (self.folder / LEDGER_FILE).read_bytes()[:start].count(b"\n") + 1

    def _refuse(self, number: int) -> None:
        if number in self.damaged:
            fault = f"line {number} does not match its checksum"
            raise StoreUnreadable(LEDGER_FILE, fault, line=number)
