"""Proving that the files of the account agree."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from balance.core.account import Account
from balance.core.entry import Entry, cursor, follows, replay
from balance.core.errors import AccountingError, StoreUnreadable
from balance.core.figures import grouped
from balance.core.money import exact
from balance.store.answer_file import AnswerFile
from balance.store.codec import SCHEMA, Unreadable, decode_entry, decode_state
from balance.store.disk import DISK, Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE
from balance.store.ledger_file import LedgerFile
from balance.store.salvage import differences
from balance.store.state import State

# How many faults are listed of a file; more are counted.
_LISTED: Final = 100
_SCHEMA: Final = re.compile(rb'"schema": ?[^,]{1,20},')


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
    return checked(folder)[0]


@dataclass(frozen=True, slots=True)
class AccountRead:
    """The account as its file has it."""

    state: State
    is_sealed: bool


@dataclass(slots=True)
class Faults:
    """What was found, in sentences; only so many are listed."""

    found: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, fault: str) -> None:
        """Add a sentence, once."""
        if fault in self.found:
            return  # What is damaged in the newest commit is met twice.
        if len(self.found) < _LISTED:
            self.found.append(fault)
        else:
            self.more += 1

    @property
    def listed(self) -> tuple[str, ...]:
        """The first of them, and how many there are beside."""
        return (*self.found, *([f"There are {self.more:,} more faults."] if self.more else []))


@dataclass(slots=True)
class Check:
    """The entries of a ledger as they are read, oldest first, and replayed."""

    faults: Faults
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


def checked(folder: Path) -> tuple[Report, Check]:
    """What :func:`verify` finds, and the entries that it has read for that."""
    faults = Faults()
    read = read_account(folder, faults)
    newest = None if read is None else read.state
    check, ledger = Check(faults, newest), ledger_in(folder, newest)
    try:
        check.read(ledger)
        # Where the account has changed meanwhile, its lines may be the ones being written.
        if read is not None and read.is_sealed and _is_left(ledger, read.state, check):
            if read == read_account(folder, Faults()):
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


def _is_left(ledger: LedgerFile, newest: State, check: Check) -> bool:
    """Whether the ledger does not end with the commit that led to ``newest``."""
    return check.end > newest.revision or not ledger.leads_to(newest)


def _left(ledger: LedgerFile, newest: State, check: Check) -> str:
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


def read_account(folder: Path, faults: Faults) -> AccountRead | None:
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
        return sealed_with_our_schema(text)
    if not is_sealed:
        faults.add(f"{ACCOUNT_FILE} was edited, and the edit is not adopted yet.")
    return AccountRead(state, is_sealed)


def sealed_with_our_schema(text: bytes) -> AccountRead | None:
    """The account in ``text`` where nothing but the number of its schema is damaged, as its seal
    proves; it is to be written anew."""
    for schema in range(1, SCHEMA + 1):
        with suppress(Unreadable):
            state, is_sealed = decode_state(_SCHEMA.sub(b'"schema": %d,' % schema, text, count=1))
            if is_sealed:
                return AccountRead(state, is_sealed)
    return None


def ledger_in(folder: Path, newest: State | None, disk: Disk = DISK) -> LedgerFile:
    """The ledger in ``folder``, whose lines have checksums if ``newest``, the account, says so."""
    ledger = LedgerFile(folder / LEDGER_FILE, disk)
    ledger.is_chained = newest is not None and newest.previous_checksum != ""
    return ledger


def _message(fault: OSError) -> str:
    return fault.strerror or type(fault).__name__
