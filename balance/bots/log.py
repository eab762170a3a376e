"""The log of the bots: what each decided and did, and why; in memory and in ``data/bots.jsonl``.

Each line of the file proves itself by a checksum; those of older versions have none. A line that is
no entry is left out, and counted.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypedDict, get_args

from balance.core.errors import InvalidRequest
from balance.core.moments import from_iso, iso
from balance.core.shape import Count, Doc, Time
from balance.history.history import Page
from balance.store.checksum import is_proved, sealed
from balance.store.codec import FAULTS, Unreadable, parsed
from balance.store.disk import DISK, AppendedFile, Disk
from balance.store.records import count, one_of, text

LOG_FILE: Final = "bots.jsonl"
#: ``hold`` and ``ignored`` are signals that changed nothing, ``trade`` those that did.
LogKind = Literal["state", "hold", "trade", "ignored", "error"]
#: All kinds but ``hold``, which there are most of.
ACTION: Final = "action"
MOST_SHOWN: Final = 500
LARGEST_ID: Final = 999_999_999

# The log has so many lines; the file starts anew with them when it has grown to this size.
_MOST_LINES: Final = 5_000
_LARGEST_FILE: Final = 4 * 1024 * 1024

_log = logging.getLogger(__name__)


class LogEntry(TypedDict):
    """What a bot decided or did."""

    id: Count
    time: Time
    bot: str
    name: str
    kind: LogKind
    candle: Time | None
    symbol: str
    side: str
    confidence: Annotated[float | None, Doc(minimum=0, maximum=1)]
    reason: str
    words: Annotated[str, Doc("What it did, in a sentence.")]


_NAMES: Final = frozenset(LogEntry.__annotations__)
_TEXTS: Final = ("bot", "name", "symbol", "side", "reason", "words")


class BotLog:
    """The newest 5,000 entries. Not for several threads at once: the bots guard it."""

    def __init__(self, folder: Path | None, disk: Disk = DISK) -> None:
        self._disk = disk
        self._file = None
        if folder is not None:
            self._file = AppendedFile(folder / LOG_FILE, disk)
            disk.narrow(folder, LOG_FILE)
        # Whether the file's last line may have been cut off, by a crash or by a full disk.
        self._is_cut = False
        #: How many lines of the file are no entries, and are left out.
        self.left_out = 0
        self._entries: deque[Mapping[str, Any]] = deque(self._read(), maxlen=_MOST_LINES)
        self._next = self._entries[-1]["id"] + 1 if self._entries else 1
        self._fresh: list[Mapping[str, Any]] = []
        self._is_refused = False

    @property
    def message(self) -> str:
        """What is wrong with the file, in sentences; empty where nothing is."""
        if not self.left_out:
            return ""
        lines = "1 line" if self.left_out == 1 else f"{self.left_out:,} lines"
        are = "is" if self.left_out == 1 else "are"
        return (
            f"{lines} of {LOG_FILE} can't be read, and {are} not in the log of the bots. What bots "
            "hold and traded is in the account, and not concerned. Put a copy of the file back "
            "while no server runs, or move it away to begin the log anew."
        )

    @property
    def newest(self) -> int:
        """The id of the newest entry; 0 while there is none."""
        return self._next - 1

    def add(
        self,
        bot: str,
        name: str,
        kind: LogKind,
        message: str,
        *,
        symbol: str = "",
        candle: datetime | None = None,
        side: str = "",
        confidence: float | None = None,
        reason: str = "",
    ) -> None:
        """Add what happened now; :meth:`save` writes it into the file."""
        entry: LogEntry = {
            "id": self._next,
            "time": iso(datetime.now(UTC)),
            "bot": bot,
            "name": name,
            "kind": kind,
            "candle": None if candle is None else iso(candle),
            "symbol": symbol,
            "side": side,
            "confidence": confidence,
            "reason": reason,
            "words": message,
        }
        self._next += 1
        self._entries.append(entry)
        self._fresh.append(entry)

    def save(self) -> None:
        """Write what was added since the last time; where the disk refuses, later."""
        if self._file is None or not self._fresh:
            self._fresh.clear()
            return
        try:
            if self._is_cut:
                self._cut_off(self._file.path)
            size = self._file.append(_lines(self._fresh))
            self._fresh.clear()
            if size > _LARGEST_FILE:
                self._disk.replace_file(self._file.path, _lines(self._entries), durable=False)
            self._is_refused = False
        except OSError as fault:
            self._is_cut = self._is_cut or bool(self._fresh)
            del self._fresh[:-_MOST_LINES]
            if not self._is_refused:
                _log.error("the log of the bots could not be written: %s", fault.strerror)
            self._is_refused = True

    def page(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """The newest ``limit`` entries, 1 to 500, newest first, from before the id ``before``, of
        one bot and kind (``action``: all but ``hold``) or of all.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        kinds = (*get_args(LogKind), ACTION)
        if kind is not None and kind not in kinds:
            raise InvalidRequest(f"kind must be one of {', '.join(kinds)}, not {kind!r:.40}.")
        if not 1 <= limit <= MOST_SHOWN:
            raise InvalidRequest(f"limit must be from 1 to {MOST_SHOWN}, not {limit!r:.40}.")
        found = (
            each
            for each in reversed(self._entries)
            if (before is None or each["id"] < before)
            and (bot is None or each["bot"] == bot)
            and (kind is None or _is_of(each, kind))
        )
        entries = tuple(itertools.islice(found, limit))
        more = next(found, None) is not None
        following = str(entries[-1]["id"]) if more else None
        return Page(entries=entries, next=following, left_out=self.left_out)

    def _cut_off(self, path: Path) -> None:
        """Remove what a crash has left of the file's last line."""
        try:
            content = self._disk.read(path)
        except FileNotFoundError:
            content = b""
        end = content.rfind(b"\n") + 1
        if end < len(content):
            self._disk.cut(path, end)
        self._is_cut = False

    def _read(self) -> Iterable[Mapping[str, Any]]:
        if self._file is None:
            return
        try:
            *lines, rest = self._disk.read(self._file.path).split(b"\n")
        except OSError:
            return
        self._is_cut = bool(rest)
        last = 0
        for line in lines[-_MOST_LINES:]:
            try:
                entry = _entry(line + b"\n", after=last)
            except (Unreadable, *FAULTS):
                self.left_out += 1
            else:
                last = entry["id"]
                yield entry
        if self.left_out:
            _log.error("%s", self.message)


def _entry(line: bytes, after: int) -> Mapping[str, Any]:
    """The entry in ``line``, whose id is larger than ``after``; raises what reading a document
    does where it is none."""
    document = parsed(line)
    if document.keys() - _NAMES == {"checksum"} and is_proved(line):
        del document["checksum"]
    if document.keys() != _NAMES:
        raise Unreadable("is no entry, or does not match its checksum")
    if count(document["id"], "id", after + 1) > LARGEST_ID:
        raise Unreadable(f"has the id {document['id']:.3g}, which is too large")
    from_iso(document["time"])
    one_of(document["kind"], "kind", get_args(LogKind))
    for name in _TEXTS:
        text(document[name], name, empty=True)
    if document["candle"] is not None:
        from_iso(document["candle"])
    if document["confidence"] is not None:
        document["confidence"] = _confidence(document["confidence"])
    return document


def _confidence(value: Any) -> float:
    # Also what is no number in JSON: NaN is read as a float.
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:
        raise Unreadable(f"has the confidence {value!r:.40}, which is no number from 0 to 1")
    return float(value)


def _is_of(entry: Mapping[str, Any], kind: str) -> bool:
    return bool(entry["kind"] != "hold" if kind == ACTION else entry["kind"] == kind)


def _lines(entries: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(sealed(json.dumps(each).encode()) for each in entries)
