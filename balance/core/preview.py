"""The preview of an order: what it would do if it were placed now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from balance.core.account import Account
from balance.core.figures import NONE, dollars, gain, on_tick, rounded
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import Liquidity, Order
from balance.core.orders import cost, fill_order
from balance.core.position import Position
from balance.core.shape import Doc, Leverage, Money, Price, Texts, text_names
from balance.core.ticket import Ticket, draft_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Money in the quote currency, prices per base unit, the quantity in base units."""

    quantity: Annotated[Decimal, Doc("In base units, on the step.", minimum=0)]
    price: Annotated[
        Price,
        Doc("What it would fill at: at once at market, else its limit or trigger price."),
    ]
    notional: Annotated[Money, Doc("Quantity times price.")]
    leverage: Leverage
    margin: Annotated[Money, Doc("Initial margin of what it opens.")]
    fee: Annotated[Money, Doc("On the notional.")]
    cost: Annotated[Money, Doc("What must be available for it.")]
    liquidity: Liquidity
    fills_at_once: Annotated[bool, Doc("Whether it fills as it arrives.")]
    beyond_percent: Annotated[
        Decimal | None,
        Doc(
            "How far its limit is through the market, in percent of the price that it fills at; "
            "null where it is not.",
            minimum=0,
        ),
    ]
    realized_pnl: Annotated[
        Money | None, Doc("Of what it closes, before fees; null where it closes nothing.")
    ]
    liquidation_price: Annotated[
        Price | None, Doc("Of the position after it; null where there is none.")
    ]
    available_after: Annotated[
        Money, Doc("What would be available after it; below zero, it is refused.")
    ]
    affordable: Annotated[bool, Doc("Whether there is enough for it.")]
    warning: Annotated[str, Doc("What to know before; empty for nothing.")]
    display: Annotated[
        Texts,
        text_names(
            (
                *("quantity", "leverage", "notional", "margin", "fee", "cost", "price"),
                *("available", "available_after", "liquidation_price", "realized_pnl"),
            )
        ),
    ]


@exactly
def preview(account: Account, ticket: Ticket, market: Market, now: datetime) -> Preview:
    """What placing ``ticket`` would do to ``account`` now and, where it rests, when it fills.

    Raises:
        BalanceError: whatever would refuse it, but for a lack of funds, which the preview shows.
    """
    order = draft_order(account, ticket, market, "preview", now)
    instrument = market.instruments[ticket.symbol]
    at_once = order.kind.arrival_price(order, market)
    price = at_once or order.named_price or ZERO
    liquidity: Liquidity = order.kind.liquidity if at_once is None else "taker"
    # Filled as if there were enough, to find what it needs.
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
    beyond = None
    if at_once is not None and order.price is not None:
        beyond = quantized(abs(order.price - at_once) / at_once * 100)
    affordable = available >= 0 and (at_once is not None or needed <= account.available_balance)
    return Preview(
        **values,
        liquidity=liquidity,
        fills_at_once=at_once is not None,
        beyond_percent=beyond,
        affordable=affordable,
        warning=" ".join(_warnings(order, at_once, position, instrument.tick_size)),
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


def _warnings(
    order: Order, at_once: Decimal | None, position: Position | None, tick: Decimal
) -> Iterator[str]:
    if at_once is not None and order.price is not None:
        yield (
            f"Fills at once at about {on_tick(at_once, tick)}: the market is better than the limit "
            f"{on_tick(order.price, tick)} now."
        )
    if position is None or position.liquidation_price is None or order.stop_loss is None:
        return
    if position.is_liquidated_at(order.stop_loss):
        yield (
            "The stop-loss lies beyond the liquidation price, "
            f"{rounded(position.liquidation_price)}: the position would be liquidated first."
        )
