"""Alerts and their firings as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Final, TypedDict

from balance.alerts.alert import MOST_FIRINGS, Alert, Delivery, Firing, Kept
from balance.alerts.messages import (
    condition,
    distance_percent,
    distance_words,
    figure,
    status_words,
    threshold_words,
)
from balance.alerts.readings import Moment, reading
from balance.alerts.rules import (
    MEMBERS,
    AlertSettings,
    Direction,
    Status,
    Threshold,
    Watched,
    WatchedSymbol,
    status,
)
from balance.core.errors import InvalidRequest
from balance.core.moments import iso
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.core.shape import Doc, Money, Texts, Time, Whole, includes, text_names

#: How each text of an alert's row is called.
_TEXTS: Final = ("condition", "threshold", "value", "distance", "status")
#: How many alerts there may be.
MOST_ALERTS: Final = 100
#: How many of the newest firings every page is told of.
MOST_TOLD: Final = 20


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
            "unknown, as no figure was seen yet; fired, and off by that; off."
        ),
    ]
    value: Annotated[Money | None, Doc("The figure now.")]
    is_live: Annotated[bool, Doc("Whether the figure comes from live prices.")]
    distance: Annotated[Money | None, Doc("Threshold - value.")]
    distance_percent: Annotated[
        Decimal | None, Doc("In percent of the price or, of money, of the equity.")
    ]
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
    value: Annotated[Money | None, Doc("The figure that it fired on.")]
    words: str
    test: Annotated[bool, Doc("Whether somebody only tried it.")]


class FiringRow(FiringMessage):
    """A firing of an alert."""

    toast: bool
    notify: bool
    delivery: Annotated[Delivery | None, Doc("What came of posting it; null: it is not posted.")]


class AlertList(TypedDict):
    """All alerts as they stand, and the newest firings."""

    version: Annotated[Whole, Doc("Grows with everything that changes.")]
    last: Annotated[Whole, Doc("The id of the newest firing; 0: there was none.")]
    can_change: Annotated[bool, Doc("Whether this server looks after them.")]
    words: Annotated[str, Doc("What there is to say of all of them.")]
    fault: Annotated[
        str, Doc("Why no alert can be relied on, which every page says; empty: all is well.")
    ]
    alerts: list[AlertRow]
    firings: Annotated[list[FiringRow], Doc("Newest first.")]


def listing(kept: Kept, moment: Moment, limit: int) -> Row:
    """All alerts in the order in which they were made, and the newest ``limit`` (0 to 200) firings,
    newest first.

    Raises:
        InvalidRequest: the limit is out of range.
    """
    if not 0 <= limit <= MOST_FIRINGS:
        raise InvalidRequest(f"limit must be from 0 to {MOST_FIRINGS}, not {limit}.")
    return {
        "last": kept.fired,
        "alerts": [alert_row(each, moment) for each in kept.alerts.values()],
        "firings": firing_rows(kept.firings, limit),
    }


@exactly
def alert_row(alert: Alert, moment: Moment) -> Row:
    """``alert`` as it stands: its figure and its distance in the quote currency, ``None`` where
    they are not known; ``distance_percent`` is of the price or, of money, of the equity."""
    settings, seen = alert.settings, reading(alert.settings, moment)
    account = moment.account
    away = distance_percent(settings, seen.value, None if account is None else account.equity)
    state = status(alert.sight, has_fired=alert.has_fired)
    row: dict[str, Any] = {
        "id": alert.id,
        **{name: getattr(settings, name) for name in MEMBERS},
        "active": alert.sight.active,
        "status": state,
        "value": seen.value,
        "is_live": seen.is_live,
        "distance": None if seen.value is None else settings.threshold - seen.value,
        "distance_percent": None if away is None else quantized(away),
        "created_at": iso(alert.created_at),
        "fired_at": None if alert.fired_at is None else iso(alert.fired_at),
        "fired": alert.fired,
    }
    market = moment.market
    display = {
        "condition": condition(settings, market),
        "threshold": threshold_words(settings, market),
        "value": figure(settings, seen.value, market),
        "distance": distance_words(away),
        "status": status_words(state, seen),
    }
    return {**row, "display": display}


def firing_rows(firings: Sequence[Firing], limit: int) -> list[Row]:
    """The newest ``limit`` of ``firings``, newest first."""
    return [_firing_row(each) for each in firings[::-1][:limit]]


def _firing_row(firing: Firing) -> Row:
    delivery = firing.delivery
    return {
        **told(firing),
        "toast": firing.toast,
        "notify": firing.notify,
        "delivery": None if delivery is None else asdict(delivery),
    }


def told(firing: Firing) -> Mapping[str, Any]:
    """What is told of ``firing``, also to the URL of its alert."""
    return {
        "id": firing.id,
        "alert": firing.alert,
        "what": firing.what,
        "symbol": firing.symbol,
        "direction": firing.direction,
        "threshold": firing.threshold,
        "value": firing.value,
        "time": iso(firing.time),
        "words": firing.words,
        "test": firing.is_test,
    }
