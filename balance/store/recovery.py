"""Proving that the account and its ledger agree, and rebuilding either from the other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from balance.core.account import Account
from balance.core.entry import Entry, cursor, follows, replay
from balance.core.errors import AccountingError, StoreUnreadable
from balance.core.figures import grouped
from balance.core.money import ZERO, exact
from balance.core.position import Position
from balance.core.wallet import Wallet
from balance.store.advice import option
from balance.store.answer_file import AnswerFile
from balance.store.checksum import START, stated
from balance.store.codec import (
    Unreadable,
    decode_entry,
    decode_state,
    encode_ledger,
    encode_state,
    keyed_by,
)
from balance.store.disk import DISK, Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE
from balance.store.ledger_file import CHECKSUM_FILE, LedgerFile
from balance.store.lock import account_lock
from balance.store.state import Keyed, State, stated_anew


@dataclass(frozen=True, slots=True)
class Report:
    """What a check or a repair found. ``faults`` is empty where everything agrees."""

    faults: tuple[str, ...]
    # The number of whole entries in the ledger.
    entries: int
    # The newest revision, and the wallet balance there; None where neither file has one.
    revision: int | None
    balance: str | None
    # The names of the copies that a repair made of damaged files.
    kept: tuple[str, ...] = ()


def verify(folder: Path) -> Report:
    """Replay the whole ledger in ``folder`` and compare it with the account. Changes nothing,
    takes no lock: entries committed while it reads are left to the next check. However long the
    ledger is, one entry at a time is in memory."""
    faults: list[str] = []
    wrong: list[str] = []
    state, seen = _account(folder, faults), _Seen()
    entries = seen.all(
        entry
        for entry in _checked(_lines(folder, state, faults), faults)
        if state is None or entry.revision <= state.revision
    )
    replayed_account = _replay(entries, wrong)
    # Entries behind a first one that does not add up may be damaged as well.
    for _ in entries:
        pass
    faults += wrong
    if state is not None and not faults:
        faults += _differences(replayed_account, state.account)
    ledger = LedgerFile(folder / LEDGER_FILE)
    # Where the account has changed meanwhile, the line is one that is just being written.
    if state is not None and ledger.ends_broken(state) and state == _account(folder, []):
        faults.append(f"{LEDGER_FILE} ends with a broken line.")
    answers = AnswerFile(folder / ANSWER_FILE)
    faults += answers.faults(0 if state is None else state.answered)
    return _report(faults, seen, state)


@dataclass(slots=True)
class _Seen:
    """How many entries have gone by, and the last of them."""

    count: int = 0
    last: Entry | None = None

    def all(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """``entries``, each remembered as it goes by."""
        for entry in entries:
            self.count += 1
            self.last = entry
            yield entry


def repair(
    folder: Path,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    disk: Disk = DISK,
) -> Report:
    """Rebuild what is damaged in ``folder`` from what is whole, with an entry of kind ``repair``;
    the damaged files are kept beside the new ones. Where all agrees nothing is changed.

    Raises:
        StoreUnreadable: neither the account nor any entry of the ledger can be read.
        StoreBusy: another program holds the lock.
        OSError: the disk refused.
    """
    if not folder.is_dir():
        raise StoreUnreadable(ACCOUNT_FILE, "is missing, and so is its folder", option(folder))
    with account_lock(folder / LOCK_FILE):
        report = verify(folder)
        if not report.faults:
            # Who repaired it before may have failed to sync the folder.
            disk.sync_folder(folder)
            return report
        state = _account(folder, [])
        entries = list(_salvaged(_checked(_lines(folder, state, []), [])))
        if state is None and not entries:
            raise StoreUnreadable(
                ACCOUNT_FILE,
                f"can't be rebuilt: {LEDGER_FILE} holds no entry that can be read. To begin anew, "
                "move both files out of the data folder",
                option(folder),
            )
        now = clock()
        kept = [disk.keep_damaged(folder / name, now) for name in (ACCOUNT_FILE, LEDGER_FILE)]
        booked = _booked(_lines(folder, state, []))
        answers = AnswerFile(folder / ANSWER_FILE, disk=disk)
        kept.append(_answers_mended(answers, state, booked, now, disk))
        state = _rebuilt(state, entries, now)
        ledger = [*entries, *state.entries]
        lines = encode_ledger(state.account_id, ledger)
        before = lines[-len(state.entries) - 1 : -len(state.entries)]
        state = replace(
            state, request=None, previous_checksum=stated(before[0]) or START if before else START
        )
        disk.replace_file(folder / LEDGER_FILE, b"".join(lines))
        (folder / CHECKSUM_FILE).unlink(missing_ok=True)
        disk.replace_file(folder / ACCOUNT_FILE, encode_state(state))
        return replace(
            _report(list(report.faults), _Seen(len(ledger), ledger[-1]), state),
            kept=tuple(filter(None, kept)),
        )


def _report(faults: list[str], seen: _Seen, state: State | None) -> Report:
    last = state.entries[-1] if state is not None else seen.last
    return Report(
        faults=tuple(faults),
        entries=seen.count,
        revision=None if last is None else last.revision,
        balance=None if last is None else grouped(last.booking.balance),
    )


def _account(folder: Path, faults: list[str]) -> State | None:
    try:
        state, sealed = decode_state(DISK.read(folder / ACCOUNT_FILE))
    except (FileNotFoundError, Unreadable) as fault:
        missing = isinstance(fault, FileNotFoundError)
        faults.append(f"{ACCOUNT_FILE} {'is missing' if missing else fault}.")
        return None
    if not sealed:
        faults.append(f"{ACCOUNT_FILE} was edited, and the edit is not adopted yet.")
    return state


def _lines(folder: Path, state: State | None, faults: list[str]) -> Iterator[bytes]:
    """The ledger's lines, with those of the newest commit that its writer has not come to; what is
    not proved is a fault."""
    ledger, end = LedgerFile(folder / LEDGER_FILE), 0
    ledger.is_chained = state is not None and state.previous_checksum != ""
    for line in ledger.lines():
        end = line.end
        if line.fault:
            faults.append(f"{LEDGER_FILE} {line.fault}.")
        yield line.text
    if state is not None:
        yield from ledger.unwritten(state, end)


def _checked(lines: Iterable[bytes], faults: list[str]) -> Iterator[Entry]:
    """The entries in ``lines``, each one after the other; what is none is a fault."""
    last: Entry | None = None
    for number, line in enumerate(lines, start=1):
        try:
            entry = decode_entry(line)
        except Unreadable as fault:
            faults.append(f"{LEDGER_FILE} line {number} {fault}.")
            continue
        if last is not None and entry.place <= last.place:
            faults.append(
                f"{LEDGER_FILE} line {number} holds entry {cursor(entry.place)} "
                f"after {cursor(last.place)}."
            )
            continue
        if not follows(last, entry):
            after = f"after {cursor(last.place)}" if last else "at the start"
            faults.append(f"{LEDGER_FILE} lacks what comes {after}, before {cursor(entry.place)}.")
        yield entry
        last = entry


def _replay(entries: Iterable[Entry], faults: list[str]) -> Account | None:
    account = before = None
    with exact():
        for entry in entries:
            before = account if entry.line == 1 else before
            try:
                account = replay([entry], account)
            except AccountingError as fault:
                faults.append(f"{LEDGER_FILE}: {fault}")
                return account
            if not _ended_rightly(entry, before):
                faults.append(
                    f"{LEDGER_FILE}: entry {cursor(entry.place)} keeps another account than the "
                    "one that it ended."
                )
    return account


def _ended_rightly(entry: Entry, before: Account | None) -> bool:
    """Whether what ``entry`` keeps of the account ``before`` its change, if anything, is so."""
    ended = entry.booking.ended
    return ended is None or not any(_differences(before, ended))


def _differences(found: Account | None, account: Account) -> Iterator[str]:
    """The differences of ``account`` from the one ``found`` in the ledger."""
    if found is None or found.wallet != account.wallet:
        yield (
            f"{LEDGER_FILE} adds up to {_figures(found)}, "
            f"but {ACCOUNT_FILE} says {_figures(account)}."
        )
    elif _unmarked(found) != _unmarked(account) or found.orders != account.orders:
        yield f"{LEDGER_FILE} leads to other positions or orders than {ACCOUNT_FILE} has."


def _unmarked(account: Account) -> list[Position]:
    """The positions without what only the market changes."""
    return [
        replace(
            each,
            mark_price=each.entry_price,
            marked_at=each.opened_at,
            maintenance_rate=ZERO,
            maintenance_amount=ZERO,
        )
        for each in account.positions
    ]


def _salvaged(entries: Iterable[Entry]) -> Iterator[Entry]:
    """``entries``, where each that does not follow from the one before it becomes one of kind
    ``repair`` that states the wallet anew, so that the whole adds up again."""
    account: Account | None = None
    ended: Account | None = None
    last: Entry | None = None
    with exact():
        for entry in entries:
            before = account
            ended = account if entry.line == 1 else ended
            if not _ended_rightly(entry, ended):
                # An undo would bring back an account that never was.
                entry = replace(entry, booking=replace(entry.booking, ended=None))
            try:
                account = replay([entry], account) if follows(last, entry) else None
            except AccountingError:
                account = None
            if account is None:
                entry = _stating(entry, last, before)
                account = replay([entry], before)
            yield entry
            last = entry


def _stating(entry: Entry, last: Entry | None, before: Account | None) -> Entry:
    booking = entry.booking
    lost = f"Entries after {cursor(last.place) if last else 'the start'} were lost or damaged"
    return replace(
        entry,
        booking=replace(
            booking,
            kind="repair",
            amount=booking.balance - _balance_before(last, booking.epoch),
            note=f"{lost}; this one was: {booking.kind}, {grouped(booking.amount)}.",
            # An entry that states the whole account needs none before it.
            restated=booking.restated
            or _kept_holdings(before, Wallet.opened(booking.epoch, booking.balance)),
        ),
    )


def _balance_before(last: Entry | None, epoch: int) -> Decimal:
    """The balance that ``last`` leaves to the next entry of ``epoch``."""
    if last is None or last.booking.epoch != epoch:
        return ZERO
    return last.booking.balance


def _kept_holdings(before: Account | None, wallet: Wallet) -> Account:
    """``wallet`` with the positions and orders of ``before``, as far as its balance bears them:
    what became of them in entries that were lost is not known."""
    if before is None or before.wallet.epoch != wallet.epoch:
        return Account(wallet)
    kept = replace(before, wallet=wallet)
    return kept if kept.available_balance >= 0 else Account(wallet)


def _rebuilt(state: State | None, entries: list[Entry], now: datetime) -> State:
    """The account from its file or, where that is gone, from ``entries``."""
    note = f"{LEDGER_FILE} was rebuilt and leads to {ACCOUNT_FILE} again."
    last = entries[-1] if entries else None
    if state is None:
        note = f"{ACCOUNT_FILE} was rebuilt from {LEDGER_FILE}."
        with exact():
            account = replay(entries)
        if account is None or last is None:
            raise AccountingError("There is no entry to rebuild the account from.")
        if account.available_balance < 0:
            account = Account(account.wallet)
        state = State(
            account_id=secrets.token_hex(8),
            revision=last.revision,
            changed_at=now,
            account=account,
            entries=(last,),
        )
    known = _balance_before(last, state.account.wallet.epoch)
    state = replace(state, revision=max(state.revision, last.revision if last else 0))
    return stated_anew(state, "repair", known, note, now, "program")


def _booked(lines: Iterable[bytes]) -> dict[int, Keyed]:
    """The keyed commits in ``lines`` of a ledger, by their revisions."""
    found: dict[int, Keyed] = {}
    for line in lines:
        with suppress(Unreadable):
            if keyed := keyed_by(line):
                found[keyed.revision] = keyed
    return found


def _answers_mended(
    answers: AnswerFile,
    state: State | None,
    booked: Mapping[int, Keyed],
    now: datetime,
    disk: Disk,
) -> str | None:
    """Have the answers of all that was ``booked``; the newest one the account itself still knows.
    The name of the copy of the file as it was, where that was damaged."""
    newest = max(booked, default=0) if state is None else state.answered
    kept = disk.keep_damaged(answers.path, now) if any(answers.faults(newest)) else None
    if state is not None:
        answers.mend(state)
    answers.link(booked)
    return kept


def _figures(account: Account | None) -> str:
    if account is None:
        return "nothing"
    return f"epoch {account.wallet.epoch}, balance {grouped(account.wallet.balance)}"
