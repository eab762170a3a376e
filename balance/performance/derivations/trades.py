"""The terms that figures of trades are made of."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from balance.core.figures import dollars, gain
from balance.core.money import ZERO
from balance.core.trade_sums import TradeSums
from balance.performance.derivations.derivation import Sign, Term, link

#: The groups of trades, by the outcome that History filters by; empty: all of them.
Outcomes = Literal["", "win", "loss", "even"]
_LABELS: Final = {
    "": "Trades",
    "win": "Winning trades",
    "loss": "Losing trades",
    "even": "Even trades",
}


@dataclass(frozen=True, slots=True)
class TradeTerms:
    """Sums over trades as terms, which lead to the trades that they are made of."""

    sums: TradeSums
    # The epochs that the trades ended in, as History filters by them.
    epochs: str
    # How many decimals money is shown with.
    decimals: int

    def count(self, sign: Sign, outcome: Outcomes = "") -> Term:
        """How many trades had ``outcome``."""
        sums = self.sums
        counts = {"": sums.trades, "win": sums.wins, "loss": sums.losses, "even": sums.even}
        number = counts[outcome]
        return Term(sign, _LABELS[outcome], f"{number:,}", Decimal(number), self._link(outcome))

    def gained(self, sign: Sign = " ") -> Term:
        """The gross profit."""
        amount = self.sums.gained
        text = dollars(amount, self.decimals)
        return Term(sign, "Gained by winners", text, amount, self._link("win"))

    def lost(self, sign: Sign = " ", factor: int = 1) -> Term:
        """The gross loss, times ``factor``."""
        amount = self.sums.lost * factor
        text = dollars(amount, self.decimals)
        return Term(sign, "Lost by losers", text, amount, self._link("loss"))

    def first(self, pnl: Decimal | None, sort: str) -> Term:
        """The P&L of the first trade in the order ``sort``."""
        href = link("trades", epoch=self.epochs, sort=sort)
        amount = ZERO if pnl is None else pnl
        return Term(" ", "The first in this list", gain(amount, self.decimals), amount, href)

    def _link(self, outcome: Outcomes) -> str:
        return link("trades", epoch=self.epochs, outcome=outcome or None)
