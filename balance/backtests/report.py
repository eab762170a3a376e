"""The report of a backtest: what came of it, in figures and as readers see them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, Final, TypedDict

from balance.backtests.backtest import BacktestResult, Plan, hold_equity
from balance.core.figures import gain, rounded
from balance.core.instruments import dollar_note, grid_message
from balance.core.market import Market
from balance.core.moments import iso, milliseconds
from balance.core.money import exactly, quantized
from balance.core.rows import Row
from balance.core.shape import (
    Count,
    Doc,
    Money,
    Percent,
    Texts,
    Time,
    Whole,
    includes,
    text_names,
)
from balance.history.rows import TradeRow, trade_row
from balance.market.replay.cells import length_text
from balance.performance.drawdown import deepest, drawdowns, longest
from balance.performance.figures import (
    FIGURES,
    GAIN,
    MONEY,
    PERCENT,
    SHARE,
    ShownFigures,
    Unit,
    listed,
    screen_row,
    texts_of,
    types_of,
    values_of,
)
from balance.performance.results import (
    Moment,
    Results,
    daily_returns,
    day_ends,
    depth_of,
    length_of,
)
from balance.performance.thinning import extremes

#: How many points of the curve there are at most, and how many trades are listed.
MOST_POINTS: Final = 400
MOST_ROWS: Final = 500
# A number in a reason, which may differ from one signal to the next.
_FIGURE: Final = re.compile(r"\d[\d,.]*\d|\d")
# How many changes of the grid have a sentence each.
_MOST_REGRIDS: Final = 3
_CENT: Final = Decimal("0.01")

# The figures that only a report has: how they are counted, and what they are.
_OWN: Final[Mapping[str, tuple[Unit, Any]]] = {
    "starting_balance": (MONEY, Annotated[Money, Doc("What it began with.")]),
    "equity": (MONEY, Annotated[Money, Doc("At the end.")]),
    "net_pnl": (GAIN, Annotated[Money, Doc("Equity - starting balance.")]),
    "fees": (MONEY, Annotated[Money, Doc("Paid.")]),
    "funding": (GAIN, Annotated[Money, Doc("Received less paid.")]),
    "average_pnl": (GAIN, Annotated[Money | None, Doc("Of a trade; null without trades.")]),
    "hold_percent": (
        PERCENT,
        Annotated[Percent, Doc("What the price did from its first to its last.")],
    ),
    "exposure_percent": (
        SHARE,
        Annotated[Percent, Doc("The candles in which something was held, of all candles.")],
    ),
}
_OWN_TYPES: Final = {name: hint for name, (_, hint) in _OWN.items()}
_TYPES: Final = types_of(FIGURES)
# What a screen shows of a report, in its order.
_RETURN, *_OTHERS = listed(FIGURES)
_SHOWN: Final = (
    _RETURN,
    screen_row("hold_percent", "Buy and hold", PERCENT),
    screen_row("net_pnl", "Net P&L", GAIN),
    screen_row("equity", "Equity at the end", MONEY),
    *_OTHERS,
    screen_row("fees", "Fees", MONEY),
    screen_row("funding", "Funding", GAIN),
)

#: A moment, the equity, and what holding would be worth.
_Value = tuple[datetime, Decimal, Decimal]


class Refusals(TypedDict):
    """Signals that the account refused for one reason."""

    count: Count
    reason: str


_Span = TypedDict("_Span", {"from": Time, "to": Time})


@includes(_Span, _OWN_TYPES, _TYPES)
class Report(TypedDict):
    """What came of a backtest."""

    candles: Count
    seconds: Annotated[Count, Doc("Of one candle.")]
    curve: Annotated[
        list[Annotated[list[str | Decimal], Doc(minItems=3, maxItems=3)]],
        Doc(
            f"At most {MOST_POINTS} points: the time, the equity, and what holding would be worth."
        ),
    ]
    rows: Annotated[list[TradeRow], Doc(f"The newest {MOST_ROWS} trades, newest first.")]
    stopped_because: Annotated[str, Doc("Why the bot stopped itself; else empty.")]
    ambiguous_trades: Annotated[
        Whole, Doc("Those that ended in a candle which held both their stop and their target.")
    ]
    refused: Annotated[
        list[Refusals],
        Doc("Signals that the account refused, by reason; figures are those of the first."),
    ]
    figures: ShownFigures
    max_drawdown_percent: Annotated[
        Percent, Doc("The largest fall from the best equity before, in percent of that.")
    ]
    display: Annotated[Texts, text_names((*_OWN, *_TYPES))]


@exactly
def report(plan: Plan, tested: BacktestResult) -> Row:
    """What came of ``plan``, of which at least one candle was ``tested``: money in the quote
    currency, percentages of the starting balance or as their names say.

    ``hold_percent`` is what the price did from its first to its last; ``max_drawdown_percent`` the
    largest fall of the equity from its best before, in percent of that; ``exposure_percent`` the
    candles in which something was held. P&L has what is still open in it, trades have not.
    """
    candles, starting = plan.history.candles[plan.begin :], plan.starting_balance
    length, first = timedelta(seconds=plan.history.seconds), candles[0].open
    values = [(candles[0].time, starting, starting)] + [
        (each.time + length, each.equity, hold_equity(each, first, starting))
        for each in tested.points
    ]
    own = _own_figures(plan, tested)
    figures = values_of(FIGURES, _results(plan, tested, values))
    texts = {
        **{name: unit.write(own[name], plan.decimals) for name, (unit, _) in _OWN.items()},
        **texts_of(FIGURES, figures, plan.decimals),
    }
    instruments = {plan.history.instrument.symbol: plan.history.instrument}
    market = Market(instruments=instruments, decimals=plan.decimals)
    newest = tested.trades[: -MOST_ROWS - 1 : -1]
    return {
        "from": iso(values[0][0]),
        "to": iso(values[-1][0]),
        "candles": len(tested.points),
        "seconds": plan.history.seconds,
        **own,
        **figures,
        # A report has always had it without its sign.
        "max_drawdown_percent": -figures["max_drawdown_percent"],
        "curve": [
            [iso(time), equity.quantize(_CENT), held.quantize(_CENT)]
            for time, equity, held in extremes(values, MOST_POINTS, itemgetter(1))
        ],
        "rows": [trade_row(each, market, name=plan.settings.name) for each in newest],
        "stopped_because": tested.stopped_because,
        "ambiguous_trades": tested.ambiguous_trades,
        "refused": [{"count": count, "reason": why} for why, count in _reasons(tested.refused)],
        "figures": list(_SHOWN),
        "display": texts,
    }


def notes(plan: Plan, tested: BacktestResult) -> str:
    """What else there is to know of the figures, in sentences; empty for nothing."""
    said = list(plan.history.notes)
    if plan.history.seconds > plan.settings.seconds:
        there, chosen = (
            length_text(timedelta(seconds=each))
            for each in (plan.history.seconds, plan.settings.seconds)
        )
        said.append(
            f"The candles are of {there}, so it decided every {there} and not every {chosen}."
        )
    if tested.stopped_because:
        said.append(f"It stopped itself: {tested.stopped_because}.")
    for position in tested.account.positions:
        said.append(
            f"It still holds a {position.side} of {rounded(position.quantity)} at the end: its "
            f"{gain(position.unrealized_pnl, plan.decimals)} are in the P&L, but it is no trade "
            "yet."
        )
    if not tested.trades and not tested.account.positions:
        hint = "" if tested.refused else ": look at its settings, or test a longer time"
        said.append(f"It never traded{hint}.")
    if tested.refused:
        said.append(_refusals(tested.refused))
    count = tested.ambiguous_trades
    if count:
        said.append(
            f"{count:,} trade{'s' if count > 1 else ''} ended in a candle that held both stop and "
            "target: which came first is an assumption there."
        )
    if tested.skipped_funding:
        said.append("Funding was left out where its rate is not known.")
    said += [grid_message(rules, since) for since, rules in tested.regrids[:_MOST_REGRIDS]]
    if len(tested.regrids) > _MOST_REGRIDS:
        said.append(f"It did so {len(tested.regrids):,} times in all.")
    if not plan.history.marks:
        said.append("The mark price is the last price: its past has no other.")
    if note := dollar_note(plan.settings.symbol):
        said.append(note)
    return " ".join(said)


def _reasons(refused: Sequence[str]) -> list[tuple[str, int]]:
    """The reasons that differ in more than their figures, each as it was first given, and how
    often, the most frequent first."""
    first: dict[str, str] = {}
    counts = Counter[str]()
    for why in refused:
        kind = _FIGURE.sub("#", why)
        first.setdefault(kind, why)
        counts[kind] += 1
    return [(first[kind], count) for kind, count in counts.most_common()]


def _refusals(refused: Sequence[str]) -> str:
    """How many signals were refused, and why: the first figures stand for those of all."""
    count, reasons = len(refused), _reasons(refused)
    said = "1 signal was refused" if count == 1 else f"{count:,} signals were refused"
    if len(reasons) == 1:
        return f"{said}: {reasons[0][0]}."
    return f"{said}. " + " ".join(f"{many:,} of them: {why}." for why, many in reasons)


def _own_figures(plan: Plan, tested: BacktestResult) -> Row:
    """The values of ``_OWN``, by name."""
    account, first = tested.account, plan.history.candles[plan.begin].open
    mean = tested.sums.expectancy
    return {
        "starting_balance": plan.starting_balance,
        "equity": quantized(account.equity),
        "net_pnl": quantized(account.equity - plan.starting_balance),
        "fees": account.wallet.fees_paid,
        "funding": account.wallet.funding,
        "average_pnl": None if mean is None else quantized(mean),
        "hold_percent": quantized((tested.points[-1].close / first - 1) * 100),
        "exposure_percent": quantized(Decimal(tested.exposed) / len(tested.points) * 100),
    }


def _results(plan: Plan, tested: BacktestResult, values: Sequence[_Value]) -> Results:
    """What came of the test, as the figures of performance read it."""
    starting, length = plan.starting_balance, timedelta(seconds=plan.history.seconds)
    times = [time for time, _, _ in values]
    equities = [equity for _, equity, _ in values]
    found = list(drawdowns(equities))

    def moment(place: int) -> Moment:
        return Moment(times[place], equities[place] / starting, equities[place] - starting)

    return Results(
        trades=tested.sums,
        growth=tested.account.equity / starting,
        drawdown=depth_of(deepest(equities, found, relative=True), moment),
        pnl_drawdown=depth_of(deepest(equities, found, relative=False), moment),
        longest_drawdown=length_of(longest(times, found), moment),
        returns=daily_returns(
            [(day, equities[place]) for day, place in day_ends(times, milliseconds)]
        ),
        open_time=tested.exposed * length,
        time=len(tested.points) * length,
        decimals=plan.decimals,
    )
