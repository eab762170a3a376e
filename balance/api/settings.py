"""The settings over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, TypedDict

from balance.api.operations import Answer, get, put
from balance.api.requests import Body
from balance.core.settings import RULES, Rule, Settings, SettingsState, members, texts
from balance.core.shape import Doc, Texts, Whole, includes, text_names
from balance.desk.settings import SettingsFile

_NUMBERS: Final = ("percent", "money", "whole")


def _type(rule: Rule) -> Any:
    """The type of a setting in JSON."""
    if rule.kind == "switch":
        return Annotated[bool, Doc(rule.meaning)]
    if rule.kind == "word":
        return Annotated[str, Doc(rule.meaning, enum=list(rule.options))]
    kind = int if rule.kind == "whole" else Decimal
    return Annotated[kind, Doc(rule.meaning, minimum=int(rule.least), maximum=int(rule.most))]


_FIELDS: Final = {name: _type(rule) for name, rule in RULES.items()}
SettingsBody = Annotated[dict[str, Any], Body(_FIELDS, partial=True)]


class SettingLimits(TypedDict):
    """What a setting may be."""

    label: str
    kind: Literal["percent", "money", "whole", "word", "switch"]
    unit: str
    least: Decimal | None
    most: Decimal | None
    options: Annotated[list[str], Doc("Of a word; else empty.")]
    default: Annotated[Any, Doc(type=["number", "string", "boolean"])]
    default_words: str
    words: Annotated[str, Doc("What it may be, as a phrase.")]


@includes(_FIELDS)
class SettingsRow(TypedDict):
    """The settings, with what each may be."""

    version: Annotated[Whole, Doc("Grows with every change.")]
    words: Annotated[
        str,
        Doc(
            "Why what stands in the settings' file is not in force, or that it was edited; else "
            "empty."
        ),
    ]
    limits: Annotated[
        Mapping[str, SettingLimits], Doc("By the names of the settings.", names=RULES)
    ]
    display: Annotated[Texts, text_names(RULES)]


@includes(SettingsRow)
class SettingsChanged(TypedDict):
    """The settings after a change."""

    message: Annotated[str, Doc("What was changed.")]


class SettingsRoutes:
    """Settings: what a person has chosen for the account and its screen."""

    tag = "settings"

    def __init__(self, settings: SettingsFile) -> None:
        self._settings = settings

    @get("/settings")
    def read_settings(self) -> Answer[SettingsRow]:
        """The settings, with what each may be, as the stream tells them."""
        return Answer(settings_document(self._settings.state))

    @put("/settings")
    def change_settings(self, body: SettingsBody) -> Answer[SettingsChanged]:
        """Change the settings that the body names."""
        state, message = self._settings.change(body)
        return Answer({"message": message, **settings_document(state)})


def settings_document(state: SettingsState) -> dict[str, Any]:
    """``state`` as ``GET /settings`` and the stream answer it."""
    return {
        **members(state.settings),
        "version": state.version,
        "words": state.fault or state.note,
        "limits": {name: _limits(name, rule) for name, rule in RULES.items()},
        "display": texts(state.settings),
    }


def _limits(name: str, rule: Rule) -> SettingLimits:
    is_number = rule.kind in _NUMBERS
    return {
        "label": rule.label,
        "kind": rule.kind,
        "unit": rule.unit,
        "least": rule.least if is_number else None,
        "most": rule.most if is_number else None,
        "options": list(rule.options),
        "default": members(Settings())[name],
        "default_words": texts(Settings())[name],
        "words": rule.phrase,
    }
