"""The board: where the newest prices stand, for this process and, in a file, for the others.

``data/market.json`` is written about once a second by the server that runs the feed. It is no part
of the account: it lets the shell and other programs order at the prices that the server sees, and
a restart go on where the market was.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from balance.core.figures import plain
from balance.core.instrument import (
    FUNDING_INTERVAL,
    FUNDING_INTERVALS,
    Bracket,
    Instrument,
)
from balance.core.instruments import KNOWN
from balance.core.market import NO_MARKET, Market
from balance.core.moments import from_iso, iso
from balance.core.money import LIMIT, MOST_UNITS, is_bounded
from balance.core.quote import Candle, Quote
from balance.store.advice import program
from balance.store.disk import DISK, Disk, Signature

MARKET_FILE: Final = "market.json"
#: What the feed needs to go on, such as its past; written about once a minute.
FEED_FILE: Final = "feed.json"
#: A file that has not been written for so long is of a server that has stopped.
_STALE_SECONDS: Final = 5.0


#: Gives candles: of which symbol, of how many seconds each, how many at most.
Candles = Callable[[str, int, int], Sequence[Candle]]
#: Puts a market on the terms that are in force; gives it back itself where it has them already.
Ruled = Callable[[Market], Market]


def stopped(folder: Path) -> str:
    """What is said where the server of ``folder``, which brings the prices, does not run."""
    start = program(folder)
    return f"The server that brings its prices is not running: start it with {start}."


def _as_told(market: Market) -> Market:
    return market


class LiveBoard:
    """The market as this process's own feed tells it, on the terms that are in force."""

    def __init__(self, ruled: Ruled = _as_told) -> None:
        self._ruled = ruled
        self._market = NO_MARKET
        self._changing = threading.Lock()
        self.candles: Candles = _no_candles

    @property
    def market(self) -> Market:
        """The market as it is now."""
        market = self._market
        if self._ruled(market) is market:
            return market
        with self._changing:
            market = self._ruled(self._market)
            if market is not self._market:
                # whoever has seen the old one must see that this is another
                self._market = replace(market, tick=market.tick + 1)
            return self._market

    @market.setter
    def market(self, market: Market) -> None:
        with self._changing:
            self._market = market


def _no_candles(_symbol: str, _seconds: int, _limit: int) -> Sequence[Candle]:
    return ()


class FileBoard:
    """The market as the server's file tells it, on the terms that are in force; read anew when it
    was written."""

    def __init__(self, folder: Path, ruled: Ruled = _as_told, disk: Disk = DISK) -> None:
        self._disk = disk
        self._file = folder / MARKET_FILE
        self._ruled = ruled
        self._stopped = stopped(folder)
        # while no server has ever written one; what it will bring is not known either
        self._none_yet = Market(message=self._stopped, instruments=KNOWN)
        # the market as it was read, and what it was read from: the file while it can be trusted to
        # be the same, and whether it was stale
        self._seen: tuple[tuple[Signature | None, bool], Market] | None = None
        # the one that was read, and the same on the terms that were in force
        self._shown = NO_MARKET, NO_MARKET
        # only the server has them
        self.candles: Candles = _no_candles

    @property
    def market(self) -> Market:
        """The market of a moment ago, or the last one known, with nothing live in it."""
        read, (before, shown) = self._read(), self._shown
        if read is before and self._ruled(shown) is shown:
            return shown
        market = replace(self._ruled(read), tick=shown.tick + 1)
        self._shown = read, market
        return market

    def _read(self) -> Market:
        try:
            now, signature = time.time_ns(), self._disk.signature(self._file)
            is_stale = abs(now - signature.changed) > _STALE_SECONDS * 1_000_000_000
            if self._seen is None or self._seen[0] != (signature, is_stale):
                market = read_market(self._file.read_bytes())
                if is_stale:
                    market = replace(market, live=frozenset(), state="stale", message=self._stopped)
                if self._seen is not None and market == self._seen[1]:
                    market = self._seen[1]
                self._seen = (None if signature.is_racy(now) else signature, is_stale), market
        except (OSError, ValueError):
            # no market is known, or none that can be read: the account does not depend on it
            return self._none_yet
        return self._seen[1]


def save_market(folder: Path, market: Market, feed: Mapping[str, Any], disk: Disk = DISK) -> None:
    """Write ``market`` into its file in ``folder``, with the ``feed``'s own state.

    Raises:
        OSError: the disk refused.
    """
    document = {
        "feed": market.feed,
        "label": market.label,
        "state": market.state,
        "words": market.message,
        "as_of": market.as_of and iso(market.as_of),
        "live": sorted(market.live),
        "quotes": [_quote_document(quote) for quote in market.quotes.values()],
        "instruments": [_instrument_document(each) for each in market.instruments.values()],
        "saved": feed,
    }
    text = json.dumps(document).encode()
    disk.replace_file(folder / MARKET_FILE, text, durable=False)


def save_past(folder: Path, market: Market, feed: Mapping[str, Any], disk: Disk = DISK) -> None:
    """Write all that the ``feed`` of ``market`` needs to go on into its file in ``folder``.

    Raises:
        OSError: the disk refused.
    """
    document = {"feed": market.feed, "as_of": market.as_of and iso(market.as_of), "saved": feed}
    text = json.dumps(document).encode()
    disk.replace_file(folder / FEED_FILE, text, durable=False)


def saved_feed(folder: Path) -> tuple[str | None, dict[str, Any], datetime | None]:
    """What the last server left: its feed's id and state, and when it last had a quote, None where
    it had none. The file of the market tells, with the long past from the feed's; where it is
    missing or can't be read, the feed's alone, and where neither can be, nothing."""
    newest, past = _document(folder / MARKET_FILE), _document(folder / FEED_FILE)
    for document in (newest, past):
        try:
            feed, last_seen = document["feed"], document["as_of"] and from_iso(document["as_of"])
            long_past = past.get("saved") if past.get("feed") == feed else None
            state = {**(long_past or {}), **document["saved"]}
        except (ValueError, KeyError, TypeError):
            continue
        return feed, state, last_seen
    return None, {}, None


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def read_market(text: bytes) -> Market:
    """The market that ``text`` tells.

    Raises:
        ValueError: it tells none.
    """
    try:
        document = json.loads(text)
        quotes = [_read_quote(each) for each in document["quotes"]]
        instruments = [_read_instrument(each) for each in document["instruments"]]
        market = Market(
            feed=document["feed"],
            label=document["label"],
            state=document["state"],
            message=document["words"],
            as_of=None if document["as_of"] is None else from_iso(document["as_of"]),
            quotes={each.symbol: each for each in quotes},
            live=frozenset(document["live"]),
            instruments={each.symbol: each for each in instruments},
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise ValueError(f"this is no market: {fault}") from fault
    if not _is_sound(market):
        raise ValueError("this is no market that anyone could trade on")
    return market


def _is_sound(market: Market) -> bool:
    texts = (market.feed, market.label, market.state, market.message)
    return (
        all(isinstance(each, str) for each in texts)
        and market.live <= set(market.quotes) <= set(market.instruments)
        and all(map(_is_quote, market.quotes.values()))
        and all(map(_is_instrument, market.instruments.values()))
    )


def _is_quote(quote: Quote) -> bool:
    rate, opened = quote.funding_rate, quote.day_open
    return (
        all(map(_is_above_zero, (quote.bid, quote.ask, quote.last, quote.mark)))
        and (opened is None or _is_above_zero(opened))
        and (rate is None or rate.copy_abs() < 1)
    )


def _is_instrument(instrument: Instrument) -> bool:
    rules = [getattr(instrument, name) for name in (*_RULES, *_MOST)]
    rows = [getattr(each, name) for each in instrument.brackets for name in _BRACKET]
    return (
        bool(rows)
        and all(each is None or each >= 0 for each in (*rules, *rows))
        and _is_above_zero(instrument.tick_size)
        and _is_above_zero(instrument.step_size, MOST_UNITS)
        and all(e.max_leverage >= 1 > e.maintenance_rate for e in instrument.brackets)
    )


def _is_above_zero(number: Decimal | None, limit: Decimal = LIMIT) -> bool:
    return number is not None and 0 < number < limit


# as the server writes them; no file of ours has a number that is longer
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST: Final = 100

_PRICES: Final = ("bid", "ask", "last", "mark", "funding_rate", "day_open")
_RULES: Final = ("tick_size", "step_size", "min_quantity", "min_notional")
# None: no limit; older versions wrote no max_notional
_MOST: Final = ("max_quantity", "max_notional")
_BRACKET: Final = tuple(field.name for field in fields(Bracket))


def _quote_document(quote: Quote) -> dict[str, Any]:
    return {
        "symbol": quote.symbol,
        "time": iso(quote.time),
        **{name: _plain(getattr(quote, name)) for name in _PRICES},
    }


def _read_quote(document: Mapping[str, Any]) -> Quote:
    prices: dict[str, Any] = {name: _decimal(document[name]) for name in _PRICES}
    return Quote(symbol=document["symbol"], time=from_iso(document["time"]), **prices)


def _instrument_document(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": instrument.symbol,
        **{name: plain(getattr(instrument, name)) for name in _RULES},
        **{name: _plain(getattr(instrument, name)) for name in _MOST},
        "funding_interval": int(instrument.funding_interval.total_seconds()),
        "has_mark": instrument.has_mark,
        "brackets": [
            [plain(getattr(each, name)) for name in _BRACKET] for each in instrument.brackets
        ],
    }


def _read_instrument(document: Mapping[str, Any]) -> Instrument:
    rules: dict[str, Any] = {
        **{name: _number(document[name]) for name in _RULES},
        **{name: _decimal(document.get(name)) for name in _MOST},
    }
    brackets = tuple(
        Bracket(**dict(zip(_BRACKET, map(_number, row), strict=True)))
        for row in document["brackets"]
    )
    return Instrument(
        symbol=document["symbol"],
        brackets=brackets,
        # Older versions settled every symbol at the usual interval, and wrote none.
        funding_interval=_interval(document.get("funding_interval")),
        has_mark=document.get("has_mark") is not False,
        **rules,
    )


def _interval(seconds: object) -> timedelta:
    if seconds is None:
        return FUNDING_INTERVAL
    found = next((e for e in FUNDING_INTERVALS if e.total_seconds() == seconds), None)
    if found is None:
        raise ValueError(f"{seconds!r:.40} is no interval of settlements")
    return found


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else _number(text)


def _number(text: str) -> Decimal:
    """The number that ``text`` tells.

    Raises:
        TypeError: it is no text.
        ValueError: it is no number that the server would write, or beyond what can be calculated.
    """
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text) or not is_bounded(Decimal(text)):
        raise ValueError(f"{text:.20} is no number of a market")
    return Decimal(text)
