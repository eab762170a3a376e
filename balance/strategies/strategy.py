"""Strategies: what they get, what they return, and how their parameters are declared.

A strategy is a small class with typed parameters and one method. It sees closed candles and its
own position, and says where it wants to be; it has no files, no clock and no chance.

    @strategy("Three in a row", "Buys after three rising candles.")
    class ThreeInARow:
        count: int = parameter(3, least=2, most=20, label="Rising candles")

        def decide(self, candles: Candles, position: Holding | None) -> Signal | None:
            rising = (candles[-self.count :].close > candles[-self.count :].open).all()
            return Signal("buy", 1, f"{self.count} rising candles") if rising else None
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import wraps
from numbers import Real
from typing import (
    Any,
    Final,
    Literal,
    Protocol,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
)

from balance.core.errors import BalanceError, InvalidRequest
from balance.core.figures import float_text
from balance.strategies.series import Candles

#: Where a strategy wants to be: long, short, flat, or where it is.
Side = Literal["buy", "sell", "close", "hold"]

SIDES: Final[tuple[str, ...]] = get_args(Side)
#: How many candles a strategy gets that does not say how many it looks back on, and the most.
USUAL_LOOKBACK: Final = 200
MOST_LOOKBACK: Final = 2500
_LONGEST_REASON: Final = 300
_MARK: Final = "__strategy__"


class StrategyFault(BalanceError):
    """A strategy failed, returned no signal, or took too long; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Signal:
    """The decision of a strategy.

    Attributes:
        side: "buy" (be long), "sell" (be short), "close" (be flat) or "hold" (leave it).
        confidence: how sure it is, 0 to 1.
        reason: one short sentence with the figures; one line, cut to 300 characters.

    Raises:
        TypeError: the confidence is no number, or the reason no text.
        ValueError: the side is none of the words, or the confidence not within 0 to 1.
    """

    side: Side
    confidence: float = 1.0
    reason: str = ""

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ValueError(f"side must be one of {', '.join(SIDES)}, not {self.side!r:.40}")
        object.__setattr__(self, "confidence", _sure(self.confidence))
        object.__setattr__(self, "reason", _reason(self.reason))


def hold(reason: str = "") -> Signal:
    """The signal that leaves everything as it is; of confidence 0."""
    return Signal("hold", 0.0, reason)


def _sure(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (float, int, Real, Decimal)):
        raise TypeError(f"confidence must be a number from 0 to 1, not {given!r:.40}")
    try:
        sure = float(given)
    except (OverflowError, ValueError):
        sure = -1.0  # too large for a float, or a signalling NaN
    if not 0 <= sure <= 1:
        raise ValueError(f"confidence must be from 0 to 1, not {given!r:.40}")
    return sure


def _reason(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError(f"reason must be a text, not {given!r:.40}")
    return _one_line(given)


def _one_line(text: str) -> str:
    if not text.isprintable():
        letters = (letter if letter.isprintable() else " " for letter in text)
        text = " ".join("".join(letters).split())
    return text[:_LONGEST_REASON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The position that a strategy holds: base units and prices, P&L in USDT at mark price."""

    side: Literal["long", "short"]
    quantity: float
    entry_price: float
    unrealized_pnl: float
    # By the market's clock, in UTC.
    opened_at: datetime


class Strategy(Protocol):
    """What decides.

    It may also have ``lookback``, how many candles it is given at most (200 where it does not say;
    never above 2500), ``enough``, how many it needs at least (1), and ``check()``, which returns
    what is wrong with its parameters taken together, or an empty text.
    """

    def decide(self, candles: Candles, position: Holding | None, /) -> Signal | None:
        """What to do now that ``candles[-1]`` has closed; None is as good as hold."""
        ...


_Strategy = TypeVar("_Strategy", bound=Strategy)


def lookback_of(strategy: Strategy) -> int:
    """How many candles ``strategy`` is to be given: 1 to 2500.

    Raises:
        TypeError: it names something else than a whole number.
    """
    return min(MOST_LOOKBACK, _count(strategy, "lookback", USUAL_LOOKBACK))


def enough_of(strategy: Strategy) -> int:
    """With how many candles ``strategy`` begins to decide: at least 1.

    Raises:
        TypeError: it names something else than a whole number.
    """
    return _count(strategy, "enough", 1)


def _count(strategy: Strategy, name: str, usual: int) -> int:
    count = getattr(strategy, name, usual)
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} must be a whole number, not {count!r:.40}")
    return max(1, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One setting of a strategy, from ``least`` to ``most``.

    Raises:
        TypeError: a number is not of its kind.
        ValueError: the default is not within the range, or the step not above zero.
    """

    name: str
    label: str
    words: str
    kind: Literal["int", "float"]
    default: float
    least: float
    most: float
    # From one value to the next on a screen; None: any.
    step: float | None

    def __post_init__(self) -> None:
        allowed = {int} if self.kind == "int" else {int, float}
        for number in (self.default, self.least, self.most, self.step or 1):
            if type(number) not in allowed:
                raise TypeError(f"{self.name}: {number!r:.40} is not of the kind {self.kind}")
        if not self.least <= self.default <= self.most:
            raise ValueError(f"{self.name}: the default {self.default} is not {self.range}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"{self.name}: the step {self.step} is not above zero")

    @property
    def range(self) -> str:
        """What it may be, in words: ``"a whole number from 2 to 200"``."""
        whole = "whole " if self.kind == "int" else ""
        return f"a {whole}number from {float_text(self.least)} to {float_text(self.most)}"

    def value(self, given: object) -> float:
        """``given`` as a number of this kind.

        Raises:
            InvalidRequest: it is none, or beyond the range.
        """
        number = _number(given)
        # NaN is beyond every range.
        if number is not None and self.least <= number <= self.most:
            if self.kind == "float":
                return float(number)
            if number == int(number):
                return int(number)
        label = self.name if self.label == self.name else f"{self.label} ({self.name})"
        raise InvalidRequest(f"{label} must be {self.range}, not {_written(given)}.")


def _number(given: object) -> float | None:
    if isinstance(given, Decimal):
        return None if given.is_nan() else float(given)
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def _written(given: object) -> str:
    return f"{given:.12g}" if isinstance(given, float | Decimal) else f"{given!r:.40}"


_Number = TypeVar("_Number", int, float)


def parameter(
    default: _Number,
    *,
    least: _Number,
    most: _Number,
    label: str,
    words: str = "",
    step: _Number | None = None,
) -> _Number:
    """A setting of a strategy; it is a whole number where ``default`` is one.

    ``label`` stands beside it on the screen, ``words`` say more, and ``step`` leads from one value
    to the next (1 for a whole number that has none).
    """
    whole = isinstance(default, int)
    parameter = {
        "label": label,
        "words": words,
        "kind": "int" if whole else "float",
        "default": default,
        "least": least,
        "most": most,
        "step": 1 if whole and step is None else step,
    }
    return field(default=default, metadata={"parameter": parameter})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A strategy that can be chosen: its words, its parameters, and how one is made.

    Attributes:
        id: what settings name it by.
        own: whether a person wrote it, rather than that it is built in.
    """

    id: str
    name: str
    words: str
    parameters: tuple[Parameter, ...]
    made_by: Callable[..., Strategy]
    own: bool = False

    def values(self, params: Mapping[str, object]) -> dict[str, float]:
        """Every parameter by its name: what ``params`` say, or its default.

        Raises:
            InvalidRequest: a parameter is unknown, not of its kind or beyond its range.
        """
        names = [each.name for each in self.parameters]
        for name in params:
            if name not in names:
                known = f"only {', '.join(names)}" if names else "none at all"
                raise InvalidRequest(f"{self.name} has no parameter {name!r:.40}, {known}.")
        return {
            each.name: each.value(params.get(each.name, each.default)) for each in self.parameters
        }

    def make(self, params: Mapping[str, object]) -> Strategy:
        """A strategy of this kind with ``params``, and defaults for what they do not name.

        Raises:
            InvalidRequest: as :meth:`values`; or they do not fit together.
        """
        values = self.values(params)
        try:
            made = self.made_by(**values)
            wrong = str(made.check()) if hasattr(made, "check") else ""
            lookback, enough = lookback_of(made), enough_of(made)
        except (Exception, SystemExit) as error:
            raise InvalidRequest(
                f"{self.name} cannot be made with these: {str(error) or repr(error):.200}"
            ) from error
        if wrong:
            raise InvalidRequest(f"{self.name}: {wrong.rstrip('.')}.")
        if enough > lookback:
            raise InvalidRequest(
                f"{self.name} needs {enough:,} candles, but is given {lookback:,} at most."
            )
        return made


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(parameter,))
def strategy(name: str, words: str = "") -> Callable[[type[_Strategy]], type[_Strategy]]:
    """Make a class a strategy called ``name``, which ``words`` explain in one sentence.

    The class becomes a frozen dataclass. While there are fewer candles than its ``enough``, its
    ``decide`` is not asked, and it holds.

    Raises:
        TypeError: it has no ``decide``, or a field that was not made with :func:`parameter`.
        ValueError: a default is not within its range.
    """
    if not all(map(_is_text, (name, words))) or not name.strip():
        raise TypeError('a strategy has a name and words: @strategy("Name", "One sentence.")')

    def made(cls: type[_Strategy]) -> type[_Strategy]:
        if not callable(getattr(cls, "decide", None)):
            raise TypeError(f"{cls.__name__} has no method decide(self, candles, position)")
        result = dataclass(frozen=True, kw_only=True)(cls)
        result.decide = _when_enough(result.decide)  # type: ignore[method-assign]
        kind = Kind(
            id=_snake_case(cls.__name__),
            name=_one_line(name),
            words=_one_line(words),
            parameters=tuple(_parameters(result)),
            made_by=result,
        )
        setattr(result, _MARK, kind)
        return result

    return made


def kind_of(cls: type) -> Kind | None:
    """The kind of strategy that :func:`strategy` made of ``cls`` itself; None: it did not."""
    kind = vars(cls).get(_MARK)
    return kind if isinstance(kind, Kind) else None


def _parameters(cls: type) -> Iterator[Parameter]:
    # A type checker does not know that the decorator makes a dataclass of it.
    for each in fields(cast(Any, cls)):
        if "parameter" not in each.metadata:
            raise TypeError(
                f"{cls.__name__}.{each.name} is not made with parameter(); what is no parameter "
                "is written without a type, or as a ClassVar"
            )
        yield Parameter(name=each.name, **each.metadata["parameter"])


def _when_enough(decide: Callable[..., Signal | None]) -> Callable[..., Signal | None]:
    @wraps(decide)
    def decided(self: Strategy, candles: Candles, position: Holding | None) -> Signal | None:
        enough = enough_of(self)
        if len(candles) < enough:
            return hold(f"Needs {enough:,} candles, has {len(candles):,}")
        return decide(self, candles, position)

    return decided


def _is_text(given: object) -> bool:
    return isinstance(given, str)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
