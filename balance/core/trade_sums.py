"""What closed trades add up to: one class for bots, epochs, backtests and the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from balance.core.money import ZERO
from balance.core.trade import Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSums:
    """Exact sums over closed trades, in the quote currency; P&L is after fees and funding."""

    trades: int = 0
    # Trades with a P&L above zero.
    wins: int = 0
    # Trades with a P&L below zero.
    losses: int = 0
    # The P&L of the winning trades.
    gained: Decimal = ZERO
    # The P&L of the losing trades, without its sign.
    lost: Decimal = ZERO
    # The largest and the smallest P&L of one trade. None before the first trade, and where the
    # sums were read from a file that has no place for them.
    best: Decimal | None = None
    worst: Decimal | None = None
    # Fees paid, and funding received less paid. Zero where only the P&L of each trade is known.
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    # When the newest trade ended, by the market's clock; None where that is not known.
    closed_at: datetime | None = None

    def with_pnl(self, pnl: Decimal) -> TradeSums:
        """The sums with one more trade, of which only the P&L is known."""
        is_first = not self.trades
        return replace(
            self,
            trades=self.trades + 1,
            wins=self.wins + (pnl > 0),
            losses=self.losses + (pnl < 0),
            gained=self.gained + max(pnl, ZERO),
            lost=self.lost + max(-pnl, ZERO),
            best=pnl if is_first else None if self.best is None else max(self.best, pnl),
            worst=pnl if is_first else None if self.worst is None else min(self.worst, pnl),
        )

    def with_trade(self, trade: Trade) -> TradeSums:
        """The sums with one more trade."""
        return replace(
            self.with_pnl(trade.pnl),
            fees=self.fees + trade.fees,
            funding=self.funding + trade.funding,
            closed_at=trade.closed_at,
        )

    @property
    def pnl(self) -> Decimal:
        """The P&L of all trades together."""
        return self.gained - self.lost

    @property
    def even(self) -> int:
        """How many trades had a P&L of exactly zero: neither winning nor losing trades."""
        return self.trades - self.wins - self.losses

    @property
    def win_rate(self) -> Decimal | None:
        """Winning trades in percent of all, even ones included; None before the first trade."""
        return Decimal(self.wins) / self.trades * 100 if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Gross profit over gross loss; None where nothing was lost."""
        return self.gained / self.lost if self.lost else None

    @property
    def average_win(self) -> Decimal | None:
        """The mean P&L of a winning trade; None where there is none."""
        return self.gained / self.wins if self.wins else None

    @property
    def average_loss(self) -> Decimal | None:
        """The mean P&L of a losing trade, below zero; None where there is none."""
        return -self.lost / self.losses if self.losses else None

    @property
    def expectancy(self) -> Decimal | None:
        """The mean P&L of a trade; None before the first trade."""
        return self.pnl / self.trades if self.trades else None
