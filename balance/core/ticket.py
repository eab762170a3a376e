"""An order as a person asks for it, checked against the market and turned into one of the account.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency, leverage as a multiple.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core import margin
from balance.core.account import Account
from balance.core.errors import InvalidAmount, InvalidRequest, NotYours, UnknownPosition
from balance.core.figures import grouped, rounded
from balance.core.instrument import Instrument, on_step
from balance.core.market import Market
from balance.core.money import QUANTUM, ZERO, exactly, quantized
from balance.core.position import (
    Order,
    OrderSide,
    OrderType,
    Position,
    closing_side,
    opened_side,
)

#: How many orders of one symbol may be open.
MOST_ORDERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What is asked for. The size is exactly one of ``quantity``, ``notional`` and ``percent``; a
    reduce-only stop or take-profit without any closes whatever the position is then."""

    symbol: str
    side: OrderSide
    type: OrderType = "market"
    # base units, cut to the step
    quantity: Decimal | None = None
    # quantity times price, in the quote currency
    notional: Decimal | None = None
    # of the available balance, for margin and fee; of the position where reduce-only
    percent: Decimal | None = None
    # of a limit order; rounded to the tick, as the other prices
    price: Decimal | None = None
    # of a stop or take-profit order
    trigger_price: Decimal | None = None
    # None: that of what is open of the symbol, or else the default
    leverage: Decimal | None = None
    reduce_only: bool = False
    # trigger prices for the position that it opens
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    # the id of the bot that asks, and why; empty: the person does
    owner: str = ""
    because: str = ""


@exactly
def draft_order(
    account: Account, ticket: Ticket, market: Market, order_id: str, now: datetime
) -> Order:
    """The order that ``ticket`` asks for, with all that the rules of its symbol say.

    Its reserved margin is that of what it may open: beyond an opposite position.

    Raises:
        InvalidRequest, InvalidAmount: it makes no sense, or the rules forbid it.
        NoLivePrice: the symbol has no live price now.
        UnknownPosition: it is to reduce what is not there.
    """
    instrument, held = market.instrument(ticket.symbol), account.position(ticket.symbol)
    at_market = ticket.type == "market"
    mark = market.quote(ticket.symbol, closing=ticket.reduce_only and at_market).mark
    _check_members(ticket)
    if len(account.orders_of(ticket.symbol)) >= MOST_ORDERS:
        raise InvalidRequest(f"{ticket.symbol} has {MOST_ORDERS} open orders; cancel some first.")
    _check_feed(account, ticket.symbol, market)
    _check_owner(account, ticket)
    price = _on_tick(instrument, ticket.price)
    trigger = _on_tick(instrument, ticket.trigger_price)
    reference = _reference(ticket, market, price or trigger)
    leverage = _leverage(account, ticket, market)
    quantity = _quantity(account, ticket, market, reference, leverage)
    opening = ZERO
    if ticket.reduce_only:
        quantity = _reducible(ticket, held, quantity)
    elif quantity is not None:
        opening = quantity - _closable(held, ticket)
        resting = _resting(account, ticket)
        _check_opening(instrument, ticket, held, quantity, resting, reference, leverage)
    order = Order(
        id=order_id,
        symbol=ticket.symbol,
        feed=market.feed or "",
        side=ticket.side,
        type=ticket.type,
        quantity=quantity,
        price=price,
        trigger_price=trigger,
        leverage=leverage,
        reduce_only=ticket.reduce_only,
        take_profit=_on_tick(instrument, ticket.take_profit),
        stop_loss=_on_tick(instrument, ticket.stop_loss),
        reserved_margin=quantized(margin.initial_margin(max(opening, ZERO), reference, leverage)),
        placed_at=now,
        owner=ticket.owner,
        because=ticket.because,
    )
    # The exits of what fills at once count from the market, not from a limit beyond it.
    crosses = price and market.crossing_price(ticket.symbol, ticket.side, price)
    _check_triggers(order, mark, mark if price is None or crosses else price)
    return order


def _reference(ticket: Ticket, market: Market, named: Decimal | None) -> Decimal:
    """The price that the order is measured at: the one that it names, or what it fills at where it
    fills at once."""
    if named is None:
        return market.taker_price(ticket.symbol, ticket.side, closing=ticket.reduce_only)
    if ticket.type != "limit":
        return named
    return market.crossing_price(ticket.symbol, ticket.side, named) or named


def _check_members(ticket: Ticket) -> None:
    wanted = {"limit": ("price",), "market": ()}.get(ticket.type, ("trigger_price",))
    for name in ("price", "trigger_price"):
        value = getattr(ticket, name)
        if name in wanted and value is None:
            raise InvalidRequest(f"A {_words(ticket)} order needs a {name}.")
        if name not in wanted and value is not None:
            raise InvalidRequest(f"A {_words(ticket)} order has no {name}.")
    sizes = [name for name in ("quantity", "notional", "percent") if getattr(ticket, name)]
    whole = ticket.reduce_only and ticket.trigger_price is not None
    if len(sizes) > 1 or (not sizes and not whole):
        raise InvalidRequest("The order must have exactly one of quantity, notional, percent.")
    if ticket.percent is not None and ticket.percent > 100:
        raise InvalidAmount(f"percent must be at most 100, not {grouped(ticket.percent)}.")
    if ticket.reduce_only and (ticket.take_profit or ticket.stop_loss):
        raise InvalidRequest("A reduce-only order opens nothing: no take_profit, no stop_loss.")


def _words(ticket: Ticket) -> str:
    return ticket.type.replace("_", "-")


def _check_feed(account: Account, symbol: str, market: Market) -> None:
    """What was opened at the prices of another feed is not to be traded at those of this one."""
    feeds = {each.feed for each in account.positions if each.symbol == symbol}
    feeds |= {each.feed for each in account.orders_of(symbol)}
    for other in sorted(feeds - {market.feed}):
        raise InvalidRequest(
            f"{symbol} is open on the feed {other}, but this is {market.feed}. Start with that "
            "feed to close it, or reset the balance."
        )


def _check_owner(account: Account, ticket: Ticket) -> None:
    """What a symbol holds has one owner. A person may close what a bot has; nobody may add to what
    is another's, and a bot closes only its own."""
    held = account.position(ticket.symbol)
    if ticket.reduce_only and (not ticket.owner or held is None):
        return
    other = account.other_owner(ticket.symbol, ticket.owner)
    if other is not None:
        raise NotYours(ticket.symbol, other)


def _on_tick(instrument: Instrument, price: Decimal | None) -> Decimal | None:
    if price is None:
        return None
    if not 0 < price < Decimal(10) ** 12:
        raise InvalidAmount(f"A price must be above zero, not {grouped(price)}.")
    return max(instrument.tick_size, instrument.price(price))


def _leverage(account: Account, ticket: Ticket, market: Market) -> Decimal:
    held = account.position(ticket.symbol)
    used = [held.leverage] if held else []
    used += [each.leverage for each in account.orders_of(ticket.symbol) if not each.reduce_only]
    wanted = ticket.leverage
    if wanted is None:
        return used[0] if used else market.default_leverage(ticket.symbol)
    if wanted != wanted.to_integral_value() or not 1 <= wanted <= 1_000:
        raise InvalidAmount(f"The leverage must be a whole number from 1 on, not {wanted}.")
    if used and used[0] != wanted and not ticket.reduce_only:
        raise InvalidRequest(
            f"{ticket.symbol} is traded at {rounded(used[0])}x now. Order at that leverage, or "
            "first close its position and cancel its orders."
        )
    return used[0] if used else wanted


def _quantity(
    account: Account, ticket: Ticket, market: Market, price: Decimal, leverage: Decimal
) -> Decimal | None:
    """The size in base units, on the step; None for all of a position at the trigger."""
    instrument, held = market.instrument(ticket.symbol), account.position(ticket.symbol)
    wanted = ticket.quantity
    if ticket.notional is not None:
        wanted = ticket.notional / price
    elif ticket.percent is not None and ticket.reduce_only:
        wanted = held.quantity * ticket.percent / 100 if held else ZERO
        if held and ticket.percent == 100:
            return wanted
    elif ticket.percent is not None:
        if account.available_balance <= 0:
            raise InvalidAmount("Nothing is available for this order: all of it is in use.")
        a_unit = price * (1 / leverage + market.terms.taker_fee) + _open_loss(ticket, market, price)
        # margin and fee are each rounded when they are booked
        budget = max(account.available_balance * ticket.percent / 100 - QUANTUM, ZERO)
        wanted = budget / a_unit
    if wanted is None:
        return None
    if wanted <= 0 and not (ticket.reduce_only and held is None):
        raise InvalidAmount(f"The size must be above zero, not {grouped(wanted)}.")
    if held and ticket.reduce_only and wanted >= held.quantity:
        return held.quantity
    return on_step(instrument, wanted)


def _open_loss(ticket: Ticket, market: Market, price: Decimal) -> Decimal:
    """What a unit of a limit order that rests would be under water at once."""
    if ticket.type != "limit" or market.crossing_price(ticket.symbol, ticket.side, price):
        return ZERO
    mark = market.quotes[ticket.symbol].mark
    return margin.open_loss(opened_side(ticket.side), Decimal(1), price, mark)


def _reducible(ticket: Ticket, held: Position | None, quantity: Decimal | None) -> Decimal | None:
    if held is None or closing_side(held.side) != ticket.side:
        raise UnknownPosition(
            f"There is no {'short' if ticket.side == 'buy' else 'long'} position of "
            f"{ticket.symbol} that this order could reduce."
        )
    return None if quantity is None else min(quantity, held.quantity)


def _closable(held: Position | None, ticket: Ticket) -> Decimal:
    opposite = held is not None and closing_side(held.side) == ticket.side
    return held.quantity if held is not None and opposite else ZERO


def _resting(account: Account, ticket: Ticket) -> Decimal:
    """What the open orders of the same side would open as well."""
    return sum(
        (
            each.quantity or ZERO
            for each in account.orders_of(ticket.symbol)
            if each.side == ticket.side and not each.reduce_only
        ),
        ZERO,
    )


def _check_opening(
    instrument: Instrument,
    ticket: Ticket,
    held: Position | None,
    quantity: Decimal,
    resting: Decimal,
    price: Decimal,
    leverage: Decimal,
) -> None:
    if quantity * price < instrument.min_notional:
        raise InvalidAmount(
            f"The smallest order of {instrument.symbol} is worth "
            f"{grouped(instrument.min_notional)} USDT; this one is worth "
            f"{grouped(quantized(quantity * price))}."
        )
    closable = _closable(held, ticket)
    kept = held.quantity if held is not None and not closable else ZERO
    notional = (kept + max(quantity + resting - closable, ZERO)) * price
    cap = instrument.max_notional
    if cap is not None and notional > cap:
        raise InvalidAmount(
            f"A position in {instrument.symbol}, open orders counted, may be worth at most "
            f"{grouped(cap)} USDT, not {grouped(quantized(notional))}: order less."
        )
    most = instrument.max_leverage(notional)
    if leverage > most:
        raise InvalidRequest(
            f"A position of {grouped(quantized(notional))} USDT in {instrument.symbol}, open "
            f"orders counted, may have at most {rounded(most)}x, not {rounded(leverage)}x."
        )


def _check_triggers(order: Order, mark: Decimal, reference: Decimal) -> None:
    if order.triggers_at(mark):
        raise InvalidRequest(
            f"The trigger price {rounded(order.trigger_price or ZERO)} is reached already: the "
            f"mark price is {rounded(mark)}. Order at market instead."
        )
    direction = 1 if order.side == "buy" else -1
    reference = order.trigger_price or reference
    for name, price, sense in (
        ("take-profit", order.take_profit, 1),
        ("stop-loss", order.stop_loss, -1),
    ):
        if price is not None and (price - reference) * direction * sense <= 0:
            side = "above" if direction * sense > 0 else "below"
            raise InvalidRequest(
                f"The {name} of this order must be {side} {rounded(reference)}, "
                f"not {rounded(price)}."
            )
