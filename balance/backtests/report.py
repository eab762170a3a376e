"""The report of a backtest: what came of it, in figures and as readers see them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from balance.backtests.backtest import Plan, Tested, hold_equity
from balance.core.account import Account
from balance.core.currencies import dollar_note
from balance.core.figures import NONE, dollars, gain, percent, rounded
from balance.core.grid import grid_message
from balance.core.market import Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly, quantized
from balance.core.rows import Row
from balance.core.trade_sums import TradeSums
from balance.history.trade_rows import trade_row
from balance.market.replay.cells import length_text

#: How many points of the curve are told, and how many trades.
MOST_POINTS: Final = 400
MOST_ROWS: Final = 500
# A number in a reason, which may differ from one signal to the next.
_FIGURE: Final = re.compile(r"\d[\d,.]*\d|\d")
# How many changes of the grid are told one by one.
_MOST_REGRIDS: Final = 3
_CENT: Final = Decimal("0.01")

#: A moment, the equity, and what holding would be worth.
_Value = tuple[datetime, Decimal, Decimal]


@exactly
def report(plan: Plan, tested: Tested) -> Row:
    """What came of ``plan``, of which at least one candle was ``tested``: money in the quote
    currency, percentages of the starting balance or as their names say.

    ``hold_percent`` is what the price did from its first to its last; ``max_drawdown_percent`` the
    largest fall of the equity from its best before, in percent of that; ``exposure_percent`` the
    candles in which something was held. P&L has what is still open in it, trades have not.
    """
    candles, starting = plan.past.candles[plan.begin :], plan.starting_balance
    length, first = timedelta(seconds=plan.past.seconds), candles[0].open
    values = [(candles[0].time, starting, starting)] + [
        (each.time + length, each.equity, hold_equity(each, first, starting))
        for each in tested.points
    ]
    figures = {
        **_money(plan, tested.account),
        **_trades(tested.sums),
        "hold_percent": quantized((tested.points[-1].close / first - 1) * 100),
        "max_drawdown_percent": quantized(_drawdown(each for _, each, _ in values)),
        "exposure_percent": quantized(Decimal(tested.exposed) / len(tested.points) * 100),
    }
    instruments = {plan.past.instrument.symbol: plan.past.instrument}
    market = Market(instruments=instruments, decimals=plan.decimals)
    newest = tested.trades[: -MOST_ROWS - 1 : -1]
    return {
        "from": iso(values[0][0]),
        "to": iso(values[-1][0]),
        "candles": len(tested.points),
        "seconds": plan.past.seconds,
        **figures,
        "curve": [
            [iso(time), equity.quantize(_CENT), held.quantize(_CENT)]
            for time, equity, held in _thinned(values)
        ],
        "rows": [trade_row(each, market, name=plan.settings.name) for each in newest],
        "stopped_because": tested.stopped_because,
        "ambiguous_trades": tested.ambiguous_trades,
        "refused": [{"count": count, "reason": why} for why, count in _reasons(tested.refused)],
        "display": _texts(figures, plan.decimals),
    }


def notes(plan: Plan, tested: Tested) -> str:
    """What else there is to know of the figures, in sentences; empty for nothing."""
    said = list(plan.past.notes)
    if plan.past.seconds > plan.settings.seconds:
        there, chosen = (
            length_text(timedelta(seconds=each))
            for each in (plan.past.seconds, plan.settings.seconds)
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
    if not plan.past.marks:
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


def _money(plan: Plan, account: Account) -> dict[str, Decimal]:
    net = account.equity - plan.starting_balance
    return {
        "starting_balance": plan.starting_balance,
        "equity": quantized(account.equity),
        "net_pnl": quantized(net),
        "return_percent": quantized(net / plan.starting_balance * 100),
        "fees": account.wallet.fees_paid,
        "funding": account.wallet.funding,
    }


def _trades(sums: TradeSums) -> dict[str, Any]:
    return {
        "trades": sums.trades,
        "wins": sums.wins,
        "losses": sums.losses,
        "even": sums.even,
        "win_rate": _rounded(sums.win_rate),
        "profit_factor": _rounded(sums.profit_factor),
        "average_pnl": _rounded(sums.expectancy),
    }


def _rounded(number: Decimal | None) -> Decimal | None:
    return None if number is None else quantized(number)


def _drawdown(equities: Iterator[Decimal]) -> Decimal:
    peak = worst = ZERO
    for equity in equities:
        peak = max(peak, equity)
        worst = max(worst, (peak - equity) / peak * 100 if peak else ZERO)
    return worst


def _thinned(values: Sequence[_Value]) -> Sequence[_Value]:
    """At most ``MOST_POINTS`` of ``values``: the first, the last, and of each stretch between them
    the lowest and the highest equity."""
    count = len(values)
    if count <= MOST_POINTS:
        return values
    stretches = (MOST_POINTS - 2) // 2
    kept = {0, count - 1}
    for number in range(stretches):
        begin = 1 + number * (count - 2) // stretches
        end = 1 + (number + 1) * (count - 2) // stretches
        places = range(begin, end)
        kept.add(min(places, key=lambda place: values[place][1]))
        kept.add(max(places, key=lambda place: values[place][1]))
    return [values[place] for place in sorted(kept)]


def _texts(figures: Mapping[str, Any], decimals: int) -> Row:
    factor, spent = figures["profit_factor"], ("starting_balance", "equity", "fees")
    return {
        **{name: dollars(figures[name], decimals) for name in spent},
        **{name: gain(figures[name], decimals) for name in ("net_pnl", "funding", "average_pnl")},
        **{name: percent(figures[name]) for name in ("return_percent", "hold_percent")},
        **{name: percent(figures[name]).lstrip("+") for name in ("win_rate", "exposure_percent")},
        # a fall is told as one
        "max_drawdown_percent": percent(-figures["max_drawdown_percent"]),
        "profit_factor": NONE if factor is None else f"{factor:,.2f}",
        **{name: f"{figures[name]:,}" for name in ("trades", "wins", "losses", "even")},
    }
