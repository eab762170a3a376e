"""The quiet band: how far a price may go before anything happens to an account that trades one
symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from balance.core.account import Account
from balance.core.funding import next_settlement
from balance.core.money import ZERO
from balance.core.order import Order

_ENDLESS: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class QuietBand:
    """The mark prices between which, before an instant, nothing happens: no liquidation, no fill
    and no settlement. :func:`~balance.core.matching.is_due` is the same for all of them."""

    # Something happens at ``low`` or below, and at ``high`` or above.
    low: Decimal = ZERO
    high: Decimal = _ENDLESS
    # The next funding settlement; None where nothing is held.
    until: datetime | None = None

    def holds(self, low: Decimal, high: Decimal, now: datetime) -> bool:
        """Whether nothing happens while the price is from ``low`` to ``high``, up to ``now``."""
        return self.low < low and high < self.high and (self.until is None or now < self.until)


def quiet_band(account: Account, symbol: str, interval: timedelta) -> QuietBand:
    """The quiet band of ``symbol``, the only one that ``account`` trades, whose funding settlements
    are ``interval`` apart."""
    position = account.position(symbol)
    low, high, until = ZERO, _ENDLESS, None
    if position is not None:
        until = next_settlement(position.funded_at, interval)
        price = position.liquidation_price
        if price is not None and position.side == "long":
            low = price
        elif price is not None:
            high = price
    for order in account.orders:
        lower, higher = _trigger_band(order)
        low, high = max(low, lower), min(high, higher)
    return QuietBand(low, high, until)


def _trigger_band(order: Order) -> tuple[Decimal, Decimal]:
    """At or below which price, and at or above which one, ``order`` fills or follows."""
    level = order.trigger_level
    if order.kind.follows:
        # It follows each better price, and the first one from its activation price on.
        edge = order.activation_price if order.best_price is None else order.best_price
        if order.side == "sell":
            return level or ZERO, ZERO if edge is None else edge
        return _ENDLESS if edge is None else edge, level or _ENDLESS
    trigger = order.kind.trigger(order)
    if trigger is None or level is None:
        # Bid and ask differ from the mark price, so that every price is to be processed.
        return _ENDLESS, ZERO
    return (ZERO, level) if trigger.above else (level, _ENDLESS)
