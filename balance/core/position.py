"""Positions in linear perpetual futures, with isolated margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core import margin
from balance.core.instrument import Bracket, Instrument, bracket_of
from balance.core.margin import Side
from balance.core.money import ZERO, significant
from balance.core.quote import Quote
from balance.core.shape import Cost, Leverage, Money, Name, Price, Quantity, Rate, Symbol, Total

# A fraction of the entry price: the margin of a long at 1x is rounded, and a liquidation price that
# only the rounding makes lies below this.
_NO_PRICE: Final = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One open position, one-way mode: money in the quote currency, prices per base unit."""

    # The unified symbol of ccxt, such as BTC/USDT.
    symbol: Symbol
    # The id of the feed that it was opened on, the only one that may mark it.
    feed: Name
    side: Side
    # In base units, above zero.
    quantity: Quantity
    # Average of the fills, weighted by quantity; fees never enter it.
    entry_price: Price
    leverage: Leverage
    # The last known mark price.
    mark_price: Price
    # The position's own isolated wallet: stored, never rebuilt from the leverage.
    isolated_margin: Cost
    # Of the bracket that holds the notional: the fraction of it, and what is deducted.
    maintenance_rate: Rate
    maintenance_amount: Cost
    # The mark price at which the isolated wallet is lost; None where there is none.
    liquidation_price: Price | None
    # Since it was opened: gross P&L of what was closed, fees, funding received less paid.
    realized_pnl: Money = ZERO
    fees_paid: Money = ZERO
    funding: Money = ZERO
    # What was closed since then, in base units, with the sums of quantity times entry price at the
    # time, and of quantity times exit price.
    closed_quantity: Total = ZERO
    closed_cost: Total = ZERO
    closed_value: Total = ZERO
    # The time of the mark price, by the market's clock as all times of a position.
    marked_at: datetime
    opened_at: datetime
    # The last funding settlement that was processed or, before the first, the opening.
    funded_at: datetime
    # The bot, by its id, or the key or the agent, by its name, that has it; empty: the person.
    owner: str = ""
    # The reason that was given for its opening; empty where there is none.
    opened_because: str = ""

    @property
    def notional(self) -> Decimal:
        """Quantity times mark price."""
        return self.quantity * self.mark_price

    @property
    def unrealized_pnl(self) -> Decimal:
        """At the last known mark price, without fees and funding."""
        return margin.unrealized_pnl(self.side, self.quantity, self.entry_price, self.mark_price)

    @property
    def maintenance_margin(self) -> Decimal:
        """At the last known mark price."""
        return margin.maintenance_margin(
            self.notional, self.maintenance_rate, self.maintenance_amount
        )

    @property
    def roe(self) -> Decimal:
        """Unrealised P&L over the initial margin at the entry price, as a fraction."""
        return margin.roe(
            self.side, self.quantity, self.entry_price, self.mark_price, self.leverage
        )

    @property
    def bankruptcy_price(self) -> Decimal:
        """Where the isolated margin is lost to the cent."""
        return margin.bankruptcy_price(
            self.side, self.quantity, self.entry_price, self.isolated_margin
        )

    def settlement_price(self, price: Decimal) -> Decimal:
        """The price that a close at ``price`` is settled at: no worse than the bankruptcy price, as
        no more than the isolated margin is lost."""
        limit = significant(self.bankruptcy_price)
        return max(price, limit) if self.side == "long" else min(price, limit)

    @property
    def net_pnl(self) -> Decimal:
        """Realised P&L - fees + funding so far, without what is open."""
        return self.realized_pnl - self.fees_paid + self.funding

    def marked(self, quote: Quote, instrument: Instrument) -> Position:
        """The position at the mark price of ``quote``."""
        bracket = instrument.bracket(self.quantity * quote.mark)
        return replace(
            self,
            mark_price=quote.mark,
            marked_at=quote.time,
            maintenance_rate=bracket.maintenance_rate,
            maintenance_amount=bracket.maintenance_amount,
        )

    def measured(self, brackets: Sequence[Bracket]) -> Position:
        """The position with the maintenance margin and the liquidation price that ``brackets`` give
        its quantity and its isolated margin; without any it has neither."""
        if not brackets:
            return replace(
                self, maintenance_rate=ZERO, maintenance_amount=ZERO, liquidation_price=None
            )
        bracket = bracket_of(brackets, self.notional)
        price = margin.liquidation_price(
            self.side, self.quantity, self.entry_price, self.isolated_margin, brackets
        )
        if price is not None:
            price = None if price < self.entry_price * _NO_PRICE else significant(price)
        return replace(
            self,
            maintenance_rate=bracket.maintenance_rate,
            maintenance_amount=bracket.maintenance_amount,
            liquidation_price=price,
        )

    def is_liquidated_at(self, mark: Decimal) -> bool:
        """Whether ``mark`` is at the liquidation price or beyond."""
        if self.liquidation_price is None:
            return False
        direction = margin.sign(self.side)
        return direction * (mark - self.liquidation_price) <= 0
