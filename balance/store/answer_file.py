"""The answers that keyed requests got: a line each, the newest thousand at least::

    {"key": "k", "fingerprint": "…", "revision": 7, "previous": 5, "state": {…},"checksum":"…"}

A line names the keyed commit before its own, and the account names the newest one, so that an
answer that is lost is noticed, whichever it was. It is then written anew from the ledger, which has
every key, with ``null`` for the state: the request is known to be booked, and is not booked again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from balance.core.errors import StoreUnreadable
from balance.store.advice import option
from balance.store.checksum import TAIL_BYTES, is_proved, sealed
from balance.store.codec import Unreadable, decode_answer, encode_state
from balance.store.disk import DISK, AppendedFile, Disk, Signature
from balance.store.state import Keyed, Request, State

#: How many answers are kept at least; the file is cut back to them when it holds twice as many.
KEPT: Final = 1_000
_TEXT: Final = rb'"(?:[^"\\]|\\.)*"'
_FRONT: Final = re.compile(
    rb'\{"key": (%b), "fingerprint": (%b), "revision": (\d+), "previous": (\d+), "state": '
    % (_TEXT, _TEXT)
)
# What the versions wrote whose lines had no checksum, up to the state, and behind it.
_OLD_FRONT: Final = re.compile(rb'\{"key": %b, "state": ' % _TEXT)
_OLD_END: Final = b"}\n"
_NO_STATE: Final = b"null"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a keyed request was answered; ``state`` is None where that is lost."""

    revision: int
    request: Request
    state: State | None


@dataclass(frozen=True, slots=True)
class _Line:
    keyed: Keyed
    # Where its text begins and ends in the file, in bytes.
    start: int
    end: int


@dataclass(slots=True)
class _Known:
    """What is known of the file."""

    signature: Signature | None = None
    # Where its whole lines end, and whether a part of one follows.
    end: int = 0
    is_torn: bool = False
    # Those lines that are proved, by their revisions.
    lines: dict[int, _Line] = field(default_factory=dict)
    # The answers up to that of the keyed commit ``newest``, by their keys.
    answers: dict[str, _Line] = field(default_factory=dict)
    newest: int | None = None


class AnswerFile:
    """``answers.jsonl``: which state answered which idempotency key. Only for the lock's holder,
    but for :meth:`faults`."""

    def __init__(
        self,
        path: Path,
        kept: int = KEPT,
        disk: Disk = DISK,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``clock`` dates the copies of damaged files."""
        self.path = path
        self._kept = kept
        self._disk = disk
        self._clock = clock
        self._file = AppendedFile(path, disk)
        self._known = _Known()

    def find(self, key: str, newest: int, booked: Callable[[int], Keyed | None]) -> Answer | None:
        """The answer to ``key``, or None where it is not known (any more). The newest keyed commit
        led to the revision ``newest``; ``booked`` finds the one of a revision in the ledger, for
        answers that are lost.

        Raises:
            StoreUnreadable: the file can't be read, or lacks an answer that the ledger lacks too.
            OSError: an answer is lost, and the disk refused to take it from the ledger.
        """
        self._load()
        if not self._follow(newest):
            self._take_from_ledger(newest, booked)
        line = self._known.answers.get(key)
        if line is None:
            return None
        keyed, state = _parsed(self._text(line)) or (None, _NO_STATE)
        if keyed != line.keyed:
            # It was damaged since it was read.
            self._known = _Known()
            return self.find(key, newest, booked)
        return Answer(line.keyed.revision, line.keyed.request, _decoded(state))

    def mend(self, state: State) -> None:
        """Make sure that the newest commit's answer is kept, whatever its writer came to.

        Raises:
            StoreUnreadable: the file can't be read.
            OSError: the disk refused.
        """
        if state.request is None:
            return
        self._load()
        self._file.settle(lambda: self._start_of(state.revision))
        self._load()
        line = self._known.lines.get(state.revision)
        if line is None or line.keyed.request != state.request:
            self.append(state)

    def append(self, state: State) -> None:
        """Keep the answer of ``state``, durably; a line that a dead writer tore is dropped.

        Raises:
            StoreUnreadable: the file can't be read.
            OSError: the disk refused.
        """
        if state.keyed is None:
            raise ValueError("only the state of a keyed request is kept as an answer")
        self._load()
        text = _line(state.keyed, _encoded(state))
        if len(self._known.lines) >= 2 * self._kept:
            newest = list(self._known.lines.values())[-self._kept + 1 :]
            self._replace([*map(self._text, newest), text])
            return
        if self._known.is_torn:
            self._disk.cut(self.path, self._known.end)
        try:
            self._file.append(text)
        except OSError:
            self._known = _Known()
            raise
        self._learn(text)
        self._known.is_torn = False
        self._known.signature = self._disk.signature(self.path)

    def take_over(self, before: int) -> int:
        """Give the lines of the older versions, which had none, checksums and links, and return the
        revision of the newest keyed commit that the file knows before the revision ``before``; 0:
        of none.

        Raises:
            StoreUnreadable: the file can't be read.
            OSError: the disk refused.
        """
        with self._reading():
            texts = self._whole_lines()
        if any(map(_OLD_FRONT.match, texts)):
            self.link()
        self._load()
        return max((each for each in self._known.lines if each < before), default=0)

    def account_id(self) -> str | None:
        """The id of the account whose answers these are, as the newest of them says.

        Raises:
            StoreUnreadable: the file can't be read.
        """
        with self._reading():
            texts = self._whole_lines()
        states = (_decoded(state) for _, state in _all(reversed(texts)))
        return next((each.account_id for each in states if each is not None), None)

    def link(self, booked: Mapping[int, Keyed] | None = None) -> int:
        """Write all answers that can be read anew, each linked to the one before it, and return how
        many are without their state. Where the ledger has them all in ``booked``, by revisions,
        those that can't be read are among them, and others than those are dropped.

        Raises:
            StoreUnreadable: the file can't be read.
            OSError: the disk refused.
        """
        with self._reading():
            found = {keyed.revision: (keyed, state) for keyed, state in _all(self._whole_lines())}
        for revision, keyed in (booked or {}).items():
            if revision not in found or found[revision][0].request != keyed.request:
                found[revision] = keyed, _NO_STATE
        previous, texts, lost = 0, [], 0
        for revision in sorted(found)[-self._kept :]:
            keyed, state = found[revision]
            texts.append(_line(replace(keyed, previous=previous), state))
            previous = revision
            lost += state == _NO_STATE
        if texts or self.path.exists():
            self._replace(texts)
        return lost

    def faults(self, newest: int) -> Iterator[str]:
        """What is wrong with the answers up to that of the keyed commit ``newest``, in sentences; a
        line that was torn is no fault. There may be one answer behind these, with which the file
        was cut back. Takes no lock."""
        try:
            with self._reading():
                texts = self._whole_lines()
        except StoreUnreadable as fault:
            yield f"{fault.file} {fault.reason}."
            return
        for number, text in enumerate(texts, start=1):
            if _parsed(text) is None and _parsed_old(text) is None:
                yield f"{self.path.name} line {number} does not match its checksum."
        found = {keyed.revision: keyed for keyed, _ in _all(texts)}
        revision = newest
        for _ in range(self._kept - 1):
            if revision and revision not in found:
                yield f"{self.path.name} lacks the answer of revision {revision}."
            if revision not in found:
                return
            revision = found[revision].previous

    def _load(self) -> None:
        """Learn the lines of the file that are not known yet: those behind the known ones, or all
        where it is another file."""
        with self._reading():
            try:
                signature = self._disk.signature(self.path)
            except FileNotFoundError:
                self._known = _Known()
                return
            known = self._known
            if signature == known.signature:
                return
            is_longer = known.signature is not None and known.signature.inode == signature.inode
            if not is_longer or signature.size < known.end or not self._read():
                self._known = _Known()
                self._read()
            self._known.signature = signature

    def _read(self) -> bool:
        """Learn the lines behind the known ones; whether each of those is proved."""
        all_proved, torn = True, list[bytes]()
        with self._disk.open(self.path) as file:
            file.seek(self._known.end)
            for text in file:
                torn.append(text)
                # A power loss may leave zeros in the place of a part of the last line.
                if text.endswith(b"\n") and b"\0" not in text:
                    all_proved &= all(list(map(self._learn, torn)))
                    torn.clear()
        self._known.is_torn = bool(torn)
        return all_proved

    def _learn(self, text: bytes) -> bool:
        """Take in the line that stands behind the known ones; whether it is proved."""
        known, parsed = self._known, _parsed(text)
        start, known.end = known.end, known.end + len(text)
        if parsed is not None:
            known.lines[parsed[0].revision] = _Line(parsed[0], start, known.end)
        return parsed is not None

    def _follow(self, newest: int) -> bool:
        """Know the answers up to that of the keyed commit ``newest``; whether none is missing."""
        known, fresh, revision = self._known, list[_Line](), newest
        while revision and revision != known.newest and revision in known.lines:
            fresh.append(known.lines[revision])
            revision = fresh[-1].keyed.previous
        if revision != known.newest:
            if revision and len(fresh) < self._kept:
                return False
            known.answers = {}
        known.answers.update((line.keyed.request.key, line) for line in reversed(fresh))
        known.newest = newest
        return True

    def _take_from_ledger(self, newest: int, booked: Callable[[int], Keyed | None]) -> None:
        """Write the answers up to the keyed commit ``newest`` anew, those that are lost as
        ``booked`` finds them in the ledger."""
        texts: list[bytes] = []
        lost, revision = 0, newest
        while revision and len(texts) < self._kept:
            line = self._known.lines.get(revision)
            keyed = booked(revision) if line is None else line.keyed
            if keyed is None:
                raise self._unreadable(f"lacks the answer of revision {revision}")
            texts.append(_line(keyed, _NO_STATE) if line is None else self._text(line))
            lost += line is None
            revision = keyed.previous
        copy = self._disk.keep_damaged(self.path, self._clock())
        self._replace(reversed(texts))
        _log.warning(
            "%s lacked %d answers. That their requests were booked is taken from the ledger; what "
            "they were answered is lost.%s",
            self.path.name,
            lost,
            f" The file as it was is kept as {copy}." if copy else "",
        )
        self._load()
        self._follow(newest)

    def _replace(self, texts: Iterable[bytes]) -> None:
        self._known = _Known()
        self._disk.replace_file(self.path, b"".join(texts))

    def _start_of(self, revision: int) -> int:
        """Where the answer of ``revision`` begins, or would: it is the last one."""
        line = self._known.lines.get(revision)
        return self._known.end if line is None else line.start

    def _text(self, line: _Line) -> bytes:
        """What stands in the place of ``line``."""
        with self._reading(), self._disk.open(self.path) as file:
            file.seek(line.start)
            return file.read(line.end - line.start)

    def _whole_lines(self) -> list[bytes]:
        try:
            with self._disk.open(self.path) as file:
                return [text for text in file if text.endswith(b"\n")]
        except FileNotFoundError:
            return []

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            message = fault.strerror or type(fault).__name__
            raise self._unreadable(f"can't be read: {message}") from fault

    def _unreadable(self, reason: str) -> StoreUnreadable:
        return StoreUnreadable(self.path.name, reason, option(self.path.parent))


def _line(keyed: Keyed, state: bytes) -> bytes:
    """The line for the answer to ``keyed``, with the text of its ``state``."""
    front = {
        "key": keyed.request.key,
        "fingerprint": keyed.request.fingerprint,
        "revision": keyed.revision,
        "previous": keyed.previous,
    }
    return sealed(json.dumps(front).encode()[:-1] + b', "state": ' + state + b"}")


def _parsed(text: bytes) -> tuple[Keyed, bytes] | None:
    """What the line ``text`` answers, and the text of the state; None where it is not proved."""
    front = _FRONT.match(text)
    if front is None or not is_proved(text):
        return None
    key, fingerprint, revision, previous = map(json.loads, front.groups())
    if previous >= revision:
        return None
    return Keyed(revision, Request(key, fingerprint), previous), text[front.end() : -TAIL_BYTES]


def _parsed_old(text: bytes) -> tuple[Keyed, bytes] | None:
    """The same of a line of the older versions, which names no commit before."""
    front = _OLD_FRONT.match(text)
    if front is None or not text.endswith(_OLD_END):
        return None
    encoded = text[front.end() : -len(_OLD_END)]
    state = _decoded(encoded)
    if state is None or state.request is None:
        return None
    return Keyed(state.revision, state.request, 0), encoded


def _all(texts: Iterable[bytes]) -> Iterator[tuple[Keyed, bytes]]:
    """What can be read of ``texts``, lines of any version."""
    for text in texts:
        if parsed := _parsed(text) or _parsed_old(text):
            yield parsed


def _encoded(state: State) -> bytes:
    document = json.loads(encode_state(state))
    del document["seal"]  # An outside edit may lead to an answer too.
    return json.dumps(document).encode()


def _decoded(text: bytes) -> State | None:
    """The state in ``text``; None where it is lost."""
    try:
        return None if text == _NO_STATE else decode_answer(text)
    except Unreadable:
        return None
