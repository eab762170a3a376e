"""What a committed change is called, in one sentence with its figures."""

from __future__ import annotations

from collections.abc import Sequence

from balance.core.entry import Entry
from balance.core.figures import grouped
from balance.core.money import CURRENCY


def told(entries: Sequence[Entry]) -> str:
    """The sentence for one committed change: ``"Deposited 500.00 USDT. Balance 10,500.00."``"""
    booking = entries[-1].booking
    amount = f"{grouped(booking.amount.copy_abs())} {CURRENCY}"
    balance = f"Balance {grouped(booking.balance)}."
    match booking.kind:
        case "start":
            return f"New account. {balance}"
        case "reset":
            return f"Reset to {amount}. Epoch {booking.epoch} begins; the history is kept."
        case "deposit":
            return f"Deposited {amount}. {balance}"
        case "withdrawal":
            return f"Withdrew {amount}. {balance}"
        case "adjustment" if booking.amount:
            return f"Booked a {'gain' if booking.amount > 0 else 'loss'} of {amount}. {balance}"
        case "adjustment":
            return f"Nothing to adjust. {balance}"
        case kind:
            return f"Booked {kind.replace('_', ' ')} of {amount}. {balance}"
