"""The settled money of one epoch, and the one table of what each kind of entry moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.errors import AccountingError
from balance.core.figures import plain
from balance.core.money import LIMIT, ZERO
from balance.core.shape import Count, Money

#: Which total a kind of entry moves, and with what sign; its amount always moves the balance.
MOVES: Final = MappingProxyType(
    {
        "deposit": ("deposits", 1),
        "withdrawal": ("withdrawals", -1),
        "adjustment": ("adjustments", 1),
        "external_edit": ("adjustments", 1),
        "repair": ("adjustments", 1),
        "realized_pnl": ("realized_pnl", 1),
        "liquidation": ("realized_pnl", 1),
        "fee": ("fees_paid", -1),
        "funding": ("funding", 1),
    }
)
#: The kinds that open an epoch: their amount is the balance that it begins with.
OPENINGS: Final = ("start", "reset", "undo")
#: The kinds that tell what became of orders, positions and leverages, and move no money themselves.
EVENTS: Final = ("order", "cancel", "fill", "margin", "leverage")
#: The kinds that a fill is booked with, right behind its own entry and in the same commit.
OF_A_FILL: Final = ("realized_pnl", "fee")
#: Every kind of ledger entry there is.
KINDS: Final = (*OPENINGS, *MOVES, *EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """Settled money in the quote currency since the epoch began; all but ``funding`` and the
    P&L totals are at least zero."""

    # The wallet balance: stored, not derived, so that ``explained`` can prove it.
    balance: Money
    # Counts resets, from 1.
    epoch: Count
    starting_balance: Money
    deposits: Money = ZERO
    withdrawals: Money = ZERO
    # Gains and losses booked from outside.
    adjustments: Money = ZERO
    # Closed P&L before fees.
    realized_pnl: Money = ZERO
    fees_paid: Money = ZERO
    # Funding received less funding paid.
    funding: Money = ZERO

    @classmethod
    def opened(cls, epoch: int, starting_balance: Decimal) -> Wallet:
        """The wallet at the first moment of ``epoch``."""
        return cls(epoch=epoch, starting_balance=starting_balance, balance=starting_balance)

    def booked(self, kind: str, amount: Decimal) -> Wallet:
        """The wallet after an entry of ``kind`` whose amount moved the balance by ``amount``.

        Raises:
            AccountingError: an event that would move money.
        """
        if kind in EVENTS:
            if amount:
                raise AccountingError(f"An entry of kind {kind} moves {plain(amount)}.")
            return self
        total, sign = MOVES[kind]
        return replace(
            self,
            **{total: getattr(self, total) + sign * amount, "balance": self.balance + amount},
        )

    @property
    def capital(self) -> Decimal:
        """What was put in: starting balance + deposits - withdrawals."""
        return self.starting_balance + self.deposits - self.withdrawals

    @property
    def explained(self) -> Decimal:
        """What the balance must be: capital + adjustments + realised P&L - fees + funding."""
        return self.capital + self.adjustments + self.realized_pnl - self.fees_paid + self.funding

    def check(self) -> None:
        """Prove that the balance is explained, not negative and not beyond ``LIMIT``.

        Raises:
            AccountingError: it is not.
        """
        if self.balance != self.explained:
            raise AccountingError(
                f"The balance {plain(self.balance)} is not the sum of its parts, "
                f"{plain(self.explained)}."
            )
        for name in ("balance", "starting_balance"):
            if getattr(self, name) < 0:
                raise AccountingError(f"The {name} {plain(getattr(self, name))} is negative.")
        if self.balance > LIMIT:
            raise AccountingError(f"The balance {plain(self.balance)} is more than {LIMIT:,}.")
