"""The grid of a symbol as its price moves: other rules where the price leaves them, and the open
orders put on the new tick."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.figures import grouped, rounded
from balance.core.instrument import Instrument
from balance.core.instruments import COARSEST, FINEST, fits, instrument
from balance.core.money import ZERO, exact, exactly
from balance.core.order import Order
from balance.core.orders import cancel_order, order_text
from balance.core.quote import Candle
from balance.core.trade import Effect

#: The rules of one symbol, each with the moment from which on they are in force, oldest first.
Rules = Sequence[tuple[datetime, Instrument]]

_TIME: Final = itemgetter(0)
# How many of the orders that were moved an entry names.
_NAMED: Final = 3


def fitting_rules(rules: Instrument, low: Decimal, high: Decimal) -> Instrument:
    """``rules``, or those that fit prices from ``low`` to ``high``, in the quote currency, where
    ``rules`` do not. Rules of an exchange stay as they are."""
    if not rules.follows_price or (fits(rules.tick_size, low) and fits(rules.tick_size, high)):
        return rules
    # As fine as the lowest price needs its tick, and the highest one its step.
    fine, coarse = instrument(rules.symbol, low), instrument(rules.symbol, high)
    found = replace(
        rules,
        tick_size=min(fine.tick_size, coarse.tick_size),
        step_size=coarse.step_size,
        min_quantity=coarse.min_quantity,
    )
    return rules if found == rules else found


def rules_over(first: Instrument, candles: Iterable[Candle]) -> Rules:
    """The rules of a symbol on its way through ``candles``, at least one; ``first`` are those at
    their beginning. They change at the candle whose prices leave them."""
    found: list[tuple[datetime, Instrument]] = []
    rules, least, most = first, ZERO, ZERO
    for candle in candles:
        if found and least <= candle.low and candle.high <= most:
            continue
        now = fitting_rules(rules, candle.low, candle.high)
        if not found or now is not rules:
            found.append((candle.time, now))
        if not first.follows_price:
            break
        rules = now
        with exact():
            least, most = rules.tick_size / COARSEST, rules.tick_size / FINEST
    return found


def rules_at(rules: Rules, moment: datetime) -> Instrument:
    """Those of ``rules``, at least one, that are in force at ``moment``."""
    return rules[max(bisect_right(rules, moment, key=_TIME) - 1, 0)][1]


def grid_message(rules: Instrument, since: datetime) -> str:
    """That ``rules`` are new: ``"The price of NEW/USDT left its grid: from 2022-01-31 22:00 UTC on
    its tick is 0.00001 and its step 1.00."``."""
    return (
        f"The price of {rules.symbol} left its grid: from {since:%Y-%m-%d %H:%M} UTC on its tick "
        f"is {grouped(rules.tick_size)} and its step {grouped(rules.step_size)}."
    )


@exactly
def regrid(account: Account, rules: Instrument) -> Change:
    """``account`` with the open orders of the symbol at the nearest prices on the tick of ``rules``
    that are not better for them. One that needs more margin there than is available is
    cancelled. The change has no entries where all are on the tick."""
    change = Change(account)
    orders = account.orders_of(rules.symbol)
    moved = {each.id: each.on_grid(rules) for each in orders if each.is_off_grid(rules)}
    free = account.available_balance
    for order in orders:
        needed = moved[order.id].reserved_margin - order.reserved_margin if order.id in moved else 0
        if needed > free:
            at = moved.pop(order.id)
            why = f"{_at(at)} is the nearest price of its new grid, which needs more margin"
            change = change.then(cancel_order(change.account, order.id, why))
            free += order.reserved_margin
        else:
            free -= needed
    if not moved:
        return change
    left = change.account.orders_of(rules.symbol)
    # All of them, so that they stay in their order.
    effect = Effect(
        symbol=rules.symbol,
        position=account.position(rules.symbol),
        opened=tuple(moved.get(each.id, each) for each in left),
        closed=tuple(each.id for each in left),
    )
    named = [f"{order_text(moved[each.id])} (was {_at(each)})" for each in left if each.id in moved]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    note = f"On the new tick {grouped(rules.tick_size)}: {', '.join(named[:_NAMED])}{more}"
    return change.booked("order", ZERO, note, effect=effect)


def _at(order: Order) -> str:
    return rounded(order.named_price or ZERO)
