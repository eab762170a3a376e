"""Placing, cancelling and closing, and the preview of an order: what happens at the request.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from balance.core import margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance, NotYours, UnknownOrder, UnknownPosition
from balance.core.figures import NONE, dollars, gain, grouped, on_tick, rounded, share
from balance.core.fills import Execution, apply_fill
from balance.core.instrument import Instrument
from balance.core.market import MOST_SLIPPAGE, Market
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import Liquidity, Order, closing_side
from balance.core.position import Position
from balance.core.shape import Doc, Leverage, Money, Price, Texts, text_names
from balance.core.ticket import Ticket, check_refusal, draft_order, refusal
from balance.core.trade import REPLACED, Effect, OrderEnd


@exactly
def place_order(
    account: Account, ticket: Ticket, market: Market, order_id: str, now: datetime
) -> Change:
    """The account after ``ticket`` was placed at ``now``: an order at market, and a limit order
    that crosses, fill at once; every other one rests and keeps its margin back, or ends as its time
    in force says: expired or, where that has the market refuse it, rejected.

    Raises:
        InvalidRequest, InvalidAmount: it makes no sense, or the rules forbid it.
        NoLivePrice: the symbol has no live price now.
        InsufficientBalance: it needs more than what is available.
        UnknownPosition: it is to reduce what is not there.
    """
    order = draft_order(account, ticket, market, order_id, now)
    price, refused = order.kind.arrival_price(order, market), refusal(order, market)
    if price is not None and not refused:
        return fill_order(account, order, market, price, "taker")
    needed = cost(order, market)
    if needed > account.available_balance:
        raise InsufficientBalance(needed, account.available_balance)
    change = book_orders(account, (order,), order_text(order))
    if refused:
        return change.then(cancel_order(change.account, order.id, refused, "rejected"))
    if order.may_arrive(None):
        return change
    return change.then(cancel_order(change.account, order.id, unfilled(order, market), "expired"))


def book_orders(account: Account, orders: tuple[Order, ...], note: str) -> Change:
    """The account with ``orders``, of one symbol, in an entry with ``note``. Exits of the position
    for the whole of it take the place of those before, which end with their groups."""
    symbol = orders[0].symbol
    replaced = account.with_groups(
        each for each in account.orders_of(symbol) if any(order.replaces(each) for order in orders)
    )
    effect = Effect(
        symbol=symbol,
        position=account.position(symbol),
        opened=orders,
        closed=tuple(each.id for each in replaced),
        why=REPLACED if replaced else "",
    )
    return Change(account).booked("order", ZERO, note, effect=effect)


def unfilled(order: Order, market: Market) -> str:
    """Why ``order``, at a limit, does not do at once what its time in force asks for."""
    quote, buys = market.quotes[order.symbol], order.side == "buy"
    verb = "can't fill at once" if order.patience.takes else "would fill at once"
    return (
        f"it {verb}, the {'ask' if buys else 'bid'} is {rounded(quote.ask if buys else quote.bid)}"
    )


def filling(account: Account, order: Order) -> Order:
    """``order`` with the quantity that fills of it: that of the whole position where it is to close
    that, and no more than it where it is reduce-only."""
    held = account.position(order.symbol)
    if not order.reduce_only or held is None:
        return order
    return replace(order, quantity=min(order.quantity or held.quantity, held.quantity))


def fill_order(
    account: Account, order: Order, market: Market, price: Decimal, liquidity: Liquidity
) -> Change:
    """The account after ``order``, or what fills of it, filled at ``price``. The others of its
    group are cancelled.

    Raises:
        InsufficientBalance: it needs more than what is available.
    """
    quantity = filling(account, order).quantity or ZERO
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
    # What the others keep back is free for this one.
    alone = account.without_orders(others_of(account, order))
    change = apply_fill(alone, execution, market.instruments[order.symbol].brackets)
    return end_others(change, account, order, "filled")


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


def find_order(account: Account, order_id: str) -> Order:
    """The open order with the id, or the client id, ``order_id``.

    Raises:
        UnknownOrder: there is none.
    """
    # An order without a name has an empty one.
    order = next(
        (each for each in account.orders if order_id and order_id in (each.id, each.client_id)),
        None,
    )
    if order is None:
        raise UnknownOrder(f"There is no open order {order_id!r:.40}. It may have filled by now.")
    return order


def find_position(account: Account, symbol: str) -> Position:
    """The open position of ``symbol``.

    Raises:
        UnknownPosition: there is none.
    """
    held = account.position(symbol)
    if held is None:
        raise UnknownPosition(f"There is no open position of {symbol}.")
    return held


def cancel_order(
    account: Account,
    order_id: str,
    why: str = "",
    ended: OrderEnd = "canceled",
    owner: str = "",
) -> Change:
    """The account without the open order ``order_id`` and the others of its group; ``why`` goes
    into its entry, and how it ``ended`` into its effect. ``owner`` cancels it (empty: the person,
    who may cancel all).

    Raises:
        UnknownOrder: there is none with that id.
        NotYours: it is not one of ``owner``.
    """
    order = find_order(account, order_id)
    if owner and order.owner != owner:
        raise NotYours(order.symbol, order.owner, owner)
    change = _cancelled(Change(account), order, why, ended)
    return end_others(change, account, order, "was cancelled" if ended == "canceled" else ended)


def others_of(account: Account, order: Order) -> tuple[Order, ...]:
    """The other open orders of the group of ``order``, which end with it."""
    return tuple(each for each in account.with_groups((order,)) if each.id != order.id)


def end_others(change: Change, before: Account, order: Order, outcome: str) -> Change:
    """``change``, in which ``order`` of the account ``before`` came to its ``outcome``, and then
    the end of the others of its group."""
    for other in others_of(before, order):
        change = _cancelled(change, other, f"the other order of its OCO {outcome}", "canceled")
    return change


def _cancelled(change: Change, order: Order, why: str, ended: OrderEnd) -> Change:
    effect = Effect(
        symbol=order.symbol,
        position=change.account.position(order.symbol),
        closed=(order.id,),
        ended=ended,
        why=why,
    )
    note = f"{order_text(order)}{f': {why}' if why else ''}"
    return change.booked("cancel", ZERO, note, effect=effect)


def cancel_orders(
    account: Account,
    symbol: str | None = None,
    owner: str = "",
    conditional: bool | None = None,
) -> Change:
    """The account without any open order, or without those of ``symbol``; of ``owner`` alone, if
    one is named. With ``conditional`` only those end that wait for a trigger, or only the others.

    Raises:
        UnknownOrder: there is none.
    """
    ids = [
        each.id
        for each in account.orders
        if symbol in (None, each.symbol)
        and (not owner or each.owner == owner)
        and conditional in (None, each.kind.waits)
    ]
    if not ids:
        raise UnknownOrder(f"There are no open orders{f' of {symbol}' if symbol else ''}.")
    change = Change(account)
    for each in ids:
        # It may have gone with another of its group.
        if any(order.id == each for order in change.account.orders):
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
    of it, was closed at market; for ``owner`` (empty: the person, who may close all), and
    ``because`` of what that one says.

    Raises:
        UnknownPosition: there is none.
        NoLivePrice: the symbol has no live price now.
        NotYours: it is not what ``owner`` holds.
    """
    market.instrument(symbol)
    held = find_position(account, symbol)
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


@exactly
def close_all(account: Account, market: Market, order_id: str, owner: str = "") -> Change:
    """The account after all positions, or all of ``owner`` if one is named, were closed at market,
    or none: one that can't be closed now keeps the others from it. The orders have ids that begin
    with ``order_id``.

    Raises:
        UnknownPosition: there is none.
        NoLivePrice, InvalidRequest: one of them can't be closed now.
    """
    positions = [each for each in account.positions if not owner or each.owner == owner]
    if not positions:
        raise UnknownPosition("There are no open positions.")
    change = Change(account)
    for number, held in enumerate(positions, 1):
        time = market.quote(held.symbol, closing=True).time
        named = f"{order_id}-{number}"
        change = change.then(
            close_position(change.account, held.symbol, market, named, time, owner=owner)
        )
    return change


@exactly
def reverse_position(
    account: Account,
    symbol: str,
    market: Market,
    order_id: str,
    now: datetime,
    owner: str = "",
) -> Change:
    """The account after the position of ``symbol``, one of ``owner`` (empty: the person), was
    closed, and as much was opened on the other side with the same leverage, both at market. Its
    take-profit and stop-loss go with it.

    Raises:
        UnknownPosition: there is none.
        NotYours: another one holds it.
        NoLivePrice, InvalidRequest, InvalidAmount: the other side can't be opened now.
        InsufficientBalance: it needs more than what is available once this side is closed.
    """
    closed = close_position(account, symbol, market, f"{order_id}-close", now, owner=owner)
    held = find_position(account, symbol)
    if held.owner != owner:
        raise NotYours(symbol, held.owner, owner)
    ticket = Ticket(
        symbol=symbol,
        side=closing_side(held.side),
        quantity=held.quantity,
        leverage=held.leverage,
        owner=owner,
    )
    return closed.then(place_order(closed.account, ticket, market, order_id, now))


def order_text(order: Order) -> str:
    """``"Buy 0.01 BTC/USDT, limit 40,000"``."""
    size = "all of" if order.quantity is None else rounded(order.quantity)
    force = "" if order.time_in_force == "GTC" else f", {order.patience.label}"
    only = ", reduce-only" if order.reduce_only else ""
    why = f": {order.because}" if order.because else ""
    terms = order.kind.terms(order)
    return f"{order.side.capitalize()} {size} {order.symbol}, {terms}{force}{only}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an order would do: money in the quote currency, prices per base unit."""

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
            "How far its limit is through the market, in percent of the price that it fills at; of "
            "an order with a trigger, through that. Null where it is not.",
            minimum=0,
        ),
    ]
    slippage_percent: Annotated[
        Decimal | None,
        Doc(
            "How much worse than the ask or the bid it fills, in percent of that; null where it "
            "does not fill at once.",
            minimum=0,
        ),
    ]
    slippage_cost: Annotated[Money | None, Doc("What that comes to on its quantity.")]
    realized_pnl: Annotated[
        Money | None, Doc("Of what it closes, before fees; null where it closes nothing.")
    ]
    liquidation_price: Annotated[
        Price | None, Doc("Of the position after it; null where there is none.")
    ]
    available_after: Annotated[
        Money, Doc("What would be available once it has filled; below zero, it can't fill.")
    ]
    affordable: Annotated[bool, Doc("Whether there is enough for it to be accepted.")]
    warning: Annotated[str, Doc("What to know before; empty for nothing.")]
    display: Annotated[
        Texts,
        text_names(
            (
                *("quantity", "leverage", "notional", "margin", "fee", "cost", "price"),
                *("available", "available_after", "liquidation_price", "realized_pnl"),
                "slippage",
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
    check_refusal(order, market)
    return preview_order(account, order, market)


@exactly
def preview_order(account: Account, order: Order, market: Market) -> Preview:
    """What ``order``, which is not placed, would do to ``account``, as :func:`preview` says."""
    instrument = market.instruments[order.symbol]
    at_once = order.kind.arrival_price(order, market)
    price = at_once or order.named_price or ZERO
    liquidity: Liquidity = order.kind.liquidity_of(order) if at_once is None else "taker"
    payer = account
    if order.reserved_margin:
        # Filled as if there were enough, to find what it needs. What only closes needs nothing: its
        # fee is paid from that.
        payer = replace(account, wallet=replace(account.wallet, balance=Decimal(10) ** 30))
    after = fill_order(payer, order, market, price, liquidity)
    fill, position = after.bookings[0].fill, after.account.position(order.symbol)
    quantity = fill.quantity if fill else ZERO
    fee = fill.fee if fill else ZERO
    available = account.available_balance + after.account.available_balance
    available -= payer.available_balance
    needed, resting = order.reserved_margin + fee, cost(order, market) if at_once is None else ZERO
    values: dict[str, Any] = {
        "quantity": quantity,
        "price": price,
        "notional": quantized(quantity * price),
        "leverage": order.leverage,
        "margin": order.reserved_margin,
        "fee": fee,
        "cost": max(resting, needed),
        **_slippage(order, quantity, at_once, market),
        "realized_pnl": fill.realized_pnl if fill and fill.closed_quantity else None,
        "liquidation_price": position.liquidation_price if position else None,
        "available_after": available,
    }
    # A limit that waits for a trigger comes to the market where that is.
    met = at_once or (order.trigger_price if liquidity == "taker" else None)
    beyond = None
    if met is not None and order.price is not None:
        beyond = quantized(abs(order.price - met) / met * 100)
    affordable = available >= 0 if at_once else resting <= account.available_balance
    warnings = [*_warnings(order, at_once, position, market)]
    if affordable and at_once is None:
        warnings += _waiting_warnings(account, order, price, -available, market)
    return Preview(
        **values,
        liquidity=liquidity,
        fills_at_once=at_once is not None,
        beyond_percent=beyond,
        affordable=affordable,
        warning=" ".join(warnings),
        display=_texts(values, account, instrument, market.decimals),
    )


def _slippage(
    order: Order, quantity: Decimal, at_once: Decimal | None, market: Market
) -> dict[str, Decimal | None]:
    if at_once is None:
        return {"slippage_percent": None, "slippage_cost": None}
    best = market.best_price(order.symbol, order.side, closing=order.reduce_only)
    slipped = abs(at_once - best)
    return {
        "slippage_percent": quantized(slipped / best * 100),
        "slippage_cost": quantized(quantity * slipped),
    }


def _texts(
    values: Mapping[str, Any], account: Account, instrument: Instrument, decimals: int
) -> Mapping[str, str]:
    tick, liquidation_price = instrument.tick_size, values["liquidation_price"]
    slipped = values["slippage_percent"]
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
        "slippage": (
            NONE
            if slipped is None
            else f"{dollars(values['slippage_cost'], decimals)} ({share(slipped)})"
        ),
    }


def _warnings(
    order: Order, at_once: Decimal | None, position: Position | None, market: Market
) -> Iterator[str]:
    tick = market.instruments[order.symbol].tick_size
    if at_once is not None and order.price is not None:
        yield (
            f"Fills at once at about {on_tick(at_once, tick)}: the market is better than the limit "
            f"{on_tick(order.price, tick)} now."
        )
    if at_once is not None and order.price is None and _is_slippage_cut(order, market):
        yield (
            f"Its slippage is cut at {rounded(MOST_SLIPPAGE * 100)} %: it is far larger than the "
            f"market's depth, {grouped(market.terms.market_depth)} USDT in the settings."
        )
    if at_once is None and not order.may_arrive(None):
        yield f"It ends without a fill: {unfilled(order, market)}."
    if order.kind.follows:
        yield f"{order.kind.terms(order).capitalize()}, by the mark price."
    if at_once is not None and order.take_profit is not None:
        loses = order.take_profit < at_once if order.side == "buy" else order.take_profit > at_once
        if loses:
            yield (
                f"The take-profit {rounded(order.take_profit)} would close at a loss: the order "
                f"fills at about {on_tick(at_once, tick)}."
            )
    if position is None or position.liquidation_price is None:
        return
    mark = market.quotes[order.symbol].mark
    if at_once is not None and position.is_liquidated_at(mark):
        yield (
            "The position would be liquidated at once: it fills at about "
            f"{on_tick(at_once, tick)}, and its liquidation price, "
            f"{rounded(position.liquidation_price)}, lies beyond the mark price, {rounded(mark)}. "
            "Order less of it, or at a lower leverage."
        )
    elif order.stop_loss is not None and position.is_liquidated_at(order.stop_loss):
        yield (
            "The stop-loss lies beyond the liquidation price, "
            f"{rounded(position.liquidation_price)}: the position would be liquidated first."
        )


def _waiting_warnings(
    account: Account, order: Order, price: Decimal, missing: Decimal, market: Market
) -> Iterator[str]:
    """What to know of ``order``, which waits for ``price``, where ``missing`` is lacking now."""
    tick, held = market.instruments[order.symbol].tick_size, account.position(order.symbol)
    if held is not None and held.liquidation_price and held.is_liquidated_at(price):
        yield (
            f"{on_tick(price, tick)} lies beyond the liquidation price of the position, "
            f"{on_tick(held.liquidation_price, tick)}: that would be liquidated first, and this "
            "order cancelled."
        )
    elif missing > 0:
        yield (
            f"It is cancelled when it fills unless {dollars(missing, market.decimals)} more is "
            "available then: what it closes does not pay for that now."
        )


def _is_slippage_cut(order: Order, market: Market) -> bool:
    best = market.best_price(order.symbol, order.side, closing=order.reduce_only)
    return market.terms.slippage_of((order.quantity or ZERO) * best) == MOST_SLIPPAGE
