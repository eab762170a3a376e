"""Rebuilding what is damaged of the account from what is whole."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Final

from balance.core.account import Account
from balance.core.entry import Entry, cursor
from balance.core.errors import AccountingError, StoreNewer, StoreUnreadable
from balance.core.figures import grouped
from balance.store.advice import option
from balance.store.answer_file import KEPT, AnswerFile
from balance.store.checksum import START, sealed, stated
from balance.store.codec import (
    Newer,
    Unreadable,
    account_of,
    chained,
    decode_state,
    encode_state,
    keyed_by,
)
from balance.store.disk import DISK, Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE
from balance.store.ledger_file import CHECKSUM_FILE
from balance.store.lock import account_lock
from balance.store.older_lines import SCHEMA, OlderLines
from balance.store.salvage import Kept, Moved, Salvage, SecondLook, differences, known_balance
from balance.store.state import Keyed, Line, State, stated_anew
from balance.store.verification import (
    Check,
    Faults,
    Report,
    checked,
    ledger_in,
    read_account,
    sealed_with_our_schema,
)

# Where the account has its id, as it is written in the account's file and in the ledger.
_ID: Final = re.compile(rb'"account": ?"([0-9a-f]{16})"')
# In how many bytes of a file that is looked for.
_ID_BYTES: Final = 64 * 1024
# How many lines are named in a sentence, and are written at once.
_NAMED: Final = 10
_LINES: Final = 1_000
_HEADER: Final = re.compile(rb'\{"schema":(\d{1,9}),')


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
        report, check = checked(folder)
        if not report.faults:
            # Who repaired it before may have failed to sync the folder.
            disk.sync_folder(folder)
            return report
        return _Repair(folder, clock(), disk, check).run(report.faults)


class _Repair:
    """One repair of the account in a folder, by the holder of its lock."""

    def __init__(self, folder: Path, now: datetime, disk: Disk, check: Check) -> None:
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
        account_faults = Faults()
        self._read = read_account(folder, account_faults)
        self._is_account_damaged = bool(account_faults.found)
        known = None if self._read is None else self._read.state
        self._ledger = ledger_in(folder, known, disk)
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
        if account.available_balance >= 0:
            return account
        return replace(account, positions=(), orders=())

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
        if sealed_with_our_schema(text) is None:
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
