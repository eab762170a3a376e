"""How the engine's work grows with what is open: n positions and n orders, a symbol each.

    .venv/bin/python tests/bench/engine.py

A tick has a new price of every symbol and goes through Engine.tell: with an account in memory and
one in a file, where nothing fires and where one order does. Beside it, the snapshot that is shown
four times a second. The sizes take turns, round after round, in one process. How it grows is told
of the time on the processor, which other programs and the disk do not lengthen.
"""

from __future__ import annotations

import argparse
import gc
import math
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.core.account import Account
from balance.core.change import Change
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.core.orders import place_order
from balance.core.quote import Quote
from balance.core.ticket import Ticket
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.server.engine import Engine
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import Store
from tests.accounts import MOMENT
from tests.feeds import HandFed
from tests.markets import BTC, quote

SIZES = (1, 5, 50, 500)
#: Enough for 500 positions.
CAPITAL = 100_000_000
_QUIET, _FIRING, _SHOWN = "nothing fires", "one order fires", "snapshot"


class Seconds(NamedTuple):
    """By the clock on the wall, and on the processor alone."""

    wall: float
    work: float


class Bench:
    """An engine, never started, for an account with ``size`` positions and orders."""

    def __init__(self, size: int, store: Store, folder: Path) -> None:
        self.symbols = [f"S{number}/USDT" for number in range(size)]
        rules = {each: replace(KNOWN[BTC], symbol=each) for each in self.symbols}
        self.board = LiveBoard()
        self.desk = Desk(store, self.board)
        feed = HandFed(instruments=rules)
        self.engine = Engine(self.desk, self.board, feed, lambda _: None, folder)
        self._ticks = 0
        self.tick()
        self.desk.deposit(CAPITAL)
        market = self.board.market
        store.commit(lambda account: opened(account, market, self.symbols), source="program")
        # the file has the entries of its last commit in it: let that be a small one
        self.desk.deposit(1)

    def tick(self, first: object = None) -> Seconds:
        """What it takes to tell a new price of every symbol, ``first`` of the first."""
        self._ticks += 1
        mark = 40_000 + self._ticks % 10
        time_ = MOMENT + timedelta(milliseconds=250 * self._ticks)
        quotes = [_quote(each, mark, time_) for each in self.symbols]
        if first is not None:
            quotes[0] = _quote(self.symbols[0], first, time_)
        begun = _now()
        self.engine.process(quotes)
        return _since(begun)

    def firing_tick(self) -> Seconds:
        """What a tick takes that fills an order, which is placed before."""
        self.tick()
        self.desk.place_order(
            symbol=self.symbols[0], side="sell", type="limit", quantity="0.001", price=41_000,
            reduce_only=True,
        )  # fmt: skip
        before = self.desk.version
        seconds = self.tick(41_000)
        assert self.desk.version == (before[0], before[1] + 1), "one order must fill"
        return seconds

    def snapshot(self) -> Seconds:
        """What the snapshot of a new price takes."""
        self.tick()
        begun = _now()
        self.desk.snapshot()
        return _since(begun)


def _now() -> Seconds:
    return Seconds(time.perf_counter(), time.thread_time())


def _since(begun: Seconds) -> Seconds:
    now = _now()
    return Seconds(now.wall - begun.wall, now.work - begun.work)


def _quote(symbol: str, mark: object, time_: datetime) -> Quote:
    return quote(symbol, mark, time=time_, funding_rate="0.0001", day_open=39_000)


def opened(account: Account, market: Market, symbols: list[str]) -> Change:
    """The account with a long and a limit order of each of ``symbols``."""
    change = Change(account)
    for number, symbol in enumerate(symbols):
        asked = (
            Ticket(symbol=symbol, side="buy", quantity=Decimal(10)),
            Ticket(
                symbol=symbol, side="sell", type="limit", quantity=Decimal(1), price=Decimal(45_000)
            ),
        )
        for kind, ticket in zip("po", asked, strict=True):
            order_id = f"{kind}-{number}"
            change = change.then(place_order(change.account, ticket, market, order_id, MOMENT))
    return change


@contextmanager
def benches() -> Iterator[dict[tuple[int, str], Bench]]:
    """One of every size, in memory and in a file."""
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for size in SIZES:
            made[size, "memory"] = Bench(size, MemoryStore(), Path(folder))
            place = Path(folder) / str(size)
            made[size, "file"] = Bench(size, FileStore(place), place)
        yield made


def main() -> None:
    """Measure and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each size is measured (5)")
    options = parser.parse_args()
    rounds: dict[tuple[str, str, int], list[Seconds]] = defaultdict(list)
    with benches() as made:
        gc.collect()
        gc.freeze()
        for _ in range(options.rounds):
            for (size, store), bench in made.items():
                for what, measure, times in (
                    (_QUIET, bench.tick, max(20, 2_000 // size)),
                    (_FIRING, bench.firing_tick, max(5, 100 // size)),
                    (_SHOWN, bench.snapshot, max(10, 500 // size)),
                ):
                    rounds[what, store, size].append(_median([measure() for _ in range(times)]))
    medians = {key: _median(each) for key, each in rounds.items()}
    _print_times(medians)
    _print_growth(medians)


def _median(times: list[Seconds]) -> Seconds:
    return Seconds(*(statistics.median(each) for each in zip(*times, strict=True)))


def _print_times(medians: dict[tuple[str, str, int], Seconds]) -> None:
    print(f"{'':24}{'n':>6}{'once':>14}{'a position':>14}{'a second':>12}{'processor':>14}")
    for (what, store, size), (wall, work) in sorted(medians.items()):
        print(
            f"{what + ', ' + store:24}{size:>6}{wall * 1e6:>11,.0f} us"
            f"{wall / size * 1e6:>11,.1f} us{1 / wall:>12,.0f}{work * 1e6:>11,.0f} us"
        )


def _print_growth(medians: dict[tuple[str, str, int], Seconds]) -> None:
    few, many = SIZES[-2:]
    print(f"\n{'':24}{f'a position, {many} : {few}':>26}{'exponent':>11}{f'from {few} on':>11}")
    for what, store in sorted({key[:2] for key in medians}):
        times = {size: medians[what, store, size].work for size in SIZES}
        ratio = times[many] / many / (times[few] / few)
        local = math.log(times[many] / times[few]) / math.log(many / few)
        print(f"{what + ', ' + store:24}{ratio:>26.2f}{_exponent(times):>11.2f}{local:>11.2f}")


def _exponent(times: dict[int, float]) -> float:
    """The slope of a straight line through the logarithms of sizes and times."""
    sizes = [math.log(size) for size in times]
    return statistics.linear_regression(sizes, [math.log(each) for each in times.values()]).slope


if __name__ == "__main__":
    main()
