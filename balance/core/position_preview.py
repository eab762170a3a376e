"""What a change would make of a position, before anybody confirms it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from balance.core.change import Change
from balance.core.figures import NONE, dollars, gain, on_tick, rounded
from balance.core.margin import Side
from balance.core.market import Market
from balance.core.money import ZERO, exactly
from balance.core.orders import find_position
from balance.core.shape import Cost, Doc, Leverage, Money, Price, Quantity, Texts, text_names


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionPreview:
    """What a position would be: money in the quote currency, prices per base unit."""

    side: Side
    quantity: Quantity
    leverage: Leverage
    isolated_margin: Annotated[Money, Doc("What the position could lose then.")]
    liquidation_price: Annotated[Price | None, Doc("Null where there is none.")]
    realized_pnl: Annotated[
        Money | None, Doc("Of what is closed, before fees; null where nothing is.")
    ]
    fee: Annotated[Cost, Doc("Of all fills.")]
    available_after: Annotated[Money, Doc("What would be available.")]
    display: Annotated[
        Texts,
        text_names(
            (
                *("side", "quantity", "leverage", "isolated_margin", "liquidation_price"),
                *("realized_pnl", "fee", "available_after"),
            )
        ),
    ]


@exactly
def preview_position(change: Change, symbol: str, market: Market) -> PositionPreview:
    """What ``change``, which is not committed, leaves of the position of ``symbol``.

    Raises:
        UnknownPosition: it leaves none.
    """
    position = find_position(change.account, symbol)
    fills = [each.fill for each in change.bookings if each.fill is not None]
    closing = [each for each in fills if each.closed_quantity]
    realized: Decimal | None = None
    if closing:
        realized = sum((each.realized_pnl for each in closing), ZERO)
    fee = sum((each.fee for each in fills), ZERO)
    instrument, decimals = market.instruments[symbol], market.decimals
    available, price = change.account.available_balance, position.liquidation_price
    return PositionPreview(
        side=position.side,
        quantity=position.quantity,
        leverage=position.leverage,
        isolated_margin=position.isolated_margin,
        liquidation_price=price,
        realized_pnl=realized,
        fee=fee,
        available_after=available,
        display={
            "side": position.side.capitalize(),
            "quantity": f"{rounded(position.quantity)} {instrument.base}",
            "leverage": f"{rounded(position.leverage)}x",
            "isolated_margin": dollars(position.isolated_margin, decimals),
            "liquidation_price": NONE if price is None else on_tick(price, instrument.tick_size),
            "realized_pnl": gain(realized, decimals),
            "fee": dollars(fee, decimals),
            "available_after": dollars(available, decimals),
        },
    )
