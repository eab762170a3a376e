"""``data/alerts.json``: the alerts, what each has seen, and the newest firings.

Only the server that lets the market act writes it, which holds ``market.lock`` for that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast, get_args

from balance.alerts.alert import Alert, Answer, Delivery, DeliveryState, Firing, Kept
from balance.alerts.rules import MEMBERS, Side, Sight
from balance.alerts.settings import read_settings
from balance.alerts.web_address import origin
from balance.core.errors import BalanceError, StoreFailed, StoreUnreadable
from balance.core.figures import plain
from balance.core.moments import from_iso, iso
from balance.store.disk import DISK, Disk

ALERTS_FILE: Final = "alerts.json"
_SCHEMA: Final = 1


class AlertsUnreadable(StoreUnreadable):
    """The file of the alerts is damaged; nothing is put in its place."""

    def __init__(self, reason: str) -> None:
        super().__init__(ALERTS_FILE, reason)
        # it can't be mended as the account can
        self.args = (
            f"{ALERTS_FILE} {reason}. Nothing was changed. Put a copy of the file back, or move it "
            "away to begin without alerts.",
        )


class AlertFile:
    """The file in ``folder``; None keeps it nowhere."""

    def __init__(self, folder: Path | None, disk: Disk = DISK) -> None:
        self._disk = disk
        self._file = None if folder is None else folder / ALERTS_FILE

    def read(self) -> Kept:
        """What is kept; nothing where there is no file yet.

        Raises:
            AlertsUnreadable: it is damaged; nothing is put in its place.
        """
        if self._file is None:
            return Kept()
        try:
            return read_kept(json.loads(self._file.read_bytes()))
        except FileNotFoundError:
            return Kept()
        except OSError as fault:
            raise AlertsUnreadable(f"can't be read: {fault.strerror}") from fault
        except (
            *(ValueError, KeyError, TypeError, AttributeError, ArithmeticError),
            *(RecursionError, BalanceError),
        ) as fault:
            raise AlertsUnreadable(f"is damaged ({fault!r:.120})") from fault

    def write(self, kept: Kept) -> None:
        """Keep ``kept``, against a power cut too: nothing else tells what alerts there were.

        Raises:
            StoreFailed: the disk refused.
        """
        if self._file is None:
            return
        try:
            self._disk.replace_file(self._file, json.dumps(document(kept)).encode())
        except OSError as fault:
            raise StoreFailed(fault.strerror or type(fault).__name__) from fault


def document(kept: Kept) -> dict[str, Any]:
    """``kept`` as an object, numbers that are exact as decimal strings."""
    return {
        "schema": _SCHEMA,
        "made": kept.made,
        "fired": kept.fired,
        "alerts": [_alert_document(each) for each in kept.alerts.values()],
        "firings": [_firing_document(each) for each in kept.firings],
        "answers": [asdict(each) for each in kept.answers],
    }


def read_kept(told: Mapping[str, Any]) -> Kept:
    """What the object ``told`` keeps.

    Raises:
        ValueError, KeyError, TypeError, BalanceError: it is no such object.
    """
    if told["schema"] != _SCHEMA:
        raise ValueError(f"its schema is {told['schema']!r}, not {_SCHEMA}")
    alerts = [_read_alert(each) for each in told["alerts"]]
    return Kept(
        alerts={each.id: each for each in alerts},
        made=int(told["made"]),
        fired=int(told["fired"]),
        firings=tuple(_read_firing(each) for each in told["firings"]),
        answers=tuple(Answer(**each) for each in told["answers"]),
    )


def _alert_document(alert: Alert) -> dict[str, Any]:
    settings = {name: getattr(alert.settings, name) for name in MEMBERS}
    return {
        "id": alert.id,
        "settings": {**settings, "threshold": plain(alert.settings.threshold)},
        "sight": asdict(alert.sight),
        "created_at": iso(alert.created_at),
        "fired_at": alert.fired_at and iso(alert.fired_at),
        "fired": alert.fired,
        "has_fired": alert.has_fired,
    }


def _read_alert(told: Mapping[str, Any]) -> Alert:
    sight = told["sight"]
    if sight["side"] not in (None, *get_args(Side)):
        raise ValueError(f"no figure is {sight['side']!r} of a threshold")
    return Alert(
        id=_text(told["id"]),
        settings=read_settings(told["settings"]),
        sight=Sight(
            active=_flag(sight["active"]), series=_text(sight["series"]), side=sight["side"]
        ),
        created_at=from_iso(told["created_at"]),
        fired_at=_moment(told["fired_at"]),
        fired=int(told["fired"]),
        has_fired=_flag(told["has_fired"]),
    )


def _firing_document(firing: Firing) -> dict[str, Any]:
    return {
        **asdict(firing),
        "time": iso(firing.time),
        "threshold": plain(firing.threshold),
        "value": None if firing.value is None else plain(firing.value),
    }


def _read_firing(told: Mapping[str, Any]) -> Firing:
    delivery = told["delivery"]
    return Firing(
        id=int(told["id"]),
        alert=_text(told["alert"]),
        time=from_iso(told["time"]),
        what=told["what"],
        symbol=told["symbol"],
        direction=told["direction"],
        threshold=Decimal(told["threshold"]),
        value=None if told["value"] is None else Decimal(told["value"]),
        words=_text(told["words"]),
        toast=_flag(told["toast"]),
        notify=_flag(told["notify"]),
        is_test=_flag(told["is_test"]),
        delivery=None if delivery is None else _read_delivery(delivery),
    )


def _read_delivery(told: Mapping[str, Any]) -> Delivery:
    if told["state"] not in get_args(DeliveryState):
        raise ValueError(f"no delivery is {told['state']!r}")
    return Delivery(
        # older files have all of it
        url=origin(_text(told["url"])),
        state=cast(DeliveryState, told["state"]),
        words=_text(told["words"]),
        tries=int(told["tries"]),
    )


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{told!r:.40} is no text")
    return told


def _flag(told: object) -> bool:
    if not isinstance(told, bool):
        raise TypeError(f"{told!r:.40} is neither true nor false")
    return told


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)
