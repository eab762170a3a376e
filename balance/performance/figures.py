"""The figures of performance: one table, read by the screen, ``GET /performance``, backtests and
epochs, with how each figure comes about.

To add a figure, add a row to ``FIGURES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, Literal, TypedDict, TypeVar

from balance.core.figures import CENTS, NONE, dollars, gain, percent, share
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.core.shape import Doc, Money, Percent, Whole
from balance.core.trade_sums import TradeSums
from balance.history.rows import duration
from balance.performance.derivations.derivation import UNREAD, Derivation, Term, total_of
from balance.performance.derivations.returns import (
    drawdown_terms,
    in_percent,
    length_terms,
    open_time_terms,
    pnl_drawdown_terms,
    ratio_terms,
    return_terms,
)
from balance.performance.derivations.trades import trade_terms
from balance.performance.results import (
    Results,
    deviation,
    downside,
    seconds_of,
    sharpe_ratio,
    sortino_ratio,
)

Number = Decimal | int | None
#: Which of two values is better: the greater one, or the one nearer to zero.
Better = Literal["greater", "smaller", ""]
_Source = TypeVar("_Source")
_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a figure is counted in: its type in JSON, and how it is written with so many decimals
    of money."""

    type: Any
    text: Callable[[Any, int], str]
    # Whether it is a gain or a loss.
    is_signed: bool = False

    def write(self, value: Number, decimals: int = CENTS) -> str:
        """``value`` for people; a dash for None."""
        return NONE if value is None else self.text(value, decimals)


Seconds = Annotated[int, Doc("In seconds.", minimum=0)]
GAIN: Final = Unit(Money, gain, is_signed=True)
MONEY: Final = Unit(Money, dollars)
PERCENT: Final = Unit(Percent, lambda value, _: percent(value), is_signed=True)
SHARE: Final = Unit(Percent, lambda value, _: share(value))
COUNT: Final = Unit(Whole, lambda value, _: f"{value:,}")
RATIO: Final = Unit(Decimal, lambda value, _: f"{value:,.2f}")
TIME: Final = Unit(Seconds, lambda value, _: duration(timedelta(seconds=int(value))))


@dataclass(frozen=True, slots=True)
class Figure(Generic[_Source]):
    """One figure: its name in JSON, what it is called, what it is in a sentence, its value, and
    how that comes about."""

    name: str
    label: str
    meaning: str
    unit: Unit
    value: Callable[[_Source], Number]
    derivation: Callable[[_Source], Derivation]
    better: Better = ""
    is_shown: bool = True


class ShownFigure(TypedDict):
    """How a screen shows a figure."""

    name: str
    label: str
    is_signed: Annotated[bool, Doc("Whether it is a gain or a loss.")]
    better: Annotated[Better, Doc("Which of two is better: the greater, or the nearer to zero.")]


ShownFigures = Annotated[list[ShownFigure], Doc("The figures that a screen shows, in their order.")]


@exactly
def values_of(figures: Iterable[Figure[_Source]], source: _Source) -> Row:
    """The values of ``figures`` by name, None for what is not known."""
    return {each.name: each.value(source) for each in figures}


def texts_of(figures: Iterable[Figure[_Source]], values: Row, decimals: int = CENTS) -> Row:
    """The texts of ``figures`` by name, of which ``values`` has the values."""
    return {each.name: each.unit.write(values[each.name], decimals) for each in figures}


def listed(figures: Iterable[Figure[Any]]) -> list[ShownFigure]:
    """The ``figures`` that a screen shows one below the other."""
    return [
        screen_row(each.name, each.label, each.unit, each.better)
        for each in figures
        if each.is_shown
    ]


def types_of(figures: Iterable[Figure[Any]]) -> dict[str, Any]:
    """The types of the values of ``figures`` by name, for the description of an answer."""
    return {each.name: _type(each) for each in figures}


def _type(figure: Figure[Any]) -> Any:
    kind = figure.unit.type
    return Annotated[kind | None, Doc(f"{figure.meaning} Null where it is not known.")]


def screen_row(name: str, label: str, unit: Unit, better: Better = "") -> ShownFigure:
    """How a screen shows a figure."""
    return {"name": name, "label": label, "is_signed": unit.is_signed, "better": better}


_NO_TRADE: Final = "No trade has ended in this epoch yet."
_UNDONE: Final = "The lists have what an undone reset closed as well, which does not count."
_UNSEEN: Final = "The equity was not seen from there on, so it is not known."
_FEW_DAYS: Final = "It takes at least two whole days of which the ends were seen, UTC."
_FALL: Final = "The deepest fall from the best before it, since the epoch began"


def _row(
    name: str,
    label: str,
    meaning: str,
    unit: Unit,
    part: Callable[[Results], _Part | None],
    value: Callable[[_Part], Number],
    terms: Callable[[_Part, Results], Sequence[Term]],
    why_unknown: Callable[[Results], str] | str,
    note: Callable[[Results], str] = lambda _: "",
    *,
    total_label: str = "",
    **more: Any,
) -> Figure[Results]:
    """The figure that is the ``value`` of a ``part`` of the results and comes about by ``terms``.
    Its derivation ends with ``note``, or with ``why_unknown`` where there is no part or value."""

    def valued(results: Results) -> Number:
        found = part(results)
        return None if found is None else value(found)

    @exactly
    def derived(results: Results) -> Derivation:
        found, number = part(results), valued(results)
        if found is None or number is None:
            why = why_unknown if isinstance(why_unknown, str) else why_unknown(results)
            return Derivation(label, f"{meaning} {why}", ())
        total = total_of(total_label or label, Decimal(number), unit.text(number, results.decimals))
        sentences = f"{meaning} {note(results)}".strip()
        return Derivation(label, sentences, (*terms(found, results), total))

    return Figure(name, label, meaning, unit, valued, derived, **more)


def _of_trades(
    name: str,
    label: str,
    meaning: str,
    unit: Unit,
    value: Callable[[TradeSums], Number],
    formula: str,
    why_unknown: str = _NO_TRADE,
    **more: Any,
) -> Figure[Results]:
    """The figure of trades that is the ``value`` of their sums and comes about by ``formula``, as
    :func:`trade_terms` reads it."""
    return _row(
        *(name, label, meaning, unit),
        lambda results: results.trades,
        value,
        lambda sums, results: trade_terms(formula, sums, results.epochs, results.decimals),
        lambda results: UNREAD if results.trades is None else why_unknown,
        lambda results: _UNDONE if "," in results.epochs else "",
        **more,
    )


def _quantized(number: Decimal | None) -> Decimal | None:
    return None if number is None else quantized(number)


#: The figures of an epoch or of a backtest. Money is in the quote currency, after fees and funding.
FIGURES: Final[Sequence[Figure[Results]]] = (
    _row(
        "return_percent",
        "Time-weighted return",
        "What one unit of money has become since the epoch began, whenever more was put in or "
        "taken out: the returns between these moments, multiplied (GIPS).",
        PERCENT,
        lambda results: results.growth,
        in_percent,
        lambda growth, results: return_terms(growth, results.growth_terms),
        "It is not known: money was put in or taken out while nobody saw the equity, something "
        "was gained from nothing, or it is beyond all reason.",
        total_label="Return",
        better="greater",
    ),
    _row(
        "max_drawdown_percent",
        "Maximum drawdown",
        f"{_FALL}, in percent of that. Money put in or out is no fall.",
        PERCENT,
        lambda results: results.drawdown,
        lambda fall: quantized(fall.percent),
        lambda fall, _: drawdown_terms(fall),
        _UNSEEN,
        better="smaller",
    ),
    _row(
        "max_drawdown",
        "Maximum drawdown in money",
        f"{_FALL}, in money.",
        GAIN,
        lambda results: results.pnl_drawdown,
        lambda fall: fall.end.pnl - fall.begin.pnl,
        lambda fall, results: pnl_drawdown_terms(fall, results.decimals),
        _UNSEEN,
        better="smaller",
    ),
    _row(
        "longest_drawdown_seconds",
        "Longest drawdown",
        "The longest time below the best before it, until that was reached again or until now.",
        TIME,
        lambda results: results.longest_drawdown,
        lambda span: span.seconds,
        lambda span, _: length_terms(span),
        _UNSEEN,
        better="smaller",
    ),
    _row(
        "sharpe_ratio",
        "Sharpe ratio",
        "The mean of the daily returns over their standard deviation, times the root of 365: UTC "
        "days, a risk-free rate of zero (Sharpe, 1994).",
        RATIO,
        lambda results: results.returns,
        lambda returns: _quantized(sharpe_ratio(returns)),
        lambda returns, _: ratio_terms(returns, "Standard deviation", deviation(returns)),
        f"{_FEW_DAYS} Their returns must differ.",
        better="greater",
    ),
    _row(
        "sortino_ratio",
        "Sortino ratio",
        "The mean of the daily returns over their downside deviation from zero, times the root of "
        "365: UTC days (Sortino and van der Meer, 1991).",
        RATIO,
        lambda results: results.returns,
        lambda returns: _quantized(sortino_ratio(returns)),
        lambda returns, _: ratio_terms(returns, "Downside deviation", downside(returns)),
        f"{_FEW_DAYS} One of them must be a loss.",
        better="greater",
    ),
    _row(
        "time_in_market_percent",
        "Time in the market",
        "The time with an open position, in percent of the time that was seen.",
        SHARE,
        lambda results: results if results.time else None,
        lambda known: quantized(seconds_of(known.open_time) / seconds_of(known.time) * 100),
        lambda known, _: open_time_terms(known),
        "No time was seen yet.",
    ),
    _of_trades(
        "trades",
        "Trades",
        "Positions that were opened and closed.",
        COUNT,
        lambda sums: sums.trades,
        "wins + losses + even",
    ),
    _of_trades(
        "wins",
        "Winning trades",
        "Trades with a P&L above zero, after fees and funding.",
        COUNT,
        lambda sums: sums.wins,
        "trades - losses - even",
        is_shown=False,
    ),
    _of_trades(
        "losses",
        "Losing trades",
        "Trades with a P&L below zero, after fees and funding.",
        COUNT,
        lambda sums: sums.losses,
        "trades - wins - even",
        is_shown=False,
    ),
    _of_trades(
        "even",
        "Even trades",
        "Trades with a P&L of exactly zero, after fees and funding.",
        COUNT,
        lambda sums: sums.even,
        "trades - wins - losses",
        is_shown=False,
    ),
    _of_trades(
        "win_rate",
        "Win rate",
        "Winning trades in percent of all, even ones included.",
        SHARE,
        lambda sums: _quantized(sums.win_rate),
        "wins / trades * percent",
        better="greater",
    ),
    _of_trades(
        "profit_factor",
        "Profit factor",
        "What winning trades gained over what losing ones lost.",
        RATIO,
        lambda sums: _quantized(sums.profit_factor),
        "gained / lost",
        "Nothing was lost yet, so there is nothing to divide by.",
        better="greater",
    ),
    _of_trades(
        "expectancy",
        "Expectancy",
        "The mean P&L of a trade, after fees and funding.",
        GAIN,
        lambda sums: _quantized(sums.expectancy),
        "gained - lost / trades",
        better="greater",
    ),
    _of_trades(
        "average_win",
        "Average win",
        "The mean P&L of a winning trade, after fees and funding.",
        GAIN,
        lambda sums: _quantized(sums.average_win),
        "gained / wins",
        "No trade of this epoch was a winning one yet.",
        better="greater",
    ),
    _of_trades(
        "average_loss",
        "Average loss",
        "The mean P&L of a losing trade, after fees and funding.",
        GAIN,
        lambda sums: _quantized(sums.average_loss),
        "-lost / losses",
        "No trade of this epoch was a losing one yet.",
        better="smaller",
    ),
    _of_trades(
        "best_trade",
        "Best trade",
        "The largest P&L of a single trade, after fees and funding.",
        GAIN,
        lambda sums: sums.best,
        "best",
        better="greater",
    ),
    _of_trades(
        "worst_trade",
        "Worst trade",
        "The smallest P&L of a single trade, after fees and funding.",
        GAIN,
        lambda sums: sums.worst,
        "worst",
        better="greater",
    ),
)
#: The expectancy by the name that it has had in ``GET /performance``.
AVERAGE_TRADE: Final = _of_trades(
    "average_trade",
    "Average trade",
    "The mean P&L of a trade, after fees and funding: the expectancy.",
    GAIN,
    lambda sums: _quantized(sums.expectancy),
    "gained - lost / trades",
    is_shown=False,
)
