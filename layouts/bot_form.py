"""The dialog that makes a bot or edits one: a field for each of its settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from decimal import Decimal
from itertools import chain, count
from typing import Any, Final, NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.bots.settings import LONGEST_NAME, TIMEFRAMES, BotSettings
from balance.core.figures import float_text, rounded
from balance.core.instruments import label as symbol_label
from layouts.activity import folded, last_line
from layouts.dialogs import close_button, dialog
from layouts.parts import button, field, number_entry, select, unit_field, unseen_label


class NumberField(NamedTuple):
    """A number among the settings of a bot: its label, its unit, and what else to say of it."""

    name: str
    label: str
    unit: str = ""
    hint: str = ""


_STAKE: Final = NumberField("stake", "Stake", hint="the margin of a position")
_SIZES: Final = (
    NumberField("leverage", "Leverage", "x"),
    NumberField("min_confidence", "Least confidence", hint="0 to 1, below it does nothing"),
)
_EXITS: Final = (
    NumberField("stop_loss", "Stop-loss", "%", "of the price, against it"),
    NumberField("take_profit", "Take-profit", "%", "of the price, in its favour"),
    NumberField("trailing_stop", "Trailing stop", "%", "behind the best price"),
)
LIMITS: Final = (
    NumberField("cooldown", "Pause after a trade", "min"),
    NumberField("max_positions", "Most open positions", hint="of the whole account"),
    NumberField("max_daily_loss", "Most loss in a day", "USDT", "then it closes and stops"),
    NumberField("max_drawdown", "Most loss from its best", "USDT", "then it closes and stops"),
)
#: The settings that are numbers.
NUMBERS: Final = (_STAKE, *_SIZES, *_EXITS, *LIMITS)
#: Those that are texts, or chosen.
TEXTS: Final = ("name", "symbol", "timeframe", "strategy", "direction", "stake_unit")
_DIRECTIONS: Final = {"both": "Long and short", "long": "Long only", "short": "Short only"}
_UNITS: Final = {"percent": "% of available", "usdt": "USDT"}

_DEFAULTS: Final = {
    each.name: each.default for each in fields(BotSettings) if each.default is not MISSING
}
#: What a new bot begins with, and what a setting is that a bot does not have.
USUAL: Final[Mapping[str, Any]] = {
    **_DEFAULTS,
    "name": "",
    "stop_loss": Decimal(2),
    "take_profit": Decimal(4),
}


def field_id(name: str) -> str:
    """The id of the field of the setting called ``name``."""
    return f"bot-{name.replace('_', '-')}"


def param_id(name: str) -> dict[str, str]:
    """The id of the field of the strategy's parameter called ``name``."""
    return {"type": "bot-param", "name": name}


def is_needed(name: str) -> bool:
    """Whether the number called ``name`` can't be left empty."""
    return _DEFAULTS[name] is not None


def shown(value: Any) -> str:
    """A setting as its field shows it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else rounded(Decimal(str(value)))


def bot_dialog(symbols: Sequence[str]) -> dbc.Modal:
    """The dialog for a bot that trades one of ``symbols``; its callbacks fill it."""
    return dialog(
        "bot",
        "",
        [
            dbc.Form(
                [
                    _group("What", *_what(symbols)),
                    _group("How much", _stake(), *map(_number, _SIZES)),
                    _group("Exits", *map(_number, _EXITS)),
                    html.Details(
                        [
                            html.Summary("Limits", className="part-title mb-1"),
                            html.Div(
                                [_number(each) for each in LIMITS],
                                className="field-pairs bot-group",
                            ),
                        ],
                        id="bot-limits",
                    ),
                ],
                id="bot-form",
                className="stack",
                prevent_default_on_submit=True,
            ),
            # the bot that is edited, empty for a new one; and the name that was proposed
            dcc.Store(id="bot-edited"),
            dcc.Store(id="bot-proposed"),
        ],
        [
            close_button("bot"),
            button("Backtest", "bot-backtest", "graph-up"),
            # Enter in a field presses it
            html.Button("Save", id="bot-save", type="submit", form="bot-form"),
            button("Create and start", "bot-start", "play-fill", color="primary", outline=False),
        ],
        size="lg",
    )


def _what(symbols: Sequence[str]) -> list[Component]:
    name = dbc.Input(id=field_id("name"), type="text", maxlength=LONGEST_NAME, autocomplete="off")
    return [
        field("Name", name, className="words two"),
        _select("symbol", "Symbol", {each: symbol_label(each) for each in symbols}),
        html.P(id="bot-symbol-words", className="whole bot-symbol-words", role="status"),
        _select("timeframe", "Timeframe", {each: each for each in TIMEFRAMES}),
        _select("strategy", "Strategy", {}, "two"),
        _select("direction", "Direction", _DIRECTIONS),
        html.Div(id="bot-strategy-words", className="whole strategy-words"),
        html.Div(id="bot-params", className="whole field-pairs bot-group"),
    ]


def _select(name: str, label: str, labels: Mapping[str, str], width: str = "") -> html.Div:
    return field(label, select(field_id(name), labels), className=f"words {width}")


def _stake() -> html.Div:
    unit = select(field_id("stake_unit"), _UNITS)
    found = _number(_STAKE, unit, "two")
    found.children.insert(0, unseen_label("Unit of the stake", unit.id))
    return found


def _group(title: str, *children: Component) -> html.Fieldset:
    return html.Fieldset(
        [html.Legend(title, className="part-title mb-1"), *children],
        className="field-pairs bot-group",
    )


def _number(
    number: NumberField, unit: Component | str | None = None, className: str = ""
) -> html.Div:
    usual = "" if is_needed(number.name) else "none"
    control = number_entry(field_id(number.name), placeholder=usual)
    # a component without children is false
    unit = number.unit if unit is None else unit
    if isinstance(unit, str) and not unit:
        return field(number.label, control, number.hint, className=className)
    return unit_field(number.label, control, unit, number.hint, className=className)


Row = Mapping[str, Any]


def strategy_options(strategies: Iterable[Row]) -> list[dict[str, Any]]:
    """The ``strategies`` to choose from; one that can't be used is there, and can't be chosen."""
    return [
        {
            "value": each["id"],
            "label": each["name"] + _mark(each),
            "disabled": each["error"] is not None,
        }
        for each in strategies
    ]


def _mark(strategy: Row) -> str:
    if strategy["error"] is not None:
        return " (can't be loaded)"
    return " (yours)" if strategy["own"] else ""


def strategy_words(strategies: Sequence[Row], chosen: str) -> list[Component]:
    """What the ``chosen`` strategy does, and which can't be used, and why."""
    found = next((each["words"] for each in strategies if each["id"] == chosen), "")
    broken = (each for each in strategies if each["error"] is not None)
    return [
        html.P(found, className="dialog-words"),
        *(
            folded(each["error"], f"{each['name']} can't be used: {last_line(each['error'])}")
            for each in broken
        ),
    ]


def strategy_fields(strategies: Iterable[Row], chosen: str, params: Row) -> list[Component]:
    """A field for each parameter of the ``chosen`` strategy, as ``params`` have it or, where they
    don't, with its usual value."""
    parameters = next((each["parameters"] for each in strategies if each["id"] == chosen), ())
    return [_param(each, params.get(each["name"], each["default"])) for each in parameters]


def _param(parameter: Row, value: float) -> html.Div:
    control = number_entry(param_id(parameter["name"]), value=float_text(value))
    limits = f"{float_text(parameter['least'])} to {float_text(parameter['most'])}"
    hint = f"{parameter['words']}, {limits}" if parameter["words"] else limits
    return field(parameter["label"], control, hint)


def proposed_name(strategy: str, symbol: str, taken: Collection[str]) -> str:
    """A name for a bot that none of those ``taken`` is."""
    first = f"{strategy} {symbol.partition('/')[0]}"[: LONGEST_NAME - 4]
    names = chain([first], (f"{first} {number}" for number in count(2)))
    return next(each for each in names if each not in taken)
