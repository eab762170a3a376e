"""What each owner made of its trades in the running epoch, carried on with every commit."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from balance.core.errors import StoreError
from balance.core.money import exact
from balance.core.order import ENDINGS
from balance.core.trade import Fill
from balance.core.trade_sums import TradeSums
from balance.desk.desk import Desk
from balance.desk.summation import Reached, Summation


@dataclass(frozen=True, slots=True)
class OwnerSums:
    """What the fills of an owner add up to."""

    fills: int = 0
    trades: TradeSums = field(default_factory=TradeSums)

    def with_fill(self, fill: Fill) -> OwnerSums:
        """The sums with one more fill, and with the trade that it ended."""
        trades = self.trades if fill.trade is None else self.trades.with_trade(fill.trade)
        return OwnerSums(self.fills + 1, trades)


#: What no fills add up to.
NOTHING: Final = OwnerSums()


class Sums:
    """The sums of all owners over the running epoch of ``desk``, in memory. Safe to use from many
    threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._summation = Summation(desk)
        self._reached = Reached()
        self._sums: Mapping[str, OwnerSums] = MappingProxyType({})
        self._guard = threading.Lock()

    def latest(self) -> Mapping[str, OwnerSums]:
        """The sums by owner. While the ledger can't be read, those of before: every tab says so."""
        with self._guard, suppress(StoreError):
            self._catch_up()
        return self._sums

    def _catch_up(self) -> None:
        portion = self._summation.portion(self._reached)
        if portion is None:
            return
        sums = {} if portion.is_anew else dict(self._sums)
        with exact():
            for entry in self._desk.ledger.fills_after(portion.begin):
                fill = entry.booking.fill
                is_counted = (
                    portion.begin < entry.revision <= portion.reached.revision
                    and entry.booking.epoch in portion.epochs
                )
                # What a reset ended is not of the new epoch; after an undo it is open again.
                if is_counted and fill is not None and fill.owner and fill.reason not in ENDINGS:
                    sums[fill.owner] = sums.get(fill.owner, NOTHING).with_fill(fill)
        self._sums, self._reached = sums, portion.reached
        self._summation.done(portion)
