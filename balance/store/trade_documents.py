"""Positions, orders and fills as JSON objects and back: numbers as decimal strings.

What is read is checked, as :mod:`balance.store.members` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, cast, get_args

from balance.core.figures import plain
from balance.core.margin import Side, sign
from balance.core.moments import iso
from balance.core.money import exactly, significant
from balance.core.order import ORDER_KINDS, Liquidity, Order, OrderSide, OrderType, Reason
from balance.core.position import Position
from balance.core.trade import Effect, Fill, Trade
from balance.store.members import (
    amount,
    flag,
    moment,
    not_negative,
    one_of,
    positive,
    positive_or_none,
    text,
    total,
)

_POSITIVE: Final = ("quantity", "entry_price", "leverage", "mark_price")
_NOT_NEGATIVE: Final = ("isolated_margin", "maintenance_rate", "maintenance_amount")
_RESULTS: Final = ("realized_pnl", "fees_paid", "funding")
_CLOSED: Final = ("closed_quantity", "closed_cost", "closed_value")
# in the quote currency: what rounding the P&L of hundreds of closes adds up to
_ROUNDING: Final = Decimal("0.00001")
# of a notional, as prices that were calculated are kept to sixteen digits
_SIXTEEN_DIGITS: Final = Decimal("1e-14")
_TIMES: Final = ("marked_at", "opened_at", "funded_at")
_TRADE_PRICES: Final = ("quantity", "entry_price", "exit_price")
_TRADE_MONEY: Final = ("gross", "fees", "funding")
_TRADE_TIMES: Final = ("opened_at", "closed_at")
_REASONS: Final = ("opened_because", "closed_because")
_ORDER_PRICES: Final = ("quantity", "price", "trigger_price", "take_profit", "stop_loss")


def position_document(position: Position) -> dict[str, Any]:
    """``position`` as an object."""
    return {
        "symbol": position.symbol,
        "feed": position.feed,
        "side": position.side,
        **{name: plain(getattr(position, name)) for name in (*_POSITIVE, *_NOT_NEGATIVE)},
        "liquidation_price": _plain_or_none(position.liquidation_price),
        **{name: plain(getattr(position, name)) for name in (*_RESULTS, *_CLOSED)},
        **{name: iso(getattr(position, name)) for name in _TIMES},
        "owner": position.owner,
        "opened_because": position.opened_because,
    }


def read_position(document: Mapping[str, Any]) -> Position:
    """The position that ``document`` tells."""
    # of any type, as they are spread over members of several
    values: dict[str, Any] = {
        **{name: positive(document, name) for name in _POSITIVE},
        **{name: not_negative(document, name) for name in _NOT_NEGATIVE},
        **{name: amount(document, name) for name in _RESULTS},
        # those that older versions wrote have none of the following
        **{name: total({name: 0, **document}, name) for name in _CLOSED},
        **{name: moment(document, name) for name in _TIMES},
    }
    side = cast(Side, one_of(document, "side", get_args(Side)))
    if "closed_cost" not in document:
        values["closed_cost"] = _closed_cost(side, values)
    return Position(
        symbol=text(document, "symbol"),
        feed=text(document, "feed"),
        side=side,
        liquidation_price=positive_or_none(document, "liquidation_price"),
        owner=_text_or_none_yet(document, "owner"),
        opened_because=_text_or_none_yet(document, "opened_because"),
        **values,
    )


@exactly
def _closed_cost(side: Side, values: Mapping[str, Any]) -> Decimal:
    """What a position of an older version had paid for what it closed: what that went for, less
    the gross P&L that it brought."""
    at_entry: Decimal = values["closed_quantity"] * values["entry_price"]
    cost: Decimal = values["closed_value"] - sign(side) * values["realized_pnl"]
    # The P&L of each close was rounded, and the oldest versions did not count what was closed.
    is_same = abs(cost - at_entry) <= _ROUNDING
    return at_entry if is_same or cost <= 0 or not values["closed_quantity"] else cost


def order_document(order: Order) -> dict[str, Any]:
    """``order`` as an object."""
    return {
        "id": order.id,
        "symbol": order.symbol,
        "feed": order.feed,
        "side": order.side,
        "type": order.type,
        **{name: _plain_or_none(getattr(order, name)) for name in _ORDER_PRICES},
        "leverage": plain(order.leverage),
        "reduce_only": order.reduce_only,
        "reserved_margin": plain(order.reserved_margin),
        "placed_at": iso(order.placed_at),
        "owner": order.owner,
        "because": order.because,
    }


def read_order(document: Mapping[str, Any]) -> Order:
    """The order that ``document`` tells."""
    return Order(
        id=text(document, "id"),
        symbol=text(document, "symbol"),
        feed=text(document, "feed"),
        side=cast(OrderSide, one_of(document, "side", get_args(OrderSide))),
        type=cast(OrderType, one_of(document, "type", tuple(ORDER_KINDS))),
        **{name: positive_or_none(document, name) for name in _ORDER_PRICES},
        leverage=positive(document, "leverage"),
        reduce_only=flag(document, "reduce_only"),
        reserved_margin=not_negative(document, "reserved_margin"),
        placed_at=moment(document, "placed_at"),
        owner=_text_or_none_yet(document, "owner"),
        because=_text_or_none_yet(document, "because"),
    )


def effect_document(effect: Effect) -> dict[str, Any]:
    """``effect`` as an object."""
    return {
        "symbol": effect.symbol,
        "position": effect.position and position_document(effect.position),
        "opened": [order_document(order) for order in effect.opened],
        "closed": list(effect.closed),
    }


def read_effect(document: Mapping[str, Any]) -> Effect:
    """The effect that ``document`` tells."""
    position = document["position"]
    return Effect(
        symbol=text(document, "symbol"),
        position=position and read_position(position),
        opened=tuple(read_order(each) for each in document["opened"]),
        closed=tuple(text({"closed": each}, "closed") for each in document["closed"]),
    )


def fill_document(fill: Fill) -> dict[str, Any]:
    """``fill`` as an object."""
    return {
        "order_id": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "type": fill.type,
        "reason": fill.reason,
        "liquidity": fill.liquidity,
        "quantity": plain(fill.quantity),
        "price": plain(fill.price),
        "fee": plain(fill.fee),
        "closed_quantity": plain(fill.closed_quantity),
        "realized_pnl": plain(fill.realized_pnl),
        "position_pnl": _plain_or_none(fill.position_pnl),
        "owner": fill.owner,
        "filled_at": fill.filled_at and iso(fill.filled_at),
        "feed": fill.feed,
        "trade": fill.trade and trade_document(fill.trade),
    }


def read_fill(document: Mapping[str, Any]) -> Fill:
    """The fill that ``document`` tells."""
    pnl = document["position_pnl"]
    return Fill(
        order_id=text(document, "order_id"),
        symbol=text(document, "symbol"),
        side=cast(OrderSide, one_of(document, "side", get_args(OrderSide))),
        type=cast(OrderType, one_of(document, "type", tuple(ORDER_KINDS))),
        reason=cast(Reason, one_of(document, "reason", get_args(Reason))),
        liquidity=cast(Liquidity, one_of(document, "liquidity", get_args(Liquidity))),
        quantity=positive(document, "quantity"),
        price=positive(document, "price"),
        fee=not_negative(document, "fee"),
        closed_quantity=total(document, "closed_quantity"),
        realized_pnl=amount(document, "realized_pnl"),
        position_pnl=None if pnl is None else amount(document, "position_pnl"),
        owner=_text_or_none_yet(document, "owner"),
        filled_at=moment(document, "filled_at") if document.get("filled_at") else None,
        feed=_text_or_none_yet(document, "feed"),
        trade=read_trade(document),
    )


def trade_document(trade: Trade) -> dict[str, Any]:
    """``trade`` as an object."""
    return {
        **{name: getattr(trade, name) for name in ("owner", "symbol", "side", *_REASONS)},
        **{name: plain(getattr(trade, name)) for name in (*_TRADE_PRICES, *_TRADE_MONEY)},
        **{name: iso(getattr(trade, name)) for name in _TRADE_TIMES},
    }


@exactly
def read_trade(fill: Mapping[str, Any]) -> Trade | None:
    """The trade that the fill of the document ``fill`` ended; None where it ended none."""
    document = fill.get("trade")
    if document is None:
        return None
    # of any type, as they are spread over members of several
    values: dict[str, Any] = {
        **{name: text(document, name, empty=True) for name in ("owner", *_REASONS)},
        **{name: positive(document, name) for name in ("entry_price", "exit_price")},
        "quantity": total(document, "quantity"),
        **{name: amount(document, name) for name in _TRADE_MONEY},
        **{name: moment(document, name) for name in _TRADE_TIMES},
    }
    trade = Trade(
        symbol=text(document, "symbol"),
        side=cast(Side, one_of(document, "side", get_args(Side))),
        **values,
    )
    return trade if trade.quantity == total(fill, "closed_quantity") else _explained(trade)


def _explained(trade: Trade) -> Trade:
    """``trade``, which was closed in parts, with the entry that explains its gross P&L: older
    versions wrote the average entry of what was open last."""
    direction = sign(trade.side)
    told = direction * (trade.exit_price - trade.entry_price) * trade.quantity
    entry = significant(trade.exit_price - direction * trade.gross / trade.quantity)
    noise = _ROUNDING + trade.quantity * trade.exit_price * _SIXTEEN_DIGITS
    if entry <= 0 or abs(told - trade.gross) <= noise:
        return trade
    return replace(trade, entry_price=entry)


def _text_or_none_yet(document: Mapping[str, Any], name: str) -> str:
    """The text that is called ``name``; empty where an older version wrote the document."""
    return text({name: "", **document}, name, empty=True)


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)
