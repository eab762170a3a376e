"""What a trade leaves in the ledger: the fill, and what became of the position and the orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from balance.core.account import Account
from balance.core.position import Order, OrderSide, OrderType, Position, Reason

#: Whether an order rested and was met, or met others.
Liquidity = Literal["maker", "taker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One fill; quantities in base units, money in the quote currency."""

    order_id: str
    symbol: str
    side: OrderSide
    type: OrderType
    reason: Reason
    liquidity: Liquidity
    quantity: Decimal
    price: Decimal
    fee: Decimal
    # of the quantity, what closed a position rather than opening one, and what that brought, gross
    closed_quantity: Decimal
    realized_pnl: Decimal
    # what the position has brought in all, where this fill closed it: realised P&L - fees + funding
    # since it was opened; None where it did not
    position_pnl: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What became of a symbol's position and orders by an entry: enough to replay it."""

    symbol: str
    # the position after it; None where there is none
    position: Position | None
    # orders that are open from here on, and ids of those that are no longer
    opened: tuple[Order, ...] = ()
    closed: tuple[str, ...] = ()

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
