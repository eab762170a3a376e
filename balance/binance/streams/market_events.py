"""Prices as events of the market's streams: the rows that answers have, under short names.

Times are the market's own: in a replay those of its candles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

Row = Mapping[str, Any]
Event = Mapping[str, Any]

# The names in events, by those in the rows.
_TRADE: Final = MappingProxyType(
    {"t": "id", "p": "price", "q": "qty", "T": "time", "m": "isBuyerMaker"}
)
# How a trade came about, as clients read it.
_AT_MARKET: Final = MappingProxyType({"X": "MARKET"})
_BOOK: Final = MappingProxyType(
    {"b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty", "T": "time"}
)
_MINI_TICKER: Final = MappingProxyType(
    {
        "c": "lastPrice",
        "o": "openPrice",
        "h": "highPrice",
        "l": "lowPrice",
        "v": "volume",
        "q": "quoteVolume",
    }
)
_TICKER: Final = MappingProxyType(
    {
        "p": "priceChange",
        "P": "priceChangePercent",
        "w": "weightedAvgPrice",
        **_MINI_TICKER,
        "Q": "lastQty",
        "O": "openTime",
        "C": "closeTime",
        "F": "firstId",
        "L": "lastId",
        "n": "count",
    }
)
_MARK: Final = MappingProxyType(
    {
        "p": "markPrice",
        "i": "indexPrice",
        "P": "estimatedSettlePrice",
        "r": "lastFundingRate",
        "T": "nextFundingTime",
    }
)
# Those of a candle, by their places in its row.
_KLINE: Final = MappingProxyType(
    {"t": 0, "T": 6, "o": 1, "h": 2, "l": 3, "c": 4, "v": 5, "q": 7, "n": 8, "V": 9, "Q": 10}
)


def trade_event(row: Row, symbol: str) -> Event:
    """A tick of ``symbol`` as a trade."""
    return {"e": "trade", "E": row["time"], "s": symbol, **_named(row, _TRADE), **_AT_MARKET}


def aggregate_event(row: Row, symbol: str) -> Event:
    """A tick of ``symbol`` as an aggregate of trades."""
    return {"e": "aggTrade", "E": row["T"], "s": symbol, **row, **_AT_MARKET}


def book_ticker_event(row: Row, number: int) -> Event:
    """The bid and the ask, which changed with ``number``."""
    named = _named(row, _BOOK)
    return {"e": "bookTicker", "u": number, "s": row["symbol"], **named, "E": row["time"]}


def depth_event(before: Row, row: Row, first: int, last: int, *, is_whole: bool) -> Event:
    """The book, one level deep, after its change from ``before``: only what is otherwise, unless it
    ``is_whole``. ``first`` is the number of the change before, ``last`` its own.

    The number of the book in an answer lies within those of the next event, as clients check."""
    sides = {}
    for name, price, quantity in (("b", "bidPrice", "bidQty"), ("a", "askPrice", "askQty")):
        gone = [] if is_whole or before[price] == row[price] else [[before[price], "0"]]
        is_same = (before[price], before[quantity]) == (row[price], row[quantity])
        level = [] if is_same and not is_whole else [[row[price], row[quantity]]]
        sides[name] = [*gone, *level]
    return {
        "e": "depthUpdate",
        "E": row["time"],
        "T": row["time"],
        "s": row["symbol"],
        "U": first,
        "u": last,
        "pu": first,
        **sides,
    }


def ticker_event(row: Row) -> Event:
    """The day of a symbol."""
    return {"e": "24hrTicker", "E": row["closeTime"], "s": row["symbol"], **_named(row, _TICKER)}


def mini_ticker_event(row: Row) -> Event:
    """The prices of the day of a symbol."""
    named = _named(row, _MINI_TICKER)
    return {"e": "24hrMiniTicker", "E": row["closeTime"], "s": row["symbol"], **named}


def mark_price_event(row: Row) -> Event:
    """The mark price of a symbol, and its funding."""
    return {"e": "markPriceUpdate", "E": row["time"], "s": row["symbol"], **_named(row, _MARK)}


def kline_event(
    row: Sequence[Any],
    symbol: str,
    interval: str,
    now: int,
    *,
    is_closed: bool,
    is_continuous: bool,
) -> Event:
    """A candle of ``symbol``, at the time ``now`` in milliseconds."""
    candle = {
        **{name: row[place] for name, place in _KLINE.items()},
        "i": interval,
        # No trades are numbered by it.
        "f": -1,
        "L": -1,
        "x": is_closed,
        "B": "0",
    }
    if is_continuous:
        return {"e": "continuous_kline", "E": now, "ps": symbol, "ct": "PERPETUAL", "k": candle}
    return {"e": "kline", "E": now, "s": symbol, "k": {**candle, "s": symbol}}


def _named(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {short: row[name] for short, name in names.items()}
