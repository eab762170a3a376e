"""The bots as rows: how each stands, what it holds and made, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.curve import row_spark
from layouts.dialogs import close_button, dialog
from layouts.live import live_figure, live_moment
from layouts.parts import button, empty_state, needs_server, pressing, row_button

#: The stores of what was pressed: what is done to a bot, and which is edited.
PRESSED: Final = "auto-bots-pressed"
EDITED: Final = "auto-bots-edited"
#: The columns by the classes of their cells; a narrow screen has their names in each card.
_COLUMNS: Final = {
    "name": "Bot",
    "status": "State",
    "position": "Position",
    "pnl": "P&L",
    "wins": "Win rate",
    "curve": "P&L by trade",
    "signal": "Last signal",
    "actions": "Actions",
}
_EMPTY: Final = (
    "A bot trades this balance by a strategy: at every closed candle it decides whether to be "
    "long, short or out of the market, with the stake and the limits that you give it. Try it on "
    "the past first, then start it."
)

Row = Mapping[str, Any]


class Switch(NamedTuple):
    """What the first button of a row does: its verb, its label and its icon."""

    verb: str
    label: str
    icon: str


#: Of a bot by its status.
SWITCHES: Final = {
    "stopped": Switch("start", "Start", "play-fill"),
    "running": Switch("pause", "Pause", "pause-fill"),
    "paused": Switch("resume", "Resume", "play-fill"),
}
_STOP: Final = Switch("stop", "Stop", "stop-fill")


def bot_rows(listed: Row) -> Component:
    """The bots that are ``listed``, as rows; why they can't be, or what bots are for where there is
    none."""
    if listed["fault"]:
        return html.P(listed["fault"], className="problem", role="alert")
    if not listed["bots"]:
        return _empty(is_off=not listed["can_change"])
    # as cards they are no table by their style, so each part says its role
    heads = [html.Th(name, scope="col", role="columnheader") for name in _COLUMNS.values()]
    rows = [_row(each, is_off=not listed["can_change"]) for each in listed["bots"]]
    return needs_server(
        [
            html.Table(
                [
                    html.Thead(html.Tr(heads, role="row"), role="rowgroup"),
                    html.Tbody(rows, role="rowgroup"),
                ],
                className="bots-table",
                role="table",
                **{"aria-label": "Bots"},
            )
        ]
    )


def _empty(*, is_off: bool) -> Component:
    found = empty_state("robot", "No bots yet", _EMPTY)
    # as of a bot without an id, which is a new one
    first = button(
        "New bot", bot_button("edit", ""), "plus-lg", disabled=is_off, **pressing(EDITED, bot="")
    )
    found.children = [*found.children, needs_server([first])]
    found.className += " gap-2"
    return found


def _row(bot: Row, *, is_off: bool) -> html.Tr:
    name, display, is_stopped = bot["name"], bot["display"], bot["status"] == "stopped"
    waits = not is_stopped and bot["held_by"] is not None

    def figure(field: str, className: str = "", **more: object) -> Component:
        text = display[field]
        return live_figure("bots", bot["id"], field, className, text=text, **more)

    what = f"{bot['symbol']} · {bot['settings']['timeframe']} · {display['strategy']}"
    cells = {
        "name": [
            html.Div(name, className="bot-title fw-semibold"),
            html.Div(
                what, className="bot-below", title=f"{display['strategy']}, {display['stake']}"
            ),
        ],
        "status": [
            html.Span(
                display["status"],
                className="bot-state",
                **{"data-status": "waits" if waits else bot["status"]},
            ),
            figure("because", "bot-below"),
        ],
        "position": [figure("position"), figure("entry", "bot-below")],
        "pnl": [figure("pnl", "pnl-figure"), figure("open", "bot-below")],
        "wins": [figure("win_rate"), figure("record", "bot-below")],
        "curve": [row_spark("bots", bot["id"], display["curve"])],
        "signal": [
            html.Div(
                [
                    figure("signal", "bot-side"),
                    " ",
                    live_moment(
                        "bots", bot["id"], "signal_time", display["signal_time"], bot["symbol"]
                    ),
                ],
                className="bot-signal-words",
            ),
            figure("reason", "bot-reason", title=display["reason"]),
            figure("did", "bot-below bot-did", title=display["did"]),
            figure("refused_signal", "bot-below bot-refused", title=display["refused_signal"]),
        ],
        "actions": [
            html.Div(
                [
                    _action(bot, "switch", SWITCHES[bot["status"]], disabled=is_off),
                    *([] if is_stopped else [_action(bot, "stop", _STOP, disabled=is_off)]),
                    _small(bot, "edit", "pencil", disabled=is_off),
                    _small(bot, "duplicate", "copy", disabled=is_off),
                    # it changes nothing, so it is offered whatever the state
                    _small(bot, "backtest", "graph-up", disabled=False),
                    _small(bot, "delete", "trash", disabled=is_off, color="danger"),
                ],
                className="bot-buttons",
            )
        ],
    }
    return html.Tr(
        [
            html.Td(
                children, className=f"bot-{column}", role="cell", **{"data-label": _COLUMNS[column]}
            )
            for column, children in cells.items()
        ],
        role="row",
        key=bot["id"],
        **{"data-bot": bot["id"]},
    )


def bot_button(do: str, bot_id: str) -> str:
    """The id of the button that does it to a bot."""
    return f"bot-{do}-{bot_id}"


def _action(bot: Row, do: str, switch: Switch, *, disabled: bool) -> html.Button:
    named: dict[str, Any] = {
        "aria-label": f"{switch.label} {bot['name']}",
        "data-verb": switch.verb,
    }
    # what the button says is done, whatever the bot does by then
    pressed = pressing(PRESSED, verb=switch.verb, bot=bot["id"])
    named |= {"disabled": disabled, **pressed}
    return button(switch.label, bot_button(do, bot["id"]), switch.icon, **named)


def _small(bot: Row, do: str, icon: str, **more: object) -> html.Button:
    label = do.capitalize()
    name = f"{label} {bot['name']}"
    store = EDITED if do == "edit" else PRESSED
    pressed = pressing(store, verb=do, bot=bot["id"])
    return row_button(bot_button(do, bot["id"]), icon, label, name, **more, **pressed)


class Question(NamedTuple):
    """What is asked before something that can't be taken back, with the labels of its two answers;
    an empty one is not offered."""

    title: str
    text: str
    # What is held.
    held: tuple[str, ...]
    keep: str
    close: str


def question_dialog() -> dbc.Modal:
    """Asks a question about a bot or all of them; its callback fills it."""
    return dialog(
        "bot-question",
        "",
        [
            html.Div(id="bot-question-text"),
            # what it is about: the verb, the bot's id, and whether something is held
            dcc.Store(id="bot-question-about"),
        ],
        [
            close_button("bot-question", autoFocus=True),
            button("Keep", "bot-question-keep", "stop-fill"),
            button("Close", "bot-question-close", "x-circle", color="danger"),
        ],
    )


def question_text(question: Question) -> list[Component]:
    """The body of the dialog that asks it."""
    held = [html.Ul([html.Li(each) for each in question.held])] if question.held else []
    return [html.P(question.text, className="dialog-words"), *held]


def stop_question(bot: Row) -> Question:
    """Asked before a bot is stopped that holds something."""
    return Question(
        f"Stop {bot['name']}?",
        "It holds a position. Kept, the position stays with its stop-loss and take-profit, and is "
        "yours to close.",
        (_held(bot),),
        "Stop, keep the position",
        "Stop and close it",
    )


def delete_question(bot: Row) -> Question:
    """Asked before a bot is deleted."""
    title = f"Delete {bot['name']}?"
    if bot["position"] is None:
        text = "Its settings are lost. What it did stays in the history."
        return Question(title, text, (), "", "Delete")
    text = "It holds a position, which is closed at market first. What it did stays in the history."
    return Question(title, text, (_held(bot),), "", "Close its position and delete")


def stop_all_question(bots: Sequence[Row]) -> Question:
    """Asked before all ``bots`` are stopped."""
    running = sum(each["status"] != "stopped" for each in bots)
    held = tuple(_held(each) for each in bots if each["position"] is not None)
    noun = "bot" if len(bots) == 1 else "bots"
    after = (
        "Positions that are kept stay with their stop-loss and take-profit:"
        if held
        else "None holds a position."
    )
    text = f"{running} of {len(bots)} {noun} run or are paused. {after}"
    answers = ("Stop all", "Stop all and close what they hold") if held else ("", "Stop all")
    return Question("Stop all bots?", text, held, *answers)


def _held(bot: Row) -> str:
    return f"{bot['display']['position']} {bot['symbol']} ({bot['name']})"
