"""What a tick costs with 50 open orders of every kind, beside the same number in another tree.

    .venv/bin/python tests/bench/open_orders.py --base ../before

The other tree is a work tree of an older commit; without it, this one is measured against itself,
which tells how exact the figures are. Both are processes of their own that take turns, tick series
by tick series, and only the time on the processor counts. The price stands about still, rises with
every tick, so that every trailing stop follows, walks along candles as it does where the market was
missed and in backtests, or moves to a limit order that fills.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve()
_TICKS: Final = 400
_ORDERS: Final = 50
#: How many of them are OCO, in trees that know it.
_GROUPS: Final = 4
_WAYS: Final = ("still", "rising", "candles", "fills")
#: What is open in each tree, as far as it knows the kinds; none of it is met.
_KINDS: Final[tuple[dict[str, Any], ...]] = (
    {"side": "buy", "type": "limit", "price": 30_000},
    {"side": "sell", "type": "stop_market", "trigger_price": 30_000},
    {"side": "sell", "type": "take_profit_market", "trigger_price": 90_000},
    {"side": "sell", "type": "stop_limit", "trigger_price": 30_000, "price": 29_000},
    {"side": "sell", "type": "take_profit_limit", "trigger_price": 90_000, "price": 89_000},
    {"side": "sell", "type": "trailing_stop", "callback_percent": 9},
    {
        "side": "buy",
        "type": "trailing_stop",
        "callback_percent": 9,
        "activation_price": 20_000,
    },
)


class Bench:
    """An engine, never started, for an account with a position and ``_ORDERS`` orders."""

    def __init__(self, folder: str) -> None:
        from balance.core.instruments import KNOWN
        from balance.core.order import ORDER_KINDS
        from balance.desk.desk import Desk
        from balance.market.board import LiveBoard
        from balance.server.engine import Engine
        from balance.store.memory_store import MemoryStore
        from tests.accounts import MOMENT
        from tests.feeds import HandFed
        from tests.markets import BTC, quote

        self.quote, self.symbol, self.start = quote, BTC, MOMENT
        board = LiveBoard()
        self.desk = Desk(MemoryStore(), board)
        self.engine = Engine(
            self.desk, board, HandFed(instruments=KNOWN), lambda _: None, Path(folder)
        )
        self._ticks = 0
        self._last = quote(BTC, 40_000, time=MOMENT)
        self.tick(40_000)
        self.desk.deposit(10_000_000)
        self.desk.place_order(symbol=BTC, side="buy", quantity="1", leverage=2)
        known = [each for each in _KINDS if each["type"] in ORDER_KINDS]
        if hasattr(self.desk, "place_oco"):
            for _ in range(_GROUPS):
                self.desk.place_oco(
                    [{"symbol": BTC, "quantity": "0.01", **each} for each in _KINDS[:2]]
                )
        for number in range(_ORDERS - len(self.desk.snapshot().open_orders)):
            self.desk.place_order(symbol=BTC, quantity="0.01", **known[number % len(known)])

    def tick(self, mark: Any, *, moves: bool = False) -> float:
        """The seconds on the processor that a new price takes; it moved there or jumped."""
        self._ticks += 1
        now = self.quote(
            self.symbol,
            mark,
            time=self.start + timedelta(milliseconds=250 * self._ticks),
            funding_rate="0.0001",
            day_open=39_000,
        )
        before, self._last = self._last, now
        if moves:
            now = replace(now, moved_from=before)
        begun = time.thread_time()
        self.engine.process([now])
        return time.thread_time() - begun

    def series(self, way: str) -> float:
        """The median of the ticks of one series."""
        if way == "fills":
            return statistics.median(self._fill() for _ in range(_TICKS // 10))
        before = self.desk.version
        base = int(self._last.mark)
        times = []
        for number in range(_TICKS):
            mark = {
                "still": base + Decimal(number % 10) / 10,
                "rising": base + Decimal(number) / 10,
                # A candle's open, low, high and close.
                "candles": base + (0, -5, 5, 1)[number % 4],
            }[way]
            times.append(self.tick(mark, moves=way == "candles" and bool(number % 4)))
        if way != "rising":
            assert self.desk.version == before, "nothing may fire"
        return statistics.median(times)

    def _fill(self) -> float:
        base = int(self._last.mark)
        self.desk.place_order(
            symbol=self.symbol, side="buy", type="limit", quantity="0.001", price=base - 50
        )
        before = self.desk.version
        seconds = self.tick(base - 60, moves=True)
        assert self.desk.version == (before[0], before[1] + 1), "one order must fill"
        self.tick(base)
        return seconds


def _serve() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        gc.collect()
        gc.freeze()
        print(len(bench.desk.snapshot().open_orders), flush=True)
        for line in sys.stdin:
            print(bench.series(line.strip()), flush=True)


class Tree:
    """A bench in a process of its own, with the code of the work tree at ``path``."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE), "--serve", "--tree", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.orders = int(self._line())

    def series(self, way: str) -> float:
        """The seconds that a tick took in one more series."""
        assert self._process.stdin is not None
        print(way, file=self._process.stdin, flush=True)
        return float(self._line())

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def main() -> None:
    """Measure and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="series of each (15)")
    parser.add_argument("--base", type=Path, default=_HERE.parents[2], help="the other tree")
    parser.add_argument("--tree", type=Path, default=_HERE.parents[2], help="this tree")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        sys.path.insert(0, str(options.tree.resolve()))
        _serve()
        return
    base, ours = Tree(options.base), Tree(options.tree)
    print(f"{base.orders} and {ours.orders} open orders")
    print(f"{'':10}{'base':>12}{'this tree':>12}{'ratio':>8}{'quarter to quarter':>22}")
    for way in _WAYS:
        pairs = [(base.series(way), ours.series(way)) for _ in range(options.rounds)]
        ratios = sorted(after / before for before, after in pairs)
        medians = [statistics.median(each) * 1e6 for each in zip(*pairs, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"{way:10}{medians[0]:>9,.0f} us{medians[1]:>9,.0f} us{middle:>8.2f}"
            f"{f'{low:.2f} - {high:.2f}':>22}"
        )
    for each in (base, ours):
        each.end()


if __name__ == "__main__":
    main()
