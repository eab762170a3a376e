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
from functools import partial
from typing import Any, Final, Protocol, TypedDict

from balance.core.account import Account
from balance.core.change import Change, Operation
from balance.core.entry import Booking, Entry
from balance.core.errors import KeyInFlight, StoreError
from balance.core.market import NO_MARKET, Market
from balance.core.messages import change_message
from balance.core.operations import can_undo
from balance.core.order_request import check_key, check_text
from balance.core.periods import NO_BASELINES, Baselines
from balance.core.quote import Candle
from balance.core.snapshot import Snapshot
from balance.desk.news import RecentNews
from balance.store.state import Request, State, Store

LONGEST_NOTE: Final = 200

_log = logging.getLogger(__name__)


class Conditions(TypedDict, total=False):
    """The conditions of a change; each is optional."""

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
    # what was booked
    entries: tuple[Entry, ...] = ()


class Board(Protocol):
    """Where the newest prices are to be read."""

    @property
    def market(self) -> Market:
        """The market as it is now."""

    @property
    def candles(self) -> Callable[[str, int, int], Sequence[Candle]]:
        """Gives candles: of which symbol, of how many seconds each, how many at most."""


#: Finds the baselines of an account by its id, its epoch and the entries of its newest commit.
FindBaselines = Callable[[str, int, Sequence[Entry]], Baselines]


def no_baselines(_account: str, _epoch: int, _entries: Sequence[Entry]) -> Baselines:
    """No baselines, as where no samples are taken."""
    return NO_BASELINES


class Transactions:
    """The account in a store, seen at the prices of a board. Safe to use from many threads."""

    def __init__(
        self, store: Store, board: Board, find_baselines: FindBaselines = no_baselines
    ) -> None:
        self.store = store
        #: Finds what is known of earlier days and epochs; the taker of samples replaces it.
        self.find_baselines = find_baselines
        self._board = board
        # prices that are not on the board yet, and the revision that they act on
        self._ahead: tuple[int, Market] = (0, NO_MARKET)
        # tells the ticks of this process from those of another
        self._instance = secrets.token_hex(4)
        self._shown: tuple[tuple[State, Market, Baselines], Snapshot] | None = None
        # what opened an epoch of an account, so that it is looked up once
        self._opening: tuple[tuple[str, int], Booking] | None = None
        self._recent_news = RecentNews(store)
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._entry_listeners: list[Callable[[Snapshot, Sequence[Entry]], None]] = []
        self._in_flight: set[str] = set()
        self._flying = threading.Lock()

    @property
    def market(self) -> Market:
        """The market as it is now."""
        return self._board.market

    @property
    def board(self) -> Board:
        """Where the prices are to be read."""
        return self._board

    @property
    def version(self) -> tuple[str, int]:
        """The account's id and revision, which change with every commit.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        state = self.store.read()
        return state.account_id, state.revision

    def snapshot(self) -> Snapshot:
        """The account as it is now.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        return self._seen(self.store.read())

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Have ``listener`` called with the snapshot after every change made here, before the one
        who made it is answered."""
        self._listeners.append(listener)

    def subscribe_entries(self, listener: Callable[[Snapshot, Sequence[Entry]], None]) -> None:
        """Have ``listener`` called as :meth:`subscribe` does, with the entries of the change."""
        self._entry_listeners.append(listener)

    def execute(
        self,
        operation: Operation,
        asked: Sequence[Any],
        *,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        note: str = "",
        source: str = "program",
        market: Market | None = None,
    ) -> Outcome:
        """Commit ``operation``; ``asked`` is what tells this request from another, as JSON. Where
        prices do it that are not on the board yet, ``market`` has them: they are seen with what
        they did, and not before.

        Raises:
            InvalidRequest: the key or the note is too long or holds what can't be printed.
            KeyInFlight: another thread is at work on a request with this key.
            KeyReused, StaleRevision, StoreError: as the store says.
        """
        check_text(note, "note", LONGEST_NOTE)
        if market is not None:
            operation = partial(self._acted_on, operation, market)
        if idempotency_key is None:
            return self._committed(operation, source, if_match, None)
        check_key(idempotency_key)
        fingerprint = hashlib.sha256(json.dumps([*asked, note]).encode()).hexdigest()
        with self._taken_off(idempotency_key):
            request = Request(idempotency_key, fingerprint)
            return self._committed(operation, source, if_match, request)

    def _committed(
        self,
        operation: Operation,
        source: str,
        if_match: int | None,
        request: Request | None,
    ) -> Outcome:
        commit = self.store.commit(operation, source=source, if_match=if_match, request=request)
        snapshot = self._seen(commit.state)
        entries = commit.state.entries
        if not commit.replayed:
            self._tell(snapshot, entries)
        return Outcome(
            snapshot, change_message(entries, self.market.decimals), commit.replayed, entries
        )

    def _acted_on(self, operation: Operation, market: Market, account: Account) -> Change:
        # the store is locked: what is newer than this revision is what the prices do
        self._ahead = self.store.read().revision, market
        return operation(account)

    def _market_of(self, state: State) -> Market:
        """The prices of ``state``: the board's, or those that did it and are not there yet."""
        shown, (revision, ahead) = self._board.market, self._ahead
        return ahead if state.revision > revision and ahead.tick > shown.tick else shown

    def _tell(self, snapshot: Snapshot, entries: Sequence[Entry]) -> None:
        listeners = [partial(each, snapshot, entries) for each in self._entry_listeners]
        for tell in (*listeners, *(partial(each, snapshot) for each in self._listeners)):
            try:
                tell()
            except Exception:
                # the change is made, and its caller must hear so
                _log.exception("a listener failed at revision %d", snapshot.revision)

    def _seen(self, state: State) -> Snapshot:
        shown, market = self._shown, self._market_of(state)
        baselines = self.find_baselines(state.account_id, state.account.wallet.epoch, state.entries)
        of = (state, market, baselines)
        if shown is None or any(a is not b for a, b in zip(shown[0], of, strict=True)):
            seen = state.snapshot(
                instance=self._instance,
                market=market,
                can_undo_reset=self._can_undo(state, market),
                recent_news=self._recent_news.until(state, market.decimals),
                baselines=baselines,
            )
            shown = self._shown = of, seen
        return shown[1]

    def _can_undo(self, state: State, market: Market) -> bool:
        known, epoch = self._opening, state.account.wallet.epoch
        if known is None or known[0] != (state.account_id, epoch):
            try:
                opening = self.store.opening(epoch)
            except StoreError:
                return False  # whoever wants to undo is told
            if opening is None:
                return False
            known = self._opening = (state.account_id, epoch), opening.booking
        return can_undo(epoch, known[1], market)

    @contextmanager
    def _taken_off(self, key: str) -> Iterator[None]:
        with self._flying:
            if key in self._in_flight:
                raise KeyInFlight(key)
            self._in_flight.add(key)
        try:
            yield
        finally:
            with self._flying:
                self._in_flight.discard(key)
