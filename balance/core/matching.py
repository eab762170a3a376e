"""What the market does to an account: funding, liquidations, triggers and fills, quote by quote.

While the price moves continuously, what it meets happens at its own price, the nearest first; when
it jumps, everything that it passed happens at the price after the jump.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance
from balance.core.figures import grouped, rounded
from balance.core.fills import completed_trade
from balance.core.funding import Settlements, settle, settlements_between
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.money import ZERO, exactly, significant
from balance.core.order import Liquidity, Order, closing_side
from balance.core.orders import cancel_order, end_others, fill_order, filling, order_text, unfilled
from balance.core.position import Position
from balance.core.quote import Leg, Quote, Stop
from balance.core.trade import LIQUIDATED, Effect, Fill, OrderEnd

_SHARE: Final = attrgetter("share")
# How many of the orders that were moved an entry names.
_NAMED: Final = 3


@exactly
def is_due(account: Account, market: Market) -> bool:
    """Whether ``market`` does anything to ``account`` but move its marks. It is cheap, as it is
    called for every quote."""
    return next(_due_symbols(account, market), None) is not None


@exactly
def advance(account: Account, market: Market, settlements: Settlements) -> Change:
    """The account after the newest quotes of ``market``, symbol by symbol, in the order in which
    the price came to each level.

    Orders off the tick of their symbol are first put on it. At one price, funding that is due comes
    first, as ``settlements`` has it (what is not in there waits), then liquidation, then the orders
    that are met: reduce-only ones before those that open, stops before the others, the oldest
    first. Orders that follow the price do so at the end of each part of a move. Symbols without a
    live quote and those of another feed are left alone. The change has no entries where nothing
    was due."""
    # What happens on one symbol makes nothing due on another.
    symbols = set(_due_symbols(account, market))
    change = Change(account)
    for symbol in market.instruments:
        if symbol in symbols:
            end = market.quotes[symbol]
            # What follows the price knows of nothing behind the start of the move yet.
            begin = change.account.marked(market.at(end.moved_from or end))
            change = change.then(regrid(begin, market.instruments[symbol]))
            change = change.then(_move(change.account, end, market, settlements))
    return change.then(Change(change.account.marked(market)))


def _move(account: Account, end: Quote, market: Market, settlements: Settlements) -> Change:
    """The account after the price of one symbol has come to ``end``."""
    change, start = Change(account), end.moved_from
    while start is not None:
        stop = _first_stop(change.account, Leg(start, end), market, settlements)
        step = None if stop is None else _act_at(change.account, stop, market, settlements)
        if stop is None or step is None or not step.bookings:
            break
        change, start = change.then(step), stop
    # What opens at the end of the move brings exits that may be met there.
    while (step := _act_at(change.account, end, market, settlements)).bookings:
        change = change.then(step)
    return change.then(step)


def _first_stop(
    account: Account, leg: Leg, market: Market, settlements: Settlements
) -> Quote | None:
    """The quote at which something happens first on ``leg``; None where nothing does."""
    symbol, stops = leg.end.symbol, list[Stop | None]()
    position = account.position(symbol)
    if position is not None and position.feed == market.feed:
        interval = market.instruments[symbol].funding_interval
        stops += [
            leg.at_time(instant)
            for instant in settlements_between(position.funded_at, leg.end.time, interval)
            if (symbol, instant) in settlements
        ]
        if position.liquidation_price is not None:
            is_short = position.side == "short"
            stops.append(leg.at_price("mark", position.liquidation_price, above=is_short))
    for order in account.orders_of(symbol):
        if order.feed == market.feed and order.since <= leg.start.time:
            trigger = order.kind.trigger(order)
            if trigger is not None:
                stops.append(leg.at_price(trigger.price, trigger.level, above=trigger.above))
    first = min((each for each in stops if each is not None), key=_SHARE, default=None)
    return None if first is None else first.quote


def _act_at(account: Account, quote: Quote, market: Market, settlements: Settlements) -> Change:
    """What happens at ``quote``, with the account marked at it."""
    market = market.at(quote)
    change = _fund(account.marked(market), quote.symbol, market, settlements)
    return change.then(_match(change.account, quote.symbol, market))


def _due_symbols(account: Account, market: Market) -> Iterator[str]:
    """The symbols on which something is due, some of them more than once."""
    foreign = set()
    for position in account.positions:
        if position.feed != market.feed:
            foreign.add(position.symbol)
        elif position.symbol in market.live:
            quote = market.quotes[position.symbol]
            interval = market.instruments[position.symbol].funding_interval
            settlement = next(settlements_between(position.funded_at, quote.time, interval), None)
            if settlement is not None or position.is_liquidated_at(quote.mark):
                yield position.symbol
    live, feed = market.live - foreign, market.feed
    for order in account.orders:
        symbol = order.symbol
        if (
            symbol in live
            and order.feed == feed
            and (order.is_due(market) or order.is_off_grid(market.instruments[symbol]))
        ):
            yield symbol


def _fund(account: Account, symbol: str, market: Market, settlements: Settlements) -> Change:
    change, position = Change(account), account.position(symbol)
    if position is None:
        return change
    instrument, now = market.instruments[symbol], market.quotes[symbol].time
    for instant in settlements_between(position.funded_at, now, instrument.funding_interval):
        if (symbol, instant) in settlements:
            settlement = settlements[symbol, instant]
            change = change.then(settle(change.account, symbol, instrument, instant, settlement))
    return change


def _match(account: Account, symbol: str, market: Market) -> Change:
    change, position = Change(account), account.position(symbol)
    quote = market.quotes[symbol]
    if position is not None and position.is_liquidated_at(quote.mark):
        return liquidate(account, position)
    for order in sorted(account.orders_of(symbol), key=_precedence):
        if order.feed == market.feed and order.is_met(quote):
            change = change.then(_set_off(change.account, order, market))
    return change


def _precedence(order: Order) -> tuple[bool, int]:
    """Of orders that are met at one price, the lower fills first."""
    return not order.reduce_only, order.kind.precedence


def _set_off(account: Account, order: Order, market: Market) -> Change:
    """The account after the resting ``order`` was set off."""
    if order not in account.orders:
        return Change(account)  # The fill of an earlier one has cancelled it.
    arriving = order.kind.set_off(order)
    if arriving is order:
        prices = order.kind.fill_prices(filling(account, order), market)
        return _fill(account, order, market, prices, order.kind.liquidity)
    effect = Effect(
        symbol=order.symbol,
        position=account.position(order.symbol),
        opened=(arriving,),
        closed=(order.id,),
    )
    mark = rounded(market.quotes[order.symbol].mark)
    note = f"Triggered at the mark price {mark}: {order_text(arriving)}"
    change = Change(account).booked("order", ZERO, note, effect=effect)
    change = end_others(change, account, order, "was triggered")
    return change.then(_arrive(change.account, arriving, market))


def _arrive(account: Account, order: Order, market: Market) -> Change:
    """The account after the open ``order`` came to the market: it filled, rests, or has ended as
    its time in force says."""
    price = order.kind.arrival_price(filling(account, order), market)
    if not order.may_arrive(price):
        ended: OrderEnd = "rejected" if order.patience.is_refused else "expired"
        return cancel_order(account, order.id, unfilled(order, market), ended)
    if price is None:
        return Change(account)
    # As a short's margin at a better price than its own is more.
    return _fill(account, order, market, (price, order.price or price), "taker")


def _fill(
    account: Account,
    order: Order,
    market: Market,
    prices: Iterable[Decimal],
    liquidity: Liquidity,
) -> Change:
    """The account after the open ``order`` filled at the first of ``prices`` that there is margin
    for, or was cancelled as there is too little."""
    short: InsufficientBalance
    for price in prices:
        try:
            return fill_order(account, order, market, price, liquidity)
        except InsufficientBalance as error:
            short = error
    needs = f"needs {rounded(short.required)} USDT, available {rounded(short.available)}"
    return cancel_order(account, order.id, f"could not fill, {needs}", "expired")


@exactly
def liquidate(account: Account, position: Position) -> Change:
    """The account after ``position`` was liquidated: first the symbol's open orders are cancelled,
    then the whole isolated margin is lost, and no more, at the bankruptcy price."""
    symbol = position.symbol
    price = significant(position.bankruptcy_price)
    lost = -position.isolated_margin
    trade = completed_trade(position, price, position.marked_at, lost, ZERO, "Liquidation")
    fill = Fill(
        order_id=f"liquidation of {symbol}",
        symbol=symbol,
        side=closing_side(position.side),
        type="market",
        reason="liquidation",
        liquidity="taker",
        quantity=position.quantity,
        price=price,
        fee=ZERO,
        closed_quantity=position.quantity,
        realized_pnl=lost,
        position_pnl=trade.pnl,
        owner=position.owner,
        filled_at=position.marked_at,
        feed=position.feed,
        trade=trade,
    )
    effect = Effect(
        symbol=symbol,
        position=None,
        closed=tuple(each.id for each in account.orders_of(symbol)),
        ended="expired",
        why=LIQUIDATED,
    )
    note = (
        f"Liquidated: {position.side} {rounded(position.quantity)} {symbol}, mark "
        f"{rounded(position.mark_price)}, bankruptcy price {rounded(price)}"
    )
    return Change(account).booked("liquidation", lost, note, effect=effect, fill=fill)


@exactly
def regrid(account: Account, rules: Instrument) -> Change:
    """``account`` with the open orders of the symbol at the nearest prices on the tick of ``rules``
    that are not better for them. One that needs more margin there than is available is
    cancelled. The change has no entries where all are on the tick."""
    orders = account.orders_of(rules.symbol)
    moved = {each.id: each.on_grid(rules) for each in orders if each.is_off_grid(rules)}
    note = f"On the new tick {grouped(rules.tick_size)}"
    return _replaced(account, rules.symbol, moved, note, "is the nearest price of its new grid")


def _replaced(
    account: Account, symbol: str, orders: Mapping[str, Order], note: str, reason: str
) -> Change:
    """``account`` with ``orders``, by id, in place of those of ``symbol`` before. One that needs
    more margin than is available is cancelled, for ``reason``."""
    change, after = Change(account), account
    for order in account.orders_of(symbol):
        if order.id not in orders or order not in after.orders:
            continue
        tried = after.with_orders({order.id: orders[order.id]})
        if tried.available_balance >= 0:
            after = tried
            continue
        why = f"{_at(orders[order.id])} {reason}, which needs more margin"
        change = change.then(cancel_order(change.account, order.id, why, "expired"))
        after = after.without_orders(after.with_groups((order,)))
    left = change.account.orders_of(symbol)
    moved = {each.id: orders[each.id] for each in left if each.id in orders}
    if not moved:
        return change
    # Older versions put the orders of an effect at the end of their list. With all of them in it,
    # these keep their order there.
    effect = Effect(
        symbol=symbol,
        position=account.position(symbol),
        opened=tuple(moved.get(each.id, each) for each in left),
        closed=tuple(each.id for each in left),
    )
    named = [f"{order_text(moved[each.id])} (was {_at(each)})" for each in left if each.id in moved]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    text = f"{note}: {', '.join(named[:_NAMED])}{more}"
    return change.booked("order", ZERO, text, effect=effect)


def _at(order: Order) -> str:
    return rounded(order.named_price or ZERO)
