"""The move of a price from one quote to the next, through every price in between.

Bid, ask, last and mark move in step and evenly over its time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from balance.core.money import ZERO, exactly, significant
from balance.core.quote import PriceName, Quote

# What times are kept to.
_TICK: Final = timedelta(milliseconds=1)


class Stop(NamedTuple):
    """A place on a leg."""

    # Of the leg's length: 0 is its start, 1 its end.
    share: Decimal
    quote: Quote


@dataclass(frozen=True, slots=True)
class Leg:
    """A continuous move from ``start`` to ``end``, two quotes of one symbol."""

    start: Quote
    end: Quote

    @exactly
    def at_price(self, name: PriceName, level: Decimal, *, above: bool) -> Stop | None:
        """Where the price ``name`` first is at ``level``, in the quote currency, or beyond: above
        it or, for ``above`` False, below it; None where it never is. That price of the stop's
        quote is ``level`` to the last digit."""
        first, last = getattr(self.start, name), getattr(self.end, name)
        if first >= level if above else first <= level:
            return Stop(ZERO, self.start)
        if last < level if above else last > level:
            return None
        share = (level - first) / (last - first)
        return Stop(share, self._quote(share, name, level))

    @exactly
    def at_time(self, moment: datetime) -> Stop:
        """Where the price is at ``moment``, or at the end of the leg that is nearer to it."""
        length = self.end.time - self.start.time
        passed = min(max(moment, self.start.time), self.end.time) - self.start.time
        share = Decimal(passed // _TICK) / Decimal(length // _TICK) if length else ZERO
        mark = self.start.mark + (self.end.mark - self.start.mark) * share
        return Stop(share, self._quote(share, "mark", significant(mark)))

    def _quote(self, share: Decimal, name: PriceName, level: Decimal) -> Quote:
        # Differences are what is interpolated: where both ends have the same, it is exact.
        bid, ask, last, mark = (
            level + self._difference(each, name, share) for each in ("bid", "ask", "last", "mark")
        )
        passed = int(share * ((self.end.time - self.start.time) // _TICK))
        time = self.start.time + passed * _TICK
        return replace(self.end, bid=bid, ask=ask, last=last, mark=mark, time=time, moved_from=None)

    def _difference(self, name: str, base: PriceName, share: Decimal) -> Decimal:
        first = getattr(self.start, name) - getattr(self.start, base)
        last = getattr(self.end, name) - getattr(self.end, base)
        difference: Decimal = first + (last - first) * share
        return difference
