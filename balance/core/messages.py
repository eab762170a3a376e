"""Messages of committed changes: one sentence with its figures, and what of it is news."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, TypedDict

from balance.core.entry import Booking, Entry
from balance.core.figures import CENTS, amount, gain, grouped
from balance.core.fills import fill_text
from balance.core.money import CURRENCY, ZERO
from balance.core.shape import Count, Doc, Money
from balance.core.wallet import OPENINGS

#: The source of entries that the market caused while the program ran.
MARKET: Final = "market"
#: The source of entries that the market caused while the program was off.
OFFLINE: Final = "offline"
#: The source of entries that a bot caused, one of this program or one of somebody else, with a key.
BOT: Final = "bot"
#: The source of entries for what somebody changed in the account's file.
FILE: Final = "file"
#: The kinds of entries that are news, the most serious first.
NEWS_KINDS: Final = ("liquidation", "external_edit", "fill", "cancel")
NewsKind = Annotated[str, Doc(enum=[*NEWS_KINDS])]
#: How many of the newest a snapshot has, for those who were away while they came.
MOST_NEWS: Final = 10
# How many trades a message names.
_MOST_NAMED: Final = 3


def change_message(entries: Sequence[Entry], decimals: int = CENTS) -> str:
    """The sentence for one committed change: ``"Deposited 500.00 USDT. Balance 10,500.00."``.
    Money is rounded to ``decimals``, but the requested amount is exact."""
    booking = entries[-1].booking
    trades = [entry.booking for entry in entries if entry.booking.kind in NEWS_KINDS]
    if trades and booking.kind not in OPENINGS:
        return f"{_join(trades, decimals)} Balance {amount(booking.balance, decimals)}."
    requested = f"{grouped(booking.amount.copy_abs())} {CURRENCY}"
    balance = f"Balance {amount(booking.balance, decimals)}."
    match booking.kind:
        case "start":
            return f"New account. {balance}"
        case "reset":
            return f"Reset to {requested}. Epoch {booking.epoch} begins; the history is kept."
        case "undo":
            return (
                f"The reset is undone: epoch {booking.epoch} goes on where epoch "
                f"{booking.continues} ended. {balance}"
            )
        case "deposit":
            return f"Deposited {requested}. {balance}"
        case "withdrawal":
            return f"Withdrew {requested}. {balance}"
        case "adjustment" if booking.amount:
            return f"Booked a {'gain' if booking.amount > 0 else 'loss'} of {requested}. {balance}"
        case "adjustment":
            return f"Nothing to adjust. {balance}"
        case "order":
            return f"{booking.note}." if _is_amendment(booking) else f"Placed: {booking.note}."
        case "margin" | "leverage":
            return f"{booking.note}."
        case "funding":
            return f"{booking.note}. {balance}"
        case kind:
            return f"Booked {kind.replace('_', ' ')} of {requested}. {balance}"


def _is_amendment(booking: Booking) -> bool:
    """Whether the order that ``booking`` opens was open before it."""
    effect = booking.effect
    return effect is not None and {each.id for each in effect.opened} <= {*effect.closed}


def news_message(entries: Sequence[Entry], decimals: int = CENTS) -> str:
    """The sentence for what the market, a bot or an edit of the file did: fills, liquidations,
    orders that could not fill, figures that were changed; empty where a person caused ``entries``,
    or they are of no such kind."""
    if not entries or entries[0].source not in (MARKET, OFFLINE, BOT, FILE):
        return ""
    trades = [entry.booking for entry in entries if entry.booking.kind in NEWS_KINDS]
    before = "While the program was off: " if entries[0].source == OFFLINE else ""
    return f"{before}{_join(trades, decimals)}" if trades else ""


def _join(trades: Sequence[Booking], decimals: int) -> str:
    sentences = [_trade(booking, decimals) for booking in trades[:_MOST_NAMED]]
    if len(trades) > _MOST_NAMED:
        sentences.append(f"And {len(trades) - _MOST_NAMED} more.")
    return " ".join(sentences)


def _trade(booking: Booking, decimals: int) -> str:
    fill = booking.fill
    owner = fill.owner if fill is not None and booking.kind == "fill" else ""
    return f"{f'{owner}: ' if owner else ''}{trade_message(booking, decimals)}"


def trade_message(booking: Booking, decimals: int = CENTS) -> str:
    """The sentence for ``booking``, of one of the kinds that are news."""
    fill = booking.fill
    if booking.kind == "cancel":
        is_rejected = booking.effect is not None and booking.effect.ended == "rejected"
        return f"{'Rejected' if is_rejected else 'Cancelled'}: {booking.note}."
    if booking.kind == "liquidation":
        return f"{booking.note}. Lost {amount(booking.amount.copy_abs(), decimals)} {CURRENCY}."
    if fill is None:
        return f"{booking.note}."
    result = f", realised {gain(fill.realized_pnl, decimals)}" if fill.closed_quantity else ""
    return f"{fill_text(fill)}{result}, fee {amount(fill.fee, decimals)}."


class NewsItem(TypedDict):
    """One fill, liquidation, cancelled order or edit of the account's file."""

    kind: NewsKind
    owner: Annotated[
        str, Doc("A bot's id, or the name of a key or of an agent; empty: the person's.")
    ]
    words: Annotated[str, Doc("A sentence, which names no owner.")]
    result: Annotated[Money, Doc("The realised P&L less the fee.")]


class News(TypedDict):
    """What one commit did that no person requested."""

    revision: Count
    kind: Annotated[NewsKind, Doc("The most serious of what the commit did.")]
    source: Annotated[
        str,
        Doc(
            "Who did it; offline: the market, found out at the next start; file: who edited the "
            "account's file.",
            enum=[MARKET, OFFLINE, BOT, FILE],
        ),
    ]
    words: Annotated[str, Doc("The sentence for all of it.")]
    items: Annotated[tuple[NewsItem, ...], Doc("The same one by one.")]


def news_of(entries: Sequence[Entry], decimals: int = CENTS) -> News | None:
    """The news of the commit of ``entries``; None where it has none."""
    message = news_message(entries, decimals)
    if not message:
        return None
    bookings = [entry.booking for entry in entries if entry.booking.kind in NEWS_KINDS]
    kinds = {booking.kind for booking in bookings}
    kind = next(each for each in NEWS_KINDS if each in kinds)
    items = tuple(_item(booking, decimals) for booking in bookings)
    return News(
        revision=entries[0].revision,
        kind=kind,
        source=entries[0].source,
        words=message,
        items=items,
    )


def _item(booking: Booking, decimals: int) -> NewsItem:
    fill = booking.fill
    return NewsItem(
        kind=booking.kind,
        owner="" if fill is None else fill.owner,
        words=trade_message(booking, decimals),
        result=ZERO if fill is None else fill.realized_pnl - fill.fee,
    )
