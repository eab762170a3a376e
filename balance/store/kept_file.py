"""State that is kept in one JSON file of the data folder: written, read and followed one way.

A new file is one line::

    notes = KeptFile(folder, "notes.json", Notes(), encode, decode, remedy="Move it away.")

Its owner reads it once with ``latest()``, and from then on has the state as ``notes.value``::

    with notes.guard:
        answer = notes.answer(key, request)  # of an earlier request with this idempotency key
        if answer is None:
            notes.change(write_down)  # calls notes.put(...) and notes.remember(...): all or nothing
        notes.try_save(durable=False)  # what need not outlast a power loss

Any other program follows it: ``notes.latest()`` reads the file again where it is another one.

The file ends with a checksum, so that no number is shown that was not written here. One without a
checksum is of an older version, or was put right by hand: it is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Generic, NoReturn, TypeVar

from balance.core.errors import KeyReused, StoreError, StoreFailed, StoreUnreadable
from balance.core.money import is_bounded
from balance.core.request import check_key
from balance.store.checksum import is_changed, sealed
from balance.store.codec import FAULTS, Unreadable, each_once
from balance.store.disk import DISK, Disk, Signature
from balance.store.records import text

_SCHEMA: Final = 1
_MISSING: Final = Signature(0, 0, 0)
_CHANGED: Final = (
    "does not match its checksum: it was changed or damaged after it was written. If you have "
    'changed it yourself, delete its member "checksum" with the comma before it, so that it is '
    "taken as it is, and start again"
)

_log = logging.getLogger(__name__)

T = TypeVar("T")
_Result = TypeVar("_Result")


class FileUnreadable(StoreUnreadable):
    """A kept file is damaged; nothing is put in its place."""

    def __init__(self, file: str, reason: str, remedy: str) -> None:
        super().__init__(file, reason)
        # It can't be rebuilt from the ledger, as the account can.
        self.args = (f"{file} {reason}. {remedy}",)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request with an idempotency key."""

    key: str
    # Of the request, to tell it from another one with the same key.
    fingerprint: str
    message: str
    # Further members by their names in the file.
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request: one sentence, and members of its answer, such as the row of a bot."""

    message: str
    members: Mapping[str, Any] = field(default_factory=dict)
    # Whether an earlier request with the same key had done it already.
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Content(Generic[T]):
    """What a file holds."""

    value: T
    answers: tuple[Answer, ...] = ()
    # Of the file it was read from; None where the file must be read again.
    signature: Signature | None = None
    # When the file was changed, in nanoseconds since the epoch; 0 where there is none.
    changed: int = 0
    # Why the file can't be read and the rest is from before; empty where it can be.
    fault: str = ""


class KeptFile(Generic[T]):
    """The file called ``name`` in a folder, and the state in it.

    :meth:`latest` is safe to use from many threads. All else is for the owner, who holds
    :attr:`guard` or, where several programs write the file, the lock of the account and only uses
    :meth:`write`: with :meth:`put`, who reads the old file meanwhile has that saved again.
    """

    def __init__(
        self,
        folder: Path | None,
        name: str,
        empty: T,
        encode: Callable[[T], Mapping[str, Any]],
        decode: Callable[[dict[str, Any]], T],
        *,
        remedy: str,
        answers: int = 0,
        edited: Callable[[T], T] | None = None,
        disk: Disk = DISK,
    ) -> None:
        """``folder`` None keeps the state nowhere. ``empty`` is the state without a file.
        ``encode`` makes a JSON object of a state, and ``decode`` the state of one, or raises one of
        :data:`~balance.store.codec.FAULTS` or ``Unreadable``. ``remedy`` is advice for a damaged
        file, in sentences. The newest ``answers`` to requests with a key are in the file too. A
        file that people may edit is indented, and where it does not match its checksum, the state
        in it is what ``edited`` makes of it; others are refused then."""
        self.name = name
        self.guard = threading.RLock()
        #: Whether the disk refused the last write.
        self.is_refused = False
        self._path = None if folder is None else folder / name
        self._empty, self._encode, self._decode = empty, encode, decode
        self._remedy = remedy
        self._most_answers = answers
        self._edited = edited
        self._disk = disk
        self._content = _Content(empty)
        if folder is not None:
            disk.narrow(folder, name)
        # Whether it was changed after it was written, and whether the written one outlasts a power
        # loss.
        self._is_changed, self._is_durable = False, True

    @property
    def value(self) -> T:
        """The state as it was put or, by :meth:`latest`, read last."""
        return self._content.value

    @property
    def changed(self) -> int:
        """When the file that was read last was changed, in milliseconds since the epoch; 0 where
        there was none."""
        return self._content.changed // 1_000_000

    def latest(self) -> T:
        """The state that is in the file, which is read where it may be another than the last time;
        the empty state where there is none.

        Raises:
            FileUnreadable: it is damaged, and stays as it is.
        """
        if self._path is None:
            return self.value
        now, signature = time.time_ns(), self._signature(self._path)
        content = self._content
        if content.signature is None or content.signature != signature:
            content = self._read(self._path)
            is_sure = not signature.is_racy(now)
            # Its writer may have died before it synced the folder.
            self._is_durable &= signature == _MISSING
            content = self._content = replace(
                content, changed=signature.changed, signature=signature if is_sure else None
            )
        if content.fault:
            raise FileUnreadable(self.name, content.fault, self._remedy)
        return content.value

    def latest_known(self) -> T:
        """The same or, while the file is damaged or gone, what was in it before: its owner says
        so."""
        before = self._content
        try:
            self.latest()
        except StoreError:
            return self.value
        if before.changed and not self._content.changed:
            self._content = replace(before, signature=None)
        return self.value

    def _signature(self, path: Path) -> Signature:
        try:
            return self._disk.signature(path)
        except OSError:
            # Missing or unreadable: reading it finds out which.
            return _MISSING

    def _read(self, path: Path) -> _Content[T]:
        try:
            return self._decoded(self._disk.read(path))
        except FileNotFoundError:
            return _Content(self._empty)
        except OSError as fault:
            return replace(self._content, fault=f"can't be read: {fault.strerror}")
        except Unreadable as fault:
            return replace(self._content, fault=str(fault))

    def _decoded(self, text: bytes) -> _Content[T]:
        try:
            document = json.loads(text, **_EXACTLY)
        except (ValueError, ArithmeticError, RecursionError) as fault:
            raise Unreadable("is no JSON") from fault
        if not isinstance(document, dict):
            raise Unreadable("is no object")
        was_edited = is_changed(text, document)
        if was_edited and self._edited is None:
            raise Unreadable(_CHANGED)
        document.pop("checksum", None)
        schema = document.pop("schema", _SCHEMA)
        if type(schema) is not int or schema != _SCHEMA:
            raise Unreadable(f"has the schema {schema!r:.40}, not {_SCHEMA}")
        try:
            answers = document.pop("answers") if self._most_answers else ()
            value = self._decode(document)
            if was_edited and self._edited is not None:
                value = self._edited(value)
            return _Content(value, tuple(map(_answer, answers)))
        except (*FAULTS, RecursionError) as fault:
            raise Unreadable(f"is damaged ({fault!r:.120})") from fault

    def put(self, value: T) -> None:
        """Have ``value`` as the state; :meth:`save` writes it."""
        if value is not self.value:
            self._have(replace(self._content, value=value))

    @property
    def is_durable(self) -> bool:
        """Whether what was written last outlasts a power loss."""
        return self._is_durable

    def write(self, value: T) -> None:
        """Write ``value`` without any answers, durably; it is the state once that is done.

        Raises:
            StoreFailed: the disk refused; the state is what is in the file then.
        """
        content = _Content(value)
        self._save(content, durable=True)
        self._content = content

    def save(self, *, durable: bool = True) -> None:
        """Write what has changed; unless it is ``durable``, a power loss may bring back the file
        before it.

        Raises:
            StoreFailed: the disk refused; the next call writes it again.
        """
        if not self._is_changed and (self._is_durable or not durable):
            return
        self._save(self._content if self._is_changed else None, durable=durable)
        self._is_changed = False

    def _save(self, content: _Content[T] | None, *, durable: bool) -> None:
        self._is_durable = False
        try:
            self._write(content, durable)
        except OSError as fault:
            self.is_refused = True
            raise StoreFailed(fault.strerror or type(fault).__name__) from fault
        self._is_durable, self.is_refused = durable, False

    def try_save(self, *, durable: bool = True) -> bool:
        """Save; where the disk refuses, the program's log has a line for the first of the failures
        in a row, and the next call tries again. Whether it is saved."""
        was_refused = self.is_refused
        try:
            self.save(durable=durable)
        except StoreFailed as fault:
            if not was_refused:
                _log.error("%s could not be saved: %s", self.name, fault)
        return not self.is_refused

    def change(self, operation: Callable[[], _Result]) -> _Result:
        """Do ``operation`` and save what came of it; where either fails, nothing of it is left.

        Raises:
            StoreFailed: the disk refused.
        """
        before = self._content
        try:
            result = operation()
            self.save()
        except BaseException:
            self._content = before
            raise
        return result

    def keep_damaged(self, now: datetime) -> str | None:
        """Copy the file beside it, as it is, and return the name of the copy; None where there is
        no file.

        Raises:
            OSError: it can't be copied.
        """
        return None if self._path is None else self._disk.keep_damaged(self._path, now)

    def _have(self, content: _Content[T]) -> None:
        # Whoever reads the file after it was written reads all of it again.
        self._content = replace(content, signature=None, fault="")
        self._is_changed = True

    def _write(self, content: _Content[T] | None, durable: bool) -> None:
        if self._path is None:
            return
        if content is None:
            # The file itself was synced before it got its name.
            self._disk.sync_folder(Path(os.path.realpath(self._path)).parent)
            return
        document = {"schema": _SCHEMA, **self._encode(content.value)}
        if self._most_answers:
            document["answers"] = [_document(each) for each in content.answers]
        # What was read as a number of an answer is written as one.
        text = json.dumps(document, indent=None if self._edited is None else 2, default=float)
        # The checksum stands behind the last member, also where each has a line of its own.
        text = text.removesuffix("\n}").removesuffix("}") + "}"
        self._disk.replace_file(self._path, sealed(text.encode()), durable=durable)

    def answer(self, key: str | None, request: Sequence[Any]) -> Answer | None:
        """The answer to an earlier ``request`` with the idempotency ``key``, if any; what it says
        outlasts a power loss then.

        Raises:
            InvalidRequest: the key can be none.
            KeyReused: it came with another request.
            StoreFailed: the disk refused.
        """
        if key is None:
            return None
        check_key(key)
        found = next((each for each in self._content.answers if each.key == key), None)
        if found is not None and found.fingerprint != _fingerprint(request):
            raise KeyReused(key)
        if found is not None:
            self.save()
        return found

    def remember(
        self, key: str | None, request: Sequence[Any], message: str, **members: Any
    ) -> None:
        """Have the request with ``key`` answered with ``message`` and ``members``, in place of an
        earlier answer."""
        if key is not None:
            self.forget(key)
            answer = Answer(key, _fingerprint(request), message, members)
            answers = (*self._content.answers, answer)[-self._most_answers :]
            self._have(replace(self._content, answers=answers))

    def forget(self, key: str | None) -> None:
        """Have the request with ``key`` not answered yet."""
        answers = tuple(each for each in self._content.answers if each.key != key)
        if answers != self._content.answers:
            self._have(replace(self._content, answers=answers))


def _number(text: str) -> Decimal:
    """The number in ``text``, with all its digits."""
    number = Decimal(text)
    if not is_bounded(number):
        raise Unreadable(f"holds the number {text:.40}, which is out of range")
    return number


def _refused(name: str) -> NoReturn:
    raise Unreadable(f"holds {name}, which is no number in JSON")


_EXACTLY: Final[Mapping[str, Any]] = {
    "object_pairs_hook": each_once,
    "parse_float": _number,
    "parse_int": lambda text: int(_number(text)),
    "parse_constant": _refused,
}


def _document(answer: Answer) -> dict[str, Any]:
    return {
        "key": answer.key,
        "fingerprint": answer.fingerprint,
        "message": answer.message,
        **answer.members,
    }


def _answer(document: dict[str, Any]) -> Answer:
    names = ("key", "fingerprint", "message")
    key, fingerprint, message = (text(document.pop(name), name) for name in names)
    return Answer(key, fingerprint, message, document)


def _fingerprint(request: Sequence[Any]) -> str:
    text = json.dumps(request, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
