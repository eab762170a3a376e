"""What the trades of one owner add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core.money import ZERO
from balance.core.trade import Trade

#: How many points of the curve are kept.
CURVE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over closed trades, in the quote currency."""

    trades: int = 0
    # those that brought more than nothing, after fees and funding
    wins: int = 0
    # those that brought less than nothing
    losses: int = 0
    # after fees and funding
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    # received less paid
    funding: Decimal = ZERO
    # the P&L of the winning trades, and of the losing ones, without its sign
    gained: Decimal = ZERO
    lost: Decimal = ZERO
    # when the newest trade ended, by the market's clock
    closed_at: datetime | None = None
    # the P&L after each of the newest trades, the newest last
    curve: tuple[Decimal, ...] = ()

    def with_trade(self, trade: Trade) -> Tally:
        """The sums with one more trade."""
        pnl = self.pnl + trade.pnl
        return Tally(
            trades=self.trades + 1,
            wins=self.wins + (trade.outcome == "win"),
            losses=self.losses + (trade.outcome == "loss"),
            pnl=pnl,
            fees=self.fees + trade.fees,
            funding=self.funding + trade.funding,
            gained=self.gained + max(trade.pnl, ZERO),
            lost=self.lost + max(-trade.pnl, ZERO),
            closed_at=trade.closed_at,
            curve=(*self.curve[1 - CURVE :], pnl),
        )

    @property
    def even(self) -> int:
        """How many brought exactly nothing: neither winning nor losing trades."""
        return self.trades - self.wins - self.losses

    @property
    def win_rate(self) -> Decimal | None:
        """Winning trades in percent of all, even ones included; None before the first trade."""
        return Decimal(self.wins) / self.trades * 100 if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        """What winning trades gained over what losing ones lost; None where nothing was lost."""
        return self.gained / self.lost if self.lost else None


def tallied(trades: Iterable[Trade]) -> Tally:
    """The sums over ``trades``, oldest first."""
    tally = Tally()
    for trade in trades:
        tally = tally.with_trade(trade)
    return tally
