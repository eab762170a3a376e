"""An alert: what it watches, when it fires, and what it keeps from one look to the next.

An alert fires when its figure, seen short of the threshold before, is seen at the threshold or
beyond: the way between the two looks does not matter, so a price that jumps over it fires too.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal

from balance.core.money import exactly
from balance.core.shape import Doc

#: The mark price of a symbol, a figure of the account, or what is open of a symbol.
What = Literal["price", "pnl", "pnl_today", "equity", "unrealized_pnl"]
Direction = Literal["above", "below"]
#: Where the figure was when it was last seen: ``short`` of the threshold, or ``beyond`` it.
Side = Literal["short", "beyond"]
#: ``waiting`` fires when the threshold is reached; ``beyond`` is there already, and has to be back
#: first; ``unknown`` has not seen its figure yet; ``fired`` and ``off`` do not look.
Status = Literal["waiting", "beyond", "unknown", "fired", "off"]

#: Which of them are of a symbol; the others are of the account.
OF_A_SYMBOL: Final = ("price", "unrealized_pnl")
# how far back a figure must be before it may fire again, so that one which flutters about its
# threshold does not: a share of the threshold, and of money at least so much
_MARGIN: Final = Decimal("0.001")
_LEAST_MARGIN: Final = Decimal(1)


LONGEST_NOTE: Final = 200
LONGEST_URL: Final = 500

#: What an alert watches, as it is described to those who set it.
Watched = Annotated[
    What,
    Doc(
        "The mark price of a symbol; P&L of the epoch or of the day, or the equity; or what is "
        "open of a symbol."
    ),
]
WatchedSymbol = Annotated[
    str | None, Doc("Such as BTC/USDT, of price and unrealized_pnl; of the others there is none.")
]
Threshold = Annotated[
    Decimal, Doc("The alert fires when the figure reaches it; in the quote currency.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """What an alert watches, and what happens when it fires."""

    what: Watched
    symbol: WatchedSymbol = None
    direction: Direction
    threshold: Threshold
    once: Annotated[bool, Doc("Whether it is off once it has fired.")] = True
    note: Annotated[str, Doc(maxLength=LONGEST_NOTE)] = ""
    url: Annotated[
        str | None,
        Doc("Where its firings are posted, http or https; null: nowhere.", maxLength=LONGEST_URL),
    ] = None
    toast: Annotated[bool, Doc("Whether pages show a toast.")] = True
    notify: Annotated[bool, Doc("Whether browsers notify and sound.")] = True


#: What the settings of an alert may have.
MEMBERS: Final = tuple(each.name for each in fields(AlertSettings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure as it is seen at one moment."""

    # what the figure belongs to, such as the feed or the epoch: figures of two series do not
    # continue one another, so that from one to the other nothing is crossed
    series: str
    # in the quote currency; None where it is not known
    value: Decimal | None
    # whether it comes from live prices: nothing fires on others
    is_live: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What an alert keeps from one look to the next."""

    # whether it looks at all
    active: bool = True
    series: str = ""
    # None before it has seen its figure
    side: Side | None = None


def begun(settings: AlertSettings, reading: Reading) -> Sight:
    """The sight of an alert that begins to look at ``reading``: a threshold that is reached already
    is not crossed by that."""
    if reading.value is None:
        return Sight(series=reading.series)
    side: Side = "beyond" if _is_beyond(settings, reading.value) else "short"
    return Sight(series=reading.series, side=side)


def looked(settings: AlertSettings, sight: Sight, reading: Reading) -> tuple[Sight, bool]:
    """The sight after looking at ``reading``, and whether the alert fires on it.

    An alert whose figure was not known when it was made fires where that is at the threshold when
    it is first seen; the first figure of another series fires nothing.
    """
    value = reading.value
    if not sight.active or not reading.is_live or value is None:
        return sight, False
    if reading.series != sight.series:
        return begun(settings, reading), False
    if sight.side == "beyond":
        return (replace(sight, side="short") if _is_back(settings, value) else sight), False
    if _is_beyond(settings, value):
        return replace(sight, side="beyond", active=not settings.once), True
    return (sight if sight.side == "short" else replace(sight, side="short")), False


@exactly
def margin(settings: AlertSettings) -> Decimal:
    """How far back from the threshold the figure must be before the alert may fire again: 0.1 % of
    the threshold and, where it is money, at least 1; in the quote currency."""
    share = abs(settings.threshold) * _MARGIN
    return share if settings.what == "price" else max(share, _LEAST_MARGIN)


def status(sight: Sight, *, has_fired: bool) -> Status:
    """How an alert stands, which ``has_fired`` since it was last switched on."""
    if not sight.active:
        return "fired" if has_fired else "off"
    return _STATUS[sight.side]


_STATUS: Final = MappingProxyType[Side | None, Status](
    {None: "unknown", "short": "waiting", "beyond": "beyond"}
)


def _is_beyond(settings: AlertSettings, value: Decimal) -> bool:
    if settings.direction == "above":
        return value >= settings.threshold
    return value <= settings.threshold


@exactly
def _is_back(settings: AlertSettings, value: Decimal) -> bool:
    if settings.direction == "above":
        return value <= settings.threshold - margin(settings)
    return value >= settings.threshold + margin(settings)
