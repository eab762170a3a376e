"""The alerts and what has fired, in ``data/alerts.json``.

Only the server that lets the market act writes the file, which holds ``market.lock`` for that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from balance.alerts.readings import What
from balance.alerts.rules import AlertSettings, AlertState, Direction
from balance.alerts.settings import origin, read_settings
from balance.core.shape import Doc, Whole
from balance.store.disk import DISK, Disk
from balance.store.kept_file import KeptFile
from balance.store.records import Record

ALERTS_FILE: Final = "alerts.json"
#: How many firings are in the file, and answers to requests with a key.
MOST_FIRINGS: Final = 200
MOST_ANSWERS: Final = 200

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
    """One firing of an alert, with its message."""

    # Counts all that there ever were.
    id: int
    # The id of its alert, which may be gone by now.
    alert: str
    # By this machine's clock.
    time: datetime
    what: What
    symbol: str | None
    direction: Direction
    threshold: Decimal
    # The figure that it fired on; None in a test where it was not known.
    value: Decimal | None
    words: str
    toast: bool
    notify: bool
    # Whether somebody only tried the alert.
    is_test: bool = False
    # None where it is posted nowhere.
    delivery: Delivery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert at one moment."""

    # Never used again for another one.
    id: str
    settings: AlertSettings
    sight: AlertState
    created_at: datetime
    fired_at: datetime | None = None
    # How often it has fired.
    fired: int = 0
    # Whether it has since it was last switched on.
    has_fired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertBook:
    """All alerts, and the newest firings."""

    # How many alerts were ever made, and how many firings there ever were.
    made: int = 0
    fired: int = 0
    # In the order in which they were made.
    alerts: tuple[Alert, ...] = ()
    # Oldest first.
    firings: tuple[Firing, ...] = ()

    def find(self, alert_id: str) -> Alert | None:
        """The alert with that id, if there is one."""
        return next((each for each in self.alerts if each.id == alert_id), None)

    def firing(self, firing_id: int) -> Firing | None:
        """The firing with that id, if it is one of the newest."""
        return next((each for each in self.firings if each.id == firing_id), None)


_ALERT: Final = Record(
    Alert, Record(AlertSettings, mend=lambda document, _: read_settings(document))
)
_FIRING: Final = Record(
    # Older versions wrote the whole address.
    Firing,
    Record(Delivery, mend=lambda _, delivery: replace(delivery, url=origin(delivery.url))),
)
_BOOK: Final = Record(AlertBook, _ALERT, _FIRING)


def alert_file(folder: Path | None, disk: Disk = DISK) -> KeptFile[AlertBook]:
    """The file in ``folder``; None keeps the alerts nowhere."""
    return KeptFile(
        folder,
        ALERTS_FILE,
        AlertBook(),
        _BOOK.encode,
        _BOOK.decode,
        remedy="Put a copy of the file back, or move it away to begin without alerts.",
        answers=MOST_ANSWERS,
        disk=disk,
    )
