"""What the index keeps of an entry: the columns of its tables."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from balance.core.moments import from_iso
from balance.core.trade import Trade
from balance.history.amounts import NOTHING, amount_key
from balance.history.question import PERSON
from balance.history.trigrams import said
from balance.store.codec import FAULTS, Outline, Unreadable, read_trade, reason
from balance.store.state import Line

Row = tuple[Any, ...]
_TEXTS: Final = ("side", "type", "reason", "liquidity")
_SIZES: Final = ("quantity", "price", "closed_quantity")
_MONEY: Final = ("fee", "realized_pnl", "position_pnl")


@dataclass(frozen=True, slots=True)
class Columns:
    """The rows of one entry; None where it is in no such list."""

    ledger: Row
    fill: Row | None
    trade: Row | None
    # what people wrote in it
    said: str
    # what the trade brought that it ended
    trade_pnl: Decimal | None


def checksum(text: bytes) -> int:
    """What tells a line from what stands in its place."""
    return zlib.crc32(text)


def columns(number: int, line: Line, told: Outline) -> Columns:
    """The rows of the entry in ``line``, the ledger's ``number``-th.

    Raises:
        Unreadable: it is no entry.
    """
    document = told.document
    try:
        subject, note = _subject(told), document["note"].casefold()
        ledger = (
            *(number, document["revision"], document["line"]),
            *(line.start, line.end, checksum(line.text)),
            *subject,
            *(amount_key(document["amount"]), amount_key(document["balance"])),
            note,
        )
        fill = document.get("fill")
        if fill is None:
            return Columns(ledger, None, None, said((note,)), None)
        trade = read_trade(fill)
        filled = (number, *subject, *_fill(fill), note)
        if trade is None:
            return Columns(ledger, filled, None, said((note,)), None)
        ended = (number, *subject, *_trade(trade))
        return Columns(ledger, filled, ended, said((note, *ended[-2:])), trade.pnl)
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def owner_column(owner: str | None) -> str:
    """``owner`` as the index has it: nobody's is empty."""
    return "" if owner is None else owner or PERSON


def owner_of(column: str) -> str | None:
    """The owner that ``column`` tells."""
    return None if not column else "" if column == PERSON else column


def _subject(told: Outline) -> Row:
    document = told.document
    return (
        _milliseconds(document["time"]),
        document["epoch"],
        document["kind"],
        document["source"],
        told.symbol or "",
        owner_column(told.owner),
    )


def _fill(fill: Mapping[str, Any]) -> Row:
    return (
        *(fill[name] for name in _TEXTS),
        *(float(fill[name]) for name in _SIZES),
        *(NOTHING if fill[name] is None else amount_key(fill[name]) for name in _MONEY),
    )


def _trade(trade: Trade) -> Row:
    opened, closed = (moment.timestamp() for moment in (trade.opened_at, trade.closed_at))
    return (
        trade.side,
        trade.outcome,
        *(float(each) for each in (trade.quantity, trade.entry_price, trade.exit_price)),
        *(round(opened * 1_000), round(closed * 1_000), int(closed - opened)),
        *(amount_key(each) for each in (trade.pnl, trade.gross, trade.fees, trade.funding)),
        *(trade.opened_because.casefold(), trade.closed_because.casefold()),
    )


# the entries of a commit have one time
@lru_cache(maxsize=16)
def _milliseconds(time: str) -> int:
    return round(from_iso(time).timestamp() * 1_000)
