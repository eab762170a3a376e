"""Positions and open orders of linear perpetual futures, with isolated margin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from balance.core.money import ZERO

Side = Literal["long", "short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One open position, one-way mode: money in the quote currency, prices per base unit."""

    # ccxt's unified symbol, such as BTC/USDT
    symbol: str
    side: Side
    # base units, above zero
    quantity: Decimal
    # quantity-weighted average of the fills; fees never enter it
    entry_price: Decimal
    leverage: Decimal
    # the position's own isolated wallet: stored, never rebuilt from the leverage
    isolated_margin: Decimal
    # of the bracket that holds the notional: a fraction of it, and the bracket's deduction
    maintenance_rate: Decimal
    maintenance_amount: Decimal
    # the last known mark price, and when it was known
    mark_price: Decimal
    marked_at: datetime
    opened_at: datetime

    @property
    def notional(self) -> Decimal:
        """Quantity times mark price."""
        return self.quantity * self.mark_price

    @property
    def unrealized_pnl(self) -> Decimal:
        """``side * quantity * (mark - entry)``, without fees and funding (Binance USD-M FAQ)."""
        gain = self.quantity * (self.mark_price - self.entry_price)
        return gain if self.side == "long" else -gain

    @property
    def maintenance_margin(self) -> Decimal:
        """``notional * rate - amount`` at mark price, at least zero (Binance USD-M FAQ)."""
        return max(ZERO, self.notional * self.maintenance_rate - self.maintenance_amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One open order and the margin that it keeps back, in the quote currency."""

    id: str
    symbol: str
    side: Literal["buy", "sell"]
    type: str
    # base units, above zero
    quantity: Decimal
    # limit or trigger price; none for an order at market
    price: Decimal | None
    # initial margin reserved until it fills or is cancelled
    reserved_margin: Decimal
    placed_at: datetime
