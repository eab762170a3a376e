"""The lists of the history as readers see them: rows of figures, and of their texts.

A row's fields stand once, in its class. Those that are marked with ``Indexed`` are also columns of
the index, which a list is sorted and filtered by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict, cast

from balance.core.account import Account
from balance.core.entry import Entry, cursor
from balance.core.figures import CENTS, NONE, dollars, gain, rounded
from balance.core.margin import Side
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly
from balance.core.order import (
    ORDER_KINDS,
    Liquidity,
    Order,
    OrderSide,
    OrderType,
    Reason,
    TimeInForce,
)
from balance.core.order_record import OrderRecord, OrderState
from balance.core.rows import (
    ClientId,
    Fee,
    MarketTime,
    OrderRow,
    Owner,
    PositionRow,
    order_rows,
    order_texts,
    owner_words,
    position_rows,
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
    Whole,
    text_names,
)
from balance.core.trade import Effect, Fill, OrderEnd, Outcome, Trade
from balance.core.wallet import EVENTS, KINDS, OPENINGS, Wallet
from balance.history.columns import Column, Indexed, columns_of

#: The lists that the ledger is read as.
Table = Literal["ledger", "fills", "trades", "orders"]

# Marks of fields that the index has: in which form, and what lists do with them.
_FAST_AMOUNT: Final = Indexed(kind="amount", is_fast=True)
_AMOUNT: Final = Indexed(kind="amount")
_FAST_NUMBER: Final = Indexed(kind="number", is_fast=True)
_NUMBER: Final = Indexed(kind="number")
_FILTER: Final = Indexed(kind="name", is_filter=True)
_NAME: Final = Indexed(kind="name")
_TEXT: Final = Indexed(kind="text")
_TIME: Final = Indexed(kind="time")
_FAST_TIME: Final = Indexed(kind="time", is_fast=True)
_FAST_FILTER: Final = Indexed(kind="name", is_fast=True, is_filter=True)

Place = Annotated[str, Doc("Revision and line: 42, or 42.3 for its third.")]
Line = Annotated[Count, Doc("The entry's place among those of its revision.")]
Kind = Annotated[str, Doc(enum=[*KINDS])]
# A position that can lose no more is closed at nothing.
ClosingPrice = Annotated[Decimal, Doc("In the quote currency per base unit.")]
EntryNote = Annotated[str, Indexed(kind="text", is_sortable=False)]


_FILE: Final = Doc("Not in a file.")


class EntryRow(TypedDict):
    """An entry of the ledger."""

    revision: Count
    line: Line
    time: Time
    epoch: Count
    kind: Kind
    amount: Annotated[
        Money,
        Doc("What it moved the wallet balance by, or what an epoch began with."),
        Indexed(kind="amount", is_fast=True, bounded_as="amount"),
    ]
    balance: Annotated[Money, Doc("The wallet balance after it."), _FAST_AMOUNT]
    source: Annotated[str, Doc("screen, http, shell, program, file, market, bot or offline.")]
    note: Annotated[str, Indexed(kind="text", is_fast=True)]


class LedgerRow(EntryRow):
    """An entry of the ledger with what it is about."""

    place: Place
    symbol: Annotated[str | None, Doc("Null: it is about none.")]
    owner: Annotated[
        str | None, Doc("The bot's id; empty: the person's; null: of nobody's trading.")
    ]
    display: NotRequired[
        Annotated[
            Texts, text_names(("kind", "amount", "balance", "source", "owner", "tone")), _FILE
        ]
    ]


# The columns of files keep their places: a new one comes last, before the note.
class FillRow(TypedDict):
    """A fill; liquidations are fills too."""

    revision: Count
    line: Count
    place: Place
    time: Time
    epoch: Count
    order_id: str
    symbol: Symbol
    side: Annotated[OrderSide, _FILTER]
    type: Annotated[OrderType, _NAME]
    reason: Annotated[Reason, _FILTER]
    liquidity: Annotated[Liquidity, _NAME]
    quantity: Annotated[Quantity, _FAST_NUMBER]
    price: Annotated[ClosingPrice, _FAST_NUMBER]
    fee: Annotated[Fee, _FAST_AMOUNT]
    closed_quantity: Annotated[
        Decimal, Doc("What of it closed a position, in base units.", minimum=0), _NUMBER
    ]
    realized_pnl: Annotated[
        Money,
        Doc("Of what it closed, before fees."),
        Indexed(kind="amount", is_fast=True, bounded_as="realised P&L"),
    ]
    position_pnl: Annotated[
        Money | None,
        Doc("Realised P&L - fees + funding of the position that it closed, else null."),
        _AMOUNT,
    ]
    owner: Owner
    client_id: ClientId
    note: EntryNote
    display: NotRequired[
        Annotated[
            Texts,
            text_names(
                (
                    *("symbol", "side", "why", "liquidity", "quantity", "price", "fee"),
                    *("realized_pnl", "owner", "client_id"),
                )
            ),
            _FILE,
        ]
    ]


# The columns of files keep their places: a new one comes last, before the note.
class TradeRow(TypedDict):
    """A position from its opening to its end."""

    revision: Annotated[Count | None, Doc("Of the entry that ended it; null in a backtest.")]
    line: Annotated[Count | None, Doc("Null in a backtest.")]
    place: Annotated[str | None, Doc("Of the entry that ended it; null in a backtest.")]
    time: Annotated[
        Time | None, Doc("The ledger's time of the entry that ended it; null in a backtest.")
    ]
    epoch: Annotated[Count | None, Doc("Null in a backtest.")]
    bot: Annotated[str, Doc("Its id; empty: the person's.")]
    name: Annotated[str, Doc("What its bot is called.")]
    symbol: Symbol
    side: Annotated[Side, _FILTER]
    outcome: Annotated[
        Outcome,
        Doc("By its P&L: a win is above zero, a loss below, an even trade exactly 0."),
        _FILTER,
    ]
    quantity: Annotated[Quantity, _NUMBER]
    entry_price: Annotated[
        Price, Doc("The average of all its entries, weighted by quantity."), _NUMBER
    ]
    exit_price: Annotated[ClosingPrice, _NUMBER]
    opened_at: Annotated[MarketTime, _TIME]
    closed_at: Annotated[MarketTime, _TIME]
    seconds: Annotated[Whole, Indexed(kind="whole", is_fast=True)]
    pnl: Annotated[
        Money,
        Doc("After fees and funding."),
        Indexed(kind="amount", is_fast=True, bounded_as="P&L"),
    ]
    gross: Annotated[Money, Doc("Before fees and funding."), _AMOUNT]
    fees: Annotated[Money, Doc("Of opening and closing."), _AMOUNT]
    funding: Annotated[Money, Doc("Received less paid."), _AMOUNT]
    opened_because: Annotated[str, _TEXT]
    closed_because: Annotated[str, _TEXT]
    display: NotRequired[
        Annotated[
            Texts,
            text_names(
                (
                    *("symbol", "side", "outcome", "quantity", "entry_price", "exit_price", "pnl"),
                    *("fees", "funding", "duration", "opened_because", "closed_because"),
                )
            ),
            _FILE,
        ]
    ]


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
    client_id: Annotated[str, Doc("The name that it was given; else empty."), _FILTER]
    symbol: Symbol
    side: Annotated[OrderSide, _FILTER]
    type: Annotated[OrderType, _FILTER]
    state: Annotated[
        OrderState,
        Doc(
            "NEW: it is open. CANCELED: somebody ended it, or another order in its place. EXPIRED: "
            "the desk ended it. REJECTED: the market refused it as it arrived."
        ),
        _FAST_FILTER,
    ]
    time_in_force: Annotated[TimeInForce | None, Doc("Null: not known."), _FILTER]
    reduce_only: Annotated[
        bool | None, Doc("Null: not known."), Indexed(kind="flag", is_filter=True)
    ]
    quantity: Annotated[
        Quantity | None, Doc("What it is to fill; null: the whole position."), _FAST_NUMBER
    ]
    price: Annotated[Price | None, Doc("Of an order at a limit."), _FAST_NUMBER]
    trigger_price: Annotated[Price | None, Doc("Of an order that waits for a fixed one."), _NUMBER]
    activation_price: Annotated[Price | None, Doc("From which on a trailing stop trails.")]
    callback_percent: Annotated[
        Percent | None, Doc("How far behind the best price a trailing stop is.")
    ]
    group: Annotated[str | None, Doc("Of an OCO; empty: none; null: not known.")]
    take_profit: Annotated[Price | None, Doc("Of the position that it opens.")]
    stop_loss: Annotated[Price | None, Doc("Of the position that it opens.")]
    leverage: Annotated[Leverage | None, Doc("Null: not known.")]
    filled_quantity: Annotated[
        Decimal, Doc("In base units; 0: it has not filled.", minimum=0), _NUMBER
    ]
    average_price: Annotated[Decimal | None, Doc("What it filled at; null: nothing."), _FAST_NUMBER]
    fee: Annotated[Cost | None, Doc("Null: it has not filled."), _AMOUNT]
    realized_pnl: Annotated[
        Money | None,
        Doc("Of what it closed, before fees; null: it has not filled."),
        Indexed(kind="amount", is_fast=True, bounded_as="realised P&L"),
    ]
    liquidity: Annotated[Liquidity | None, Doc("Null: it has not filled."), _NAME]
    placed_at: Annotated[str | None, Doc("By the market's clock, UTC.", format="date-time")]
    changed_place: Annotated[
        str | None, Doc("Of the last entry that changed it, by amending or triggering it.")
    ]
    ended_place: Annotated[str | None, Doc("Of the entry that ended it; null: it is open.")]
    ended_at: Annotated[
        str | None,
        Doc("The ledger's time of that entry, UTC.", format="date-time"),
        _FAST_TIME,
    ]
    reason: Annotated[Reason, Doc("Which exit or end of its position it is; order: none.")]
    feed: Annotated[str, Doc("The id of the feed that it was placed on.")]
    because: Annotated[str, Doc("The reason that its bot had; else empty."), _TEXT]
    why: Annotated[str, Doc("Why it ended without a fill; empty: somebody cancelled it."), _TEXT]
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
            _FILE,
        ]
    ]


class EffectRow(TypedDict):
    """What an entry did to the position and the orders of a symbol."""

    symbol: Symbol
    position: PositionRow | None
    opened: tuple[OrderRow, ...]
    closed: Annotated[tuple[str, ...], Doc("Ids of orders that are no longer open.")]
    ended: Annotated[OrderEnd, Doc("How those ended that neither filled nor were opened again.")]
    why: Annotated[str, Doc("Why they ended; empty: on request, or an older version's entry.")]
    arrived: Annotated[
        OrderRow | None, Doc("The order that the fill filled as it arrived; null: it was open.")
    ]
    leverage: Annotated[
        Leverage | None, Doc("The leverage that was set for the symbol; null: none was.")
    ]


class WholeEntry(LedgerRow):
    """An entry with its fill, the trade that it ended and its effect, where it has them."""

    fill: FillRow | None
    trade: TradeRow | None
    effect: EffectRow | None


#: The columns that every list of entries has in the index, for the entry that a row is made from.
SUBJECT: Final = (
    Column("time", _FAST_TIME),
    Column("epoch", Indexed(kind="whole", is_fast=True, is_filter=True)),
    Column("kind", _FILTER, KINDS),
    Column("source", _FILTER),
    Column("symbol", Indexed(kind="name", is_fast=True, is_filter=True)),
    Column("owner", Indexed(kind="name", is_fast=True, is_filter=True)),
)
#: The further columns of each list.
COLUMNS: Final[Mapping[Table, tuple[Column, ...]]] = MappingProxyType(
    {
        "ledger": columns_of(EntryRow),
        "fills": columns_of(FillRow),
        "trades": columns_of(TradeRow),
        "orders": columns_of(OrderRecordRow),
    }
)
#: The columns before those: an order is of no kind of entry.
SUBJECTS: Final[Mapping[Table, tuple[Column, ...]]] = MappingProxyType(
    {
        table: tuple(each for each in SUBJECT if table != "orders" or each.name != "kind")
        for table in COLUMNS
    }
)

#: What the state of an order, a kind of entry and a source are called on the screen.
STATE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "NEW": "New",
        "FILLED": "Filled",
        "CANCELED": "Cancelled",
        "EXPIRED": "Expired",
        "REJECTED": "Rejected",
    }
)
KIND_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "start": "Start",
        "reset": "Reset",
        "undo": "Reset undone",
        "deposit": "Deposit",
        "withdrawal": "Withdrawal",
        "adjustment": "Adjustment",
        "external_edit": "File edited",
        "repair": "Repair",
        "realized_pnl": "Realised P&L",
        "liquidation": "Liquidation",
        "fee": "Fee",
        "funding": "Funding",
        "order": "Order",
        "cancel": "Order ended",
        "fill": "Fill",
        "margin": "Margin moved",
        "leverage": "Leverage set",
    }
)
SOURCE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "screen": "Screen",
        "http": "HTTP",
        "shell": "Shell",
        "program": "Program",
        "file": "File",
        "market": "Market",
        "bot": "Bot",
        "offline": "Market, while off",
    }
)
# Money that begins an epoch, or goes in or out, is no gain and no loss, and an event moves none.
_NO_RESULT: Final = frozenset({*OPENINGS, *EVENTS, "deposit", "withdrawal"})
_TONES: Final = MappingProxyType({"+": "gain", "-": "loss"})
_BY_HAND: Final = "By hand"
# The two largest units that are above zero are shown.
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
# The fields of a row that are those of the fill or the trade itself.
_OF_FILL: Final = tuple(set(dir(Fill)) & FillRow.__required_keys__)
_OF_TRADE: Final = tuple(set(dir(Trade)) & TradeRow.__required_keys__)
_OF_ORDER: Final = tuple(
    set(dir(Order)) & OrderRecordRow.__required_keys__ - {"id", "placed_at", "reason"}
)
_OF_UNKNOWN_ORDER: Final = (*("symbol", "side", "type", "quantity", "client_id", "owner", "feed"),)
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """An entry, the symbol that it is about (None: none), and whose trading it is: the id of a
    bot, empty for the person, or None."""

    entry: Entry
    symbol: str | None
    owner: str | None


def history_row(
    table: Table,
    record: LedgerRecord,
    market: Market = NO_MARKET,
    names: Mapping[str, str] = _NO_NAMES,
) -> Mapping[str, Any]:
    """``record`` as a row of ``table``. ``names`` are those of the bots, by id."""
    match table:
        case "ledger":
            return ledger_row(record, market.decimals)
        case "fills":
            return fill_row(record.entry, market)
        case "trades":
            return closed_trade_row(record.entry, market, names)
        case "orders":
            raise ValueError("an order has no entry of its own")


def whole_entry(
    record: LedgerRecord, market: Market = NO_MARKET, names: Mapping[str, str] = _NO_NAMES
) -> WholeEntry:
    """``record`` with its fill, the trade that it ended and its effect, where it has them."""
    entry = record.entry
    fill, effect = entry.booking.fill, entry.booking.effect
    has_trade = fill is not None and fill.trade is not None
    return {
        **ledger_row(record, market.decimals),
        "fill": None if fill is None else fill_row(entry, market),
        "trade": closed_trade_row(entry, market, names) if has_trade else None,
        "effect": None if effect is None else _effect(effect, entry, market),
    }


def entry_row(entry: Entry) -> EntryRow:
    """``entry`` alone."""
    booking = entry.booking
    return {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": booking.amount,
        "balance": booking.balance,
        "source": entry.source,
        "note": booking.note,
    }


def ledger_row(record: LedgerRecord, decimals: int = CENTS) -> LedgerRow:
    """``record``; its texts have money with ``decimals``."""
    entry, booking, owner = record.entry, record.entry.booking, record.owner
    amount = amount_text(booking.kind, booking.amount, decimals)
    return {
        **entry_row(entry),
        "place": cursor(entry.place),
        "symbol": record.symbol,
        "owner": owner,
        "display": {
            "kind": KIND_LABELS[booking.kind],
            "amount": amount,
            "balance": dollars(booking.balance, decimals),
            "source": SOURCE_LABELS.get(entry.source, entry.source),
            "owner": NONE if owner is None else owner_words(owner),
            "tone": tone(booking.kind, amount),
        },
    }


def amount_text(kind: str, amount: Decimal, decimals: int = CENTS) -> str:
    """The amount of an entry of ``kind``: what opens an epoch has no sign, an event has none."""
    write = dollars if kind in OPENINGS else gain
    return NONE if kind in EVENTS else write(amount, decimals)


def tone(kind: str, text: str) -> str:
    """``gain``, ``loss`` or ``flat``: what the amount of an entry of ``kind`` is, by its text."""
    return "flat" if kind in _NO_RESULT else _TONES.get(text[:1], "flat")


def fill_row(entry: Entry, market: Market = NO_MARKET) -> FillRow:
    """The fill of ``entry``."""
    fill, booking = entry.booking.fill, entry.booking
    if fill is None:
        raise ValueError("the entry has no fill")
    decimals = market.decimals
    row = {
        **{name: getattr(fill, name) for name in _OF_FILL},
        "revision": entry.revision,
        "line": entry.line,
        "place": cursor(entry.place),
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "note": booking.note,
        "display": {
            "symbol": fill.symbol,
            "side": fill.side.capitalize(),
            "why": _fill_type(fill),
            "liquidity": fill.liquidity.capitalize(),
            "quantity": rounded(fill.quantity),
            "price": price_words(fill.price, fill.symbol, market),
            "fee": dollars(fill.fee, decimals),
            "realized_pnl": (gain(fill.realized_pnl, decimals) if fill.closed_quantity else NONE),
            "owner": owner_words(fill.owner),
            "client_id": fill.client_id or NONE,
        },
    }
    return cast(FillRow, row)


def closed_trade_row(
    entry: Entry, market: Market = NO_MARKET, names: Mapping[str, str] = _NO_NAMES
) -> TradeRow:
    """The trade that ``entry`` ended. ``names`` are those of the bots, by id."""
    fill = entry.booking.fill
    if fill is None or fill.trade is None:
        raise ValueError("the entry ended no trade")
    owner = fill.trade.owner
    return trade_row(fill.trade, market, entry, name=names.get(owner, owner))


@exactly
def trade_row(
    trade: Trade, market: Market, entry: Entry | None = None, *, name: str = ""
) -> TradeRow:
    """``trade``, which ``entry`` ended (None: it is of a backtest); its bot is called ``name``."""
    opened_at, closed_at, decimals = trade.opened_at, trade.closed_at, market.decimals
    row = {
        **{each: getattr(trade, each) for each in _OF_TRADE},
        "revision": None if entry is None else entry.revision,
        "line": None if entry is None else entry.line,
        "place": None if entry is None else cursor(entry.place),
        "time": None if entry is None else iso(entry.time),
        "epoch": None if entry is None else entry.booking.epoch,
        "bot": trade.owner,
        "name": name,
        "opened_at": iso(opened_at),
        "closed_at": iso(closed_at),
        "display": {
            "symbol": trade.symbol,
            "side": trade.side.capitalize(),
            "outcome": trade.outcome.capitalize(),
            "quantity": rounded(trade.quantity),
            "entry_price": price_words(trade.entry_price, trade.symbol, market),
            "exit_price": price_words(trade.exit_price, trade.symbol, market),
            "pnl": gain(trade.pnl, decimals),
            "fees": dollars(trade.fees, decimals),
            "funding": gain(trade.funding, decimals),
            "duration": duration(closed_at - opened_at),
            "opened_because": trade.opened_because or _BY_HAND,
            "closed_because": trade.closed_because or _BY_HAND,
        },
    }
    return cast(TradeRow, row)


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
    kind = _fill_type(fill)
    return {
        **dict.fromkeys(_TEXTS_OF_ORDER, NONE),
        "symbol": fill.symbol,
        "side": fill.side.capitalize(),
        "type": kind,
        "kind": kind,
        "quantity": rounded(fill.quantity),
        "owner": owner_words(fill.owner),
    }


def _fill_type(fill: Fill) -> str:
    """What filled: a kind of order, or an end of the position."""
    if fill.reason == "order":
        return ORDER_KINDS[fill.type].label
    return fill.reason.replace("_", "-").capitalize()


def duration(time: timedelta) -> str:
    """``time`` for people, down to seconds: ``"2 h 5 min"``, ``"3 d"``, ``"45 s"``."""
    left, parts = int(time.total_seconds()), list[str]()
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
        if parts and (not count or len(parts) == 2):
            break
    return " ".join(parts) or "0 s"


def _effect(effect: Effect, entry: Entry, market: Market) -> EffectRow:
    """The position and the orders as the entry left them, whatever prices are now."""
    wallet = Wallet.opened(entry.booking.epoch, entry.booking.balance)
    held = () if effect.position is None else (effect.position,)
    account = Account(wallet, held, effect.opened)
    rows = position_rows(account, market)
    filled = () if effect.arrived is None else (effect.arrived,)
    arrived = order_rows(Account(wallet, orders=filled), market)
    return {
        "symbol": effect.symbol,
        "position": _without_share(rows[0]) if rows else None,
        "opened": order_rows(account, market),
        "closed": effect.closed,
        "ended": effect.ended,
        "why": effect.why,
        "arrived": arrived[0] if arrived else None,
        "leverage": effect.leverage,
    }


def _without_share(row: PositionRow) -> PositionRow:
    """The row of a position without its share of the equity, which the entry does not have."""
    display = {**row["display"], "exposure_percent": NONE}
    return {**row, "exposure_percent": None, "display": display}
