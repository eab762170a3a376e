"""Proving that the files of the account agree, and rebuilding what is damaged from the rest."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Final

from balance.core.account import Account
from balance.core.entry import Entry, cursor, follows, replay
from balance.core.errors import AccountingError, StoreNewer, StoreUnreadable
from balance.core.figures import grouped
from balance.core.money import exact
from balance.store.advice import option
from balance.store.answer_file import KEPT, AnswerFile
from balance.store.checksum import START, sealed, stated
from balance.store.codec import (
    SCHEMA,
    Newer,
    Unreadable,
    account_of,
    chained,
    decode_entry,
    decode_state,
    encode_state,
    keyed_by,
)
from balance.store.disk import DISK, Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE
from balance.store.ledger_file import CHECKSUM_FILE, LedgerFile
from balance.store.lock import account_lock
from balance.store.older_lines import OlderLines
from balance.store.salvage import Kept, Moved, Salvage, SecondLook, differences, known_balance
from balance.store.state import Keyed, Line, State, stated_anew

# How many faults are listed of a file; more are counted.
_LISTED: Final = 100
# Where the account has its id, as it is written in the account's file and in the ledger.
# In how many bytes of a file that is looked for.
_ID_BYTES: Final = 64 * 1024
# How many lines are named in a sentence, and are written at once.
_NAMED: Final = 10
_LINES: Final = 1_000
_HEADER: Final = re.compile(rb'\{"schema":(\d{1,9}),')
_SCHEMA: Final = re.compile(rb'"schema": ?[^,]{1,20},')
_ID: Final = re.compile(rb'"account": ?"([0-9a-f]{16})"')


@dataclass(frozen=True, slots=True)
class Report:
    """What a check or a repair found. ``faults`` is empty where everything agrees."""

    faults: tuple[str, ...]
    # The number of whole entries in the ledger.
    entries: int
    # The newest revision, and the wallet balance there; None where neither file has one.
    revision: int | None
    balance: str | None
    # The names of the files that a repair left beside, with what it could not use.
    kept: tuple[str, ...] = ()
    # What a repair did, in sentences.
    done: tuple[str, ...] = ()

    @property
    def explanation(self) -> str:
        """What the entries add up to, in a sentence."""
        entries = "1 entry explains" if self.entries == 1 else f"{self.entries} entries explain"
        return f"{entries} the balance of {self.balance} USDT at revision {self.revision}."


def verify(folder: Path) -> Report:
    """Prove each line of the ledger in ``folder``, replay it, and compare it with the account and
    the answers. Changes nothing, takes no lock: what is committed while it reads is left to the
    next check. However long the ledger is, one entry at a time is in memory."""
    return _checked(folder)[0]


def repair(
    folder: Path,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    disk: Disk = DISK,
) -> Report:
    """Rebuild what is damaged in ``folder`` from what is whole, with entries of kind ``repair`` for
    what is lost; what can't be used is kept in files beside. Where all agrees nothing is changed.

    Raises:
        StoreUnreadable: neither the account nor any entry of the ledger can be read.
        StoreNewer: a later version wrote the account.
        StoreBusy: another program holds the lock.
        OSError: the disk refused.
    """
    if not folder.is_dir():
        raise StoreUnreadable(ACCOUNT_FILE, "is missing, and so is its folder", option(folder))
    with account_lock(folder / LOCK_FILE):
        report, check = _checked(folder)
        if not report.faults:
            # Who repaired it before may have failed to sync the folder.
            disk.sync_folder(folder)
            return report
        return _Repair(folder, clock(), disk, check).run(report.faults)


@dataclass(frozen=True, slots=True)
class _Read:
    """The account as its file has it."""

    state: State
    is_sealed: bool


@dataclass(slots=True)
class _Faults:
    """What was found, in sentences; only so many are listed."""

    found: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, fault: str) -> None:
        if fault in self.found:
            return  # What is damaged in the newest commit is met twice.
        if len(self.found) < _LISTED:
            self.found.append(fault)
        else:
            self.more += 1

    @property
    def listed(self) -> tuple[str, ...]:
        return (*self.found, *([f"There are {self.more:,} more faults."] if self.more else []))


@dataclass(slots=True)
class _Check:
    """The entries of a ledger as they are read, oldest first, and replayed."""

    faults: _Faults
    # The account that they are to lead to; None: not known.
    newest: State | None
    # The account that they lead to, the last of them, and how many there are.
    account: Account | None = None
    last: Entry | None = None
    count: int = 0
    # The newest revision of all lines that are sound, also behind that of the account.
    end: int = 0
    adds_up: bool = True
    # The account before the commit of the last entry; None where a repair stands in that.
    _before: Account | None = None

    def read(self, ledger: LedgerFile) -> None:
        """Read all lines, with those of the newest commit that its writer has not come to.

        Raises:
            OSError: the ledger can't be read.
        """
        end, number = 0, 0
        with exact():
            for number, line in enumerate(ledger.lines(), start=1):
                end = line.end
                self._take(line.text, number, line.fault)
            if self.newest is not None:
                for later, text in enumerate(ledger.unwritten(self.newest, end), number + 1):
                    self._take(text, later, "")

    def _take(self, text: bytes, number: int, fault: str) -> None:
        name = f"{LEDGER_FILE} line {number}"
        if fault:
            self.faults.add(f"{LEDGER_FILE} {fault}.")
            self.adds_up = False
        try:
            entry = decode_entry(text)
        except Unreadable as reason:
            if not fault:
                self.faults.add(f"{name} {reason}.")
            self.adds_up = False
            return
        if not fault:
            self.end = max(self.end, entry.revision)
        if self.newest is not None and entry.revision > self.newest.revision:
            return
        last = self.last
        if last is not None and entry.place <= last.place:
            self.faults.add(f"{name} holds entry {cursor(entry.place)} after {cursor(last.place)}.")
            self.adds_up = False
            return
        if not follows(last, entry):
            after = f"after {cursor(last.place)}" if last else "at the start"
            self.faults.add(
                f"{LEDGER_FILE} lacks what comes {after}, before {cursor(entry.place)}."
            )
            self.adds_up = False
        # Entries behind a first one that does not add up may be as good as it.
        if self.adds_up:
            self._replay(entry, name)
        self.count += 1
        self.last = entry

    def _replay(self, entry: Entry, name: str) -> None:
        if self.last is None or self.last.revision != entry.revision:
            self._before = self.account
        if entry.booking.kind == "repair":
            self._before = None
        try:
            self.account = replay([entry], self.account)
        except AccountingError as fault:
            self.faults.add(f"{name} does not add up: {fault}")
            self.adds_up = False
            return
        ended = entry.booking.ended
        if ended is not None and self._before is not None and any(differences(self._before, ended)):
            self.faults.add(f"{name} keeps another account than the one that it ended.")


def _checked(folder: Path) -> tuple[Report, _Check]:
    faults = _Faults()
    read = _account(folder, faults)
    newest = None if read is None else read.state
    check, ledger = _Check(faults, newest), _ledger(folder, newest)
    try:
        check.read(ledger)
        # Where the account has changed meanwhile, its lines may be the ones being written.
        if read is not None and read.is_sealed and _is_left(ledger, read.state, check):
            if read == _account(folder, _Faults()):
                faults.add(_left(ledger, read.state, check))
                check.adds_up = False
        elif newest is None and ledger.rest():
            faults.add(f"{LEDGER_FILE} ends with a broken line.")
    except OSError as fault:
        faults.add(f"{LEDGER_FILE} can't be read: {_message(fault)}.")
        check.adds_up = False
    is_current = read is not None and read.is_sealed and check.end <= read.state.revision
    if newest is not None and is_current and check.adds_up:
        for difference in differences(check.account, newest.account):
            faults.add(f"{LEDGER_FILE} {difference.format(ACCOUNT_FILE)}.")
    for missing in AnswerFile(folder / ANSWER_FILE).faults(
        newest.previous_answered if newest else 0
    ):
        faults.add(missing)
    last = check.last if newest is None else newest.entries[-1]
    report = Report(
        faults=faults.listed,
        entries=check.count,
        revision=None if last is None else last.revision,
        balance=None if last is None else grouped(last.booking.balance),
    )
    return report, check


def _is_left(ledger: LedgerFile, newest: State, check: _Check) -> bool:
    """Whether the ledger does not end with the commit that led to ``newest``."""
    return check.end > newest.revision or not ledger.leads_to(newest)


def _left(ledger: LedgerFile, newest: State, check: _Check) -> str:
    if check.end > newest.revision:
        return (
            f"{ACCOUNT_FILE} is at revision {newest.revision}, but {LEDGER_FILE} goes on to "
            f"{check.end}: an older file was put back, and is not adopted yet."
        )
    try:
        reason = ledger.disagreement(newest).reason
    except StoreUnreadable as fault:
        reason = fault.reason
    return f"{LEDGER_FILE} {reason}."


def _account(folder: Path, faults: _Faults) -> _Read | None:
    """The account, if it can be read; what is wrong with it is added to ``faults``."""
    text = b""
    try:
        text = DISK.read(folder / ACCOUNT_FILE)
        state, is_sealed = decode_state(text)
    except FileNotFoundError:
        faults.add(f"{ACCOUNT_FILE} is missing.")
        return None
    except NotADirectoryError:
        raise
    except OSError as fault:
        faults.add(f"{ACCOUNT_FILE} can't be read: {_message(fault)}.")
        return None
    except Unreadable as reason:
        faults.add(f"{ACCOUNT_FILE} {reason}.")
        return _sealed_with_our_schema(text)
    if not is_sealed:
        faults.add(f"{ACCOUNT_FILE} was edited, and the edit is not adopted yet.")
    return _Read(state, is_sealed)


def _sealed_with_our_schema(text: bytes) -> _Read | None:
    """The account in ``text`` where nothing but the number of its schema is damaged, as its seal
    proves; it is to be written anew."""
    for schema in range(1, SCHEMA + 1):
        with suppress(Unreadable):
            state, is_sealed = decode_state(_SCHEMA.sub(b'"schema": %d,' % schema, text, count=1))
            if is_sealed:
                return _Read(state, is_sealed)
    return None


def _ledger(folder: Path, newest: State | None, disk: Disk = DISK) -> LedgerFile:
    ledger = LedgerFile(folder / LEDGER_FILE, disk)
    ledger.is_chained = newest is not None and newest.previous_checksum != ""
    return ledger


class _Repair:
    """One repair of the account in a folder, by the holder of its lock."""

    def __init__(self, folder: Path, now: datetime, disk: Disk, check: _Check) -> None:
        """``check`` has read the ledger before.

        Raises:
            StoreNewer: a later version wrote the account.
            OSError: the disk refused to put aside what is no file.
        """
        self._folder = folder
        self._now = now
        self._disk = disk
        self._beside = f"ledger.damaged-{now:%Y%m%dT%H%M%S%f}.jsonl"
        self._kept: list[str] = []
        self._done: list[str] = []
        _refuse_newer(folder)
        for name in (ACCOUNT_FILE, LEDGER_FILE, CHECKSUM_FILE, ANSWER_FILE):
            self._put_aside(folder / name)
        account_faults = _Faults()
        self._read = _account(folder, account_faults)
        self._is_account_damaged = bool(account_faults.found)
        known = None if self._read is None else self._read.state
        self._ledger = _ledger(folder, known, disk)
        self._answers = AnswerFile(folder / ANSWER_FILE, disk=disk, clock=lambda: now)
        # The commit that the ledger is to end with: that of an account with a whole seal, which is
        # believed over the ledger, unless that goes on behind it.
        is_newest = self._read is not None and self._read.is_sealed
        self._newest = known if is_newest and known and check.end <= known.revision else None
        self._id = self._account_id()

    def run(self, faults: tuple[str, ...]) -> Report:
        """Repair all that is damaged, which shows in ``faults``.

        Raises:
            StoreUnreadable: neither the account nor any entry of the ledger can be read.
            OSError: the disk refused.
        """
        salvage = Salvage(self._newest, self._beside)
        moved: list[Moved] = []
        made: list[Entry] = []
        booked: deque[Keyed] = deque(maxlen=KEPT)
        count, end, previous = 0, START, START
        for line, kept in self._lines(salvage, moved):
            count, previous, end = count + 1, end, stated(line) or START
            made += [kept.entry] if kept.is_made else []
            if keyed := keyed_by(line):
                booked.append(keyed)
        if salvage.last is None and self._read is None:
            raise StoreUnreadable(
                ACCOUNT_FILE,
                f"can't be rebuilt: {LEDGER_FILE} holds no entry that can be read. To begin anew, "
                "move both files out of the data folder",
                option(self._folder),
            )
        # The old files stay until the new ones are whole, and the account comes last: a repair that
        # is broken off is taken up by the next.
        self._keep_moved(moved)
        self._keep_answers(booked)
        state = self._resumed(salvage, previous)
        commits = self._commits(salvage, end) if state is None else []
        state = commits[-1] if state is None else state
        self._write_ledger(commits)
        self._write_account(state)
        self._tell(made, salvage.restored, commits, state)
        return Report(
            faults=faults,
            entries=count + sum(len(each.entries) for each in commits),
            revision=state.revision,
            balance=grouped(state.account.wallet.balance),
            kept=tuple(self._kept),
            done=tuple(self._done),
        )

    def _lines(self, salvage: Salvage, moved: list[Moved]) -> Iterator[tuple[bytes, Kept]]:
        """The lines of the repaired ledger, but those of the commits that it ends with; those that
        can't stay are added to ``moved``."""
        previous = START
        for piece in salvage.pieces(self._found()):
            if isinstance(piece, Moved):
                moved.append(piece)
                continue
            document = piece.document
            if previous == START and account_of(document) is None:
                document = b'%b,"account":%b}' % (document[:-1], json.dumps(self._id).encode())
            line = sealed(document, previous)
            previous = stated(line) or START
            yield line, piece

    def _found(self) -> Iterator[Line]:
        """What stands in the ledger now."""
        end = 0
        for line in SecondLook(self._older()).lines(self._ledger.lines()):
            yield line
            end = line.end
        rest = self._ledger.rest()
        torn = rest.strip(b"\0")
        newest = () if self._newest is None else self._newest.lines
        if torn and not any(line.startswith(torn) for line in newest):
            yield Line(end, end + len(rest), rest, "is torn")

    def _older(self) -> OlderLines | None:
        """What is recorded of the lines that have no checksum; None where that is lost."""
        try:
            return OlderLines.decode(self._disk.read(self._folder / CHECKSUM_FILE))
        except (OSError, Unreadable):
            return None

    def _commits(self, salvage: Salvage, end: str) -> list[State]:
        """The commits that the ledger ends with, behind a line with the checksum ``end``; the last
        one is the account."""
        commits: list[State] = []
        newest = self._newest
        if newest is not None and salvage.has_newest:
            answered = self._answers.take_over(newest.revision)
            newest = chained(replace(newest, previous_checksum=end, previous_answered=answered))
            commits, end = [newest], newest.checksum
            if not any(differences(salvage.account, newest.account)):
                return commits
        return [*commits, chained(self._restated(salvage, end))]

    def _restated(self, salvage: Salvage, end: str) -> State:
        """The account as its file has it or, where that is gone, as the ledger has it, after a
        commit that says so, behind a line with the checksum ``end``."""
        last = salvage.last
        revision = 0 if last is None else last.revision
        if self._read is not None:
            found = self._read.state
            note = f"{LEDGER_FILE} was rebuilt and leads to {ACCOUNT_FILE} again."
            # Without its seal nothing proves it, but it may be one commit ahead of its ledger.
            if self._read.is_sealed or found.revision == revision + 1:
                revision = max(revision, found.revision)
            account = found.account
        else:
            note = f"{ACCOUNT_FILE} was rebuilt from {LEDGER_FILE}."
            account = self._rebuilt(salvage)
        wallet = account.wallet
        epoch = wallet.epoch if last is None else max(wallet.epoch, last.booking.epoch)
        known = State(
            account_id=self._id,
            revision=revision,
            changed_at=self._now,
            account=replace(account, wallet=replace(wallet, epoch=epoch)),
            entries=() if last is None else (last,),
            previous_answered=self._answers.take_over(revision + 1),
            checksum=end,
        )
        balance = known_balance(last, epoch)
        return stated_anew(known, "repair", balance, note, self._now, "program")

    def _resumed(self, salvage: Salvage, previous: str) -> State | None:
        """The account after a repair that was broken off before it was written, where the ledger
        ends with its commit, behind a line with the checksum ``previous``."""
        last, account = salvage.last, salvage.account
        is_repair = last is not None and last.booking.kind == "repair" and last.line == 1
        if self._newest is not None or not is_repair or last is None or account is None:
            return None
        if self._read is not None:
            if any(differences(account, self._read.state.account.reconciled())):
                return None
            account = self._read.state.account.reconciled()
        return chained(
            State(
                account_id=self._id,
                revision=last.revision,
                changed_at=last.time,
                account=account,
                entries=(last,),
                previous_checksum=previous,
                previous_answered=self._answers.take_over(last.revision),
            )
        )

    def _rebuilt(self, salvage: Salvage) -> Account:
        account = salvage.account
        if account is None:
            raise AccountingError("There is no entry to rebuild the account from.")
        # What is open may have been closed by an entry that is lost.
        return account if account.available_balance >= 0 else Account(account.wallet)

    def _account_id(self) -> str:
        """The id of the account, by which its samples know it, from wherever it can be read."""
        if self._read is not None and self._read.is_sealed:
            return self._read.state.account_id
        found = self._ledger.account_id() or self._answers.account_id()
        if found is None and self._read is not None:
            found = self._read.state.account_id
        for name in (ACCOUNT_FILE, LEDGER_FILE):
            if found is None and (self._folder / name).exists():
                # Nothing proves it there, but a wrong one is as good as a new one.
                with self._disk.open(self._folder / name) as file:
                    match = _ID.search(file.read(_ID_BYTES))
                found = None if match is None else match[1].decode()
        if found is None:
            found = secrets.token_hex(8)
            self._done.append(
                f"No file says the id of the account any more: it is {found} now, and its equity "
                "curve begins anew."
            )
        return found

    def _put_aside(self, path: Path) -> None:
        """Move what stands at ``path`` beside, where that is no file."""
        if os.path.lexists(path) and not path.is_file():
            beside = self._disk.keep_damaged(path, self._now)
            if beside is not None:
                self._kept.append(beside)
                self._done.append(f"{path.name} was no file, and is {beside} now.")

    def _keep_moved(self, moved: list[Moved]) -> None:
        if not moved:
            return
        self._disk.replace_file(self._folder / self._beside, b"".join(each.text for each in moved))
        self._kept.append(self._beside)
        numbers = ", ".join(str(each.number) for each in moved[:_NAMED])
        more = f" and {len(moved) - _NAMED:,} more" if len(moved) > _NAMED else ""
        what = f"Line {numbers}" if len(moved) == 1 else f"Lines {numbers}{more}"
        verb = "is" if len(moved) == 1 else "are"
        self._done.append(
            f"{what} of {LEDGER_FILE} {verb} damaged or in the wrong place, and {verb} kept in "
            f"{self._beside}."
        )

    def _keep_answers(self, booked: Iterable[Keyed]) -> None:
        """Have the answers to all keyed requests that the ledger or the file of answers knows."""
        newest = self._newest
        known = {each.revision: each for each in booked}
        answered = max(known, default=0) if newest is None else newest.previous_answered
        if any(self._answers.faults(answered)):
            copy = self._disk.keep_damaged(self._answers.path, self._now)
            self._kept += [copy] if copy else []
        if newest is not None:
            self._answers.mend(newest)
        lost = self._answers.link(known)
        if lost:
            self._done.append(
                f"{lost} keyed requests are known to be booked, and their answers are lost: they "
                "are refused if they come again."
            )

    def _write_ledger(self, commits: list[State]) -> None:
        lines = self._lines(Salvage(self._newest, self._beside), [])
        ends = (line for state in commits for line in state.lines)
        blocks = _blocks(chain((line for line, _ in lines), ends))
        self._disk.replace_file(self._ledger.path, blocks)
        # What it records are lines without checksums of their own.
        self._folder.joinpath(CHECKSUM_FILE).unlink(missing_ok=True)

    def _write_account(self, state: State) -> None:
        path = self._folder / ACCOUNT_FILE
        if self._is_account_damaged:
            copy = self._disk.keep_damaged(path, self._now)
            self._kept += [copy] if copy else []
        self._disk.replace_file(path, encode_state(state))

    def _tell(
        self, made: list[Entry], restored: list[Entry], commits: list[State], state: State
    ) -> None:
        for entry in made[:_NAMED]:
            self._done.append(f"Entry {cursor(entry.place)}: {entry.booking.note}")
        if len(made) > _NAMED:
            self._done.append(f"{len(made) - _NAMED:,} more entries of kind repair were added.")
        for entry in restored[:_NAMED]:
            self._done.append(f"Entry {cursor(entry.place)} comes from {ACCOUNT_FILE}, as it was.")
        for entry in (entry for each in commits for entry in each.entries):
            if entry.booking.kind == "repair" and entry.time == state.changed_at:
                self._done.append(
                    f"Entry {cursor(entry.place)}: {entry.booking.note} The balance differed by "
                    f"{grouped(entry.booking.amount)}."
                )
        self._done.append(
            f"The account {state.account_id} has {grouped(state.account.wallet.balance)} USDT at "
            f"revision {state.revision}."
        )


def _refuse_newer(folder: Path) -> None:
    """Leave alone what a later version wrote.

    Raises:
        StoreNewer: it did.
    """
    try:
        text = DISK.read(folder / ACCOUNT_FILE)
        decode_state(text)
        return
    except Newer as reason:
        if _sealed_with_our_schema(text) is None:
            raise StoreNewer(ACCOUNT_FILE, str(reason)) from reason
        return
    except (OSError, Unreadable):
        pass
    # Where the account can't be read, what stands beside the ledger may still say it.
    with suppress(OSError):
        text = DISK.read(folder / CHECKSUM_FILE)
        header = _HEADER.match(text)
        if header is None or int(header[1]) <= SCHEMA:
            return
        with suppress(Unreadable):
            OlderLines.decode(_HEADER.sub(b'{"schema":%d,' % SCHEMA, text, count=1))
            return  # nothing but the number is damaged
        known = f"has schema {int(header[1])}, and this version knows {SCHEMA} at most"
        raise StoreNewer(CHECKSUM_FILE, known)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """``lines``, many at once."""
    waiting = iter(lines)
    while block := b"".join(islice(waiting, _LINES)):
        yield block


def _message(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__
