"""Fills applied to an account: open, add, reduce, close and flip, in one step.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency. Realised P&L is booked gross; fees and funding are entries of their own. A position that
is closed beyond its bankruptcy price loses its isolated margin and no more, as a liquidation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from balance.core import margin
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance
from balance.core.figures import rounded
from balance.core.instrument import Bracket
from balance.core.money import ZERO, exactly, quantized, significant
from balance.core.order import (
    REASON_LABELS,
    Liquidity,
    Order,
    OrderType,
    Reason,
    closing_side,
    opened_side,
)
from balance.core.position import Position
from balance.core.trade import POSITION_CLOSED, REPLACED, Effect, Fill, Trade

# More digits than any price or quantity has, so that an average is as good as exact.
_AVERAGE = Context(prec=28, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An order's fill as the market gives it, before it is applied to the account."""

    order: Order
    # In base units; the whole position where the order closes that.
    quantity: Decimal
    price: Decimal
    # On the whole quantity, in the quote currency.
    fee: Decimal
    liquidity: Liquidity
    time: datetime
    reason: Reason = "order"


@exactly
def apply_fill(account: Account, execution: Execution, brackets: Sequence[Bracket] = ()) -> Change:
    """The account after ``execution``, and its entries: the fill, the realised P&L of what it
    closed, and the fee.

    The order that it fills is gone, and with the last of a position the reduce-only orders that
    were to close it. Without ``brackets`` a new position has no liquidation price.

    Raises:
        InsufficientBalance: margin and fee of what it opens are more than what is available.
    """
    order, held = execution.order, account.position(execution.order.symbol)
    closing = _closing_quantity(held, execution)
    opening = ZERO if order.reduce_only else execution.quantity - closing
    rest, gross = _reduce(held, closing, execution.price)
    fee = quantized(execution.fee)
    if not opening:
        fee = min(fee, _fee_limit(account, order, held, rest) + gross)
    # Where the position flips, each of the two bears its share of the fee.
    share = quantized(fee * closing / (closing + opening))
    position = rest and replace(rest, fees_paid=rest.fees_paid + share)
    if opening:
        position = _open(position, execution, opening, fee - share)
    if position is not None:
        position = position.measured(brackets)
    trade = None
    if held is not None and rest is None:
        price, time = execution.price, execution.time
        trade = completed_trade(held, price, time, gross, share, _close_reason(execution))
    fill = Fill(
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        reason=execution.reason,
        liquidity=execution.liquidity,
        quantity=closing + opening,
        price=execution.price,
        fee=fee,
        closed_quantity=closing,
        realized_pnl=gross,
        position_pnl=None if trade is None else trade.pnl,
        owner=held.owner if held is not None else order.owner,
        filled_at=execution.time,
        feed=order.feed,
        trade=trade,
        best_price=order.best_price,
        callback_percent=order.callback_percent,
        client_id=order.client_id,
    )
    effect = _effect(account, execution, held, position)
    change = _book(account, effect, fill, order.because)
    short = -change.account.available_balance
    if short > 0:
        needed = fee + quantized(margin.initial_margin(opening, execution.price, order.leverage))
        raise InsufficientBalance(needed, needed - short)
    return change


def _closing_quantity(held: Position | None, execution: Execution) -> Decimal:
    """How much of the execution's quantity closes what is held."""
    if held is None or closing_side(held.side) != execution.order.side:
        return ZERO
    return min(execution.quantity, held.quantity)


def _reduce(
    held: Position | None, closing: Decimal, price: Decimal
) -> tuple[Position | None, Decimal]:
    """What is left of ``held`` after ``closing`` of it went at ``price``, and the gross P&L."""
    if held is None or not closing:
        return held, ZERO
    left = held.quantity - closing
    isolated_margin = quantized(held.isolated_margin * left / held.quantity)
    gross = quantized(margin.unrealized_pnl(held.side, closing, held.entry_price, price))
    gross = max(gross, isolated_margin - held.isolated_margin)
    if not left:
        return None, gross
    rest = replace(
        held,
        quantity=left,
        isolated_margin=isolated_margin,
        realized_pnl=held.realized_pnl + gross,
        closed_quantity=held.closed_quantity + closing,
        closed_cost=held.closed_cost + closing * held.entry_price,
        closed_value=held.closed_value + closing * held.settlement_price(price),
    )
    return rest, gross


def completed_trade(
    held: Position, price: Decimal, time: datetime, gross: Decimal, fee: Decimal, because: str
) -> Trade:
    """The trade that ``held`` was, once the last of it went at ``price`` for ``gross`` before its
    ``fee``, in the quote currency.

    Entry and exit are averages over all fills of its life, weighted by quantity, so that side *
    (exit - entry) * quantity is its gross P&L. A close beyond the bankruptcy price counts as one
    at that price, as a liquidation does.
    """
    quantity = held.closed_quantity + held.quantity
    cost = held.closed_cost + held.quantity * held.entry_price
    value = held.closed_value + held.quantity * held.settlement_price(price)
    return Trade(
        owner=held.owner,
        symbol=held.symbol,
        side=held.side,
        quantity=quantity,
        entry_price=significant(cost / quantity),
        exit_price=significant(value / quantity),
        opened_at=held.opened_at,
        closed_at=time,
        gross=held.realized_pnl + gross,
        fees=held.fees_paid + fee,
        funding=held.funding,
        opened_because=held.opened_because,
        closed_because=because,
    )


def _close_reason(execution: Execution) -> str:
    if execution.reason == "order":
        return execution.order.because
    return REASON_LABELS[execution.reason]


def _fee_limit(
    account: Account, order: Order, held: Position | None, rest: Position | None
) -> Decimal:
    """What a fill that only closes may cost in all: what the account has free and what the closed
    part of the position had, so that no close fails for its fee."""
    before = held.isolated_margin if held is not None else ZERO
    after = rest.isolated_margin if rest is not None else ZERO
    reserved = order.reserved_margin if order in account.orders else ZERO
    return account.available_balance + reserved + before - after


def _open(
    held: Position | None,
    execution: Execution,
    opening: Decimal,
    fee: Decimal,
) -> Position:
    """``held`` and ``opening`` more of it, or a new position."""
    order, price = execution.order, execution.price
    needed = quantized(margin.initial_margin(opening, price, order.leverage))
    if held is not None:
        entry = margin.average_entry(held.quantity, held.entry_price, opening, price)
        return replace(
            held,
            quantity=held.quantity + opening,
            entry_price=_AVERAGE.plus(entry).normalize(),
            isolated_margin=held.isolated_margin + needed,
            fees_paid=held.fees_paid + fee,
        )
    return Position(
        symbol=order.symbol,
        feed=order.feed,
        owner=order.owner,
        side=opened_side(order.side),
        quantity=opening,
        entry_price=price,
        leverage=order.leverage,
        isolated_margin=needed,
        maintenance_rate=ZERO,
        maintenance_amount=ZERO,
        liquidation_price=None,
        mark_price=price,
        marked_at=execution.time,
        opened_at=execution.time,
        funded_at=execution.time,
        fees_paid=fee,
        opened_because=order.because,
    )


def _effect(
    account: Account, execution: Execution, held: Position | None, position: Position | None
) -> Effect:
    """The filled order goes; with a position go the orders that were to close it, and a new one
    brings its take-profit and stop-loss."""
    order = execution.order
    attached = _exits(execution, position)
    is_same = held is not None and position is not None and held.side == position.side
    gone = account.with_groups(
        each
        for each in account.orders_of(order.symbol)
        if each.id == order.id
        or (each.reduce_only and not is_same)
        or any(new.replaces(each) for new in attached)
    )
    closed = tuple(each.id for each in gone)
    effect = Effect(
        symbol=order.symbol,
        position=position,
        opened=attached,
        closed=closed,
        arrived=None if order.id in closed else order,
    )
    if {*closed} <= {order.id}:
        return effect
    if is_same:
        return replace(effect, why=REPLACED)
    return replace(effect, ended="expired", why=POSITION_CLOSED)


def _exits(execution: Execution, position: Position | None) -> tuple[Order, ...]:
    """The take-profit and the stop-loss for the whole of ``position``, which the order brings."""
    order = execution.order
    if position is None or opened_side(order.side) != position.side:
        return ()
    exits: tuple[tuple[OrderType, Decimal | None, str], ...] = (
        ("take_profit_market", order.take_profit, "tp"),
        ("stop_market", order.stop_loss, "sl"),
    )
    return tuple(
        Order(
            id=f"{order.id}-{suffix}",
            symbol=position.symbol,
            feed=position.feed,
            side=closing_side(position.side),
            type=kind,
            quantity=None,
            trigger_price=trigger,
            leverage=position.leverage,
            reduce_only=True,
            placed_at=execution.time,
            owner=position.owner,
        )
        for kind, trigger, suffix in exits
        if trigger is not None
    )


def _book(account: Account, effect: Effect, fill: Fill, because: str) -> Change:
    text = fill_text(fill)
    note = f"{text}: {because}" if because else text
    change = Change(account).booked("fill", ZERO, note, effect=effect, fill=fill)
    if fill.closed_quantity:
        closed = f"Closed {rounded(fill.closed_quantity)} {fill.symbol} at {rounded(fill.price)}"
        change = change.booked("realized_pnl", fill.realized_pnl, closed)
    if fill.fee:
        change = change.booked("fee", -fill.fee, f"{fill.liquidity.capitalize()} fee. {text}")
    return change


def fill_text(fill: Fill) -> str:
    """``"Bought 0.01 BTC/USDT at 43,812.4 (stop-loss)"``."""
    verb = "Bought" if fill.side == "buy" else "Sold"
    why = "" if fill.reason == "order" else f" ({REASON_LABELS[fill.reason].lower()})"
    if fill.best_price is not None and fill.callback_percent is not None:
        beyond = "below" if fill.side == "sell" else "above"
        distance = f"{rounded(fill.callback_percent)} % {beyond} {rounded(fill.best_price)}"
        why = f" ({REASON_LABELS['trailing_stop'].lower()}, {distance})"
    return f"{verb} {rounded(fill.quantity)} {fill.symbol} at {rounded(fill.price)}{why}"
