"""The instruments that are known without asking an exchange, and the grid of all others.

Ticks, steps and minimums of the known ones are those of Binance's USD-margined perpetuals.
Exchanges change them often: a feed that knows the current ones brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.core.bracket_table import LADDERS, STRICTEST
from balance.core.currencies import DOLLARS
from balance.core.instrument import Instrument
from balance.core.money import exact

#: The highest leverage that any known symbol allows.
MOST_LEVERAGE: Final = int(max(each.brackets[0].max_leverage for each in LADDERS.values()))
_MIN_NOTIONAL: Final = Decimal(5)
#: A tick fits a price while it is between these fractions of it.
FINEST: Final = Decimal("1e-7")
COARSEST: Final = Decimal("1e-3")


def _known(base: str, tick: str, step: str) -> Instrument:
    ladder = LADDERS[base]
    return Instrument(
        symbol=f"{base}/USDT",
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        min_quantity=Decimal(step),
        min_notional=_MIN_NOTIONAL,
        max_notional=ladder.cap,
        brackets=ladder.brackets,
        follows_price=True,
    )


#: By symbol.
KNOWN: Final[Mapping[str, Instrument]] = MappingProxyType(
    {
        each.symbol: each
        for each in (
            _known("BTC", "0.1", "0.001"),
            _known("ETH", "0.01", "0.001"),
            _known("SOL", "0.001", "1"),
        )
    }
)


def instrument(symbol: str, price: Decimal | None = None) -> Instrument:
    """The instrument of ``symbol`` at ``price``, above zero, in the quote currency per base unit;
    None while it is not known, which is taken for the usual one.

    A known symbol has its own tick and step while they fit the price. Otherwise the tick has five
    significant digits of the price, and a step is worth 0.1 to 1 of the quote currency. Brackets
    are those of the base currency, or stricter than any known ones.
    """
    base, _, quote = symbol.partition("/")
    known = KNOWN.get(f"{base}/USDT") if quote in DOLLARS else None
    if known is not None and (price is None or fits(known.tick_size, price)):
        return known if known.symbol == symbol else replace(known, symbol=symbol)
    ladder = LADDERS.get(base, STRICTEST) if quote in DOLLARS else STRICTEST
    magnitude = 0 if price is None else price.adjusted()
    step = _power_of_ten(-magnitude - 1)
    return Instrument(
        symbol=symbol,
        tick_size=_power_of_ten(magnitude - 4),
        step_size=step,
        min_quantity=step,
        min_notional=_MIN_NOTIONAL,
        max_notional=ladder.cap,
        brackets=ladder.brackets,
        follows_price=True,
    )


def fits(tick: Decimal, price: Decimal) -> bool:
    """Whether ``tick`` is fine enough for ``price``, and not finer than any market has it."""
    with exact():
        return FINEST * price <= tick <= COARSEST * price


def _power_of_ten(exponent: int) -> Decimal:
    # Without an exponent where it is whole: 1000, never 1E+3.
    return Decimal(10**exponent) if exponent > 0 else Decimal(1).scaleb(exponent)
