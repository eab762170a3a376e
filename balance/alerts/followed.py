"""Alerts that do not run here: to be seen, not to be changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final, NoReturn

from balance.alerts.alert import Kept
from balance.alerts.file import ALERTS_FILE, AlertFile
from balance.alerts.rows import listing
from balance.alerts.telling import Listener, moment_of, news_of, tell_all
from balance.core.errors import InvalidRequest, StoreError
from balance.core.rows import Row
from balance.desk.desk import Desk

#: Why, where another server on the folder looks after them.
ELSEWHERE: Final = (
    "Alerts are looked after by the server that brings the prices, which was started first on this "
    "folder: change them there."
)
#: Why, where what is kept of them can't be read.
DAMAGED: Final = (
    f"{ALERTS_FILE} in the data folder is damaged, so no alert can fire. Mend the file or move it "
    "away, and start again."
)


class FollowedAlerts:
    """What the file of the alerts tells; reads of it take no lock."""

    #: Whether they can be changed here.
    can_change: Final = False

    def __init__(self, desk: Desk, folder: Path, fault: str = "") -> None:
        """``fault`` says why nobody looks after them; where that is empty, another server does."""
        self.words = fault or ELSEWHERE
        self._fault = fault
        # pages may know those of a server that was here before
        self._began = _milliseconds(time.time_ns())
        self._desk = desk
        self._folder = folder
        self._listeners: list[Listener] = []
        self._seen: tuple[tuple[int, int] | None, Kept] = None, Kept()
        self._told: tuple[tuple[int, int] | None] | None = None

    def listed(self, limit: int = 50) -> Row:
        """All alerts as they stand, and the newest ``limit`` (0 to 200) firings, newest first; the
        ``version`` is the time of their file, or of the begin here, in milliseconds.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        signature, kept = self._kept()
        moment = moment_of(self._desk, self._desk.market, kept.alerts.values())
        return {
            "version": self._version(signature),
            "can_change": self.can_change,
            "words": self.words,
            "fault": self._fault,
            **listing(kept, moment, limit),
        }

    def check(self) -> None:
        """Prove that the file can be read, where there is one.

        Raises:
            StoreUnreadable: it is damaged.
        """
        AlertFile(self._folder).read()

    @property
    def last(self) -> int:
        """The id of the newest firing; 0: there was none."""
        return self._kept()[1].fired

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` told the newest firings whenever something has changed."""
        self._listeners.append(listener)

    def show(self) -> None:
        """Tell those who listen what has changed, and at first how they stand."""
        signature, kept = self._kept()
        if self._told != (signature,):
            self._told = (signature,)
            tell_all(self._listeners, news_of(kept, self._version(signature), self._fault))

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse a change.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(self.words)

    create = edit = delete = test = _refuse

    def _kept(self) -> tuple[tuple[int, int] | None, Kept]:
        try:
            status = (self._folder / ALERTS_FILE).stat()
            signature = status.st_mtime_ns, status.st_ino
            if signature != self._seen[0]:
                self._seen = signature, AlertFile(self._folder).read()
        except (OSError, StoreError):
            return self._seen  # as it was; the server that looks after them says what is wrong
        return self._seen

    def _version(self, signature: tuple[int, int] | None) -> int:
        return self._began if signature is None else max(self._began, _milliseconds(signature[0]))


def _milliseconds(nanoseconds: int) -> int:
    return nanoseconds // 1_000_000
