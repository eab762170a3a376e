"""Which epochs make up the P&L that an epoch began with, as far as the ledger tells."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol


class Trades(Protocol):
    """Sums over closed trades, after fees and funding, in the quote currency."""

    @property
    def trades(self) -> int:
        """How many there were."""

    @property
    def wins(self) -> int:
        """Those that brought more than nothing."""

    @property
    def losses(self) -> int:
        """Those that brought less than nothing."""

    @property
    def even(self) -> int:
        """Those that brought exactly nothing."""

    @property
    def gained(self) -> Decimal:
        """The P&L of the winning trades."""

    @property
    def lost(self) -> Decimal:
        """The P&L of the losing trades, without its sign."""

    @property
    def best(self) -> Decimal | None:
        """The largest P&L of a single one."""

    @property
    def worst(self) -> Decimal | None:
        """The smallest."""

    @property
    def win_rate(self) -> Decimal | None:
        """Winning trades in percent of all; None before the first."""

    @property
    def profit_factor(self) -> Decimal | None:
        """Gained over lost; None where nothing was lost."""


class PastEpoch(Protocol):
    """An epoch as the ledger tells it."""

    @property
    def epoch(self) -> int:
        """Its number."""

    @property
    def continues(self) -> int | None:
        """The older one that it goes on with, after an undo."""

    @property
    def carried(self) -> Decimal:
        """The P&L of the account before it, of all time."""

    @property
    def pnl(self) -> Decimal:
        """What was settled in it."""

    @property
    def trades(self) -> Trades:
        """What its trades add up to."""


def counted(epoch: int, epochs: Mapping[int, PastEpoch]) -> frozenset[int] | None:
    """The epochs whose P&L is what ``epoch`` began with: all before it, but for those that a later
    one goes on with, which is in the later one's P&L. None where one of ``epochs`` is missing."""
    found: set[int] = set()
    number = epoch
    while number > 1:
        row = epochs.get(number)
        if row is None:
            return None
        if row.continues is None:
            number -= 1
            found.add(number)
            continue
        between = range(row.continues + 1, number)
        if any(each not in epochs for each in between):
            return None
        continued = {epochs[each].continues for each in between}
        found |= {each for each in between if each not in continued}
        number = row.continues
    return frozenset(found)
