"""The market at one moment: the newest quotes of one feed, what may be traded, at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core.errors import InvalidRequest, NoLivePrice
from balance.core.figures import CENTS
from balance.core.instrument import Instrument
from balance.core.money import exactly
from balance.core.quote import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Fees, slippage and the usual leverage. Fees are fractions of the notional; by default they
    are those of Binance's regular users (FAQ 360033544231)."""

    # The fee of a limit order that rested.
    maker_fee: Decimal = Decimal("0.0002")
    # The fee of every other fill.
    taker_fee: Decimal = Decimal("0.0005")
    # How much worse than bid or ask an order at market fills, as a fraction of that price; the
    # result is rounded to the tick, against the one who trades.
    slippage: Decimal = Decimal("0.0001")
    # The leverage of an order that names none, where nothing of its symbol is open and none is set
    # for that; less where the symbol allows no more.
    default_leverage: Decimal = Decimal(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What is known of the market. Without a feed it is ``NO_MARKET``."""

    # The feed's id, which positions are bound to; None without one.
    feed: str | None = None
    # The name of the feed for people.
    label: str = ""
    # One of none, waiting, live, stale, ended.
    state: str = "none"
    # A sentence about the state; empty where it explains itself.
    message: str = ""
    # When the newest quote came here, by this machine's clock.
    as_of: datetime | None = None
    quotes: Mapping[str, Quote] = field(default_factory=dict)
    # The symbols whose quotes are fresh: nothing fills on the others.
    live: frozenset[str] = frozenset()
    # The best mark prices of the open orders that follow the price, by their ids, as they were
    # before these quotes.
    bests: Mapping[str, Decimal] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    # How many decimals money is shown with; amounts are exact, whatever is shown.
    decimals: int = CENTS
    # Counts the moments of this feed.
    tick: int = 0

    def instrument(self, symbol: str) -> Instrument:
        """The rules of ``symbol``.

        Raises:
            InvalidRequest: it is not traded here.
        """
        if symbol not in self.instruments:
            known = ", ".join(self.instruments) or "none, as no feed runs"
            raise InvalidRequest(f"There is no symbol {symbol!r:.40} here. There are: {known}.")
        return self.instruments[symbol]

    def at(self, quote: Quote) -> Market:
        """The market with ``quote`` as the newest one of its symbol."""
        return replace(self, quotes={**self.quotes, quote.symbol: quote})

    def quote(self, symbol: str, *, closing: bool = False) -> Quote:
        """The live quote of ``symbol``; for what only closes, the last one of a replay that has
        ended as well, as no other will come.

        Raises:
            InvalidRequest: it is not traded here.
            NoLivePrice: it has none now.
        """
        self.instrument(symbol)
        is_final = closing and self.state == "ended" and symbol in self.quotes
        if symbol not in self.live and not is_final:
            raise NoLivePrice(symbol, self.message)
        return self.quotes[symbol]

    @exactly
    def taker_price(self, symbol: str, side: str, *, closing: bool = False) -> Decimal:
        """What an order of ``side`` at market fills at now: the ask or the bid, and the slippage,
        rounded to the tick against the one who trades.

        Raises:
            NoLivePrice: it has none now.
        """
        quote, instrument = self.quote(symbol, closing=closing), self.instrument(symbol)
        if side == "buy":
            return instrument.price_up(quote.ask * (1 + self.terms.slippage))
        return instrument.price_down(quote.bid * (1 - self.terms.slippage))

    def crossing_price(self, symbol: str, side: str, limit: Decimal) -> Decimal | None:
        """What an order of ``side`` with the price ``limit`` fills at in the moment it arrives;
        None where it rests.

        Raises:
            NoLivePrice: it has none now.
        """
        quote, price = self.quote(symbol), self.taker_price(symbol, side)
        if side == "buy":
            return min(limit, price) if limit >= quote.ask else None
        return max(limit, price) if limit <= quote.bid else None


#: While no feed runs.
NO_MARKET: Final = Market()
