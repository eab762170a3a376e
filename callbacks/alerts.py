"""The alerts behind the bell: their rows, what their buttons do, and the form of one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.exceptions import PreventUpdate

from balance.alerts.alerts import moment_of
from balance.alerts.readings import FIGURES, What, read_figure
from balance.alerts.rules import MEMBERS
from balance.api.services import Services
from balance.core.errors import BalanceError, InvalidAmount, InvalidRequest, UnknownAlert
from balance.desk.desk import Desk
from callbacks.amounts import read_amount
from callbacks.clicks import clicked
from callbacks.dialogs import request_key
from callbacks.focus import move_focus
from layouts.alerts import (
    EDITED,
    FIELDS,
    PRESSED,
    SAID,
    alert_rows,
    field_values,
    firing_rows,
    reading_hint,
)
from layouts.elements import CONTENT
from layouts.settings import NOTICES

#: How many firings the dialog lists.
FIRINGS: Final = 50
_ACTIVE: Final = {"arm": True, "off": False}


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let the bell open the dialog, and the dialog show and change the alerts of ``services``;
    ``desk`` has the figures that they watch."""
    app.clientside_callback(
        ClientsideFunction("desk", "showAlerts"),
        Output("alerts-dialog", "is_open"),
        Output("alerts-listed", "hidden"),
        Output("alerts-making", "hidden"),
        Output("alerts-error", "children"),
        Output("alerts-said", "children"),
        Input("alerts-btn", "n_clicks"),
        Input("alerts-cancel", "n_clicks"),
    )
    # What keeps a firing from being noticed only the browser knows.
    app.clientside_callback(
        ClientsideFunction("desk", "alertSilence"),
        Output("alerts-silence", "children"),
        Input("alerts-key", "data"),
        State(NOTICES, "data"),
    )
    _register_rows(app, services)
    _register_form(app, desk, services)
    _register_hint(app, desk)
    _register_save(app, desk, services)


def _register_rows(app: Dash, services: Services) -> None:
    @app.callback(
        Output("alerts-words", "children"),
        Output("alerts-new", "disabled"),
        Output("alerts-list", CONTENT),
        Output("alerts-list", "aria-busy"),
        Output("alerts-log", CONTENT),
        Output("alerts-list-key", "data"),
        Input("alerts-drawn", "data"),
    )
    def draw(_: object) -> tuple[Any, ...]:
        listed = services.alerts.listed(FIRINGS)
        rows, firings = alert_rows(listed), firing_rows(listed["firings"])
        return listed["words"], not listed["can_change"], rows, None, firings, uuid4().hex

    @app.callback(
        Output("alerts-said", "children", allow_duplicate=True),
        Output("alerts-said", "className"),
        Input(PRESSED, "data"),
        State("alerts-list-key", "data"),
    )
    def act(pressed: Mapping[str, str], list_key: str) -> tuple[str, str]:
        verb, alert = pressed["verb"], pressed["alert"]
        alerts, key = services.alerts, f"{list_key}-{verb}-{alert}"
        try:
            if verb in _ACTIVE:
                done = alerts.edit(alert, {"active": _ACTIVE[verb]}, key)
            elif verb == "test":
                done = alerts.test(alert, key)
            elif verb == "delete":
                done = alerts.delete(alert, key)
                move_focus("alerts-new")
            else:
                raise InvalidRequest(f"Nothing is called {verb!r:.40} that is done to an alert.")
        except BalanceError as fault:
            return str(fault), f"{SAID} dialog-error"
        return done.message, SAID


def _register_form(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("alerts-dialog", "is_open", allow_duplicate=True),
        Output("alerts-listed", "hidden", allow_duplicate=True),
        Output("alerts-making", "hidden", allow_duplicate=True),
        Output("alerts-heading", "children"),
        Output("alerts-save", "children"),
        Output("alerts-key", "data"),
        Output("alerts-edited", "data"),
        Output("alerts-watched", "data"),
        Output("alerts-suggested", "data"),
        Output("alerts-error", "children", allow_duplicate=True),
        *(Output(f"alerts-{name}", "value") for name in FIELDS),
        Input("alerts-new", "n_clicks"),
        Input("futures-alert", "n_clicks"),
        Input(EDITED, "data"),
        State("futures-symbol", "value"),
    )
    def open_form(*given: Any) -> tuple[Any, ...]:
        trigger, symbol = clicked(), given[-1]
        if trigger is None:
            raise PreventUpdate
        market = desk.market
        first, *_ = market.instruments
        edited, suggested, values = None, "above", field_values("price", first)
        if trigger == "futures-alert":
            quote = market.quotes.get(symbol)
            values = field_values("price", symbol, threshold=None if quote is None else quote.mark)
        elif trigger == EDITED:
            edited, suggested = given[2]["alert"], ""
            settings = _settings(services, edited)
            values = field_values(**{**settings, "symbol": settings["symbol"] or first})
        heading, button = ("New alert", "Create") if edited is None else ("Edit the alert", "Save")
        move_focus("alerts-threshold")
        head = (True, True, False, heading, button, uuid4().hex, edited)
        return (*head, list(values[:2]), suggested, "", *values)


def _settings(services: Services, alert_id: str) -> dict[str, Any]:
    """The settings of the alert with that id, by their names.

    Raises:
        UnknownAlert: there is none.
    """
    for row in services.alerts.listed(0)["alerts"]:
        if row["id"] == alert_id:
            return {name: row[name] for name in MEMBERS}
    raise UnknownAlert("This alert was deleted meanwhile.")


def _register_hint(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("alerts-threshold-hint", "children"),
        Output("alerts-unit", "children"),
        Output("alerts-symbol-field", "hidden"),
        Output("alerts-threshold", "value", allow_duplicate=True),
        Output("alerts-direction", "value", allow_duplicate=True),
        Output("alerts-watched", "data", allow_duplicate=True),
        Output("alerts-suggested", "data", allow_duplicate=True),
        Input("alerts-what", "value"),
        Input("alerts-symbol", "value"),
        Input("alerts-threshold", "value"),
        State("alerts-direction", "value"),
        State("alerts-watched", "data"),
        State("alerts-suggested", "data"),
    )
    def describe(
        what: str, symbol: str, typed: str, direction: str, watched: list[str], suggested: str
    ) -> tuple[Any, ...]:
        figure, value = FIGURES[what], _value(desk, what, symbol)
        text = "" if value is None else figure.unit.write(value, symbol, desk.market)
        head = (reading_hint(what, symbol, text), figure.unit.sign, not figure.has_symbol)
        if [what, symbol] != watched:
            # A threshold of one figure is none of another.
            return (*head, "", no_update, [what, symbol], no_update)
        chosen = _direction(direction, suggested, typed, value)
        if chosen == direction:
            return (*head, *(no_update,) * 4)
        return (*head, no_update, chosen, no_update, chosen)


def _value(desk: Desk, what: What, symbol: str) -> Decimal | None:
    return read_figure(what, symbol, moment_of(desk, desk.market, {what})).value


def _direction(direction: str, suggested: str, typed: str, value: Decimal | None) -> str:
    """Where the threshold that was ``typed`` lies, seen from the ``value`` of its figure; the
    ``direction`` itself where the person has chosen another than was ``suggested``."""
    if direction != suggested or value is None:
        return direction
    try:
        return "below" if read_amount(typed) < value else "above"
    except InvalidAmount:
        return direction


def _register_save(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("alerts-listed", "hidden", allow_duplicate=True),
        Output("alerts-making", "hidden", allow_duplicate=True),
        Output("alerts-error", "children", allow_duplicate=True),
        Output("alerts-said", "children", allow_duplicate=True),
        Output("alerts-said", "className", allow_duplicate=True),
        Input("alerts-form", "n_submit"),
        State("alerts-key", "data"),
        State("alerts-edited", "data"),
        State("alerts-suggested", "data"),
        *(State(f"alerts-{name}", "value") for name in FIELDS),
    )
    def save(_: int, key: str, edited: str | None, suggested: str, *values: Any) -> tuple[Any, ...]:
        fields = dict(zip(FIELDS, values, strict=True))
        alerts = services.alerts
        try:
            request = _request(desk, suggested, fields)
            # What is sent again, and was changed meanwhile, is another request.
            key = request_key(key, request)
            done = (
                alerts.create(request, key) if edited is None else alerts.edit(edited, request, key)
            )
        except InvalidAmount as fault:
            move_focus("alerts-threshold")
            return (*(no_update,) * 2, str(fault), *(no_update,) * 2)
        except BalanceError as fault:
            return (*(no_update,) * 2, str(fault), *(no_update,) * 2)
        move_focus("alerts-new")
        return False, True, "", done.message, SAID


def _request(desk: Desk, suggested: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the form sends.

    Raises:
        InvalidAmount: the threshold is no number.
    """
    what, symbol, typed = fields["what"], fields["symbol"], fields["threshold"]
    # Who presses Enter at once has not waited for the suggestion.
    direction = _direction(fields["direction"], suggested, typed, _value(desk, what, symbol))
    return {
        "what": what,
        "symbol": symbol if FIGURES[what].has_symbol else None,
        "direction": direction,
        "threshold": read_amount(typed),
        "once": not fields["every"],
        "toast": bool(fields["toast"]),
        "notify": bool(fields["notify"]),
        "note": fields["comment"] or "",
        "url": (fields["url"] or "").strip() or None,
    }
