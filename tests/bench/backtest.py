"""How long backtests take, and how that grows with the candles: each built-in strategy.

    .venv/bin/python tests/bench/backtest.py

The candles are those of the file that is named, or of ../shared/market, or else a walk. The time is
that on the processor, which other programs do not lengthen; the reading of the file is told beside
it. The exponent is the slope of time over candles, both as logarithms: 1 is linear.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.backtests.backtest import CandleHistory, run_backtest
from balance.backtests.candles import plan_backtest
from balance.backtests.report import report
from balance.bots.settings import settings_of
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.core.quote import Candle
from balance.market.replay.candle_file import read_candles
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.own import ask_strategy
from balance.strategies.strategy import Kind
from tests.markets import BTC
from tests.serving import ROOT

SIZES = (5_000, 15_000, 45_000)
REAL = ROOT.parent / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"


def walk(count: int) -> list[Candle]:
    """``count`` candles of a minute, the same each time."""
    chance, price, candles = random.Random(7), 46_000.0, []
    begun = datetime(2022, 1, 1, tzinfo=UTC)
    for number in range(count):
        close = price * math.exp(chance.gauss(0, 0.0008))
        high = max(price, close) * (1 + abs(chance.gauss(0, 0.0003)))
        low = min(price, close) * (1 - abs(chance.gauss(0, 0.0003)))
        opened, highest, lowest, closed = (
            Decimal(f"{each:.1f}") for each in (price, high, low, close)
        )
        candles.append(
            Candle(
                time=begun + timedelta(minutes=number),
                open=opened,
                high=highest,
                low=lowest,
                close=closed,
                volume=Decimal(5),
            )
        )
        price = float(closed)
    return candles


def seconds(kind: Kind, candles: Sequence[Candle], timeframe: str) -> tuple[float, int]:
    """What the backtest of ``kind`` and its report take, and how many trades there were."""
    members = {"name": "Bench", "symbol": BTC, "strategy": kind.id, "timeframe": timeframe}
    limits = {"stop_loss": 2, "take_profit": 4}
    market = Market(instruments=KNOWN)
    settings = settings_of({**members, **limits}, lambda _: kind, market)
    chosen = kind.make({})
    past = CandleHistory(
        instrument=KNOWN[BTC], candles=candles, seconds=60, settlement=lambda _instant: None
    )
    gc.collect()
    begun = time.process_time()
    plan = plan_backtest(
        past, settings, chosen, partial(ask_strategy, chosen), balance=Decimal(10_000)
    )
    tested = run_backtest(plan)
    report(plan, tested)
    return time.process_time() - begun, len(tested.trades)


def main() -> None:
    """Measure and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, default=REAL, help="candles of a minute of BTC/USDT")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument("--timeframes", nargs="*", default=["5m", "1m"], help="of the bots (5m 1m)")
    options = parser.parse_args()
    if options.csv.exists():
        begun = time.process_time()
        candles = list(read_candles(options.csv).candles)
        took = time.process_time() - begun
        print(f"{options.csv.name}: {len(candles):,} candles, read in {took:.2f} s\n")
    else:
        candles = walk(SIZES[-1])
        print(f"A walk of {len(candles):,} candles\n")
    sizes = [min(size, len(candles)) for size in SIZES]
    print(
        f"{'':24}{'':>4}"
        + "".join(f"{size:>11,}" for size in sizes)
        + f"{'exponent':>10}{'trades':>8}"
    )
    for timeframe in options.timeframes:
        for kind in BUILT_IN:
            times, trades = [], 0
            for size in sizes:
                rounds = [seconds(kind, candles[-size:], timeframe) for _ in range(options.rounds)]
                times.append(statistics.median(each for each, _ in rounds))
                trades = rounds[0][1]
            slope = statistics.linear_regression(
                [math.log(each) for each in sizes], [math.log(each) for each in times]
            ).slope
            cells = "".join(f"{each:>9.2f} s" for each in times)
            print(f"{kind.name:24}{timeframe:>4}{cells}{slope:>10.2f}{trades:>8,}")


if __name__ == "__main__":
    main()
