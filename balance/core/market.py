"""The market at one moment: the newest quotes of one feed, what may be traded, at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from balance.core.errors import NoLivePrice
from balance.core.figures import CENTS
from balance.core.instrument import Instrument
from balance.core.money import ZERO, exactly
from balance.core.quote import Quote
from balance.core.symbols import no_symbol

#: However large an order is, it fills at no less than a half of the bid: beyond that a larger one
#: would bring less.
MOST_SLIPPAGE: Final = Decimal("0.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Fees, slippage and the usual leverage. Fees are fractions of the notional; by default they
    are those of Binance's regular users (FAQ 360033544231)."""

    # The fee of a limit order that rested.
    maker_fee: Decimal = Decimal("0.0002")
    # The fee of every other fill.
    taker_fee: Decimal = Decimal("0.0005")
    # How much worse than bid or ask the smallest order at market fills, as a fraction of that
    # price; the result is rounded to the tick, against the one who trades.
    slippage: Decimal = Decimal("0.0001")
    # How much worse than that one fills that is worth the market's depth, as a fraction; others in
    # proportion.
    depth_slippage: Decimal = Decimal("0.001")
    # In the quote currency; 0: the size of an order makes no difference.
    market_depth: Decimal = ZERO
    # The leverage of an order that names none, where nothing of its symbol is open and none is set
    # for that; less where the symbol allows no more.
    default_leverage: Decimal = Decimal(10)

    def slippage_of(self, value: Decimal) -> Decimal:
        """How much worse than bid or ask an order at market fills that is worth ``value`` there, in
        the quote currency: as a fraction of that price, at most ``MOST_SLIPPAGE``."""
        if not self.market_depth:
            return self.slippage
        by_size = self.depth_slippage * value / self.market_depth
        return min(self.slippage + by_size, MOST_SLIPPAGE)

    def value_before_slippage(self, value: Decimal, direction: int) -> Decimal:
        """What an order at market is worth at bid or ask that is worth ``value`` where it fills;
        ``direction`` is 1 for one that buys, -1 for one that sells."""
        # x * (1 + direction * (slippage + rate * x)) = value, solved for x.
        rate = self.depth_slippage / self.market_depth if self.market_depth else ZERO
        linear = 1 + direction * self.slippage
        root = linear * linear + 4 * direction * rate * value
        before = 2 * value / (linear + root.sqrt()) if root >= 0 else None
        # Up to the limit a larger order brings more, so that there is one solution.
        if before is None or self.slippage + rate * before > MOST_SLIPPAGE:
            return value / (1 + direction * MOST_SLIPPAGE)
        return before


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
            raise no_symbol(symbol, self.instruments)
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

    def best_price(self, symbol: str, side: str, *, closing: bool = False) -> Decimal:
        """What is offered to an order of ``side`` now: the ask or the bid.

        Raises:
            NoLivePrice: it has none now.
        """
        quote = self.quote(symbol, closing=closing)
        return quote.ask if side == "buy" else quote.bid

    @exactly
    def taker_price(
        self, symbol: str, side: str, quantity: Decimal, *, closing: bool = False
    ) -> Decimal:
        """What ``quantity`` base units of ``side`` at market fill at now: the ask or the bid, and
        the slippage of that size, rounded to the tick against the one who trades.

        Raises:
            NoLivePrice: it has none now.
        """
        best, instrument = self.best_price(symbol, side, closing=closing), self.instrument(symbol)
        slippage = self.terms.slippage_of(quantity * best)
        if side == "buy":
            return instrument.price_up(best * (1 + slippage))
        return instrument.price_down(best * (1 - slippage))

    @exactly
    def taker_quantity(
        self, symbol: str, side: str, value: Decimal, *, closing: bool = False
    ) -> Decimal:
        """How many base units of ``side`` at market are worth ``value``, in the quote currency,
        where they fill now; but for the tick.

        Raises:
            NoLivePrice: it has none now.
        """
        before = self.terms.value_before_slippage(value, 1 if side == "buy" else -1)
        return before / self.best_price(symbol, side, closing=closing)

    def crossing_price(
        self, symbol: str, side: str, quantity: Decimal, limit: Decimal
    ) -> Decimal | None:
        """What ``quantity`` base units of ``side`` with the price ``limit`` fill at in the moment
        they arrive, however large they are; None where they rest.

        Raises:
            NoLivePrice: it has none now.
        """
        quote, price = self.quote(symbol), self.taker_price(symbol, side, quantity)
        if side == "buy":
            return min(limit, price) if limit >= quote.ask else None
        return max(limit, price) if limit <= quote.bid else None


#: While no feed runs.
NO_MARKET: Final = Market()
