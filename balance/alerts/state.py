"""The keeper of the alerts: what there is of them, kept in their file, and told when it changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from balance.alerts.alert import MOST_ANSWERS, MOST_FIRINGS, Alert, Answer, Firing
from balance.alerts.file import AlertFile
from balance.alerts.telling import Listener, news_of, tell_all
from balance.core.errors import KeyReused, StoreError, UnknownAlert
from balance.store.disk import DISK, Disk

_REFUSED: Final = (
    "The disk refuses to keep what the alerts have done: after a restart one may fire again. "
    "Make room on it."
)

_AGAIN_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class Keeper:
    """All of it is used with :attr:`guard` held."""

    def __init__(self, folder: Path | None, disk: Disk = DISK) -> None:
        """``folder`` keeps them; None: nowhere.

        Raises:
            StoreUnreadable: what is kept of them is damaged.
        """
        self.guard = threading.RLock()
        self._file = AlertFile(folder, disk)
        self.kept = self._file.read()
        # in milliseconds at first, so that it goes on after a restart
        self.version = int(time.time() * 1_000)
        self._is_refused, self._tried = False, 0.0
        self._listeners: list[Listener] = []

    @property
    def fault(self) -> str:
        """What is wrong with them, for every page; empty where all is well."""
        return _REFUSED if self._is_refused else ""

    def alert(self, wanted: str) -> Alert:
        """The alert with the id ``wanted``.

        Raises:
            UnknownAlert: there is none.
        """
        if wanted not in self.kept.alerts:
            raise UnknownAlert(f"There is no alert {wanted!r:.60}. It may have been deleted.")
        return self.kept.alerts[wanted]

    def put(self, *alerts: Alert) -> None:
        """Have ``alerts`` in the places of what they were before."""
        self._have({**self.kept.alerts, **{each.id: each for each in alerts}})

    def drop(self, alert: Alert) -> None:
        """Have ``alert`` no longer."""
        self._have({name: each for name, each in self.kept.alerts.items() if name != alert.id})

    def new_id(self) -> str:
        """The id of a new alert."""
        self.kept = replace(self.kept, made=self.kept.made + 1)
        return f"alert-{self.kept.made}"

    def log(self, make: Callable[[int], Firing]) -> Firing:
        """The firing that ``make`` makes of its id, kept with the newest of the others."""
        firing = make(self.kept.fired + 1)
        firings = (*self.kept.firings, firing)[-MOST_FIRINGS:]
        self.kept = replace(self.kept, fired=firing.id, firings=firings)
        return firing

    def change_firing(self, firing: Firing) -> None:
        """Have ``firing`` in the place of what it was before, where it is still known."""
        firings = tuple(firing if each.id == firing.id else each for each in self.kept.firings)
        self.kept = replace(self.kept, firings=firings)

    def all_or_nothing(self, change: Callable[[], str]) -> str:
        """What ``change`` says, kept durably; where that fails, nothing of it is left.

        Raises:
            StoreFailed: the disk refused.
        """
        before = self.kept
        try:
            said = change()
            self._file.write(self.kept)
        except BaseException:
            self.kept = before
            raise
        self._is_refused = False
        return said

    def keep(self) -> None:
        """Keep what has changed by itself, durably; where the disk refuses, that is said, and it is
        tried again."""
        self._tried = time.monotonic()
        try:
            self._file.write(self.kept)
        except StoreError as fault:
            if not self._is_refused:
                _log.error("the alerts could not be saved: %s", fault)
            self._is_refused = True
        else:
            self._is_refused = False

    def keep_again(self) -> None:
        """Try to keep what the disk has refused to, now and then."""
        if self._is_refused and time.monotonic() - self._tried >= _AGAIN_SECONDS:
            self.keep()
            if not self._is_refused:
                self.tell()

    def answered(self, key: str, fingerprint: str) -> Answer | None:
        """What the request with ``key`` was answered before.

        Raises:
            KeyReused: it was another one.
        """
        found = next((each for each in self.kept.answers if each.key == key), None)
        if found is not None and found.fingerprint != fingerprint:
            raise KeyReused(key)
        return found

    def answer(self, answer: Answer) -> None:
        """Keep ``answer`` with the newest of the others."""
        answers = (*self.kept.answers, answer)[-MOST_ANSWERS:]
        self.kept = replace(self.kept, answers=answers)

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` told the newest firings whenever something has changed."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Tell those who listen that something has changed."""
        self.version += 1
        tell_all(self._listeners, news_of(self.kept, self.version, self.fault))

    def _have(self, alerts: Mapping[str, Any]) -> None:
        self.kept = replace(self.kept, alerts=alerts)
