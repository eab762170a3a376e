"""The options of ``python -m balance backtest``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from balance.shell.parts import AddCommand

#: What a process exits with that was interrupted from its keyboard.
INTERRUPTED: Final = 130
# the settings of a bot that have options of their own names
_SETTINGS: Final = {
    "--timeframe": ("LENGTH", "of the candles it decides on: 1m, 5m, 15m, 1h, 4h or 1d (5m)"),
    "--stake": ("N", "margin of one position (10)"),
    "--stake-unit": ("UNIT", "what the stake is in: percent of what is available, or usdt"),
    "--leverage": ("N", "a whole number (3)"),
    "--direction": ("WAY", "both, long or short (both)"),
    "--min-confidence": ("N", "leave signals alone that are less sure, from 0 to 1 (0)"),
    "--stop-loss": ("PERCENT", "of the price (none)"),
    "--take-profit": ("PERCENT", "of the price (none)"),
    "--trailing-stop": ("PERCENT", "of the price (none)"),
    "--cooldown": ("MINUTES", "from the end of a trade to the next (0)"),
    "--max-daily-loss": ("USDT", "close and stop when a day has lost so much (none)"),
    "--max-drawdown": ("USDT", "close and stop so far below the best P&L (none)"),
}


def add_backtest_command(command: AddCommand) -> None:
    """Add the command that tests a strategy on the past."""
    parser = command("backtest", "test a strategy on the past", _run)
    parser.add_argument(
        "--strategy", default="ema_crossover", metavar="ID", help="which one (ema_crossover)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the strategy, such as fast=12; may be repeated",
    )
    parser.add_argument(
        "--list", action="store_true", help="list the strategies and their parameters"
    )
    parser.add_argument(
        "--strategies", type=Path, metavar="DIR", help="folder of your own strategies"
    )
    _add_past_options(parser)
    group = parser.add_argument_group("how it trades")
    for option, (value, words) in _SETTINGS.items():
        group.add_argument(option, metavar=value, help=words)


def _add_past_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it is tested on")
    group.add_argument(
        "--csv",
        type=Path,
        action="append",
        metavar="FILE",
        help="a file of candles (may be repeated: months are put together); without it, the past "
        "of the simulated market in the data folder",
    )
    group.add_argument(
        "--mark",
        type=Path,
        action="append",
        metavar="FILE",
        help="candles of the mark price; without it the mark price is the last price",
    )
    group.add_argument(
        "--date-format",
        metavar="FORMAT",
        help="of dates whose day and month can't be told apart: DD/MM/YYYY",
    )
    group.add_argument("--symbol", help="such as BTC/USDT, where the file's name does not say it")
    group.add_argument("--from", dest="since", metavar="TIME", help="the first candle, in UTC")
    group.add_argument("--to", dest="until", metavar="TIME", help="the end, in UTC")
    group.add_argument("--hours", metavar="N", help="only so many, the newest ones")
    group.add_argument("--balance", metavar="N", help="to begin with (10,000)")
    group.add_argument(
        "--funding-rate", metavar="PERCENT", help="for a file that has none: 0.01 (none)"
    )
    group.add_argument(
        "--funding-interval", metavar="HOURS", help="of a file that does not say it: 4 (8)"
    )
    group.add_argument("--trades", type=int, default=0, metavar="N", help="print the newest N")


def _run(options: argparse.Namespace) -> int:
    try:
        # here, as strategies take longer to load than the other commands
        from balance.shell.backtest import backtest

        return backtest(options)
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was changed.", file=sys.stderr)
        return INTERRUPTED
