"""What trading leaves in the ledger: fills, ended trades, and effects on positions and orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from balance.core.account import Account, SymbolLeverage
from balance.core.margin import Side
from balance.core.order import Liquidity, Order, OrderSide, OrderType, Reason
from balance.core.position import Position
from balance.core.shape import Cost, Leverage, Money, Name, Percent, Price, Quantity, Symbol, Total

#: How an order ends without a fill: somebody or something that it was bound to cancelled it, the
#: desk ended it, or the market refused it as it arrived.
OrderEnd = Literal["canceled", "expired", "rejected"]
#: Why orders end with what they belong to.
POSITION_CLOSED: Final = "its position was closed"
LIQUIDATED: Final = "its position was liquidated"
REPLACED: Final = "another exit has replaced it"
#: Whether a trade won, lost, or came out even.
Outcome = Literal["win", "loss", "even"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A position from its opening to its end; money in the quote currency, times as of the market's
    clock."""

    # The bot, by its id, or the key or the agent, by its name, that had it; empty: the person.
    owner: str
    symbol: Symbol
    side: Side
    # The reasons that were given for its opening and its end.
    opened_because: str
    closed_because: str
    # All that was closed, in base units.
    quantity: Total
    # Averages over all fills, weighted by quantity.
    entry_price: Price
    exit_price: Price
    # The realised P&L before fees.
    gross: Money
    fees: Money
    # Funding received less funding paid.
    funding: Money
    opened_at: datetime
    closed_at: datetime

    @property
    def pnl(self) -> Decimal:
        """The P&L in all: gross - fees + funding."""
        return self.gross - self.fees + self.funding

    @property
    def seconds(self) -> int:
        """How long it lasted, in whole seconds."""
        return int((self.closed_at - self.opened_at).total_seconds())

    @property
    def outcome(self) -> Outcome:
        """Whether it won or lost after fees and funding, to the last of eight decimals."""
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
    # The part of the quantity that closed a position.
    closed_quantity: Total
    # The P&L of that part, before fees.
    realized_pnl: Money
    # The P&L of the whole position where this fill closed it: realised P&L - fees + funding since
    # it was opened; None where it did not.
    position_pnl: Money | None
    # The owner of the position that it closed a part of, or else of the order.
    owner: str = ""
    # By the market's clock; None in a ledger of older versions.
    filled_at: datetime | None = None
    # The id of the feed whose clock that is; empty in a ledger of older versions.
    feed: str = ""
    # The trade that it ended; None where it ended none.
    trade: Trade | None = None
    # Of a trailing stop: the best mark price that it followed, and how far behind it was, in
    # percent.
    best_price: Price | None = None
    callback_percent: Percent | None = None
    # The name that its order had been given; empty where there is none.
    client_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What an entry does to a symbol's position and orders: enough to replay it."""

    symbol: Symbol
    # The position after it; None where there is none.
    position: Position | None
    # The orders that are open from here on.
    opened: tuple[Order, ...] = ()
    # The ids of the orders that are no longer open.
    closed: tuple[Name, ...] = ()
    # How those ended that are neither filled nor opened again, and why; empty: on request. Older
    # versions said it of what an entry of kind cancel ends alone.
    ended: OrderEnd = "canceled"
    why: str = ""
    # The order that the entry's fill filled as it arrived, so that it never was open.
    arrived: Order | None = None
    # The leverage that the symbol is set to from here on; None: it stays.
    leverage: Leverage | None = None

    def on(self, account: Account) -> Account:
        """``account`` with this effect on its position, orders and leverage."""
        # Positions and orders stay at their places, and new ones come to the end.
        positions = {each.symbol: each for each in account.positions}
        if self.position is not None:
            positions[self.symbol] = self.position
        else:
            positions.pop(self.symbol, None)
        opened = {each.id: each for each in self.opened}
        left = [
            opened.pop(each.id, each)
            for each in account.orders
            if each.id in opened or each.id not in self.closed
        ]
        orders = (*left, *opened.values())
        leverages = account.leverages
        if self.leverage is not None:
            others = (each for each in leverages if each.symbol != self.symbol)
            leverages = (*others, SymbolLeverage(self.symbol, self.leverage))
        return replace(
            account, positions=tuple(positions.values()), orders=orders, leverages=leverages
        )
