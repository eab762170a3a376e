"""Ledger entries and epochs as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.entry import Entry, cursor
from balance.core.epochs import EpochRow
from balance.core.figures import CENTS, NONE, dollars, gain, percent
from balance.core.moments import iso
from balance.core.money import exactly, quantized
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
#: What the equity of an epoch did, as a share of itself; None where nobody has seen it.
Measured = Mapping[str, Decimal | None]
#: The names of that, in percent.
MEASURES: Final = ("return_percent", "max_drawdown_percent")

# money that begins an epoch, or goes in or out, is no gain and no loss, and an event moves none
_NO_RESULT: Final = frozenset({*OPENINGS, *EVENTS, "deposit", "withdrawal"})
_TONES: Final = MappingProxyType({"+": "gain", "-": "loss"})
_MONEY: Final[Mapping[str, Callable[[Decimal | None, int], str]]] = MappingProxyType(
    {
        "starting_balance": dollars,
        "deposits": dollars,
        "withdrawals": dollars,
        "adjustments": gain,
        "realized_pnl": gain,
        "fees_paid": dollars,
        "funding_paid": dollars,
        "balance": dollars,
        "pnl": gain,
        "carried": gain,
        "best_trade": gain,
        "worst_trade": gain,
    }
)


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


@exactly
def epoch_row(row: EpochRow, measured: Measured, decimals: int = CENTS) -> Row:
    """``row`` with what its equity did: money in the quote currency, percentages as their names
    say."""
    wallet, trades, rate = row.wallet, row.trades, row.trades.win_rate
    figures = {
        "starting_balance": wallet.starting_balance,
        "deposits": wallet.deposits,
        "withdrawals": wallet.withdrawals,
        "adjustments": wallet.adjustments,
        "realized_pnl": wallet.realized_pnl,
        "fees_paid": wallet.fees_paid,
        "funding_paid": -wallet.funding,
        "balance": wallet.balance,
        "pnl": row.pnl,
        "pnl_percent": _quantized(row.pnl_percent),
        "carried": row.carried,
        "trades": trades.trades,
        "wins": trades.wins,
        "win_rate": _quantized(rate),
        "profit_factor": _quantized(trades.profit_factor),
        "best_trade": trades.best,
        "worst_trade": trades.worst,
        **{name: _quantized(measured.get(name)) for name in MEASURES},
    }
    return {
        "epoch": row.epoch,
        "opened_at": iso(row.opened_at),
        "ended_at": None if row.ended_at is None else iso(row.ended_at),
        "opened_by": row.opened_by,
        "continues": row.continues,
        "is_current": row.ended_at is None,
        "first_revision": row.first_revision,
        "last_revision": row.last_revision,
        "entries": row.entries,
        **figures,
        "display": _epoch_texts(row, figures, decimals),
    }


def _epoch_texts(row: EpochRow, figures: Row, decimals: int) -> Row:
    factor, rate = figures["profit_factor"], figures["win_rate"]
    return {
        "epoch": str(row.epoch),
        "opened_by": KIND_WORDS.get(row.opened_by, row.opened_by),
        "entries": f"{row.entries:,}",
        **{name: write(figures[name], decimals) for name, write in _MONEY.items()},
        "pnl_percent": percent(figures["pnl_percent"]),
        "trades": f"{row.trades.trades:,}",
        "wins": f"{row.trades.wins:,}",
        "win_rate": percent(rate).lstrip("+"),
        "profit_factor": NONE if factor is None else f"{factor:,.2f}",
        "return_percent": percent(figures["return_percent"]),
        "max_drawdown_percent": percent(_fallen(figures["max_drawdown_percent"])),
        "tone": _TONES.get(gain(row.pnl, decimals)[:1], "flat"),
    }


def _quantized(number: Decimal | None) -> Decimal | None:
    return None if number is None else quantized(number)


def _fallen(share: Decimal | None) -> Decimal | None:
    # a fall is told as one
    return None if share is None else -share
