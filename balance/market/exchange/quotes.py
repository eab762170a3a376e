"""Quotes of one symbol from the tickers of an exchange; nonsense never becomes one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from balance.core.instrument import Instrument
from balance.core.instruments import fitting_rules
from balance.core.money import is_bounded
from balance.core.quote import Quote
from balance.market.exchange.rules import positive

# Seconds since they were seen for which prices, a book and a mark are used, and another kind of
# price is compared with.
_FRESH: Final = 10.0
_BOOK_LASTS: Final = 30.0
_MARK_LASTS: Final = 30.0
_COMPARED_WITHIN: Final = 60.0
_AHEAD: Final = timedelta(seconds=60)
#: A price this far from the last one, as a fraction of it, is doubted.
_FAR: Final = Decimal("0.5")
#: So many in a row that are much the same confirm a doubted price.
_CONFIRMED_BY: Final = 3
# At the start, missing prices are waited for so long before others stand in for them.
_GRACE: Final = 3.0
_HIGHEST_RATE: Final = 1
_KEPT_RATES: Final = 120
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Nonsense(Exception):
    """A ticker that can't be right; the message says what was wrong."""


@dataclass(slots=True)
class _Kind:
    """One kind of price: the book (bid and ask), the last trade, or the mark."""

    prices: tuple[Decimal, ...] = ()
    time: datetime = _LONG_AGO
    # When it was seen by the monotonic clock.
    seen: float = float("-inf")
    # The times and prices that are doubted; each of another time.
    doubted: list[tuple[datetime, Decimal]] = field(default_factory=list)


class QuoteBuilder:
    """Builds the quotes of one symbol from its tickers; not for several threads."""

    def __init__(self, instrument: Instrument, *, perpetual: bool) -> None:
        """Only a ``perpetual`` has a mark price of its own."""
        #: The rules as of the newest quote.
        self.instrument = instrument
        self._perpetual: Final = perpetual
        self._started: float | None = None
        #: What was wrong with the newest ticker; empty if nothing was.
        self.refused = ""
        #: The times and funding rates that came, oldest first.
        self.rates: Final[deque[tuple[datetime, Decimal]]] = deque(maxlen=_KEPT_RATES)
        self._kinds: Final = {"book": _Kind(), "trade": _Kind(), "mark": _Kind()}
        self._day_open: Decimal | None = None

    def take(
        self,
        ticker: Mapping[str, Any],
        now: datetime,
        seen: float,
        believed: datetime | None = None,
    ) -> Quote | None:
        """The quote after ``ticker``, as ccxt writes it, at ``now`` in UTC and ``seen`` of a
        monotonic clock in seconds; None if nothing of it is accepted, or prices are too old.

        A time of its own confirms a leap of this computer's clock; prices without one have the time
        that is ``believed``, or ``now``."""
        self.refused = ""
        try:
            prices, time = _prices(ticker), _time(ticker, now, believed or now)
        except Nonsense as error:
            self.refused = str(error)
            return None
        self._note_rate(ticker, time)
        # Each kind is judged, also where another one is refused.
        accepted = [self._accept(kind, each, time, seen) for kind, each in prices.items()]
        if not any(accepted):
            return None
        self._day_open = _day_open(ticker) or self._day_open
        return self._quote(seen)

    def rate_before(self, instant: datetime) -> Decimal | None:
        """The newest funding rate by ``instant``; None if that is not known."""
        before = [rate for time, rate in self.rates if time <= instant]
        return before[-1] if before else None

    def _accept(self, name: str, prices: tuple[Decimal, ...], time: datetime, seen: float) -> bool:
        kind = self._kinds[name]
        if time < kind.time:
            return False
        reference = self._reference(kind, seen)
        doubtful = reference is not None and any(_far(price, reference) for price in prices)
        if doubtful and not _confirmed(kind, time, _middle(prices)):
            self.refused = f"a leap of {self.instrument.symbol} to {_middle(prices)}"
            return False
        kind.doubted.clear()
        kind.prices, kind.time, kind.seen = prices, time, seen
        return True

    def _reference(self, kind: _Kind, seen: float) -> Decimal | None:
        others = sorted(self._kinds.values(), key=lambda each: -each.seen)
        for each in (kind, *others):
            if each.prices and seen - each.seen <= _COMPARED_WITHIN:
                return _middle(each.prices)
        return None

    def _quote(self, seen: float) -> Quote | None:
        book, trade, mark = (self._kinds[each] for each in ("book", "trade", "mark"))
        if seen - max(book.seen, trade.seen) > _FRESH or self._incomplete(seen):
            return None
        price = trade.prices[0] if trade.prices else _middle(book.prices)
        rules = self.instrument = fitting_rules(self.instrument, price, price)
        if book.prices and (seen - book.seen <= _BOOK_LASTS or not trade.prices):
            bid, ask = rules.price_down(book.prices[0]), rules.price_up(book.prices[1])
            last = price
        else:
            last = bid = rules.price_down(price)
            ask = bid + rules.tick_size
        known = mark.prices and seen - mark.seen <= _MARK_LASTS
        return Quote(
            symbol=rules.symbol,
            bid=bid,
            ask=ask,
            last=max(rules.price(last), rules.tick_size),
            mark=mark.prices[0] if known else (bid + ask) / 2,
            time=max(book.time, trade.time, mark.time),
            funding_rate=self.rates[-1][1] if self.rates else None,
            day_open=self._day_open,
        )

    def _incomplete(self, seen: float) -> bool:
        if self._started is None:
            self._started = seen
        lacking = not self._kinds["book"].prices
        lacking = lacking or (self._perpetual and not self._kinds["mark"].prices)
        return lacking and seen - self._started < _GRACE

    def _note_rate(self, ticker: Mapping[str, Any], time: datetime) -> None:
        try:
            rate = Decimal(str(ticker.get("fundingRate")))
        except ArithmeticError:
            return
        if is_bounded(rate) and abs(rate) <= _HIGHEST_RATE:
            self.rates.append((time, rate))


def _prices(ticker: Mapping[str, Any]) -> dict[str, tuple[Decimal, ...]]:
    info = ticker.get("info")
    mark = ticker.get("markPrice") or (info.get("markPrice") if isinstance(info, dict) else None)
    bid, ask, last, marked = (
        _checked(each) for each in (ticker.get("bid"), ticker.get("ask"), ticker.get("last"), mark)
    )
    prices: dict[str, tuple[Decimal, ...]] = {}
    if marked:
        prices["mark"] = (marked,)
    if last:
        prices["trade"] = (last,)
    if bid and ask:
        if bid > ask:
            raise Nonsense(f"a bid of {bid} above the ask of {ask}")
        prices["book"] = (bid, ask)
    return prices


def _checked(value: object) -> Decimal | None:
    """A price; None where there is none, which many exchanges write as 0."""
    price = positive(value)
    if price is None and value is not None and str(value).strip() not in ("", "None"):
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            number = Decimal("NaN")
        if not is_bounded(number) or number < 0:
            raise Nonsense(f"a price of {value!s:.20}")
    return price


def _time(ticker: Mapping[str, Any], now: datetime, believed: datetime) -> datetime:
    stamp = ticker.get("timestamp")
    if not isinstance(stamp, int | float) or stamp <= 0:
        return believed
    try:
        time = datetime.fromtimestamp(stamp / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise Nonsense("a time that there is not") from None
    if time > now + _AHEAD:
        ahead = int((time - now).total_seconds())
        raise Nonsense(f"a time {ahead:,} s ahead of this computer's clock")
    return time


def _day_open(ticker: Mapping[str, Any]) -> Decimal | None:
    opened, last = positive(ticker.get("open")), positive(ticker.get("last"))
    if opened is not None or last is None or ticker.get("percentage") is None:
        return opened
    grown = positive(100 + Decimal(str(ticker["percentage"])))
    return last * 100 / grown if grown else None


def _confirmed(kind: _Kind, time: datetime, price: Decimal) -> bool:
    """Whether enough prices in a row are much the same as ``price``, which is doubted."""
    if kind.doubted and _far(price, kind.doubted[-1][1]):
        kind.doubted.clear()
    # The same one again confirms nothing.
    if not kind.doubted or time > kind.doubted[-1][0]:
        kind.doubted.append((time, price))
    return len(kind.doubted) >= _CONFIRMED_BY


def _middle(prices: tuple[Decimal, ...]) -> Decimal:
    return sum(prices, Decimal(0)) / len(prices)


def _far(price: Decimal, reference: Decimal) -> bool:
    return abs(price - reference) > reference * _FAR
