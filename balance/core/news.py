"""The news of a commit: what the market or a bot did of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from balance.core.entry import Booking, Entry
from balance.core.figures import CENTS
from balance.core.messages import news_message, trade_message
from balance.core.money import ZERO

#: What a commit can have as news, the gravest first.
NEWS_KINDS: Final = ("liquidation", "fill", "cancel")
#: How many of the newest a snapshot tells, for those who were away while they came.
MOST_NEWS: Final = 10


@dataclass(frozen=True, slots=True)
class Item:
    """One fill, liquidation or cancelled order of a commit."""

    # one of NEWS_KINDS
    kind: str
    # the id of the bot whose it is; empty for the person's
    owner: str
    # a sentence, which names no owner
    words: str
    # what it realised, after its fee, in the quote currency
    result: Decimal


@dataclass(frozen=True, slots=True)
class News:
    """What one commit tells that nobody asked for."""

    # of the commit
    revision: int
    # the gravest of what it did, one of NEWS_KINDS
    kind: str
    # who did it: market, offline (the market, found out at the next start) or bot
    source: str
    words: str
    # the same one by one
    items: tuple[Item, ...]

    @property
    def row(self) -> Mapping[str, Any]:
        """It as JSON."""
        return asdict(self)


def news_of(entries: Sequence[Entry], decimals: int = CENTS) -> News | None:
    """The news of the commit of ``entries``; None where it has none."""
    words = news_message(entries, decimals)
    if not words:
        return None
    bookings = [entry.booking for entry in entries if entry.booking.kind in NEWS_KINDS]
    kinds = {booking.kind for booking in bookings}
    kind = next(each for each in NEWS_KINDS if each in kinds)
    items = tuple(_item(booking, decimals) for booking in bookings)
    return News(entries[0].revision, kind, entries[0].source, words, items)


def _item(booking: Booking, decimals: int) -> Item:
    fill = booking.fill
    return Item(
        kind=booking.kind,
        owner="" if fill is None else fill.owner,
        words=trade_message(booking, decimals),
        result=ZERO if fill is None else fill.realized_pnl - fill.fee,
    )
