"""Transactions: requests executed on the store, each once, and reported with their outcome."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypedDict

from balance.core.account import Account
from balance.core.change import Change, Operation
from balance.core.entry import Booking, Entry
from balance.core.errors import KeyInFlight, StoreError
from balance.core.market import NO_MARKET, Market
from balance.core.messages import BOT, change_message
from balance.core.operations import can_undo
from balance.core.periods import NO_BASELINES, Baselines
from balance.core.quote import Candle
from balance.core.request import check_key, check_text
from balance.core.snapshot import Snapshot
from balance.desk.news import RecentNews
from balance.store.state import Request, State, Store

LONGEST_NOTE: Final = 200

_log = logging.getLogger(__name__)


class Conditions(TypedDict, total=False):
    """The conditions of a change; each is optional."""

    # Refuse the change unless the account is at this revision.
    if_match: int | None
    # A repeated key gets the first answer and changes nothing.
    idempotency_key: str | None
    # Written into the ledger.
    note: str
    # How it was requested: screen, http, shell or program; bot wherever an owner requests it.
    source: str
    # The key or the agent, by its name, that requests it, which changes only what is its own; empty
    # or left out: the person.
    owner: str
    # Called when nobody else can change the account or the keys any more, and before the change,
    # which it refuses by raising: whether the owner may still make it.
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a change: the account after it, and one sentence that describes it."""

    snapshot: Snapshot
    message: str
    # Whether an earlier request with the same idempotency key had made it already.
    replayed: bool
    # The entries that were booked.
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNow:
    """The account as it was last committed, at the newest prices of ``market``: what a snapshot is
    made from, without its texts."""

    id: str
    revision: int
    account: Account
    market: Market
    # When the account last changed, whatever prices did since.
    changed_at: datetime


class Board(Protocol):
    """The newest prices."""

    @property
    def market(self) -> Market:
        """The market as it is now."""

    @property
    def candles(self) -> Callable[[str, int, int], Sequence[Candle]]:
        """Returns candles by their symbol, their length in seconds and the largest number."""


#: Finds the baselines of an account by its id, its epoch and the entries of its newest commit.
FindBaselines = Callable[[str, int, Sequence[Entry]], Baselines]


def no_baselines(_account: str, _epoch: int, _entries: Sequence[Entry]) -> Baselines:
    """No baselines, as where no samples are taken."""
    return NO_BASELINES


class Transactions:
    """The account in a store, seen at the prices of a board. Safe to use from many threads.

    Raises:
        StoreUnreadable: wherever the account is read, its file is missing or damaged.
    """

    def __init__(self, store: Store, board: Board) -> None:
        self.store = store
        self.board = board
        #: Finds what is known of earlier days and epochs; the taker of samples replaces it.
        self.find_baselines: FindBaselines = no_baselines
        # The revision before a commit that prices cause which are not on the board yet, and they.
        self._ahead: tuple[int, Market] = (0, NO_MARKET)
        # Distinguishes the ticks of this process from those of another.
        self._instance = secrets.token_hex(4)
        # The last snapshot, with what it was made from.
        self._newest: tuple[tuple[State, Market, Baselines], Snapshot] | None = None
        # What opened the epoch of an account, so that the ledger is searched once.
        self._opening: tuple[tuple[str, int], Booking] | None = None
        self._recent_news = RecentNews(store)
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._entry_listeners: list[Callable[[Snapshot, Sequence[Entry]], None]] = []
        self._keys_in_flight: set[str] = set()
        self._key_lock = threading.Lock()

    @property
    def version(self) -> tuple[str, int]:
        """The account's id and revision, which change with every commit."""
        state = self.store.read()
        return state.account_id, state.revision

    def snapshot(self) -> Snapshot:
        """The account as it is now."""
        return self._snapshot_of(self.store.read())

    def now(self) -> AccountNow:
        """The account as it is now, for who needs no texts: some hundred orders cost a snapshot
        milliseconds."""
        state = self.store.read()
        market = self._market_of(state)
        return AccountNow(
            id=state.account_id,
            revision=state.revision,
            account=state.account.marked(market),
            market=market,
            changed_at=state.changed_at,
        )

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Call ``listener`` with the snapshot after every change that is made here, before the one
        who made it gets the outcome."""
        self._listeners.append(listener)

    def subscribe_entries(self, listener: Callable[[Snapshot, Sequence[Entry]], None]) -> None:
        """Call ``listener`` as :meth:`subscribe` does, before others, with the entries as well."""
        self._entry_listeners.append(listener)

    def execute(
        self,
        operation: Operation,
        identity: Sequence[Any],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        note: str = "",
        source: str = "program",
        owner: str = "",
        check: Callable[[], None] = lambda: None,
        market: Market | None = None,
    ) -> Outcome:
        """Commit ``operation``; ``identity``, as JSON, with its note and its ``owner`` tells its
        request from others with the same key, and ``check`` may refuse it. Prices that cause it and
        are not on the board yet are in ``market``: they are seen with what they did, and not
        before.

        Raises:
            InvalidRequest: the key or the note is too long or holds what can't be printed.
            KeyInFlight: another thread is at work on a request with this key.
            KeyReused, StaleRevision, StoreError: as the store says.
        """
        check_text(note, "note", LONGEST_NOTE)
        request = None
        if idempotency_key is not None:
            check_key(idempotency_key)
            acting = [{"owner": owner}] if owner else []
            text = json.dumps([*identity, *acting, note])
            request = Request(idempotency_key, hashlib.sha256(text.encode()).hexdigest())

        def change(account: Account) -> Change:
            check()
            if market is not None:
                # The store is locked: these prices cause what is newer than this revision.
                self._ahead = self.store.read().revision, market
            return operation(account)

        with self._in_flight(idempotency_key):
            commit = self.store.commit(
                change, source=BOT if owner else source, if_match=if_match, request=request
            )
            snapshot, entries = self._snapshot_of(commit.state), commit.state.entries
            if not commit.replayed:
                self._notify(snapshot, entries)
        message = change_message(entries, self.board.market.decimals)
        return Outcome(snapshot, message, commit.replayed, entries)

    def _notify(self, snapshot: Snapshot, entries: Sequence[Entry]) -> None:
        calls = [
            *(partial(each, snapshot, entries) for each in self._entry_listeners),
            *(partial(each, snapshot) for each in self._listeners),
        ]
        for call in calls:
            try:
                call()
            except Exception:
                # The change is committed, so its caller must get the outcome.
                _log.exception("a listener failed at revision %d", snapshot.revision)

    def _market_of(self, state: State) -> Market:
        """The newest prices: those of the board, unless newer ones have caused ``state``."""
        market, (revision, ahead) = self.board.market, self._ahead
        is_ahead = state.revision > revision and ahead.tick > market.tick
        return ahead if is_ahead else market

    def _snapshot_of(self, state: State) -> Snapshot:
        market = self._market_of(state)
        baselines = self.find_baselines(state.account_id, state.account.wallet.epoch, state.entries)
        parts, newest = (state, market, baselines), self._newest
        if newest is None or any(a is not b for a, b in zip(newest[0], parts, strict=True)):
            snapshot = state.snapshot(
                instance=self._instance,
                market=market,
                can_undo_reset=self._can_undo(state, market),
                recent_news=self._recent_news.until(state, market.decimals),
                baselines=baselines,
            )
            newest = self._newest = parts, snapshot
        return newest[1]

    def _can_undo(self, state: State, market: Market) -> bool:
        known, epoch = self._opening, state.account.wallet.epoch
        if known is None or known[0] != (state.account_id, epoch):
            try:
                opening = self.store.opening(epoch)
            except StoreError:
                return False  # The undo itself raises the error.
            if opening is None:
                return False
            known = self._opening = (state.account_id, epoch), opening.booking
        return can_undo(epoch, known[1], market)

    @contextmanager
    def _in_flight(self, key: str | None) -> Iterator[None]:
        if key is None:
            yield
            return
        with self._key_lock:
            if key in self._keys_in_flight:
                raise KeyInFlight(key)
            self._keys_in_flight.add(key)
        try:
            yield
        finally:
            with self._key_lock:
                self._keys_in_flight.discard(key)
