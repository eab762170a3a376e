"""The ledger in its file: one JSON line an entry, in order, appended to and never rewritten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from itertools import dropwhile, islice
from pathlib import Path
from typing import BinaryIO, Final

from balance.core.entry import Entry, Place, follows
from balance.core.errors import StoreUnreadable
from balance.core.wallet import OPENINGS
from balance.store.advice import option
from balance.store.checksum import TAIL_BYTES, is_proved, stated
from balance.store.codec import Unreadable, account_of, keyed_by
from balance.store.disk import DISK, AppendedFile, Disk, Signature
from balance.store.older_lines import NONE, OlderLines, recorded
from balance.store.open_ledger import OpenLedger
from balance.store.state import Keyed, Line, Spot, State

#: The checksums of the lines that have none of their own.
CHECKSUM_FILE: Final = "ledger.checksums"
# How many bytes are read at once in search of the last one that is not zero.
_ZEROS: Final = 64 * 1024


class LedgerFile:
    """The lines of ``ledger.jsonl``, each proved by its checksum when it is read. Reading needs no
    lock; mending, appending and recording do."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        #: Is called with what is found damaged.
        self.on_damage: Callable[[StoreUnreadable], None] = lambda _: None
        #: Whether the ledger is known to have checksums, as its account says so; one that begins
        #: or ends with a line that has one is taken for such a ledger too.
        self.is_chained = False
        self._disk = disk
        self._file = AppendedFile(path, disk)
        self._checksums = path.with_name(CHECKSUM_FILE)
        # What was read there, and the state of that file; what was made of the ledger with an
        # inode itself.
        self._recorded: tuple[Signature, OlderLines | None] | None = None
        self._remade: tuple[int, OlderLines | None] | None = None
        # That, where it stands for what should have been recorded.
        self._unrecorded: OlderLines | None = None
        # The numbers of lines that were counted, by their first byte, in the ledger with an inode.
        self._numbers: tuple[int, dict[int, int]] = 0, {}

    def last(self, end: int | None = None) -> Entry | None:
        """The newest whole entry of the first ``end`` bytes (None: of all), or None where there is
        none.

        Raises:
            StoreUnreadable: the newest whole line is damaged.
        """
        with self._opened() as ledger:
            newest = next(ledger.backwards(ledger.end if end is None else end), None)
            return None if newest is None else ledger.entry(newest)

    def newest_first(self, before: Place | None = None) -> Iterator[Entry]:
        """The whole entries from just before ``before`` (None: the newest) back to the first.

        Raises:
            StoreUnreadable: a line on the way is damaged.
        """
        with self._opened() as ledger:
            end, damaged = ledger.end, None
            if (place := before) is not None:
                _, end = ledger.stretch(lambda entry: entry.place < place)
            for line in ledger.backwards(end):
                if before is None:
                    yield ledger.entry(line)
                elif line.fault:
                    damaged = damaged or line
                elif (entry := ledger.entry(line)).place >= before:
                    damaged = None  # what is damaged behind it is not asked for
                else:
                    before = None
                    yield entry if damaged is None else ledger.entry(damaged)
            if before is not None and damaged is not None:
                ledger.entry(damaged)

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``, as epochs only grow; None where there is none.

        Raises:
            StoreUnreadable: a line on the way is damaged.
        """
        return next(self.epoch(epoch), None)

    def epoch(self, epoch: int) -> Iterator[Entry]:
        """The entries of ``epoch``, oldest first.

        Raises:
            StoreUnreadable: a line on the way is damaged.
        """
        with self._opened() as ledger:
            start, _ = ledger.stretch(lambda entry: entry.booking.epoch < epoch)
            damaged = None
            for line in ledger.lines(start):
                if line.fault:
                    damaged = damaged or line
                    continue
                entry = ledger.entry(line)
                if entry.booking.epoch < epoch or entry.booking.kind in OPENINGS:
                    damaged = None  # what is damaged before it is not asked for
                if entry.booking.epoch < epoch:
                    continue
                if damaged is not None:
                    ledger.entry(damaged)
                if entry.booking.epoch > epoch:
                    return
                yield entry
            if damaged is not None:
                ledger.entry(damaged)

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The whole lines from the one that begins at ``start`` on, oldest first; those that are
        not proved with their fault."""
        with self._opened() as ledger:
            yield from ledger.lines(start)

    def texts(self, spots: Iterable[Spot]) -> Iterator[tuple[Spot, bytes]]:
        """Each of ``spots``, a first byte and the one behind the last, and what stands there.

        Raises:
            StoreUnreadable: it is a line, and damaged.
        """
        with self._opened() as ledger:
            for start, end in spots:
                before = min(start, TAIL_BYTES)
                found = ledger.read(start - before, end)
                tail, text = found[:before], found[before:]
                is_line = text.find(b"\n") == len(text) - 1 and tail[-1:] in (b"", b"\n")
                if text and is_line and not ledger.proves(start, text, tail):
                    raise ledger.refused(Line(start, end, text, ledger.fault(start, text)))
                yield (start, end), text

    def end(self) -> int:
        """Where the whole lines end."""
        with self._opened() as ledger:
            return ledger.end

    def unwritten(self, state: State, end: int) -> tuple[bytes, ...]:
        """The lines of the newest commit, which led to ``state``, that the first ``end`` bytes,
        whole lines, lack."""
        with self._opened() as ledger:
            found = _newest_commit(ledger, state, end)
        return () if found is None else state.lines[found[1] :]

    def check_end(self, state: State, end: int) -> None:
        """Prove that the first ``end`` bytes, whole lines, go as far as ``state``, or further.

        Raises:
            StoreUnreadable: lines are missing at their end.
        """
        with self._opened() as ledger:
            newest = next(ledger.backwards(end), None)
            is_there = newest is not None and (
                newest.fault or ledger.entry(newest).revision >= state.revision
            )
        if not is_there:
            raise self.disagreement(state)

    def append(self, state: State) -> None:
        """Add the lines of ``state`` durably, all of them or none.

        Raises:
            OSError: the disk refused.
        """
        self._file.append(b"".join(state.lines))

    def settle(self, state: State) -> None:
        """Make durable what stands in the ledger; only the lines of the newest commit, which led to
        ``state``, can be less than that.

        Raises:
            OSError: the disk refused.
        """
        self._file.settle(lambda: self._start_of(state))

    def _start_of(self, state: State) -> int:
        with self._opened() as ledger:
            found = _newest_commit(ledger, state, ledger.size)
            return ledger.end if found is None else found[0]

    def mend(self, state: State) -> str | None:
        """Make the ledger end with the lines of the newest commit, which led to ``state``, whatever
        part of them its writer wrote before it died: the checksum of the last of them. Where the
        ledger does not lead up to them, nothing is changed: None.

        Raises:
            OSError: the disk refused.
        """
        with self._opened() as ledger:
            found = _newest_commit(ledger, state, ledger.size)
            if found is None:
                return _older_end(ledger, state)
            size = ledger.size
        if (unrecorded := self._unrecorded) is not None:
            older = replace(unrecorded, account_id=state.account_id)
            self._disk.replace_file(self._checksums, older.encode())
        start, kept = found
        end = start + sum(map(len, state.lines[:kept]))
        if end < size or kept < len(state.lines):
            # Its writer may have died before the account's name was on the disk, which comes first.
            self._disk.sync_folder(self.path.parent)
        if end < size:
            self._disk.cut(self.path, end)
        if kept < len(state.lines):
            self._file.append(b"".join(state.lines[kept:]))
        return state.checksum

    def leads_to(self, state: State) -> bool:
        """Whether the ledger ends with the lines of the newest commit, which led to ``state``, or
        with a part of them, which the next writer mends."""
        with self._opened() as ledger:
            if _newest_commit(ledger, state, ledger.size) is not None:
                return True
            with suppress(StoreUnreadable):
                return _older_end(ledger, state) is not None
        return False

    def rest(self) -> bytes:
        """What stands behind the whole lines: it is being written, or torn."""
        with self._opened() as ledger:
            return ledger.read(ledger.end, ledger.size)

    def holds(self, state: State) -> bool:
        """Whether ``state`` is a past one of this ledger, which ends behind a whole line: its lines
        stand in it, and others behind them.

        Raises:
            StoreUnreadable: a line on the way is damaged.
        """
        place = state.entries[0].place
        with self._opened() as ledger:
            start, _ = ledger.stretch(lambda entry: entry.place < place)
            lines = dropwhile(
                lambda line: line.fault or ledger.entry(line).place < place, ledger.lines(start)
            )
            *found, behind = [*islice(lines, len(state.lines) + 1)] or [Line(0, 0, b"")]
            if ledger.end < ledger.size or any(line.fault for line in (*found, behind)):
                return False
            if tuple(line.text for line in found) == state.lines:
                return True
            # A line without a checksum may have been written by an older version.
            is_older = all(stated(line.text) is None for line in found)
            return is_older and tuple(map(ledger.entry, found)) == state.entries

    def disagreement(self, state: State) -> StoreUnreadable:
        """Why the ledger does not lead up to ``state``."""
        with self._opened() as ledger:
            newest = next(ledger.backwards(ledger.end), None)
            if ledger.end < ledger.size:
                reason = "ends with a broken line"
            elif newest is None:
                reason = f"has no entries, but the account is at {state.revision}"
            elif newest.fault:
                return ledger.refused(newest)
            elif (last := ledger.entry(newest).revision) < state.revision:
                reason = f"ends with revision {last}, but the account is at {state.revision}"
            else:
                reason = f"has other entries of revision {state.revision} than the account"
        return self._unreadable(reason)

    def account_id(self) -> str | None:
        """The id of its account, where that is recorded and proved."""
        with self._opened() as ledger:
            first = next(ledger.lines(), None)
            recorded_id = ledger.older.account_id if ledger.older is not None else ""
        if recorded_id or first is None or first.fault:
            return recorded_id or None
        return account_of(first.text)

    def keyed(self, revision: int) -> Keyed | None:
        """The commit that led to ``revision``, where that had an idempotency key.

        Raises:
            StoreUnreadable: its line is damaged.
        """
        with self._opened() as ledger:
            start, _ = ledger.stretch(lambda entry: entry.revision < revision)
            for line in ledger.lines(start):
                if ledger.entry(line).revision >= revision:
                    break
            else:
                return None
            return keyed_by(line.text) if ledger.entry(line).place == (revision, 1) else None

    def newest_keyed(self, before: int) -> int:
        """The revision of the newest commit before the revision ``before`` that had an idempotency
        key, as far as lines that are proved say so; 0: none."""
        with self._opened() as ledger:
            for line in ledger.backwards(ledger.end):
                keyed = None if line.fault else keyed_by(line.text)
                if keyed is not None and keyed.revision < before:
                    return keyed.revision
        return 0

    def is_from_before_checksums(self) -> bool:
        """Whether the newest whole line has no checksum of its own."""
        with self._opened() as ledger:
            newest = ledger.read(max(0, ledger.end - TAIL_BYTES), ledger.end)
            return bool(newest) and stated(newest) is None

    def end_checksum(self) -> str:
        """The checksum of the newest whole line."""
        with self._opened() as ledger:
            newest = ledger.read(max(0, ledger.end - TAIL_BYTES), ledger.end)
            older = "" if ledger.older is None else ledger.older.checksum
            return stated(newest) or older

    def record(self, state: State) -> str:
        """Record the checksums of all lines in the file beside the ledger, durably: that of the
        line before the entries of ``state``, with which it ends.

        Raises:
            OSError: the disk refused.
        """
        with self._opened() as ledger:
            older = recorded(state.account_id, (line.text for line in ledger.lines()))
        self._disk.replace_file(self._checksums, older.encode())
        return older.checksum_after(max(0, older.count - len(state.entries)))

    def record_again(self, state: State) -> None:
        """Record them again where that is missing or damaged, if ``state`` proves them: it was
        written with the checksum of the line before its entries, with which the ledger ends.

        Raises:
            OSError: the disk refused.
        """
        with self._opened() as ledger:
            first = next(ledger.raw_lines(), b"")
            if ledger.older is None or ledger.older.count or stated(first) is not None:
                return
            older = recorded(state.account_id, ledger.raw_lines())
        before = max(0, older.count - len(state.entries))
        if older.checksum_after(before) == state.previous_checksum:
            self._disk.replace_file(self._checksums, older.encode())

    def _opened(self) -> OpenLedger:
        """The file; an empty one where there is none yet."""
        file: BinaryIO
        try:
            file = self._disk.open(self.path)
            inode = os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            file, inode = BytesIO(), 0
        if self._numbers[0] != inode:
            self._numbers = inode, {}
        try:
            older = self._older(file, inode)
        except BaseException:
            file.close()
            raise
        return OpenLedger(
            file, older, lambda: self._made(file, inode), self._numbers[1], self._unreadable
        )

    def _older(self, file: BinaryIO, inode: int) -> OlderLines | None:
        """What is recorded of the lines without a checksum; None where no line has one yet."""
        first = file.readline()
        self._unrecorded = None
        if is_proved(first):
            return NONE
        try:
            now = self._disk.signature(self._checksums)
            if self._recorded is None or self._recorded[0] != now:
                self._recorded = now, _decoded(self._disk.read(self._checksums))
            older = self._recorded[1]
        except FileNotFoundError:
            older = None
        except OSError as fault:
            # Whoever reads the ledger names that.
            message = f"{self._checksums.name}, which proves it, says {fault.strerror}"
            raise OSError(fault.errno, message) from fault
        if older is not None:
            return older
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        if stated(first) is None and stated(file.read()) is not None:
            self._unrecorded = self._made(file, inode)
            return self._unrecorded or NONE
        return NONE if self.is_chained or stated(first) is not None else None

    def _made(self, file: BinaryIO, inode: int) -> OlderLines | None:
        """What would be recorded of the lines without a checksum, if the first line that has one
        proves it."""
        if self._remade is None or self._remade[0] != inode:
            self._remade = inode, _remade(file)
        return self._remade[1]

    def _unreadable(self, reason: str, line: int | None = None) -> StoreUnreadable:
        fault = StoreUnreadable(self.path.name, reason, option(self.path.parent), line=line)
        self.on_damage(fault)
        return fault


def _newest_commit(ledger: OpenLedger, state: State, end: int) -> tuple[int, int] | None:
    """Where the lines of ``state`` begin that the first ``end`` bytes end with, and how many of
    them are whole; None where these bytes do not lead up to them."""
    whole = b"".join(state.lines)
    end = _without_zeros(ledger, end)
    start = _start_of_newest(ledger, state, max(0, end - len(whole)), end)
    if start is None:
        return None
    text = ledger.read(start, end)
    # A power cut may leave zeros in the place of what was not on the disk yet.
    if len(text) > len(whole):
        return None
    if any(found not in (0, byte) for found, byte in zip(text, whole, strict=False)):
        return None
    kept = 0
    for line in state.lines:
        if not text.startswith(line):
            break
        text, kept = text[len(line) :], kept + 1
    return start, kept


def _without_zeros(ledger: OpenLedger, end: int) -> int:
    """Where the first ``end`` bytes end without the zeros behind them."""
    while end > ledger.end:
        text = ledger.read(max(ledger.end, end - _ZEROS), end)
        kept = text.rstrip(b"\0")
        end -= len(text) - len(kept)
        if kept:
            break
    return end


def _start_of_newest(ledger: OpenLedger, state: State, low: int, end: int) -> int | None:
    """Where the lines of ``state`` begin, or would, at the byte ``low`` or behind it: behind the
    line whose checksum they go on from."""
    older, previous = ledger.older, state.previous_checksum
    if older is None:
        return _start_of_revision(ledger, state, end)
    if previous == older.checksum:  # START, where each line has a checksum
        return older.end if low <= older.end <= end else None
    if not previous:
        return None
    start = max(0, low - TAIL_BYTES)
    tail = b',"checksum":"' + previous.encode() + b'"}\n'
    found = ledger.read(start, end).rfind(tail)
    return None if found < 0 else start + found + len(tail)


def _start_of_revision(ledger: OpenLedger, state: State, end: int) -> int | None:
    """The same in a ledger without checksums: behind the line that leads up to the entries."""
    start, last = ledger.whole_until(end), None
    for line in ledger.backwards(start):
        last = ledger.entry(line)
        if last.revision != state.revision:
            break
        start, last = line.start, None
    return start if follows(last, state.entries[0]) else None


def _older_end(ledger: OpenLedger, state: State) -> str | None:
    """The checksum at the end of a ledger that ends with the entries of ``state`` in lines without
    one of their own, which an older version may have written; else None."""
    older, count = ledger.older, len(state.entries)
    if older is not None:
        before = older.checksum_after(older.count - count) if older.count >= count else None
        if older.end != ledger.size or state.previous_checksum not in ("", before):
            return None
    newest = [ledger.entry(line) for line in islice(ledger.backwards(ledger.end), count)]
    if ledger.end != ledger.size or tuple(reversed(newest)) != state.entries:
        return None
    return "" if older is None else older.checksum


def _decoded(text: bytes) -> OlderLines | None:
    try:
        return OlderLines.decode(text)
    except Unreadable:
        return None  # it may be made of the ledger again


def _remade(file: BinaryIO) -> OlderLines | None:
    behind: list[bytes] = []

    def without_checksum() -> Iterator[bytes]:
        file.seek(0)
        for line in file:
            if stated(line) is not None:
                behind.append(line)
                return
            yield line

    older = recorded("", without_checksum())
    is_proved_by_next = bool(behind) and is_proved(behind[0], older.checksum)
    return older if older.count and is_proved_by_next else None
