"""The streams of the market: what each is called, and which events it has when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

from balance.api.services import Services
from balance.binance.days import Days
from balance.binance.market_data import INTERVALS
from balance.binance.market_rows import (
    aggregate_row,
    book_ticker_row,
    kline_row,
    premium_row,
    trade_row,
)
from balance.binance.names import short, symbol_of
from balance.binance.streams.market_events import (
    Event,
    Row,
    aggregate_event,
    book_ticker_event,
    depth_event,
    kline_event,
    mark_price_event,
    mini_ticker_event,
    ticker_event,
    trade_event,
)
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.quote import Candle, Quote
from balance.desk.desk import Desk
from balance.market.ticks import Book, Tick

#: What one look at a stream brings: events, each of which may be a list of those of all symbols.
Events = Iterable[Event | Sequence[Event]]

# Candles change with every price: more often than this is no use to anyone.
_KLINE_SECONDS: Final = 0.25
_TICKER_SECONDS: Final = 1.0
_MARK_SECONDS: Final = 3.0
# So many candles back it is looked for those that have closed since the last look.
_MOST_CLOSED: Final = 100


class UnknownStream(Exception):
    """There is no such stream; the message says what there is."""


class MarketStream(Protocol):
    """A stream that somebody listens to."""

    #: Seconds from one look at it to the next; 0: at each moment of the market.
    every: float

    def events(self) -> Events:
        """What is new since the last look."""


class Source:
    """What the events of all streams are made from."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self.desk = desk
        #: The newest changes of the market.
        self.ticks = services.ticks
        self.days = Days(desk, services)

    @property
    def market(self) -> Market:
        """The market as it is now."""
        return self.desk.market

    def symbol(self, text: str) -> str:
        """The symbol that ``text`` means.

        Raises:
            UnknownStream: it is not traded here.
        """
        found = symbol_of(text, self.market)
        # No other ways to write it: each would be a stream of its own.
        if found is None or text not in (short(found).lower(), short(found)):
            known = ", ".join(short(each).lower() for each in self.market.instruments)
            raise UnknownStream(f"There is no symbol {text!r:.40}; there are: {known or 'none'}.")
        return found

    def symbols(self, text: str | None) -> Callable[[], Iterable[str]]:
        """Returns the symbol that ``text`` means or, for None, all that there are then.

        Raises:
            UnknownStream: it is not traded here.
        """
        if text is None:
            return lambda: self.market.instruments
        found = (self.symbol(text),)
        return lambda: found

    def day_event(
        self, event: Callable[[Row], Event], market: Market, quote: Quote
    ) -> Event | None:
        """The day of a symbol as an ``event``; None where its candles are not here."""
        row = self.days.row(market, quote)
        return None if row is None else event(row)


class SilentStream:
    """A stream in which nothing happens."""

    every = _MARK_SECONDS

    def events(self) -> Events:
        """Nothing."""
        return ()


class TickStream:
    """Each change of the price of a symbol."""

    every = 0.0

    def __init__(
        self, source: Source, symbol: str, event: Callable[[str, Tick, Instrument], Event]
    ) -> None:
        self._source, self._symbol, self._event = source, symbol, event
        self._last = max((each.id for each in source.ticks.newest(symbol, 1)), default=0)

    def events(self) -> Events:
        """The new ones, oldest first."""
        ticks = self._source.ticks.since(self._symbol, self._last)
        rules = self._source.market.instruments.get(self._symbol)
        if not ticks or rules is None:
            return ()
        self._last = ticks[-1].id
        return [self._event(short(self._symbol), each, rules) for each in ticks]


class BookStream:
    """The changes of bid and ask of some symbols; several at once are one."""

    every = 0.0

    def __init__(
        self,
        source: Source,
        symbols: Callable[[], Iterable[str]],
        event: Callable[[Market, Book, Book], Event],
    ) -> None:
        """``event`` makes one of the book before and the one now."""
        self._source, self._symbols, self._event = source, symbols, event
        found = ((each, source.ticks.book(each)) for each in symbols())
        self._books = {symbol: book for symbol, book in found if book is not None}

    def events(self) -> Events:
        """Those of the symbols that have changed."""
        market = self._source.market
        for symbol in self._symbols():
            book = self._source.ticks.book(symbol)
            before = self._books.get(symbol, book)
            if book is None or before is None:
                continue
            self._books[symbol] = book
            if book is not before:
                yield self._event(market, before, book)


class PeriodicStream:
    """Figures of some symbols at regular times, as long as these have a live price."""

    def __init__(
        self,
        source: Source,
        every: float,
        symbols: Callable[[], Iterable[str]],
        event: Callable[[Market, Quote], Event | None],
        *,
        is_list: bool,
    ) -> None:
        self.every = every
        self._source, self._symbols, self._event, self._is_list = source, symbols, event, is_list

    def events(self) -> Events:
        """Those of all symbols, together where they are a list."""
        market = self._source.market
        quotes = [market.quotes[each] for each in self._symbols() if each in market.live]
        made = [each for quote in quotes if (each := self._event(market, quote)) is not None]
        return [made] if self._is_list and made else made


class KlineStream:
    """The running candle of a symbol as it changes, and each candle once more when it has
    closed."""

    every = _KLINE_SECONDS

    def __init__(self, source: Source, symbol: str, interval: str, *, is_continuous: bool) -> None:
        self._source, self._symbol = source, symbol
        self._interval, self._is_continuous = interval, is_continuous
        self._seconds = INTERVALS[interval]
        candles = source.desk.candles(symbol, self._seconds, 1)
        # The running candle, as it was last pushed.
        self._running: Candle | None = candles[-1] if candles else None

    def events(self) -> Events:
        """Those of the candles that have changed."""
        before, desk = self._running, self._source.desk
        candles = desk.candles(self._symbol, self._seconds, _MOST_CLOSED)
        quote = desk.market.quotes.get(self._symbol)
        rules = desk.market.instruments.get(self._symbol)
        if not candles or candles[-1] == before or quote is None or rules is None:
            return
        self._running = candles[-1]
        # Those that have closed since the last look come first.
        begin = candles[-1].time if before is None else before.time
        for candle in candles:
            if candle.time < begin:
                continue
            yield kline_event(
                kline_row(candle, self._seconds, rules),
                short(self._symbol),
                self._interval,
                milliseconds(quote.time),
                is_closed=candle is not candles[-1],
                is_continuous=self._is_continuous,
            )


class MarketStreams:
    """Opens the streams by their names."""

    def __init__(self, desk: Desk, services: Services) -> None:
        self._source = Source(desk, services)

    def open(self, name: str) -> MarketStream:
        """The stream called ``name``, such as ``"btcusdt@trade"`` or ``"!ticker@arr"``.

        Raises:
            UnknownStream: there is none.
        """
        for pattern, make in _STREAMS.items():
            match = re.fullmatch(pattern, name)
            if match is not None:
                return make(self._source, match)
        raise UnknownStream(f"There is no stream {name!r:.60}.")


def _open_ticks(source: Source, match: re.Match[str]) -> MarketStream:
    events = {"trade": _trade, "aggTrade": _aggregate}
    return TickStream(source, source.symbol(match[1]), events[match[2]])


def _open_book_ticker(source: Source, match: re.Match[str]) -> MarketStream:
    return BookStream(source, source.symbols(match[1]), _book_ticker)


def _open_depth(source: Source, match: re.Match[str]) -> MarketStream:
    event = partial(_depth, is_whole=match[2] is not None)
    return BookStream(source, source.symbols(match[1]), event)


def _open_ticker(source: Source, match: re.Match[str]) -> MarketStream:
    events = {"ticker": ticker_event, "miniTicker": mini_ticker_event}
    event, is_list = partial(source.day_event, events[match[2]]), match[1] is None
    return PeriodicStream(source, _TICKER_SECONDS, source.symbols(match[1]), event, is_list=is_list)


def _open_mark_price(source: Source, match: re.Match[str]) -> MarketStream:
    every, is_list = _TICKER_SECONDS if match[2] else _MARK_SECONDS, match[1] is None
    return PeriodicStream(source, every, source.symbols(match[1]), _mark_price, is_list=is_list)


def _open_kline(source: Source, match: re.Match[str]) -> MarketStream:
    symbol, is_continuous, interval = source.symbol(match[1]), bool(match[2]), match[3]
    if interval not in INTERVALS:
        known = ", ".join(INTERVALS)
        raise UnknownStream(f"There are no candles of {interval!r:.20}; there are: {known}.")
    return KlineStream(source, symbol, interval, is_continuous=is_continuous)


def _open_silent(source: Source, match: re.Match[str]) -> MarketStream:
    source.symbol(match[1])
    return SilentStream()


# How each is opened, by the pattern of its name. In the silent ones nothing happens here.
_STREAMS: Final[Mapping[str, Callable[[Source, re.Match[str]], MarketStream]]] = MappingProxyType(
    {
        "([^@!]+)@(trade|aggTrade)": _open_ticks,
        "(?:([^@!]+)@|!)bookTicker": _open_book_ticker,
        "([^@!]+)@depth(5|10|20)?(?:@(?:0|100|250|500)ms)?": _open_depth,
        "(?:([^@!]+)@|!(?=.*@arr$))(ticker|miniTicker)(?:@arr)?": _open_ticker,
        "(?:([^@!]+)@|!(?=.*@arr))markPrice(?:@arr)?(@1s)?": _open_mark_price,
        "([^@!]+?)(?:@k|(_perpetual)@continuousK)line_(.+)": _open_kline,
        "([^@!]+)@(?:forceOrder|compositeIndex|assetIndex)": _open_silent,
        "!(?:forceOrder@arr|assetIndex@arr|contractInfo)": lambda *_: SilentStream(),
    }
)


def _trade(symbol: str, tick: Tick, rules: Instrument) -> Event:
    return trade_event(trade_row(tick, rules), symbol)


def _aggregate(symbol: str, tick: Tick, rules: Instrument) -> Event:
    return aggregate_event(aggregate_row(tick, rules), symbol)


def _book_ticker(market: Market, _: Book, book: Book) -> Event:
    return book_ticker_event(book_ticker_row(market, book.quote), book.id)


def _depth(market: Market, before: Book, book: Book, *, is_whole: bool) -> Event:
    rows = [book_ticker_row(market, each.quote) for each in (before, book)]
    return depth_event(rows[0], rows[1], before.id, book.id, is_whole=is_whole)


def _mark_price(market: Market, quote: Quote) -> Event:
    return mark_price_event(premium_row(market, quote))
