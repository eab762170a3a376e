"""Alerts over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired, TypedDict

from balance.alerts.rows import Activity, AlertList, AlertRow
from balance.alerts.rules import AlertSettings
from balance.alerts.state import MOST_FIRINGS
from balance.api.operations import Answer, delete, done, get, post, put
from balance.api.requests import Body, Key
from balance.api.services import Services
from balance.core.shape import Doc

#: How many firings are listed unless the request names a limit.
USUAL_LIMIT: Final = 50

AlertId = Annotated[str, Doc("The id that creating it was answered with.")]
Limit = Annotated[int, Doc("How many firings.", minimum=0, maximum=MOST_FIRINGS)]
NewAlert = Annotated[dict[str, Any], Body(AlertSettings, Activity)]
ChangedAlert = Annotated[dict[str, Any], Body(AlertSettings, Activity, partial=True)]


class AlertDeleted(TypedDict):
    """What was deleted."""

    message: Annotated[str, Doc("What was done.")]


class AlertChanged(AlertDeleted):
    """What was done, and the alert after it."""

    alert: NotRequired[
        Annotated[AlertRow, Doc("Missing where a key is repeated whose alert is gone.")]
    ]


class AlertRoutes:
    """Alerts: what is watched, and what has fired."""

    tag = "alerts"

    def __init__(self, services: Services) -> None:
        self._services = services

    @get("/alerts", 422)
    def list_alerts(self, limit: Limit = USUAL_LIMIT) -> Answer[AlertList]:
        """All alerts as they stand, and the newest firings."""
        return Answer(self._services.alerts.listed(limit))

    @post("/alerts")
    def create_alert(self, body: NewAlert, key: Key) -> Answer[AlertChanged]:
        """Make an alert; it fires when its figure comes to the threshold from the other side."""
        return done(self._services.alerts.create(body, key=key))

    @put("/alerts/<alert_id>")
    def change_alert(self, alert_id: AlertId, body: ChangedAlert, key: Key) -> Answer[AlertChanged]:
        """Change the settings of an alert that the body names, or switch it off or on."""
        return done(self._services.alerts.edit(alert_id, body, key=key))

    @delete("/alerts/<alert_id>")
    def delete_alert(self, alert_id: AlertId, key: Key) -> Answer[AlertDeleted]:
        """Delete an alert; its firings stay."""
        return done(self._services.alerts.delete(alert_id, key=key))

    @post("/alerts/<alert_id>/test")
    def test_alert(self, alert_id: AlertId, key: Key) -> Answer[AlertChanged]:
        """Show and post what an alert would when it fires."""
        return done(self._services.alerts.test(alert_id, key=key))
