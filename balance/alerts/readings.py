"""The figures that alerts watch, as they are read at one moment.

A new one is a row of :data:`FIGURES`, and its name in :data:`What`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal

from balance.core.account import Account
from balance.core.figures import dollars, gain
from balance.core.market import Market
from balance.core.money import exactly
from balance.core.rows import price_words
from balance.core.shape import Doc

#: The name of a figure, and as it is described to those who choose it.
What = Literal["price", "pnl", "pnl_today", "equity", "unrealized_pnl"]
Watched = Annotated[
    What,
    Doc(
        "The mark price of a symbol; P&L of the epoch or of the day, or the equity; or what is "
        "open of a symbol."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure at one moment."""

    # What the figure belongs to, such as the feed or the epoch. Figures of two series do not
    # continue one another, so that nothing is crossed from one to the other.
    series: str
    # In the quote currency; None where it is not known.
    value: Decimal | None
    # Whether it comes from live prices: nothing fires on others.
    is_live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The market and the account at one moment."""

    market: Market
    # Marked at the market; None where it can't be read.
    account: Account | None = None
    account_id: str = ""
    # In the quote currency; None where it is not known.
    pnl_today: Decimal | None = None
    # The P&L of the epoch when the day began, which differs from one day to the next.
    pnl_before: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What may be watched."""

    # Its name in a sentence, before the symbol if it has one.
    name: str
    # Reads it at a moment; the symbol is empty where it has none.
    read: Callable[[Moment, str], Reading]
    # Whether it is of a symbol; the others are of the account.
    has_symbol: bool = False
    write: Callable[[Decimal, str, Market], str] = lambda value, _, market: gain(
        value, market.decimals
    )


@exactly
def read_figure(what: What, symbol: str | None, moment: Moment) -> Reading:
    """The figure ``what`` at ``moment``. Figures of the account are at the mark prices of its
    positions, and live where all of those are."""
    return FIGURES[what].read(moment, symbol or "")


def _price(moment: Moment, symbol: str) -> Reading:
    market = moment.market
    quote = market.quotes.get(symbol)
    return Reading(
        series=f"feed {market.feed}",
        value=None if quote is None else quote.mark,
        is_live=symbol in market.live,
    )


def _of_epoch(figure: Callable[[Account], Decimal]) -> Callable[[Moment, str], Reading]:
    def read(moment: Moment, _: str) -> Reading:
        account = moment.account
        if account is None:
            return Reading(series="", value=None)
        return Reading(series=_epoch(moment), value=figure(account), is_live=_is_live(moment))

    return read


def _pnl_today(moment: Moment, _: str) -> Reading:
    # A day that ends takes its P&L with it, and no loss is made by that.
    series = f"{_epoch(moment)} from {moment.pnl_before}"
    return Reading(series=series, value=moment.pnl_today, is_live=_is_live(moment))


def _unrealized_pnl(moment: Moment, symbol: str) -> Reading:
    position = None if moment.account is None else moment.account.position(symbol)
    if position is None:
        return Reading(series="no position", value=None)
    return Reading(
        series=f"{position.side} since {position.opened_at.isoformat()}",
        value=position.unrealized_pnl,
        is_live=_is_marked_live(position.feed, position.symbol, moment.market),
    )


def _epoch(moment: Moment) -> str:
    epoch = None if moment.account is None else moment.account.wallet.epoch
    return f"account {moment.account_id} epoch {epoch}"


def _is_live(moment: Moment) -> bool:
    positions = () if moment.account is None else moment.account.positions
    return all(_is_marked_live(each.feed, each.symbol, moment.market) for each in positions)


def _is_marked_live(feed: str, symbol: str, market: Market) -> bool:
    # A position that was opened on another feed is not marked by this one.
    return feed == market.feed and symbol in market.live


#: The figures that may be watched.
FIGURES: Final[Mapping[What, Figure]] = MappingProxyType(
    {
        "price": Figure(name="", read=_price, has_symbol=True, write=price_words),
        "pnl": Figure(name="P&L", read=_of_epoch(lambda account: account.pnl)),
        "pnl_today": Figure(name="P&L today", read=_pnl_today),
        "equity": Figure(
            name="Total equity",
            read=_of_epoch(lambda account: account.equity),
            write=lambda value, _, market: dollars(value, market.decimals),
        ),
        "unrealized_pnl": Figure(name="Unrealised P&L of", read=_unrealized_pnl, has_symbol=True),
    }
)
#: The names of those that are of a symbol.
OF_A_SYMBOL: Final = tuple(what for what, figure in FIGURES.items() if figure.has_symbol)
