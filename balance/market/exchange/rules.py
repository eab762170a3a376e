"""From a market of an exchange to an instrument: its symbol, its rules and its brackets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from balance.core.instrument import FUNDING_INTERVALS, Bracket, Instrument, brackets
from balance.core.instruments import DOLLARS, instrument
from balance.core.money import ZERO, exact, is_bounded

Market = Mapping[str, Any]

# ccxt's ways to write ticks and steps: a number of decimals, or the tick itself. The third, a
# number of significant digits, is what instrument() goes by anyway.
_DECIMALS: Final = 2
_TICKS: Final = 4
#: Where leverage tiers are public and begin at an amount of money; elsewhere they take a key, or
#: count contracts.
TIERS: Final = frozenset({"bybit", "gate", "gateio", "bitget"})
#: How many of an exchange's own symbols a message names.
_NAMED: Final = 3


def chosen(markets: Mapping[str, Market], symbol: str) -> Market | None:
    """The market that quotes ``symbol``, such as BTC/USDT: the linear perpetual if there is one,
    else the spot market; None if there is neither."""
    perpetual = markets.get(f"{symbol}:{symbol.partition('/')[2]}")
    if perpetual is not None and perpetual.get("swap") and perpetual.get("active") is not False:
        return perpetual
    spot = markets.get(symbol)
    if spot is not None and spot.get("spot") and spot.get("active") is not False:
        return spot
    return None


def not_there(name: str, symbols: Iterable[str], markets: Mapping[str, Market]) -> str:
    """The message that the exchange ``name`` has no market for ``symbols``, and which it has."""
    ours = {each.partition(":")[0] for each in markets}
    of_use = (each for each in ours if each.partition("/")[2] in DOLLARS)
    there = sorted(each for each in of_use if chosen(markets, each) is not None)
    missing = tuple(symbols)
    near = [
        found
        for symbol in missing
        for found in difflib.get_close_matches(symbol, there, n=_NAMED, cutoff=0.5)
    ]
    usual = [each for each in ("BTC/USDT", "ETH/USDT", "BTC/USD") if each in there]
    some = list(dict.fromkeys([*near, *usual, *there]))[:_NAMED]
    has = f"It has {', '.join(some)} and others." if some else "It has no market that is of use."
    return f"{name} has no {' and no '.join(missing)}. {has}"


def ruled(
    symbol: str,
    market: Market,
    precision_mode: int,
    price: Decimal | None,
    tiers: Sequence[Mapping[str, Any]] = (),
) -> Instrument:
    """The instrument of ``symbol`` by the rules of ``market``; what the exchange does not say is
    as :func:`balance.core.instruments.instrument` has it at ``price``, None for the usual one.

    A market that has no smallest notional has none here.
    """
    fallback = instrument(symbol, price)
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    size = positive(market.get("contractSize")) or Decimal(1)
    amounts = limits.get("amount") or {}
    costs = limits.get("cost") or {}
    laddered = _laddered(tiers)
    with exact():
        step = _grid(precision.get("amount"), precision_mode)
        step = step * size if step else fallback.step_size
        least, most = (positive(amounts.get(each)) for each in ("min", "max"))
        return replace(
            fallback,
            has_mark=bool(market.get("swap")),
            tick_size=_grid(precision.get("price"), precision_mode) or fallback.tick_size,
            step_size=_short(step),
            min_quantity=_short(max(least * size, step) if least else step),
            max_quantity=_short(most * size) if most else None,
            min_notional=positive(costs.get("min")) or ZERO,
            max_notional=(_cap(tiers) if laddered else None) or fallback.max_notional,
            brackets=laddered or _capped(fallback.brackets, limits),
            follows_price=not has_grid(market, precision_mode),
        )


def has_grid(market: Market, precision_mode: int) -> bool:
    """Whether tick and step of ``market`` are known without a price of it."""
    precision = market.get("precision") or {}
    return all(_grid(precision.get(each), precision_mode) for each in ("price", "amount"))


def funding_interval(rate: Mapping[str, Any]) -> timedelta | None:
    """The time between two settlements as ccxt's funding rate structure ``rate`` has it, such as
    ``4h``; None where it says none that divides a day."""
    hours = re.fullmatch(r"([1-9]\d?)h", str(rate.get("interval")))
    interval = None if hours is None else timedelta(hours=int(hours[1]))
    return interval if interval in FUNDING_INTERVALS else None


def positive(value: object) -> Decimal | None:
    """The number that ccxt means with ``value``; None if it is none that can be calculated with,
    or not above 0."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return _short(number) if is_bounded(number) and number > 0 else None


def _short(number: Decimal) -> Decimal:
    """``number`` without the zeros that a float brings along: 1000.0 is 1000, never 1E+3."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if short.as_tuple().exponent in range(1, 30) else short


def _grid(value: object, precision_mode: int) -> Decimal | None:
    if precision_mode == _TICKS:
        return positive(value)
    if precision_mode == _DECIMALS and isinstance(value, int | float):
        return Decimal(1).scaleb(-int(value))
    return None


def _laddered(tiers: Sequence[Mapping[str, Any]]) -> tuple[Bracket, ...]:
    """Brackets of the leverage tiers of an exchange; none unless they make sense as a whole."""
    rungs = []
    for tier in tiers:
        rate, most = positive(tier.get("maintenanceMarginRate")), positive(tier.get("maxLeverage"))
        # The maintenance margin must be less than the initial one.
        if rate is None or most is None or most < 1 or rate * most > 1:
            return ()
        rungs.append((positive(tier.get("minNotional")) or ZERO, rate, int(most)))
    rungs.sort()
    floors = [floor for floor, _, _ in rungs]
    rates = [rate for _, rate, _ in rungs]
    if not rungs or floors[0] != 0 or len(set(floors)) < len(floors) or rates != sorted(rates):
        return ()
    return brackets(rungs)


def _cap(tiers: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """Where the last of ``tiers`` ends, in the quote currency; None where it does not."""
    return positive(
        max(tiers, key=lambda each: positive(each.get("minNotional")) or ZERO).get("maxNotional")
    )


def _capped(held: tuple[Bracket, ...], limits: Mapping[str, Any]) -> tuple[Bracket, ...]:
    most = positive((limits.get("leverage") or {}).get("max"))
    if most is None or most < 1:
        return held
    return tuple(replace(each, max_leverage=min(each.max_leverage, most)) for each in held)
