"""An alert: what it watches, when it fires, and what it remembers between two evaluations.

An alert fires when its figure, which was short of the threshold before, is at the threshold or
beyond: the way between the two evaluations does not matter, so a price that jumps over it fires
too.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal

from balance.alerts.readings import FIGURES, OF_A_SYMBOL, Figure, Reading, Watched
from balance.core.money import exactly
from balance.core.shape import Doc

Direction = Literal["above", "below"]
#: Where the figure was at the last evaluation: ``short`` of the threshold, or ``beyond`` it.
Side = Literal["short", "beyond"]
#: ``waiting`` fires when the threshold is reached; ``beyond`` is there already, and has to be back
#: first; ``unknown`` has had no figure yet; ``fired`` and ``off`` are not evaluated.
Status = Literal["waiting", "beyond", "unknown", "fired", "off"]

# How far back a figure must be before the alert may fire again, so that one which flutters about
# its threshold does not: a share of the threshold, and at least as much as its unit says.
_MARGIN: Final = Decimal("0.001")

LONGEST_NOTE: Final = 200
LONGEST_URL: Final = 500

WatchedSymbol = Annotated[
    str | None,
    Doc(f"Such as BTC/USDT, of {' and '.join(OF_A_SYMBOL)}; of the others there is none."),
]
Threshold = Annotated[
    Decimal, Doc("The alert fires when the figure reaches it; in the unit of the figure.")
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

    @property
    def figure(self) -> Figure:
        """The figure that is watched."""
        return FIGURES[self.what]


#: What the settings of an alert may have.
MEMBERS: Final = tuple(each.name for each in fields(AlertSettings))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What an alert remembers from one evaluation to the next."""

    # Whether it is evaluated at all.
    active: bool = True
    series: str = ""
    # None before its figure was known.
    side: Side | None = None


def start_watching(settings: AlertSettings, reading: Reading) -> AlertState:
    """The state of an alert that starts at ``reading``: a threshold that is reached already is not
    crossed by that."""
    if reading.value is None:
        return AlertState(series=reading.series)
    side: Side = "beyond" if _is_beyond(settings, reading.value) else "short"
    return AlertState(series=reading.series, side=side)


def evaluate(
    settings: AlertSettings, state: AlertState, reading: Reading
) -> tuple[AlertState, bool]:
    """The state after ``reading``, and whether the alert fires on it.

    An alert whose figure was not known when it was made fires where that is at the threshold when
    it is first known; the first figure of another series fires nothing.
    """
    value = reading.value
    if not state.active or not reading.is_live or value is None:
        return state, False
    if reading.series != state.series:
        return start_watching(settings, reading), False
    if state.side == "beyond":
        return (replace(state, side="short") if _is_back(settings, value) else state), False
    if _is_beyond(settings, value):
        return replace(state, side="beyond", active=not settings.once), True
    return (state if state.side == "short" else replace(state, side="short")), False


@exactly
def margin(settings: AlertSettings) -> Decimal:
    """How far back from the threshold the figure must be before the alert may fire again: 0.1 % of
    the threshold, and at least the least step of its unit."""
    return max(abs(settings.threshold) * _MARGIN, settings.figure.unit.least_step_back)


@exactly
def back_at(settings: AlertSettings) -> Decimal:
    """Where the figure must have been before the alert can fire again."""
    away = margin(settings)
    return settings.threshold - away if settings.direction == "above" else settings.threshold + away


def status(state: AlertState, *, has_fired: bool) -> Status:
    """How an alert stands, which ``has_fired`` since it was last switched on."""
    if not state.active:
        return "fired" if has_fired else "off"
    return _STATUS[state.side]


_STATUS: Final = MappingProxyType[Side | None, Status](
    {None: "unknown", "short": "waiting", "beyond": "beyond"}
)


def _is_beyond(settings: AlertSettings, value: Decimal) -> bool:
    if settings.direction == "above":
        return value >= settings.threshold
    return value <= settings.threshold


def _is_back(settings: AlertSettings, value: Decimal) -> bool:
    if settings.direction == "above":
        return value <= back_at(settings)
    return value >= back_at(settings)
