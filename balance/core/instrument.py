"""What may be traded, and by what rules: ticks, steps, minimums and leverage brackets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

from balance.core.errors import QuantityTooLarge, QuantityTooSmall
from balance.core.figures import grouped
from balance.core.money import ZERO, exact

#: From one funding settlement to the next, where nothing else is known.
FUNDING_INTERVAL: Final = timedelta(hours=8)
#: All that there may be: those of whole hours that divide a day.
FUNDING_INTERVALS: Final = tuple(timedelta(hours=n) for n in range(1, 25) if 24 % n == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One leverage bracket: what holds for notionals, in the quote currency, from ``floor`` up to
    the next bracket's floor."""

    floor: Decimal
    # The maintenance margin is this fraction of the notional, less this amount.
    maintenance_rate: Decimal
    maintenance_amount: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The rules of one linear perpetual; prices per base unit, quantities in base units."""

    # The unified symbol of ccxt without the settlement currency: BTC/USDT.
    symbol: str
    tick_size: Decimal
    step_size: Decimal
    min_quantity: Decimal
    # The largest quantity of one order, in base units, where the exchange has a limit; else None.
    max_quantity: Decimal | None = None
    # The smallest notional of an order that is not reduce-only, in the quote currency.
    min_notional: Decimal
    # The largest notional of a position, in the quote currency, where there is a limit; else None.
    max_notional: Decimal | None = None
    # From the floor 0 on, rising.
    brackets: tuple[Bracket, ...]
    # From one funding settlement to the next, counted from midnight UTC.
    funding_interval: timedelta = FUNDING_INTERVAL
    # Whether its mark price is known; where it is not, the last price is taken for it.
    has_mark: bool = True
    # Whether the rules are made from a price, not an exchange's own, and follow it when it moves.
    follows_price: bool = field(default=False, compare=False)

    def price(self, price: Decimal) -> Decimal:
        """``price`` rounded to the tick, half up."""
        return _on(self.tick_size, price, ROUND_HALF_UP)

    def price_up(self, price: Decimal) -> Decimal:
        """The first price on a tick that is not below ``price``."""
        return _on(self.tick_size, price, ROUND_CEILING)

    def price_down(self, price: Decimal) -> Decimal:
        """The last price on a tick that is not above ``price``, but at least one tick."""
        return max(self.tick_size, _on(self.tick_size, price, ROUND_FLOOR))

    def quantity(self, quantity: Decimal) -> Decimal:
        """``quantity`` cut to the step."""
        return _on(self.step_size, quantity, ROUND_DOWN)

    def bracket(self, notional: Decimal) -> Bracket:
        """The bracket that holds ``notional``, in the quote currency."""
        return bracket_of(self.brackets, notional)

    def max_leverage(self, notional: Decimal) -> Decimal:
        """The highest leverage that a position of ``notional`` may have."""
        return self.bracket(notional).max_leverage

    @property
    def base(self) -> str:
        """The currency that quantities are in: BTC of BTC/USDT."""
        return self.symbol.partition("/")[0]


def bracket_of(brackets: Sequence[Bracket], notional: Decimal) -> Bracket:
    """That of ``brackets``, at least one, that holds ``notional``."""
    held = [each for each in brackets if each.floor <= notional]
    return held[-1] if held else brackets[0]


def maintenance_amount(
    floor: Decimal, rate: Decimal, previous_rate: Decimal, previous_amount: Decimal
) -> Decimal:
    """The amount of the bracket that begins at ``floor``, in the quote currency, with which the
    maintenance margin is continuous (Binance FAQ b3c689c1f50a44cabb3a84e663b81d93)."""
    with exact():
        return previous_amount + floor * (rate - previous_rate)


def brackets(rungs: Iterable[tuple[str | Decimal, str | Decimal, int]]) -> tuple[Bracket, ...]:
    """Brackets from rows of floor, maintenance rate (a fraction) and highest leverage."""
    rows = [(Decimal(floor), Decimal(rate), Decimal(most)) for floor, rate, most in rungs]
    made: list[Bracket] = []
    previous_rate = amount = ZERO
    for floor, rate, most in rows:
        amount = maintenance_amount(floor, rate, previous_rate, amount)
        made.append(
            Bracket(
                floor=floor, maintenance_rate=rate, maintenance_amount=amount, max_leverage=most
            )
        )
        previous_rate = rate
    return tuple(made)


def _on(grid: Decimal, value: Decimal, rounding: str) -> Decimal:
    with exact():
        return (value / grid).quantize(Decimal(1), rounding=rounding) * grid


def on_step(instrument: Instrument, quantity: Decimal) -> Decimal:
    """``quantity`` cut to the step of ``instrument``.

    Raises:
        QuantityTooSmall, QuantityTooLarge: that is less or more than an order may have.
    """
    cut = instrument.quantity(quantity)
    if cut < instrument.min_quantity or cut <= 0:
        raise QuantityTooSmall(
            f"The smallest order of {instrument.symbol} is {grouped(instrument.min_quantity)} "
            f"{instrument.base}, in steps of {grouped(instrument.step_size)}."
        )
    if instrument.max_quantity is not None and cut > instrument.max_quantity:
        raise QuantityTooLarge(
            f"The largest order of {instrument.symbol} is {grouped(instrument.max_quantity)} "
            f"{instrument.base}."
        )
    return cut
