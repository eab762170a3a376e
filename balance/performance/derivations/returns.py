"""How the time-weighted return and the deepest fall of an epoch come about."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from balance.core.figures import dollars, gain, percent
from balance.core.moments import utc_text
from balance.core.money import exactly, quantized
from balance.performance.derivations.derivation import (
    DIVIDED,
    HUNDRED,
    MINUS,
    TIMES,
    Derivation,
    Sign,
    Term,
    link,
    total_of,
)
from balance.performance.sample import ONE, Sample

# older flows than so many are told in one line
_MOST_FLOWS: Final = 12
# who begins with a hundred-millionth may gain more than the digits of a figure hold
_MOST_GROWTH: Final = Decimal(10**15)
_FALL: Final = "The deepest fall from the best before it, since the epoch began"


@exactly
def return_percent(now: Sample) -> Decimal | None:
    """The time-weighted return since the epoch of ``now`` began, in percent; None where it was not
    seen from there on, or is beyond all reason."""
    return in_percent(now.growth) if now.is_whole else None


def in_percent(growth: Decimal) -> Decimal | None:
    """What ``growth`` is as a return, in percent; None where it is beyond all reason."""
    return quantized((growth - ONE) * 100) if growth < _MOST_GROWTH else None


@exactly
def return_derivation(now: Sample, flows: Sequence[Sample], decimals: int) -> Derivation:
    """The derivation of the return up to ``now``; ``flows`` are the samples just before money came
    or went, oldest first."""
    title = "Time-weighted return"
    words = (
        "What one unit of money has become since the epoch began, whenever more was put in or "
        "taken out: the returns between these moments, multiplied (GIPS)."
    )
    told = return_percent(now)
    if told is None:
        why = (
            "It is not known: money was put in or taken out while nobody saw the equity, something "
            "was gained from nothing, or it is beyond all reason."
        )
        return Derivation(title, f"{words} {why}", ())
    wallet = now.wallet
    untouched = wallet.starting_balance > 0 == wallet.deposits == wallet.withdrawals
    if flows:
        terms = _between(flows, now)
    elif untouched:
        equity = Term(" ", "Equity now", dollars(now.equity, decimals), now.equity)
        terms = (equity, _divided_by_start(now, decimals))
    else:
        terms = (_growth(" ", "Growth since the epoch began", now.growth),)
    one = Term(MINUS, "What it began as", "1", ONE)
    total = total_of("Return", told, percent(told))
    return Derivation(title, words, (*terms, one, _in_percent(), total))


@exactly
def linked_derivation(factors: Sequence[tuple[str, Decimal]], told: Decimal | None) -> Derivation:
    """The derivation of the return ``told`` of a range from what one unit grew by in each part of
    it, oldest first, each with its label."""
    title = "Return of this range, time-weighted"
    words = "What one unit of money became, whatever was put in, taken out or reset meanwhile."
    if told is None:
        return Derivation(title, f"{words} It is not known.", ())
    older, newer = factors[:-_MOST_FLOWS], factors[-_MOST_FLOWS:]
    parts = [*newer] if not older else [("Growth before these", _product(older)), *newer]
    terms: list[Term] = []
    for label, factor in parts:
        terms.append(_growth(TIMES if terms else " ", label, factor))
    one = Term(MINUS, "What it began as", "1", ONE)
    return Derivation(
        title, words, (*terms, one, _in_percent(), total_of("Return", told, percent(told)))
    )


def _product(factors: Sequence[tuple[str, Decimal]]) -> Decimal:
    product = ONE
    for _, factor in factors:
        product *= factor
    return product


def _divided_by_start(now: Sample, decimals: int) -> Term:
    start = now.wallet.starting_balance
    opened = link("ledger", kind="start,reset,undo", epoch=now.epoch)
    return Term(DIVIDED, "Starting balance", dollars(start, decimals), start, opened)


def _between(flows: Sequence[Sample], now: Sample) -> tuple[Term, ...]:
    """The growth from each moment at which money came or went to the next."""
    told = flows[-_MOST_FLOWS:]
    before, terms = ONE, list[Term]()
    for flow in told:
        label = f"Growth until {utc_text(flow.time)}"
        href = link(
            "ledger", kind="deposit,withdrawal", after=flow.revision, until=flow.revision + 1
        )
        terms.append(_growth(TIMES if terms else " ", label, _ratio(flow.growth, before), href))
        before = flow.growth
    terms.append(_growth(TIMES, "Growth since", _ratio(now.growth, before)))
    return tuple(terms)


def _ratio(growth: Decimal, before: Decimal) -> Decimal:
    # after a total loss nothing grows any more
    return growth / before if before else growth


def _growth(sign: Sign, label: str, growth: Decimal, href: str | None = None) -> Term:
    return Term(sign, label, f"{growth:.6f}", growth, href)


def _in_percent() -> Term:
    return Term(TIMES, "In percent", "100", HUNDRED)


@exactly
def fall_percent(peak: Sample, trough: Sample) -> Decimal:
    """How far the growth fell from ``peak`` to ``trough``, in percent: at most zero."""
    return quantized((trough.growth / peak.growth - ONE) * 100) if peak.growth > 0 else Decimal(0)


def unknown_fall(of: str = "") -> Derivation:
    """The derivation of a deepest fall that nobody could see; ``of`` ends its title."""
    why = "The equity was not seen from there on, so it is not known."
    return Derivation(f"Maximum drawdown{of}", f"{_FALL}. {why}", ())


@exactly
def fall_derivation(peak: Sample, trough: Sample) -> Derivation:
    """The derivation of the fall from ``peak`` to ``trough``, in percent."""
    title, words = (
        "Maximum drawdown",
        f"{_FALL}, in percent of that. Money put in or out is no fall.",
    )
    told = fall_percent(peak, trough)
    total = total_of(title, told, percent(told))
    if peak.growth <= 0:
        return Derivation(title, words, (Term(" ", "Nothing is left to fall", "0", told), total))
    return Derivation(
        title,
        words,
        (
            _growth(" ", f"Growth at {utc_text(trough.time)}", trough.growth, _until(peak, trough)),
            Term(DIVIDED, f"Growth at {utc_text(peak.time)}", f"{peak.growth:.6f}", peak.growth),
            Term(MINUS, "All of it", "1", ONE),
            _in_percent(),
            total,
        ),
    )


@exactly
def lost_derivation(peak: Sample, trough: Sample, decimals: int) -> Derivation:
    """The derivation of the fall of the P&L from ``peak`` to ``trough``, in money."""
    title, lost = "Maximum drawdown in money", trough.pnl - peak.pnl
    return Derivation(
        title,
        f"{_FALL}, in money.",
        (
            Term(
                " ",
                f"P&L at {utc_text(trough.time)}",
                gain(trough.pnl, decimals),
                trough.pnl,
                _until(peak, trough),
            ),
            Term(MINUS, f"P&L at {utc_text(peak.time)}", gain(peak.pnl, decimals), peak.pnl),
            total_of(title, lost, gain(lost, decimals)),
        ),
    )


def _until(peak: Sample, trough: Sample) -> str | None:
    """The entries between the two."""
    if trough.revision <= peak.revision:
        return None
    return link("ledger", after=peak.revision, until=trough.revision)
