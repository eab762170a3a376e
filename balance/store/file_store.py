"""The account in its folder: ``virtual_balance.json`` the truth, ``ledger.jsonl`` its history."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from balance.core.account import Account
from balance.core.change import Operation
from balance.core.entry import Entry, Place, replay
from balance.core.errors import (
    AccountingError,
    AnswerLost,
    KeyReused,
    StoreError,
    StoreFailed,
    StoreNewer,
    StoreUnreadable,
)
from balance.core.figures import grouped
from balance.core.messages import FILE
from balance.core.money import DEFAULT_STARTING_BALANCE, exact
from balance.core.operations import start_account
from balance.store.advice import option
from balance.store.answer_file import AnswerFile
from balance.store.codec import Newer, Unreadable, decode_state, encode_state
from balance.store.disk import DISK, Disk, Signature
from balance.store.ledger_file import CHECKSUM_FILE, LedgerFile
from balance.store.lock import AccountLock, account_lock
from balance.store.outside_edit import changed_figures
from balance.store.state import (
    Commit,
    Extent,
    Line,
    Request,
    Spot,
    State,
    expect,
    first_state,
    next_state,
    stated_anew,
)

ACCOUNT_FILE: Final = "virtual_balance.json"
LEDGER_FILE: Final = "ledger.jsonl"
ANSWER_FILE: Final = "answers.jsonl"
LOCK_FILE: Final = "virtual_balance.lock"

_log = logging.getLogger(__name__)


class FileStore:
    """An account in a folder, shared safely by any number of threads and processes.

    The first to open an empty folder makes the account. What a writer that died left undone is
    mended by the next; an outside edit of the file is adopted with an entry that says so.
    """

    def __init__(
        self,
        folder: Path,
        starting_balance: Decimal = DEFAULT_STARTING_BALANCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        disk: Disk = DISK,
    ) -> None:
        """Open the account in ``folder``, made where missing.

        Raises:
            StoreFailed: the folder can't be made, or a new account not be written.
            StoreBusy: the account is new, and another program holds its lock.
        """
        self.folder = folder
        self._file = folder / ACCOUNT_FILE
        self._ledger = LedgerFile(folder / LEDGER_FILE, disk)
        self._answers = AnswerFile(folder / ANSWER_FILE, disk=disk, clock=clock)
        self._clock = clock
        self._disk = disk
        # The newest state this process has read, with the file's signature while that can be
        # trusted: in one tuple, as threads that read at the same time must not mix theirs.
        self._seen: tuple[State | None, Signature | None] = None, None
        # What was wrong with the answers up to a revision, in a file with a signature.
        self._checked_answers: tuple[tuple[int, Signature | None], tuple[str, ...]] = (0, None), ()
        disk.narrow(folder, ACCOUNT_FILE, LEDGER_FILE, CHECKSUM_FILE, ANSWER_FILE, LOCK_FILE)
        if self._is_empty():
            self._create(starting_balance)
            return
        # Where that is not possible now, the next change does it.
        with suppress(StoreError, OSError):
            if self._ledger.is_from_before_checksums():
                with self._lock():
                    self._settled()

    def on_damage(self, listener: Callable[[StoreUnreadable], None]) -> None:
        """Have ``listener`` called with what is found damaged whenever the ledger is read."""
        self._ledger.on_damage = listener

    def read(self) -> State:
        """The newest committed state; an outside edit is adopted first. Takes no lock otherwise.

        Raises:
            StoreUnreadable: missing or damaged; never a default in its place.
        """
        now = time.time_ns()
        try:
            signature = self._disk.signature(self._file)
            seen, trusted_signature = self._seen
            if seen is not None and signature == trusted_signature:
                return seen
            state, sealed = decode_state(self._disk.read(self._file))
            self._know_chained(state)
            edited = not sealed or self._is_past(state, signature)
        except (OSError, Unreadable) as fault:
            raise _unreadable(fault, self.folder) from fault
        trusted = not signature.is_racy(now)
        if edited:
            try:
                with self._lock():
                    state, trusted = self._settled(), False
            except StoreUnreadable as fault:
                is_older = seen is not None and _is_older(state, seen)
                # A sealed account is believed, whatever its ledger says.
                if not sealed or is_older or fault.file != LEDGER_FILE:
                    raise
        self._seen = state, signature if trusted else None
        return state

    def commit(
        self,
        operation: Operation,
        *,
        source: str,
        if_match: int | None = None,
        request: Request | None = None,
    ) -> Commit:
        """Apply ``operation`` and keep the result, as :meth:`Store.commit` says."""
        with self._lock():
            state = self._settled()
            if request is not None and (earlier := self._earlier(request, state.answered)):
                return Commit(earlier, replayed=True)
            expect(state, if_match)
            return Commit(
                self._committed(next_state(state, operation, self._clock(), source, request))
            )

    def entries(self, *, before: Place | None = None) -> Iterator[Entry]:
        """The ledger, newest first, as :meth:`Store.entries` says."""
        # The entries of a commit may be in the account and not in the ledger yet.
        newest = self._leading_state().entries
        with self._reading_ledger():
            ledger = self._ledger.newest_first(before)
            first = next(ledger, None)
            for entry in reversed(newest):
                if (before is None or entry.place < before) and (
                    first is None or entry.place > first.place
                ):
                    yield entry
            if first is not None:
                yield first
            yield from ledger

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``, as :meth:`Store.opening` says."""
        # The entries of a commit may be in the account and not in the ledger yet.
        state = self._leading_state()
        newest = (entry for entry in state.entries if entry.booking.epoch == epoch)
        with self._reading_ledger():
            return self._ledger.opening(epoch) or next(newest, None)

    def disagreement(self) -> StoreUnreadable | None:
        """Why no change can be made, as :meth:`Store.disagreement` says."""
        state = self.read()
        with self._reading_ledger():
            if self._ledger.leads_to(state):
                return None
            fault = self._ledger.disagreement(state)
        # Otherwise the ledger was that of a newer commit.
        return fault if self.read() == state else None

    def answer_faults(self) -> tuple[str, ...] | None:
        """What is wrong with the answers, as :meth:`Store.answer_faults` says."""
        # The answer of the newest commit may not be there yet.
        newest = self.read().previous_answered
        signature: Signature | None = None
        with suppress(OSError):
            signature = self._disk.signature(self._answers.path)
        checked = (newest, signature), self._checked_answers[1]
        if signature is None or checked != self._checked_answers:
            checked = checked[0], tuple(self._answers.faults(newest))
            if checked[1] and self.read().previous_answered != newest:
                return None
            self._checked_answers = checked
        return checked[1]

    def extent(self) -> Extent:
        """How far the ledger reaches, by the states of two files."""
        state = self.read()
        with self._reading_ledger():
            try:
                found = self._disk.signature(self._ledger.path)
            except FileNotFoundError:
                return Extent(f"{state.account_id} without a ledger", state.revision, 0)
            ledger = f"{state.account_id} {found.inode}"
            return Extent(ledger, state.revision, found.size, found.changed)

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The ledger, oldest first, from the line that begins at byte ``start`` on."""
        # The account comes first: the ledger that is read after it leads up to it.
        newest = self.read()
        with self._reading_ledger():
            end = start
            for line in self._ledger.lines(start):
                yield line
                end = line.end
            # Who has read what is not written yet begins behind the end of the file.
            missing = self._unwritten(newest, min(end, self._ledger.end()))
            yield from (line for line in missing if line.start >= start)

    def texts(self, spots: Iterable[Spot]) -> Iterator[bytes]:
        """The bytes of the ledger at each of ``spots``."""
        with self._reading_ledger():
            missing = self._unwritten(self.read(), self._ledger.end())
            unwritten = {(line.start, line.end): line.text for line in missing}
            for spot, text in self._ledger.texts(spots):
                yield unwritten.get(spot, text)

    def _leading_state(self) -> State:
        """The newest state, to which the ledger leads.

        Raises:
            StoreUnreadable: it lacks what comes before the newest commit.
        """
        state = self.read()
        with self._reading_ledger():
            self._missing(state, self._ledger.end())
        return state

    def _missing(self, newest: State, end: int) -> tuple[bytes, ...]:
        """The lines of the commit that led to ``newest`` that the first ``end`` bytes of the ledger
        lack; more must not be missing."""
        lines = self._ledger.unwritten(newest, end)
        if not lines:
            self._ledger.check_end(newest, end)
        return lines

    def _unwritten(self, newest: State, end: int) -> Iterator[Line]:
        """The lines of the commit that led to ``newest`` that the ledger lacks, where they will
        stand in it: its whole lines end at ``end``."""
        for text in self._missing(newest, end):
            yield Line(end, end + len(text), text)
            end += len(text)

    @contextmanager
    def _reading_ledger(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            reason = f"can't be read: {_message(fault)}"
            raise StoreUnreadable(LEDGER_FILE, reason, option(self.folder)) from fault

    def _lock(self) -> AccountLock:
        return account_lock(self.folder / LOCK_FILE)

    def _is_empty(self) -> bool:
        return not self._file.exists() and not self._ledger.path.exists()

    def _create(self, starting_balance: Decimal) -> None:
        try:
            self._disk.make_folder(self.folder)
        except OSError as fault:
            raise StoreFailed(f"the data folder can't be made: {_message(fault)}") from fault
        with self._lock():
            if not self._is_empty():
                return  # another program was first
            state = first_state(
                secrets.token_hex(8), start_account(starting_balance), self._clock(), "program"
            )
            self._committed(state)

    def _is_past(self, state: State, signature: Signature) -> bool:
        """Whether an older file was put back by hand: it is behind what this process has seen or
        behind the ledger, and not because another program has just committed."""
        if _is_older(state, self._seen[0] or state):
            return True
        try:
            with self._reading_ledger():
                last = self._ledger.last()
        except StoreUnreadable:
            # The account is true without its ledger; only writers need both. What is left of a
            # writer that died with the machine is mended.
            with suppress(StoreError), self._lock():
                self._settled()
            return False
        ahead = last is not None and last.revision >= state.revision and last not in state.entries
        return ahead and self._disk.signature(self._file) == signature

    def _know_chained(self, state: State) -> None:
        if state.previous_checksum:  # it stays so, whatever older file is put back
            self._ledger.is_chained = True

    def _settled(self) -> State:
        """For the lock's holder: the state in the file with its ledger in order; outside edits
        are adopted, and what a dead writer left is mended."""
        try:
            state, sealed = decode_state(self._disk.read(self._file))
        except (OSError, Unreadable) as fault:
            raise _unreadable(fault, self.folder) from fault
        self._know_chained(state)
        # What can't be read is no change that the disk refused.
        with self._reading_ledger():
            self._ledger.end()
        try:
            self._disk.sweep(self.folder, ACCOUNT_FILE, LEDGER_FILE, ANSWER_FILE, CHECKSUM_FILE)
            self._disk.settle_folder(self.folder)
            self._ledger.settle(state)
            if self._ledger.is_from_before_checksums():
                state = self._with_checksums(state, sealed)
            checksum = self._ledger.mend(state)
            if checksum is not None:
                if not sealed and state.request is not None:
                    state = replace(state, previous_answered=self._newest_keyed(state.revision))
                self._answers.mend(state)
                if sealed:
                    return replace(state, checksum=checksum)
            elif sealed and not self._ledger.holds(state):
                raise self._ledger.disagreement(state)
            return self._adopted(state, is_past=checksum is None and sealed)
        except OSError as fault:
            raise StoreFailed(_message(fault)) from fault

    def _with_checksums(self, state: State, sealed: bool) -> State:
        """``state``, whose ledger has no line with a checksum, after recording those of all of
        them, and writing the account as one of this schema.

        A crash on the way leaves an account of schema 1, and it begins again. Where what was
        recorded is missing, the account proves the lines.
        """
        if state.previous_checksum:
            self._ledger.record_again(state)
            return state
        ledger_end = self._ledger.mend(state)
        if ledger_end is None and sealed and not self._ledger.holds(state):
            raise self._ledger.disagreement(state)
        previous = self._ledger.record(state)
        if sealed and ledger_end is not None:
            answered = self._newest_keyed(state.revision)
            state = replace(state, previous_checksum=previous, previous_answered=answered)
            state = self._write(state)
        self._ledger.is_chained = True
        return state

    def _earlier(self, request: Request, newest: int) -> State | None:
        """For the lock's holder: what ``request`` was answered before; None where it is new. The
        newest keyed commit led to the revision ``newest``.

        Raises:
            KeyReused: its key came before with another request.
            AnswerLost: it was booked, and what it was answered is lost.
            StoreError: the answers can't be read or written now.
        """
        try:
            answer = self._answers.find(request.key, newest, self._ledger.keyed)
        except OSError as fault:
            raise StoreFailed(_message(fault)) from fault
        if answer is None:
            return None
        if answer.request != request:
            raise KeyReused(request.key)
        if answer.state is None:
            raise AnswerLost(request.key, answer.revision)
        return answer.state

    def _adopted(self, edited: State, is_past: bool) -> State:
        """The state after taking over what another program wrote into the account's file, with
        an entry for the difference to the ledger, which tells the old figures and the new ones;
        what is not for people to change is as the ledger has it."""
        last, checksum = self._ledger.last(), self._ledger.end_checksum()
        if last is None:
            raise self._ledger.disagreement(edited)
        seen = self._seen[0]
        known = seen if seen is not None and seen.checksum == checksum else None
        booking, wallet = last.booking, edited.account.wallet
        before = self._replayed(last) if known is None else known.account
        stated = replace(
            edited if known is None else known,
            account_id=self._ledger.account_id() or (known or edited).account_id,
            revision=last.revision,
            account=replace(
                edited.account,
                wallet=replace(wallet, epoch=booking.epoch),
                # An edit, such as that of a program that knows none, may leave them out.
                leverages=edited.account.leverages or (() if before is None else before.leverages),
            ),
            request=None,
            previous_answered=known.answered if known else self._newest_keyed(last.revision + 1),
            checksum=checksum,
        )
        note = "An older {} was put back" if is_past else "{} was edited"
        note = note.format(ACCOUNT_FILE)
        if before is None:  # the balance before it is known all the same
            changes = f"balance {grouped(booking.balance)} -> {grouped(wallet.balance)}"
        else:
            changes = changed_figures(before, stated.account, is_marked=known is not None)
        note = f"{note}: {changes}"
        now = self._clock()
        return self._committed(
            stated_anew(stated, "external_edit", booking.balance, note, now, FILE)
        )

    def _newest_keyed(self, before: int) -> int:
        """The revision of the newest commit before the revision ``before`` that had an idempotency
        key. Before there were checksums, the answers alone knew."""
        return self._ledger.newest_keyed(before) or self._answers.take_over(before)

    def _replayed(self, last: Entry) -> Account | None:
        """The account that the ledger leads to, whose newest entry is ``last``; None where the
        entries of its epoch can't all be read."""
        try:
            with exact():
                return replay(self._ledger.epoch(last.booking.epoch))
        except (StoreUnreadable, AccountingError):
            return None

    def _committed(self, state: State) -> State:
        """``state``, which is the account now, on the disk and in the ledger."""
        state = self._write(state)
        self._record(state)
        return state

    def _write(self, state: State) -> State:
        """Make ``state`` the account: once this returns it is committed; as it is read back."""
        text = encode_state(state)
        try:
            state, _ = decode_state(text)
        except Unreadable as fault:
            raise AccountingError(f"This could not be read back: it {fault}.") from fault
        try:
            self._disk.replace_file(self._file, text)
        except OSError as fault:
            self._seen = self._seen[0], None
            raise StoreFailed(_message(fault)) from fault
        return state

    def _record(self, state: State) -> None:
        """Append what is committed already; where that fails, the next writer mends it first."""
        try:
            self._ledger.append(state)
            if state.request is not None:
                self._answers.append(state)
        except OSError as fault:
            _log.error("revision %d is not in the ledger yet: %s", state.revision, _message(fault))


def _is_older(state: State, seen: State) -> bool:
    return state.account_id == seen.account_id and state.revision < seen.revision


def _message(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__


def _unreadable(fault: OSError | Unreadable, folder: Path) -> StoreUnreadable:
    if isinstance(fault, Newer):
        return StoreNewer(ACCOUNT_FILE, str(fault))
    if isinstance(fault, FileNotFoundError):
        reason = "is missing"
    else:
        reason = f"can't be read: {_message(fault)}" if isinstance(fault, OSError) else str(fault)
    return StoreUnreadable(ACCOUNT_FILE, reason, option(folder))
