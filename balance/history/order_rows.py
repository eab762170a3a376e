"""The orders that were ever placed as readers see them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, NotRequired, TypedDict, cast

from balance.core.entry import cursor
from balance.core.figures import NONE, dollars, gain, rounded
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.money import ZERO
from balance.core.order import (
    Liquidity,
    Order,
    OrderSide,
    OrderType,
    Reason,
    TimeInForce,
)
from balance.core.order_record import OrderRecord, OrderState
from balance.core.rows import (
    Owner,
    order_texts,
    owner_words,
    price_words,
)
from balance.core.shape import (
    Cost,
    Count,
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
from balance.core.trade import Fill
from balance.history.columns import (
    AMOUNT,
    FAST_FILTER,
    FAST_NUMBER,
    FAST_TIME,
    FILTER,
    NAME,
    NUMBER,
    TEXT,
    Indexed,
)
from balance.history.rows import IN_NO_FILE, Place, fill_type

#: What the state of an order is called on the screen.
STATE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "NEW": "New",
        "FILLED": "Filled",
        "CANCELED": "Cancelled",
        "EXPIRED": "Expired",
        "REJECTED": "Rejected",
    }
)
# What is shown of the terms of an order that has ended.
_TEXTS_OF_ORDER: Final = (
    *("symbol", "side", "type", "kind", "quantity", "price", "trigger_price", "take_profit"),
    *("stop_loss", "leverage", "owner"),
)


# The columns of files keep their places: a new one comes last.
class OrderRecordRow(TypedDict):
    """An order, open or ended, and what became of it."""

    revision: Annotated[Count, Doc("Of the entry that placed it.")]
    line: Count
    place: Place
    time: Annotated[Time, Doc("The ledger's time of the entry that placed it.")]
    epoch: Count
    source: Annotated[str, Doc("Who made the request.")]
    id: Annotated[str, Doc("The order's id.")]
    client_id: Annotated[str, Doc("The name that it was given; else empty."), FILTER]
    symbol: Symbol
    side: Annotated[OrderSide, FILTER]
    type: Annotated[OrderType, FILTER]
    state: Annotated[
        OrderState,
        Doc(
            "NEW: it is open. CANCELED: somebody ended it, or another order in its place. EXPIRED: "
            "the desk ended it. REJECTED: the market refused it as it arrived."
        ),
        FAST_FILTER,
    ]
    time_in_force: Annotated[TimeInForce | None, Doc("Null: not known."), FILTER]
    reduce_only: Annotated[
        bool | None, Doc("Null: not known."), Indexed(kind="flag", is_filter=True)
    ]
    quantity: Annotated[
        Quantity | None, Doc("What it is to fill; null: the whole position."), FAST_NUMBER
    ]
    price: Annotated[Price | None, Doc("Of an order at a limit."), FAST_NUMBER]
    trigger_price: Annotated[Price | None, Doc("Of an order that waits for a fixed one."), NUMBER]
    activation_price: Annotated[Price | None, Doc("From which on a trailing stop trails.")]
    callback_percent: Annotated[
        Percent | None, Doc("How far behind the best price a trailing stop is.")
    ]
    group: Annotated[str | None, Doc("Of an OCO; empty: none; null: not known.")]
    take_profit: Annotated[Price | None, Doc("Of the position that it opens.")]
    stop_loss: Annotated[Price | None, Doc("Of the position that it opens.")]
    leverage: Annotated[Leverage | None, Doc("Null: not known.")]
    filled_quantity: Annotated[
        Decimal, Doc("In base units; 0: it has not filled.", minimum=0), NUMBER
    ]
    average_price: Annotated[Decimal | None, Doc("What it filled at; null: nothing."), FAST_NUMBER]
    fee: Annotated[Cost | None, Doc("Null: it has not filled."), AMOUNT]
    realized_pnl: Annotated[
        Money | None,
        Doc("Of what it closed, before fees; null: it has not filled."),
        Indexed(kind="amount", is_fast=True, bounded_as="realised P&L"),
    ]
    liquidity: Annotated[Liquidity | None, Doc("Null: it has not filled."), NAME]
    placed_at: Annotated[str | None, Doc("By the market's clock, UTC.", format="date-time")]
    changed_place: Annotated[
        str | None, Doc("Of the last entry that changed it, by amending or triggering it.")
    ]
    ended_place: Annotated[str | None, Doc("Of the entry that ended it; null: it is open.")]
    ended_at: Annotated[
        str | None,
        Doc("The ledger's time of that entry, UTC.", format="date-time"),
        FAST_TIME,
    ]
    reason: Annotated[Reason, Doc("Which exit or end of its position it is; order: none.")]
    feed: Annotated[str, Doc("The id of the feed that it was placed on.")]
    because: Annotated[str, Doc("The reason that its bot had; else empty."), TEXT]
    why: Annotated[str, Doc("Why it ended without a fill; empty: somebody cancelled it."), TEXT]
    owner: Owner
    display: NotRequired[
        Annotated[
            Texts,
            text_names(
                (
                    *_TEXTS_OF_ORDER,
                    *("state", "filled_quantity", "average_price", "fee", "realized_pnl"),
                    "liquidity",
                )
            ),
            IN_NO_FILE,
        ]
    ]


# The fields of a row that are those of the order itself, and those that its fill has.
_OF_ORDER: Final = tuple(
    set(dir(Order)) & OrderRecordRow.__required_keys__ - {"id", "placed_at", "reason"}
)
_OF_UNKNOWN_ORDER: Final = (*("symbol", "side", "type", "quantity", "client_id", "owner", "feed"),)


def order_record_row(record: OrderRecord, market: Market = NO_MARKET) -> OrderRecordRow:
    """``record`` as it was stated last; where only its fill is known, what that says."""
    order, fill = record.order, record.fill
    if order is not None:
        terms = {name: getattr(order, name) for name in _OF_ORDER}
        texts = order_texts(order, market)
    elif fill is not None:
        terms = dict.fromkeys(_OF_ORDER) | {name: getattr(fill, name) for name in _OF_UNKNOWN_ORDER}
        terms["because"] = ""
        texts = _texts_of_fill(fill)
    else:
        raise ValueError("the record has neither an order nor a fill")
    decimals = market.decimals
    row = {
        **terms,
        "revision": record.placed[0],
        "line": record.placed[1],
        "place": cursor(record.placed),
        "time": iso(record.time),
        "epoch": record.epoch,
        "source": record.source,
        "id": record.id,
        "state": record.state,
        "filled_quantity": ZERO if fill is None else fill.quantity,
        "average_price": None if fill is None else fill.price,
        "fee": None if fill is None else fill.fee,
        "realized_pnl": None if fill is None else fill.realized_pnl,
        "liquidity": None if fill is None else fill.liquidity,
        "placed_at": None if order is None else iso(order.placed_at),
        "changed_place": None if record.changed is None else cursor(record.changed),
        "ended_place": None if record.ended is None else cursor(record.ended),
        "ended_at": None if record.ended_at is None else iso(record.ended_at),
        "reason": fill.reason if fill is not None else order.reason if order else "order",
        "why": record.why,
    }
    row["display"] = {
        **{name: texts[name] for name in _TEXTS_OF_ORDER},
        "state": STATE_LABELS[record.state],
        "filled_quantity": NONE if fill is None else rounded(fill.quantity),
        "average_price": price_words(row["average_price"], terms["symbol"], market),
        "fee": NONE if fill is None else dollars(fill.fee, decimals),
        "realized_pnl": (
            gain(fill.realized_pnl, decimals) if fill and fill.closed_quantity else NONE
        ),
        "liquidity": NONE if fill is None else fill.liquidity.capitalize(),
    }
    return cast(OrderRecordRow, row)


def _texts_of_fill(fill: Fill) -> Texts:
    """The texts of an order of which only ``fill`` is known."""
    kind = fill_type(fill)
    return {
        **dict.fromkeys(_TEXTS_OF_ORDER, NONE),
        "symbol": fill.symbol,
        "side": fill.side.capitalize(),
        "type": kind,
        "kind": kind,
        "quantity": rounded(fill.quantity),
        "owner": owner_words(fill.owner),
    }
