"""The figures that alerts watch, as they are read at one moment.

A new one is a row of :data:`FIGURES`. What follows from its unit, such as how it is written and how
far an alert steps back, is that of its :class:`Unit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from balance.core.account import Account, exposures
from balance.core.errors import InvalidAmount
from balance.core.figures import dollars, gain, grouped, rounded, share
from balance.core.market import Market
from balance.core.money import CURRENCY, exactly
from balance.core.rows import price_words
from balance.core.shape import Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure at one moment."""

    # What the figure belongs to, such as the feed or the epoch. Figures of two series do not
    # continue one another, so that nothing is crossed from one to the other.
    series: str
    # In the unit of the figure; None where it is not known.
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
class Unit:
    """What the amounts of a figure are in, and what follows from that."""

    # As it stands beside a field.
    sign: str
    # Writes an amount; the symbol is empty where the figure has none.
    write: Callable[[Decimal, str, Market], str]
    # Writes a threshold with every digit that was set, where a longer text than that is meant.
    write_exactly: Callable[[Decimal], str] = lambda _: ""
    # How far back a figure must at least be before its alert may fire again.
    least_step_back: Decimal = Decimal(0)
    # What 100 percent of a distance are, of the figure and the equity, and as a phrase.
    whole: Callable[[Decimal, Decimal | None], Decimal | None]
    distance: str
    # What a threshold is called that must be above zero; empty where it may be any number.
    positive: str = ""

    def threshold_text(self, threshold: Decimal, symbol: str, market: Market) -> str:
        """``threshold`` as it is written, with every digit where amounts may lose some."""
        texts = self.write(threshold, symbol, market), self.write_exactly(threshold)
        return max(texts, key=len)

    @exactly
    def distance_percent(
        self, threshold: Decimal, value: Decimal | None, equity: Decimal | None
    ) -> Decimal | None:
        """How far ``value`` has to go to ``threshold``; None where that is not known."""
        whole = None if value is None else self.whole(value, equity)
        if value is None or whole is None or whole <= 0:
            return None
        return (threshold - value) / whole * 100

    def check(self, threshold: Decimal) -> None:
        """Prove that ``threshold`` can be one.

        Raises:
            InvalidAmount: it is out of the range.
        """
        if self.positive and threshold <= 0:
            raise InvalidAmount(
                f"The threshold of {self.positive} must be above zero, not {grouped(threshold)}."
            )


#: A price, which need not lie on the tick where it is a threshold.
PRICE: Final = Unit(
    sign=CURRENCY,
    write=price_words,
    write_exactly=rounded,
    whole=lambda value, _: value,
    distance="of a price, in percent of it",
    positive="a price",
)
#: Money, and money that is a gain or a loss.
MONEY: Final = Unit(
    sign=CURRENCY,
    write=lambda value, _, market: dollars(value, market.decimals),
    least_step_back=Decimal(1),
    whole=lambda _, equity: equity,
    distance="of money, in percent of the equity",
)
GAIN: Final = replace(MONEY, write=lambda value, _, market: gain(value, market.decimals))
#: A share in percent.
PERCENT: Final = Unit(
    sign="%",
    write=lambda value, *_: share(value),
    write_exactly=lambda value: f"{rounded(value)}%",
    least_step_back=Decimal("0.1"),
    whole=lambda *_: Decimal(100),
    distance="of a share, in percentage points",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What may be watched."""

    # As it is chosen, and what it is, as a phrase.
    label: str
    about: str
    unit: Unit
    # Reads it at a moment; the symbol is empty where it has none.
    read: Callable[[Moment, str], Reading]
    # Which field of the snapshot has it or, where it is of a symbol, of its price or position.
    now: str
    # Whether it is of a symbol; the others are of the account.
    has_symbol: bool = False
    # Its name in a sentence, where that is not its label.
    name: str = ""

    def subject(self, symbol: str) -> str:
        """Its name in a sentence: ``"P&L"``, ``"Unrealised P&L of BTC/USDT"``."""
        return (self.name or self.label).format(symbol=symbol)


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


def _of_epoch(figure: Callable[[Account], Decimal | None]) -> Callable[[Moment, str], Reading]:
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
FIGURES: Final[Mapping[str, Figure]] = MappingProxyType(
    {
        "price": Figure(
            label="Price",
            about="the mark price of a symbol",
            unit=PRICE,
            read=_price,
            now="mark",
            has_symbol=True,
            name="{symbol}",
        ),
        "pnl": Figure(
            label="P&L",
            about="the P&L of the epoch",
            unit=GAIN,
            read=_of_epoch(lambda account: account.pnl),
            now="current_pnl",
        ),
        "pnl_today": Figure(
            label="P&L today",
            about="the P&L of the day",
            unit=GAIN,
            read=_pnl_today,
            now="pnl_today",
        ),
        "equity": Figure(
            label="Total equity",
            about="the equity",
            unit=MONEY,
            read=_of_epoch(lambda account: account.equity),
            now="portfolio_value",
        ),
        "exposure_percent": Figure(
            label="Gross exposure",
            about="longs + shorts at mark price, in percent of the equity",
            unit=PERCENT,
            read=_of_epoch(lambda account: exposures(account)["exposure_percent"]),
            now="exposure_percent",
        ),
        "unrealized_pnl": Figure(
            label="Unrealised P&L",
            about="the unrealised P&L of a position",
            unit=GAIN,
            read=_unrealized_pnl,
            now="unrealized_pnl",
            has_symbol=True,
            name="Unrealised P&L of {symbol}",
        ),
    }
)
#: The names of those that are of a symbol.
OF_A_SYMBOL: Final = tuple(what for what, figure in FIGURES.items() if figure.has_symbol)

#: The name of a figure, and as it is described to those who choose it.
if TYPE_CHECKING:
    What: TypeAlias = str
else:
    What = Literal[tuple(FIGURES)]
Watched = Annotated[
    What, Doc("; ".join(f"{what}: {figure.about}" for what, figure in FIGURES.items()) + ".")
]
#: What a distance in percent is of, by the unit of its figure.
DistancePercent = Annotated[
    Decimal | None,
    Doc(
        f"{'; '.join(dict.fromkeys(each.unit.distance for each in FIGURES.values()))}.".capitalize()
    ),
]
