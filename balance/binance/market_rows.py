"""Prices as the dialect writes them, for requests and streams alike; each row has the names that
requests are answered with.

What the desk does not know is 0: the number of trades in a candle, and who took them. How much was
traded in the quote currency is the volume at the typical price of a candle, a third of the sum of
high, low and close.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from balance.binance.names import short
from balance.binance.numbers import amount_text, price_text, quantity_text
from balance.core.funding import next_settlement
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.money import ZERO, exactly
from balance.core.quote import Candle, Quote, Settlement
from balance.market.ticks import Tick

#: No order is for more, in base units: nautilus_trader takes no symbol that allows more.
LARGEST: Final = Decimal(10) ** 13

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What the price did in the last 24 hours, or in what is known of them."""

    since: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    # In base units, and in the quote currency.
    volume: Decimal = ZERO
    turnover: Decimal = ZERO


@exactly
def turnover_of(candle: Candle) -> Decimal:
    """How much was traded in ``candle``, in the quote currency, at its typical price."""
    return candle.volume * (candle.high + candle.low + candle.close) / 3


@exactly
def day_of(candles: Iterable[Candle], before: Day | None = None) -> Day | None:
    """The day that ``candles``, oldest first, make together with the part of it ``before`` them;
    None where there is none."""
    day = before
    for each in candles:
        if day is None:
            day = Day(since=each.time, open=each.open, high=each.high, low=each.low)
        day = Day(
            since=day.since,
            open=day.open,
            high=max(day.high, each.high),
            low=min(day.low, each.low),
            volume=day.volume + each.volume,
            turnover=day.turnover + turnover_of(each),
        )
    return day


def kline_row(
    candle: Candle, seconds: int, rules: Instrument, *, has_volume: bool = True
) -> list[Any]:
    """``candle``, of ``seconds``; without its volume where that is none of what it is a candle
    of."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    begin = milliseconds(candle.time)
    return [
        begin,
        *(price_text(each, rules) for each in prices),
        quantity_text(candle.volume, rules) if has_volume else "0",
        begin + seconds * 1_000 - 1,
        amount_text(turnover_of(candle)) if has_volume else "0",
        0,
        "0",
        "0",
        "0",
    ]


@exactly
def largest_quantity(rules: Instrument) -> Decimal:
    """The most that one order of the dialect may be for, in base units."""
    return rules.quantity(min(rules.max_quantity or LARGEST, LARGEST))


@exactly
def level_quantity(market: Market, rules: Instrument, price: Decimal) -> Decimal:
    """How much is offered at bid or ask, in base units: what the market's depth is worth at
    ``price`` or, where orders of any size fill alike, the largest position that there may be."""
    largest, worth = largest_quantity(rules), market.terms.market_depth or rules.max_notional
    if worth is None:
        return largest
    return min(largest, max(rules.min_quantity, rules.quantity(worth / price)))


def book_ticker_row(market: Market, quote: Quote) -> dict[str, Any]:
    """The bid and the ask in ``quote``."""
    rules = market.instrument(quote.symbol)
    return {
        "symbol": short(quote.symbol),
        "bidPrice": price_text(quote.bid, rules),
        "bidQty": quantity_text(level_quantity(market, rules, quote.bid), rules),
        "askPrice": price_text(quote.ask, rules),
        "askQty": quantity_text(level_quantity(market, rules, quote.ask), rules),
        "time": milliseconds(quote.time),
    }


def depth_row(market: Market, quote: Quote, update_id: int, now: datetime) -> dict[str, Any]:
    """The book in ``quote``, one level deep, which has the number ``update_id``, at ``now``."""
    row = book_ticker_row(market, quote)
    return {
        "lastUpdateId": update_id,
        "E": milliseconds(now),
        "T": row["time"],
        "bids": [[row["bidPrice"], row["bidQty"]]],
        "asks": [[row["askPrice"], row["askQty"]]],
    }


def price_row(market: Market, quote: Quote) -> dict[str, Any]:
    """The last price in ``quote``."""
    return {
        "symbol": short(quote.symbol),
        "price": price_text(quote.last, market.instrument(quote.symbol)),
        "time": milliseconds(quote.time),
    }


@exactly
def day_row(market: Market, quote: Quote, day: Day | None, tick_id: int = 0) -> dict[str, Any]:
    """What the price in ``quote`` did in ``day``; None where no candle is known. ``tick_id`` is the
    number of its last change."""
    rules, last = market.instrument(quote.symbol), quote.last
    opened = quote.day_open or (day.open if day else last)
    volume, turnover = (day.volume, day.turnover) if day else (ZERO, ZERO)
    # What is known of the day may begin after its open.
    prices = (opened, last, *((day.high, day.low) if day else ()))
    since = quote.time - _DAY if quote.day_open or day is None else day.since
    percent = (last - opened) / opened * 100
    return {
        "symbol": short(quote.symbol),
        "priceChange": price_text(last - opened, rules),
        "priceChangePercent": f"{percent:.3f}",
        "weightedAvgPrice": price_text(rules.price(turnover / volume) if volume else last, rules),
        "lastPrice": price_text(last, rules),
        "lastQty": quantity_text(tick_quantity(rules), rules),
        "openPrice": price_text(opened, rules),
        "highPrice": price_text(max(prices), rules),
        "lowPrice": price_text(min(prices), rules),
        "volume": quantity_text(volume, rules),
        "quoteVolume": amount_text(turnover),
        "openTime": milliseconds(since),
        "closeTime": milliseconds(quote.time),
        "firstId": tick_id,
        "lastId": tick_id,
        "count": 0,
    }


def premium_row(market: Market, quote: Quote) -> dict[str, Any]:
    """The mark price in ``quote``, and its coming settlement; the rate is 0 where none is known,
    and nothing will be settled. There is no index: it is the mark price."""
    rules = market.instrument(quote.symbol)
    mark = price_text(quote.mark, rules)
    return {
        "symbol": short(quote.symbol),
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": amount_text(quote.funding_rate or ZERO),
        "interestRate": amount_text(ZERO),
        "nextFundingTime": milliseconds(next_settlement(quote.time, rules.funding_interval)),
        "time": milliseconds(quote.time),
    }


def settled_row(settlement: Settlement, instant: datetime, rules: Instrument) -> dict[str, Any]:
    """The ``settlement`` of a symbol at ``instant``."""
    return {
        "symbol": short(rules.symbol),
        "fundingRate": amount_text(settlement.rate),
        "fundingTime": milliseconds(instant),
        "markPrice": price_text(settlement.mark, rules),
    }


def tick_quantity(rules: Instrument) -> Decimal:
    """What a change of the price is taken to have traded, in base units: the least that there is,
    as a tick says only the price."""
    return max(rules.step_size, rules.min_quantity)


@exactly
def trade_row(tick: Tick, rules: Instrument) -> dict[str, Any]:
    """``tick`` as one trade."""
    quantity = tick_quantity(rules)
    return {
        "id": tick.id,
        "price": price_text(tick.price, rules),
        "qty": quantity_text(quantity, rules),
        "quoteQty": amount_text(quantity * tick.price),
        "time": milliseconds(tick.time),
        "isBuyerMaker": tick.falls,
    }


def aggregate_row(tick: Tick, rules: Instrument) -> dict[str, Any]:
    """``tick`` as the trades of one order."""
    row = trade_row(tick, rules)
    return {
        "a": row["id"],
        "p": row["price"],
        "q": row["qty"],
        "f": row["id"],
        "l": row["id"],
        "T": row["time"],
        "m": row["isBuyerMaker"],
    }
