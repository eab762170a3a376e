"""The alerts of an account: evaluated at every price and change, and changed by requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from balance.alerts.delivery import Deliveries, IsDue, Outbox, Report
from balance.alerts.messages import condition, figure_text, firing_message, start_message
from balance.alerts.readings import Moment, Reading, What, read_figure
from balance.alerts.rows import (
    MOST_ALERTS,
    alert_row,
    check_limit,
    figure_rows,
    firing_rows,
    news_row,
    signature,
)
from balance.alerts.rules import AlertSettings, AlertState, evaluate, start_watching
from balance.alerts.settings import origin, settings_of
from balance.alerts.state import ALERTS_FILE, Alert, AlertBook, Delivery, Firing, alert_file
from balance.alerts.store import AlertStore
from balance.background.listeners import Listeners
from balance.core.errors import InvalidRequest, StoreError
from balance.core.market import Market
from balance.core.request import flag
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.store.disk import DISK, Disk
from balance.store.kept_file import Done

#: Why alerts can't be changed here, where another server on the folder evaluates them.
ELSEWHERE: Final = (
    "Alerts are evaluated by the server that brings the prices: change them there. When it ends, "
    "this one does that."
)
#: Why, where their file can't be read.
DAMAGED: Final = (
    f"{ALERTS_FILE} in the data folder is damaged, so no alert can fire. Put a copy back or move "
    "it away, and start again."
)

# An alert with another one of these waits for something else.
_CONDITION: Final = ("what", "symbol", "direction", "threshold")

# The settings that a firing repeats, as its alert may be changed or deleted.
_OF_A_FIRING: Final = (*_CONDITION, "toast", "notify")

Listener = Callable[[Mapping[str, Any]], None]


class Alerts:
    """All alerts of an account. Safe to use from many threads; every change takes a ``key``: a
    repeated one gets the first answer and changes nothing."""

    #: Whether they can be changed here.
    can_change: Final = True

    def __init__(
        self,
        desk: Desk,
        folder: Path | None = None,
        outbox: Callable[[Report, IsDue], Outbox] = Outbox,
        disk: Disk = DISK,
    ) -> None:
        """``folder`` None keeps them nowhere.

        Raises:
            FileUnreadable: their file is damaged.
        """
        self._desk = desk
        self._store = AlertStore(folder, disk)
        self._deliveries = Deliveries(self._store, outbox)
        # The engine's thread, which evaluates the alerts itself after what it commits.
        self._engine_thread: int | None = None
        # The version of the account that was evaluated last.
        self._version: tuple[str, int] | None = None

    def listed(self, limit: int = 50) -> Row:
        """All alerts as they stand, and the newest ``limit`` (0 to 200) firings, newest first.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        with self._store.guard:
            fault = self._store.fault
            lists = _lists(self._store.version, self._store.book, self._desk, limit)
            return {"can_change": True, "words": fault, "fault": fault, **lists}

    @property
    def last(self) -> int:
        """The id of the newest firing; 0: there was none."""
        return self._store.book.fired

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` called with the newest firings whenever something has changed."""
        self._store.listeners.add(listener)

    def create(self, request: Mapping[str, Any], key: str | None = None) -> Done:
        """Make an alert with the settings in ``request``; it is evaluated from now on.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense, or there are too many.
        """

        def create() -> tuple[str, str]:
            market = self._desk.market
            settings = settings_of(_without_active(request), market)
            if len(self._store.book.alerts) >= MOST_ALERTS:
                raise InvalidRequest(f"There are {MOST_ALERTS} alerts; delete one first.")
            state, message = self._started(settings, is_active=_active(request) is not False)
            now = datetime.now(UTC)
            alert = self._store.add(
                lambda new_id: Alert(id=new_id, settings=settings, sight=state, created_at=now)
            )
            return alert.id, f"Made the alert: {condition(settings, market)}. {message}"

        return self._changed(["create", request], key, create)

    def edit(self, alert_id: str, request: Mapping[str, Any], key: str | None = None) -> Done:
        """Change the settings of an alert that ``request`` names, or switch it off and on again
        with ``active``. One with another threshold starts anew, as one that is switched on does.

        Raises:
            UnknownAlert: there is none with that id.
            InvalidRequest, InvalidAmount: they make no sense.
        """

        def edit() -> tuple[str, str]:
            alert, market = self._store.alert(alert_id), self._desk.market
            settings = settings_of(_without_active(request), market, alert.settings)
            active, message = _active(request), ""
            is_other = any(
                getattr(settings, name) != getattr(alert.settings, name) for name in _CONDITION
            )
            if active is False:
                alert = replace(alert, sight=replace(alert.sight, active=False), has_fired=False)
                message = "It is off."
            elif is_other or (active and not alert.sight.active):
                state, message = self._started(settings)
                alert = replace(alert, sight=state, has_fired=False)
            self._store.put(replace(alert, settings=settings))
            text = f"Changed the alert: {condition(settings, market)}. {message}"
            return alert_id, text.strip()

        return self._changed(["edit", alert_id, request], key, edit)

    def delete(self, alert_id: str, key: str | None = None) -> Done:
        """Delete an alert; its firings stay.

        Raises:
            UnknownAlert: there is none with that id.
        """

        def delete() -> tuple[str, str]:
            alert = self._store.alert(alert_id)
            self._store.drop(alert)
            return alert_id, f"Deleted the alert: {condition(alert.settings, self._desk.market)}."

        return self._changed(["delete", alert_id], key, delete)

    def test(self, alert_id: str, key: str | None = None) -> Done:
        """Show and post what an alert would, without its having fired.

        Raises:
            UnknownAlert: there is none with that id.
        """
        tried: list[Firing] = []

        def test() -> tuple[str, str]:
            alert, market = self._store.alert(alert_id), self._desk.market
            settings = alert.settings
            value = self._reading(settings).value
            message = f"A test: {condition(settings, market)}."
            if value is not None:
                message += f" Now it is at {figure_text(settings, value, market)}."
            tried.append(self._logged(alert, value, message, is_test=True))
            sent = f" It is posted to {origin(settings.url)}." if settings.url else ""
            return alert_id, f"Tried the alert: {condition(settings, market)}.{sent}"

        done = self._changed(["test", alert_id], key, test)
        self._deliveries.post(*tried)
        return done

    def begin(self, *, anew: bool = False) -> None:
        """Begin on the feed that the desk has now; ``anew`` where it begins at another time than
        the one at which it stopped, which continues no price from before."""
        with self._store.guard:
            if anew:
                self._store.put(*map(_without_series, self._store.book.alerts))
            if self._deliveries.resume() or anew:
                self._store.save()
            self._store.publish()

    def look(self, _: Market) -> None:
        """Evaluate the alerts at the newest prices. For the engine, at every moment of the market,
        once what it does is committed."""
        self._engine_thread = threading.get_ident()
        self._evaluate()

    def show(self) -> None:
        """Evaluate them where another program has changed the account. For the engine."""
        with self._store.guard:
            self._store.retry()
        try:
            version = self._desk.version
        except StoreError:
            return  # Every tab says so.
        if version != self._version:
            self._version = version
            self._evaluate()

    def committed(self, _: Snapshot) -> None:
        """Evaluate them after a commit. For the desk."""
        # What the engine commits is at prices that are not shown yet: they follow with `look`.
        if threading.get_ident() != self._engine_thread:
            self._evaluate()

    def rest(self) -> None:
        """Post nothing more once what is under way has ended, as the server stops. For the
        engine."""
        self._deliveries.stop()

    def _evaluate(self) -> None:
        with self._store.guard:
            # Read only now: a thread that had to wait would see prices that others have passed.
            market = self._desk.market
            active = [each for each in self._store.book.alerts if each.sight.active]
            moment = moment_of(self._desk, market, {each.settings.what for each in active})
            readings: dict[tuple[What, str | None], Reading] = {}
            changed, fired = [], []
            for alert in active:
                settings = alert.settings
                figure = settings.what, settings.symbol
                # Each figure is read once, however many alerts watch it.
                reading = readings.get(figure) or read_figure(*figure, moment)
                readings[figure] = reading
                state, has_fired = evaluate(settings, alert.sight, reading)
                if has_fired and reading.value is not None:
                    message = firing_message(settings, reading.value, market)
                    firing = self._logged(alert, reading.value, message)
                    fired.append(firing)
                    count = alert.fired + 1
                    alert = replace(alert, fired_at=firing.time, fired=count, has_fired=True)
                if state != alert.sight:
                    changed.append(replace(alert, sight=state))
            if changed:
                self._store.put(*changed)
                # Saved before anyone hears of it, so that it does not fire again after a crash.
                self._store.save()
                self._store.publish()
                self._deliveries.post(*fired)

    def _changed(
        self, request: Sequence[Any], key: str | None, change: Callable[[], tuple[str, str]]
    ) -> Done:
        """Make ``change``, which returns the id of its alert and a message; saved and published.

        Raises:
            BalanceError: whatever ``change`` refuses, with nothing of it left.
        """
        file = self._store.file
        with self._store.guard:
            earlier = file.answer(key, request)
            if earlier is not None:
                members = self._members(earlier.members["alert"])
                return Done(earlier.message, members, replayed=True)

            def operation() -> tuple[str, str]:
                alert_id, message = change()
                file.remember(key, request, message, alert=alert_id)
                return alert_id, message

            alert_id, message = self._store.change(operation)
            self._store.publish()
            return Done(message, self._members(alert_id))

    def _members(self, alert_id: str) -> Mapping[str, Any]:
        """The row of the alert for an answer; of one that is gone there is none."""
        alert = self._store.book.find(alert_id)
        if alert is None:
            return {}
        moment = moment_of(self._desk, self._desk.market, {alert.settings.what})
        return {"alert": alert_row(alert, moment)}

    def _started(
        self, settings: AlertSettings, *, is_active: bool = True
    ) -> tuple[AlertState, str]:
        reading = self._reading(settings)
        state = replace(start_watching(settings, reading), active=is_active)
        message = start_message(settings, state, reading, self._desk.market)
        return state, message if is_active else "It is off."

    def _reading(self, settings: AlertSettings) -> Reading:
        moment = moment_of(self._desk, self._desk.market, {settings.what})
        return read_figure(settings.what, settings.symbol, moment)

    def _logged(
        self, alert: Alert, value: Decimal | None, message: str, *, is_test: bool = False
    ) -> Firing:
        settings = alert.settings
        return self._store.log(
            lambda number: Firing(
                id=number,
                alert=alert.id,
                time=datetime.now(UTC),
                value=value,
                words=message,
                is_test=is_test,
                **{name: getattr(settings, name) for name in _OF_A_FIRING},
                delivery=None if settings.url is None else Delivery(url=origin(settings.url)),
            )
        )


class FollowedAlerts:
    """Alerts that are evaluated elsewhere, read from their file without a lock: they can be seen,
    and not changed."""

    #: Whether they can be changed here.
    can_change: Final = False

    def __init__(self, desk: Desk, folder: Path, fault: str = "") -> None:
        """``fault`` says why nobody evaluates them; where that is empty, another server does."""
        self._message = fault or ELSEWHERE
        self._fault = fault
        # Pages may know the version of a server that was here before.
        self._started = time.time_ns() // 1_000_000
        self._desk = desk
        self._file = alert_file(folder)
        self._listeners = Listeners[Mapping[str, Any]]("alerts")
        self._published: AlertBook | None = None

    def listed(self, limit: int = 50) -> Row:
        """All alerts as they stand, and the newest ``limit`` (0 to 200) firings, newest first; the
        ``version`` is the time of their file, or of the start here, in milliseconds.

        Raises:
            InvalidRequest: the limit is out of range.
        """
        book = self._file.latest_known()
        lists = _lists(self._version, book, self._desk, limit)
        return {"can_change": False, "words": self._message, "fault": self._fault, **lists}

    def check(self) -> None:
        """Prove that the file can be read, where there is one.

        Raises:
            FileUnreadable: it is damaged.
        """
        self._file.latest()

    @property
    def last(self) -> int:
        """The id of the newest firing; 0: there was none."""
        return self._file.latest_known().fired

    def subscribe(self, listener: Listener) -> None:
        """Have ``listener`` called with the newest firings whenever something has changed."""
        self._listeners.add(listener)

    def show(self) -> None:
        """Publish what has changed, and at first how they stand."""
        book = self._file.latest_known()
        if book != self._published:
            self._published = book
            self._listeners.publish(news_row(book, self._version, self._fault))

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        """Refuse a change.

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(self._message)

    create = edit = delete = test = _refuse

    @property
    def _version(self) -> int:
        return max(self._started, self._file.changed)


def moment_of(desk: Desk, market: Market, watched: Set[What]) -> Moment:
    """The figures that are ``watched`` in ``market``: of the account only what one of them
    needs."""
    if not watched - {"price"}:
        return Moment(market=market)
    try:
        account_id, _ = desk.version
        account = desk.account().marked(market)
        snapshot = desk.snapshot() if "pnl_today" in watched else None
    except StoreError:
        return Moment(market=market)  # Every tab says so.
    today = None if snapshot is None else snapshot.pnl_today
    return Moment(
        market=market,
        account=account,
        account_id=account_id,
        pnl_today=today,
        # None where the P&L of the day is not known.
        pnl_before=None if snapshot is None or today is None else snapshot.current_pnl - today,
    )


def _lists(version: int, book: AlertBook, desk: Desk, limit: int) -> Row:
    check_limit(limit)
    moment = moment_of(desk, desk.market, {each.settings.what for each in book.alerts})
    rows = [alert_row(each, moment) for each in book.alerts]
    return {
        "version": version,
        "last": book.fired,
        "drawn": signature(version, rows),
        "alerts": rows,
        "firings": firing_rows(book.firings, limit),
        "figures": figure_rows(),
    }


def _active(request: Mapping[str, Any]) -> bool | None:
    return flag(request["active"], "active") if "active" in request else None


def _without_active(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in request.items() if name != "active"}


def _without_series(alert: Alert) -> Alert:
    if alert.settings.what != "price" or not alert.sight.active:
        return alert
    return replace(alert, sight=replace(alert.sight, series=""))
