"""What trading costs, and what an order has that does not say: fees, slippage, leverage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Fees and slippage are fractions of the notional. The default fees are those of Binance's
    regular users (FAQ 360033544231)."""

    # of a limit order that rested
    maker_fee: Decimal = Decimal("0.0002")
    # of every other fill
    taker_fee: Decimal = Decimal("0.0005")
    # how much worse than bid or ask an order at market fills, as a fraction of that price; the
    # result is rounded to the tick, against the one who trades
    slippage: Decimal = Decimal("0.0001")
    # of an order that names none, where nothing of its symbol is open yet; less where the symbol
    # allows no more
    default_leverage: Decimal = Decimal(10)
