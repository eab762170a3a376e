"""The desk: every use case of the account, for whoever asks.

The HTTP interface, the screen, the command line and other programs all go through it; none
touches the store or the core on its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypedDict, Unpack

from balance.core import operations
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError, InvalidRequest, KeyInFlight
from balance.core.money import money
from balance.core.snapshot import Snapshot
from balance.core.words import told
from balance.history import Page, page, rows
from balance.store.file_store import FileStore
from balance.store.state import Request, State, Store

#: Where the account lives unless another folder is named: ``data`` beside the packages.
DEFAULT_DATA_DIR: Final = Path(__file__).resolve().parent.parent / "data"

LONGEST_KEY: Final = 200
LONGEST_NOTE: Final = 200

_log = logging.getLogger(__name__)

Action = Literal["set_balance", "adjust", "deposit", "withdraw", "reset"]


class _Operation(Protocol):
    def __call__(self, account: Account, amount: Any, note: str, /) -> Change: ...


_OPERATIONS: Final[Mapping[Action, _Operation]] = {
    "set_balance": operations.set_balance,
    "adjust": operations.adjust,
    "deposit": operations.deposit,
    "withdraw": operations.withdraw,
    "reset": operations.reset,
}


class How(TypedDict, total=False):
    """How a change is to be made; each is optional."""

    # refuse unless the account is at this revision
    if_match: int | None
    # a repeated key gets the first answer and changes nothing
    idempotency_key: str | None
    # kept in the ledger
    note: str
    # who asks: screen, http, shell or program
    source: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change: the account after it, and one sentence that tells it."""

    snapshot: Snapshot
    message: str
    # whether an earlier request with the same idempotency key had made it already
    replayed: bool


class Desk:
    """The account in a store, and all that can be done with it. Safe to use from many threads.

    Every change takes the options of :class:`How` and returns the snapshot after it. Amounts are
    in the quote currency: Decimal, int, str or float.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # tells the ticks of this process from those of another
        self._instance = secrets.token_hex(4)
        self._shown: tuple[State, Snapshot] | None = None
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._in_flight: set[str] = set()
        self._flying = threading.Lock()

    def snapshot(self) -> Snapshot:
        """The account as it is now.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        return self._seen(self._store.read())

    def set_balance(self, balance: object, **how: Unpack[How]) -> Snapshot:
        """The wallet balance is now ``balance``; the difference is booked as an adjustment.

        Raises:
            InvalidAmount: not a number, negative or too large.
            InsufficientBalance: less than the margin in use.
        """
        return self.carry_out("set_balance", balance, **how).snapshot

    def adjust(self, amount: object, **how: Unpack[How]) -> Snapshot:
        """Book a gain (above zero) or a loss (below) from outside; it counts as P&L.

        Raises:
            InvalidAmount: not a number, zero or too large.
            InsufficientBalance: a loss of more than is available.
        """
        return self.carry_out("adjust", amount, **how).snapshot

    def deposit(self, amount: object, **how: Unpack[How]) -> Snapshot:
        """Put money in; it is no gain.

        Raises:
            InvalidAmount: not a number above zero, or too large.
        """
        return self.carry_out("deposit", amount, **how).snapshot

    def withdraw(self, amount: object, **how: Unpack[How]) -> Snapshot:
        """Take money out; it is no loss.

        Raises:
            InvalidAmount: not a number above zero, or too large.
            InsufficientBalance: more than is available.
        """
        return self.carry_out("withdraw", amount, **how).snapshot

    def reset(self, balance: object = None, **how: Unpack[How]) -> Snapshot:
        """Begin a new epoch with ``balance`` (None: 10,000.00): open orders are cancelled,
        positions closed at their last known mark price, and the history stays readable.

        Raises:
            InvalidAmount: not a number, negative or too large.
        """
        return self.carry_out("reset", balance, **how).snapshot

    def carry_out(
        self,
        action: Action,
        amount: object,
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        note: str = "",
        source: str = "program",
    ) -> Outcome:
        """Do ``action`` with ``amount``: what the methods above do, with the words for it.

        Raises:
            InvalidRequest: the key or the note is too long or holds what can't be printed.
            KeyInFlight: another thread is at work on a request with this key.
            KeyReused, StaleRevision, StoreError: as the store says.
        """
        _check_text(note, "note", LONGEST_NOTE)
        operation = partial(_applied, _OPERATIONS[action], amount, note)
        if idempotency_key is None:
            return self._committed(operation, source, if_match, None)
        if not idempotency_key:
            raise InvalidRequest("The Idempotency-Key must not be empty.")
        _check_text(idempotency_key, "Idempotency-Key", LONGEST_KEY)
        request = Request(idempotency_key, _fingerprint(action, amount, note))
        self._take_off(idempotency_key)
        try:
            return self._committed(operation, source, if_match, request)
        finally:
            with self._flying:
                self._in_flight.discard(idempotency_key)

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
        return page(self._store, limit, before, kind, epoch)

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
        return rows(self._store, before, kind, epoch)

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Have ``listener`` called with the snapshot after every change made here, before the one
        who made it is answered."""
        self._listeners.append(listener)

    def _committed(
        self,
        operation: Callable[[Account], Change],
        source: str,
        if_match: int | None,
        request: Request | None,
    ) -> Outcome:
        commit = self._store.commit(operation, source=source, if_match=if_match, request=request)
        snapshot = self._seen(commit.state)
        if not commit.replayed:
            self._tell(snapshot)
        return Outcome(snapshot, told(commit.state.entries), commit.replayed)

    def _tell(self, snapshot: Snapshot) -> None:
        for listener in self._listeners:
            try:
                listener(snapshot)
            except Exception:
                # the change is made, and its caller must hear so
                _log.exception("a listener failed at revision %d", snapshot.revision)

    def _seen(self, state: State) -> Snapshot:
        shown = self._shown
        if shown is None or shown[0] is not state:
            shown = self._shown = state, state.snapshot(instance=self._instance)
        return shown[1]

    def _take_off(self, key: str) -> None:
        with self._flying:
            if key in self._in_flight:
                raise KeyInFlight(key)
            self._in_flight.add(key)


def open_account(data_dir: str | PathLike[str] = DEFAULT_DATA_DIR) -> Desk:
    """The account in ``data_dir``, the same for every program that opens it; a folder without one
    gets a new account of 10,000.00.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> bot, person = open_account(folder), open_account(folder)
    >>> seen = bot.deposit(250, idempotency_key="monthly-2026-01")
    >>> person.snapshot().balance == seen.balance == 10250
    True

    Raises:
        StoreError: the account is damaged, or the folder is not writable.
    """
    return Desk(FileStore(Path(data_dir)))


def _applied(operation: _Operation, amount: object, note: str, account: Account) -> Change:
    return operation(account, amount, note)


def _fingerprint(action: Action, amount: object, note: str) -> str:
    """What tells one request from another: the action, its amount as booked, and the note."""
    try:
        booked = None if amount is None else str(money(amount))
    except BalanceError:
        booked = ""  # it will be refused
    return hashlib.sha256(json.dumps([action, booked, note]).encode()).hexdigest()


def _check_text(text: object, what: str, longest: int) -> None:
    if not isinstance(text, str) or not text.isprintable() or len(text) > longest:
        raise InvalidRequest(
            f"The {what} must be a printable text of at most {longest} characters."
        )
