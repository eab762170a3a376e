"""The terms that figures of trades are made of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.figures import dollars, gain
from balance.core.trade_sums import TradeSums
from balance.performance.derivations.derivation import (
    DIVIDED,
    IN_PERCENT,
    MINUS,
    Sign,
    Term,
    link,
)

_SIGNS: Final[Mapping[str, Sign]] = MappingProxyType({"": " ", "+": "+", "-": MINUS, "/": DIVIDED})
# The counts of trades: what each is called, and the outcome that History filters by.
_COUNTS: Final = MappingProxyType(
    {
        "trades": ("Trades", None),
        "wins": ("Winning trades", "win"),
        "losses": ("Losing trades", "loss"),
        "even": ("Even trades", "even"),
    }
)
_MONEY: Final = MappingProxyType(
    {
        "gained": ("Gained by winners", "win"),
        "lost": ("Lost by losers", "loss"),
        "-lost": ("Lost by losers", "loss"),
    }
)
_SORTS: Final = MappingProxyType({"best": "-pnl", "worst": "pnl"})


def trade_terms(formula: str, sums: TradeSums, epochs: str, decimals: int) -> tuple[Term, ...]:
    """The terms of ``formula``, which names fields of ``sums`` with signs between them and is read
    from left to right: ``"gained - lost / trades"``. ``epochs`` are those that the trades ended in,
    as History filters by them."""

    def term(sign: Sign, name: str) -> Term:
        amount = Decimal(getattr(sums, name.removeprefix("-")) or 0)
        if name in _COUNTS:
            label, outcome = _COUNTS[name]
            href = link("trades", epoch=epochs, outcome=outcome)
            return Term(sign, label, f"{amount:,}", amount, href)
        if name in _MONEY:
            label, outcome = _MONEY[name]
            amount = -amount if name.startswith("-") else amount
            href = link("trades", epoch=epochs, outcome=outcome)
            return Term(sign, label, dollars(amount, decimals), amount, href)
        href = link("trades", epoch=epochs, sort=_SORTS[name])
        return Term(sign, "The first in this list", gain(amount, decimals), amount, href)

    parts = ["", *formula.removesuffix(" * percent").split()]
    terms = [term(_SIGNS[sign], name) for sign, name in zip(parts[::2], parts[1::2], strict=True)]
    return (*terms, IN_PERCENT) if formula.endswith("percent") else tuple(terms)
