"""The figures of the account's performance and how each comes about, as ``GET /performance``
answers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from balance.core.figures import dollars, gain, percent
from balance.core.money import exactly, quantized
from balance.core.periods import day_start, period_percent, week_start
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.performance.baselines import period_base
from balance.performance.derivations.account import account_derivations
from balance.performance.derivations.derivation import Derivation
from balance.performance.derivations.period import (
    all_time_derivation,
    period_derivation,
    period_percent_derivation,
)
from balance.performance.derivations.position import position_derivations
from balance.performance.derivations.returns import (
    fall_derivation,
    lost_derivation,
    return_derivation,
    return_percent,
    unknown_fall,
)
from balance.performance.derivations.trades import trade_derivations, trade_figures, trade_texts
from balance.performance.derivations.wallet import Past
from balance.performance.drawdowns import Falls, falls
from balance.performance.past_epochs import PastEpoch
from balance.performance.sample import Sample
from balance.performance.sample_reader import Reader

#: The figures that there are beside those of the trades.
FIGURES: Final = (
    *("return_percent", "max_drawdown_percent", "max_drawdown", "fees_paid", "funding_paid"),
    *("pnl_today", "pnl_today_percent", "pnl_week", "pnl_epoch", "pnl_all_time"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the figures are made from, beside the samples."""

    snapshot: Snapshot
    # the same moment as a sample
    now: Sample
    # what the running epoch goes on with
    past: Past
    # the newest epochs by number, as far as they are indexed
    epochs: Mapping[int, PastEpoch]
    # how many money is shown with
    decimals: int


@exactly
def performance(told: Told, reader: Reader) -> Row:
    """The figures: money in the quote currency, percentages as their names say, None where one is
    not known; the same as texts, and the derivation of each and of all figures of the account."""
    now, decimals, snapshot = told.now, told.decimals, told.snapshot
    fallen = falls(reader, now)
    day, week = (period_base(reader, begin(now.time), now) for begin in (day_start, week_start))
    running = told.epochs.get(now.epoch)
    trades = None if running is None else running.trades
    pnl_today = _pnl_since(day, now)
    figures: dict[str, Any] = {
        "return_percent": return_percent(now),
        "max_drawdown_percent": fallen.percent,
        "max_drawdown": fallen.lost,
        **trade_figures(trades),
        "fees_paid": snapshot.fees_paid,
        "funding_paid": snapshot.funding_paid,
        "pnl_today": pnl_today,
        "pnl_today_percent": _rounded(period_percent(pnl_today, now.equity)),
        "pnl_week": _pnl_since(week, now),
        "pnl_epoch": now.pnl,
        "pnl_all_time": now.all_pnl,
    }
    derivations = {
        **account_derivations(snapshot, told.past, decimals),
        **position_derivations(snapshot),
        **_of_periods(told, day, week),
        **_of_samples(told, fallen, reader),
        **trade_derivations(trades, _epoch_filter(told), decimals),
    }
    derivations["pnl_epoch"] = derivations["current_pnl"]
    return {
        "figures": figures,
        "display": {**_texts(figures, decimals), **trade_texts(trades, decimals)},
        "derivations": {name: each.row for name, each in derivations.items()},
    }


def _pnl_since(base: Sample | None, now: Sample) -> Decimal | None:
    if base is None:
        return None
    if base.epoch == now.epoch:
        return now.pnl - base.pnl
    if now.all_pnl is None or base.all_pnl is None:
        return None
    return now.all_pnl - base.all_pnl


def _rounded(number: Decimal | None) -> Decimal | None:
    return None if number is None else quantized(number)


def _epoch_filter(told: Told) -> str:
    numbers = [told.now.epoch, *(stage.epoch for stage in told.past.stages)]
    return ",".join(map(str, numbers))


def _of_periods(told: Told, day: Sample | None, week: Sample | None) -> dict[str, Derivation]:
    now, epochs, decimals = told.now, told.epochs, told.decimals
    return {
        "pnl_today": period_derivation("P&L today", day, now, epochs, decimals),
        "pnl_today_percent": period_percent_derivation(_pnl_since(day, now), now, decimals),
        "pnl_week": period_derivation("P&L this week", week, now, epochs, decimals),
        "pnl_all_time": all_time_derivation(now, epochs, decimals),
    }


def _of_samples(told: Told, fallen: Falls, reader: Reader) -> dict[str, Derivation]:
    now = told.now
    return {
        "return_percent": return_derivation(now, reader.flows(now.chain), told.decimals),
        "max_drawdown_percent": (
            unknown_fall() if fallen.percent is None else fall_derivation(*fallen.growth)
        ),
        "max_drawdown": (
            unknown_fall(" in money")
            if fallen.lost is None
            else lost_derivation(*fallen.pnl, told.decimals)
        ),
    }


def _texts(figures: Mapping[str, Any], decimals: int) -> dict[str, str]:
    percents = ("return_percent", "max_drawdown_percent", "pnl_today_percent")
    paid = ("fees_paid", "funding_paid")
    return {
        **{name: percent(figures[name]) for name in percents},
        **{name: dollars(figures[name], decimals) for name in paid},
        **{
            name: gain(figures[name], decimals)
            for name in FIGURES
            if name not in (*percents, *paid)
        },
    }
