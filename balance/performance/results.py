"""What came of a stretch of trading, an epoch or a backtest, as its figures read it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from balance.core.figures import CENTS
from balance.core.money import ZERO, exactly
from balance.core.trade_sums import TradeSums
from balance.performance.derivations.derivation import Term
from balance.performance.drawdown import Drawdown

#: What makes a ratio of daily returns one of a year: crypto is traded on each of its 365 days.
YEAR_ROOT: Final = exactly(Decimal(365).sqrt)()
_DAY: Final = 86_400_000
# A deviation below this is what rounding leaves of returns that are all equal.
_NO_RISK: Final = Decimal("1E-15")
_Value = TypeVar("_Value")


def seconds_of(time: timedelta) -> Decimal:
    """``time`` in seconds."""
    return Decimal(time // timedelta(microseconds=1)).scaleb(-6)


class Moment(NamedTuple):
    """The equity at one moment, P&L in the quote currency."""

    time: datetime
    # What 1 has become since the stretch began, whatever was put in or taken out.
    growth: Decimal
    pnl: Decimal
    # The newest revision of the ledger by then; 0 where there is no ledger.
    revision: int = 0


class Span(NamedTuple):
    """From one moment to a later one: a fall from its peak to its trough, or the time until the
    peak was reached again."""

    begin: Moment
    end: Moment

    @property
    def percent(self) -> Decimal:
        """What the growth did, in percent; zero where nothing was left to fall."""
        return (self.end.growth / self.begin.growth - 1) * 100 if self.begin.growth > 0 else ZERO

    @property
    def seconds(self) -> int:
        """How long it took, in whole seconds."""
        return self.length // timedelta(seconds=1)

    @property
    def length(self) -> timedelta:
        """How long it took."""
        return self.end.time - self.begin.time


def depth_of(fall: Drawdown | None, moment: Callable[[int], Moment]) -> Span:
    """``fall`` from its peak to its trough; from the last ``moment`` to itself where there is
    none."""
    peak, trough = (-1, -1) if fall is None else (fall.peak, fall.trough)
    return Span(moment(peak), moment(trough))


def length_of(fall: Drawdown | None, moment: Callable[[int], Moment]) -> Span:
    """``fall`` from its start to its end; from the last ``moment`` to itself where there is
    none."""
    start, end = (-1, -1) if fall is None else (fall.start, fall.end)
    return Span(moment(start), moment(end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What came of a stretch of trading; None for what is not known of it."""

    trades: TradeSums | None = None
    # What 1 has become, whatever was put in or taken out.
    growth: Decimal | None = None
    # The deepest drawdown of the growth, and that of the P&L in money.
    drawdown: Span | None = None
    pnl_drawdown: Span | None = None
    # The longest drawdown of the growth, from its peak until that was reached again or until now.
    longest_drawdown: Span | None = None
    # The return of each whole UTC day of which the ends are known, as a share: 0.01 is one percent.
    returns: Sequence[Decimal] = ()
    # For how long something was open, and of how long that is known.
    open_time: timedelta = timedelta(0)
    time: timedelta = timedelta(0)
    # How many decimals money is shown with.
    decimals: int = CENTS
    # The terms that the growth is the product of, and the epochs that the trades ended in, as
    # History filters by them; only derivations need them.
    growth_terms: Sequence[Term] = ()
    epochs: str = ""


def day_ends(values: Sequence[_Value], time: Callable[[_Value], int]) -> list[tuple[int, int]]:
    """The ends of the UTC days that ``values``, oldest first, are of: the number of each day that
    is over, and the place of the last value of it. A value of exactly midnight ends the day before;
    days without a value are left out. ``time`` gives the Unix time of a value in milliseconds."""
    if not values:
        return []
    found: list[tuple[int, int]] = []
    for day in range(-(-time(values[0]) // _DAY), time(values[-1]) // _DAY + 1):
        place = bisect_right(values, day * _DAY, key=time) - 1
        if time(values[place]) > (day - 1) * _DAY:
            found.append((day, place))
    return found


@exactly
def daily_returns(ends: Sequence[tuple[int, Decimal]]) -> tuple[Decimal, ...]:
    """The return of each day of which the growth at its end and at the end of the day before is
    known; ``ends`` has the number of each day and the growth at its end, oldest first."""
    return tuple(
        growth / before - 1
        for (yesterday, before), (day, growth) in pairwise(ends)
        if day == yesterday + 1 and before > 0
    )


@exactly
def mean(returns: Sequence[Decimal]) -> Decimal:
    """The arithmetic mean of ``returns``, of which there is one at least."""
    return sum(returns, ZERO) / len(returns)


@exactly
def deviation(returns: Sequence[Decimal]) -> Decimal:
    """The standard deviation of a sample of at least two ``returns``, by n - 1."""
    middle = mean(returns)
    return (sum(((each - middle) ** 2 for each in returns), ZERO) / (len(returns) - 1)).sqrt()


@exactly
def downside(returns: Sequence[Decimal]) -> Decimal:
    """The downside deviation of ``returns`` from a target of zero: the root of the mean of the
    squared losses, days without a loss counted as zero (Sortino and van der Meer, 1991)."""
    return (sum((min(each, ZERO) ** 2 for each in returns), ZERO) / len(returns)).sqrt()


@exactly
def sharpe_ratio(returns: Sequence[Decimal]) -> Decimal | None:
    """The mean of daily ``returns`` over their standard deviation, times the root of 365 (Sharpe,
    1994, with a risk-free rate of zero); None below two returns, or where they are all equal."""
    return _ratio(returns, deviation)


@exactly
def sortino_ratio(returns: Sequence[Decimal]) -> Decimal | None:
    """The mean of daily ``returns`` over their downside deviation, times the root of 365; None
    below two returns, or where none is a loss."""
    return _ratio(returns, downside)


def _ratio(
    returns: Sequence[Decimal], risk: Callable[[Sequence[Decimal]], Decimal]
) -> Decimal | None:
    if len(returns) < 2:
        return None
    divisor = risk(returns)
    if divisor < _NO_RISK:
        return None
    return mean(returns) / divisor * YEAR_ROOT
