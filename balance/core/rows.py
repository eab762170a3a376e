"""Positions, orders and prices as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypedDict

from balance.core.account import Account, share_of_equity
from balance.core.entry import Entry
from balance.core.figures import NONE, dollars, gain, on_tick, percent, rounded, share
from balance.core.leverage import leverage_of
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly, quantized
from balance.core.order import (
    REASON_LABELS,
    Liquidity,
    Order,
    OrderReason,
    OrderSide,
    OrderType,
    TimeInForce,
)
from balance.core.orders import order_text
from balance.core.position import Position
from balance.core.quote import Candle, Quote
from balance.core.shape import (
    Doc,
    Leverage,
    Money,
    Percent,
    Price,
    Quantity,
    Symbol,
    Texts,
    Time,
    text_names,
)

Row = Mapping[str, Any]
#: What there is to show of a symbol's price, by name.
PRICE_FIELDS: Final = (
    *("bid", "ask", "last", "mark", "mark_source", "change_percent", "funding_rate"),
)

ClientId = Annotated[str, Doc("The name that it was given; empty: none.")]
OrderId = Annotated[str, Doc("What DELETE /orders/{order_id} takes.")]
Owner = Annotated[str, Doc("A bot's id, or the name of a key or of an agent; empty: the person's.")]
FeedId = Annotated[str, Doc("Whose prices it goes by.")]
MarketTime = Annotated[Time, Doc("The market's time.")]
Fee = Annotated[Money, Doc("On the notional.")]
OpenQuantity = Annotated[
    Quantity | None, Doc("Null closes whatever the position is when it triggers.")
]
TriggerPrice = Annotated[
    Price | None, Doc("The mark price that sets it off; of a trailing stop, as it stands now.")
]
AttachedPrice = Annotated[Price | None, Doc("For the position that it opens.")]


class PositionRow(TypedDict):
    """An open position."""

    symbol: Symbol
    side: Literal["long", "short"]
    quantity: Quantity
    entry_price: Price
    mark_price: Price
    marked_at: Annotated[MarketTime, Doc("When the mark price was made.")]
    liquidation_price: Annotated[Price | None, Doc("Null where there is none.")]
    liquidation_distance_percent: Annotated[
        Percent | None, Doc("From the mark price to there; null where there is none.")
    ]
    leverage: Leverage
    notional: Annotated[Money, Doc("Quantity times mark price.")]
    exposure_percent: Annotated[
        Percent | None, Doc("The notional in percent of the equity; null where that is nothing.")
    ]
    isolated_margin: Annotated[Money, Doc("What the position can lose.")]
    maintenance_margin: Annotated[Money, Doc("At mark price.")]
    margin_ratio: Annotated[
        Percent | None, Doc("Maintenance margin over isolated margin + unrealised P&L.")
    ]
    unrealized_pnl: Annotated[Money, Doc("At mark price, before fees.")]
    roe_percent: Annotated[Percent, Doc("On the initial margin.")]
    realized_pnl: Annotated[Money, Doc("Of what was closed since it was opened, before fees.")]
    fees_paid: Annotated[Money, Doc("Since it was opened.")]
    funding_paid: Annotated[Money, Doc("Paid less received since it was opened.")]
    take_profit: Annotated[Price | None, Doc("The attached trigger price.")]
    stop_loss: Annotated[Price | None, Doc("The attached trigger price.")]
    opened_at: MarketTime
    feed: FeedId
    owner: Owner
    opened_because: Annotated[str, Doc("The reason that its bot had; else empty.")]
    display: Annotated[
        Texts,
        text_names(
            (
                *("symbol", "side", "quantity", "entry_price", "mark_price"),
                *("liquidation_price", "take_profit", "stop_loss", "leverage", "notional"),
                *("exposure_percent", "isolated_margin", "margin_ratio", "unrealized_pnl"),
                *("roe_percent", "realized_pnl", "side_words", "exits", "owner"),
                "liquidation_distance_percent",
            )
        ),
    ]


class OrderTerms(TypedDict):
    """What an order is to do."""

    symbol: Symbol
    side: OrderSide
    type: OrderType
    reason: Annotated[OrderReason, Doc("Which exit of its position it is; order: none.")]
    quantity: OpenQuantity
    price: Annotated[Price | None, Doc("Of an order at a limit.")]
    trigger_price: TriggerPrice
    time_in_force: TimeInForce
    callback_percent: Annotated[
        Percent | None, Doc("How far a trailing stop stays behind the best mark price.")
    ]
    activation_price: Annotated[
        Price | None,
        Doc("The mark price from which on a trailing stop follows; null: from the beginning."),
    ]
    best_price: Annotated[
        Price | None, Doc("The best mark price since a trailing stop follows; null before.")
    ]
    leverage: Leverage
    reduce_only: bool
    take_profit: AttachedPrice
    stop_loss: AttachedPrice
    reserved_margin: Annotated[
        Money, Doc("What it keeps back while it is open; of an OCO, the larger of both is.")
    ]
    group: Annotated[str, Doc("The OCO it belongs to: the id of its first order; empty: none.")]
    client_id: ClientId


class OrderRow(OrderTerms):
    """An open order."""

    id: OrderId
    placed_at: MarketTime
    amended_at: Annotated[str | None, Doc("When it was last amended; null: never.")]
    feed: FeedId
    owner: Owner
    display: Annotated[
        Texts,
        text_names(
            (
                *("symbol", "side", "type", "quantity", "price", "trigger_price", "take_profit"),
                *("stop_loss", "leverage", "reserved_margin", "side_words", "exits", "owner"),
                *("best_price", "activation_price", "group", "client_id", "callback_percent"),
                *("kind", "details"),
            )
        ),
    ]


class OpenOrder(OrderTerms):
    """What was placed and rests."""

    id: OrderId
    status: Literal["open"]


class EndedOrder(OrderTerms):
    """What was placed and has ended without a fill."""

    id: OrderId
    status: Literal["expired"]
    why: Annotated[str, Doc("The note of the entry that ended it.")]


class FilledOrder(TypedDict):
    """What was placed and has filled."""

    id: OrderId
    status: Literal["filled"]
    symbol: Symbol
    side: OrderSide
    type: OrderType
    quantity: Quantity
    price: Price
    fee: Fee
    liquidity: Liquidity
    realized_pnl: Annotated[Money, Doc("Of what it closed, before fees.")]
    client_id: ClientId


class PriceRow(TypedDict):
    """The newest price of a symbol."""

    bid: Price
    ask: Price
    last: Price
    mark: Price
    mark_source: Annotated[
        Literal["mark", "last"],
        Doc("last: no mark price is known, and the last price is taken for it."),
    ]
    change_percent: Annotated[Percent | None, Doc("Against a day ago.")]
    funding_rate: Annotated[
        Decimal | None,
        Doc("Of the coming settlement, as a fraction: above zero, longs pay shorts."),
    ]
    time: MarketTime
    state: Annotated[Literal["live", "stale"], Doc("Nothing fills on a stale price.")]
    base: Annotated[str, Doc("What quantities are in: BTC.")]
    tick_size: Annotated[Price, Doc("Prices are multiples of it.")]
    step_size: Annotated[Quantity, Doc("Quantities are multiples of it.")]
    max_leverage: Annotated[Leverage, Doc("Of a small position.")]
    display: Annotated[Texts, text_names(PRICE_FIELDS)]


class MarketRow(TypedDict):
    """The feed, its state, and the newest price of each symbol."""

    feed: Annotated[str | None, Doc("Its id; positions are bound to it.")]
    label: Annotated[str, Doc("What the screen calls the feed.")]
    state: Annotated[str, Doc(enum=["none", "waiting", "live", "stale", "ended"])]
    words: Annotated[str, Doc("What there is to say about the state.")]
    as_of: Annotated[str | None, Doc("When the newest quote came, UTC.")]
    prices: Annotated[Mapping[str, PriceRow], Doc("By symbol.")]


class LeverageRow(TypedDict):
    """The leverage of a symbol's orders that name none."""

    symbol: Symbol
    leverage: Leverage
    source: Annotated[
        Literal["open", "set", "default"],
        Doc(
            "open: that of what is open; set: it was set for the symbol; default: as the settings "
            "say."
        ),
    ]
    display: Annotated[Texts, text_names(("leverage",))]


class CandleRow(TypedDict):
    """The trades of one interval."""

    time: Annotated[Time, Doc("When it began.")]
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Annotated[Decimal, Doc("In base units.", minimum=0)]


@exactly
def position_rows(account: Account, market: Market = NO_MARKET) -> tuple[PositionRow, ...]:
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
) -> PositionRow:
    margin_balance = position.isolated_margin + position.unrealized_pnl
    ratio = position.maintenance_margin / margin_balance * 100 if margin_balance > 0 else None
    row: PositionRow = {
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
        "display": {},
    }
    row["display"] = _position_texts(row, market)
    return row


def _distance(position: Position) -> Decimal | None:
    """How far the mark price is from the liquidation price; 0 where it is there or beyond."""
    if position.liquidation_price is None:
        return None
    room = position.mark_price - position.liquidation_price
    room = room if position.side == "long" else -room
    return quantized(max(room, ZERO) / position.mark_price * 100)


def _position_texts(row: PositionRow, market: Market) -> Texts:
    prices: Row = row
    names = ("entry_price", "mark_price", "liquidation_price", "take_profit", "stop_loss")
    texts = {name: price_words(prices[name], row["symbol"], market) for name in names}
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
    """Whose something is: ``"You"``, the id of a bot, or the name of a key or of an agent."""
    return owner or "You"


def order_rows(account: Account, market: Market = NO_MARKET) -> tuple[OrderRow, ...]:
    """The open orders, oldest first: ``quantity`` None closes the whole position."""
    groups: dict[str, list[Order]] = {}
    for order in account.orders:
        groups.setdefault(order.group, []).append(order)
    return tuple(
        _order(order, groups[order.group] if order.group else [], market)
        for order in account.orders
    )


def _order(order: Order, group: Sequence[Order], market: Market) -> OrderRow:
    return {
        "id": order.id,
        **order_terms(order),
        "placed_at": iso(order.placed_at),
        "amended_at": None if order.amended_at is None else iso(order.amended_at),
        "feed": order.feed,
        "owner": order.owner,
        "display": {**order_texts(order, market), "group": _group_words(order, group)},
    }


def order_terms(order: Order) -> OrderTerms:
    """What ``order`` is to do."""
    return {
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "reason": order.reason,
        "quantity": order.quantity,
        "price": order.price,
        "trigger_price": order.trigger_level,
        "time_in_force": order.time_in_force,
        "callback_percent": order.callback_percent,
        "activation_price": order.activation_price,
        "best_price": order.best_price,
        "leverage": order.leverage,
        "reduce_only": order.reduce_only,
        "take_profit": order.take_profit,
        "stop_loss": order.stop_loss,
        "reserved_margin": order.reserved_margin,
        "group": order.group,
        "client_id": order.client_id,
    }


def _group_words(order: Order, group: Sequence[Order]) -> str:
    """What ends ``order`` as it ends what is else in its group; empty for nothing."""
    others = [order_text(each) for each in group if each.id != order.id]
    return f"One cancels the other: {'; '.join(others)}" if others else ""


def order_texts(order: Order, market: Market) -> Texts:
    """The terms of ``order`` for people, with its prices as ``market`` writes them."""
    names = ("price", "best_price", "activation_price", "take_profit", "stop_loss")
    texts = {name: price_words(getattr(order, name), order.symbol, market) for name in names}
    level = order.trigger_level
    texts["trigger_price"] = price_words(level, order.symbol, market)
    if level is None and order.activation_price is not None:
        texts["trigger_price"] = f"from {texts['activation_price']}"
    followed = "" if order.best_price is None else f"best {texts['best_price']}"
    leverage, distance = f"{rounded(order.leverage)}x", order.callback_percent
    kind, *details = _type_words(order)
    return {
        "symbol": order.symbol,
        "side": order.side.capitalize(),
        "type": ", ".join((kind, *details)),
        "kind": kind,
        "details": ", ".join(filter(None, (*details, followed, order.client_id))),
        "quantity": "All" if order.quantity is None else rounded(order.quantity),
        **texts,
        "leverage": leverage,
        "side_words": f"{order.side.capitalize()} {leverage}",
        "exits": _exits(texts),
        "reserved_margin": dollars(order.reserved_margin, market.decimals),
        "owner": owner_words(order.owner),
        "client_id": order.client_id or NONE,
        "callback_percent": NONE if distance is None else rounded(distance),
    }


def _type_words(order: Order) -> Sequence[str]:
    """What kind of order it is, and what else there is to say of that."""
    label, distance = order.kind.label, order.callback_percent
    # An exit of a position is called what it is to that.
    attached = REASON_LABELS.get(order.reason)
    name = attached or label if distance is None else f"{label} {rounded(distance)} %"
    # Beside the name, as what comes behind it may be cut off in a table.
    words = [f"{name} OCO" if order.group else name]
    if order.time_in_force != "GTC":
        words.append(order.patience.label)
    if order.reduce_only and not attached:
        words.append("reduce-only")
    return words


def _exits(texts: Texts) -> str:
    """Take-profit and stop-loss in one text."""
    both = (texts["take_profit"], texts["stop_loss"])
    return NONE if both == (NONE, NONE) else " / ".join(both)


@exactly
def market_row(market: Market) -> MarketRow:
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


def _quote(quote: Quote, live: bool, market: Market) -> PriceRow:
    change, rate = quote.change_percent, quote.funding_rate
    instrument = market.instruments[quote.symbol]
    prices = ("bid", "ask", "last", "mark")
    return {
        "bid": quote.bid,
        "ask": quote.ask,
        "last": quote.last,
        "mark": quote.mark,
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


def leverage_rows(account: Account, market: Market) -> tuple[LeverageRow, ...]:
    """The leverages of the symbols of ``market``, then of those that have one set beside."""
    symbols = dict.fromkeys((*market.instruments, *(each.symbol for each in account.leverages)))
    return tuple(_leverage(account, each, market) for each in symbols)


def _leverage(account: Account, symbol: str, market: Market) -> LeverageRow:
    used, was_set = account.used_leverage(symbol), account.set_leverage(symbol)
    leverage = leverage_of(account, symbol, market)
    return {
        "symbol": symbol,
        "leverage": leverage,
        "source": "open" if used else "set" if was_set else "default",
        "display": {"leverage": f"{rounded(leverage)}x"},
    }


def candle_row(candle: Candle) -> CandleRow:
    """``candle``: prices in the quote currency, the volume in base units."""
    return {
        "time": iso(candle.time),
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": candle.volume,
    }


def order_results(entries: Sequence[Entry]) -> list[FilledOrder | OpenOrder | EndedOrder]:
    """What became of the orders that a commit placed or amended, in their order: the ``status`` of
    each is filled, open or expired."""
    results: dict[str, FilledOrder | OpenOrder | EndedOrder] = {}
    placed: dict[str, Order] = {}
    for booking in (each.booking for each in entries):
        fill, effect = booking.fill, booking.effect
        if booking.kind == "fill" and fill is not None:
            results[fill.order_id] = {
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
                "client_id": fill.client_id,
            }
        elif booking.kind == "order" and effect is not None:
            for order in effect.opened:
                placed[order.id] = order
                results[order.id] = {"id": order.id, "status": "open", **order_terms(order)}
        elif booking.kind == "cancel" and effect is not None:
            for ended in placed.keys() & set(effect.closed):
                terms = order_terms(placed[ended])
                results[ended] = {"id": ended, "status": "expired", "why": booking.note, **terms}
    return [*results.values()]


def order_result(entries: Sequence[Entry]) -> FilledOrder | OpenOrder | EndedOrder | None:
    """What became of the order that a commit placed or amended last; None where there was none."""
    return next(reversed(order_results(entries)), None)


def price_words(price: Decimal | None, symbol: str, market: Market) -> str:
    """``price`` of ``symbol`` as ``market`` writes it: ``"43,812.40"``."""
    if price is None:
        return NONE
    instrument = market.instruments.get(symbol)
    return rounded(price) if instrument is None else on_tick(price, instrument.tick_size)
