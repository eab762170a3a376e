"""Alerts and their firings as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import blake2s
from typing import Annotated, Any, Final, TypedDict

from balance.alerts.messages import (
    condition,
    distance_text,
    figure_text,
    status_text,
    threshold_text,
)
from balance.alerts.readings import FIGURES, DistancePercent, Moment, Watched, What, read_figure
from balance.alerts.rules import (
    AlertSettings,
    Direction,
    Status,
    Threshold,
    WatchedSymbol,
    status,
)
from balance.alerts.state import MOST_FIRINGS, Alert, AlertBook, Delivery, Firing
from balance.core.errors import InvalidRequest
from balance.core.moments import iso
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.core.shape import Doc, Texts, Time, Whole, includes, members, text_names

#: How each text of an alert's row is called.
_TEXTS: Final = ("condition", "threshold", "value", "distance", "status")
#: How many alerts there may be.
MOST_ALERTS: Final = 100
#: How many of the newest firings are news for every page.
NEWS_FIRINGS: Final = 20

Active = Annotated[bool, Doc("false: it is off; true: it is evaluated, from now on.")]


class Activity(TypedDict, total=False):
    """Whether an alert is on."""

    active: Active


@includes(AlertSettings)
class AlertRow(TypedDict):
    """An alert as it stands."""

    id: str
    active: Active
    status: Annotated[
        Status,
        Doc(
            "waiting for the threshold; beyond it already, so that it has to be back first; "
            "unknown, as no figure was known yet; fired, and off by that; off."
        ),
    ]
    value: Annotated[Decimal | None, Doc("The figure now, in its unit.")]
    is_live: Annotated[bool, Doc("Whether the figure comes from live prices.")]
    distance: Annotated[Decimal | None, Doc("Threshold - value, in the unit of the figure.")]
    distance_percent: DistancePercent
    created_at: Time
    fired_at: Time | None
    fired: Annotated[Whole, Doc("How often.")]
    display: Annotated[Texts, text_names(_TEXTS)]


class FiringMessage(TypedDict):
    """A firing as it is posted to the URL of its alert."""

    id: Annotated[Whole, Doc("Counts all firings that there ever were.")]
    alert: Annotated[str, Doc("The id of its alert, which may be gone.")]
    time: Time
    what: Watched
    symbol: WatchedSymbol
    direction: Direction
    threshold: Threshold
    value: Annotated[Decimal | None, Doc("The figure that it fired on, in its unit.")]
    words: str
    test: Annotated[bool, Doc("Whether somebody only tried it.")]


class FiringRow(FiringMessage):
    """A firing of an alert."""

    toast: bool
    notify: bool
    delivery: Annotated[Delivery | None, Doc("What came of posting it; null: it is not posted.")]


class FigureRow(TypedDict):
    """A figure that may be watched."""

    name: Annotated[What, Doc("As an alert names it in what.")]
    label: Annotated[str, Doc("As people choose it.")]
    has_symbol: Annotated[bool, Doc("Whether it is of a symbol; the others are of the account.")]
    unit: Annotated[str, Doc("What it is in: a currency, or %.")]
    now: Annotated[
        str,
        Doc(
            "Which field of the snapshot has it or, where it is of a symbol, of the symbol's price "
            "or position there."
        ),
    ]


class AlertList(TypedDict):
    """All alerts as they stand, and the newest firings."""

    version: Annotated[Whole, Doc("Grows with everything that changes.")]
    last: Annotated[Whole, Doc("The id of the newest firing; 0: there was none.")]
    can_change: Annotated[bool, Doc("Whether they are evaluated, and can be changed, here.")]
    words: Annotated[
        str, Doc("A message about all of them, such as why they can't be changed here.")
    ]
    fault: Annotated[
        str, Doc("Why no alert can be relied on, which every page says; empty: all is well.")
    ]
    drawn: Annotated[str, Doc("Another one: more than the figures of the rows has changed.")]
    alerts: list[AlertRow]
    firings: Annotated[list[FiringRow], Doc("Newest first.")]
    figures: Annotated[list[FigureRow], Doc("What may be watched.")]


@exactly
def alert_row(alert: Alert, moment: Moment) -> Row:
    """``alert`` as it stands: its figure and its distance in the unit of the figure, ``None`` where
    they are not known."""
    settings, market, account = alert.settings, moment.market, moment.account
    found = read_figure(settings.what, settings.symbol, moment)
    equity = None if account is None else account.equity
    away = settings.figure.unit.distance_percent(settings.threshold, found.value, equity)
    state = status(alert.sight, has_fired=alert.has_fired)
    return {
        "id": alert.id,
        **members(settings),
        "active": alert.sight.active,
        "status": state,
        "value": found.value,
        "is_live": found.is_live,
        "distance": None if found.value is None else settings.threshold - found.value,
        "distance_percent": None if away is None else quantized(away),
        "created_at": iso(alert.created_at),
        "fired_at": None if alert.fired_at is None else iso(alert.fired_at),
        "fired": alert.fired,
        "display": {
            "condition": condition(settings, market),
            "threshold": threshold_text(settings, market),
            "value": figure_text(settings, found.value, market),
            "distance": distance_text(away),
            "status": status_text(state, found),
        },
    }


def figure_rows() -> list[Row]:
    """The figures that may be watched."""
    return [
        {
            "name": name,
            "label": figure.label,
            "has_symbol": figure.has_symbol,
            "unit": figure.unit.sign,
            "now": figure.now,
        }
        for name, figure in FIGURES.items()
    ]


def firing_rows(firings: Sequence[Firing], limit: int) -> list[Row]:
    """The newest ``limit`` of ``firings``, newest first."""
    return [
        {
            **firing_message_row(firing),
            "toast": firing.toast,
            "notify": firing.notify,
            "delivery": None if firing.delivery is None else members(firing.delivery),
        }
        for firing in firings[::-1][:limit]
    ]


def firing_message_row(firing: Firing) -> Mapping[str, Any]:
    """``firing`` as it is posted to the URL of its alert."""
    names = ("id", "alert", "what", "symbol", "direction", "threshold", "value")
    return {
        **{name: getattr(firing, name) for name in names},
        "time": iso(firing.time),
        "words": firing.words,
        "test": firing.is_test,
    }


def signature(version: int, rows: Sequence[Row]) -> str:
    """A short text that is another one when the alerts of ``rows``, or what has fired by the
    ``version``, look different but for the figures in them."""
    seen = [
        (
            row["display"]["condition"],
            row["display"]["status"],
            row["is_live"],
            row["value"] is None,
        )
        for row in rows
    ]
    return blake2s(repr((version, seen)).encode(), digest_size=8).hexdigest()


def news_row(book: AlertBook, version: int, fault: str) -> Row:
    """What every page hears when something has changed: the newest firings, and the ``fault`` for
    which no alert can be relied on, which is empty where all is well."""
    return {
        "version": version,
        "last": book.fired,
        "fault": fault,
        "firings": firing_rows(book.firings, NEWS_FIRINGS),
    }


def check_limit(limit: int) -> None:
    """Prove that ``limit`` firings may be requested.

    Raises:
        InvalidRequest: they may not.
    """
    if not 0 <= limit <= MOST_FIRINGS:
        raise InvalidRequest(f"limit must be from 0 to {MOST_FIRINGS}, not {limit}.")
