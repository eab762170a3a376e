"""What an order would do, told before it is placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from balance.core.account import Account
from balance.core.figures import NONE, dollars, gain, on_tick, rounded
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import Liquidity, Order
from balance.core.orders import cost, fill_order
from balance.core.position import Position
from balance.core.ticket import Ticket, draft_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Money in the quote currency, prices per base unit, the quantity in base units."""

    quantity: Decimal
    # what it would fill at: at once for an order at market, else its limit or trigger price
    price: Decimal
    # quantity times price
    notional: Decimal
    leverage: Decimal
    # initial margin of what it opens, the fee, and what is needed in all
    margin: Decimal
    fee: Decimal
    cost: Decimal
    # maker or taker
    liquidity: str
    # whether it fills in the moment it arrives
    fills_at_once: bool
    # how far a limit is through the market, in percent of the price it fills at; None where it
    # is not, or there is no limit
    beyond_percent: Decimal | None
    # of what it closes, before fees; None where it closes nothing
    realized_pnl: Decimal | None
    # of the position that it would lead to; None where there is none
    liquidation_price: Decimal | None
    # what would be available after it
    available_after: Decimal
    # whether it is accepted: there is enough for it
    affordable: bool
    # what a person should know before; empty where there is nothing
    warning: str
    display: Mapping[str, Any]


@exactly
def preview(account: Account, ticket: Ticket, market: Market, now: datetime) -> Preview:
    """What placing ``ticket`` would do to ``account`` now and, where it rests, when it fills.

    Raises:
        BalanceError: whatever would refuse it, but for a lack of funds, which is told.
    """
    order = draft_order(account, ticket, market, "preview", now)
    instrument = market.instruments[ticket.symbol]
    tick = instrument.tick_size
    at_once = order.kind.arrival_price(order, market)
    price = at_once or order.named_price or ZERO
    liquidity: Liquidity = order.kind.liquidity if at_once is None else "taker"
    # as if there were enough, to see what it would take
    rich = replace(account, wallet=replace(account.wallet, balance=Decimal(10) ** 30))
    after = fill_order(rich, order, market, price, liquidity)
    fill, position = after.bookings[0].fill, after.account.position(ticket.symbol)
    quantity = fill.quantity if fill else ZERO
    fee = fill.fee if fill else ZERO
    available = account.available_balance + after.account.available_balance
    available -= rich.available_balance
    needed = order.reserved_margin + fee
    if at_once is None:
        needed = max(cost(order, market), needed)
    values: dict[str, Any] = {
        "quantity": quantity,
        "price": price,
        "notional": quantized(quantity * price),
        "leverage": order.leverage,
        "margin": order.reserved_margin,
        "fee": fee,
        "cost": needed,
        "realized_pnl": fill.realized_pnl if fill and fill.closed_quantity else None,
        "liquidation_price": position.liquidation_price if position else None,
        "available_after": available,
    }
    affordable = available >= 0 and (at_once is not None or needed <= account.available_balance)
    return Preview(
        **values,
        liquidity=liquidity,
        fills_at_once=at_once is not None,
        beyond_percent=_beyond(order, at_once),
        affordable=affordable,
        warning=f"{_crossing(order, at_once, tick)} {_too_late(order, position)}".strip(),
        display=_texts(values, account, instrument, market.decimals),
    )


def _texts(
    values: Mapping[str, Any], account: Account, instrument: Instrument, decimals: int
) -> Mapping[str, str]:
    tick, liquidation_price = instrument.tick_size, values["liquidation_price"]
    amounts = ("notional", "margin", "fee", "cost", "available_after")
    return {
        "quantity": f"{rounded(values['quantity'])} {instrument.base}",
        "leverage": f"{rounded(values['leverage'])}x",
        **{name: dollars(values[name], decimals) for name in amounts},
        "available": dollars(account.available_balance, decimals),
        "price": on_tick(values["price"], tick),
        "liquidation_price": (
            NONE if liquidation_price is None else on_tick(liquidation_price, tick)
        ),
        "realized_pnl": gain(values["realized_pnl"], decimals),
    }


def _beyond(order: Order, at_once: Decimal | None) -> Decimal | None:
    if at_once is None or order.price is None:
        return None
    return quantized(abs(order.price - at_once) / at_once * 100)


def _crossing(order: Order, at_once: Decimal | None, tick: Decimal) -> str:
    if at_once is None or order.price is None:
        return ""
    return (
        f"Fills at once at about {on_tick(at_once, tick)}: the market is better than the limit "
        f"{on_tick(order.price, tick)} now."
    )


def _too_late(order: Order, position: Position | None) -> str:
    if position is None or position.liquidation_price is None or order.stop_loss is None:
        return ""
    if not position.is_liquidated_at(order.stop_loss):
        return ""
    return (
        f"The stop-loss lies beyond the liquidation price, {rounded(position.liquidation_price)}: "
        "the position would be liquidated first."
    )
