"""The routes of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from flask import Blueprint, Request, Response, request

from balance.alerts.rules import MEMBERS
from balance.api.answers import json_answer
from balance.api.bot_requests import nothing_wanted
from balance.api.bot_routes import Done
from balance.api.encoding import success
from balance.api.requests import body_of, key_of, whole_number
from balance.core.errors import InvalidRequest

#: What the body of a new or changed alert may have.
ALERT_MEMBERS: Final = (*MEMBERS, "active")
#: How many firings are told unless asked otherwise.
USUAL_LIMIT: Final = 50


class Alerts(Protocol):
    """The alerts, as the routes use them. What is refused raises an error of
    ``balance.core.errors``; a repeated ``key`` gets the first answer and changes nothing."""

    @property
    def last(self) -> int:
        """The id of the newest firing; 0: there was none."""

    def listed(self, limit: int) -> Mapping[str, Any]:
        """All alerts, and the newest ``limit`` firings, newest first."""

    def create(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Make an alert with the settings ``members``."""

    def edit(self, alert_id: str, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Change an alert, or switch it off or on again."""

    def delete(self, alert_id: str, key: str | None = None) -> Done:
        """Delete an alert."""

    def test(self, alert_id: str, key: str | None = None) -> Done:
        """Tell and post what an alert would."""


def add_alert_routes(api: Blueprint, alerts: Alerts) -> None:
    """Let ``api`` serve ``alerts``."""

    @api.get("/alerts")
    def alerts_listed() -> Response:
        limit = whole_number(request, "limit")
        return json_answer(success(alerts.listed(USUAL_LIMIT if limit is None else limit)))

    @api.post("/alerts")
    def create_alert() -> Response:
        return _done(alerts.create(_wanted(request), key=key_of(request)))

    @api.put("/alerts/<alert_id>")
    def edit_alert(alert_id: str) -> Response:
        return _done(alerts.edit(alert_id, _wanted(request), key=key_of(request)))

    @api.delete("/alerts/<alert_id>")
    def delete_alert(alert_id: str) -> Response:
        return _done(alerts.delete(alert_id, key=key_of(request)))

    @api.post("/alerts/<alert_id>/test")
    def test_alert(alert_id: str) -> Response:
        nothing_wanted(request)
        return _done(alerts.test(alert_id, key=key_of(request)))


def _wanted(request: Request) -> dict[str, Any]:
    body = body_of(request, ALERT_MEMBERS)
    if isinstance(body.get("threshold"), str):
        # in JSON a number is one, and no text, as a shell may have it
        raise InvalidRequest("threshold must be a number such as 250 or 12.30, without quotes.")
    return body


def _done(done: Done) -> Response:
    response = json_answer({"status": "success", "message": done.message, **done.members})
    if done.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response
