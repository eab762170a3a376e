"""Settings: what a person has chosen for the account and its screen, and what may be chosen.

Fees and slippage are fractions in here, and percent wherever they are asked for or told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import CENTS, grouped, plain, rounded
from balance.core.instruments import MOST_LEVERAGE
from balance.core.market import Terms
from balance.core.money import CURRENCY, DEFAULT_STARTING_BALANCE, LIMIT, exactly, money

#: What a setting is; a ``word`` is one of a few, a ``switch`` on or off.
Kind = Literal["percent", "money", "whole", "word", "switch"]
Theme = Literal["system", "light", "dark"]

_USUAL: Final = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is chosen; the defaults are what there is without a choice."""

    # fractions of the notional, as the terms have them
    maker_fee: Decimal = _USUAL.maker_fee
    taker_fee: Decimal = _USUAL.taker_fee
    slippage: Decimal = _USUAL.slippage
    # of an order that names none
    default_leverage: int = int(_USUAL.default_leverage)
    # what a reset begins with, and a new account, in the quote currency
    starting_balance: Decimal = DEFAULT_STARTING_BALANCE
    theme: Theme = "system"
    # how many decimals money is shown with
    decimals: int = CENTS
    # what the page does beside showing
    sound: bool = False
    notifications: bool = False
    shortcuts: bool = True

    @property
    def terms(self) -> Terms:
        """What trading costs with them."""
        return Terms(
            maker_fee=self.maker_fee,
            taker_fee=self.taker_fee,
            slippage=self.slippage,
            default_leverage=Decimal(self.default_leverage),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The settings that are in force."""

    settings: Settings
    # grows with every change
    version: int = 0
    # why what stands in their file is not in force, where it is not; else empty
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one setting may be, and how it is called."""

    field: str
    label: str
    kind: Kind
    # What it is for, in a sentence.
    meaning: str
    # of a number, as it is asked for
    least: Decimal = Decimal(0)
    most: Decimal = LIMIT
    # of a word
    options: tuple[str, ...] = ()
    unit: str = ""

    @property
    def words(self) -> str:
        """What it may be, as a phrase: ``"from 0 to 1 %"``."""
        unit = f" {self.unit}" if self.unit and self.unit != "x" else ""
        match self.kind:
            case "word":
                return f"one of {', '.join(self.options)}"
            case "switch":
                return "true or false"
            case "whole":
                return f"a whole number from {rounded(self.least)} to {rounded(self.most)}"
            case _:
                return f"a number from {rounded(self.least)} to {rounded(self.most)}{unit}"


#: The settings by the names that they are asked for, in the order in which they are shown.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "maker_fee_percent": Rule(
            field="maker_fee",
            label="Maker fee",
            kind="percent",
            meaning="Of the notional, of a limit order that rested, in percent.",
            most=Decimal(1),
            unit="%",
        ),
        "taker_fee_percent": Rule(
            field="taker_fee",
            label="Taker fee",
            kind="percent",
            meaning="Of the notional, of every other fill, in percent.",
            most=Decimal(1),
            unit="%",
        ),
        "slippage_percent": Rule(
            field="slippage",
            label="Slippage",
            kind="percent",
            meaning="How much worse than bid or ask an order at market fills, in percent.",
            most=Decimal(5),
            unit="%",
        ),
        "default_leverage": Rule(
            field="default_leverage",
            label="Default leverage",
            kind="whole",
            meaning="Of an order that names none; less where its symbol allows no more.",
            least=Decimal(1),
            most=Decimal(MOST_LEVERAGE),
            unit="x",
        ),
        "starting_balance": Rule(
            field="starting_balance",
            label="Starting balance",
            kind="money",
            meaning="What a reset begins with that names nothing else, in the quote currency.",
            unit=CURRENCY,
        ),
        "theme": Rule(
            field="theme",
            label="Theme",
            kind="word",
            meaning="Of the dashboard; system: as the browser's machine has it.",
            options=("system", "light", "dark"),
        ),
        "decimals": Rule(
            field="decimals",
            label="Decimals of money",
            kind="whole",
            meaning="How many of them money is shown with; amounts are exact, whatever is shown.",
            least=Decimal(2),
            most=Decimal(8),
        ),
        "sound": Rule(
            field="sound",
            label="Sounds",
            kind="switch",
            meaning="Whether the dashboard makes sounds.",
        ),
        "notifications": Rule(
            field="notifications",
            label="Notifications",
            kind="switch",
            meaning="Whether the dashboard shows notifications of the browser.",
        ),
        "shortcuts": Rule(
            field="shortcuts",
            label="Keyboard shortcuts",
            kind="switch",
            meaning="Whether the dashboard obeys keyboard shortcuts.",
        ),
    }
)


def changed(settings: Settings, asked: Mapping[str, Any]) -> Settings:
    """``settings`` with what ``asked`` names, by the names in ``RULES``: numbers as
    :func:`~balance.core.money.money` takes them, fees and slippage in percent.

    Raises:
        InvalidRequest: a name or a word is none of those that there are.
        InvalidAmount: a number is none, or beyond what it may be.
    """
    unknown = [name for name in asked if name not in RULES]
    if unknown:
        raise InvalidRequest(
            f"There is no setting {unknown[0]!r:.40}. There are {', '.join(RULES)}."
        )
    fields = {RULES[name].field: _read(name, value) for name, value in asked.items()}
    return replace(settings, **fields)


def _read(name: str, value: object) -> Any:
    return _READ[RULES[name].kind](RULES[name], name, value)


@exactly
def _percent(rule: Rule, name: str, value: object) -> Decimal:
    return _within(rule, name, money(value, name)) / 100


def _money(rule: Rule, name: str, value: object) -> Decimal:
    return _within(rule, name, money(value, name))


def _whole(rule: Rule, name: str, value: object) -> int:
    read = _within(rule, name, money(value, name))
    if read != int(read):
        raise InvalidAmount(f"{name} must be {rule.words}, not {grouped(read)}.")
    return int(read)


def _within(rule: Rule, name: str, read: Decimal) -> Decimal:
    if not rule.least <= read <= rule.most:
        raise InvalidAmount(f"{name} must be {rule.words}, not {grouped(read)}.")
    return read


def _word(rule: Rule, name: str, value: object) -> str:
    if not isinstance(value, str) or value not in rule.options:
        raise InvalidRequest(f"{name} must be {rule.words}, not {value!r:.40}.")
    return value


def _switch(rule: Rule, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be {rule.words}, not {value!r:.40}.")
    return value


_READ: Final[Mapping[Kind, Callable[[Rule, str, object], Any]]] = MappingProxyType(
    {"percent": _percent, "money": _money, "whole": _whole, "word": _word, "switch": _switch}
)


@exactly
def members(settings: Settings) -> dict[str, Any]:
    """``settings`` by the names in ``RULES``, as :func:`changed` takes them."""
    values = {name: getattr(settings, rule.field) for name, rule in RULES.items()}
    percents = {name: values[name] * 100 for name, rule in RULES.items() if rule.kind == "percent"}
    return {**values, **percents}


def texts(settings: Settings) -> dict[str, str]:
    """The same as texts for a field or a sentence, numbers without their units."""
    return {name: _text(RULES[name], value) for name, value in members(settings).items()}


def _text(rule: Rule, value: Any) -> str:
    match rule.kind:
        case "percent":
            return rounded(value)
        case "money":
            return plain(value)
        case "switch":
            return "on" if value else "off"
        case _:
            return str(value)


def change_words(before: Settings, after: Settings) -> str:
    """What tells the way from ``before`` to ``after``, in a sentence."""
    old, new = members(before), members(after)
    named = [
        f"{RULES[name].label.lower()} {spelled(name, after)}"
        for name in new
        if new[name] != old[name]
    ]
    return f"Settings saved: {', '.join(named)}." if named else "No setting was changed."


def spelled(name: str, settings: Settings) -> str:
    """What ``settings`` have as ``name``, with its unit: ``"0.05%"``, ``"10,000.00 USDT"``."""
    rule, value = RULES[name], members(settings)[name]
    if rule.kind == "money":
        return f"{grouped(value)} {rule.unit}"
    return f"{_text(rule, value)}{rule.unit}"
