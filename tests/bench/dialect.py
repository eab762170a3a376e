"""What requests in the exchange's dialect cost, beside the server's own for the same.

    .venv/bin/python tests/bench/dialect.py

Two accounts in files are alike, with a position, open orders and some hundred orders behind them,
but for whose they are: a key's and the person's. Each request of the dialect takes turns with the
own one that does the same, series by series, and only the time of the process on the processor
counts: signature, lock, disk and answer, but no network.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance import Desk
from balance.api.guards import Guards
from balance.binance.ids import order_number
from balance.core.order_record import order_records
from balance.desk.transactions import Conditions
from balance.market.simulated.feed import SimulatedFeed
from balance.store.file_store import FileStore
from tests.boards import board
from tests.dialect import Dialect, answered
from tests.markets import BTC

Request = Callable[[], None]
_SERIES = 40
_ORDERS = 300
_OPEN = 20


class Account:
    """An account whose trades are those of ``owner``, with a stop at the exchange as freqtrade has
    it, and what serves it."""

    def __init__(self, folder: Path, owner: str) -> None:
        prices = board()
        prices.candles = SimulatedFeed().candles
        desk = Desk(FileStore(folder), prices)
        self.client = Dialect(desk, guards=Guards())
        desk.deposit(10_000_000)
        self._how: Conditions = {"owner": owner}
        self._desk = desk
        self._order(side="buy", quantity="1")
        for number in range(_ORDERS):
            self.ended = self._order(side="buy" if number % 2 else "sell", quantity="0.001")
        for number in range(_OPEN):
            self._order(side="buy", type="limit", quantity="0.001", price=30_000 + number)
        stop = {"type": "stop_market", "trigger_price": 39_000, "reduce_only": True}
        self.stop = self._order(side="sell", quantity="0.5", **stop)
        self._sides: Iterator[str] = itertools.cycle(("buy", "sell"))

    def place(self) -> None:
        """Place an order at market in the dialect."""
        sent = {"symbol": "BTCUSDT", "type": "MARKET", "quantity": "0.001"}
        self.ask("POST", "order", side=next(self._sides).upper(), **sent)

    def place_own(self) -> None:
        """Place the same order by the server's own interface."""
        order = {"symbol": BTC, "side": next(self._sides), "quantity": 0.001}
        answered(self.client.client.post("/orders", json=order))

    def ask(self, method: str, path: str, **sent: object) -> None:
        """Ask something in the dialect."""
        self.client.ask(method, f"/fapi/v1/{path}", **sent)

    def read(self, path: str, **sent: object) -> None:
        """Ask for prices in the dialect, which nobody signs."""
        self.client.get(f"/fapi/v1/{path}", **sent)

    def get(self, path: str) -> None:
        """Ask something of the server's own interface."""
        answered(self.client.client.get(path))

    def _order(self, **members: object) -> int:
        outcome = self._desk.place_order(how=self._how, symbol=BTC, **members)
        return max(map(order_number, order_records(outcome.entries)))


def _pairs(theirs: Account, own: Account) -> dict[str, tuple[Request, Request]]:
    """The requests of the dialect by name, each with the own one."""
    symbol = {"symbol": "BTCUSDT"}
    return {
        "POST order": (theirs.place, own.place_own),
        "GET algoOrder": (
            partial(theirs.ask, "GET", "algoOrder", algoId=theirs.stop),
            partial(own.get, f"/orders/{own.stop}"),
        ),
        "GET order, ended": (
            partial(theirs.ask, "GET", "order", orderId=theirs.ended),
            partial(own.get, f"/orders/{own.ended}"),
        ),
        "GET openOrders": (
            partial(theirs.ask, "GET", "openOrders", **symbol),
            partial(own.get, "/orders"),
        ),
        "GET allOrders": (
            partial(theirs.ask, "GET", "allOrders", limit=100, **symbol),
            partial(own.get, "/orders?state=all&limit=100&symbol=BTC/USDT"),
        ),
        "GET depth": (partial(theirs.read, "depth", **symbol), partial(own.get, "/prices")),
        "GET premiumIndex": (partial(theirs.read, "premiumIndex"), partial(own.get, "/prices")),
        "GET ticker/24hr": (partial(theirs.read, "ticker/24hr"), partial(own.get, "/prices")),
        "GET klines, 500": (
            partial(theirs.read, "klines", interval="1m", **symbol),
            partial(own.get, "/candles/BTC-USDT?timeframe=1m&limit=500"),
        ),
    }


def _cost(request: Request, times: int) -> float:
    """The seconds on the processor that one of ``times`` requests takes."""
    begun = time.process_time()
    for _ in range(times):
        request()
    return (time.process_time() - begun) / times


def main() -> None:
    """Measure and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=_SERIES, help="series of each (40)")
    parser.add_argument("--times", type=int, default=20, help="requests of a series (20)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        theirs, own = Account(Path(folder, "key"), "bot"), Account(Path(folder, "person"), "")
        gc.collect()
        gc.freeze()
        print(f"{'':20}{'dialect':>12}{'own':>12}{'ratio':>8}{'quarter to quarter':>22}")
        for name, (request, same) in _pairs(theirs, own).items():
            pairs = [
                (_cost(request, options.times), _cost(same, options.times))
                for _ in range(options.series)
            ]
            ratios = [dialect / base for dialect, base in pairs]
            medians = [statistics.median(each) * 1e6 for each in zip(*pairs, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(
                f"{name:20}{medians[0]:>9,.0f} us{medians[1]:>9,.0f} us{middle:>8.2f}"
                f"{f'{low:.2f} - {high:.2f}':>22}"
            )


if __name__ == "__main__":
    main()
