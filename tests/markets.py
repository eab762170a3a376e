"""Markets for the tests: what symbols cost, and by what rules they are traded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from balance.core.instrument import Bracket, Instrument
from balance.core.instruments import KNOWN
from balance.core.market import Market, Terms
from balance.core.quote import Quote
from tests.accounts import MOMENT

BTC = "BTC/USDT"
ETH = "ETH/USDT"
SOL = "SOL/USDT"
#: Trading that costs nothing.
FREE = Terms(maker_fee=Decimal(0), taker_fee=Decimal(0), slippage=Decimal(0))

_TINY = Decimal("1e-18")


def quote(
    symbol: str = BTC, mark: object = 40_000, *, time: datetime = MOMENT, **changes: Any
) -> Quote:
    """A quote without a spread, at ``mark``; ``changes`` as Quote has them, in any numbers."""
    prices = {name: Decimal(str(mark)) for name in ("bid", "ask", "last", "mark")}
    given = {
        name: None if value is None else Decimal(str(value)) for name, value in changes.items()
    }
    return Quote(symbol=symbol, time=time, **{**prices, **given})


def unlimited(symbol: str, brackets: Iterable[Bracket] = ()) -> Instrument:
    """An instrument of any size, any price and any leverage, by default without maintenance."""
    none = Bracket(
        floor=Decimal(0),
        maintenance_rate=Decimal(0),
        maintenance_amount=Decimal(0),
        max_leverage=Decimal(1_000),
    )
    return Instrument(
        symbol=symbol,
        tick_size=_TINY,
        step_size=_TINY,
        min_quantity=_TINY,
        max_quantity=Decimal(10) ** 12,
        min_notional=Decimal(0),
        brackets=tuple(brackets) or (none,),
    )


def market(*quotes: Quote, **changes: Any) -> Market:
    """A live market of ``quotes``, by default of BTC at 40,000, that knows its three symbols and
    those in the quotes; ``changes`` as Market has them."""
    quotes = quotes or (quote(),)
    others = {each.symbol: unlimited(each.symbol) for each in quotes if each.symbol not in KNOWN}
    usual = {
        "feed": "simulated",
        "state": "live",
        "as_of": max(each.time for each in quotes),
        "quotes": {each.symbol: each for each in quotes},
        "live": frozenset(each.symbol for each in quotes),
        "instruments": {**KNOWN, **others},
    }
    return Market(**{**usual, **changes})


def on(terms: Terms) -> Callable[[Market], Market]:
    """What puts a market on ``terms``, as the settings of a folder do."""
    return lambda told: told if told.terms == terms else replace(told, terms=terms)
