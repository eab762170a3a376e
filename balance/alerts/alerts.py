"""The use cases of alerts: made, changed and tried by whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from balance.alerts.alert import Alert, Firing
from balance.alerts.changing import Changing, Done
from balance.alerts.messages import begun_words, condition, figure
from balance.alerts.readings import reading
from balance.alerts.rows import MOST_ALERTS
from balance.alerts.rules import AlertSettings, Sight, begun
from balance.alerts.settings import settings_of
from balance.alerts.web_address import origin
from balance.core.errors import InvalidRequest

# what makes of an alert one that waits for something else
_CONDITION: Final = ("what", "symbol", "direction", "threshold")


class Alerts(Changing):
    """All alerts of an account. Safe to use from many threads; every change takes a ``key``: a
    repeated one gets the first answer and changes nothing."""

    def create(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Make an alert with the settings that ``members`` tell; it looks from now on.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense, or there are too many.
        """

        def make() -> tuple[str, str]:
            market = self._desk.market
            wanted = {name: value for name, value in members.items() if name != "active"}
            settings = settings_of(wanted, market)
            if len(self._keeper.kept.alerts) >= MOST_ALERTS:
                raise InvalidRequest(f"There are {MOST_ALERTS} alerts; delete one first.")
            sight, words = self._begun(settings, is_active=_active(members) is not False)
            alert = Alert(
                id=self._keeper.new_id(),
                settings=settings,
                sight=sight,
                created_at=datetime.now(UTC),
            )
            self._keeper.put(alert)
            return alert.id, f"Made the alert: {condition(settings, market)}. {words}"

        return self._changed(["create", members], key, make)

    def edit(self, alert_id: str, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Change the settings of an alert that ``members`` name, or switch it off and on again with
        ``active``. One that is given another threshold looks anew, as one that is switched on does.

        Raises:
            UnknownAlert: there is none with that id.
            InvalidRequest, InvalidAmount: they make no sense.
        """

        def change() -> tuple[str, str]:
            alert, market = self._keeper.alert(alert_id), self._desk.market
            wanted = {name: value for name, value in members.items() if name != "active"}
            settings, active = settings_of(wanted, market, alert.settings), _active(members)
            is_other = any(
                getattr(settings, name) != getattr(alert.settings, name) for name in _CONDITION
            )
            words = ""
            if active is False:
                alert = replace(alert, sight=replace(alert.sight, active=False), has_fired=False)
                words = "It is off."
            elif is_other or (active and not alert.sight.active):
                sight, words = self._begun(settings)
                alert = replace(alert, sight=sight, has_fired=False)
            self._keeper.put(replace(alert, settings=settings))
            return alert_id, f"Changed the alert: {condition(settings, market)}. {words}".strip()

        return self._changed(["edit", alert_id, members], key, change)

    def delete(self, alert_id: str, key: str | None = None) -> Done:
        """Delete an alert; its firings stay in the log.

        Raises:
            UnknownAlert: there is none with that id.
        """

        def drop() -> tuple[str, str]:
            alert = self._keeper.alert(alert_id)
            self._keeper.drop(alert)
            return alert_id, f"Deleted the alert: {condition(alert.settings, self._desk.market)}."

        return self._changed(["delete", alert_id], key, drop)

    def test(self, alert_id: str, key: str | None = None) -> Done:
        """Tell and post what an alert would, without its having fired.

        Raises:
            UnknownAlert: there is none with that id.
        """
        tried: list[Firing] = []

        def fire() -> tuple[str, str]:
            alert, market = self._keeper.alert(alert_id), self._desk.market
            settings = alert.settings
            value = reading(settings, self._moment(alert)).value
            words = f"A test: {condition(settings, market)}."
            if value is not None:
                words += f" Now it is at {figure(settings, value, market)}."
            tried.append(self._logged(alert, value, words, is_test=True))
            sent = f" It is posted to {origin(settings.url)}." if settings.url else ""
            return alert_id, f"Tried the alert: {condition(settings, market)}.{sent}"

        done = self._changed(["test", alert_id], key, fire)
        self._sending.post(*tried)
        return done

    def _begun(self, settings: AlertSettings, *, is_active: bool = True) -> tuple[Sight, str]:
        probe = Alert(id="", settings=settings, sight=Sight(), created_at=datetime.now(UTC))
        seen = reading(settings, self._moment(probe))
        sight = replace(begun(settings, seen), active=is_active)
        words = begun_words(settings, sight, seen, self._desk.market)
        return sight, words if is_active else "It is off."


def _active(members: Mapping[str, Any]) -> bool | None:
    active = members.get("active")
    if "active" in members and not isinstance(active, bool):
        raise InvalidRequest(f"active must be true or false, not {active!r:.40}.")
    return active
