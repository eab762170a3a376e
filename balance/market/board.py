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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
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
from balance.store.checksum import is_changed, sealed
from balance.store.disk import DISK, Disk, Signature

MARKET_FILE: Final = "market.json"
#: What the feed needs to go on, such as its past; written about once a minute.
FEED_FILE: Final = "feed.json"
#: A file that has not been written for so long is of a server that has stopped.
_STALE_SECONDS: Final = 5.0


#: Candles of a symbol, of so many seconds each, at most so many.
Candles = Callable[[str, int, int], Sequence[Candle]]
#: A market on the terms that are in force: itself where it has them already.
Ruled = Callable[[Market], Market]


def stopped_message(folder: Path) -> str:
    """The message while no server runs on ``folder``, so that no prices come."""
    start = program(folder)
    return f"The server that brings its prices is not running: start it with {start}."


def _unruled(market: Market) -> Market:
    return market


def _no_candles(_symbol: str, _seconds: int, _limit: int) -> Sequence[Candle]:
    return ()


class LiveBoard:
    """The market by this process's own feed, on the terms that are in force."""

    def __init__(self, ruled: Ruled = _unruled, market: Market = NO_MARKET) -> None:
        """``market`` is the one that was shown before: the ticks go on after its own."""
        self._ruled = ruled
        self._market = market
        self._guard = threading.Lock()
        self.candles: Candles = _no_candles

    @property
    def market(self) -> Market:
        """The market as it is now."""
        market = self._market
        if self._ruled(market) is market:
            return market
        with self._guard:
            market = self._ruled(self._market)
            if market is not self._market:
                # The tick shows readers of the old one that this is another.
                self._market = replace(market, tick=market.tick + 1)
            return self._market

    @market.setter
    def market(self, market: Market) -> None:
        with self._guard:
            self._market = market


class FileBoard:
    """The market by the server's file, on the terms that are in force; read again when it was
    written."""

    def __init__(
        self, folder: Path, ruled: Ruled = _unruled, disk: Disk = DISK, stopped: str = ""
    ) -> None:
        """``stopped`` is the message while the file is not written: by default that no server
        runs."""
        self._disk = disk
        disk.narrow(folder, MARKET_FILE, FEED_FILE)
        self._file = folder / MARKET_FILE
        self._ruled = ruled
        self._stopped = stopped or stopped_message(folder)
        # The market while no server has written one yet.
        self._none_yet = Market(message=self._stopped, instruments=KNOWN)
        # The market that was read last, with the signature of its file while that can be trusted,
        # and why it was stale; empty where it was not.
        self._seen: tuple[tuple[Signature | None, str], Market] | None = None
        # The market that was read, and the same on the terms that were in force.
        self._shown = NO_MARKET, NO_MARKET
        self._guard = threading.Lock()
        self._has_ended = False
        #: Whether the file was there the last time it was read, and was damaged.
        self.is_damaged = False
        # Why nobody writes the file, empty where that is not known, and its signature then.
        self._rests: tuple[str, Signature | None] = "", None
        # Only the server has candles.
        self.candles: Candles = _no_candles

    @property
    def market(self) -> Market:
        """The market of a moment ago, or the last one known, with nothing live in it."""
        with self._guard:
            before, shown = self._shown
            if self._has_ended:
                return shown
            read = self._read()
            if read is before and self._ruled(shown) is shown:
                return shown
            market = replace(self._ruled(read), tick=shown.tick + 1)
            self._shown = read, market
            return market

    @property
    def rests(self) -> bool:
        """Whether nothing is live since :meth:`rest`."""
        message, signature = self._rests
        return bool(message) and self._signature() == signature

    def rest(self, message: str) -> None:
        """Have nothing live by the file, for the reason in ``message``, until it is written."""
        self._rests = message, self._signature()

    def end(self) -> Market:
        """The last market by the file, which is not read any more: this process writes it now."""
        _ = self.market
        with self._guard:
            self._has_ended = True
            return self._shown[1]

    def _signature(self) -> Signature | None:
        """The signature of the file; None where it is missing."""
        try:
            return self._disk.signature(self._file)
        except OSError:
            return None

    def _read(self) -> Market:
        try:
            now, signature = time.time_ns(), self._disk.signature(self._file)
            is_old = abs(now - signature.changed) > _STALE_SECONDS * 1_000_000_000
            message, rests_at = self._rests
            if signature != rests_at:
                message = self._stopped if is_old else ""
            if self._seen is None or self._seen[0] != (signature, message):
                market = read_market(self._disk.read(self._file))
                self.is_damaged = False
                if message:
                    market = replace(market, live=frozenset(), state="stale", message=message)
                if self._seen is not None and market == self._seen[1]:
                    market = self._seen[1]
                self._seen = (None if signature.is_racy(now) else signature, message), market
        # The account does not depend on the file.
        except OSError:
            return self._none_yet
        except ValueError:
            self.is_damaged = True
            return self._none_yet
        return self._seen[1]


def save_market(
    folder: Path,
    market: Market,
    feed: Mapping[str, Any],
    disk: Disk = DISK,
    arguments: Sequence[str] = (),
) -> None:
    """Write ``market`` into its file in ``folder``, with the ``feed``'s own state and the
    ``arguments`` of a command line that name it.

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
        "quotes": [
            {"symbol": each.symbol, "time": iso(each.time), **_texts(each, _QUOTE)}
            for each in market.quotes.values()
        ],
        "bests": {each: plain(best) for each, best in market.bests.items()},
        "instruments": [
            {
                "symbol": each.symbol,
                **_texts(each, _INSTRUMENT),
                "funding_interval": int(each.funding_interval.total_seconds()),
                "has_mark": each.has_mark,
                "brackets": [list(_texts(row, _BRACKET).values()) for row in each.brackets],
            }
            for each in market.instruments.values()
        ],
        "saved": feed,
        "arguments": list(arguments),
    }
    disk.replace_file(folder / MARKET_FILE, sealed(json.dumps(document).encode()), durable=False)


def save_past(folder: Path, market: Market, feed: Mapping[str, Any], disk: Disk = DISK) -> None:
    """Write all that the ``feed`` of ``market`` needs to go on into its file in ``folder``.

    Raises:
        OSError: the disk refused.
    """
    document = {"feed": market.feed, "as_of": market.as_of and iso(market.as_of), "saved": feed}
    disk.replace_file(folder / FEED_FILE, sealed(json.dumps(document).encode()), durable=False)


def saved_feed(folder: Path) -> tuple[str | None, dict[str, Any], datetime | None]:
    """What the last server saved: its feed's id and state, and when it last had a quote, None where
    it had none. It is in the market's file, with the long past from the feed's; where that is
    missing or damaged, in the feed's alone, and where both are, nowhere."""
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


def saved_arguments(folder: Path) -> list[str]:
    """The arguments of a command line that name the feed of the last server; empty where they are
    not known."""
    found = _document(folder / MARKET_FILE).get("arguments")
    return [str(each) for each in found] if isinstance(found, list) else []


def _document(file: Path) -> dict[str, Any]:
    try:
        text = DISK.read(file)
        document = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    is_sound = isinstance(document, dict) and not is_changed(text, document)
    return document if is_sound else {}


def read_market(text: bytes) -> Market:
    """The market that ``text`` holds.

    Raises:
        ValueError: it holds none that anyone could trade on.
    """
    try:
        document = json.loads(text)
        if is_changed(text, document):
            raise ValueError("this does not match its checksum")
        quotes = [
            Quote(symbol=each["symbol"], time=from_iso(each["time"]), **_numbers(each, _QUOTE))
            for each in document["quotes"]
        ]
        instruments = [_read_instrument(each) for each in document["instruments"]]
        market = Market(
            feed=document["feed"],
            label=document["label"],
            state=document["state"],
            message=document["words"],
            as_of=None if document["as_of"] is None else from_iso(document["as_of"]),
            quotes={each.symbol: each for each in quotes},
            live=frozenset(document["live"]),
            # Older versions had no orders that follow the price.
            bests=_read_bests(document.get("bests", {})),
            instruments={each.symbol: each for each in instruments},
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise ValueError(f"this is no market: {fault}") from fault
    texts = (market.feed, market.label, market.state, market.message)
    are_texts = all(isinstance(each, str) for each in texts)
    if not (are_texts and market.live <= set(market.quotes) <= set(market.instruments)):
        raise ValueError("this is no market that anyone could trade on")
    return market


def _read_bests(document: Mapping[str, str]) -> dict[str, Decimal]:
    return _numbers(document, dict.fromkeys(document, _is_price))


def _read_instrument(document: Mapping[str, Any]) -> Instrument:
    rows = [dict(zip(_BRACKET, row, strict=True)) for row in document["brackets"]]
    brackets = tuple(Bracket(**_numbers(row, _BRACKET)) for row in rows)
    if not brackets or not all(e.max_leverage >= 1 > e.maintenance_rate for e in brackets):
        raise ValueError(f"the brackets of {document['symbol']!r:.40} are none")
    # Older versions settled every symbol at the usual interval, and wrote none.
    seconds = document.get("funding_interval", FUNDING_INTERVAL.total_seconds())
    interval = next((e for e in FUNDING_INTERVALS if e.total_seconds() == seconds), None)
    if interval is None:
        raise ValueError(f"{seconds!r:.40} is no interval of settlements")
    return Instrument(
        symbol=document["symbol"],
        brackets=brackets,
        funding_interval=interval,
        has_mark=document.get("has_mark") is not False,
        **_numbers(document, _INSTRUMENT),
    )


def _is_price(number: Decimal) -> bool:
    return 0 < number < LIMIT


def _is_step(number: Decimal) -> bool:
    return 0 < number < MOST_UNITS


def _is_amount(number: Decimal) -> bool:
    return number >= 0


def _is_rate(number: Decimal) -> bool:
    return number.copy_abs() < 1


#: The numbers of each record by name, with what they must be.
_QUOTE: Final = {
    **dict.fromkeys(("bid", "ask", "last", "mark"), _is_price),
    "funding_rate": _is_rate,
    "day_open": _is_price,
}
_INSTRUMENT: Final = {
    "tick_size": _is_price,
    "step_size": _is_step,
    **dict.fromkeys(("min_quantity", "min_notional", "max_quantity", "max_notional"), _is_amount),
}
_BRACKET: Final = {each.name: _is_amount for each in fields(Bracket)}
# None where a feed does not know it, or has no limit; older versions wrote no max_notional.
_OPTIONAL: Final = frozenset(("funding_rate", "day_open", "max_quantity", "max_notional"))
# The server writes them so; none of its numbers is longer.
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST: Final = 100


def _texts(record: object, names: Iterable[str]) -> dict[str, str | None]:
    numbers = {name: getattr(record, name) for name in names}
    return {name: None if each is None else plain(each) for name, each in numbers.items()}


def _numbers(
    document: Mapping[str, Any], checks: Mapping[str, Callable[[Decimal], bool]]
) -> dict[str, Any]:
    """The numbers of ``document`` by the names in ``checks``.

    Raises:
        KeyError, TypeError: one is missing, or no text.
        ValueError: one is not as the server writes it, beyond what can be calculated, or not what
            it must be.
    """
    numbers: dict[str, Decimal | None] = {}
    for name, is_right in checks.items():
        if name in _OPTIONAL and document.get(name) is None:
            numbers[name] = None
            continue
        text: str = document[name]
        if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
            raise ValueError(f"{name} is {text:.20}, which is no number")
        number = numbers[name] = Decimal(text)
        if not is_bounded(number) or not is_right(number):
            raise ValueError(f"{name} can't be {text:.20}")
    return numbers
