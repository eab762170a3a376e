"""Positions, orders, prices and fills as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from balance.core.account import Account, share_of_equity
from balance.core.entry import Entry
from balance.core.figures import NONE, dollars, gain, on_tick, percent, rounded, share
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import ORDER_KINDS, Order
from balance.core.position import Position
from balance.core.quote import Quote

Row = Mapping[str, Any]
#: What there is to show of a symbol's price, by name.
PRICE_FIELDS: Final = (
    *("bid", "ask", "last", "mark", "mark_source", "change_percent", "funding_rate"),
)


@exactly
def position_rows(account: Account, market: Market = NO_MARKET) -> tuple[Row, ...]:
    """The open positions: money in the quote currency, prices per base unit, quantities in base
    units, ``roe_percent`` and ``margin_ratio`` in percent, ``exposure_percent`` in percent of the
    equity, ``liquidation_distance_percent`` in percent of the mark price."""
    exits: dict[str, dict[str, Decimal | None]] = {}
    for order in account.orders:
        if order.is_attached:
            exits.setdefault(order.symbol, {})[order.reason] = order.trigger_price
    return tuple(
        _position(
            position,
            exits.get(position.symbol, {}),
            market,
            share_of_equity(account, quantized(position.notional)),
        )
        for position in account.positions
    )


def _position(
    position: Position,
    attached: Mapping[str, Decimal | None],
    market: Market,
    exposure: Decimal | None,
) -> Row:
    margin_balance = position.isolated_margin + position.unrealized_pnl
    ratio = position.maintenance_margin / margin_balance * 100 if margin_balance > 0 else None
    row = {
        "symbol": position.symbol,
        "side": position.side,
        "quantity": position.quantity,
        "entry_price": position.entry_price,
        "mark_price": position.mark_price,
        "marked_at": iso(position.marked_at),
        "liquidation_price": position.liquidation_price,
        "liquidation_distance_percent": _distance(position),
        "leverage": position.leverage,
        "notional": quantized(position.notional),
        "exposure_percent": exposure,
        "isolated_margin": position.isolated_margin,
        "maintenance_margin": quantized(position.maintenance_margin),
        "margin_ratio": None if ratio is None else quantized(ratio),
        "unrealized_pnl": quantized(position.unrealized_pnl),
        "roe_percent": quantized(position.roe * 100),
        "realized_pnl": position.realized_pnl,
        "fees_paid": position.fees_paid,
        "funding_paid": -position.funding,
        "take_profit": attached.get("take_profit"),
        "stop_loss": attached.get("stop_loss"),
        "opened_at": iso(position.opened_at),
        "feed": position.feed,
        "owner": position.owner,
        "opened_because": position.opened_because,
    }
    return {**row, "display": _position_texts(row, market)}


def _distance(position: Position) -> Decimal | None:
    """How far the mark price is from the liquidation price; 0 where it is there or beyond."""
    if position.liquidation_price is None:
        return None
    room = position.mark_price - position.liquidation_price
    room = room if position.side == "long" else -room
    return quantized(max(room, ZERO) / position.mark_price * 100)


def _position_texts(row: Row, market: Market) -> Row:
    prices = ("entry_price", "mark_price", "liquidation_price", "take_profit", "stop_loss")
    texts = {name: price_words(row[name], row["symbol"], market) for name in prices}
    leverage, decimals = f"{rounded(row['leverage'])}x", market.decimals
    return {
        "symbol": row["symbol"],
        "side": row["side"].capitalize(),
        "quantity": rounded(row["quantity"]),
        **texts,
        "leverage": leverage,
        "side_words": f"{row['side'].capitalize()} {leverage}",
        "exits": _exits(texts),
        "notional": dollars(row["notional"], decimals),
        "exposure_percent": share(row["exposure_percent"]),
        "liquidation_distance_percent": share(row["liquidation_distance_percent"]),
        "isolated_margin": dollars(row["isolated_margin"], decimals),
        "margin_ratio": share(row["margin_ratio"]),
        "unrealized_pnl": gain(row["unrealized_pnl"], decimals),
        "roe_percent": percent(row["roe_percent"]),
        "realized_pnl": gain(row["realized_pnl"], decimals),
        "owner": owner_words(row["owner"]),
    }


def owner_words(owner: str) -> str:
    """Whose something is: ``"You"``, or the id of the bot."""
    return owner or "You"


def order_rows(account: Account, market: Market = NO_MARKET) -> tuple[Row, ...]:
    """The open orders, oldest first: ``quantity`` None closes the whole position."""
    return tuple(_order(order, market) for order in account.orders)


def _order(order: Order, market: Market) -> Row:
    row = {
        "id": order.id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "quantity": order.quantity,
        "price": order.price,
        "trigger_price": order.trigger_price,
        "leverage": order.leverage,
        "reduce_only": order.reduce_only,
        "take_profit": order.take_profit,
        "stop_loss": order.stop_loss,
        "reserved_margin": order.reserved_margin,
        "placed_at": iso(order.placed_at),
        "feed": order.feed,
        "owner": order.owner,
    }
    return {**row, "display": _order_texts(order, market)}


def _order_texts(order: Order, market: Market) -> Row:
    label = order.kind.label
    attached = {"take_profit": "Take-profit", "stop_loss": "Stop-loss"}.get(order.reason)
    prices = ("price", "trigger_price", "take_profit", "stop_loss")
    texts = {name: price_words(getattr(order, name), order.symbol, market) for name in prices}
    leverage = f"{rounded(order.leverage)}x"
    return {
        "symbol": order.symbol,
        "side": order.side.capitalize(),
        "type": attached or (f"{label}, reduce-only" if order.reduce_only else label),
        "quantity": "All" if order.quantity is None else rounded(order.quantity),
        **texts,
        "leverage": leverage,
        "side_words": f"{order.side.capitalize()} {leverage}",
        "exits": _exits(texts),
        "reserved_margin": dollars(order.reserved_margin, market.decimals),
        "owner": owner_words(order.owner),
    }


def _exits(texts: Row) -> str:
    """Take-profit and stop-loss in one text."""
    both = (texts["take_profit"], texts["stop_loss"])
    return NONE if both == (NONE, NONE) else " / ".join(both)


@exactly
def market_row(market: Market) -> Row:
    """The feed, its state, and the newest price of each symbol."""
    return {
        "feed": market.feed,
        "label": market.label,
        "state": market.state,
        "words": market.message,
        "as_of": None if market.as_of is None else iso(market.as_of),
        "prices": {
            symbol: _quote(market.quotes[symbol], symbol in market.live, market)
            for symbol in market.instruments
            if symbol in market.quotes
        },
    }


def _quote(quote: Quote, live: bool, market: Market) -> Row:
    change, rate = quote.change_percent, quote.funding_rate
    instrument = market.instruments[quote.symbol]
    prices = ("bid", "ask", "last", "mark")
    return {
        **{name: getattr(quote, name) for name in prices},
        "mark_source": "mark" if instrument.has_mark else "last",
        "change_percent": None if change is None else quantized(change),
        "funding_rate": rate,
        "time": iso(quote.time),
        "state": "live" if live else "stale",
        "base": instrument.base,
        "tick_size": instrument.tick_size,
        "step_size": instrument.step_size,
        "max_leverage": instrument.brackets[0].max_leverage,
        "display": {
            **{name: price_words(getattr(quote, name), quote.symbol, market) for name in prices},
            "mark_source": "" if instrument.has_mark else "(last price)",
            "change_percent": percent(change),
            "funding_rate": NONE if rate is None else f"{rate * 100:+.4f}%",
        },
    }


def fill_row(entry: Entry, market: Market = NO_MARKET) -> Row:
    """The fill that ``entry`` tells of."""
    fill, booking = entry.booking.fill, entry.booking
    if fill is None:
        raise ValueError("the entry tells of no fill")
    row = {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "order_id": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "type": fill.type,
        "reason": fill.reason,
        "liquidity": fill.liquidity,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "closed_quantity": fill.closed_quantity,
        "realized_pnl": fill.realized_pnl,
        "position_pnl": fill.position_pnl,
        "owner": fill.owner,
    }
    why, decimals = fill.reason.replace("_", "-").capitalize(), market.decimals
    return {
        **row,
        "display": {
            "symbol": fill.symbol,
            "side": fill.side.capitalize(),
            "why": ORDER_KINDS[fill.type].label if fill.reason == "order" else why,
            "liquidity": fill.liquidity.capitalize(),
            "quantity": rounded(fill.quantity),
            "price": price_words(fill.price, fill.symbol, market),
            "fee": dollars(fill.fee, decimals),
            "realized_pnl": (gain(fill.realized_pnl, decimals) if fill.closed_quantity else NONE),
            "owner": owner_words(fill.owner),
        },
    }


def order_result(entries: Sequence[Entry]) -> Row | None:
    """What became of the order that a commit placed: its ``status`` is filled or open; None where
    it placed none."""
    for entry in entries:
        fill, effect = entry.booking.fill, entry.booking.effect
        if entry.booking.kind == "fill" and fill is not None:
            return {
                "id": fill.order_id,
                "status": "filled",
                "symbol": fill.symbol,
                "side": fill.side,
                "type": fill.type,
                "quantity": fill.quantity,
                "price": fill.price,
                "fee": fill.fee,
                "liquidity": fill.liquidity,
                "realized_pnl": fill.realized_pnl,
            }
        if entry.booking.kind == "order" and effect is not None:
            order = effect.opened[0]
            row = {name: getattr(order, name) for name in _PLACED}
            return {"id": order.id, "status": "open", **row}
    return None


_PLACED: Final = (
    "symbol",
    "side",
    "type",
    "quantity",
    "price",
    "trigger_price",
    "leverage",
    "reduce_only",
    "take_profit",
    "stop_loss",
    "reserved_margin",
)


def price_words(price: Decimal | None, symbol: str, market: Market) -> str:
    """``price`` of ``symbol`` as ``market`` writes it: ``"43,812.40"``."""
    if price is None:
        return NONE
    instrument = market.instruments.get(symbol)
    return rounded(price) if instrument is None else on_tick(price, instrument.tick_size)
