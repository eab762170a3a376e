"""The desk: every use case of the account, for whoever asks.

The HTTP interface, the screen, the command line, the engine and other programs all go through it;
none touches the store or the core on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal, Protocol, Unpack

from balance.core import operations
from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking, Entry
from balance.core.errors import BalanceError
from balance.core.money import DEFAULT_STARTING_BALANCE, money
from balance.core.snapshot import Snapshot
from balance.core.undo import undo_reset
from balance.desk.trading import Trading
from balance.desk.transactions import Board, Conditions, FindBaselines, Outcome, Transactions
from balance.history.pages import Page, Search, closings, fills, lineage, page, rows, since
from balance.market.board import LiveBoard
from balance.store.advice import command
from balance.store.state import Store

Action = Literal["set_balance", "adjust", "deposit", "withdraw", "reset", "undo_reset"]


class _Operation(Protocol):
    def __call__(self, account: Account, amount: Any, note: str, /) -> Change: ...


_OPERATIONS: Final[Mapping[Action, _Operation]] = {
    "set_balance": operations.set_balance,
    "adjust": operations.adjust,
    "deposit": operations.deposit,
    "withdraw": operations.withdraw,
    "reset": operations.reset,
}


class Desk(Trading):
    """The account in a store, and all that can be done with it. Safe to use from many threads.

    Every change takes the options of :class:`Conditions`. Amounts are in the quote currency,
    quantities in base units, prices in the quote currency per base unit: Decimal, int, str or
    float.
    """

    def __init__(
        self,
        store: Store,
        board: Board | None = None,
        starting_balance: Callable[[], Decimal] = lambda: DEFAULT_STARTING_BALANCE,
    ) -> None:
        """``starting_balance`` says what a reset begins with that names nothing else."""
        super().__init__(Transactions(store, board or LiveBoard()))
        self._starting_balance = starting_balance
        self._search: Search | None = None

    @property
    def store(self) -> Store:
        """What keeps the account, for what is derived from its ledger."""
        return self._transactions.store

    def command(self, words: str) -> str:
        """The command of the shell with ``words``, whole, for this account."""
        return command(words, self.store.folder)

    @property
    def version(self) -> tuple[str, int]:
        """The account's id and revision, which change with every change of the account.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        return self._transactions.version

    def snapshot(self) -> Snapshot:
        """The account as it is now.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        return self._transactions.snapshot()

    def set_balance(self, balance: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """The wallet balance is now ``balance``; the difference is booked as an adjustment.

        Raises:
            InvalidAmount: not a number, negative or too large.
            InsufficientBalance: less than the margin in use.
        """
        return self.execute("set_balance", balance, **conditions).snapshot

    def adjust(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Book a gain (above zero) or a loss (below) from outside; it counts as P&L.

        Raises:
            InvalidAmount: not a number, zero or too large.
            InsufficientBalance: a loss of more than is available.
        """
        return self.execute("adjust", amount, **conditions).snapshot

    def deposit(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Put money in; it is no gain.

        Raises:
            InvalidAmount: not a number above zero, or too large.
        """
        return self.execute("deposit", amount, **conditions).snapshot

    def withdraw(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Take money out; it is no loss.

        Raises:
            InvalidAmount: not a number above zero, or too large.
            InsufficientBalance: more than is available.
        """
        return self.execute("withdraw", amount, **conditions).snapshot

    def reset(self, balance: object = None, **conditions: Unpack[Conditions]) -> Snapshot:
        """Begin a new epoch with ``balance`` (None: what the settings say, 10,000.00 at first):
        open orders are cancelled, positions closed at their newest mark price, and the history
        stays readable.

        Raises:
            InvalidAmount: not a number, negative or too large.
        """
        return self.execute("reset", balance, **conditions).snapshot

    def undo_reset(self, **conditions: Unpack[Conditions]) -> Snapshot:
        """Let the epoch that the last reset ended go on, with its totals, positions and orders, as
        a new one; what is open now is closed first, as a reset does.

        Raises:
            NothingToUndo: no reset opened the running epoch, or what it ended can't go on.
        """
        return self.execute("undo_reset", None, **conditions).snapshot

    def execute(self, action: Action, amount: object, **conditions: Unpack[Conditions]) -> Outcome:
        """Do ``action`` with ``amount``: what the methods above do, with the words for it.

        Raises:
            InvalidRequest: the key or the note is too long or holds what can't be printed.
            KeyInFlight: another thread is at work on a request with this key.
            KeyReused, StaleRevision, StoreError: as the store says.
        """
        note, market = conditions.get("note", ""), self.market
        meant = self._starting_balance() if action == "reset" and amount is None else amount
        # before the lock is held; an undo finds out if there was another reset since
        opening = self._opening() if action == "undo_reset" else None

        def change(account: Account) -> Change:
            account = account.marked(market)
            if action == "undo_reset":
                return undo_reset(account, opening, market, note)
            return _OPERATIONS[action](account, meant, note)

        return self._transactions.execute(change, [action, _booked(amount)], **conditions)

    def _opening(self) -> Booking | None:
        store = self._transactions.store
        opening = store.opening(store.read().account.wallet.epoch)
        return None if opening is None else opening.booking

    def history(
        self,
        *,
        limit: int = 50,
        before: str | int | None = None,
        kind: str | None = None,
        epoch: int | None = None,
    ) -> Page:
        """A page of the ledger, newest first: at most ``limit`` entries, 1 to 1,000, from before
        ``before`` (a revision, or the last page's ``next``), of one kind and epoch if asked.

        Raises:
            InvalidRequest: a parameter is out of range.
            StoreUnreadable: the ledger is damaged there.
        """
        return page(self._transactions.store, limit, before, kind, epoch, self._search)

    def fills(self, *, limit: int = 50, before: str | None = None) -> Page:
        """A page of the fills, newest first, as :meth:`history` pages the ledger.

        Raises:
            InvalidRequest: a parameter is out of range.
            StoreUnreadable: the ledger is damaged there.
        """
        return fills(self._transactions.store, limit, before, self.market, self._search)

    def closings(self, after: int, most: int | None = None) -> list[Entry]:
        """The entries since revision ``after`` that ended a trade, oldest first; of at most the
        newest ``most`` entries. For the bots.

        Raises:
            StoreUnreadable: the ledger is damaged there.
        """
        return closings(self._transactions.store, after, most)

    def lineage(self) -> tuple[Entry, ...]:
        """What opened the running epoch and, where it goes on with an older one, what opened that,
        newest first.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        return lineage(self._transactions.store)

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``; None where the ledger has none.

        Raises:
            StoreUnreadable: the ledger is damaged on the way there.
        """
        return self._transactions.store.opening(epoch)

    def since(self, revision: int, most: int) -> list[Entry] | None:
        """The entries after ``revision``, oldest first; None where they are more than ``most``.

        Raises:
            StoreUnreadable: the ledger is damaged there.
        """
        return since(self._transactions.store, revision, most)

    def whole_history(
        self,
        *,
        before: str | int | None = None,
        kind: str | None = None,
        epoch: int | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """All entries that :meth:`history` would page through, one by one.

        Raises:
            InvalidRequest: a parameter is out of range.
            StoreUnreadable: the ledger is damaged there.
        """
        return rows(self._transactions.store, before, kind, epoch, self._search)

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Have ``listener`` called with the snapshot after every change made here, before the one
        who made it is answered."""
        self._transactions.subscribe(listener)

    def subscribe_entries(self, listener: Callable[[Snapshot, Sequence[Entry]], None]) -> None:
        """Have ``listener`` called as :meth:`subscribe` does, with the entries of the change."""
        self._transactions.subscribe_entries(listener)

    def use_baselines(self, baselines: FindBaselines) -> None:
        """Let snapshots compare with what ``baselines`` finds of earlier days and epochs."""
        self._transactions.find_baselines = baselines

    def use_index(self, search: Search) -> None:
        """Let ``search`` find, where it can, the entries of a kind or an epoch."""
        self._search = search


def _booked(amount: object) -> str | None:
    """``amount`` as it would be booked, to tell one request from another."""
    try:
        return None if amount is None else str(money(amount))
    except BalanceError:
        return ""  # it will be refused
