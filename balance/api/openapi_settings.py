"""The part of the description that tells of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from balance.api.description import body, responses
from balance.api.schemas import (
    OK,
    TEXT,
    Schema,
    list_of,
    object_of,
    or_null,
    reference,
    texts,
)
from balance.core.settings import RULES, Rule

_MEANT: Final = {
    "maker_fee_percent": "Of the notional, of a limit order that rested, in percent.",
    "taker_fee_percent": "Of the notional, of every other fill, in percent.",
    "slippage_percent": "How much worse than bid or ask an order at market fills, in percent.",
    "default_leverage": "Of an order that names none; less where its symbol allows no more.",
    "starting_balance": "What a reset begins with that names nothing else, in the quote currency.",
    "theme": "Of the dashboard; system: as the browser's machine has it.",
    "decimals": "How many of them money is shown with; amounts are exact, whatever is shown.",
    "sound": "Whether the dashboard makes sounds.",
    "notifications": "Whether the dashboard shows notifications of the browser.",
    "shortcuts": "Whether the dashboard obeys keyboard shortcuts.",
}


def _schema(name: str, rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "boolean"}
    if rule.kind == "word":
        told = {"enum": list(rule.options)}
    elif rule.kind != "switch":
        kind = "integer" if rule.kind == "whole" else "number"
        told = {"type": kind, "minimum": int(rule.least), "maximum": int(rule.most)}
    return {**told, "description": _MEANT[name]}


_MEMBERS: Final = {name: _schema(name, rule) for name, rule in RULES.items()}
_NUMBER_OR_NULL: Final = or_null({"type": "number"})
_LIMITS: Final[Schema] = {
    "label": TEXT,
    "kind": {"enum": ["percent", "money", "whole", "word", "switch"]},
    "unit": TEXT,
    "least": _NUMBER_OR_NULL,
    "most": _NUMBER_OR_NULL,
    "options": {**list_of(TEXT), "description": "Of a word; else empty."},
    "default": {"type": ["number", "string", "boolean"]},
    "default_words": TEXT,
    "words": {**TEXT, "description": "What it may be, as a phrase."},
}
_SETTINGS: Final[Schema] = {
    "status": OK,
    **_MEMBERS,
    "version": {"type": "integer", "minimum": 0, "description": "Grows with every change."},
    "words": {
        **TEXT,
        "description": "Why what stands in the settings' file is not in force; else empty.",
    },
    "limits": object_of(dict.fromkeys(RULES, reference("SettingLimits"))),
    "display": texts(RULES),
}

#: The shapes of settings, by name.
SETTINGS_SCHEMAS: Final[Schema] = {
    "Settings": object_of(_SETTINGS),
    "SettingLimits": object_of(_LIMITS),
    "ChangedSettings": {
        "allOf": [
            reference("Settings"),
            object_of({"message": {**TEXT, "description": "What was changed."}}),
        ]
    },
}

#: What is possible at which path.
SETTINGS_PATHS: Final[Mapping[str, Any]] = {
    "/settings": {
        "get": {
            "summary": "The settings, with what each may be, as the stream tells them",
            "responses": responses(reference("Settings"), 400, 401),
        },
        "put": {
            "summary": "Change the settings that the body names",
            "requestBody": body(
                {**object_of(_MEMBERS, []), "additionalProperties": False}, required=True
            ),
            "responses": responses(reference("ChangedSettings"), 400, 401, 403, 413, 415, 422, 503),
        },
    }
}
