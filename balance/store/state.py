"""All that a store has of an account, and the one way from one state to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from balance.core.account import Account
from balance.core.change import Change, Operation
from balance.core.entry import Entry, Place
from balance.core.errors import AccountingError, StaleRevision, StoreUnreadable
from balance.core.market import NO_MARKET, Market
from balance.core.messages import News, news_message
from balance.core.money import ZERO, exact
from balance.core.operations import restate
from balance.core.order_ids import numbered
from balance.core.periods import NO_BASELINES, Baselines
from balance.core.shape import Name
from balance.core.snapshot import Snapshot, snapshot
from balance.core.wallet import OPENINGS
from balance.store.checksum import START


@dataclass(frozen=True, slots=True)
class Request:
    """A caller's idempotency key, and a fingerprint of the request."""

    key: Name
    fingerprint: Name


@dataclass(frozen=True, slots=True)
class Keyed:
    """A commit that a keyed request led to."""

    revision: int
    request: Request
    # The revision of the keyed commit before it; 0: it was the first.
    previous: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The account at one revision, with the entries of the commit that led to it."""

    account_id: str
    revision: int
    changed_at: datetime
    account: Account
    entries: tuple[Entry, ...]
    request: Request | None = None
    # The checksum of the line of the ledger before those of the entries; empty in a file of schema
    # 1, whose ledger has none.
    previous_checksum: str = START
    # The revision of the newest commit before this one that had an idempotency key; 0: none.
    previous_answered: int = 0
    # The lines of the entries as they stand in the ledger, or will, and the checksum of the last,
    # which the next commit goes on from. Both follow from the rest.
    lines: tuple[bytes, ...] = field(default=(), compare=False, repr=False)
    checksum: str = field(default=START, compare=False, repr=False)

    @property
    def keyed(self) -> Keyed | None:
        """The commit that led to it, where that had an idempotency key."""
        return Keyed(self.revision, self.request, self.previous_answered) if self.request else None

    @property
    def answered(self) -> int:
        """The revision of the newest commit that had an idempotency key; 0: none."""
        return self.previous_answered if self.request is None else self.revision

    def snapshot(
        self,
        *,
        instance: str = "",
        market: Market = NO_MARKET,
        can_undo_reset: bool = False,
        recent_news: Sequence[News] = (),
        baselines: Baselines = NO_BASELINES,
    ) -> Snapshot:
        """What readers see of this state at the prices of ``market``, with the ``baselines`` of its
        past."""
        with exact():
            return snapshot(
                self.account,
                account_id=self.account_id,
                revision=self.revision,
                as_of=self.changed_at,
                instance=instance,
                market=market,
                can_undo_reset=can_undo_reset,
                news=news_message(self.entries, market.decimals),
                recent_news=recent_news,
                baselines=baselines,
            )


@dataclass(frozen=True, slots=True)
class Commit:
    """The state that a commit led to; ``replayed`` where an earlier one with its key did."""

    state: State
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Extent:
    """Which ledger there is, and how far it reaches; another one as soon as either has changed."""

    # Another text where the ledger is another file.
    ledger: str
    revision: int
    # In the units of ``Line.start``; a line that is being written may not be in it yet.
    end: int
    # When it was last written to, in nanoseconds since the epoch.
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the ledger as it stands there: its text, and where that begins and ends."""

    start: int
    end: int
    text: bytes
    # Why the text is not proved to be what was written, in words that go behind the file's name,
    # such as "line 17 does not match its checksum"; empty where it is. Nothing in a line with a
    # fault may be shown or summed.
    fault: str = ""


#: Where a line begins and ends.
Spot = tuple[int, int]


class Store(Protocol):
    """A store of one account. Both stores pass the same tests."""

    @property
    def folder(self) -> Path | None:
        """Where the account lives; None: in memory."""

    def read(self) -> State:
        """The newest committed state. Takes no lock.

        Raises:
            StoreUnreadable: missing or damaged; never a default in its place.
        """

    def commit(
        self,
        operation: Operation,
        *,
        source: str,
        if_match: int | None = None,
        request: Request | None = None,
    ) -> Commit:
        """Apply ``operation`` to the newest state and keep the result, all or nothing.

        Raises:
            KeyReused: the request's key came before with another fingerprint.
            StaleRevision: the account is not at revision ``if_match``.
            StoreError: it can't be read or written now.
            BalanceError: whatever ``operation`` refuses.
        """

    def entries(self, *, before: Place | None = None) -> Iterator[Entry]:
        """The ledger, newest first, from just before ``before`` on.

        Raises:
            StoreUnreadable: a line on the way is damaged.
        """

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``, found without reading the whole ledger; None where there
        is none.

        Raises:
            StoreUnreadable: the ledger is damaged on the way there.
        """

    def disagreement(self) -> StoreUnreadable | None:
        """Why no change can be made though the account can be read: the ledger does not lead up to
        it. None where it does. Takes no lock.

        Raises:
            StoreUnreadable: missing or damaged.
        """

    def answer_faults(self) -> Sequence[str] | None:
        """What is wrong with the answers that are kept for repeated requests, in sentences; None
        where changes came in between, so that it is not known. Takes no lock.

        Raises:
            StoreUnreadable: the account is missing or damaged.
        """

    def extent(self) -> Extent:
        """How far the ledger reaches, without reading it.

        Raises:
            StoreUnreadable: missing or damaged.
        """

    def lines(self, start: int = 0) -> Iterator[Line]:
        """The ledger, oldest first, from the line that begins at ``start`` on. What the newest
        commit has still to write there comes as it will stand. A line that is not proved to be
        what was written comes with its fault.

        Raises:
            StoreUnreadable: missing or damaged.
        """

    def texts(self, spots: Iterable[Spot]) -> Iterator[bytes]:
        """What stands in the ledger at each of ``spots``, the start and end of a line; something
        else, or nothing, where no line is there.

        Raises:
            StoreUnreadable: missing, or the line there is damaged.
        """


def expect(state: State, if_match: int | None) -> None:
    """Refuse to go on from another revision than the caller expects.

    Raises:
        StaleRevision: the account is not at revision ``if_match``.
    """
    if if_match is not None and if_match != state.revision:
        raise StaleRevision(if_match, state.revision)


def first_state(account_id: str, change: Change, now: datetime, source: str) -> State:
    """The state that a new account begins with, at revision 1."""
    return _stamped(account_id, 1, change, now, source)


def next_state(
    state: State, operation: Operation, now: datetime, source: str, request: Request | None = None
) -> State:
    """The state after ``operation``, one revision on, with ids for its new orders and the account's
    laws proved.

    Raises:
        AccountingError: the entries would not explain the step.
        BalanceError: whatever ``operation`` refuses.
    """
    revision = state.revision + 1
    with exact():
        change = numbered(operation(state.account), state.account, revision)
        _prove(state.account, change)
    after = _stamped(state.account_id, revision, change, now, source)
    return replace(
        after,
        request=request,
        previous_checksum=state.checksum,
        previous_answered=state.answered,
    )


def stated_anew(
    state: State, kind: str, known: Decimal, note: str, now: datetime, source: str
) -> State:
    """The state after taking ``state.account`` as it was stated from outside, one revision on,
    with an entry of ``kind`` for the difference to the ``known`` balance of its epoch."""
    account = state.account
    wallet = replace(account.wallet, balance=known)
    before = replace(state, account=replace(account, wallet=wallet))
    return next_state(before, lambda _: restate(account, kind, known, note), now, source)


def _prove(before: Account, change: Change) -> None:
    change.account.check()
    wallet = change.account.wallet
    ours = [booking for booking in change.bookings if booking.epoch == wallet.epoch]
    start = before.wallet.balance if before.wallet.epoch == wallet.epoch else ZERO
    moved = sum((booking.amount for booking in ours), ZERO)
    if not ours or start + moved != wallet.balance or ours[-1].balance != wallet.balance:
        raise AccountingError(
            f"The entries move the balance from {start} by {moved}, not to {wallet.balance}."
        )
    _prove_orders(before, change)


def _prove_orders(before: Account, change: Change) -> None:
    """Prove that the entries lead to the orders that are open, and that none of them ends twice."""
    names = {each.id for each in before.orders}
    for booking in change.bookings:
        if booking.restated is not None or booking.kind in OPENINGS:
            stated = () if booking.restated is None else booking.restated.orders
            names = {each.id for each in stated}
        if booking.effect is not None:
            closed = {*booking.effect.closed}
            if closed - names:
                raise AccountingError(
                    f"An entry ends the order {min(closed - names)}, which is not open."
                )
            names = (names - closed) | {each.id for each in booking.effect.opened}
    left = {each.id for each in change.account.orders}
    if names != left:
        raise AccountingError(
            f"The entries lead to {len(names)} open orders, not to the {len(left)} that are open."
        )


def _stamped(account_id: str, revision: int, change: Change, now: datetime, source: str) -> State:
    # As the files have it, so that a state is the same before and after.
    now = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
    return State(
        account_id=account_id,
        revision=revision,
        changed_at=now,
        account=change.account,
        entries=tuple(
            Entry(revision=revision, line=line, time=now, source=source, booking=booking)
            for line, booking in enumerate(change.bookings, start=1)
        ),
    )
