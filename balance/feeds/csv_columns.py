"""Which column of a file of candles holds what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from balance.feeds.times import parsed

# the first that a file has is taken: a Unix time leaves no doubt about its zone; pandas leaves the
# name of its index empty
_NAMES: Final = {
    "time": (
        *("unix", "unixtime", "unixtimestamp", "timestamp", "timestampms", "timestamputc"),
        *("opentime", "opentimems", "opentimeutc", "opentimestamp", "starttime", "start"),
        *("datetime", "datetimeutc", "dateutc", "date", "timeutc", "time", "ts", "t", ""),
    ),
    "open": ("open", "openprice", "o"),
    "high": ("high", "highprice", "h"),
    "low": ("low", "lowprice", "l"),
    "close": ("close", "closeprice", "c"),
    "volume": ("volume", "vol", "basevolume", "volumebase", "baseassetvolume", "v"),
    "funding_rate": ("fundingrate", "lastfundingrate", "funding"),
}
_VOLUME: Final = re.compile(r"vol(ume)?[a-z0-9]+")
# volumes in the quote currency say so: "Volume USDT"
_OF_THE_QUOTE: Final = re.compile(r".*(usd[tc]?|busd|eur|quote|currency|quoteasset)")
_NEEDED: Final = ("time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Columns:
    """The places of time, open, high, low, close and volume in a row, and of the funding rate."""

    places: tuple[int, ...]
    funding_rate: int | None
    # whether the first row is a candle already
    headless: bool


def columns_of(row: Sequence[str]) -> Columns:
    """The columns by the first row of a file: a header, or a candle in Binance's order.

    Raises:
        ValueError: a column is missing; the words name it.
    """
    if _is_candle(row):
        return Columns(places=tuple(range(len(_NEEDED))), funding_rate=None, headless=True)
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in row]
    found = {what: _place(what, names) for what in _NAMES}
    missing = [what for what in _NEEDED if found[what] is None]
    if missing:
        has = ", ".join(cell.strip() for cell in row)
        raise ValueError(f"has no column for {', '.join(missing)}; it has {has}")
    places = tuple(place for what in _NEEDED if (place := found[what]) is not None)
    return Columns(places=places, funding_rate=found["funding_rate"], headless=False)


def _place(what: str, names: Sequence[str]) -> int | None:
    for name in _NAMES[what]:
        if name in names:
            return names.index(name)
    if what != "volume":
        return None
    # of some base currency: "Volume BTC"
    of_base = (
        place
        for place, name in enumerate(names)
        if _VOLUME.fullmatch(name) and not _OF_THE_QUOTE.fullmatch(name)
    )
    return next(of_base, None)


def _is_candle(row: Sequence[str]) -> bool:
    try:
        parsed(row[0].strip())
        return all(Decimal(cell).is_finite() for cell in row[1 : len(_NEEDED)]) and len(row) > 5
    except (ValueError, InvalidOperation, IndexError):
        return False
