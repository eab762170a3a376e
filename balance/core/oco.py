"""OCO, one cancels the other: two orders of one symbol, of which at most one fills.

They are placed together, and end together: the first that the market reaches cancels the other.
Quantities are in base units, prices in the quote currency per base unit, money in the quote
currency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import InsufficientBalance, InvalidRequest
from balance.core.figures import dollars, rounded
from balance.core.market import Market
from balance.core.money import ZERO, exactly
from balance.core.order import ORDER_KINDS, PATIENCE, Order
from balance.core.orders import Preview, book_orders, cost, order_text, preview_order
from balance.core.shape import Doc, Money, Texts, text_names
from balance.core.ticket import Ticket, draft_order, fingerprint, read_ticket

#: How many orders a group has.
SIZE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OcoPreview:
    """What an OCO would do: money in the quote currency."""

    # What each order would do, if it is the one.
    orders: tuple[Preview, ...]
    cost: Annotated[Money, Doc("What must be available: what the order does that needs more.")]
    available_after: Annotated[
        Money,
        Doc("What would be available after the order that leaves less; below zero, it can't fill."),
    ]
    affordable: Annotated[bool, Doc("Whether there is enough for either.")]
    warning: Annotated[str, Doc("What to know before; empty for nothing.")]
    display: Annotated[Texts, text_names(("cost", "available", "available_after"))]


def oco_fingerprint(orders: Sequence[Mapping[str, Any]]) -> list[list[tuple[str, str]]]:
    """What identifies the request of an OCO, however the members of its orders are written.

    Raises:
        InvalidRequest: they are not two.
    """
    return [fingerprint(each) for each in _both(orders)]


def read_oco(orders: Sequence[Mapping[str, Any]], market: Market) -> tuple[Ticket, ...]:
    """The tickets with the members of ``orders``, as one OCO: a leverage that only one of them
    names is that of both.

    Raises:
        InvalidRequest: they are not two of one symbol, or a member is wrong.
        InvalidAmount: a number is none, or not above zero.
    """
    tickets = [read_ticket(each, market) for each in _both(orders)]
    first, second = tickets
    if first.symbol != second.symbol:
        raise InvalidRequest(
            f"Both orders of an OCO must be of one symbol, not of {first.symbol} and "
            f"{second.symbol}."
        )
    leverage = next((each.leverage for each in tickets if each.leverage is not None), None)
    return tuple(
        each if each.leverage is not None else replace(each, leverage=leverage) for each in tickets
    )


@exactly
def place_oco(
    account: Account, tickets: Sequence[Ticket], market: Market, order_id: str, now: datetime
) -> Change:
    """The account after the orders of ``tickets`` were placed at ``now``, both in one entry, with
    ids that begin with ``order_id``. They keep back the margin of the one that needs more of it.

    Raises:
        InvalidRequest, InvalidAmount: one makes no sense, would not wait, or the rules forbid it.
        NoLivePrice: the symbol has no live price now.
        InsufficientBalance: one of them needs more than what is available.
        UnknownPosition: one is to reduce what is not there.
    """
    orders = _drafts(account, tickets, market, order_id, now)
    needed = max(cost(each, market) for each in orders)
    if needed > account.available_balance:
        raise InsufficientBalance(needed, account.available_balance)
    return book_orders(account, orders, f"OCO: {'; or '.join(map(order_text, orders))}")


@exactly
def preview_oco(
    account: Account, tickets: Sequence[Ticket], market: Market, now: datetime
) -> OcoPreview:
    """What placing ``tickets`` as an OCO would do to ``account``.

    Raises:
        BalanceError: whatever would refuse it, but for a lack of funds, which the preview shows.
    """
    orders = _drafts(account, tickets, market, "preview", now)
    previews = tuple(preview_order(account, each, market) for each in orders)
    needed = max(each.cost for each in previews)
    left = min(each.available_after for each in previews)
    decimals = market.decimals
    return OcoPreview(
        orders=previews,
        cost=needed,
        available_after=left,
        affordable=all(each.affordable for each in previews),
        warning=" ".join(filter(None, dict.fromkeys(each.warning for each in previews))),
        display={
            "cost": dollars(needed, decimals),
            "available": dollars(account.available_balance, decimals),
            "available_after": dollars(left, decimals),
        },
    )


def _both(orders: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(orders, list | tuple) or len(orders) != SIZE:
        raise InvalidRequest("An OCO has two orders: give both, as a list.")
    if not all(isinstance(each, Mapping) for each in orders):
        raise InvalidRequest("Each order of an OCO must be an object with its members.")
    return orders


def _drafts(
    account: Account, tickets: Sequence[Ticket], market: Market, order_id: str, now: datetime
) -> tuple[Order, ...]:
    """The orders of ``tickets``, of one group."""
    group, orders = f"{order_id}-1", list[Order]()
    for number, ticket in enumerate(tickets, 1):
        _check_time_in_force(ticket)
        # Beside the one before, but for its margin, which is free where this one fills.
        others = tuple(replace(each, reserved_margin=ZERO) for each in orders)
        beside = replace(account, orders=(*account.orders, *others))
        named = replace(ticket, group=group)
        order = draft_order(beside, named, market, f"{order_id}-{number}", now)
        _check_waits(order, market)
        if any(order.replaces(each) for each in orders):
            raise InvalidRequest(
                f"A position has one {order.reason.replace('_', '-')} for the whole of it, so two "
                "of them can't be an OCO. Give one of them a size."
            )
        orders.append(order)
    return tuple(orders)


def _check_time_in_force(ticket: Ticket) -> None:
    kind, patience = ORDER_KINDS[ticket.type], PATIENCE[ticket.time_in_force]
    if not kind.waits and not patience.rests:
        raise InvalidRequest(
            f"Both orders of an OCO wait, and one that is {ticket.time_in_force}, "
            f"{patience.label}, does not. Leave its time_in_force out."
        )


def _check_waits(order: Order, market: Market) -> None:
    price = order.kind.arrival_price(order, market)
    if price is not None:
        raise InvalidRequest(
            f"Both orders of an OCO wait, and this one would fill at once at "
            f"{rounded(price)}: {order_text(order)}. Nothing was placed: name other prices, or "
            "place it alone."
        )
