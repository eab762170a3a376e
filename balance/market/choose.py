"""Which feed the program's options mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from balance.core.currencies import check_dollars
from balance.core.errors import InvalidRequest
from balance.market.feed import Feed, FeedFault
from balance.market.replay.candle_file import CandleFile, Reading, read_candles, with_marks
from balance.market.replay.cells import parse_iso_time
from balance.market.replay.feed import ReplayFeed, replay_id
from balance.market.simulated.feed import DEFAULT_SEED, SimulatedFeed, simulated_id
from balance.market.symbols import is_symbol, symbol_in

SIMULATED: Final = "simulated"
_REPLAY: Final = "replay"
#: The moment of the feed with an id up to which something was traded on it.
Traded = Callable[[str], datetime | None]
_OPTIONS: Final = {
    "speed": "--speed",
    "start": "--from",
    "symbols": "--symbols",
    "seed": "--seed",
    "funding_rate": "--funding-rate",
    "funding_interval": "--funding-interval",
    "marks": "--mark",
    "date_format": "--date-format",
}

_OF_FILES: Final = ("marks", "date_format")


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """What a person asked for; what was left out is empty or None."""

    # ``simulated``, ccxt's id of an exchange, or ``replay:FILE`` and ``replay:SYMBOL=FILE``, of
    # which there may be several, also of one symbol
    feed: tuple[str, ...] = (SIMULATED,)
    # of a replay: market time by wall time, and where to begin
    speed: Decimal | float | None = None
    start: datetime | None = None
    # of an exchange, such as BTC/USDT; empty for those that it chooses
    symbols: tuple[str, ...] = ()
    # of the simulated market
    seed: int | None = None
    # of a replay whose file has none, as a fraction
    funding_rate: Decimal | None = None
    # from one settlement to the next, of a replay whose file does not say it
    funding_interval: timedelta | None = None
    # Of a replay: ``FILE`` or ``SYMBOL=FILE`` with the candles of a mark price.
    marks: tuple[str, ...] = ()
    # Of a replay whose files have dates such as 03/02/2025: DD/MM/YYYY or the like.
    date_format: str | None = None


def open_feed(
    options: FeedOptions, saved: Mapping[str, Any] | None, traded: Traded = lambda _: None
) -> Feed:
    """The feed that ``options`` mean. ``saved`` is ``{"id": feed.id, "state": feed.saved()}`` of an
    earlier one; it counts only if that had the same id. ``traded`` tells up to which moment of a
    feed, by its id, something was traded: a replay that goes on does not go back behind that,
    though a crash may have kept ``saved`` from being newer.

    Raises:
        FeedFault: it can't be opened, or the options don't fit together.
    """
    kind = _kind(options.feed)
    if kind == SIMULATED:
        _refuse_others(options, "the simulated market", "seed")
        seed = DEFAULT_SEED if options.seed is None else options.seed
        return SimulatedFeed(seed=seed, saved=_state(saved, simulated_id(seed)))
    if kind == _REPLAY:
        fitting = ("speed", "start", "funding_rate", "funding_interval", *_OF_FILES)
        _refuse_others(options, "a replay", *fitting)
        return _replay(options, saved, traded)
    _refuse_others(options, f"the exchange {kind}", "symbols")
    for symbol in options.symbols:
        if "/" in symbol:
            _check_dollars(symbol)
    # ccxt takes a second to import: only who asks for an exchange waits for it
    from balance.market.exchange.feed import open_exchange

    return open_exchange(kind, options.symbols)


def parse_time(text: str) -> datetime:
    """The moment that ``text`` names, an ISO date or a date and a time; in UTC unless it has a
    zone.

    Raises:
        FeedFault: it names none.
    """
    try:
        return parse_iso_time(text.strip())
    except ValueError as fault:
        raise FeedFault(
            f'"{text}" is no time: write a date such as 2022-01-31, or one with a time such as '
            f"2022-01-31T08:00; it is taken as UTC."
        ) from fault


def _kind(feeds: Sequence[str]) -> str:
    """``simulated``, ``replay`` or the id of an exchange."""
    kinds = {_REPLAY if feed.startswith(f"{_REPLAY}:") else feed for feed in feeds}
    if not kinds or "" in kinds:
        raise FeedFault("Name a feed: simulated, replay:FILE, or an exchange such as binance.")
    if _REPLAY in feeds:
        raise FeedFault("A replay needs a file: replay:FILE or replay:BTC/USDT=FILE.")
    if len(kinds) > 1:
        raise FeedFault(
            f"Only one feed at a time, not {' and '.join(sorted(kinds))}; but a replay may have "
            f"several files, each given as replay:FILE."
        )
    return kinds.pop()


def _refuse_others(options: FeedOptions, feed: str, *fitting: str) -> None:
    unfit = [
        flag
        for name, flag in _OPTIONS.items()
        if name not in fitting and getattr(options, name) not in (None, ())
    ]
    if unfit:
        raise FeedFault(
            f"{feed[0].upper()}{feed[1:]} has no {' and no '.join(unfit)}: leave it out."
        )


def _replay(options: FeedOptions, saved: Mapping[str, Any] | None, traded: Traded) -> Feed:
    files = _files(options.feed, options.date_format)
    marks = _files(options.marks, options.date_format)
    for symbol, file in marks.items():
        if symbol not in files:
            raise FeedFault(f"{file.name} has mark prices of {symbol}, which has no candles here.")
        files[symbol] = with_marks(files[symbol], file)
    return ReplayFeed(
        files,
        speed=1 if options.speed is None else options.speed,
        start=options.start,
        funding_rate=options.funding_rate,
        funding_interval=options.funding_interval,
        saved=_state(saved, replay_id(files)),
        traded=traded(replay_id(files)),
    )


def _files(texts: Sequence[str], date_format: str | None) -> dict[str, CandleFile]:
    """The candles of ``SYMBOL=FILE`` or ``FILE``, with or without ``replay:``, by symbol."""
    paths: dict[str, list[Path]] = {}
    for text in texts:
        symbol, path = _file(text, date_format)
        _check_dollars(symbol)
        paths.setdefault(symbol, []).append(path)
    files = {}
    for symbol, several in paths.items():
        reading = Reading(symbol=symbol, date_format=date_format)
        files[symbol] = read_candles(*several, reading=reading)
    return files


def _file(text: str, date_format: str | None) -> tuple[str, Path]:
    """The symbol and the file of ``SYMBOL=FILE`` or ``FILE``, with or without ``replay:``."""
    prefix = f"{_REPLAY}:" if text.startswith(f"{_REPLAY}:") else ""
    text = text.removeprefix(prefix)
    symbol, given, name = text.partition("=")
    if given and is_symbol(symbol.upper()):
        return symbol.upper(), Path(name).expanduser()
    path = Path(text).expanduser()
    guess = symbol_in(path.stem)
    if guess is None and path.is_file():
        guess = read_candles(path, reading=Reading(date_format=date_format)).symbol
    if guess is None:
        raise FeedFault(
            f"The name of {path.name or 'the file'} does not say of which symbol its candles are: "
            f"give it as {prefix}BTC/USDT={text or 'FILE'}."
        )
    return guess, path


def _check_dollars(symbol: str) -> None:
    try:
        check_dollars(symbol)
    except InvalidRequest as fault:
        raise FeedFault(str(fault)) from fault


def _state(saved: Mapping[str, Any] | None, feed_id: str) -> Mapping[str, Any] | None:
    return saved["state"] if saved and saved.get("id") == feed_id else None
