"""An order request: read from its members, checked against the market, made an order.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency, leverage as a multiple.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, cast, get_args

from balance.core import margin
from balance.core.account import Account
from balance.core.errors import (
    ClientIdInUse,
    InvalidAmount,
    InvalidRequest,
    LeverageTooHigh,
    MarketRefused,
    NotionalTooSmall,
    NotYours,
    OtherFeed,
    PositionTooLarge,
    TooManyOrders,
    TriggerReached,
    UnknownPosition,
)
from balance.core.figures import grouped, rounded
from balance.core.instrument import Instrument, on_step
from balance.core.leverage import check_leverage, leverage_of
from balance.core.market import Market
from balance.core.money import QUANTUM, ZERO, exactly, quantized
from balance.core.order import (
    NUMBERS,
    ORDER_KINDS,
    PATIENCE,
    Order,
    OrderSide,
    OrderType,
    TimeInForce,
    closing_side,
    sum_by_group,
)
from balance.core.position import Position
from balance.core.quote import Quote
from balance.core.request import one_of, positive, quoted, symbol
from balance.core.shape import Doc, Money, Price, Quantity
from balance.core.symbols import symbol_alone

#: The nearest that a trailing stop may follow, in percent: nearer ones fill with the next quote.
LEAST_CALLBACK: Final = Decimal("0.01")
#: How many orders of one symbol may be open.
MOST_ORDERS: Final = 200
#: What the name of an order may be (Binance's newClientOrderId).
CLIENT_ID: Final = "^[.A-Z:/a-z0-9_-]{1,36}$"
_SIZES: Final = ("quantity", "notional", "percent")
_PRICES: Final = ("price", "trigger_price", "take_profit", "stop_loss", "activation_price")
# What an order of each type needs beside its size.
_NEEDED: Final = "What each needs beside a size: {}.".format(
    "; ".join(
        f"{name}: {' and '.join(each.name for each in kind.numbers if not each.is_optional)}"
        for name, kind in ORDER_KINDS.items()
        if kind.numbers
    )
)
# The fields of a ticket that are no members of a request, and the members that are no numbers.
_NO_MEMBERS: Final = ("owner", "because", "group")
_NO_NUMBERS: Final = ("symbol", "side", "type", "time_in_force", "reduce_only", "client_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order request. The size is exactly one of ``quantity``, ``notional`` and ``percent``; a
    reduce-only stop or take-profit without any closes the whole position."""

    symbol: Annotated[str, Doc("BTC/USDT, also written btc-usdt or BTCUSDT.P.")]
    side: OrderSide
    type: Annotated[OrderType, Doc(_NEEDED)] = "market"
    quantity: Annotated[
        Quantity | None,
        Doc("The size: one of quantity, notional and percent. Cut to the step."),
    ] = None
    notional: Annotated[Money | None, Doc("Quantity times price.", exclusiveMinimum=0)] = None
    percent: Annotated[
        Decimal | None,
        Doc(
            "Percent of the available balance, for margin and fee; reduce-only, of the position.",
            exclusiveMinimum=0,
            maximum=100,
        ),
    ] = None
    price: Annotated[
        Price | None,
        Doc("The worst price that an order at a limit may fill at; rounded to the tick."),
    ] = None
    trigger_price: Annotated[
        Price | None, Doc("The mark price that sets a stop or take-profit order off.")
    ] = None
    time_in_force: Annotated[
        TimeInForce,
        Doc(
            "Of an order at a limit: GTC waits; IOC ends where it does not fill at once; FOK is "
            "refused then; GTX, post-only, is refused where it would fill at once."
        ),
    ] = "GTC"
    callback_percent: Annotated[
        Decimal | None,
        Doc(
            "How far a trailing stop stays behind the best mark price, in percent of that.",
            minimum=0.01,
            exclusiveMaximum=100,
        ),
    ] = None
    activation_price: Annotated[
        Price | None,
        Doc("The mark price from which on a trailing stop follows; by default at once."),
    ] = None
    leverage: Annotated[
        Decimal | None,
        Doc(
            "By default that of what is open of the symbol, or else the one that is set for it, or "
            "else as the settings say.",
            type="integer",
            minimum=1,
        ),
    ] = None
    reduce_only: Annotated[
        bool,
        Doc("Only close, never open; a stop or a take-profit without a size closes all of it."),
    ] = False
    take_profit: Annotated[Price | None, Doc("A trigger price for the position that it opens.")] = (
        None
    )
    stop_loss: Annotated[Price | None, Doc("A trigger price for the position that it opens.")] = (
        None
    )
    client_id: Annotated[
        str | None,
        Doc("A name of your own for it, which no other open order has.", pattern=CLIENT_ID),
    ] = None
    # The bot, the key or the agent that places it, and its reason; empty: the person does.
    owner: str = ""
    because: str = ""
    # The OCO that it belongs to; empty: none.
    group: str = ""


#: The members of an order request; ``symbol`` and ``side`` are needed.
MEMBERS: Final = tuple(each.name for each in fields(Ticket) if each.name not in _NO_MEMBERS)
_NUMBERS: Final = tuple(name for name in MEMBERS if name not in _NO_NUMBERS)


def read_ticket(members: Mapping[str, Any], market: Market) -> Ticket:
    """The ticket with ``members``, such as JSON has them; None is as good as left out.

    Raises:
        InvalidRequest: a member is missing, unknown or not one of its values.
        InvalidAmount: a number is none, or not above zero.
    """
    unknown = sorted(set(members) - set(MEMBERS))
    if unknown:
        raise InvalidRequest(f"An order may have {', '.join(MEMBERS)}, but not {unknown[0]!r:.40}.")
    given = {"time_in_force": "GTC", **_with_defaults(members)}
    reduce_only = given["reduce_only"]
    if not isinstance(reduce_only, bool):
        raise InvalidRequest("reduce_only must be true or false.")
    numbers: dict[str, Any] = {
        name: positive(given[name], name) for name in _NUMBERS if name in given
    }
    return Ticket(
        symbol=symbol(given.get("symbol"), market),
        side=cast(OrderSide, one_of(given.get("side"), "side", get_args(OrderSide))),
        type=cast(OrderType, one_of(given["type"], "type", tuple(ORDER_KINDS))),
        reduce_only=reduce_only,
        time_in_force=cast(
            TimeInForce, one_of(given["time_in_force"], "time_in_force", tuple(PATIENCE))
        ),
        client_id=_client_id(given.get("client_id")),
        **numbers,
    )


def _client_id(value: object) -> str | None:
    if value is None or (isinstance(value, str) and re.fullmatch(CLIENT_ID[1:-1], value)):
        return value
    raise InvalidRequest(
        "client_id must be 1 to 36 of the letters A-Z and a-z, digits and .:/_-, "
        f"not {quoted(value)}."
    )


def fingerprint(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What identifies an order request, however its members are written."""
    given = _with_defaults(members)
    # Left out, as it was by older versions, whose keys are still known.
    if given.get("time_in_force") == "GTC":
        del given["time_in_force"]
    return sorted((name, _canonical(name, value)) for name, value in given.items())


def _with_defaults(members: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in members.items() if value is not None}
    return {"type": "market", "reduce_only": False, **given}


def _canonical(name: str, value: object) -> str:
    if name == "symbol":
        text = str(value)
        return "".join(filter(str.isalnum, (symbol_alone(text) or text).upper()))
    if name not in _NUMBERS:
        return str(value)
    try:
        return str(positive(value, name).normalize())
    except InvalidAmount:
        return ""  # The request is refused later.


@exactly
def draft_order(
    account: Account, ticket: Ticket, market: Market, order_id: str, now: datetime
) -> Order:
    """The order that ``ticket`` requests, with all that the rules of its symbol say; the market may
    still refuse it.

    Its reserved margin is that of what it may open: beyond an opposite position.

    Raises:
        InvalidRequest, InvalidAmount: it makes no sense, or the rules forbid it.
        NoLivePrice: the symbol has no live price now.
        UnknownPosition: it is to reduce what is not there.
    """
    instrument, held = market.instrument(ticket.symbol), account.position(ticket.symbol)
    kind = ORDER_KINDS[ticket.type]
    quote = market.quote(ticket.symbol, closing=ticket.reduce_only and not kind.numbers)
    _check_members(ticket)
    # An order at market never waits: a position can be closed however many orders there are.
    if kind.numbers and len(account.orders_of(ticket.symbol)) >= MOST_ORDERS:
        raise TooManyOrders(f"{ticket.symbol} has {MOST_ORDERS} open orders; cancel some first.")
    check_feed(account, ticket.symbol, market)
    _check_owner(account, ticket)
    _check_client_id(account, ticket)
    prices: dict[str, Any] = {name: _on_tick(instrument, getattr(ticket, name)) for name in _PRICES}
    order = Order(
        id=order_id,
        symbol=ticket.symbol,
        feed=market.feed or "",
        side=ticket.side,
        type=ticket.type,
        quantity=None,
        leverage=ZERO,
        reduce_only=ticket.reduce_only,
        time_in_force=ticket.time_in_force,
        callback_percent=ticket.callback_percent,
        placed_at=now,
        owner=ticket.owner,
        because=ticket.because,
        group=ticket.group,
        client_id=ticket.client_id or "",
        **prices,
    )
    order = order.marked(market)
    leverage = _leverage(account, ticket, market)
    # What fills at once does so at a price that depends on its size, which is about this one.
    about = _taken_quantity(account, ticket, market, leverage)
    at_once = kind.arrival_price(replace(order, quantity=about), market)
    reference = at_once or order.named_price or quote.mark
    unit_loss = ZERO if at_once else kind.open_loss(order, Decimal(1), market)
    quantity = _quantity(account, ticket, market, reference, leverage, unit_loss)
    if ticket.reduce_only:
        quantity = _reducible(ticket, held, quantity)
    order = replace(order, quantity=quantity, leverage=leverage)
    if at_once is not None:
        at_once = reference = kind.arrival_price(order, market) or at_once
    opening = ZERO
    if quantity is not None and not ticket.reduce_only:
        _check_opening(account, ticket, instrument, quantity, reference, leverage)
        opening = max(quantity - _closable(held, ticket), ZERO)
    needed = quantized(margin.initial_margin(opening, reference, leverage))
    order = replace(order, reserved_margin=needed)
    if at_once is None:
        check_trigger(order, quote)
    # The exits of what fills at once count from the market, not from a limit beyond it.
    _check_exits(order, quote.mark if at_once else order.named_price or quote.mark)
    return order


def _check_members(ticket: Ticket) -> None:
    kind = ORDER_KINDS[ticket.type]
    for name in NUMBERS:
        is_given, needed = getattr(ticket, name) is not None, kind.needed(name)
        if is_given and needed is None:
            raise InvalidRequest(f"A {kind.label.lower()} order has no {name}.")
        if needed and not is_given:
            raise InvalidRequest(f"A {kind.label.lower()} order needs a {name}.")
    if ticket.time_in_force != "GTC" and not kind.is_timed:
        raise InvalidRequest(f"A {kind.label.lower()} order has no time_in_force.")
    callback = ticket.callback_percent
    if callback is not None and not LEAST_CALLBACK <= callback < 100:
        raise InvalidAmount(
            f"callback_percent must be from {LEAST_CALLBACK} on and below 100, not "
            f"{grouped(callback)}."
        )
    sizes = [name for name in _SIZES if getattr(ticket, name)]
    whole = ticket.reduce_only and kind.exit != "order"
    if not sizes and ticket.reduce_only and not whole:
        exits = [each.label.lower() for each in ORDER_KINDS.values() if each.exit != "order"]
        raise InvalidRequest(
            f"A {kind.label.lower()} order needs a size; only these close the whole position "
            f"without one: {', '.join(exits)}. For all that is open now, name a percent of 100."
        )
    if len(sizes) > 1 or (not sizes and not whole):
        raise InvalidRequest("The order must have exactly one of quantity, notional, percent.")
    if ticket.percent is not None and ticket.percent > 100:
        raise InvalidAmount(f"percent must be at most 100, not {grouped(ticket.percent)}.")
    if ticket.reduce_only and (ticket.take_profit or ticket.stop_loss):
        raise InvalidRequest("A reduce-only order opens nothing: no take_profit, no stop_loss.")


def check_feed(account: Account, symbol: str, market: Market) -> None:
    """Prove that what is open of ``symbol`` was opened at the prices of this feed: it is not to be
    traded at those of another.

    Raises:
        OtherFeed: it was opened on another feed.
    """
    feeds = {each.feed for each in account.positions if each.symbol == symbol}
    feeds |= {each.feed for each in account.orders_of(symbol)}
    for other in sorted(feeds - {market.feed}):
        raise OtherFeed(
            f"{symbol} is open on the feed {other}, but this is {market.feed}. Start with that "
            "feed to close it, or reset the balance."
        )


def _check_owner(account: Account, ticket: Ticket) -> None:
    """What a symbol holds has one owner. The person may close what others have; nobody may add to
    what is another's, and all but the person close only their own."""
    held = account.position(ticket.symbol)
    if ticket.reduce_only and (not ticket.owner or held is None):
        return
    other = account.other_owner(ticket.symbol, ticket.owner)
    if other is not None:
        raise NotYours(ticket.symbol, other, ticket.owner)


def _check_client_id(account: Account, ticket: Ticket) -> None:
    if ticket.client_id and any(
        ticket.client_id in (each.client_id, each.id) for each in account.orders
    ):
        raise ClientIdInUse(
            f"An open order is called {ticket.client_id} already. Name this one otherwise, or "
            "cancel that one first."
        )


def _on_tick(instrument: Instrument, price: Decimal | None) -> Decimal | None:
    if price is None:
        return None
    if not 0 < price < Decimal(10) ** 12:
        raise InvalidAmount(f"A price must be above zero, not {grouped(price)}.")
    return max(instrument.tick_size, instrument.price(price))


def _leverage(account: Account, ticket: Ticket, market: Market) -> Decimal:
    used, leverage = account.used_leverage(ticket.symbol), ticket.leverage
    if leverage is None:
        return leverage_of(account, ticket.symbol, market)
    check_leverage(leverage)
    if used is not None and used != leverage and not ticket.reduce_only:
        raise InvalidRequest(
            f"{ticket.symbol} is traded at {rounded(used)}x now. Order at that leverage, or "
            "first close its position and cancel its orders."
        )
    return leverage if used is None else used


def _taken_quantity(account: Account, ticket: Ticket, market: Market, leverage: Decimal) -> Decimal:
    """The size in base units, but for tick and step, of what ``ticket`` fills at once; zero where
    it needs no price."""
    if ticket.quantity is not None:
        return ticket.quantity
    value = ticket.notional
    if value is None and not ticket.reduce_only:
        value = _budget(account, ticket) / (1 / leverage + market.terms.taker_fee)
    if value is None:
        return ZERO
    return market.taker_quantity(ticket.symbol, ticket.side, value, closing=ticket.reduce_only)


def _budget(account: Account, ticket: Ticket) -> Decimal:
    """What a size in percent may cost: margin and fee are each rounded when they are booked."""
    share = account.available_balance * (ticket.percent or ZERO) / 100
    return max(share - QUANTUM, ZERO)


def _quantity(
    account: Account,
    ticket: Ticket,
    market: Market,
    price: Decimal,
    leverage: Decimal,
    unit_loss: Decimal,
) -> Decimal | None:
    """The size in base units, on the step; None for the whole position. ``unit_loss`` is what one
    base unit is under water as soon as it opens."""
    instrument, held = market.instrument(ticket.symbol), account.position(ticket.symbol)
    quantity = ticket.quantity
    if ticket.notional is not None:
        quantity = ticket.notional / price
    elif ticket.percent is not None and ticket.reduce_only:
        quantity = held.quantity * ticket.percent / 100 if held else ZERO
        if held and ticket.percent == 100:
            return quantity
    elif ticket.percent is not None:
        if account.available_balance <= 0:
            raise InvalidAmount("Nothing is available for this order: all of it is in use.")
        unit_cost = price * (1 / leverage + market.terms.taker_fee) + unit_loss
        quantity = _budget(account, ticket) / unit_cost
    if quantity is None:
        return None
    if quantity <= 0 and not (ticket.reduce_only and held is None):
        raise InvalidAmount(f"The size must be above zero, not {grouped(quantity)}.")
    if held and ticket.reduce_only and quantity >= held.quantity:
        return held.quantity
    return on_step(instrument, quantity)


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


def _check_opening(
    account: Account,
    ticket: Ticket,
    instrument: Instrument,
    quantity: Decimal,
    price: Decimal,
    leverage: Decimal,
) -> None:
    """Prove that what the order opens, beside all that is open, is within the symbol's limits."""
    if quantity * price < instrument.min_notional:
        least, notional = instrument.min_notional, quantized(quantity * price)
        raise NotionalTooSmall(instrument.symbol, least, notional)
    held = account.position(ticket.symbol)
    closable = _closable(held, ticket)
    # Of its own group, only one order will fill.
    resting = sum_by_group(
        (each.group, each.quantity or ZERO)
        for each in account.orders_of(ticket.symbol)
        if each.side == ticket.side
        and not each.reduce_only
        and not (each.group and each.group == ticket.group)
    )
    same_side = held.quantity if held is not None and not closable else ZERO
    notional = (same_side + max(quantity + resting - closable, ZERO)) * price
    cap = instrument.max_notional
    if cap is not None and notional > cap:
        raise PositionTooLarge(
            f"A position in {instrument.symbol}, open orders counted, may be worth at most "
            f"{grouped(cap)} USDT, not {grouped(quantized(notional))}: order less."
        )
    most = instrument.max_leverage(notional)
    if leverage > most:
        raise LeverageTooHigh(
            f"A position of {grouped(quantized(notional))} USDT in {instrument.symbol}, open "
            f"orders counted, may have at most {rounded(most)}x, not {rounded(leverage)}x."
        )


def check_trigger(order: Order, quote: Quote) -> None:
    """Prove that nothing sets off the resting ``order`` at ``quote`` already.

    Raises:
        TriggerReached: its trigger price is reached.
    """
    trigger = order.kind.trigger(order)
    if trigger is not None and trigger.is_met(quote):
        raise TriggerReached(
            f"The trigger price {rounded(trigger.level)} is reached already: the mark price is "
            f"{rounded(quote.mark)}. Order at market instead."
        )


def _check_exits(order: Order, reference: Decimal) -> None:
    """Prove that the exits lie on their sides of ``reference``, where the position opens."""
    direction = 1 if order.side == "buy" else -1
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


def refusal(order: Order, market: Market) -> str:
    """Why the market refuses ``order`` as it arrives, by its time in force; empty where it does
    not.

    Raises:
        NoLivePrice: its symbol has no live price now.
    """
    at_once = order.kind.arrival_price(order, market)
    if not order.patience.is_refused or order.may_arrive(at_once):
        return ""
    quote, price = market.quotes[order.symbol], rounded(order.price or ZERO)
    name, other = ("ask", quote.ask) if order.side == "buy" else ("bid", quote.bid)
    does = "post-only order would" if at_once else "order can't"
    return f"the {does} fill at once at {price}: the {name} is {rounded(other)}"


def refusal_message(order: Order, why: str) -> str:
    """What ``order`` is answered with that the market refused, as ``why`` says."""
    better = "Name that price"
    if not order.patience.takes:
        better = f"Name a price {'below' if order.side == 'buy' else 'above'} that"
    return f"{why[0].upper()}{why[1:]}. {better}, or another time in force."


def check_refusal(order: Order, market: Market) -> None:
    """Prove that the market would not refuse ``order`` as it arrives.

    Raises:
        MarketRefused: it would.
        NoLivePrice: its symbol has no live price now.
    """
    why = refusal(order, market)
    if why:
        raise MarketRefused(refusal_message(order, why))
