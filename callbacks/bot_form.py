"""The dialog that makes a bot or edits one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from balance.api.services import Services
from balance.core.errors import BalanceError, InvalidAmount
from balance.desk.desk import Desk
from callbacks.amounts import AmountKind, is_empty, read_amount
from callbacks.bots import as_texts, bot_row
from callbacks.clicks import clicked
from callbacks.dialogs import request_key
from callbacks.focus import move_focus
from callbacks.toasts import show_toast
from layouts.bot_form import (
    LIMITS,
    NUMBERS,
    TEXTS,
    USUAL,
    field_id,
    is_needed,
    param_id,
    proposed_name,
    shown,
    strategy_fields,
    strategy_options,
    strategy_words,
)
from layouts.bots import EDITED
from layouts.parts import element_id

#: What is an amount of money; a stake may be a percentage.
_MONEY: Final = ("max_daily_loss", "max_drawdown")
_Row = Mapping[str, Any]
_NAMES: Final = (*TEXTS, *(each.name for each in NUMBERS))


class _WrongField(BalanceError):
    """What is wrong in a field of the form, and the id of the field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Have the dialog on ``app`` opened, filled by what ``desk`` and ``services`` have, and sent to
    the bots."""
    _register_opening(app, services)
    _register_descriptions(app, desk, services)
    _register_saving(app, services)


def _register_opening(app: Dash, services: Services) -> None:
    @app.callback(
        Output("bot-dialog", "is_open"),
        Output("bot-key", "data"),
        Output("bot-edited", "data"),
        Output("bot-title", "children"),
        Output("bot-error", "children"),
        Output("bot-save", "children"),
        Output("bot-save", "className"),
        Output("bot-start", "hidden"),
        Output("bot-limits", "open"),
        Output(field_id("strategy"), "options"),
        Output("bot-proposed", "data"),
        *(Output(field_id(name), "value") for name in _NAMES),
        Input("auto-new-bot", "n_clicks"),
        Input(EDITED, "data"),
        State(field_id("symbol"), "options"),
    )
    def open_form(
        _clicks: int, edited: Mapping[str, str], symbols: Sequence[Mapping[str, str]]
    ) -> tuple[Any, ...]:
        bot_id = edited["bot"] if clicked() == EDITED else ""
        strategies = services.bots.strategies()
        if bot_id:
            settings = bot_row(services, bot_id)["settings"]
            title, save, how = f"Edit {settings['name']}", "Save", "primary"
        else:
            usable = (each["id"] for each in strategies if each["error"] is None)
            symbol = next((each["value"] for each in symbols), "")
            strategy = next(usable, "")
            name = _proposed(services, strategy, symbol)
            settings = {**USUAL, "name": name, "strategy": strategy, "symbol": symbol}
            title, save, how = "New bot", "Create", "outline-secondary"
        move_focus(field_id("name"))
        # limits that are set are seen
        is_limited = any(settings[each.name] not in (None, 0) for each in LIMITS)
        return (
            *(True, uuid4().hex, bot_id, title, "", save, f"btn btn-sm btn-{how}", bool(bot_id)),
            *(is_limited, strategy_options(strategies), "" if bot_id else settings["name"]),
            *(shown(settings[name]) for name in _NAMES),
        )


def _register_descriptions(app: Dash, desk: Desk, services: Services) -> None:
    strategy, symbol, name = (field_id(each) for each in ("strategy", "symbol", "name"))

    @app.callback(
        Output("bot-strategy-words", "children"),
        Output("bot-params", "children"),
        Output("bot-symbol-words", "children"),
        Output("bot-leverage-hint", "children"),
        Output(name, "value", allow_duplicate=True),
        Output("bot-proposed", "data", allow_duplicate=True),
        Input(strategy, "value"),
        Input(symbol, "value"),
        Input("bot-key", "data"),
        # others may begin to trade the symbol
        Input("bots-drawn", "data"),
        State(name, "value"),
        State("bot-proposed", "data"),
        State("bot-edited", "data"),
        State("bot-dialog", "is_open"),
    )
    def describe(*given: Any) -> tuple[Any, ...]:
        strategy_id, symbol_name, _key, _drawn, typed, proposed, edited, is_open = given
        if not is_open or not symbol_name:
            raise PreventUpdate
        about_strategy: tuple[Any, ...] = (no_update, no_update)
        if {f"{strategy}.value", "bot-key.data"} & ctx.triggered_prop_ids.keys():
            about_strategy = _about_strategy(services, strategy_id, edited)
        names: tuple[Any, ...] = (no_update, no_update)
        # one that the person has typed stays
        if not edited and typed in ("", proposed):
            fresh = _proposed(services, strategy_id, symbol_name)
            names = names if fresh == typed else (fresh, fresh)
        most = desk.market.instrument(symbol_name).brackets[0].max_leverage
        rivals = _rivals(desk, services, symbol_name, edited)
        return *about_strategy, rivals, f"1 to {most:f}", *names


def _about_strategy(services: Services, chosen: str, edited: str) -> tuple[Any, ...]:
    """What the ``chosen`` strategy does, and its fields, as the bot that is ``edited`` has them."""
    strategies = services.bots.strategies()
    settings = bot_row(services, edited)["settings"] if edited else {}
    params = settings["params"] if settings.get("strategy") == chosen else {}
    return strategy_words(strategies, chosen), strategy_fields(strategies, chosen, params)


def _rivals(desk: Desk, services: Services, symbol: str, edited: str) -> str:
    """Who else trades the ``symbol`` than the bot that is ``edited``; empty where nobody does."""
    bots = services.bots.listed()["bots"]
    # an owner that is no bot is a key; none is called -
    owner = desk.account().other_owner(symbol, edited or "-")
    if owner is not None:
        names = {"": "you", **{each["id"]: each["name"] for each in bots}}
        return (
            f"{symbol} is traded by {names.get(owner, owner)} now: the bot opens nothing until "
            "that is closed."
        )
    rivals = (
        each["name"]
        for each in bots
        if each["id"] != edited and each["symbol"] == symbol and each["status"] != "stopped"
    )
    rival = next(rivals, None)
    if rival is None:
        return ""
    return (
        f"{rival} trades {symbol}, too: while one of them has a position, the other opens nothing."
    )


def _register_saving(app: Dash, services: Services) -> None:
    @app.callback(
        Output("bot-dialog", "is_open", allow_duplicate=True),
        Output("bot-error", "children", allow_duplicate=True),
        Output("bot-limits", "open", allow_duplicate=True),
        Output("backtest-request", "data", allow_duplicate=True),
        Input("bot-form", "n_submit"),
        Input("bot-start", "n_clicks"),
        Input("bot-backtest", "n_clicks"),
        State("bot-edited", "data"),
        State("bot-key", "data"),
        State(param_id(ALL), "value"),
        *(State(field_id(name), "value") for name in _NAMES),
    )
    def send(*given: Any) -> tuple[Any, ...]:
        edited, key = given[3:5]
        params = {each["id"]["name"]: each.get("value", "") for each in ctx.states_list[2]}
        values = dict(zip(_NAMES, given[6:], strict=True))
        strategy = _strategy(services, values["strategy"])
        try:
            request = _request(values, params, strategy)
            if clicked() == "bot-backtest":
                return no_update, "", no_update, _backtest(request, strategy)
            _save(services, request, edited, key, is_started=clicked() == "bot-start")
        except _WrongField as wrong:
            move_focus(wrong.field)
            is_limit = wrong.field in (field_id(each.name) for each in LIMITS)
            return no_update, str(wrong), is_limit or no_update, no_update
        except BalanceError as fault:
            return no_update, str(fault), no_update, no_update
        return False, "", no_update, no_update


def _save(services: Services, request: _Row, edited: str, key: str, *, is_started: bool) -> None:
    """Make the bot or change the one that is ``edited``, and say so.

    Raises:
        BalanceError: it is refused.
    """
    # one that was refused, and is changed then, is another request
    key = request_key(key, request)
    if edited:
        done = services.bots.edit(edited, request, key=key)
    else:
        done = services.bots.create(request, key=key)
    message, kind = done.message, "info"
    if is_started:
        try:
            message = services.bots.start(done.members["bot"]["id"], key=f"{key}-start").message
        except BalanceError as fault:
            message, kind = f"{message} {fault}", "error"
    show_toast(message, kind)


def _request(texts: _Row, params: _Row, strategy: _Row) -> dict[str, Any]:
    """The settings that the fields hold, as they are sent.

    Raises:
        _WrongField: a number is missing, or none.
    """
    labels = {each["name"]: each["label"] for each in strategy["parameters"]}
    found = {
        each: _number(element_id(param_id(each)), labels.get(each, each), typed, "plain")
        for each, typed in params.items()
    }
    numbers: dict[str, Any] = {}
    for field in NUMBERS:
        typed = texts[field.name]
        if is_empty(typed) and not is_needed(field.name):
            numbers[field.name] = None
            continue
        is_money = field.name in _MONEY or (field.name, texts["stake_unit"]) == ("stake", "usdt")
        kind: AmountKind = "money" if is_money else "plain"
        numbers[field.name] = _number(field_id(field.name), field.label, typed, kind)
    return {**{name: texts[name] for name in TEXTS}, **numbers, "params": found}


def _number(field: str, label: str, typed: object, kind: AmountKind) -> Decimal:
    if is_empty(typed):
        raise _WrongField(f"Enter {label}.", field)
    try:
        return read_amount(typed, kind)
    except InvalidAmount as wrong:
        raise _WrongField(f"{label}: {wrong}", field) from None


def _backtest(request: _Row, strategy: _Row) -> dict[str, Any]:
    """What the dialog of backtests is opened with."""
    params = ", ".join(map(shown, request["params"].values()))
    return {
        "id": uuid4().hex,
        "settings": as_texts(request),
        "words": f"{strategy['name']} {params}".strip(),
    }


def _proposed(services: Services, strategy: str, symbol: str) -> str:
    taken = {each["name"] for each in services.bots.listed()["bots"]}
    return proposed_name(_strategy(services, strategy)["name"] or "Bot", symbol, taken)


def _strategy(services: Services, strategy: str) -> _Row:
    """The strategy with that id, without parameters where there is none."""
    found = (each for each in services.bots.strategies() if each["id"] == strategy)
    return next(found, {"id": strategy, "name": "", "parameters": []})
