"""The snapshot: what every reader sees of the account at one moment.

Its fields are those of the HTTP answer, and of what ``open_account(...).snapshot()`` returns:
money in the quote currency as Decimal, times in UTC. It can be read by attribute or, as the JSON
would be, by name: ``snapshot.balance == snapshot["balance"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from balance.core.account import Account
from balance.core.figures import dollars, gain, percent, rounded
from balance.core.moments import iso
from balance.core.money import CURRENCY, quantized
from balance.core.position import Order, Position

#: What is known of the market while no feed runs.
NO_MARKET: Final[Mapping[str, Any]] = MappingProxyType(
    {"feed": None, "state": "none", "as_of": None, "prices": {}}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Mapping[str, Any]):
    """The account at one revision and one tick of the prices."""

    # which account this is: another one starts to count its revisions anew
    account: str
    # counts committed changes; never goes back
    revision: int
    # counts price moves since this server started, within one instance
    tick: int
    instance: str
    epoch: int
    currency: str
    # when the account or a price last changed
    as_of: str
    balance: Decimal
    unrealized_pnl: Decimal
    portfolio_value: Decimal
    used_margin: Decimal
    available_balance: Decimal
    maintenance_margin: Decimal
    current_pnl: Decimal
    # in percent of the capital put in; None where none is left in
    pnl_percent: Decimal | None
    starting_balance: Decimal
    deposits: Decimal
    withdrawals: Decimal
    adjustments: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal
    # net: above zero where more was paid than received
    funding_paid: Decimal
    positions: tuple[Mapping[str, Any], ...]
    open_orders: tuple[Mapping[str, Any], ...]
    market: Mapping[str, Any]
    # the same figures as the dashboard shows them, by field name
    display: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


_NAMES: Final = tuple(field.name for field in fields(Snapshot))

#: How each live field is written for people; the keys are what ``live_text`` may show.
DISPLAYED: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "balance": dollars,
        "portfolio_value": dollars,
        "available_balance": dollars,
        "used_margin": dollars,
        "maintenance_margin": dollars,
        "starting_balance": dollars,
        "deposits": dollars,
        "withdrawals": dollars,
        "fees_paid": dollars,
        "funding_paid": dollars,
        "unrealized_pnl": gain,
        "current_pnl": gain,
        "realized_pnl": gain,
        "adjustments": gain,
        "pnl_percent": percent,
        "revision": str,
        "epoch": str,
    }
)


def snapshot(
    account: Account,
    *,
    account_id: str,
    revision: int,
    as_of: datetime,
    instance: str = "",
    tick: int = 0,
    market: Mapping[str, Any] = NO_MARKET,
) -> Snapshot:
    """What readers see of ``account``."""
    wallet, unrealized = account.wallet, quantized(account.unrealized_pnl)
    equity, percentage = wallet.balance + unrealized, account.pnl_percent
    values: dict[str, Any] = {
        "account": account_id,
        "revision": revision,
        "tick": tick,
        "instance": instance,
        "epoch": wallet.epoch,
        "currency": CURRENCY,
        "as_of": iso(as_of),
        "balance": wallet.balance,
        "unrealized_pnl": unrealized,
        "portfolio_value": equity,
        "used_margin": account.used_margin,
        "available_balance": account.available_balance,
        "maintenance_margin": quantized(account.maintenance_margin),
        "current_pnl": equity - wallet.capital,
        "pnl_percent": None if percentage is None else quantized(percentage),
        "starting_balance": wallet.starting_balance,
        "deposits": wallet.deposits,
        "withdrawals": wallet.withdrawals,
        "adjustments": wallet.adjustments,
        "realized_pnl": wallet.realized_pnl,
        "fees_paid": wallet.fees_paid,
        "funding_paid": -wallet.funding,
        "positions": tuple(_position(position) for position in account.positions),
        "open_orders": tuple(_order(order) for order in account.orders),
        "market": dict(market),
    }
    display = {name: write(values[name]) for name, write in DISPLAYED.items()}
    return Snapshot(**values, display=display)


def _position(position: Position) -> Mapping[str, Any]:
    return {
        "symbol": position.symbol,
        "side": position.side,
        "quantity": position.quantity,
        "entry_price": position.entry_price,
        "mark_price": position.mark_price,
        "marked_at": iso(position.marked_at),
        "leverage": position.leverage,
        "isolated_margin": position.isolated_margin,
        "unrealized_pnl": quantized(position.unrealized_pnl),
        "maintenance_margin": quantized(position.maintenance_margin),
        "opened_at": iso(position.opened_at),
        "display": {
            "symbol": position.symbol,
            "side": position.side.capitalize(),
            "quantity": rounded(position.quantity),
            "entry_price": rounded(position.entry_price),
            "mark_price": rounded(position.mark_price),
            "leverage": f"{rounded(position.leverage)}x",
            "isolated_margin": dollars(position.isolated_margin),
            "unrealized_pnl": gain(position.unrealized_pnl),
        },
    }


def _order(order: Order) -> Mapping[str, Any]:
    return {
        "id": order.id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "quantity": order.quantity,
        "price": order.price,
        "reserved_margin": order.reserved_margin,
        "placed_at": iso(order.placed_at),
        "display": {
            "symbol": order.symbol,
            "side": order.side.capitalize(),
            "type": order.type.replace("_", " ").capitalize(),
            "quantity": rounded(order.quantity),
            "price": "Market" if order.price is None else rounded(order.price),
            "reserved_margin": dollars(order.reserved_margin),
        },
    }
