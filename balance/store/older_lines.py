"""The checksums of the lines that a ledger had before its lines carried their own, in a file beside
it, ``ledger.checksums``: a header, and a record of 32 bytes for each line::

    {"schema":2,"account":"9f86d081884c7d65","lines":2,"bytes":380,"checksum":"…"}
    0000000000a1 0f4c2a9be1d3577a +
    00000000017c 91c5be0de4a0f33b +

A record has the byte behind its line, in hexadecimal digits, the checksum of the line, and ``+``,
or ``-`` where the line was damaged already when the checksums were recorded. A checksum is made of
the one before it and of the text of the line without its newline; the first line with a checksum of
its own goes on from the last record, and so does the header.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from balance.core.entry import Entry, follows
from balance.core.money import ZERO, exact
from balance.store.checksum import START, checksum, is_proved, sealed
from balance.store.codec import Unreadable, decode_entry

#: The schema of the file, which is not that of the account.
SCHEMA: Final = 2
_RECORD: Final = re.compile(rb"([0-9a-f]{12}) ([0-9a-f]{16}) ([+-])\n")
_RECORD_BYTES: Final = 32
_HEADER: Final = re.compile(
    rb'\{"schema":2,"account":("[^"\n]*"),"lines":(\d{1,12}),"bytes":(\d{1,15}),.*\n'
)


@dataclass(frozen=True)
class OlderLines:
    """What is recorded of the lines without a checksum of their own; they are the first ones."""

    account_id: str
    # A record after the other, as in the file.
    records: bytes
    # How many lines end where the line behind the last one that was proved begins: where the next
    # one is looked for first, as most are read one after the other.
    _near: list[int] = field(default_factory=lambda: [0], compare=False, repr=False)

    @classmethod
    def decode(cls, text: bytes) -> OlderLines:
        """What stands in ``text``, that of the file.

        Raises:
            Unreadable: it is none, or not whole.
        """
        header = _HEADER.match(text)
        records = text[header.end() :] if header else b""
        if header is None or len(records) != int(header[2]) * _RECORD_BYTES:
            raise Unreadable("is not whole")
        older = cls("", records)
        if int(header[3]) != older.end or not is_proved(header[0], older.checksum):
            raise Unreadable("does not match its checksum")
        return replace(older, account_id=json.loads(header[1]))

    def encode(self) -> bytes:
        """The text of the file."""
        header = {"schema": SCHEMA, "account": self.account_id}
        reach = {"lines": self.count, "bytes": self.end}
        text = json.dumps({**header, **reach}, separators=(",", ":")).encode()
        return sealed(text, self.checksum) + self.records

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self.records) // _RECORD_BYTES

    @cached_property
    def end(self) -> int:
        """The byte behind the last of them."""
        return self._end(self.count)

    @cached_property
    def checksum(self) -> str:
        """The checksum of the last of them, which the line behind it goes on from."""
        return self.checksum_after(self.count)

    def checksum_after(self, lines: int) -> str:
        """The checksum of the line numbered ``lines``, from 1; what the first goes on from for 0.
        Empty where its record is damaged."""
        record = self._record(lines)
        return START if not lines else "" if record is None else record[2].decode()

    def proves(self, start: int, line: bytes) -> bool:
        """Whether ``line`` with its newline, which begins at the byte ``start``, is the one that is
        recorded, and was sound then."""
        near = self._near[0]
        for before in (near, near - 2):
            if before >= 0 and self._end(before) == start:
                break
        else:  # how many lines end there or before
            before = bisect_right(range(1, self.count + 1), start, key=self._end)
        record = self._record(before + 1)
        self._near[0] = before + 1
        return (
            record is not None
            and self._end(before) == start
            and (int(record[1], 16), record[3]) == (start + len(line), b"+")
            and line.endswith(b"\n")
            and record[2].decode() == checksum(line[:-1], self.checksum_after(before))
        )

    def is_line(self, number: int, line: bytes) -> bool:
        """Whether ``line`` with its newline, wherever it stands now, is the one numbered
        ``number``, from 1, and was sound when it was recorded."""
        record = self._record(number)
        return (
            record is not None
            and record[3] == b"+"
            and record[2].decode() == checksum(line[:-1], self.checksum_after(number - 1))
        )

    def numbers_by_length(self) -> dict[int, list[int]]:
        """The numbers of all lines, by how many bytes they have."""
        found: dict[int, list[int]] = {}
        for number in range(1, self.count + 1):
            found.setdefault(self._end(number) - self._end(number - 1), []).append(number)
        return found

    def _end(self, lines: int) -> int:
        record = self._record(lines)
        return 0 if record is None else int(record[1], 16)

    def _record(self, number: int) -> re.Match[bytes] | None:
        if number < 1:
            return None
        return _RECORD.match(self.records, (number - 1) * _RECORD_BYTES)


#: What is recorded where each line has a checksum of its own.
NONE: Final = OlderLines("", b"")


def recorded(account_id: str, lines: Iterable[bytes]) -> OlderLines:
    """What to record of ``lines``, all those of a ledger of ``account_id``. One that is no entry,
    or does not follow from the one before it, is recorded as damaged."""
    records, end, previous = bytearray(), 0, START
    for line, is_sound in _checked(lines):
        end += len(line)
        previous = checksum(line.removesuffix(b"\n"), previous)
        records += b"%012x %s %s\n" % (end, previous.encode(), b"+" if is_sound else b"-")
    return OlderLines(account_id, bytes(records))


def _checked(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each of ``lines``, and whether it is an entry that follows from the one before it."""
    last: Entry | None = None
    # What is left out before the first entry, or behind a damaged one, is not the fault of the
    # line that comes next.
    is_known = True
    for line in lines:
        try:
            entry = decode_entry(line)
        except Unreadable:
            is_known = False
            yield line, False
            continue
        is_sound = last is None or entry.place > last.place
        if is_known:
            is_sound = is_sound and follows(last, entry) and _adds_up(last, entry)
        yield line, is_sound
        # A line behind one with a wrong amount may have the right balance, and the other way round.
        is_known = is_sound
        last = entry if is_sound or last is None else last


def _adds_up(last: Entry | None, entry: Entry) -> bool:
    """Whether the amount of ``entry`` leads from the balance of ``last`` to its own."""
    before, after = None if last is None else last.booking, entry.booking
    known = ZERO if before is None or before.epoch != after.epoch else before.balance
    with exact():
        return known + after.amount == after.balance
