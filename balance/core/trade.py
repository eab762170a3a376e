"""What a trade leaves in the ledger: the fill, and what became of the position and the orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from balance.core.account import Account
from balance.core.margin import Side
from balance.core.order import Liquidity, Order, OrderSide, OrderType, Reason
from balance.core.position import Position
from balance.core.shape import Cost, Money, Name, Price, Quantity, Symbol, Total

#: What a trade came to: it brought more than nothing, less, or exactly nothing.
Outcome = Literal["win", "loss", "even"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A position from its opening to its end; money in the quote currency, times as of the market's
    clock."""

    # the id of the bot that it belonged to; empty: it was the person's
    owner: str
    symbol: Symbol
    side: Side
    # why it was opened and how it ended, in words
    opened_because: str
    closed_because: str
    # base units, of all that was closed
    quantity: Total
    # quantity-weighted averages
    entry_price: Price
    exit_price: Price
    # realised P&L before fees, fees, and funding received
    gross: Money
    fees: Money
    funding: Money
    opened_at: datetime
    closed_at: datetime

    @property
    def pnl(self) -> Decimal:
        """What it brought in all: gross - fees + funding."""
        return self.gross - self.fees + self.funding

    @property
    def outcome(self) -> Outcome:
        """What it came to, after fees and funding, to the last of eight decimals."""
        return "win" if self.pnl > 0 else "loss" if self.pnl < 0 else "even"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One fill; quantities in base units, money in the quote currency."""

    order_id: Name
    symbol: Symbol
    side: OrderSide
    type: OrderType
    reason: Reason
    liquidity: Liquidity
    quantity: Quantity
    price: Price
    fee: Cost
    # of the quantity, what closed a position rather than opening one, and what that brought, gross
    closed_quantity: Total
    realized_pnl: Money
    # what the position has brought in all, where this fill closed it: realised P&L - fees + funding
    # since it was opened; None where it did not
    position_pnl: Money | None
    # whose it is: that of the position which it closed a part of, or else of the order
    owner: str = ""
    # as of the market's clock; None in a ledger of older versions
    filled_at: datetime | None = None
    # the id of the feed whose clock that is; empty in a ledger of older versions
    feed: str = ""
    # the position that it ended, where it did
    trade: Trade | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What became of a symbol's position and orders by an entry: enough to replay it."""

    symbol: Symbol
    # the position after it; None where there is none
    position: Position | None
    # orders that are open from here on, and ids of those that are no longer
    opened: tuple[Order, ...] = ()
    closed: tuple[Name, ...] = ()

    def on(self, account: Account) -> Account:
        """``account`` with this effect on its position and orders."""
        return replace(
            account,
            positions=_replaced(account.positions, self.symbol, self.position),
            orders=tuple(each for each in account.orders if each.id not in self.closed)
            + self.opened,
        )


def _replaced(
    positions: Iterable[Position], symbol: str, position: Position | None
) -> tuple[Position, ...]:
    """``positions`` with that of ``symbol`` replaced where it stands, or added at the end."""
    found, result = False, []
    for each in positions:
        if each.symbol != symbol:
            result.append(each)
            continue
        found = True
        if position is not None:
            result.append(position)
    if not found and position is not None:
        result.append(position)
    return tuple(result)
