"""An alert with what it has seen, its firings, and what came of posting them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Final, Literal

from balance.alerts.rules import AlertSettings, Direction, Sight, What
from balance.core.shape import Doc, Whole

#: ``sending`` is under way or will be tried again; the others are how it ended.
DeliveryState = Literal["sending", "answered", "refused", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of posting a firing to the URL of its alert."""

    url: Annotated[
        str,
        Doc(
            "Which server it is posted to, such as http://127.0.0.1:9000; the rest of the address "
            "may be a secret, and stays with its alert."
        ),
    ]
    state: DeliveryState = "sending"
    words: Annotated[str, Doc("How it went, such as Answered 200.")] = "Not sent yet"
    tries: Whole = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One firing of an alert, as it was told."""

    # counts all that there ever were
    id: int
    # the id of its alert, which may be gone by now
    alert: str
    # by this machine's clock
    time: datetime
    what: What
    symbol: str | None
    direction: Direction
    threshold: Decimal
    # the figure that it fired on; None in a test where it was not known
    value: Decimal | None
    words: str
    toast: bool
    notify: bool
    # whether somebody only tried how it would be told
    is_test: bool = False
    # None where it is posted nowhere
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert at one moment."""

    # never used again for another one
    id: str
    settings: AlertSettings
    sight: Sight
    created_at: datetime
    fired_at: datetime | None = None
    # how often it has fired
    fired: int = 0
    # whether it has since it was last switched on
    has_fired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request with an idempotency key was answered."""

    key: str
    fingerprint: str
    message: str
    # the alert that it was about
    alert: str


#: How many firings, and answers to requests with a key, are kept.
MOST_FIRINGS: Final = 200
MOST_ANSWERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All that is kept of the alerts."""

    # by their ids, in the order in which they were made
    alerts: Mapping[str, Alert] = field(default_factory=lambda: MappingProxyType({}))
    # how many were ever made, and how many firings there ever were
    made: int = 0
    fired: int = 0
    # oldest first
    firings: tuple[Firing, ...] = ()
    answers: tuple[Answer, ...] = ()
