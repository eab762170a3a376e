"""The routes of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from flask import Blueprint, Request, Response, request

from balance.api.answers import json_answer
from balance.api.encoding import success
from balance.api.requests import body_of
from balance.core.errors import InvalidRequest
from balance.core.settings import RULES, Kept, Rule, Settings, members, texts

_NUMBERS = ("percent", "money", "whole")


class KeptSettings(Protocol):
    """The settings of the account's folder, as the routes use them. What is refused raises an error
    of ``balance.core.errors``."""

    @property
    def kept(self) -> Kept:
        """What is in force."""

    def change(self, asked: Mapping[str, Any]) -> tuple[Kept, str]:
        """Choose what ``asked`` names: what is in force then, and a sentence that tells it."""

    def look(self) -> None:
        """Notice what other programs have changed, and tell it on."""


def add_settings_routes(api: Blueprint, settings: KeptSettings) -> None:
    """Let ``api`` serve ``settings``."""

    @api.get("/settings")
    def read_settings() -> Response:
        return json_answer(success(settings_document(settings.kept)))

    @api.put("/settings")
    def change_settings() -> Response:
        kept, message = settings.change(settings_asked(request))
        return json_answer(success({"message": message, **settings_document(kept)}))


def settings_document(kept: Kept) -> dict[str, Any]:
    """``kept`` as ``GET /settings`` and the stream tell it."""
    return {
        **members(kept.settings),
        "version": kept.version,
        "words": kept.words,
        "limits": {name: _limits(name, rule) for name, rule in RULES.items()},
        "display": texts(kept.settings),
    }


def settings_asked(request: Request) -> dict[str, Any]:
    """The settings that the body of ``PUT /settings`` asks for.

    Raises:
        Problem: not JSON, or too large.
        InvalidRequest: JSON that asks for something else.
    """
    body = body_of(request, tuple(RULES))
    for name, value in body.items():
        if RULES[name].kind in _NUMBERS and isinstance(value, str):
            raise InvalidRequest(f"{name} must be a number, not a text.")
    return body


def _limits(name: str, rule: Rule) -> dict[str, Any]:
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
        "words": rule.words,
    }
