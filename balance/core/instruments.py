"""The instruments that are known without asking an exchange, and the rules of all others.

Ticks, steps and minimums are those of Binance's USD-margined perpetuals, brackets those of 66 of
them as published in 2026. Exchanges change them often: a feed that knows the current ones brings
them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from types import MappingProxyType
from typing import Final, NamedTuple

from balance.core.errors import InvalidRequest
from balance.core.figures import grouped
from balance.core.instrument import Bracket, Instrument, brackets
from balance.core.money import CURRENCY, ZERO, exact
from balance.core.quote import Candle

# A line that begins with 0 names the brackets of the ladders below it, each by its maintenance
# rate and its highest leverage. A ladder is a line: the base currencies that have it, then where
# its second bracket and each later one begin, and where the last one ends, in 1,000 USDT.
_TABLE: Final = """
0.004:150 0.005:100 0.0065:75 0.01:50 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.15:3 0.25:2 0.5:1
    BTC: 300 800 3000 12000 70000 100000 230000 480000 600000 800000 1200000 1800000
    ETH: 300 800 3000 12000 50000 65000 150000 320000 400000 530000 800000 1200000
0.005:100 0.0065:75 0.01:50 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    SOL: 50 400 1000 4000 8000 40000 80000 100000 200000 400000
0.005:100 0.006:75 0.01:50 0.0125:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    XRP: 40 80 150 400 1000 2000 10000 20000 25000 50000 100000
0.005:75 0.006:50 0.01:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    BNB: 10 200 400 1500 3000 15000 30000 37500 75000 150000
0.0065:75 0.01:50 0.0125:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    DOGE: 80 150 750 2000 4000 20000 40000 50000 100000 200000
0.005:75 0.01:50 0.015:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    ADA: 10 50 200 1000 2000 10000 20000 25000 50000 100000
    AVAX: 25 80 160 800 1600 8000 16000 20000 40000 80000
    LINK: 10 200 400 800 1600 8000 16000 20000 40000 80000
    LTC: 10 50 160 800 1600 8000 16000 20000 40000 80000
    BCH: 10 100 160 800 1600 8000 16000 20000 40000 80000
    ETC: 10 50 80 400 800 3000 5000 7000 8000 9000
0.0065:75 0.01:50 0.015:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    TRX: 10 90 120 650 800 3000 6000 12000 20000 30000
    DOT: 10 50 100 500 800 4000 8000 10000 30000 50000
    CRV: 10 50 80 300 600 3000 6000 7500 15000 30000
    1000PEPE: 20 200 300 1500 3000 15000 20000 25000 30000 35000
    1000SHIB: 25 150 200 800 1600 3000 5000 6000 7000 8000
0.01:75 0.015:50 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    XLM TAO: 10 100 500 1000 5000 10000 12500 25000 50000
    FIL: 20 200 400 800 3000 7500 10000 12500 15000
    NEAR: 20 200 1000 2000 10000 20000 25000 30000 35000
    APT: 10 100 900 1100 5000 7000 8000 9000 10000
    SUI: 20 200 1000 2000 10000 20000 25000 50000 100000
    INJ: 10 80 400 800 4000 5000 6000 7000 8000
    TIA: 10 100 500 1000 5000 6000 7000 8000 9000
    AAVE: 50 150 500 600 3000 6000 7500 15000 30000
    HBAR: 10 80 400 800 4000 8000 10000 20000 40000
    ZEC: 20 200 1000 2000 5000 7500 10000 25000 60000
    WLD HYPE: 20 200 1000 2000 5000 7500 10000 12500 15000
    TON: 10 80 400 800 3000 5000 6000 7000 8000
    ENA: 20 160 800 1600 8000 16000 20000 40000 80000
0.006:75 0.01:50 0.015:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.25:2 0.5:1
    UNI: 10 50 100 500 1000 5000 10000 12500 25000 50000
    ATOM: 10 50 80 200 600 2000 4000 5000 12000 20000
    OP: 10 50 80 300 600 3000 6000 7500 18000 30000
    MKR: 5 25 80 400 800 4000 8000 10000 12000 14000
    VET: 5 25 40 200 400 1000 1500 2000 2500 3000
0.006:75 0.01:50 0.015:25 0.02:20 0.025:10 0.05:5 0.1:4 0.125:3 0.25:2 0.5:1
    ARB: 5 50 100 500 1000 5000 6000 7000 8000 9000
0.01:75 0.015:50 0.02:25 0.025:20 0.0333:15 0.05:10 0.1:5 0.125:4 0.1667:3 0.25:2 0.5:1
    SEI 1000BONK ONDO: 7.5 15 75 200 350 750 3000 4500 7500 12000 18000
    ICP XTZ PENDLE JUP COMP: 5 10 50 100 175 250 750 1500 4500 7500 12000
    ALGO SAND XMR DASH 1000FLOKI WIF IMX ENS KAS: 5 10 50 100 175 250 750 1500 4500 7500 12500
0.006:75 0.01:50 0.015:40 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.1667:3 0.25:2 0.5:1
    LDO: 5 50 80 200 400 2000 4000 5000 7500 12000 20000
0.01:75 0.015:50 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.1667:3 0.25:2 0.5:1
    MANA AXS GALA STX RUNE GRT DYDX SNX: 5 10 25 50 125 250 500 1000 7500 12500
0.006:10 0.01:9 0.015:8 0.02:7 0.025:6 0.05:5 0.1:4 0.125:3 0.25:2 0.5:1
    FTM: 5 50 80 300 600 3000 6000 7000 7200 7500
0.015:50 0.02:25 0.025:20 0.05:10 0.1:5 0.125:4 0.1667:3 0.25:2 0.5:1
    ORDI: 5 10 25 62.5 125 250 500 7500 12500
"""
#: What is taken 1:1 for USDT, with USDT itself.
DOLLARS: Final = (
    *(CURRENCY, "USD", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDD", "USDP", "PYUSD"),
    *("GUSD", "USDE", "USDS", "USD1", "RLUSD"),
)
_MIN_NOTIONAL: Final = Decimal(5)
# A tick fits a price while it is between these fractions of it.
_FINEST: Final = Decimal("1e-7")
_COARSEST: Final = Decimal("1e-3")
_TIME: Final = itemgetter(0)

#: The rules of one symbol, each with the moment from which on they are in force, oldest first.
Rules = Sequence[tuple[datetime, Instrument]]


class Ladder(NamedTuple):
    """All brackets of a symbol, and the largest notional of a position, in the quote currency."""

    brackets: tuple[Bracket, ...]
    cap: Decimal


def _ladder(tiers: str, limits: str) -> Ladder:
    rows = [each.split(":") for each in tiers.split()]
    floors = [Decimal(0), *(Decimal(int(Decimal(each) * 1_000)) for each in limits.split())]
    return Ladder(
        brackets(
            (floor, rate, int(most)) for floor, (rate, most) in zip(floors[:-1], rows, strict=True)
        ),
        cap=floors[-1],
    )


def _ladders() -> Iterator[tuple[str, Ladder]]:
    """The ladder of each base currency in the table."""
    tiers = ""
    for line in _TABLE.strip().splitlines():
        bases, _, limits = line.partition(": ")
        if line.startswith("0"):
            tiers = line
        else:
            yield from ((base, _ladder(tiers, limits)) for base in bases.split())


#: By base currency: BTC of BTC/USDT.
LADDERS: Final[Mapping[str, Ladder]] = MappingProxyType(dict(_ladders()))
#: The ladder of a symbol whose own is not known. At every notional its rate is above that of all
#: in the table, and its leverage below that of all but FTM, which was being delisted.
STRICTEST: Final = _ladder(
    "0.025:10 0.05:10 0.1:5 0.125:4 0.1667:3 0.25:2 0.5:1", "5 25 62.5 125 250 500 1000"
)
#: The highest leverage that any known symbol allows.
MOST_LEVERAGE: Final = int(max(each.brackets[0].max_leverage for each in LADDERS.values()))


def _instrument(symbol: str, ladder: Ladder, tick: Decimal, step: Decimal) -> Instrument:
    return Instrument(
        symbol=symbol,
        tick_size=tick,
        step_size=step,
        min_quantity=step,
        min_notional=_MIN_NOTIONAL,
        max_notional=ladder.cap,
        brackets=ladder.brackets,
        follows_price=True,
    )


#: By symbol.
KNOWN: Final[Mapping[str, Instrument]] = MappingProxyType(
    {
        f"{base}/USDT": _instrument(f"{base}/USDT", LADDERS[base], Decimal(tick), Decimal(step))
        for base, tick, step in (
            ("BTC", "0.1", "0.001"),
            ("ETH", "0.01", "0.001"),
            ("SOL", "0.001", "1"),
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
    tick, step = _power_of_ten(magnitude - 4), _power_of_ten(-magnitude - 1)
    return _instrument(symbol, ladder, tick, step)


def fitting_rules(rules: Instrument, low: Decimal, high: Decimal) -> Instrument:
    """``rules``, or those that fit prices from ``low`` to ``high``, in the quote currency, where
    ``rules`` do not. Rules of an exchange stay as they are."""
    if not rules.follows_price or (fits(rules.tick_size, low) and fits(rules.tick_size, high)):
        return rules
    # As fine as the lowest price needs its tick, and the highest one its step.
    fine, coarse = instrument(rules.symbol, low), instrument(rules.symbol, high)
    found = replace(
        rules,
        tick_size=min(fine.tick_size, coarse.tick_size),
        step_size=coarse.step_size,
        min_quantity=coarse.min_quantity,
    )
    return rules if found == rules else found


def rules_over(first: Instrument, candles: Iterable[Candle]) -> Rules:
    """The rules of a symbol on its way through ``candles``, at least one; ``first`` are those at
    their beginning. They change at the candle whose prices leave them."""
    found: list[tuple[datetime, Instrument]] = []
    rules, least, most = first, ZERO, ZERO
    for candle in candles:
        if found and least <= candle.low and candle.high <= most:
            continue
        now = fitting_rules(rules, candle.low, candle.high)
        if not found or now is not rules:
            found.append((candle.time, now))
        if not first.follows_price:
            break
        rules = now
        with exact():
            least, most = rules.tick_size / _COARSEST, rules.tick_size / _FINEST
    return found


def rules_at(rules: Rules, moment: datetime) -> Instrument:
    """Those of ``rules``, at least one, that are in force at ``moment``."""
    return rules[max(bisect_right(rules, moment, key=_TIME) - 1, 0)][1]


def grid_message(rules: Instrument, since: datetime) -> str:
    """That ``rules`` are new: ``"The price of NEW/USDT left its grid: from 2022-01-31 22:00 UTC on
    its tick is 0.00001 and its step 1.00."``."""
    return (
        f"The price of {rules.symbol} left its grid: from {since:%Y-%m-%d %H:%M} UTC on its tick "
        f"is {grouped(rules.tick_size)} and its step {grouped(rules.step_size)}."
    )


def fits(tick: Decimal, price: Decimal) -> bool:
    """Whether ``tick`` is fine enough for ``price``, and not finer than any market has it."""
    with exact():
        return _FINEST * price <= tick <= _COARSEST * price


def _power_of_ten(exponent: int) -> Decimal:
    # Without an exponent where it is whole: 1000, never 1E+3.
    return Decimal(10**exponent) if exponent > 0 else Decimal(1).scaleb(exponent)


def check_dollars(symbol: str) -> None:
    """Prove that ``symbol``, such as ETH/USDT, is priced in dollars.

    Raises:
        InvalidRequest: it is not, so that its prices would be no amounts of USDT.
    """
    base, _, quote = symbol.partition(":")[0].partition("/")
    if quote not in DOLLARS:
        raise InvalidRequest(
            f"{symbol} is priced in {quote}, but the balance is in {CURRENCY}: "
            f"only prices in {CURRENCY} or a dollar coin ({', '.join(DOLLARS[1:4])} and the like) "
            f"can be traded here. Choose {base}/{CURRENCY} instead."
        )


def is_same_but_for_dollars(symbol: str, other: str) -> bool:
    """Whether both are of one base currency and each is priced in some dollar."""
    (base, _, quote), (other_base, _, other_quote) = symbol.partition("/"), other.partition("/")
    return base == other_base and {quote, other_quote} <= set(DOLLARS)


def label(symbol: str) -> str:
    """``symbol`` as it is offered to be chosen: ``"BTC/USDC (1:1 USDT)"``."""
    return f"{symbol} (1:1 {CURRENCY})" if dollar_note(symbol) else symbol


def dollar_note(symbol: str) -> str:
    """What there is to say of the currency of ``symbol``; empty where that is USDT."""
    quote = symbol.partition("/")[2]
    return "" if quote == CURRENCY else f"{symbol}: 1 {quote} is taken as 1 {CURRENCY}."
