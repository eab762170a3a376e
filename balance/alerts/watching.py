"""The watch that alerts keep: what they look at, what fires, and what is posted of that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from balance.alerts.alert import Alert, Delivery, Firing
from balance.alerts.delivery import Sending
from balance.alerts.lane import Told, Wanted
from balance.alerts.messages import fired_words
from balance.alerts.outbox import Outbox
from balance.alerts.readings import Moment, reader
from balance.alerts.rows import listing
from balance.alerts.rules import looked
from balance.alerts.state import Keeper
from balance.alerts.telling import Listener, moment_of
from balance.alerts.web_address import origin
from balance.core.errors import StoreError
from balance.core.market import Market
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.store.disk import DISK, Disk


class Watching:
    """The readers of the alerts, and what the engine asks of them. Safe to use from many
    threads."""

    #: Whether they can be changed here.
    can_change: Final = True

    def __init__(
        self,
        desk: Desk,
        folder: Path | None = None,
        outbox: Callable[[Told, Wanted], Outbox] = Outbox,
        disk: Disk = DISK,
    ) -> None:
        """``folder`` keeps them; None: nowhere.

        Raises:
            StoreUnreadable: what is kept of them is damaged.
        """
        self._desk = desk
        self._keeper = Keeper(folder, disk)
        self._sending = Sending(self._keeper, outbox)
        # of the engine, which looks itself after what it commits
        self._looking_thread: int | None = None
        self._seen: tuple[str, int] | None = None

    def listed(self, limit: int = 50) -> Row:
        """All alerts as they stand, and the newest ``limit`` (0 to 200) firings, newest first.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        with self._keeper.guard:
            kept = self._keeper.kept
            return {
                "version": self._keeper.version,
                "can_change": self.can_change,
                "words": self._keeper.fault,
                "fault": self._keeper.fault,
                **listing(kept, self._moment(*kept.alerts.values()), limit),
            }

    @property
    def last(self) -> int:
        """The id of the newest firing; 0: there was none."""
        return self._keeper.kept.fired

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` told the newest firings whenever something has changed."""
        self._keeper.subscribe(listener)

    def begin(self, *, anew: bool = False) -> None:
        """Begin on the feed that the desk has now; ``anew`` where it begins at another time than
        the one at which it stopped, which continues no price that was seen."""
        with self._keeper.guard:
            alerts = self._keeper.kept.alerts.values()
            if anew:
                self._keeper.put(*(_without_series(each) for each in alerts))
            if self._sending.resume() or anew:
                self._keeper.keep()
            self._keeper.tell()

    def look(self, _: Market) -> None:
        """Look at the newest prices. For the engine, at every moment of the market, once what it
        does is committed."""
        self._looking_thread = threading.get_ident()
        self._look()

    def show(self) -> None:
        """Look again where another program has changed the account. For the engine."""
        with self._keeper.guard:
            self._keeper.keep_again()
        try:
            version = self._desk.version
        except StoreError:
            return  # every tab says so
        if version != self._seen:
            self._seen = version
            self._look()

    def committed(self, _: Snapshot) -> None:
        """Look at what a commit has made of the account. For the desk."""
        # what the engine commits is at prices that are not shown yet: it looks when they are
        if threading.get_ident() != self._looking_thread:
            self._look()

    def rest(self) -> None:
        """Post nothing more once what is under way has ended, as the server stops. For the
        engine."""
        self._sending.stop()

    def _look(self) -> None:
        with self._keeper.guard:
            # only now: who had to wait for its turn would see prices that others have left behind
            market = self._desk.market
            watching = [each for each in self._keeper.kept.alerts.values() if each.sight.active]
            read = reader(moment_of(self._desk, market, watching))
            changed, fired = [], []
            for alert in watching:
                seen = read(alert.settings)
                sight, has_fired = looked(alert.settings, alert.sight, seen)
                if has_fired and seen.value is not None:
                    words = fired_words(alert.settings, seen.value, market)
                    firing = self._logged(alert, seen.value, words)
                    fired.append(firing)
                    alert = replace(
                        alert, fired_at=firing.time, fired=alert.fired + 1, has_fired=True
                    )
                if sight != alert.sight:
                    changed.append(replace(alert, sight=sight))
            if changed:
                self._keeper.put(*changed)
                # before anyone is told: what was told must not fire again after a crash
                self._keeper.keep()
                self._keeper.tell()
                self._sending.post(*fired)

    def _logged(
        self, alert: Alert, value: Decimal | None, words: str, *, is_test: bool = False
    ) -> Firing:
        settings = alert.settings
        url = settings.url
        return self._keeper.log(
            lambda number: Firing(
                id=number,
                alert=alert.id,
                time=datetime.now(UTC),
                what=settings.what,
                symbol=settings.symbol,
                direction=settings.direction,
                threshold=settings.threshold,
                value=value,
                words=words,
                toast=settings.toast,
                notify=settings.notify,
                is_test=is_test,
                delivery=None if url is None else Delivery(url=origin(url)),
            )
        )

    def _moment(self, *alerts: Alert) -> Moment:
        return moment_of(self._desk, self._desk.market, alerts)


def _without_series(alert: Alert) -> Alert:
    if alert.settings.what != "price" or not alert.sight.active:
        return alert
    return replace(alert, sight=replace(alert.sight, series=""))
