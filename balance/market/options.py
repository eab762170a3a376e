"""The options of the command line that choose a feed."""

from __future__ import annotations

import argparse
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from balance.core.instrument import FUNDING_INTERVALS
from balance.market.choose import SIMULATED, FeedOptions, parse_time


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
    group.add_argument(
        "--speed", type=_positive, metavar="N", help="how much faster a replay runs: 60, an hour "
        "in a minute (1)"
    )  # fmt: skip
    group.add_argument(
        "--from", dest="start", metavar="TIME", help="where a replay begins: 2022-01-21T08:00"
    )
    group.add_argument(
        "--symbols",
        metavar="LIST",
        help="what an exchange is asked for (BTC/USDT,ETH/USDT,SOL/USDT)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="another simulated market")
    group.add_argument(
        "--funding-rate",
        type=_number,
        metavar="PERCENT",
        help="of a replay whose file has none: 0.01; without it funding is skipped",
    )
    group.add_argument(
        "--funding-interval",
        type=interval_of_hours,
        metavar="HOURS",
        help="of a file that does not say it: 1, 2, 3, 4, 6, 8, 12 or 24 (8)",
    )
    group.add_argument(
        "--mark",
        action="append",
        metavar="SYMBOL=FILE",
        help="candles of the mark price, for a replay (may be repeated); without it the mark price "
        "is the last price",
    )
    group.add_argument(
        "--date-format",
        metavar="FORMAT",
        help="of dates whose day and month can't be told apart: DD/MM/YYYY",
    )


def feed_options(options: argparse.Namespace) -> FeedOptions:
    """What ``options`` ask for.

    Raises:
        FeedFault: a time is none.
    """
    symbols = options.symbols or ""
    rate = options.funding_rate
    return FeedOptions(
        feed=tuple(options.feed or (SIMULATED,)),
        speed=options.speed,
        start=None if options.start is None else parse_time(options.start),
        symbols=tuple(each.strip().upper() for each in symbols.split(",") if each.strip()),
        seed=options.seed,
        funding_rate=None if rate is None else rate / 100,
        funding_interval=options.funding_interval,
        marks=tuple(options.mark or ()),
        date_format=options.date_format,
    )


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as fault:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from fault
    if not number.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return number


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


def _positive(text: str) -> Decimal:
    number = _number(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above zero")
    return number
