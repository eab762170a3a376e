"""Adding margin to a position and removing it: money that moves between what is available and the
position's own isolated wallet. Nothing is gained or lost by it.

Money is in the quote currency, prices per base unit.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from balance.core import margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance, InvalidAmount, NotYours
from balance.core.figures import grouped, on_tick, rounded
from balance.core.market import Market
from balance.core.money import CURRENCY, ZERO, exactly, money, quantized
from balance.core.orders import find_position
from balance.core.position import Position
from balance.core.ticket import check_feed
from balance.core.trade import Effect


@exactly
def move_margin(
    account: Account, symbol: str, amount: object, market: Market, owner: str = ""
) -> Change:
    """The account after ``amount`` was added to the margin of the position of ``symbol`` or, below
    zero, removed from it, for its ``owner`` (empty: the person); its liquidation price moves at
    once, and the balance stays.

    Raises:
        InvalidAmount: the amount is zero or no number, or more than what may be removed.
        InvalidRequest: the position was opened on another feed.
        UnknownPosition: there is none.
        NotYours: another one holds it.
        NoLivePrice: margin is to be removed, and the symbol has no live price now.
        InsufficientBalance: more is to be added than what is available.
    """
    rules = market.instrument(symbol)
    step, held = money(amount, "amount"), find_position(account, symbol)
    if not step:
        raise InvalidAmount("The amount must not be zero: above it adds margin, below removes it.")
    if held.owner != owner:
        raise NotYours(symbol, held.owner, owner)
    check_feed(account, symbol, market)
    if step > account.available_balance:
        raise InsufficientBalance(step, account.available_balance)
    moved = replace(held, isolated_margin=held.isolated_margin + step).measured(rules.brackets)
    if step < 0:
        mark = market.quote(symbol, closing=True).mark
        most = removable_margin(held)
        if -step > most or moved.is_liquidated_at(mark):
            raise InvalidAmount(
                f"At most {grouped(most)} {CURRENCY} can be removed from the margin of "
                f"{symbol} now, not {grouped(-step)}: what stays covers the initial margin at "
                "the mark price, and the loss so far."
            )
    effect = Effect(symbol=symbol, position=moved)
    return Change(account).booked(
        "margin", ZERO, _text(held, moved, rules.tick_size), effect=effect
    )


@exactly
def removable_margin(position: Position) -> Decimal:
    """How much margin can be removed from ``position``: what is beyond its initial margin at the
    mark price and its loss so far. A gain counts for nothing until it is realised."""
    initial = margin.initial_margin(position.quantity, position.mark_price, position.leverage)
    needed = quantized(initial + max(ZERO, -position.unrealized_pnl))
    return max(ZERO, position.isolated_margin - needed)


def _text(before: Position, after: Position, tick: Decimal) -> str:
    step = after.isolated_margin - before.isolated_margin
    what, where = ("Added", "to") if step > 0 else ("Removed", "from")
    return (
        f"{what} {grouped(abs(step))} {CURRENCY} {where} the margin of {before.side} "
        f"{rounded(before.quantity)} {before.symbol}: {grouped(before.isolated_margin)} -> "
        f"{grouped(after.isolated_margin)}, liquidation price "
        f"{_price(before, tick)} -> {_price(after, tick)}"
    )


def _price(position: Position, tick: Decimal) -> str:
    price = position.liquidation_price
    return "none" if price is None else on_tick(price, tick)
