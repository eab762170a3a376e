"""What the equity's answers ask of the account's history, which others keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from balance.core.entry import Place
from balance.core.errors import BalanceError
from balance.performance.past_epochs import PastEpoch


class Mark(Protocol):
    """An entry that is marked on the curve of the equity."""

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""

    @property
    def time(self) -> datetime:
        """When it was booked."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def amount(self) -> Decimal:
        """What it moved the balance by, or what an epoch began with."""


class History(Protocol):
    """The account's history as far as it is indexed. All may raise a BalanceError where it can't
    be read now."""

    def epoch(self, number: int) -> PastEpoch | None:
        """The epoch with ``number``; None where it is not indexed."""

    def epochs(self, most: int = 1_000) -> Sequence[PastEpoch]:
        """The newest ``most`` epochs."""

    def marks(self, begin: datetime, end: datetime, most: int) -> Sequence[Mark]:
        """The newest ``most`` marks from ``begin`` to ``end``, oldest first."""


class NoHistory:
    """Where nobody keeps one."""

    def epoch(self, _number: int) -> PastEpoch | None:
        """None."""
        return None

    def epochs(self, _most: int = 1_000) -> Sequence[PastEpoch]:
        """None at all."""
        return ()

    def marks(self, _begin: datetime, _end: datetime, _most: int) -> Sequence[Mark]:
        """None at all."""
        return ()


def carried_by(history: History) -> Callable[[int], Decimal | None]:
    """Tells what the epochs before one brought, by its number; None while that is not known."""

    def carried(epoch: int) -> Decimal | None:
        if epoch == 1:
            return Decimal(0)
        try:
            found = history.epoch(epoch)
        except BalanceError:
            return None
        return None if found is None else found.carried

    return carried
