"""What a committed change is called, in one sentence with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from balance.core.entry import Booking, Entry
from balance.core.figures import CENTS, amount, gain, grouped
from balance.core.fills import fill_text
from balance.core.money import CURRENCY
from balance.core.wallet import OPENINGS

#: The source of entries that the market has made, while the program ran and while it did not.
MARKET: Final = "market"
OFFLINE: Final = "offline"
#: Of those that a bot has made.
BOT: Final = "bot"
# what somebody is told of at once, wherever they are looking
_NEWS: Final = ("fill", "liquidation", "cancel")
_MOST_TOLD: Final = 3


def change_message(entries: Sequence[Entry], decimals: int = CENTS) -> str:
    """The sentence for one committed change: ``"Deposited 500.00 USDT. Balance 10,500.00."``;
    money is rounded to ``decimals``, but for what was asked for, which is exact."""
    booking = entries[-1].booking
    trades = [entry.booking for entry in entries if entry.booking.kind in _NEWS]
    if trades and booking.kind not in OPENINGS:
        return f"{_joined(trades, decimals)} Balance {amount(booking.balance, decimals)}."
    asked = f"{grouped(booking.amount.copy_abs())} {CURRENCY}"
    balance = f"Balance {amount(booking.balance, decimals)}."
    match booking.kind:
        case "start":
            return f"New account. {balance}"
        case "reset":
            return f"Reset to {asked}. Epoch {booking.epoch} begins; the history is kept."
        case "undo":
            return (
                f"The reset is undone: epoch {booking.epoch} goes on where epoch "
                f"{booking.continues} ended. {balance}"
            )
        case "deposit":
            return f"Deposited {asked}. {balance}"
        case "withdrawal":
            return f"Withdrew {asked}. {balance}"
        case "adjustment" if booking.amount:
            return f"Booked a {'gain' if booking.amount > 0 else 'loss'} of {asked}. {balance}"
        case "adjustment":
            return f"Nothing to adjust. {balance}"
        case "order":
            return f"Placed: {booking.note}."
        case "funding":
            return f"{booking.note}. {balance}"
        case kind:
            return f"Booked {kind.replace('_', ' ')} of {asked}. {balance}"


def news_message(entries: Sequence[Entry], decimals: int = CENTS) -> str:
    """What the market or a bot did of itself, in a sentence: fills, liquidations and orders that
    could not fill; empty where a person asked for ``entries``, or they are of no such kind."""
    if not entries or entries[0].source not in (MARKET, OFFLINE, BOT):
        return ""
    trades = [entry.booking for entry in entries if entry.booking.kind in _NEWS]
    before = "While the program was off: " if entries[0].source == OFFLINE else ""
    return f"{before}{_joined(trades, decimals)}" if trades else ""


def _joined(trades: Sequence[Booking], decimals: int) -> str:
    said = [_trade(booking, decimals) for booking in trades[:_MOST_TOLD]]
    if len(trades) > _MOST_TOLD:
        said.append(f"And {len(trades) - _MOST_TOLD} more.")
    return " ".join(said)


def _trade(booking: Booking, decimals: int) -> str:
    fill = booking.fill
    owner = fill.owner if fill is not None and booking.kind == "fill" else ""
    return f"{f'{owner}: ' if owner else ''}{trade_message(booking, decimals)}"


def trade_message(booking: Booking, decimals: int = CENTS) -> str:
    """What ``booking``, of a fill, a liquidation or a cancelled order, did, in a sentence."""
    fill = booking.fill
    if booking.kind == "cancel":
        return f"Cancelled: {booking.note}."
    if booking.kind == "liquidation":
        return f"{booking.note}. Lost {amount(booking.amount.copy_abs(), decimals)} {CURRENCY}."
    if fill is None:
        return f"{booking.note}."
    result = f", realised {gain(fill.realized_pnl, decimals)}" if fill.closed_quantity else ""
    return f"{fill_text(fill)}{result}, fee {amount(fill.fee, decimals)}."
