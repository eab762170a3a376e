"""The rows of the bots: drawn anew when they look different, and what their buttons do."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from dash import Dash, Input, Output, State, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError, InvalidRequest, UnknownBot
from callbacks.clicks import clicked
from callbacks.toasts import show_toast
from layouts.auto import EVERYTHING
from layouts.bots import (
    PRESSED,
    SWITCHES,
    Question,
    bot_button,
    bot_rows,
    delete_question,
    question_text,
    stop_all_question,
    stop_question,
)
from layouts.elements import CONTENT
from layouts.parts import option_list

_QUESTION: Final = (
    Output("bot-question-dialog", "is_open"),
    Output("bot-question-key", "data"),
    Output("bot-question-about", "data"),
    Output("bot-question-title", "children"),
    Output("bot-question-text", "children"),
    Output("bot-question-keep", "children"),
    Output("bot-question-close", "children"),
    Output("bot-question-error", "children"),
)
# What is done at once.
_VERBS: Final = (*(each.verb for each in SWITCHES.values()), "stop", "duplicate")
_UNCHANGED: Final = (no_update,) * (len(_QUESTION) + 2)


def register(app: Dash, services: Services) -> None:
    """Have the rows on ``app`` follow the bots of ``services``, and their buttons change them."""
    _register_rows(app, services)
    _register_buttons(app, services)


def _register_rows(app: Dash, services: Services) -> None:
    @app.callback(
        Output("auto-bots-list", CONTENT),
        Output("auto-bots-words", "children"),
        Output("auto-new-bot", "disabled"),
        Output("auto-stop-all", "disabled"),
        Output("auto-activity-bot", "options"),
        Output("auto-activity-bot", "value"),
        Input("bots-drawn", "data"),
        State("auto-activity-bot", "value"),
    )
    def draw(_: str, chosen: str) -> tuple[Any, ...]:
        listed = services.bots.listed()
        is_off = not listed["can_change"]
        is_any = any(
            each["status"] != "stopped" or each["position"] is not None for each in listed["bots"]
        )
        words = "" if listed["fault"] else listed["words"]
        labels = {EVERYTHING: "All bots", **{each["id"]: each["name"] for each in listed["bots"]}}
        return (
            *(bot_rows(listed), words, is_off, is_off or not is_any),
            option_list(labels),
            no_update if chosen in labels else EVERYTHING,
        )


def _register_buttons(app: Dash, services: Services) -> None:
    @app.callback(
        Output("auto-bots-request", "data"),
        Output("backtest-request", "data"),
        *_QUESTION,
        Input(PRESSED, "data"),
        State("auto-bots-request", "data"),
    )
    def act(pressed: Mapping[str, str], key: str) -> tuple[Any, ...]:
        verb, bot_id = pressed["verb"], pressed["bot"]
        if verb == "stop_all":
            question = stop_all_question(services.bots.listed()["bots"])
            return (*_UNCHANGED[:2], *_asked(question, verb, ""))
        bot = bot_row(services, bot_id)
        if verb == "delete":
            return (*_UNCHANGED[:2], *_asked(delete_question(bot), verb, bot_id))
        if verb == "stop" and bot["position"] is not None:
            return (*_UNCHANGED[:2], *_asked(stop_question(bot), verb, bot_id))
        if verb == "backtest":
            return (no_update, _backtest(bot), *_UNCHANGED[2:])
        if verb not in _VERBS:
            raise InvalidRequest(f"Nothing is called {verb!r:.40} that is done to a bot.")
        _say(getattr(services.bots, verb)(bot_id, key=f"{key}-{verb}-{bot_id}"))
        return (uuid4().hex, *_UNCHANGED[1:])

    @app.callback(
        Output("bot-question-dialog", "is_open", allow_duplicate=True),
        Output("bot-question-error", "children", allow_duplicate=True),
        Input("bot-question-keep", "n_clicks"),
        Input("bot-question-close", "n_clicks"),
        State("bot-question-about", "data"),
        State("bot-question-key", "data"),
    )
    def answer(_keep: int, _close: int, about: Mapping[str, Any], key: str) -> tuple[Any, ...]:
        how = {"close": clicked() == "bot-question-close" and about["is_holding"], "key": key}
        bots, bot_id = services.bots, about["bot"]
        try:
            if about["verb"] == "stop_all":
                _say(bots.stop_all(**how))
            elif about["verb"] == "stop":
                _say(bots.stop(bot_id, **how), focus=bot_button("switch", bot_id))
            else:
                _say(bots.delete(bot_id, **how), focus="auto-new-bot")
        except BalanceError as fault:
            return no_update, str(fault)
        return False, ""


def _asked(question: Question, verb: str, bot_id: str) -> tuple[Any, ...]:
    """The outputs that ask the ``question``, before ``verb`` is done to the bot."""
    return (
        True,
        uuid4().hex,
        {"verb": verb, "bot": bot_id, "is_holding": bool(question.held)},
        question.title,
        question_text(question),
        question.keep,
        question.close,
        "",
    )


def bot_row(services: Services, bot_id: str) -> Mapping[str, Any]:
    """The bot with that id, as a row.

    Raises:
        UnknownBot: there is none.
    """
    for each in services.bots.listed()["bots"]:
        if each["id"] == bot_id:
            row: Mapping[str, Any] = each
            return row
    raise UnknownBot(f"There is no bot {bot_id!r:.60}. It may have been deleted.")


def as_texts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` with their numbers as texts, which lose no digit on the way to the page."""
    return {
        name: as_texts(value)
        if isinstance(value, Mapping)
        else str(value)
        if isinstance(value, int | float | Decimal)
        else value
        for name, value in settings.items()
    }


def _backtest(bot: Mapping[str, Any]) -> dict[str, Any]:
    """What the dialog of backtests is opened with."""
    settings = as_texts(bot["settings"])
    return {"id": uuid4().hex, "settings": settings, "words": bot["display"]["strategy"]}


def _say(done: Any, focus: str = "") -> None:
    """Show what the bots have done in a toast, but for what an earlier click had done already."""
    if not done.replayed:
        show_toast(done.message, focus=focus)
