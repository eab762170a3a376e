"""Ledger entries: one for every change, in the order in which the changes were committed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core.account import Account
from balance.core.errors import AccountingError, InvalidRequest
from balance.core.money import ZERO
from balance.core.trade import Effect, Fill
from balance.core.wallet import OPENINGS, Wallet

_CURSOR: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What an operation books before it is committed: an entry without revision and time."""

    epoch: int
    kind: str
    # What it added to the wallet balance; where it opens an epoch, what that begins with.
    amount: Decimal
    # The wallet balance after it.
    balance: Decimal
    note: str = ""
    # The account from here on, where the entry states it anew instead of changing it.
    restated: Account | None = None
    # What it does to positions and orders.
    effect: Effect | None = None
    fill: Fill | None = None
    # The account before a reset, for an undo; older versions stored none.
    ended: Account | None = None
    # The epoch that an undo continues.
    continues: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger; money in the quote currency."""

    # The committed change that it belongs to, and its place among that change's entries, from 1.
    revision: int
    line: int
    time: datetime
    # Who caused it: screen, http, shell, program, bot, market, offline or file.
    source: str
    booking: Booking

    @property
    def place(self) -> Place:
        """Where the entry stands in the ledger: revision, then line."""
        return (self.revision, self.line)


#: Where an entry stands in the ledger: its revision, and its line within that.
Place = tuple[int, int]


def cursor(place: Place) -> str:
    """``place`` as text for ``before``: ``"42"`` for a change's first line, else ``"42.3"``."""
    revision, line = place
    return str(revision) if line == 1 else f"{revision}.{line}"


def place_of(text: str) -> Place:
    """The place that a cursor names.

    Raises:
        InvalidRequest: not a cursor.
    """
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            f"before must be a revision such as 42, or the last page's next, not {text[:40]!r}."
        )
    return int(match[1]), int(match[2] or 1)


def follows(last: Entry | None, entry: Entry) -> bool:
    """Whether ``entry`` may stand right after ``last`` (None: at the start): nothing is left out,
    unless a repair says that something was lost."""
    revision, line = last.place if last is not None else (0, 0)
    next_places = ((revision, line + 1), (revision + 1, 1))
    repaired = entry.booking.kind == "repair" and entry.place > (revision, line)
    return entry.place in next_places or repaired


def replay(entries: Iterable[Entry], account: Account | None = None) -> Account | None:
    """The account that ``entries`` lead to, starting from ``account`` (None: before the first);
    its positions are marked as they were when an entry last touched them.

    Raises:
        AccountingError: an entry does not follow from the one before it.
    """
    for entry in entries:
        account = _after(account, entry.booking, entry.place)
    return account


def _after(account: Account | None, booking: Booking, at: Place) -> Account:
    if booking.restated is not None:
        after = booking.restated
        goes_on = account is not None and account.wallet.epoch == after.wallet.epoch
        known = account.wallet.balance if account is not None and goes_on else ZERO
        if known + booking.amount != after.wallet.balance:
            raise AccountingError(f"Entry {cursor(at)} does not follow from the one before it.")
    elif booking.kind in OPENINGS:
        leverages = () if account is None else account.leverages
        after = Account(Wallet.opened(booking.epoch, booking.amount), leverages=leverages)
    elif account is None:
        raise AccountingError(f"Entry {cursor(at)} has no start before it.")
    else:
        after = replace(account, wallet=account.wallet.booked(booking.kind, booking.amount))
    if booking.effect is not None:
        after = booking.effect.on(after)
    wallet = after.wallet
    if (wallet.epoch, wallet.balance) != (booking.epoch, booking.balance):
        raise AccountingError(
            f"Entry {cursor(at)} says epoch {booking.epoch}, balance {booking.balance}, "
            f"but the entries up to it give epoch {wallet.epoch}, balance {wallet.balance}."
        )
    return after
