"""Ledger entries as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.entry import Entry, cursor
from balance.core.figures import CENTS, NONE, dollars, gain
from balance.core.moments import iso
from balance.core.rows import Row, owner_words
from balance.core.wallet import EVENTS, OPENINGS

#: What a kind of entry and a source are called on the screen.
KIND_WORDS: Final[Mapping[str, str]] = MappingProxyType(
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
        "order": "Order placed",
        "cancel": "Order cancelled",
        "fill": "Fill",
    }
)
SOURCE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
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
# money that begins an epoch, or goes in or out, is no gain and no loss, and an event moves none
_NO_RESULT: Final = frozenset({*OPENINGS, *EVENTS, "deposit", "withdrawal"})
_TONES: Final = MappingProxyType({"+": "gain", "-": "loss"})


def amount_words(kind: str, amount: Decimal, decimals: int = CENTS) -> str:
    """The amount of an entry of ``kind``: what opens an epoch has no sign, an event has none."""
    write = dollars if kind in OPENINGS else gain
    return NONE if kind in EVENTS else write(amount, decimals)


def tone(kind: str, words: str) -> str:
    """``gain``, ``loss`` or ``flat``: what the amount of an entry of ``kind`` is."""
    return "flat" if kind in _NO_RESULT else _TONES.get(words[:1], "flat")


def ledger_row(entry: Entry, symbol: str | None, owner: str | None, decimals: int = CENTS) -> Row:
    """``entry``, which tells of ``symbol`` and of what ``owner`` trades: a bot's id, empty for the
    person, or None."""
    booking = entry.booking
    amount = amount_words(booking.kind, booking.amount, decimals)
    return {
        **_places(entry),
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": booking.amount,
        "balance": booking.balance,
        "source": entry.source,
        "symbol": symbol,
        "owner": owner,
        "note": booking.note,
        "display": {
            "kind": KIND_WORDS[booking.kind],
            "amount": amount,
            "balance": dollars(booking.balance, decimals),
            "source": SOURCE_WORDS.get(entry.source, entry.source),
            "owner": NONE if owner is None else owner_words(owner),
            "tone": tone(booking.kind, amount),
        },
    }


def _places(entry: Entry) -> Row:
    return {"revision": entry.revision, "line": entry.line, "place": cursor(entry.place)}
