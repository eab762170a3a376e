"""The terms that returns and drawdowns are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from balance.core.figures import dollars, gain, percent
from balance.core.moments import utc_text
from balance.core.money import exactly, quantized
from balance.history.rows import duration
from balance.performance.derivations.derivation import (
    DIVIDED,
    IN_PERCENT,
    MINUS,
    TIMES,
    Derivation,
    Sign,
    Term,
    link,
    total_of,
)
from balance.performance.results import YEAR_ROOT, Results, Span, mean, seconds_of
from balance.performance.sample import ONE, Sample

# Older flows than so many are one term together.
_MOST_FLOWS: Final = 12
# An account that began with a hundred-millionth may gain more than the digits of a figure hold.
_MOST_GROWTH: Final = Decimal(10**15)
_BEGINNING: Final = Term(MINUS, "What it began as", "1", ONE)


def in_percent(growth: Decimal | None) -> Decimal | None:
    """What ``growth`` is as a return, in percent; None where it is not known or beyond all
    reason."""
    if growth is None or growth >= _MOST_GROWTH:
        return None
    return quantized((growth - ONE) * 100)


@exactly
def growth_terms(now: Sample, flows: Sequence[Sample], decimals: int) -> Sequence[Term]:
    """The terms that the growth up to ``now`` is the product of; ``flows`` are the samples just
    before money came or went, oldest first."""
    if flows:
        return _between_flows(flows, now)
    wallet = now.wallet
    if not wallet.starting_balance > 0 == wallet.deposits == wallet.withdrawals:
        return (growth_term(" ", "Growth since the epoch began", now.growth),)
    start = wallet.starting_balance
    opened = link("ledger", kind="start,reset,undo", epoch=now.epoch)
    return (
        Term(" ", "Equity now", dollars(now.equity, decimals), now.equity),
        Term(DIVIDED, "Starting balance", dollars(start, decimals), start, opened),
    )


def _between_flows(flows: Sequence[Sample], now: Sample) -> Sequence[Term]:
    """The growth from each moment at which money came or went to the next."""
    before, terms = ONE, list[Term]()
    for flow in flows[-_MOST_FLOWS:]:
        label = f"Growth until {utc_text(flow.time)}"
        href = link(
            "ledger", kind="deposit,withdrawal", after=flow.revision, until=flow.revision + 1
        )
        sign: Sign = TIMES if terms else " "
        terms.append(growth_term(sign, label, _ratio(flow.growth, before), href))
        before = flow.growth
    return (*terms, growth_term(TIMES, "Growth since", _ratio(now.growth, before)))


def _ratio(growth: Decimal, before: Decimal) -> Decimal:
    # After a total loss nothing grows any more.
    return growth / before if before else growth


def growth_term(sign: Sign, label: str, growth: Decimal, href: str | None = None) -> Term:
    """A growth with six decimals."""
    return Term(sign, label, f"{growth:.6f}", growth, href)


def return_terms(growth: Decimal, factors: Sequence[Term]) -> Sequence[Term]:
    """``growth`` as a return in percent; ``factors`` are what it is the product of, if known."""
    terms = factors or (growth_term(" ", "Growth since it began", growth),)
    return (*terms, _BEGINNING, IN_PERCENT)


@exactly
def linked_derivation(factors: Sequence[tuple[str, Decimal]], total: Decimal | None) -> Derivation:
    """The derivation of the return ``total`` of a range from what one unit grew by in each part of
    it, oldest first, each with its label."""
    title = "Return of this range, time-weighted"
    text = "What one unit of money became, whatever was put in, taken out or reset meanwhile."
    if total is None:
        return Derivation(title, f"{text} It is not known.", ())
    older, newer = factors[:-_MOST_FLOWS], factors[-_MOST_FLOWS:]
    product = ONE
    for _, factor in older:
        product *= factor
    terms: list[Term] = []
    for label, factor in [*([("Growth before these", product)] if older else []), *newer]:
        terms.append(growth_term(TIMES if terms else " ", label, factor))
    end = total_of("Return", total, percent(total))
    return Derivation(title, text, (*terms, _BEGINNING, IN_PERCENT, end))


def drawdown_terms(fall: Span) -> Sequence[Term]:
    """The fall of the growth, in percent."""
    peak, trough = fall
    if peak.growth <= 0:
        return (Term(" ", "Nothing is left to fall", "0", Decimal(0)),)
    return (
        growth_term(" ", f"Growth at {utc_text(trough.time)}", trough.growth, entries_in(fall)),
        growth_term(DIVIDED, f"Growth at {utc_text(peak.time)}", peak.growth),
        Term(MINUS, "All of it", "1", ONE),
        IN_PERCENT,
    )


def pnl_drawdown_terms(fall: Span, decimals: int) -> Sequence[Term]:
    """The fall of the P&L, in money."""
    peak, trough = fall
    return (
        Term(
            " ",
            f"P&L at {utc_text(trough.time)}",
            gain(trough.pnl, decimals),
            trough.pnl,
            entries_in(fall),
        ),
        Term(MINUS, f"P&L at {utc_text(peak.time)}", gain(peak.pnl, decimals), peak.pnl),
    )


def length_terms(span: Span) -> Sequence[Term]:
    """How long ``span`` took, in seconds."""
    label = f"From {utc_text(span.begin.time)} to {utc_text(span.end.time)}"
    return (Term(" ", label, duration(span.length), Decimal(span.seconds), entries_in(span)),)


def open_time_terms(results: Results) -> Sequence[Term]:
    """The time with an open position, in percent."""
    return (
        _time_term(" ", "With something open", results.open_time),
        _time_term(DIVIDED, "In all", results.time),
        IN_PERCENT,
    )


def _time_term(sign: Sign, label: str, time: timedelta) -> Term:
    return Term(sign, label, duration(time), seconds_of(time))


def ratio_terms(returns: Sequence[Decimal], label: str, risk: Decimal) -> Sequence[Term]:
    """The mean of daily ``returns`` over their ``risk``, which has ``label``, for a year."""
    days = f"Mean return of {len(returns):,} days"
    return (
        Term(" ", days, f"{mean(returns):.6f}", mean(returns)),
        Term(DIVIDED, label, f"{risk:.6f}", risk),
        Term(TIMES, "Root of 365 days", f"{YEAR_ROOT:.6f}", YEAR_ROOT),
    )


def entries_in(span: Span) -> str | None:
    """Where the History shows the entries of ``span``; None where there are none."""
    begin, end = span
    if end.revision <= begin.revision:
        return None
    return link("ledger", after=begin.revision, until=end.revision)
