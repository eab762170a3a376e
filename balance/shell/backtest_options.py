"""The options of ``python -m balance backtest``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from balance.shell.parts import AddCommand, Result, add_options

#: The exit code of a process that was interrupted from its keyboard.
INTERRUPTED: Final = 130
# Settings of a bot, each of which has an option of its name.
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


_PAST: Final = {
    "--date-format": ("FORMAT", "of dates whose day and month are not clear: DD/MM/YYYY"),
    "--symbol": ("SYMBOL", "such as BTC/USDT, where the file's name does not say it"),
    "--from": ("TIME", "the first candle, in UTC"),
    "--to": ("TIME", "the end, in UTC"),
    "--hours": ("N", "only so many, the newest ones"),
    "--balance": ("N", "to begin with (10,000)"),
    "--funding-rate": ("PERCENT", "for a file that has none: 0.01 (none)"),
    "--funding-interval": ("HOURS", "of a file that does not say it: 4 (8)"),
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
    add_options(parser, {"--list": (None, "list the strategies and their parameters")})
    parser.add_argument(
        "--strategies", type=Path, metavar="DIR", help="folder of your own strategies"
    )
    past = parser.add_argument_group("what it is tested on")
    past.add_argument(
        "--csv",
        type=Path,
        action="append",
        metavar="FILE",
        help="a file of candles (may be repeated: months are put together); without it, the past "
        "of the simulated market in the data folder",
    )
    past.add_argument(
        "--mark",
        type=Path,
        action="append",
        metavar="FILE",
        help="candles of the mark price; without it the mark price is the last price",
    )
    add_options(past, _PAST)
    past.add_argument("--trades", type=int, default=0, metavar="N", help="print the newest N")
    add_options(parser.add_argument_group("how it trades"), _SETTINGS)


def _run(options: argparse.Namespace) -> Result:
    try:
        # Imported here, as strategies take longer to load than the other commands.
        from balance.shell.backtest import backtest

        return backtest(options)
    except KeyboardInterrupt:
        print("\nInterrupted; nothing was changed.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
