"""The stream of the account: the events of its commits, each once and in order, whoever made
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from balance.binance.streams.account_events import Event, Followed, follow
from balance.core.entry import Booking, Entry
from balance.core.errors import AccountingError, StoreError
from balance.core.market import Market
from balance.core.money import ZERO
from balance.store.state import State, Store


class AccountStream:
    """Follows the account in ``store`` from :meth:`begin` to :meth:`end`. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # The newest state that was sent, and the account with the records of its open orders.
        self._known: tuple[State, Followed] | None = None

    def begin(self) -> None:
        """Follow from the newest commit on, unless that is so already.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        if self._known is None:
            state = self._store.read()
            self._known = state, Followed.of(state.account)

    def end(self) -> None:
        """Follow no more."""
        self._known = None

    def events(self, market: Market) -> Sequence[Event]:
        """What has happened since the last call, with the decimals of ``market``. Where the ledger
        can't tell it, what is otherwise than before.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        if self._known is None:
            return ()
        before, followed = self._known
        state = self._store.read()
        if (state.account_id, state.revision) == (before.account_id, before.revision):
            return ()
        try:
            followed, events = follow(followed, self._entries(before, state), market)
        except (StoreError, AccountingError):
            followed, events = follow(followed, [_difference(before, state)], market)
        # Its positions have the newest marks, which no entry has.
        self._known = state, replace(followed, account=state.account)
        return events

    def _entries(self, before: State, state: State) -> Sequence[Entry]:
        """The entries from behind ``before`` up to ``state``, oldest first.

        Raises:
            StoreUnreadable, AccountingError: the ledger does not tell them.
        """
        if state.account_id != before.account_id or state.revision < before.revision:
            raise AccountingError("This is another account.")
        if state.revision == before.revision + 1:
            return state.entries
        newer = list[Entry]()
        for entry in self._store.entries():
            if entry.revision <= before.revision:
                break
            if entry.revision <= state.revision:
                newer.append(entry)
        return newer[::-1]


def _difference(before: State, state: State) -> Entry:
    """An entry that states the account of ``state`` after that of ``before``."""
    wallet, known = state.account.wallet, before.account.wallet
    start = known.balance if known.epoch == wallet.epoch else ZERO
    booking = Booking(
        epoch=wallet.epoch,
        kind="repair",
        amount=wallet.balance - start,
        balance=wallet.balance,
        restated=state.account,
    )
    return Entry(revision=state.revision, line=1, time=state.changed_at, source="", booking=booking)
