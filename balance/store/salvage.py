"""What is left of a damaged ledger: its sound lines, with an entry of kind ``repair`` in the place
of what is lost between them, which books the known difference, so that the whole adds up again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from balance.core.account import Account
from balance.core.entry import Booking, Entry, Place, cursor, follows, replay
from balance.core.errors import AccountingError
from balance.core.figures import grouped
from balance.core.money import ZERO, exact
from balance.core.wallet import OPENINGS, Wallet
from balance.store.checksum import START, TAIL_BYTES, is_proved, stated
from balance.store.codec import Unreadable, decode_entry, encode_entry
from balance.store.older_lines import OlderLines
from balance.store.state import Line, State


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the repaired ledger."""

    entry: Entry
    # The JSON object of its line, without the checksum.
    document: bytes
    # Whether it stands for what is lost.
    is_made: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A line that can't stay, with its number, from 1."""

    text: bytes
    number: int


class SecondLook:
    """Proves lines that stand elsewhere than they were written, as others before them are longer
    or shorter now, or are gone."""

    def __init__(self, older: OlderLines | None) -> None:
        """``older`` is what is recorded of the lines without a checksum; None: it is lost, so that
        nothing but their sums can speak for them."""
        self._older = older
        self._numbers: dict[int, list[int]] | None = None
        self._before = b""

    def lines(self, lines: Iterable[Line]) -> Iterator[Line]:
        """``lines``, those that are proved after all without their fault."""
        for line in lines:
            is_proved_now = line.fault and self._proves(line.text)
            self._before = line.text
            yield replace(line, fault="") if is_proved_now else line

    def _proves(self, text: bytes) -> bool:
        older = self._older
        if stated(text) is not None:
            ends = (
                [stated(self._before)] if older is None else [older.checksum, stated(self._before)]
            )
            return any(end is not None and is_proved(text, end) for end in ends)
        if older is None:
            return True
        if self._numbers is None:
            self._numbers = older.numbers_by_length()
        return any(older.is_line(number, text) for number in self._numbers.get(len(text), ()))


class Salvage:
    """What is left of the lines of a ledger; one that is read once, oldest first."""

    def __init__(self, newest: State | None, beside: str) -> None:
        """The ledger ends with the entries of ``newest``, if given, whatever stands in the lines:
        those of its revision that are others are moved. ``beside`` is the name of the file for
        lines that are moved."""
        self._newest = newest
        self._beside = beside
        # The account that the entries lead to, and the last of them.
        self.account: Account | None = None
        self.last: Entry | None = None
        # Whether those of the newest commit are among them, and which of these no line has.
        self.has_newest = False
        self.restored: list[Entry] = []
        # Whether the account was the same when they were written, as nothing is lost since it was
        # stated as a whole.
        self._is_exact = True

    def pieces(self, lines: Iterable[Line]) -> Iterator[Kept | Moved]:
        """What becomes of ``lines``, in their order, with the entries that stand for what is lost;
        those of the newest commit are not among it."""
        commit: list[_Found] = []
        with exact():
            for found in self._in_order(lines):
                if isinstance(found, Moved):
                    yield found
                    continue
                if commit and commit[0].entry.revision != found.entry.revision:
                    yield from self._settled(commit)
                    commit = []
                commit.append(found)
            yield from self._settled(commit)

    def _in_order(self, lines: Iterable[Line]) -> Iterator[_Found | Moved]:
        """The sound lines, each behind the one before it, and the others."""
        last: Place = (0, 0)
        end: str | None = START
        is_gap, newest = False, () if self._newest is None else self._newest.entries
        self.restored = list(newest)
        for number, (line, coming) in enumerate(_with_next(lines), start=1):
            entry = _entry(line)
            if entry is not None and newest and entry.revision >= newest[0].revision:
                if entry in newest:
                    self.restored = [each for each in self.restored if each != entry]
                    continue  # it comes with the account
                entry = None
            # Of two that can't both be right, the one that leaves nothing out is.
            is_ahead = entry is not None and entry.place not in _next_places(last)
            behind = _entry(coming) if is_ahead and coming is not None else None
            if (
                entry is None
                or entry.place <= last
                or (behind is not None and last < behind.place <= entry.place)
            ):
                is_gap = True
                yield Moved(line.text, number)
                continue
            yield _Found(entry, line.text, number, is_gap, is_gap)
            last, end, is_gap = entry.place, stated(line.text), False
        if self._newest is not None and end is not None:
            # The last lines may be gone without a trace but that. What stands behind the line that
            # the newest commit was written behind is of that commit, and comes with the account.
            is_behind = end != self._newest.previous_checksum
            has_left, is_gap = is_gap and is_behind, is_behind
        else:
            has_left = is_gap
        for entry in newest:
            yield _Found(entry, encode_entry(entry), 0, is_gap, has_left)
            is_gap = has_left = False

    def _settled(self, commit: list[_Found]) -> Iterator[Kept | Moved]:
        """What becomes of the sound lines of one commit."""
        if not commit:
            return
        first, is_gap, has_left = commit[0].entry, commit[0].is_behind_gap, commit[0].has_left
        ended = next(
            (each.entry.booking.ended for each in commit if each.entry.booking.ended), None
        )
        is_known = first.line > 1 or ended is None or not any(differences(self.account, ended))
        if not is_known and (is_gap or not self._is_exact):
            # What was lost before is in the account that an undo brings back.
            yield from self._bridged(first, has_left, ended)
            is_gap, is_known = False, True
        for each in commit:
            is_gap = is_gap or (each is not commit[0] and each.is_behind_gap)
            has_left = has_left or (each is not commit[0] and each.has_left)
            if is_gap or not follows(self.last, each.entry):
                yield from self._bridged(each.entry, has_left)
            is_added = self._add(each.entry, is_known)
            if not is_added and not each.number and not is_gap:
                # What came last before it is gone without a trace.
                yield from self._bridged(each.entry, has_left, None if is_known else ended)
                is_added = self._add(each.entry, True)
            is_gap = has_left = not is_added
            if not each.number:
                if not is_added:
                    return
            elif is_added:
                yield Kept(each.entry, document_of(each.text))
            else:
                yield Moved(each.text, each.number)
        newest = self._newest
        self.has_newest = newest is not None and self.last == newest.entries[-1]

    def _add(self, entry: Entry, is_ended_known: bool = True) -> bool:
        """Go on to ``entry``; whether it follows from what came before it. Unless
        ``is_ended_known``, an account that it keeps is not the one that it ended."""
        if not follows(self.last, entry):
            return False
        if entry.booking.ended is not None and not is_ended_known:
            return False
        try:
            self.account = replay([entry], self.account)
        except AccountingError:
            return False
        self.last = entry
        if entry.booking.kind in OPENINGS or entry.booking.restated is not None:
            self._is_exact = True
        return True

    def _bridged(
        self, entry: Entry, has_left: bool, ended: Account | None = None
    ) -> Iterator[Kept]:
        """The entry that stands for what is lost before ``entry``, where that left a place; it
        leads to the account ``ended``, if given. ``has_left`` says whether lines were moved."""
        last = self.last
        place = _place_before(entry, last)
        if place is None:
            return
        booking = self._difference(entry.booking) if ended is None else self._restating(ended)
        after = "" if last is None else f"after {cursor(last.place)} and "
        left = f"; what is left of it is in {self._beside}" if has_left else ""
        note = (
            f"The entries {after}before {cursor(entry.place)} are damaged or lost{left}. "
            f"They changed the balance by {grouped(booking.amount)}."
        )
        made = Entry(
            revision=place[0],
            line=place[1],
            # When it had happened, at the latest.
            time=entry.time,
            source="program",
            booking=replace(booking, note=note),
        )
        if self._add(made):
            self._is_exact = ended is not None
            yield Kept(made, document_of(encode_entry(made)), is_made=True)

    def _difference(self, coming: Booking) -> Booking:
        """What leads to the balance before that of ``coming``."""
        account = self.account
        if coming.kind in OPENINGS:
            # What it ends is not known any further.
            if account is None:
                return _restated(Account(Wallet.opened(max(1, coming.epoch - 1), ZERO)), ZERO)
            balance, epoch = account.wallet.balance, account.wallet.epoch
        else:
            balance, epoch = coming.balance - coming.amount, coming.epoch
        if account is None or account.wallet.epoch != epoch:
            leverages = () if account is None else account.leverages
            return _restated(Account(Wallet.opened(epoch, balance), leverages=leverages), ZERO)
        known = account.wallet.balance
        return Booking(epoch=epoch, kind="repair", amount=balance - known, balance=balance)

    def _restating(self, account: Account) -> Booking:
        """What leads to ``account``."""
        return _restated(account, known_balance(self.last, account.wallet.epoch))


@dataclass(frozen=True, slots=True)
class _Found:
    entry: Entry
    text: bytes
    # That of its line; 0: it comes with the account.
    number: int
    # Whether lines before it are damaged or gone, and whether any of them is left.
    is_behind_gap: bool
    has_left: bool


def document_of(line: bytes) -> bytes:
    """The JSON object in ``line`` of a ledger, without its checksum."""
    return line.rstrip() if stated(line) is None else line[:-TAIL_BYTES] + b"}"


def known_balance(last: Entry | None, epoch: int) -> Decimal:
    """The balance that ``last`` leaves to the next entry of ``epoch``."""
    if last is None or last.booking.epoch != epoch:
        return ZERO
    return last.booking.balance


def differences(found: Account | None, account: Account) -> Iterator[str]:
    """The differences of ``account`` from the one ``found`` in the ledger, as what stands behind
    the name of that, and before that of the other; marks are none."""
    if found is None or found.wallet != account.wallet:
        yield f"adds up to {_figures(found)}, but {{}} says {_figures(account)}"
    elif _unmarked(found) != _unmarked(account):
        yield "leads to other positions or orders than {} has"
    elif found.leverages != account.leverages:
        yield "leads to other leverages than {} has"


def _figures(account: Account | None) -> str:
    if account is None:
        return "nothing"
    return f"epoch {account.wallet.epoch}, balance {grouped(account.wallet.balance)}"


def _unmarked(account: Account) -> Account:
    """``account`` without what only the market changes."""
    return replace(
        account,
        positions=tuple(
            replace(
                each,
                mark_price=each.entry_price,
                marked_at=each.opened_at,
                maintenance_rate=ZERO,
                maintenance_amount=ZERO,
            )
            for each in account.positions
        ),
        orders=tuple(each.unmarked() for each in account.orders),
    )


def _restated(account: Account, known: Decimal) -> Booking:
    wallet = account.wallet
    return Booking(
        epoch=wallet.epoch,
        kind="repair",
        amount=wallet.balance - known,
        balance=wallet.balance,
        restated=account,
    )


def _next_places(last: Place) -> tuple[Place, Place]:
    return (last[0], last[1] + 1), (last[0] + 1, 1)


def _place_before(entry: Entry, last: Entry | None) -> Place | None:
    """The place between ``last`` and ``entry``, right before the latter; None: there is none."""
    known = (0, 0) if last is None else last.place
    if entry.line > 1:
        place = entry.revision, entry.line - 1
    else:
        revision = entry.revision - 1
        place = revision, known[1] + 1 if known[0] == revision else 1
    return place if place > known and place[0] else None


def _entry(line: Line) -> Entry | None:
    try:
        return None if line.fault else decode_entry(line.text)
    except Unreadable:
        return None


def _with_next(lines: Iterable[Line]) -> Iterator[tuple[Line, Line | None]]:
    """Each of ``lines`` with the one behind it."""
    before: Line | None = None
    for line in lines:
        if before is not None:
            yield before, line
        before = line
    if before is not None:
        yield before, None
