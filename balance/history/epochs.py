"""Epochs: what happened between two resets, in exact sums.

An epoch is opened by the start of the account, by a reset, or by an undo, which continues an older
epoch from where a reset had ended it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from balance.core.money import ZERO
from balance.core.trade_sums import TradeSums
from balance.core.wallet import EVENTS, Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch as far as its entries are known; money in the quote currency."""

    opened_at: datetime
    # Of the entry that opened the next one; None: it is the current one.
    ended_at: datetime | None = None
    # The kind of its first entry.
    opened_by: str
    # The older epoch that an undo continues.
    continues: int | None = None
    # The P&L of the account before it, of all time.
    carried: Decimal
    first_revision: int
    last_revision: int
    entries: int
    # As its newest entry left it.
    wallet: Wallet
    trades: TradeSums
    # As they were before its newest commit: an undo of a reset that closed something continues
    # with them.
    trades_before: TradeSums

    @property
    def epoch(self) -> int:
        """Its number, from 1."""
        return self.wallet.epoch

    @property
    def funding_paid(self) -> Decimal:
        """Funding paid less funding received."""
        return -self.wallet.funding

    @property
    def pnl(self) -> Decimal:
        """Settled P&L: balance - (starting balance + deposits - withdrawals)."""
        return self.wallet.balance - self.wallet.capital

    @property
    def pnl_percent(self) -> Decimal | None:
        """P&L in percent of the capital put in; None where none is left in."""
        return self.pnl / self.wallet.capital * 100 if self.wallet.capital > 0 else None


class RunningEpoch:
    """An epoch that entries are added to: many of them cost little more than one."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch = epoch
        self._last_revision, self._entries = epoch.last_revision, epoch.entries
        self._trades, self._trades_before = epoch.trades, epoch.trades_before
        self._wallet = epoch.wallet
        # What has moved the wallet since, by the kind of entry.
        self._moved: dict[str, Decimal] = {}

    @property
    def number(self) -> int:
        """The number of the epoch, from 1."""
        return self._epoch.epoch

    def add(
        self, revision: int, kind: str, amount: str, wallet: Wallet | None, pnl: Decimal | None
    ) -> None:
        """One more entry, which moved ``amount`` or states the ``wallet`` and, unless None, ended a
        trade with a P&L of ``pnl``."""
        if revision != self._last_revision:
            self._last_revision, self._trades_before = revision, self._trades
        self._entries += 1
        if pnl is not None:
            self._trades = self._trades.with_pnl(pnl)
        if wallet is not None:
            self._wallet, self._moved = wallet, {}
        elif kind not in EVENTS:
            self._moved[kind] = self._moved.get(kind, ZERO) + Decimal(amount)

    def epoch(self) -> Epoch:
        """The epoch with the entries that were added."""
        wallet = self._wallet
        for kind, amount in self._moved.items():
            wallet = wallet.booked(kind, amount)
        return replace(
            self._epoch,
            last_revision=self._last_revision,
            entries=self._entries,
            wallet=wallet,
            trades=self._trades,
            trades_before=self._trades_before,
        )


def opened_epoch(
    kind: str,
    opened_at: datetime,
    revision: int,
    wallet: Wallet,
    continues: int | None = None,
    since: Sequence[Epoch] = (),
) -> Epoch:
    """The epoch that an entry of ``kind`` opens with ``wallet``. ``since`` are the epochs from the
    one that it ``continues``, or else from the newest, up to the newest."""
    sums, carried = TradeSums(), ZERO
    if since and continues is not None:
        first, *between = since
        # The P&L of an epoch includes that of the epoch which it continued.
        counted = {each.continues for each in between}
        # A reset that closed something has its fills at the end of the epoch that it ended
        closed = bool(between) and first.last_revision == between[0].first_revision
        sums = first.trades_before if closed else first.trades
        carried = first.carried + sum(
            (each.pnl for each in between if each.epoch not in counted), ZERO
        )
    elif since:
        carried = since[-1].carried + since[-1].pnl
    return Epoch(
        opened_at=opened_at,
        opened_by=kind,
        continues=continues,
        carried=carried,
        first_revision=revision,
        last_revision=revision,
        entries=1,
        wallet=wallet,
        trades=sums,
        trades_before=sums,
    )
