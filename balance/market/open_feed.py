"""The feed that the options of a command line name, and those options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

from balance.core.errors import InvalidRequest
from balance.core.instrument import FUNDING_INTERVALS
from balance.core.instruments import check_dollars
from balance.core.symbols import symbol_alone
from balance.market.feed import Feed, FeedFault
from balance.market.replay.candle_file import CandleFile, Reading, read_candles, with_marks
from balance.market.replay.cells import parse_iso_time
from balance.market.replay.feed import ReplayFeed, replay_id
from balance.market.simulated.feed import DEFAULT_SEED, SimulatedFeed, simulated_id
from balance.market.symbols import symbol_in

SIMULATED: Final = "simulated"
_REPLAY: Final = "replay"
_EXCHANGE: Final = "exchange"
#: The moment of the last trade on the feed with an id; None where there was none.
LastTrade = Callable[[str], datetime | None]


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """The options that choose a feed; what was left out is empty or None."""

    # ``simulated``, ccxt's id of an exchange, or ``replay:FILE`` and ``replay:SYMBOL=FILE``, of
    # which there may be several, also of one symbol.
    feed: tuple[str, ...] = (SIMULATED,)
    # Market time by wall time.
    speed: Decimal | float | None = None
    # The market time at which a replay begins.
    start: datetime | None = None
    # Such as BTC/USDT; empty for those that the exchange chooses.
    symbols: tuple[str, ...] = ()
    seed: int | None = None
    # A fraction, for a file that has none.
    funding_rate: Decimal | None = None
    # From one settlement to the next, for a file that does not say it.
    funding_interval: timedelta | None = None
    # ``FILE`` or ``SYMBOL=FILE`` with the candles of a mark price.
    marks: tuple[str, ...] = ()
    # Of files with dates such as 03/02/2025: DD/MM/YYYY or the like.
    date_format: str | None = None


def add_feed_options(parser: argparse.ArgumentParser) -> None:
    """Let ``parser`` take the options of all feeds."""
    group = parser.add_argument_group("where prices come from")
    group.add_argument(
        "--feed",
        action="append",
        metavar="FEED",
        help="simulated (the default), replay:FILE or replay:SYMBOL=FILE (may be repeated), or an "
        "exchange such as binance",
    )
    for name, option in _OPTIONS.items():
        group.add_argument(
            option.flag,
            dest=name,
            action=option.action,
            type=option.type,
            metavar=option.metavar,
            help=option.help,
        )


def feed_options(options: argparse.Namespace) -> FeedOptions:
    """The part of ``options`` that chooses a feed.

    Raises:
        FeedFault: a time is none.
    """
    given = {each.name: getattr(options, each.name) for each in fields(FeedOptions)}
    if options.start is not None:
        given["start"] = parse_start(options.start)
    named = {name: value for name, value in given.items() if value not in (None, [])}
    lists = {name: tuple(value) for name, value in named.items() if isinstance(value, list)}
    return FeedOptions(**{**named, **lists})


def names_feed(options: argparse.Namespace) -> bool:
    """Whether any of ``options`` chooses a feed."""
    return any(getattr(options, each.name) not in (None, []) for each in fields(FeedOptions))


def feed_arguments(options: FeedOptions) -> list[str]:
    """The arguments of a command line that name the same feed from any folder, but for the time
    at which a replay begins."""
    replay = f"{_REPLAY}:"
    arguments = [
        f"--feed={replay}{_absolute(each.removeprefix(replay))}"
        if each.startswith(replay)
        else f"--feed={each}"
        for each in options.feed
    ]
    for name, option in _OPTIONS.items():
        value = getattr(options, name)
        if name == "start" or value in (None, ()):
            continue
        values = value if option.action == "append" else [value]
        arguments += [f"{option.flag}={option.text(each)}" for each in values]
    return arguments


def feed_of(arguments: Sequence[str]) -> FeedOptions:
    """The options that :func:`feed_arguments` wrote as ``arguments``.

    Raises:
        FeedFault: they are none.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_feed_options(parser)
    try:
        options, others = parser.parse_known_args(arguments)
    except (argparse.ArgumentError, TypeError) as fault:
        raise FeedFault(f"The feed of the other server can't be opened: {fault}.") from fault
    if others:
        raise FeedFault(f"The feed of the other server has options unknown here: {others}.")
    return feed_options(options)


def interval_of_hours(text: str) -> timedelta:
    """The time between two funding settlements that is ``text`` hours.

    Raises:
        ArgumentTypeError: that is no number of hours that divides a day.
    """
    interval = next((e for e in FUNDING_INTERVALS if f"{e / timedelta(hours=1):g}" == text), None)
    if interval is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of hours that divides a day: 1, 2, 3, 4, 6, 8, 12 or 24"
        )
    return interval


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from fault
    if not number.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return number


def _positive(text: str) -> Decimal:
    number = _number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above zero")
    return number


def _fraction(percent: str) -> Decimal:
    return _number(percent) / 100


def _symbols(text: str) -> list[str]:
    return [symbol_alone(each) or each.strip().upper() for each in text.split(",") if each.strip()]


def _absolute(text: str) -> str:
    """``SYMBOL=FILE`` or ``FILE`` with the whole path of the file."""
    symbol, given, name = text.partition("=")
    if given and symbol_alone(symbol) is not None:
        return f"{symbol}={Path(name).expanduser().absolute()}"
    return str(Path(text).expanduser().absolute())


class _Option(NamedTuple):
    flag: str
    # The kind of feed that it is for.
    kind: str
    # As ``add_argument`` takes it.
    metavar: str
    help: str
    type: Callable[[str], object] = str
    action: str = "store"
    # What ``type`` makes the same value of again.
    text: Callable[[Any], str] = str


#: By the field of :class:`FeedOptions` that the option sets.
_OPTIONS: Final = {
    "speed": _Option(
        *("--speed", _REPLAY, "N", "how much faster a replay runs: 60, an hour in a minute (1)"),
        type=_positive,
    ),
    "start": _Option("--from", _REPLAY, "TIME", "where a replay begins: 2022-01-21T08:00"),
    "symbols": _Option(
        *("--symbols", _EXCHANGE, "LIST", "those of an exchange (BTC/USDT,ETH/USDT,SOL/USDT)"),
        type=_symbols,
        text=",".join,
    ),
    "seed": _Option("--seed", SIMULATED, "N", "another simulated market", type=int),
    "funding_rate": _Option(
        *("--funding-rate", _REPLAY, "PERCENT"),
        "of a replay whose file has none: 0.01; without it funding is skipped",
        type=_fraction,
        text=lambda fraction: str(fraction * 100),
    ),
    "funding_interval": _Option(
        *("--funding-interval", _REPLAY, "HOURS"),
        "of a file that does not say it: 1, 2, 3, 4, 6, 8, 12 or 24 (8)",
        type=interval_of_hours,
        text=lambda interval: f"{interval / timedelta(hours=1):g}",
    ),
    "marks": _Option(
        *("--mark", _REPLAY, "SYMBOL=FILE"),
        "candles of the mark price, for a replay (may be repeated); without it the mark price is "
        "the last price",
        action="append",
        text=_absolute,
    ),
    "date_format": _Option(
        *("--date-format", _REPLAY, "FORMAT"),
        "of dates whose day and month are not clear: DD/MM/YYYY",
    ),
}


def open_feed(
    options: FeedOptions,
    saved: Mapping[str, Any] | None,
    last_trade: LastTrade = lambda _: None,
) -> Feed:
    """The feed that ``options`` name. ``saved`` is ``{"id": feed.id, "state": feed.saved()}`` of an
    earlier one, and counts only where that had the same id. A replay does not go back behind its
    ``last_trade``, though ``saved`` may be older after a crash.

    Raises:
        FeedFault: it can't be opened, or the options don't fit together.
    """
    kind = _kind(options.feed)
    if kind == SIMULATED:
        _refuse_others(options, SIMULATED, "The simulated market")
        seed = DEFAULT_SEED if options.seed is None else options.seed
        return SimulatedFeed(seed=seed, saved=_state(saved, simulated_id(seed)))
    if kind == _REPLAY:
        _refuse_others(options, _REPLAY, "A replay")
        return _replay(options, saved, last_trade)
    _refuse_others(options, _EXCHANGE, f"The exchange {kind}")
    for symbol in options.symbols:
        if "/" in symbol:
            _check_dollars(symbol)
    # Imported here, as ccxt takes a second.
    from balance.market.exchange.feed import open_exchange

    return open_exchange(kind, options.symbols)


def prepare(options: FeedOptions) -> None:
    """Do now what :func:`open_feed` with ``options`` would take a second for."""
    if not {SIMULATED, _REPLAY} & {feed.partition(":")[0] for feed in options.feed}:
        # ccxt.
        import balance.market.exchange.feed  # noqa: F401


def parse_start(text: str) -> datetime:
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


def _refuse_others(options: FeedOptions, kind: str, feed: str) -> None:
    others = [
        option.flag
        for name, option in _OPTIONS.items()
        if option.kind != kind and getattr(options, name) not in (None, ())
    ]
    if others:
        raise FeedFault(f"{feed} has no {' and no '.join(others)}: leave it out.")


def _replay(options: FeedOptions, saved: Mapping[str, Any] | None, last_trade: LastTrade) -> Feed:
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
        last_trade=last_trade(replay_id(files)),
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
    named = symbol_alone(symbol)
    if given and named is not None:
        return named, Path(name).expanduser()
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
