"""What the market does to an account: funding, liquidations, triggers and fills, quote by quote.

While the price moves continuously, what it meets happens at its own price, the nearest first; when
it jumps, everything that it passed happens at the price after the jump.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance
from balance.core.figures import rounded
from balance.core.fills import completed_trade
from balance.core.funding import Settlements, instants, settle
from balance.core.grid import is_off_grid, regrid
from balance.core.leg import Leg, PriceName, Stop
from balance.core.market import Market
from balance.core.money import ZERO, exactly, significant
from balance.core.orders import cancel_order, fill_order
from balance.core.position import Order, Position, closing_side
from balance.core.quote import Quote
from balance.core.trade import Effect, Fill

_SHARE: Final = attrgetter("share")


@exactly
def is_due(account: Account, market: Market) -> bool:
    """Whether ``market`` does anything to ``account`` but move its marks. Cheap: it is asked at
    every moment of the market."""
    return next(_acted_on(account, market), None) is not None


@exactly
def advance(account: Account, market: Market, settlements: Settlements) -> Change:
    """The account after the newest quotes of ``market``, symbol by symbol and in the order of the
    price's way to them. Orders off the tick of their symbol are put on it before. At one price it
    is first the funding that is due, with what ``settlements`` tells of it (what it does not name
    waits), then liquidation, then the orders that are met: reduce-only ones before those that open,
    stops before the others, the oldest first. The change has no entries where there was nothing to
    do; symbols without a live quote and those of another feed are left alone."""
    # what happens to one symbol makes nothing due on another
    symbols = set(_acted_on(account, market))
    change = Change(account.marked(market))
    for symbol in market.instruments:
        if symbol in symbols:
            change = change.then(regrid(change.account, market.instruments[symbol]))
            change = change.then(_moved(change.account, market.quotes[symbol], market, settlements))
    return change


def _moved(account: Account, end: Quote, market: Market, settlements: Settlements) -> Change:
    """The account after the price of one symbol has come to ``end``."""
    change, start = Change(account), end.moved_from
    while start is not None:
        stop = _first_stop(change.account, Leg(start, end), market, settlements)
        step = None if stop is None else _met_at(change.account, stop, market, settlements)
        if stop is None or step is None or not step.bookings:
            break
        change, start = change.then(step), stop
    # What opens at the end of the move brings exits that may be met there.
    while (step := _met_at(change.account, end, market, settlements)).bookings:
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
            for instant in instants(position, leg.end.time, interval)
            if (symbol, instant) in settlements
        ]
        if position.liquidation_price is not None:
            is_short = position.side == "short"
            stops.append(leg.at_price("mark", position.liquidation_price, above=is_short))
    for order in account.orders_of(symbol):
        if order.feed == market.feed and order.placed_at <= leg.start.time:
            name, level, above = _level(order)
            stops.append(leg.at_price(name, level, above=above))
    first = min((each for each in stops if each is not None), key=_SHARE, default=None)
    return None if first is None else first.quote


def _met_at(account: Account, quote: Quote, market: Market, settlements: Settlements) -> Change:
    """What happens at ``quote``, with the account marked at it."""
    market = market.at(quote)
    change = _funded(account.marked(market), quote.symbol, market, settlements)
    return change.then(_matched(change.account, quote.symbol, market))


def _acted_on(account: Account, market: Market) -> Iterator[str]:
    """The symbols on which something is due, some of them more than once."""
    foreign = set()
    for position in account.positions:
        if position.feed != market.feed:
            foreign.add(position.symbol)
        elif _is_live(position, market):
            quote = market.quotes[position.symbol]
            interval = market.instruments[position.symbol].funding_interval
            settlement = next(instants(position, quote.time, interval), None)
            if settlement is not None or position.is_liquidated_at(quote.mark):
                yield position.symbol
    for order in account.orders:
        if order.symbol in foreign or not _is_live(order, market):
            continue
        rules = market.instruments[order.symbol]
        if _is_met(order, market.quotes[order.symbol]) or is_off_grid(order, rules):
            yield order.symbol


def _is_live(held: Position | Order, market: Market) -> bool:
    return held.symbol in market.live and held.feed == market.feed


def _funded(account: Account, symbol: str, market: Market, settlements: Settlements) -> Change:
    change, position = Change(account), account.position(symbol)
    if position is None:
        return change
    instrument = market.instruments[symbol]
    for instant in instants(position, market.quotes[symbol].time, instrument.funding_interval):
        if (symbol, instant) in settlements:
            told = settlements[symbol, instant]
            change = change.then(settle(change.account, symbol, instrument, instant, told))
    return change


def _matched(account: Account, symbol: str, market: Market) -> Change:
    change, position = Change(account), account.position(symbol)
    quote = market.quotes[symbol]
    if position is not None and position.is_liquidated_at(quote.mark):
        return liquidate(account, position)
    for order in sorted(account.orders_of(symbol), key=_precedence):
        if order.feed == market.feed and _is_met(order, quote):
            change = change.then(_met(change.account, order, market))
    return change


def _precedence(order: Order) -> tuple[bool, bool]:
    """Of orders that are met at one price, the lower comes first."""
    return not order.reduce_only, order.type != "stop_market"


def _is_met(order: Order, quote: Quote) -> bool:
    """Whether a resting order fills at ``quote``: a limit when the price crosses it, a stop or a
    take-profit when the mark is at its trigger. A price from before it was placed, which is booked
    late, does not meet it."""
    if quote.time < order.placed_at:
        return False
    if order.type != "limit" or order.price is None:
        return order.triggers_at(quote.mark)
    return quote.ask <= order.price if order.side == "buy" else quote.bid >= order.price


def _level(order: Order) -> tuple[PriceName, Decimal, bool]:
    """Which price has to be at which level for a resting order to fill, and whether it may be
    above that rather than below."""
    if order.type == "limit" and order.price is not None:
        return ("ask", order.price, False) if order.side == "buy" else ("bid", order.price, True)
    above = (order.side == "buy") == (order.type == "stop_market")
    return "mark", order.trigger_price or ZERO, above


def _met(account: Account, order: Order, market: Market) -> Change:
    if order not in account.orders:
        return Change(account)  # an earlier one's fill has cancelled it
    try:
        if order.type == "limit" and order.price is not None:
            return _met_limit(account, order, market, order.price)
        price = market.taker_price(order.symbol, order.side)
        return fill_order(account, order, market, price, "taker")
    except InsufficientBalance as fault:
        needs = f"needs {rounded(fault.required)} USDT, available {rounded(fault.available)}"
        return cancel_order(account, order.id, f"could not fill, {needs}")


def _met_limit(account: Account, order: Order, market: Market, limit: Decimal) -> Change:
    """The fill of a limit order at the price of the market, which is its own where that moved
    there, and a better one where it jumped beyond; at its own too where a short's margin at the
    better one is more than what is available."""
    quote = market.quotes[order.symbol]
    price = quote.ask if order.side == "buy" else quote.bid
    try:
        return fill_order(account, order, market, price, "maker")
    except InsufficientBalance:
        return fill_order(account, order, market, limit, "maker")


@exactly
def liquidate(account: Account, position: Position) -> Change:
    """The account after ``position`` was liquidated: first the symbol's open orders are cancelled,
    then the whole isolated margin is lost, and no more, at the bankruptcy price."""
    symbol = position.symbol
    price = significant(position.bankruptcy_price)
    lost = -position.isolated_margin
    trade = completed_trade(position, price, position.marked_at, lost, ZERO, "Liquidation")
    fill = Fill(
        order_id="liquidation",
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
    )
    words = (
        f"Liquidated: {position.side} {rounded(position.quantity)} {symbol}, mark "
        f"{rounded(position.mark_price)}, bankruptcy price {rounded(price)}"
    )
    return Change(account).booked("liquidation", lost, words, effect=effect, fill=fill)
