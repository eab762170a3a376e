"""Prices in the dialect, open to everyone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from balance.api.services import Services
from balance.binance.call import Call
from balance.binance.days import Days
from balance.binance.endpoints import Json, keyed, public
from balance.binance.errors import Refusal, invalid
from balance.binance.exchange_info import exchange_info
from balance.binance.funding_history import FundingHistory
from balance.binance.market_rows import (
    aggregate_row,
    book_ticker_row,
    depth_row,
    kline_row,
    premium_row,
    price_row,
    settled_row,
    trade_row,
)
from balance.binance.names import short
from balance.core.instrument import FUNDING_INTERVAL, Instrument
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.quote import Candle, Quote
from balance.desk.desk import MOST_CANDLES, Desk
from balance.market.ticks import MOST_TICKS, Tick

#: The lengths of candles, in seconds.
INTERVALS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{f"{number}m": number * 60 for number in (1, 3, 5, 15, 30)},
        **{f"{number}h": number * 3_600 for number in (1, 2, 4, 6, 8, 12)},
        "1d": 86_400,
    }
)

_Row = Callable[[Market, Quote], Mapping[str, Any]]


class MarketData:
    """What may be traded, and what it costs. No request reads the ledger."""

    def __init__(
        self,
        desk: Desk,
        services: Services,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._desk = desk
        self._services = services
        self._clock = clock
        self._days = Days(desk, services)
        self._funding = FundingHistory(services.settle)

    @public("GET", "/fapi/v1/time")
    def read_time(self, _: Call) -> Json:
        """The time of this machine, whatever that of the market is."""
        return {"serverTime": milliseconds(self._clock())}

    @public("GET", "/fapi/v1/exchangeInfo")
    def read_exchange_info(self, _: Call) -> Json:
        """The symbols and their rules."""
        return exchange_info(self._desk.market, self._clock())

    @public("GET", "/fapi/v1/klines")
    def list_klines(self, call: Call) -> Json:
        """The candles of a symbol."""
        return self._klines(call)

    @public("GET", "/fapi/v1/continuousKlines")
    def list_continuous_klines(self, call: Call) -> Json:
        """The candles of the perpetual contract of a pair, which is the only one."""
        if call.params.needed("contractType") != "PERPETUAL":
            raise invalid("contractType")
        return self._klines(call, "pair")

    @public("GET", "/fapi/v1/markPriceKlines")
    def list_mark_klines(self, call: Call) -> Json:
        """The candles of the mark price: those of the price, as no others are kept."""
        return self._klines(call, has_volume=False)

    @public("GET", "/fapi/v1/indexPriceKlines")
    def list_index_klines(self, call: Call) -> Json:
        """The candles of the index: those of the price, as there is none."""
        return self._klines(call, "pair", has_volume=False)

    @public("GET", "/fapi/v1/depth")
    def read_depth(self, call: Call) -> Json:
        """Bid and ask, as a book one level deep."""
        call.params.whole("limit", 1, 1_000, 500)
        market = self._desk.market
        quote = market.quote(call.params.symbol(market))
        book = self._services.ticks.book(quote.symbol)
        number = book.id if book else milliseconds(quote.time)
        return depth_row(market, quote, number, self._clock())

    @public("GET", "/fapi/v1/ticker/bookTicker")
    def read_book_tickers(self, call: Call) -> Json:
        """Bid and ask of a symbol, or of all."""
        return self._rows(call, book_ticker_row)

    @public("GET", "/fapi/v1/ticker/price", "/fapi/v2/ticker/price")
    def read_prices(self, call: Call) -> Json:
        """The last price of a symbol, or of all."""
        return self._rows(call, price_row)

    @public("GET", "/fapi/v1/ticker/24hr")
    def read_days(self, call: Call) -> Json:
        """The last 24 hours of a symbol, or of all."""
        return self._rows(call, self._day_row)

    @public("GET", "/fapi/v1/premiumIndex")
    def read_premium_index(self, call: Call) -> Json:
        """The mark price of a symbol, or of all, and the coming funding."""
        return self._rows(call, premium_row)

    @public("GET", "/fapi/v1/fundingRate")
    def list_funding_rates(self, call: Call) -> Json:
        """The past settlements of a symbol, or of all."""
        market, params = self._desk.market, call.params
        symbol = params.any_symbol(market)
        if not self._services.leads:
            raise self._follows()
        found = self._funding.settlements(
            market,
            market.instruments if symbol is None else [symbol],
            params.whole("limit", 1, 1_000, 100),
            params.time("startTime"),
            params.time("endTime"),
        )
        return [
            settled_row(each.settlement, each.instant, market.instrument(each.symbol))
            for each in found
        ]

    @public("GET", "/fapi/v1/fundingInfo")
    def list_funding_intervals(self, _: Call) -> Json:
        """The symbols that are settled at other intervals than the usual one."""
        return [
            {
                "symbol": short(each.symbol),
                "adjustedFundingRateCap": "",
                "adjustedFundingRateFloor": "",
                "fundingIntervalHours": each.funding_interval // timedelta(hours=1),
                "disclaimer": False,
            }
            for each in self._desk.market.instruments.values()
            if each.funding_interval != FUNDING_INTERVAL
        ]

    @public("GET", "/fapi/v1/trades")
    def list_trades(self, call: Call) -> Json:
        """The newest changes of the price, as trades."""
        return self._trades(call, trade_row)

    @keyed("GET", "/fapi/v1/historicalTrades")
    def list_older_trades(self, call: Call) -> Json:
        """The same, from a number on where one is named."""
        return self._trades(call, trade_row, first=call.params.integer("fromId"))

    @public("GET", "/fapi/v1/aggTrades")
    def list_aggregate_trades(self, call: Call) -> Json:
        """The newest changes of the price, or those from a number or a time on, as trades."""
        params = call.params
        return self._trades(
            call,
            aggregate_row,
            first=params.integer("fromId"),
            since=params.time("startTime"),
            until=params.time("endTime"),
        )

    @public("GET", "/fapi/v1/openInterest")
    def read_open_interest(self, call: Call) -> Json:
        """How much all others hold: nothing, as there are no others."""
        market = self._desk.market
        symbol = call.params.symbol(market)
        return {
            "symbol": short(symbol),
            "openInterest": "0",
            "time": milliseconds(market.quote(symbol).time),
        }

    def _klines(self, call: Call, name: str = "symbol", *, has_volume: bool = True) -> Json:
        market, params = self._desk.market, call.params
        symbol = params.symbol(market, name)
        seconds = INTERVALS.get(params.needed("interval"))
        if seconds is None:
            raise Refusal(-1120, "Invalid interval.")
        limit = params.whole("limit", 1, MOST_CANDLES, 500)
        since, until = params.time("startTime"), params.time("endTime")
        candles = self._candles(symbol, seconds, limit, since, until)
        rules = market.instrument(symbol)
        return [kline_row(each, seconds, rules, has_volume=has_volume) for each in candles]

    def _candles(
        self,
        symbol: str,
        seconds: int,
        limit: int,
        since: datetime | None,
        until: datetime | None,
    ) -> Sequence[Candle]:
        candles = self._desk.candles(symbol, seconds, limit, since=since, until=until)
        if not candles and not self._services.leads and not self._desk.candles(symbol, limit=1):
            raise self._follows()
        return candles

    def _trades(
        self,
        call: Call,
        row: Callable[[Tick, Instrument], Mapping[str, Any]],
        *,
        first: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Json:
        """The ``row`` of each of the newest ticks or, from the number ``first`` or the time
        ``since`` on, of the oldest ones that are known."""
        market, params = self._desk.market, call.params
        symbol, limit = params.symbol(market), params.whole("limit", 1, MOST_TICKS, 500)
        ticks = [
            each
            for each in self._services.ticks.newest(symbol)
            if (first is None or each.id >= first)
            and (since is None or each.time >= since)
            and (until is None or each.time <= until)
        ]
        rules, is_newest = market.instrument(symbol), first is None and since is None
        return [row(each, rules) for each in (ticks[-limit:] if is_newest else ticks[:limit])]

    def _follows(self) -> Refusal:
        there = self._services.keys.addresses.rest or "that one"
        return Refusal(
            -1001,
            "This server follows another one on the same folder, which has the past of the market: "
            f"ask {there}.",
            status=503,
        )

    def _rows(self, call: Call, row: _Row) -> Json:
        """The ``row`` of the symbol that is named or, without one, of all that have a live
        price."""
        market = self._desk.market
        symbol = call.params.any_symbol(market)
        if symbol is not None:
            return row(market, market.quote(symbol))
        return [row(market, each) for each in _live(market)]

    def _day_row(self, market: Market, quote: Quote) -> Mapping[str, Any]:
        row = self._days.row(market, quote)
        if row is None:
            raise self._follows()
        return row


def _live(market: Market) -> Iterable[Quote]:
    """The live quotes, in the order of the symbols.

    Raises:
        Refusal: there is none.
    """
    found = [market.quotes[each] for each in market.instruments if each in market.live]
    if not found:
        message = market.message or "Try again when quotes come in."
        raise Refusal(-1001, f"No symbol has a live price now. {message}", status=503)
    return found
