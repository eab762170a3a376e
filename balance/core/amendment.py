"""Amending an open order: other numbers, such as its price or its quantity, in the same order.

Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance, InvalidRequest, NotYours
from balance.core.figures import rounded
from balance.core.market import Market
from balance.core.money import ZERO, exactly
from balance.core.order import NUMBERS, Order
from balance.core.orders import (
    Preview,
    cost,
    fill_order,
    filling,
    find_order,
    order_text,
    preview_order,
)
from balance.core.request import positive
from balance.core.ticket import Ticket, check_feed, check_refusal, check_trigger, draft_order
from balance.core.trade import Effect

#: The numbers that an open order may have others of, by their names in requests.
AMENDABLE: Final = (*NUMBERS, "quantity")
# The fields of an order that its ticket had.
_TERMS: Final = tuple(
    each.name for each in fields(Ticket) if each.name in {term.name for term in fields(Order)}
)


def read_amendment(members: Mapping[str, Any]) -> Mapping[str, Decimal]:
    """The numbers in ``members``, such as JSON has them; None is as good as left out.

    Raises:
        InvalidRequest: a member is unknown, or there is none.
        InvalidAmount: a number is none, or not above zero.
    """
    unknown = sorted(set(members) - set(AMENDABLE))
    if unknown:
        raise InvalidRequest(
            f"An open order may change its {', '.join(AMENDABLE)}, but not {unknown[0]!r:.40}."
        )
    given = {name: value for name, value in members.items() if value is not None}
    if not given:
        raise InvalidRequest(f"Name at least one of {', '.join(AMENDABLE)}.")
    return {name: positive(value, name) for name, value in given.items()}


@exactly
def amend_order(
    account: Account,
    order_id: str,
    amendment: Mapping[str, Decimal],
    market: Market,
    now: datetime,
    owner: str = "",
) -> Change:
    """The account after the open order ``order_id`` got the numbers of ``amendment`` at ``now``,
    for ``owner``, who may amend its own, or for the person, who may also amend what closes. It
    keeps its id, its owner, its place among the orders, and all that is not named. It is then as an
    order that is placed at that moment: it fills at once where it crosses the market.

    Raises:
        UnknownOrder: there is none with that id.
        InvalidRequest, InvalidAmount: it makes no sense, nothing would change, or the rules forbid
            it.
        NotYours: it belongs to another one, and may open a position.
        NoLivePrice: the symbol has no live price now.
        InsufficientBalance: it needs more than what is available.
    """
    order = find_order(account, order_id)
    amended = _amended(account, order, amendment, market, now, owner)
    changes = [
        f"{name.replace('_', ' ')} {_text(before)} -> {_text(after)}"
        for name in AMENDABLE
        if (before := getattr(order, name)) != (after := getattr(amended, name))
    ]
    if not changes:
        raise InvalidRequest(f"Nothing would change: the order is {order_text(order)} already.")
    effect = Effect(
        symbol=order.symbol,
        position=account.position(order.symbol),
        opened=(amended,),
        closed=(order.id,),
    )
    note = f"Amended: {order_text(order)}: {', '.join(changes)}"
    change = Change(account).booked("order", ZERO, note, effect=effect)
    price = amended.kind.arrival_price(filling(account, amended), market)
    if price is not None:
        return change.then(fill_order(change.account, amended, market, price, "taker"))
    free = account.without_orders(account.with_groups((order,))).available_balance
    needed = cost(amended, market)
    # What reserves no more than before needs nothing, however little is available.
    is_more = change.account.used_margin > account.used_margin
    if is_more and needed > free:
        raise InsufficientBalance(needed, free)
    return change


@exactly
def preview_amendment(
    account: Account,
    order_id: str,
    amendment: Mapping[str, Decimal],
    market: Market,
    now: datetime,
    owner: str = "",
) -> Preview:
    """What the open order ``order_id`` would do with the numbers of ``amendment``; what it keeps
    back now counts as available.

    Raises:
        BalanceError: whatever would refuse it, but for a lack of funds, which the preview shows.
    """
    order = find_order(account, order_id)
    amended = _amended(account, order, amendment, market, now, owner)
    others = account.without_orders(account.with_groups((order,)))
    found = preview_order(others, amended, market)
    try:
        amend_order(account, order_id, amendment, market, now, owner)
    except InsufficientBalance:
        return replace(found, affordable=False)
    return replace(found, affordable=True)


def _check_amendment(order: Order, amendment: Mapping[str, Decimal], owner: str) -> None:
    if order.owner != owner and (owner or not order.reduce_only):
        raise NotYours(order.symbol, order.owner, owner)
    for name in amendment:
        if name == "quantity" and order.is_attached:
            raise InvalidRequest(
                f"This {order.kind.label.lower()} closes the whole position, whatever its size is. "
                "For a part of it, cancel this order and place a reduce-only one."
            )
        if name != "quantity" and order.kind.needed(name) is None:
            raise InvalidRequest(f"A {order.kind.label.lower()} order has no {name}.")
        if name == "activation_price" and order.best_price is not None:
            raise InvalidRequest(
                f"The order follows the price already, and is {order.kind.terms(order)}. Change "
                "its callback_percent instead, or cancel it and place another one."
            )


def _amended(
    account: Account,
    order: Order,
    amendment: Mapping[str, Decimal],
    market: Market,
    now: datetime,
    owner: str,
) -> Order:
    """``order`` as ``amendment`` makes it, with all that is checked where an order is placed."""
    _check_amendment(order, amendment, owner)
    check_feed(account, order.symbol, market)
    terms = {name: getattr(order, name) for name in _TERMS}
    others = account.without_orders((order,))
    drafted = draft_order(others, Ticket(**{**terms, **amendment}), market, order.id, now)
    check_refusal(drafted, market)
    changed: dict[str, Any] = {name: getattr(drafted, name) for name in amendment}
    reserved = drafted.reserved_margin
    amended = replace(order, **changed, reserved_margin=reserved, amended_at=now).marked(market)
    if amended.kind.waits:
        # Of a trailing stop it goes by the best price, which the draft knows nothing of.
        check_trigger(amended, market.quotes[order.symbol])
    return amended


def _text(number: Decimal | None) -> str:
    return "none" if number is None else rounded(number)
