"""The instruments that are known without asking an exchange.

Ticks, steps, minimums and brackets are those of Binance's USD-margined perpetuals (the brackets as
of 24 October 2024). Exchanges change them often: a feed that knows the current ones brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.instrument import Instrument, brackets

_BTC: Final = Instrument(
    symbol="BTC/USDT",
    tick_size=Decimal("0.1"),
    step_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal("1000"),
    min_notional=Decimal("5"),
    brackets=brackets(
        [
            ("0", "0.004", 125),
            ("50000", "0.005", 100),
            ("600000", "0.0065", 75),
            ("3000000", "0.01", 50),
            ("12000000", "0.02", 25),
            ("70000000", "0.025", 20),
            ("100000000", "0.05", 10),
            ("230000000", "0.1", 5),
            ("480000000", "0.125", 4),
            ("600000000", "0.15", 3),
            ("800000000", "0.25", 2),
            ("1200000000", "0.5", 1),
        ]
    ),
)
_ETH: Final = Instrument(
    symbol="ETH/USDT",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal("10000"),
    min_notional=Decimal("5"),
    brackets=brackets(
        [
            ("0", "0.004", 125),
            ("50000", "0.005", 100),
            ("600000", "0.0065", 75),
            ("3000000", "0.01", 50),
            ("12000000", "0.02", 25),
            ("50000000", "0.025", 20),
            ("65000000", "0.05", 10),
            ("150000000", "0.1", 5),
            ("320000000", "0.125", 4),
            ("400000000", "0.15", 3),
            ("530000000", "0.25", 2),
            ("800000000", "0.5", 1),
        ]
    ),
)
_SOL: Final = Instrument(
    symbol="SOL/USDT",
    tick_size=Decimal("0.001"),
    step_size=Decimal("1"),
    min_quantity=Decimal("1"),
    max_quantity=Decimal("1000000"),
    min_notional=Decimal("5"),
    brackets=brackets(
        [
            ("0", "0.005", 100),
            ("20000", "0.0065", 75),
            ("100000", "0.01", 50),
            ("800000", "0.02", 25),
            ("4000000", "0.025", 20),
            ("8000000", "0.05", 10),
            ("40000000", "0.1", 5),
            ("80000000", "0.125", 4),
            ("100000000", "0.25", 2),
            ("200000000", "0.5", 1),
        ]
    ),
)

#: By symbol.
KNOWN: Final[Mapping[str, Instrument]] = MappingProxyType(
    {each.symbol: each for each in (_BTC, _ETH, _SOL)}
)


def instrument(symbol: str, price: Decimal) -> Instrument:
    """The instrument of ``symbol``. One that is not known gets Solana's brackets, the strictest
    here, a tick of five significant digits of ``price`` and a step worth about a dollar."""
    if symbol in KNOWN:
        return KNOWN[symbol]
    magnitude = price.adjusted()
    step = Decimal(1).scaleb(min(-magnitude, 0))
    return replace(
        _SOL,
        symbol=symbol,
        tick_size=Decimal(1).scaleb(magnitude - 4),
        step_size=step,
        min_quantity=step,
        max_quantity=Decimal(10) ** 9 * step,
    )
