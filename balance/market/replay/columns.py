"""Which column of a file of candles holds what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import Final

from balance.market.replay.cells import UnclearDate, is_daytime, parse_number, parse_time

PRICES: Final = ("open", "high", "low", "close")
# The first that a file has is taken: a name that says the open before a Unix time, which leaves no
# doubt about its zone, before others; pandas leaves the name of its index empty.
_TIMES: Final = (
    *("opentime", "opentimems", "opentimeutc", "opentimestamp", "timeperiodstart", "timeopen"),
    *("unix", "unixtime", "unixtimestamp", "timestamp", "timestampms", "timestamputc"),
    *("starttime", "startat", "start", "periodstart", "begin"),
    *("datetime", "datetimeutc", "dateutc", "date", "dtyyyymmdd", "datum", "gmttime", "localtime"),
    *("timeutc", "time", "ts", "t", ""),
)
# Columns of the end of a candle, where there is no other time.
_ENDS: Final = ("closetime", "timeclose", "closetimestamp", "timeperiodend", "endtime", "end")
_DAYS: Final = ("date", "dateutc", "dtyyyymmdd", "datum")
_DAYTIMES: Final = ("time", "timeutc", "uhrzeit", "zeit")
_NAMES: Final = {
    "open": ("open", "openprice", "priceopen", "o", "erffn", "erffnung"),
    "high": ("high", "highprice", "pricehigh", "h", "hoch"),
    "low": ("low", "lowprice", "pricelow", "l", "tief"),
    "close": (
        *("close", "closeprice", "priceclose", "c", "closelast", "price", "last"),
        *("schluss", "schlusskurs", "zuletzt"),
    ),
    "volume": ("volume", "vol", "basevolume", "volumebase", "baseassetvolume", "v", "volumetraded"),
    "funding_rate": ("fundingrate", "lastfundingrate", "funding"),
    "symbol": (
        *("symbol", "pair", "ticker", "market", "instrument", "instid", "instrumentid"),
        *("instrumentname", "currencypair", "product", "productid", "symbolid", "tic"),
    ),
    **{f"mark_{price}": (f"mark{price}", f"mark{price}price") for price in PRICES},
}
_VOLUME: Final = re.compile(r"vol(?:ume)?([a-z0-9]+)")
# Volumes in the quote currency say so ("Volume USDT"), and so do averages ("Volume MA").
_OTHER: Final = re.compile(
    r".*(usd[tc]?|busd|eur|quote|currency|quoteasset)|vol(ume)?([se]?ma|avg|average|change)\d*"
)
# Currencies that a volume is taken to be in where nobody has said the symbol.
_COINS: Final = frozenset(("btc", "xbt", "eth", "sol", "xrp", "ada", "doge", "ltc", "bnb", "bch"))
_MOST_NAMES: Final = 12
_LONGEST_NAME: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The places of what a row holds; None where a file has no such column."""

    time: int
    # The time of day, where dates and times may be in two columns.
    daytime: int | None = None
    # Open, high, low and close.
    prices: Sequence[int]
    volume: int | None = None
    # By currency, in small letters: the columns of volumes that name one.
    volumes: Mapping[str, int]
    funding_rate: int | None = None
    # Open, high, low and close of the mark price; empty where a file has none.
    marks: Sequence[int] = ()
    symbol: int | None = None
    # Whether the time is that of a candle's end.
    is_end: bool = False
    # Whether the first row is a candle already.
    is_headless: bool = False

    @property
    def places(self) -> list[int]:
        """All of them, and that of the first cell, in ascending order."""
        single = (0, self.time, self.daytime, self.volume, self.funding_rate, self.symbol)
        found = {*single, *self.prices, *self.volumes.values(), *self.marks}
        return sorted(place for place in found if place is not None)

    def volume_of(self, symbol: str) -> int | None:
        """The place of the volume in base units of the ``symbol``, such as BTCUSDT; empty where it
        is not known."""
        for currency, place in self.volumes.items():
            if symbol.startswith(currency.upper()) if symbol else currency in _COINS:
                return place
        if self.volume is None:
            return next(iter(self.volumes.values()), None)
        return self.volume


class NoColumns(ValueError):
    """A row names no columns of candles."""

    def __init__(self, missing: Sequence[str], row: Sequence[str]) -> None:
        names = ", ".join(cell.strip()[:_LONGEST_NAME] for cell in row[:_MOST_NAMES])
        more = f" and {len(row) - _MOST_NAMES:,} more" if len(row) > _MOST_NAMES else ""
        super().__init__(f"has no column for {', '.join(missing)}; it has {names}{more}")
        self.missing = len(missing)
        #: Whether it names at least one.
        self.names_some = len(missing) <= len(PRICES)


def columns_of(row: Sequence[str]) -> Columns:
    """The columns by the first row of a file: a header, or a candle in Binance's order.

    Raises:
        NoColumns: a column is missing; the message names it.
    """
    if found := _of_candle(row):
        return found
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in row]
    start = _place(_TIMES, names)
    time = _place(_ENDS, names) if start is None else start
    places = {what: _place(known, names) for what, known in _NAMES.items()}
    missing = [what for what in PRICES if places[what] is None]
    if time is None or missing:
        raise NoColumns((*(("time",) if time is None else ()), *missing), row)
    prices, marks = (
        [place for each in PRICES if (place := places[f"{prefix}{each}"]) is not None]
        for prefix in ("", "mark_")
    )
    if marks and len(marks) < len(PRICES):
        raise ValueError("has not all of mark_open, mark_high, mark_low and mark_close")
    return Columns(
        time=time,
        daytime=_place(_DAYTIMES, names) if names[time] in _DAYS else None,
        prices=prices,
        volume=places["volume"],
        volumes=_volumes(names),
        funding_rate=places["funding_rate"],
        marks=marks,
        symbol=places["symbol"],
        is_end=start is None,
    )


def is_candle(row: Sequence[str]) -> bool:
    """Whether ``row`` begins with a time and has enough cells for a candle."""
    return len(row) > len(PRICES) and _is_time(row[0])


def _place(known: Sequence[str], names: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _volumes(names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        match = _VOLUME.fullmatch(name)
        if match and not _OTHER.fullmatch(name):
            found.setdefault(match[1], place)
    return found


def _of_candle(row: Sequence[str]) -> Columns | None:
    """The columns of a file without a header: time, or date and time of day, and five numbers."""
    if not row or not _is_time(row[0]):
        return None
    daytime = 1 if len(row) > 6 and is_daytime(row[1]) and ":" in row[1] else None
    first = 1 if daytime is None else 2
    if len(row) < first + 5 or not all(map(_is_number, row[first : first + 5])):
        return None
    return Columns(
        time=0,
        daytime=daytime,
        prices=range(first, first + 4),
        volume=first + 4,
        volumes={},
        is_headless=True,
    )


def _is_time(cell: str) -> bool:
    try:
        parse_time(cell.strip())
    except UnclearDate:
        return True
    except ValueError:
        return False
    return True


def _is_number(cell: str) -> bool:
    for mark in (".", ","):
        try:
            return parse_number(cell, mark).is_finite()
        except InvalidOperation:
            continue
    return False
