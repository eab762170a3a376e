"""What was made in a range of time: its P&L and its return, and how both come about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from balance.core.moments import utc_text
from balance.performance.derivations.derivation import Derivation
from balance.performance.derivations.period import BEFORE, period_derivation
from balance.performance.derivations.returns import in_percent, linked_derivation
from balance.performance.past_epochs import PastEpoch
from balance.performance.sample import ONE, Sample
from balance.performance.thinning import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The ``points`` of a range, the last of them that of ``now``, and the exact sample ``base``
    that it is measured from: the last before it, or the first in it (``is_inside``)."""

    points: Iterable[Point]
    base: Sample
    is_inside: bool
    now: Sample

    @property
    def pnl(self) -> Decimal | None:
        """What was gained or lost; None where epochs between are not known."""
        base, now = self.base, self.now
        if base.all_pnl is not None and now.all_pnl is not None:
            return now.all_pnl - base.all_pnl
        return now.pnl - base.pnl if base.epoch == now.epoch else None

    @property
    def return_percent(self) -> Decimal | None:
        """The time-weighted return, across resets too; None where it is not known."""
        base, now = self.base, self.now
        if not now.is_whole and (base.is_whole or base.chain != now.chain):
            return None
        growth = ONE
        for _, factor in self._factors():
            growth *= factor
        return in_percent(growth)

    def derivations(self, epochs: Mapping[int, PastEpoch], decimals: int) -> dict[str, Derivation]:
        """How both come about, by their names; ``epochs`` as far as they are indexed."""
        base, now = self.base, self.now
        since = "the first moment known in it" if self.is_inside else BEFORE
        pnl = period_derivation("P&L of this range", base, now, epochs, decimals, since)
        told = self.return_percent
        return {"pnl": pnl, "return_percent": linked_derivation(tuple(self._factors()), told)}

    def _factors(self) -> Iterator[tuple[str, Decimal]]:
        """What one unit grew by while each chain of epochs went on, and since when; an undo goes
        on with an older one after another."""
        begin, label = self.base.growth, f"Growth since {utc_text(self.base.time)}"
        for number, (chain, run) in enumerate(groupby(self.points, key=lambda each: each.chain)):
            growths = [Decimal(repr(each.growth)) for each in run]
            if number or chain != self.base.chain:
                begin, label = growths[0], f"Growth of epoch {chain}, or what goes on with it"
            yield label, growths[-1] / begin if begin else ONE
