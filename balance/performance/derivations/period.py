"""How the P&L of a period comes about: from the account as it was then to what it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    UNREAD,
    Derivation,
    Sign,
    Term,
    link,
    money_term,
    opened,
    total_of,
)
from balance.performance.sample import Sample

# Older epochs than so many are one term together.
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
    """The derivation of the P&L from ``base`` to ``now``. ``epochs``, by their numbers, say what
    each of those between them brought; ``since`` says what moment that of ``base`` is."""
    if base is None or (base.epoch != now.epoch and None in (base.all_pnl, now.all_pnl)):
        return Derivation(title, f"{_TEXT} It is not known how the account stood then.", ())
    text = f"{_TEXT} Since {utc_text(base.time)}, {since}."
    if base.revision == 1:
        text = f"{_TEXT} Since {utc_text(base.time)}, when the account was made."
    if base.epoch == now.epoch:
        return Derivation(title, text, _within(base, now, decimals))
    return Derivation(title, text, _across(base, now, epochs, decimals))


_TEXT: Final = "What was gained or lost, whatever was put in or taken out."


@exactly
def period_percent_derivation(pnl: Decimal | None, now: Sample, decimals: int) -> Derivation:
    """The derivation of ``pnl``, that of today, in percent of what there would be without it."""
    title = "P&L today, in percent"
    text = "The P&L of today in percent of what the equity would be without it."
    found = period_percent(pnl, now.equity)
    if pnl is None or found is None:
        return Derivation(title, f"{text} That is not known, or nothing.", ())
    without = now.equity - pnl
    return Derivation(
        title,
        text,
        (
            Term(" ", "P&L today", gain(pnl, decimals), pnl, derive="pnl_today"),
            Term(DIVIDED, "Equity without it", dollars(without, decimals), without),
            IN_PERCENT,
            total_of(title, quantized(found), percent(quantized(found))),
        ),
    )


@exactly
def all_time_derivation(now: Sample, epochs: Mapping[int, Epoch], decimals: int) -> Derivation:
    """The derivation of the P&L of all epochs up to ``now``."""
    title, text = "P&L of all time", "The P&L of this epoch and of all before it."
    if now.all_pnl is None or now.carried is None:
        return Derivation(title, f"{text} {UNREAD}", ())
    parts = [_so_far(now, decimals), *_earlier(now.carried, now.epoch, None, epochs, decimals)]
    return Derivation(title, text, (*opened(parts), _total(now.all_pnl, decimals)))


def _total(pnl: Decimal, decimals: int) -> Term:
    return total_of("P&L", pnl, gain(pnl, decimals))


def _within(base: Sample, now: Sample, decimals: int) -> tuple[Term, ...]:
    """From the equity then to that of now, and what of it is P&L."""
    flows: list[Term] = []
    results: list[Term] = []
    for name, (kinds, label, _) in TOTALS.items():
        change = total_in(now.wallet, name) - total_in(base.wallet, name)
        if change:
            sign: Any = MINUS if name in PAID else "+"
            href = link("ledger", kind=kinds, after=base.revision, until=now.revision)
            group = flows if name in ("deposits", "withdrawals") else results
            group.append(money_term(sign, label, change, decimals, href))
    stated = now.wallet.starting_balance - base.wallet.starting_balance
    if stated:
        flows.append(money_term("+", "Starting balance stated anew", stated, decimals))
    then = money_term(" ", f"Equity at {utc_text(base.time)}", base.equity, decimals)
    change = now.unrealized_pnl - base.unrealized_pnl
    moved = money_term("+", "Change of unrealised P&L", change, decimals)
    equity = total_of("Equity now", now.equity, dollars(now.equity, decimals))
    back = [money_term(MINUS, "Equity then", base.equity, decimals), *map(_turned, flows)]
    return (
        *(then, *flows, *results, moved),
        equity,
        *back,
        _total(now.pnl - base.pnl, decimals),
    )


def _turned(term: Term) -> Term:
    return replace(term, sign="+" if term.sign == MINUS else MINUS)


def _across(
    base: Sample, now: Sample, epochs: Mapping[int, Epoch], decimals: int
) -> tuple[Term, ...]:
    """A line for each epoch in which the period was."""
    earlier = (now.carried or ZERO) - (base.carried or ZERO)
    parts = [_so_far(now, decimals), *_earlier(earlier, now.epoch, base.epoch, epochs, decimals)]
    label = f"P&L of epoch {base.epoch} at {utc_text(base.time)}"
    then = money_term(MINUS, label, base.pnl, decimals)
    pnl = (now.all_pnl or ZERO) - (base.all_pnl or ZERO)
    return (*opened(parts), then, _total(pnl, decimals))


def _so_far(now: Sample, decimals: int) -> Term:
    href = link("ledger", epoch=now.epoch)
    return money_term("+", f"P&L of epoch {now.epoch}, so far", now.pnl, decimals, href)


def _earlier(
    total: Decimal,
    epoch: int,
    base: int | None,
    epochs: Mapping[int, Epoch],
    decimals: int,
) -> list[Term]:
    """Terms that come to ``total``: what the epochs before ``epoch`` brought, but for those before
    ``base``."""

    def term(label: str, pnl: Decimal, epoch: int | None = None, sign: Sign = "+") -> Term:
        href = link("epochs") if epoch is None else link("ledger", epoch=epoch)
        return money_term(sign, label, pnl, decimals, href)

    ours = counted(epoch, epochs)
    theirs = frozenset() if base is None else counted(base, epochs)
    if ours is None or theirs is None:
        return [term("P&L of earlier epochs", total)] if total else []
    terms, rest = list[Term](), total
    for number in sorted(ours ^ theirs, reverse=True)[:_MOST_EPOCHS]:
        pnl, label = epochs[number].pnl, f"P&L of epoch {number}"
        if number in ours:
            terms.append(term(label, pnl, number))
        else:
            terms.append(term(f"{label}, which was gone on with", pnl, number, MINUS))
        rest -= pnl if number in ours else -pnl
    if rest:
        terms.append(term("P&L of epochs before those", rest))
    return terms


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
