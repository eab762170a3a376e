"""Derivations: how a figure comes about, term by term, for people who want to add it up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from balance.core.figures import CENTS, dollars
from balance.core.shape import Doc, members

#: What a term does to what was there before it; the first of all has none, and "=" says what it is.
Sign = Literal[" ", "+", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}", "="]
MINUS: Final = "\N{MINUS SIGN}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
DIVIDED: Final = "\N{DIVISION SIGN}"
HUNDRED: Final = Decimal(100)
#: Why a figure that takes all of the ledger up to now is not known.
UNREAD: Final = "It is not known while the ledger is being read, or a line of it is damaged."


@dataclass(frozen=True, slots=True)
class Term:
    """One line of a derivation."""

    sign: Annotated[Sign, Doc("What is done with the lines before it; '=' says what they are.")]
    label: str
    display: Annotated[str, Doc("The amount as text.")]
    amount: Decimal
    href: Annotated[str | None, Doc("Where the History shows the entries that make it up.")] = None
    derive: Annotated[
        str | None, Doc("The name of the derivation that says how this comes about in turn.")
    ] = None


#: The term that makes a share of the terms before it a percentage.
IN_PERCENT: Final = Term(TIMES, "In percent", "100", HUNDRED)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a figure comes about: terms that add up to it."""

    title: str
    words: Annotated[str, Doc("What it is, or why it is not known.")]
    terms: Annotated[tuple[Term, ...], Doc("In their order; none where the figure is not known.")]

    @property
    def row(self) -> dict[str, Any]:
        """The derivation as readers see it."""
        return {**members(self), "terms": [members(term) for term in self.terms]}


def money_term(
    sign: Sign, label: str, amount: Decimal, decimals: int = CENTS, href: str | None = None
) -> Term:
    """A sum of money, shown with ``decimals``."""
    return Term(sign, label, dollars(amount, decimals), amount, href)


def opened(terms: Iterable[Term]) -> tuple[Term, ...]:
    """``terms``, of which the first has no sign where it is added."""
    first, *others = terms
    return (replace(first, sign=" ") if first.sign == "+" else first, *others)


def total_of(label: str, amount: Decimal, display: str) -> Term:
    """The line that says what the ones above come to."""
    return Term("=", label, display, amount)


def link(table: str, **filters: object) -> str:
    """Where the History shows ``table`` with ``filters``; those that are None are left out."""
    named = {name: value for name, value in filters.items() if value is not None}
    return f"/history?{urlencode({'table': table, **named}, safe=',:')}"
