"""The store of the alerts: saved in their file, and published when they change."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from balance.alerts.rows import news_row
from balance.alerts.state import MOST_FIRINGS, Alert, AlertBook, Delivery, Firing, alert_file
from balance.background.listeners import Listeners
from balance.core.errors import UnknownAlert
from balance.store.disk import DISK, Disk

_REFUSED: Final = (
    "The disk refuses to save what the alerts have done: after a restart one may fire again. "
    "Make room on it."
)
_RETRY_SECONDS: Final = 1.0

_Result = TypeVar("_Result")


class AlertStore:
    """The alerts in their file, and those who hear when they change. All of it is used with
    :attr:`guard` held."""

    def __init__(self, folder: Path | None, disk: Disk = DISK) -> None:
        """``folder`` None keeps the alerts nowhere.

        Raises:
            FileUnreadable: the file is damaged.
        """
        self.file = alert_file(folder, disk)
        self.file.latest()
        self.guard = self.file.guard
        # Milliseconds at first, so that it goes on growing after a restart and after that of the
        # server that this one has followed, which is the time of the file.
        self.version = max(int(time.time() * 1_000), self.file.changed)
        self.listeners = Listeners[Mapping[str, Any]]("alerts")
        self._is_unsaved, self._tried = False, 0.0

    @property
    def book(self) -> AlertBook:
        """All alerts, and the newest firings."""
        return self.file.value

    @property
    def fault(self) -> str:
        """What is wrong with them, for every page; empty where all is well."""
        return _REFUSED if self._is_unsaved else ""

    def alert(self, alert_id: str) -> Alert:
        """The alert with that id.

        Raises:
            UnknownAlert: there is none.
        """
        found = self.book.find(alert_id)
        if found is None:
            raise UnknownAlert(f"There is no alert {alert_id!r:.60}. It may have been deleted.")
        return found

    def add(self, make: Callable[[str], Alert]) -> Alert:
        """The alert that ``make`` makes of a new id."""
        book = self.book
        alert = make(f"alert-{book.made + 1}")
        self.file.put(replace(book, made=book.made + 1, alerts=(*book.alerts, alert)))
        return alert

    def put(self, *alerts: Alert) -> None:
        """Have ``alerts`` in the places of what they were before."""
        changed = {each.id: each for each in alerts}
        after = tuple(changed.get(each.id, each) for each in self.book.alerts)
        self.file.put(replace(self.book, alerts=after))

    def drop(self, alert: Alert) -> None:
        """Delete ``alert``."""
        rest = tuple(each for each in self.book.alerts if each.id != alert.id)
        self.file.put(replace(self.book, alerts=rest))

    def log(self, make: Callable[[int], Firing]) -> Firing:
        """The firing that ``make`` makes of its id, as the newest one."""
        book = self.book
        firing = make(book.fired + 1)
        firings = (*book.firings, firing)[-MOST_FIRINGS:]
        self.file.put(replace(book, fired=firing.id, firings=firings))
        return firing

    def put_delivery(self, firing_id: int, delivery: Delivery) -> bool:
        """Have ``delivery`` as that of a firing; whether that is still one of the newest."""
        firings = tuple(
            replace(each, delivery=delivery) if each.id == firing_id else each
            for each in self.book.firings
        )
        if firings == self.book.firings:
            return False
        self.file.put(replace(self.book, firings=firings))
        return True

    def change(self, operation: Callable[[], _Result]) -> _Result:
        """Do ``operation`` and save what came of it; where either fails, nothing of it is left.

        Raises:
            StoreFailed: the disk refused.
        """
        result = self.file.change(operation)
        self._is_unsaved = False
        return result

    def save(self) -> None:
        """Save what the alerts did by themselves, against a power loss too: nothing else says
        what they did. Where the disk refuses, that is a :attr:`fault`."""
        self._tried = time.monotonic()
        self._is_unsaved = not self.file.try_save()

    def retry(self) -> None:
        """Save what the disk has refused, now and then."""
        if self._is_unsaved and time.monotonic() - self._tried >= _RETRY_SECONDS:
            self.save()
            if not self._is_unsaved:
                self.publish()

    def publish(self) -> None:
        """Have the listeners hear that something has changed."""
        self.version += 1
        self.listeners.publish(news_row(self.book, self.version, self.fault))
