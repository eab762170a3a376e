"""Entries, fills and trades as readers see them: rows of figures, and of their texts.

A row's fields stand once, in its class. Those that are marked with ``Indexed`` are also columns of
the index, which a list is sorted and filtered by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, NotRequired, TypedDict, cast

from balance.core.account import Account
from balance.core.entry import Entry, cursor
from balance.core.figures import CENTS, NONE, dollars, gain, rounded
from balance.core.margin import Side
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.money import exactly
from balance.core.order import (
    ORDER_KINDS,
    Liquidity,
    OrderSide,
    OrderType,
    Reason,
)
from balance.core.rows import (
    ClientId,
    Fee,
    MarketTime,
    OrderRow,
    Owner,
    PositionRow,
    order_rows,
    owner_words,
    position_rows,
    price_words,
)
from balance.core.shape import (
    Count,
    Doc,
    Leverage,
    Money,
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
from balance.history.columns import (
    AMOUNT,
    FAST_AMOUNT,
    FAST_NUMBER,
    FILTER,
    NAME,
    NUMBER,
    TEXT,
    TIME,
    Indexed,
)

Place = Annotated[str, Doc("Revision and line: 42, or 42.3 for its third.")]
Line = Annotated[Count, Doc("The entry's place among those of its revision.")]
Kind = Annotated[str, Doc(enum=[*KINDS])]
# A position that can lose no more is closed at nothing.
ClosingPrice = Annotated[Decimal, Doc("In the quote currency per base unit.")]
EntryNote = Annotated[str, Indexed(kind="text", is_sortable=False)]


IN_NO_FILE: Final = Doc("Not in a file.")


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
    balance: Annotated[Money, Doc("The wallet balance after it."), FAST_AMOUNT]
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
            Texts, text_names(("kind", "amount", "balance", "source", "owner", "tone")), IN_NO_FILE
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
    side: Annotated[OrderSide, FILTER]
    type: Annotated[OrderType, NAME]
    reason: Annotated[Reason, FILTER]
    liquidity: Annotated[Liquidity, NAME]
    quantity: Annotated[Quantity, FAST_NUMBER]
    price: Annotated[ClosingPrice, FAST_NUMBER]
    fee: Annotated[Fee, FAST_AMOUNT]
    closed_quantity: Annotated[
        Decimal, Doc("What of it closed a position, in base units.", minimum=0), NUMBER
    ]
    realized_pnl: Annotated[
        Money,
        Doc("Of what it closed, before fees."),
        Indexed(kind="amount", is_fast=True, bounded_as="realised P&L"),
    ]
    position_pnl: Annotated[
        Money | None,
        Doc("Realised P&L - fees + funding of the position that it closed, else null."),
        AMOUNT,
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
            IN_NO_FILE,
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
    side: Annotated[Side, FILTER]
    outcome: Annotated[
        Outcome,
        Doc("By its P&L: a win is above zero, a loss below, an even trade exactly 0."),
        FILTER,
    ]
    quantity: Annotated[Quantity, NUMBER]
    entry_price: Annotated[
        Price, Doc("The average of all its entries, weighted by quantity."), NUMBER
    ]
    exit_price: Annotated[ClosingPrice, NUMBER]
    opened_at: Annotated[MarketTime, TIME]
    closed_at: Annotated[MarketTime, TIME]
    seconds: Annotated[Whole, Indexed(kind="whole", is_fast=True)]
    pnl: Annotated[
        Money,
        Doc("After fees and funding."),
        Indexed(kind="amount", is_fast=True, bounded_as="P&L"),
    ]
    gross: Annotated[Money, Doc("Before fees and funding."), AMOUNT]
    fees: Annotated[Money, Doc("Of opening and closing."), AMOUNT]
    funding: Annotated[Money, Doc("Received less paid."), AMOUNT]
    opened_because: Annotated[str, TEXT]
    closed_because: Annotated[str, TEXT]
    display: NotRequired[
        Annotated[
            Texts,
            text_names(
                (
                    *("symbol", "side", "outcome", "quantity", "entry_price", "exit_price", "pnl"),
                    *("fees", "funding", "duration", "opened_because", "closed_because"),
                )
            ),
            IN_NO_FILE,
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


#: What a kind of entry and a source are called on the screen.
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
_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """An entry, the symbol that it is about (None: none), and whose trading it is: the id of a
    bot, empty for the person, or None."""

    entry: Entry
    symbol: str | None
    owner: str | None


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
            "why": fill_type(fill),
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


def fill_type(fill: Fill) -> str:
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
