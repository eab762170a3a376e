"""Placing, cancelling and closing: what happens to the account in the moment of the request.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from balance.core import margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance, UnknownOrder, UnknownPosition
from balance.core.figures import rounded
from balance.core.fills import Execution, apply_fill
from balance.core.market import Market
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import Liquidity, Order, closing_side
from balance.core.ticket import Ticket, draft_order
from balance.core.trade import Effect


@exactly
def place_order(
    account: Account, ticket: Ticket, market: Market, order_id: str, now: datetime
) -> Change:
    """The account after ``ticket`` was placed at ``now``: an order at market, and a limit order
    that crosses, fill at once; every other one rests and keeps its margin back.

    Raises:
        InvalidRequest, InvalidAmount: it makes no sense, or the rules forbid it.
        NoLivePrice: the symbol has no live price now.
        InsufficientBalance: it needs more than what is available.
        UnknownPosition: it is to reduce what is not there.
    """
    order = draft_order(account, ticket, market, order_id, now)
    price = order.kind.arrival_price(order, market)
    if price is not None:
        return fill_order(account, order, market, price, "taker")
    needed = cost(order, market)
    if needed > account.available_balance:
        raise InsufficientBalance(needed, account.available_balance)
    same = [each.id for each in account.orders_of(order.symbol) if order.replaces(each)]
    effect = Effect(
        symbol=order.symbol,
        position=account.position(order.symbol),
        opened=(order,),
        closed=tuple(same),
    )
    return Change(account).booked("order", ZERO, order_text(order), effect=effect)


def fill_order(
    account: Account, order: Order, market: Market, price: Decimal, liquidity: Liquidity
) -> Change:
    """The account after ``order`` filled at ``price``: with the whole position where it is to close
    that, and with no more than it where it is reduce-only.

    Raises:
        InsufficientBalance: it needs more than what is available.
    """
    held, quantity = account.position(order.symbol), order.quantity or ZERO
    if order.reduce_only and held is not None:
        quantity = min(order.quantity or held.quantity, held.quantity)
    rate = market.terms.maker_fee if liquidity == "maker" else market.terms.taker_fee
    execution = Execution(
        order=order,
        quantity=quantity,
        price=price,
        fee=margin.trading_fee(quantity, price, rate),
        liquidity=liquidity,
        time=market.quotes[order.symbol].time,
        reason=order.reason,
    )
    return apply_fill(account, execution, market.instruments[order.symbol].brackets)


@exactly
def cost(order: Order, market: Market) -> Decimal:
    """What must be available for a resting order to be accepted: its margin, what the position
    would be under water at once, and the taker fee of what it would open."""
    price = order.named_price
    if price is None or order.reduce_only:
        return ZERO
    opening = order.reserved_margin * order.leverage / price
    loss = order.kind.open_loss(order, opening, market)
    fee = margin.trading_fee(opening, price, market.terms.taker_fee)
    return quantized(order.reserved_margin + loss + fee)


def cancel_order(account: Account, order_id: str, why: str = "") -> Change:
    """The account without the open order ``order_id``; ``why`` goes into its entry.

    Raises:
        UnknownOrder: there is none with that id.
    """
    order = next((each for each in account.orders if each.id == order_id), None)
    if order is None:
        raise UnknownOrder(f"There is no open order {order_id!r:.40}. It may have filled by now.")
    effect = Effect(
        symbol=order.symbol, position=account.position(order.symbol), closed=(order.id,)
    )
    note = f"{order_text(order)}{f': {why}' if why else ''}"
    return Change(account).booked("cancel", ZERO, note, effect=effect)


def cancel_orders(account: Account, symbol: str | None = None) -> Change:
    """The account without any open order, or without those of ``symbol``.

    Raises:
        UnknownOrder: there is none.
    """
    ids = [each.id for each in account.orders if symbol in (None, each.symbol)]
    if not ids:
        raise UnknownOrder(f"There are no open orders{f' of {symbol}' if symbol else ''}.")
    change = Change(account)
    for each in ids:
        change = change.then(cancel_order(change.account, each))
    return change


def close_position(
    account: Account,
    symbol: str,
    market: Market,
    order_id: str,
    now: datetime,
    quantity: Decimal | None = None,
    percent: Decimal | None = None,
    owner: str = "",
    because: str = "",
) -> Change:
    """The account after ``quantity`` or ``percent`` of the position of ``symbol``, by default all
    of it, was closed at market; for the bot ``owner``, if one asks, and ``because`` of what it
    says.

    Raises:
        UnknownPosition: there is none.
        NoLivePrice: the symbol has no live price now.
        NotYours: it is not what the bot ``owner`` holds.
    """
    market.instrument(symbol)
    held = account.position(symbol)
    if held is None:
        raise UnknownPosition(f"There is no open position of {symbol}.")
    if quantity is None and percent is None:
        percent = Decimal(100)
    ticket = Ticket(
        symbol=symbol,
        side=closing_side(held.side),
        quantity=quantity,
        percent=percent,
        reduce_only=True,
        owner=owner,
        because=because,
    )
    return place_order(account, ticket, market, order_id, now)


def order_text(order: Order) -> str:
    """``"Buy 0.01 BTC/USDT, limit 40,000"``."""
    size = "all of" if order.quantity is None else rounded(order.quantity)
    where = f" {rounded(order.named_price)}" if order.named_price is not None else ""
    only = ", reduce-only" if order.reduce_only else ""
    why = f": {order.because}" if order.because else ""
    kind = f"{order.kind.label.lower()}{where}"
    return f"{order.side.capitalize()} {size} {order.symbol}, {kind}{only}{why}"
