"""How the P&L of a period comes about: from the account as it was then to what it is now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from balance.core.figures import dollars, gain, percent
from balance.core.moments import utc_text
from balance.core.money import ZERO, exactly, quantized
from balance.core.periods import period_percent
from balance.history.epochs import Epoch
from balance.performance.derivations.account import PAID, TOTALS, total_in
from balance.performance.derivations.derivation import (
    DIVIDED,
    IN_PERCENT,
    MINUS,
    Derivation,
    Part,
    Term,
    added,
    link,
    total_of,
)
from balance.performance.sample import Sample

# older epochs than so many are told in one line
_MOST_EPOCHS: Final = 10
#: What moment a period is measured from, unless it is another.
BEFORE: Final = "the last moment known before the period began"


@exactly
def period_derivation(
    title: str,
    base: Sample | None,
    now: Sample,
    epochs: Mapping[int, Epoch],
    decimals: int,
    since: str = BEFORE,
) -> Derivation:
    """The derivation of the P&L from ``base`` to ``now``. ``epochs``, by their numbers, tell what
    each of those between them brought; ``since`` says what moment that of ``base`` is."""
    if base is None or (base.epoch != now.epoch and None in (base.all_pnl, now.all_pnl)):
        return Derivation(title, f"{_WORDS} It is not known how the account stood then.", ())
    words = f"{_WORDS} Since {utc_text(base.time)}, {since}."
    if base.revision == 1:
        words = f"{_WORDS} Since {utc_text(base.time)}, when the account was made."
    if base.epoch == now.epoch:
        return Derivation(title, words, _within(base, now, decimals))
    return Derivation(title, words, _across(base, now, epochs, decimals))


_WORDS: Final = "What was gained or lost, whatever was put in or taken out."


@exactly
def period_percent_derivation(pnl: Decimal | None, now: Sample, decimals: int) -> Derivation:
    """The derivation of ``pnl``, that of today, in percent of what there would be without it."""
    title = "P&L today, in percent"
    words = "The P&L of today in percent of what the equity would be without it."
    told = period_percent(pnl, now.equity)
    if pnl is None or told is None:
        return Derivation(title, f"{words} That is not known, or nothing.", ())
    without = now.equity - pnl
    return Derivation(
        title,
        words,
        (
            Term(" ", "P&L today", gain(pnl, decimals), pnl, derive="pnl_today"),
            Term(DIVIDED, "Equity without it", dollars(without, decimals), without),
            IN_PERCENT,
            total_of(title, quantized(told), percent(quantized(told))),
        ),
    )


@exactly
def all_time_derivation(now: Sample, epochs: Mapping[int, Epoch], decimals: int) -> Derivation:
    """The derivation of the P&L of all epochs up to ``now``."""
    title, words = "P&L of all time", "The P&L of this epoch and of all before it."
    if now.all_pnl is None or now.carried is None:
        return Derivation(title, f"{words} The earlier ones are not known yet.", ())
    parts = [_so_far(now), *_earlier(now.carried, now.epoch, None, epochs)]
    return Derivation(title, words, (*added(parts, decimals), _total(now.all_pnl, decimals)))


def _total(pnl: Decimal, decimals: int) -> Term:
    return total_of("P&L", pnl, gain(pnl, decimals))


def _within(base: Sample, now: Sample, decimals: int) -> tuple[Term, ...]:
    """From the equity then to that of now, and what of it is P&L."""
    flows: list[Part] = []
    results: list[Part] = []
    for name, (kinds, label, _) in TOTALS.items():
        change = total_in(now.wallet, name) - total_in(base.wallet, name)
        if change:
            sign: Any = MINUS if name in PAID else "+"
            href = link("ledger", kind=kinds, after=base.revision, until=now.revision)
            kept = flows if name in ("deposits", "withdrawals") else results
            kept.append(Part(sign, label, change, href))
    stated = now.wallet.starting_balance - base.wallet.starting_balance
    if stated:
        flows.append(Part("+", "Starting balance stated anew", stated))
    then = Part("+", f"Equity at {utc_text(base.time)}", base.equity)
    moved = Part("+", "Change of unrealised P&L", now.unrealized_pnl - base.unrealized_pnl)
    equity = total_of("Equity now", now.equity, dollars(now.equity, decimals))
    back = [Part(MINUS, "Equity then", base.equity), *map(_turned, flows)]
    return (
        *added([then, *flows, *results, moved], decimals),
        equity,
        *added(back, decimals, is_first=False),
        _total(now.pnl - base.pnl, decimals),
    )


def _turned(part: Part) -> Part:
    return Part("+" if part.sign == MINUS else MINUS, part.label, part.amount, part.href)


def _across(
    base: Sample, now: Sample, epochs: Mapping[int, Epoch], decimals: int
) -> tuple[Term, ...]:
    """A line for each epoch in which the period was."""
    earlier = (now.carried or ZERO) - (base.carried or ZERO)
    parts = [_so_far(now), *_earlier(earlier, now.epoch, base.epoch, epochs)]
    then = Part(MINUS, f"P&L of epoch {base.epoch} at {utc_text(base.time)}", base.pnl)
    pnl = (now.all_pnl or ZERO) - (base.all_pnl or ZERO)
    return (*added([*parts, then], decimals), _total(pnl, decimals))


def _so_far(now: Sample) -> Part:
    href = link("ledger", epoch=now.epoch)
    return Part("+", f"P&L of epoch {now.epoch}, so far", now.pnl, href)


def _earlier(
    total: Decimal, epoch: int, base: int | None, epochs: Mapping[int, Epoch]
) -> list[Part]:
    """Parts that come to ``total``: what the epochs before ``epoch`` brought, but for those before
    ``base``."""
    ours = counted(epoch, epochs)
    theirs = frozenset() if base is None else counted(base, epochs)
    if ours is None or theirs is None:
        return [Part("+", "P&L of earlier epochs", total, link("epochs"))] if total else []
    parts: list[Part] = []
    for number in sorted(ours ^ theirs, reverse=True)[:_MOST_EPOCHS]:
        sign: Any = "+" if number in ours else MINUS
        why = "" if number in ours else ", which was gone on with"
        label = f"P&L of epoch {number}{why}"
        parts.append(Part(sign, label, epochs[number].pnl, link("ledger", epoch=number)))
    told = sum((part.amount if part.sign == "+" else -part.amount for part in parts), ZERO)
    if total != told:
        parts.append(Part("+", "P&L of epochs before those", total - told, link("epochs")))
    return parts


def counted(epoch: int, epochs: Mapping[int, Epoch]) -> frozenset[int] | None:
    """The epochs whose P&L is what ``epoch`` began with: all before it, but for those that a later
    one goes on with, which is in the later one's P&L. None where one of ``epochs`` is missing."""
    found: set[int] = set()
    number = epoch
    while number > 1:
        row = epochs.get(number)
        if row is None:
            return None
        if row.continues is None:
            number -= 1
            found.add(number)
            continue
        between = range(row.continues + 1, number)
        if any(each not in epochs for each in between):
            return None
        continued = {epochs[each].continues for each in between}
        found |= {each for each in between if each not in continued}
        number = row.continues
    return frozenset(found)
