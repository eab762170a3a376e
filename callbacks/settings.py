"""The settings' dialog: filled when it is opened, and what was changed in it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from balance.api.services import Services
from balance.core.errors import BalanceError, InvalidAmount
from balance.core.settings import RULES, UNCHANGED, Rule, Settings
from balance.desk.settings import SettingsFile
from callbacks.amounts import read_amount
from callbacks.clicks import clicked
from callbacks.focus import move_focus
from callbacks.toasts import show_toast
from layouts.settings import NOTICES, NUMBERS, TYPED, field_values, id_of

_IDS: Final = tuple(map(id_of, RULES))


def register(app: Dash, services: Services) -> None:
    """Let the dialog change the settings of ``services``."""
    app.clientside_callback(
        ClientsideFunction("desk", "changeTheme"), Input("theme-btn", "n_clicks")
    )
    # A file can be large, and proving it takes a minute: the page does both.
    for button, action in (("backup", "downloadBackup"), ("restore", "restoreBackup")):
        app.clientside_callback(
            ClientsideFunction("desk", action), Input(f"settings-{button}", "n_clicks")
        )
    # A browser asks its person, and only when they have just done something.
    app.clientside_callback(
        ClientsideFunction("desk", "allowNotifications"),
        Output("settings-notifications-error", "children"),
        Output("settings-notifications", "value", allow_duplicate=True),
        Input("settings-key", "data"),
        Input("settings-notifications", "value"),
        State(NOTICES, "data"),
    )

    @app.callback(
        output={
            "is_open": Output("settings-dialog", "is_open"),
            "key": Output("settings-key", "data"),
            "fields": Output("settings-fields", "data"),
            "error": Output("settings-error", "children"),
            "errors": [Output(f"{id_of(name)}-error", "children") for name in NUMBERS],
            "values": [Output(each, "value") for each in _IDS],
        },
        inputs={
            "_": [
                Input("settings-btn", "n_clicks"),
                Input("settings-defaults", "n_clicks"),
                Input("settings-save", "n_clicks"),
                *(Input(id_of(name), "n_submit") for name in TYPED),
            ]
        },
        state={
            "fields": State("settings-fields", "data"),
            "values": [State(each, "value") for each in _IDS],
        },
    )
    def change(_: object, fields: Mapping[str, Any], values: list[Any]) -> dict[str, Any]:
        match clicked():
            case None:
                raise PreventUpdate
            case "settings-btn":
                move_focus(_IDS[0])
                return _filled(services.settings.settings)
            case "settings-defaults":
                # They are only put into the fields.
                return {**_filled(Settings()), "key": no_update, "fields": no_update}
        given = dict(zip(RULES, values, strict=True))
        changed = {each: given[each] for each in RULES if given[each] != fields[id_of(each)]}
        return _saved(services.settings, changed)


def _filled(settings: Settings) -> dict[str, Any]:
    """The dialog opened, with ``settings`` in its fields."""
    fields = field_values(settings)
    return {
        "is_open": True,
        "key": uuid4().hex,
        "fields": fields,
        "error": "",
        "errors": [""] * len(NUMBERS),
        "values": list(fields.values()),
    }


def _saved(settings: SettingsFile, changed: Mapping[str, Any]) -> dict[str, Any]:
    """The dialog after the fields that were ``changed`` are saved, or what is wrong with them."""
    changes: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in changed.items():
        try:
            changes[name] = _read(RULES[name], value)
        except InvalidAmount as fault:
            wrong[name] = str(fault)
    error = ""
    if wrong:
        move_focus(id_of(next(iter(wrong))))
    # What was edited in the file is confirmed.
    elif changes or settings.state.fault or settings.state.note:
        try:
            _, message = settings.change(changes)
        except BalanceError as fault:
            error = str(fault)
        else:
            # What is sent twice has nothing left to change.
            if message != UNCHANGED:
                show_toast(message)
    return {
        "is_open": bool(wrong or error),
        "key": no_update,
        "fields": no_update,
        "error": error,
        "errors": [wrong.get(name, "") for name in NUMBERS],
        "values": [no_update] * len(_IDS),
    }


def _read(rule: Rule, value: Any) -> Any:
    """The ``value`` of a field, for a change.

    Raises:
        InvalidAmount: it is no number, or beyond its limits.
    """
    if rule.kind in ("word", "switch"):
        return value
    must = f"{rule.label} must be {rule.phrase}."
    try:
        number = read_amount(value, "money" if rule.kind == "money" else "plain")
    except InvalidAmount as fault:
        raise InvalidAmount(f"{must} {fault}") from fault
    try:
        rule.read(number)
    except BalanceError as fault:
        raise InvalidAmount(must) from fault
    return number
