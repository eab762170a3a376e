"""The account: the wallet of the running epoch, the positions and the open orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from balance.core.errors import AccountingError
from balance.core.figures import plain
from balance.core.market import Market
from balance.core.money import ZERO, quantized
from balance.core.order import Order, sum_by_group
from balance.core.position import Position
from balance.core.shape import Leverage, Symbol
from balance.core.wallet import Wallet


@dataclass(frozen=True, slots=True)
class SymbolLeverage:
    """The leverage that was set for a symbol, which its orders have that name none."""

    symbol: Symbol
    leverage: Leverage


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is true of the account at one revision; money in the quote currency."""

    wallet: Wallet
    positions: tuple[Position, ...] = field(default=())
    orders: tuple[Order, ...] = field(default=())
    # They belong to no epoch: a reset leaves them as they are.
    leverages: tuple[SymbolLeverage, ...] = ()

    def position(self, symbol: str) -> Position | None:
        """The open position of ``symbol``."""
        return next((each for each in self.positions if each.symbol == symbol), None)

    def orders_of(self, symbol: str) -> tuple[Order, ...]:
        """The open orders of ``symbol``, oldest first."""
        return tuple(each for each in self.orders if each.symbol == symbol)

    def with_orders(self, orders: Mapping[str, Order]) -> Account:
        """The account with ``orders``, by their ids, in place of those that are open."""
        return replace(self, orders=tuple(orders.get(each.id, each) for each in self.orders))

    def without_orders(self, ended: Iterable[Order]) -> Account:
        """The account without those of its open orders that have the ids of ``ended``."""
        ids = {each.id for each in ended}
        return replace(self, orders=tuple(each for each in self.orders if each.id not in ids))

    def with_groups(self, ended: Iterable[Order]) -> tuple[Order, ...]:
        """The open orders that end where those of ``ended`` do: these, and all of their groups."""
        ids = {each.id for each in ended}
        groups = {each.group for each in self.orders if each.id in ids and each.group}
        return tuple(each for each in self.orders if each.id in ids or each.group in groups)

    def set_leverage(self, symbol: str) -> Decimal | None:
        """The leverage that was set for ``symbol``; None where none was."""
        found = (each.leverage for each in self.leverages if each.symbol == symbol)
        return next(found, None)

    def used_leverage(self, symbol: str) -> Decimal | None:
        """The leverage that what is open of ``symbol`` has; None where nothing is."""
        held = self.position(symbol)
        if held is not None:
            return held.leverage
        opening = (each for each in self.orders_of(symbol) if not each.reduce_only)
        return next((each.leverage for each in opening), None)

    def owned(self, symbol: str, owner: str) -> Position | None:
        """The position of ``symbol``, if it is one of ``owner``."""
        position = self.position(symbol)
        return position if position is not None and position.owner == owner else None

    def other_owner(self, symbol: str, owner: str) -> str | None:
        """Who but ``owner`` has what is open of ``symbol``, empty for the person; None: nobody. An
        order that only reduces is of no account."""
        held = self.position(symbol)
        owners = [held.owner] if held is not None else []
        owners += [each.owner for each in self.orders_of(symbol) if not each.reduce_only]
        return next((each for each in owners if each != owner), None)

    @property
    def unrealized_pnl(self) -> Decimal:
        """The sum over the positions, at their last known mark price."""
        return sum((position.unrealized_pnl for position in self.positions), ZERO)

    @property
    def equity(self) -> Decimal:
        """Wallet balance + unrealised P&L."""
        return self.wallet.balance + self.unrealized_pnl

    @property
    def used_margin(self) -> Decimal:
        """The isolated margin of the positions and what open orders keep back; a group keeps back
        what that one of its orders does which needs the most."""
        return sum((position.isolated_margin for position in self.positions), ZERO) + sum_by_group(
            (order.group, order.reserved_margin) for order in self.orders
        )

    @property
    def available_balance(self) -> Decimal:
        """Wallet balance - used margin; isolated unrealised P&L stays with its position."""
        return self.wallet.balance - self.used_margin

    @property
    def free_equity(self) -> Decimal:
        """Equity - used margin: what would be available if unrealised P&L counted."""
        return self.equity - self.used_margin

    @property
    def maintenance_margin(self) -> Decimal:
        """The sum over the positions, at their last known mark price."""
        return sum((position.maintenance_margin for position in self.positions), ZERO)

    @property
    def pnl(self) -> Decimal:
        """Equity - (starting balance + deposits - withdrawals)."""
        return self.equity - self.wallet.capital

    @property
    def pnl_percent(self) -> Decimal | None:
        """P&L in percent of the capital put in, or None where no capital is left in."""
        return self.pnl / self.wallet.capital * 100 if self.wallet.capital > 0 else None

    def marked(self, market: Market) -> Account:
        """The account with its positions at the newest mark prices of ``market``, and its orders at
        the best ones that they follow; what was opened on another feed stays as it is."""
        return replace(
            self,
            positions=tuple(
                each.marked(market.quotes[each.symbol], market.instruments[each.symbol])
                if each.feed == market.feed and each.symbol in market.quotes
                else each
                for each in self.positions
            ),
            orders=tuple(
                each.marked(market) if each.kind.follows else each for each in self.orders
            ),
        )

    def bests(self, market: Market) -> Mapping[str, Decimal]:
        """The best mark prices up to those of ``market`` that its orders follow, by their ids."""
        bests = {each.id: each.best(market) for each in self.orders if each.kind.follows}
        return {order_id: best for order_id, best in bests.items() if best is not None}

    def reconciled(self) -> Account:
        """The account with what its wallet's totals leave unexplained taken as an adjustment."""
        gap = self.wallet.balance - self.wallet.explained
        wallet = replace(self.wallet, adjustments=self.wallet.adjustments + gap)
        return replace(self, wallet=wallet)

    def check(self) -> None:
        """Prove the account's laws: the wallet is explained, what is used is there, and each symbol
        has one leverage at most.

        Raises:
            AccountingError: one of them is broken.
        """
        self.wallet.check()
        if self.available_balance < 0:
            raise AccountingError(
                f"The balance {plain(self.wallet.balance)} is less than "
                f"the margin in use, {plain(self.used_margin)}."
            )
        for place, each in enumerate(self.leverages):
            if not is_leverage(each.leverage):
                raise AccountingError(
                    f"The leverage of {each.symbol} must be a whole number from 1 to 1,000, not "
                    f"{plain(each.leverage)}."
                )
            if any(each.symbol == other.symbol for other in self.leverages[:place]):
                raise AccountingError(f"The leverage of {each.symbol} is named twice.")


def is_leverage(number: Decimal) -> bool:
    """Whether ``number`` may be a leverage, of some symbol: a whole number from 1 to 1,000."""
    return 1 <= number <= 1_000 and number == number.to_integral_value()


def exposures(account: Account) -> Mapping[str, Decimal | None]:
    """What ``account`` holds long and short, both at least zero, and what that leaves: in the quote
    currency; all of it in percent of the equity, None where there is none."""
    held = {"long": ZERO, "short": ZERO}
    for position in account.positions:
        held[position.side] += quantized(position.notional)
    return {
        "long_exposure": held["long"],
        "short_exposure": held["short"],
        "net_exposure": held["long"] - held["short"],
        "exposure_percent": share_of_equity(account, held["long"] + held["short"]),
    }


def share_of_equity(account: Account, held: Decimal) -> Decimal | None:
    """``held`` in percent of the equity of ``account``; None where that is nothing."""
    return quantized(held / account.equity * 100) if account.equity > 0 else None
