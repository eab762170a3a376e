"""Settings: what a person has chosen for the account and its screen, and what may be chosen.

Fees and slippage are fractions in here, and percent in requests and answers. A new setting is one
field of :class:`Settings`: requests, files, the shell and the dialog take its rule from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import CENTS, grouped, plain, rounded
from balance.core.instruments import MOST_LEVERAGE
from balance.core.market import Terms
from balance.core.money import CURRENCY, DEFAULT_STARTING_BALANCE, LIMIT, exactly, money

#: What a setting is; a ``word`` is one of a few, a ``switch`` on or off.
Kind = Literal["percent", "money", "whole", "word", "switch"]
Theme = Literal["system", "light", "dark"]

_USUAL: Final = Terms()
_UNITS: Final = MappingProxyType({"percent": "%", "money": CURRENCY})

_Value = TypeVar("_Value")

#: What is said of a change that leaves all as it was.
UNCHANGED: Final = "No setting was changed."


def _setting(
    default: _Value, name: str, label: str, kind: Kind, meaning: str, **limits: Any
) -> _Value:
    """A field with its rule; ``limits`` are further members of that."""
    rule = {"name": name, "label": label, "kind": kind, "meaning": meaning, **limits}
    return field(default=default, metadata=rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is chosen; the defaults are what there is without a choice."""

    # Fractions of the notional, as the terms have them.
    maker_fee: Decimal = _setting(
        _USUAL.maker_fee,
        "maker_fee_percent",
        "Maker fee",
        "percent",
        "Of the notional, of a limit order that rested, in percent.",
        most=Decimal(1),
    )
    taker_fee: Decimal = _setting(
        _USUAL.taker_fee,
        "taker_fee_percent",
        "Taker fee",
        "percent",
        "Of the notional, of every other fill, in percent.",
        most=Decimal(1),
    )
    slippage: Decimal = _setting(
        _USUAL.slippage,
        "slippage_percent",
        "Slippage",
        "percent",
        "How much worse than bid or ask an order at market fills, in percent.",
        most=Decimal(5),
    )
    market_depth: Decimal = _setting(
        _USUAL.market_depth,
        "market_depth",
        "Market depth",
        "money",
        "By which slippage grows with the size of an order, in the quote currency; 0: it does not.",
    )
    depth_slippage: Decimal = _setting(
        _USUAL.depth_slippage,
        "depth_slippage_percent",
        "Slippage per depth",
        "percent",
        "How much worse still an order fills that is worth the market depth, in percent; others in "
        "proportion.",
        most=Decimal(5),
    )
    default_leverage: int = _setting(
        int(_USUAL.default_leverage),
        "default_leverage",
        "Default leverage",
        "whole",
        "Of an order that names none, where none is set for its symbol; less where that allows no "
        "more.",
        least=Decimal(1),
        most=Decimal(MOST_LEVERAGE),
        unit="x",
    )
    starting_balance: Decimal = _setting(
        DEFAULT_STARTING_BALANCE,
        "starting_balance",
        "Starting balance",
        "money",
        "What a reset begins with that names nothing else, in the quote currency.",
    )
    theme: Theme = _setting(
        "system",
        "theme",
        "Theme",
        "word",
        "Of the dashboard; system: as the browser's machine has it.",
        options=("system", "light", "dark"),
    )
    decimals: int = _setting(
        CENTS,
        "decimals",
        "Decimals of money",
        "whole",
        "How many of them money is shown with; amounts are exact, whatever is shown.",
        least=Decimal(2),
        most=Decimal(8),
    )
    sound: bool = _setting(
        False, "sound", "Sounds", "switch", "Whether the dashboard makes sounds."
    )
    notifications: bool = _setting(
        False,
        "notifications",
        "Notifications",
        "switch",
        "Whether the dashboard shows notifications of the browser.",
    )
    shortcuts: bool = _setting(
        True,
        "shortcuts",
        "Keyboard shortcuts",
        "switch",
        "Whether the dashboard obeys keyboard shortcuts.",
    )

    @property
    def terms(self) -> Terms:
        """What trading costs with them."""
        return Terms(
            maker_fee=self.maker_fee,
            taker_fee=self.taker_fee,
            slippage=self.slippage,
            market_depth=self.market_depth,
            depth_slippage=self.depth_slippage,
            default_leverage=Decimal(self.default_leverage),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsState:
    """The settings that are in force."""

    settings: Settings
    # Grows with every change.
    version: int = 0
    # Why the content of their file is not in force; empty where it is.
    fault: str = ""
    # What else a person should know of the file, in sentences; empty for nothing.
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one setting may be, and what it is called."""

    # Of the field, and of the setting in requests.
    field: str
    name: str
    label: str
    kind: Kind
    # What it is for, in a sentence.
    meaning: str
    # Of a number, as in a request.
    least: Decimal = Decimal(0)
    most: Decimal = LIMIT
    # Of a word.
    options: tuple[str, ...] = ()
    unit: str = ""

    @property
    def phrase(self) -> str:
        """What it may be: ``"a number from 0 to 1 %"``."""
        if self.kind == "word":
            return f"one of {', '.join(self.options)}"
        if self.kind == "switch":
            return "true or false"
        number = "a whole number" if self.kind == "whole" else "a number"
        unit = f" {self.unit}" if self.kind != "whole" else ""
        return f"{number} from {rounded(self.least)} to {rounded(self.most)}{unit}"

    @exactly
    def read(self, value: object) -> Any:
        """The value of the field for ``value`` of a request.

        Raises:
            InvalidRequest, InvalidAmount: it may not be that.
        """
        if self.kind in ("word", "switch"):
            is_right = value in self.options if self.kind == "word" else isinstance(value, bool)
            if not is_right:
                raise InvalidRequest(f"{self.name} must be {self.phrase}, not {value!r:.40}.")
            return value
        number = money(value, self.name)
        is_whole = number == int(number)
        if not self.least <= number <= self.most or (self.kind == "whole" and not is_whole):
            raise InvalidAmount(f"{self.name} must be {self.phrase}, not {grouped(number)}.")
        if self.kind == "whole":
            return int(number)
        return number / 100 if self.kind == "percent" else number

    def text(self, value: Any) -> str:
        """``value``, as requests have it, for a field or a sentence, without its unit."""
        match self.kind:
            case "percent":
                return rounded(value)
            case "money":
                return plain(value)
            case "switch":
                return "on" if value else "off"
            case _:
                return str(value)


#: The rules by the names of the settings in requests, in the order in which they are shown.
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        each.metadata["name"]: Rule(
            field=each.name, **{"unit": _UNITS.get(each.metadata["kind"], ""), **each.metadata}
        )
        for each in fields(Settings)
    }
)


def change_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """``settings`` with ``changes``, by the names in ``RULES``: numbers as
    :func:`~balance.core.money.money` takes them, fees and slippage in percent.

    Raises:
        InvalidRequest: there is no such name or word.
        InvalidAmount: a number is none, or beyond its limits.
    """
    unknown = [name for name in changes if name not in RULES]
    if unknown:
        raise InvalidRequest(
            f"There is no setting {unknown[0]!r:.40}. There are {', '.join(RULES)}."
        )
    return replace(
        settings, **{RULES[name].field: RULES[name].read(value) for name, value in changes.items()}
    )


@exactly
def members(settings: Settings) -> dict[str, Any]:
    """``settings`` by the names in ``RULES``, as :func:`change_settings` takes them."""
    values = {name: getattr(settings, rule.field) for name, rule in RULES.items()}
    percents = {name: values[name] * 100 for name, rule in RULES.items() if rule.kind == "percent"}
    return {**values, **percents}


def texts(settings: Settings) -> dict[str, str]:
    """The same as texts for a field or a sentence, numbers without their units."""
    return {name: RULES[name].text(value) for name, value in members(settings).items()}


def change_message(before: Settings, after: Settings) -> str:
    """The changes from ``before`` to ``after`` in a sentence."""
    old, new = members(before), members(after)
    named = [
        f"{RULES[name].label.lower()} {value_text(name, after)}"
        for name in new
        if new[name] != old[name]
    ]
    return f"Settings saved: {', '.join(named)}." if named else UNCHANGED


def value_text(name: str, settings: Settings) -> str:
    """The value of ``name`` in ``settings``, with its unit: ``"0.05%"``, ``"10,000.00 USDT"``."""
    rule, value = RULES[name], members(settings)[name]
    return f"{grouped(value)} {rule.unit}" if rule.kind == "money" else rule.text(value) + rule.unit
