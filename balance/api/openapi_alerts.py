"""The part of the description that tells of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from balance.alerts.alert import MOST_FIRINGS, DeliveryState
from balance.alerts.rules import Direction, Status, What
from balance.alerts.settings import LONGEST_NOTE, LONGEST_URL
from balance.api.alert_routes import USUAL_LIMIT
from balance.api.description import CONDITIONS, READING, body, in_path, query, responses
from balance.api.schemas import (
    OK,
    TEXT,
    TIME,
    Schema,
    list_of,
    money_or_null,
    object_of,
    or_null,
    reference,
    texts,
)

# of the account these are no changes, so no revision is asked for
_KEY: Final = next(each for each in CONDITIONS if each["name"] == "Idempotency-Key")
_ALERT_ID: Final = in_path("alert_id", "The id that its making was answered with.")
_CHANGING: Final = (400, 401, 403, 413, 415, 422, 503)
_BOOL: Final = {"type": "boolean"}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_WHAT: Final = {
    "enum": list(get_args(What)),
    "description": "The mark price of a symbol; P&L of the epoch or of the day, or the equity; or "
    "what is open of a symbol.",
}
_THRESHOLD: Final = {
    "type": "number",
    "description": "It fires when the figure comes to it; in the quote currency.",
}
_SYMBOL: Final = {
    "type": ["string", "null"],
    "description": "Such as BTC/USDT, of price and unrealized_pnl; of the others there is none.",
}
_SETTINGS: Final[Schema] = {
    "what": _WHAT,
    "symbol": _SYMBOL,
    "direction": {"enum": list(get_args(Direction))},
    "threshold": _THRESHOLD,
    "once": {**_BOOL, "default": True, "description": "Whether it is off once it has fired."},
    "note": {"type": "string", "maxLength": LONGEST_NOTE, "default": ""},
    "url": {
        "type": ["string", "null"],
        "maxLength": LONGEST_URL,
        "description": "Where its firings are posted to, http or https; null: nowhere.",
    },
    "toast": {**_BOOL, "default": True, "description": "Whether pages show a toast."},
    "notify": {**_BOOL, "default": True, "description": "Whether browsers notify and sound."},
}
_ACTIVE: Final = {**_BOOL, "description": "false: it is off; true: it looks, from now on."}
_DISPLAYED: Final = ("condition", "threshold", "value", "distance", "status")

_ALERT: Final[Schema] = {
    "id": TEXT,
    **_SETTINGS,
    "active": _ACTIVE,
    "status": {
        "enum": list(get_args(Status)),
        "description": "waiting for the threshold; beyond it already, so that it has to be back "
        "first; unknown, as no figure was seen yet; fired, and off by that; off.",
    },
    "value": money_or_null("The figure now"),
    "is_live": {**_BOOL, "description": "Whether the figure comes from live prices."},
    "distance": money_or_null("Threshold - value"),
    "distance_percent": {
        "type": ["number", "null"],
        "description": "In percent of the price or, of money, of the equity.",
    },
    "created_at": TIME,
    "fired_at": or_null(TIME),
    "fired": {**_WHOLE, "description": "How often."},
    "display": texts(_DISPLAYED),
}
_DELIVERY: Final = object_of(
    {
        "url": {
            "type": "string",
            "description": "Which server it is posted to, such as http://127.0.0.1:9000; the rest "
            "of the address may be a secret, and stays with its alert.",
        },
        "state": {"enum": list(get_args(DeliveryState))},
        "words": {"type": "string", "description": "How it went, such as Answered 200."},
        "tries": _WHOLE,
    }
)
_FIRING: Final[Schema] = {
    "id": {**_WHOLE, "description": "Counts all firings that there ever were."},
    "alert": {"type": "string", "description": "The id of its alert, which may be gone."},
    "time": TIME,
    "what": _WHAT,
    "symbol": _SYMBOL,
    "direction": {"enum": list(get_args(Direction))},
    "threshold": _THRESHOLD,
    "value": money_or_null("The figure that it fired on"),
    "words": TEXT,
    "test": {**_BOOL, "description": "Whether somebody only tried it."},
    "toast": _BOOL,
    "notify": _BOOL,
    "delivery": {
        "anyOf": [_DELIVERY, {"type": "null"}],
        "description": "What came of posting it; null: it is posted nowhere.",
    },
}

#: The shapes of alerts, by name.
ALERT_SCHEMAS: Final[Schema] = {"Alert": object_of(_ALERT), "Firing": object_of(_FIRING)}

_LISTED: Final[Schema] = {
    "status": OK,
    "version": {**_WHOLE, "description": "Grows with everything that changes."},
    "last": {**_WHOLE, "description": "The id of the newest firing; 0: there was none."},
    "can_change": {**_BOOL, "description": "Whether this server looks after them."},
    "words": {"type": "string", "description": "What there is to say of all of them."},
    "fault": {
        "type": "string",
        "description": "Why no alert can be relied on, which every page says; empty: all is well.",
    },
    "alerts": list_of(reference("Alert")),
    "firings": {**list_of(reference("Firing")), "description": "Newest first."},
}


def _body(*required: str) -> dict[str, Any]:
    members = object_of({**_SETTINGS, "active": _ACTIVE}, required)
    return body({**members, "additionalProperties": False}, required=True)


def _done(summary: str, *problems: int, of_one: bool = True, **more: Any) -> dict[str, Any]:
    members = {"status": OK, "message": {"type": "string", "description": "What was done."}}
    if of_one:
        members["alert"] = reference("Alert")
    return {"summary": summary, **more, "responses": responses(object_of(members), *problems)}


_OF_ONE: Final = [_ALERT_ID, _KEY]

#: What is possible at which path.
ALERT_PATHS: Final[Mapping[str, Any]] = {
    "/alerts": {
        "get": {
            "summary": "All alerts as they stand, and the newest firings",
            "parameters": [
                query(
                    "limit",
                    "How many firings.",
                    {**_WHOLE, "maximum": MOST_FIRINGS, "default": USUAL_LIMIT},
                )
            ],
            "responses": responses(object_of(_LISTED), *READING, 422),
        },
        "post": _done(
            "Make an alert; it fires when its figure comes to the threshold from the other side",
            *_CHANGING,
            parameters=[_KEY],
            requestBody=_body("what", "direction", "threshold"),
        ),
    },
    "/alerts/{alert_id}": {
        "put": _done(
            "Change the settings of an alert that the body names, or switch it off or on",
            *_CHANGING,
            404,
            parameters=_OF_ONE,
            requestBody=_body(),
        ),
        "delete": _done(
            "Delete an alert; its firings stay",
            *(400, 401, 403, 404, 422, 503),
            of_one=False,
            parameters=_OF_ONE,
        ),
    },
    "/alerts/{alert_id}/test": {
        "post": _done(
            "Tell and post what an alert would",
            *_CHANGING,
            404,
            parameters=_OF_ONE,
        )
    },
}
