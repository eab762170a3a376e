"""What the market does to an account: funding, liquidations, triggers and fills, quote by quote."""

from __future__ import annotations

from collections.abc import Iterator

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance
from balance.core.figures import rounded
from balance.core.fills import ended
from balance.core.funding import Settlements, instants, settled
from balance.core.market import Market
from balance.core.money import ZERO, exactly, significant
from balance.core.orders import cancelled, executed
from balance.core.position import Order, Position, closing_side
from balance.core.quote import Quote
from balance.core.trade import Effect, Fill


@exactly
def is_due(account: Account, market: Market) -> bool:
    """Whether ``market`` does anything to ``account`` but move its marks. Cheap: it is asked at
    every moment of the market."""
    return next(_acted_on(account, market), None) is not None


@exactly
def advanced(account: Account, market: Market, settlements: Settlements) -> Change:
    """The account after the newest quotes of ``market``, symbol by symbol: first the funding that
    is due, with what ``settlements`` tells of it (what it does not name waits), then liquidation,
    then the orders that the quote meets, oldest first. The change has no entries where there was
    nothing to do; symbols without a live quote and those of another feed are left alone."""
    # what happens to one symbol makes nothing due on another
    symbols = set(_acted_on(account, market))
    change = Change(account.marked(market))
    for symbol in market.instruments:
        if symbol in symbols:
            change = change.then(_funded(change.account, symbol, market, settlements))
            change = change.then(_matched(change.account, symbol, market))
    return change


def _acted_on(account: Account, market: Market) -> Iterator[str]:
    """The symbols on which something is due, some of them more than once."""
    foreign = set()
    for position in account.positions:
        if position.feed != market.feed:
            foreign.add(position.symbol)
        elif _is_live(position, market):
            quote = market.quotes[position.symbol]
            settlement = next(instants(position, quote.time), None)
            if settlement is not None or position.is_liquidated_at(quote.mark):
                yield position.symbol
    for order in account.orders:
        if order.symbol in foreign or not _is_live(order, market):
            continue
        if _is_met(order, market.quotes[order.symbol]):
            yield order.symbol


def _is_live(held: Position | Order, market: Market) -> bool:
    return held.symbol in market.live and held.feed == market.feed


def _funded(account: Account, symbol: str, market: Market, settlements: Settlements) -> Change:
    change, position = Change(account), account.position(symbol)
    if position is None:
        return change
    for instant in instants(position, market.quotes[symbol].time):
        if (symbol, instant) in settlements:
            told = settlements[symbol, instant]
            instrument = market.instruments[symbol]
            change = change.then(settled(change.account, symbol, instrument, instant, told))
    return change


def _matched(account: Account, symbol: str, market: Market) -> Change:
    change, position = Change(account), account.position(symbol)
    quote = market.quotes[symbol]
    if position is not None and position.is_liquidated_at(quote.mark):
        return liquidated(account, position)
    for order in account.orders_of(symbol):
        if order.feed == market.feed and _is_met(order, quote):
            change = change.then(_met(change.account, order, market))
    return change


def _is_met(order: Order, quote: Quote) -> bool:
    """Whether a resting order fills at ``quote``: a limit when the price crosses it, a stop or a
    take-profit when the mark is at its trigger."""
    if order.type != "limit" or order.price is None:
        return order.triggers_at(quote.mark)
    return quote.ask <= order.price if order.side == "buy" else quote.bid >= order.price


def _met(account: Account, order: Order, market: Market) -> Change:
    if order not in account.orders:
        return Change(account)  # an earlier one's fill has cancelled it
    try:
        if order.type == "limit" and order.price is not None:
            return executed(account, order, market, order.price, "maker")
        price = market.taker_price(order.symbol, order.side)
        return executed(account, order, market, price, "taker")
    except InsufficientBalance as fault:
        needs = f"needs {rounded(fault.required)} USDT, available {rounded(fault.available)}"
        return cancelled(account, order.id, f"could not fill, {needs}")


@exactly
def liquidated(account: Account, position: Position) -> Change:
    """The account after ``position`` was liquidated: first the symbol's open orders are cancelled,
    then the whole isolated margin is lost, and no more, at the bankruptcy price."""
    symbol = position.symbol
    price = significant(position.bankruptcy_price)
    lost = -position.isolated_margin
    trade = ended(position, price, position.marked_at, lost, ZERO, "Liquidation")
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
