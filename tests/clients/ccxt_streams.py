"""ccxt.pro: every ``watch`` beside the desk, after every event."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

import ccxt.pro
from ccxt_client import SYMBOLS, configured, fill_row, order_row, plain
from comparison import Access, Desk, Rows, Steps, exact, fire, settle, signed

BTC, ETH, SOL = SYMBOLS
# How many events may come until one is that of the desk's newest moment.
_EVENTS: Final = 40


class Watcher:
    """The belief of a program that only listens, from the moment on at which it began."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self._orders: dict[str, Any] = {}
        self._fills: dict[str, Any] = {}
        self._positions: dict[str, Any] = {}
        self._wallet: Any = None
        self.faults: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Listen to all that there is of the account."""
        exchange = self.exchange
        for watch, take in (
            (exchange.watch_orders, self._take_orders),
            (exchange.watch_my_trades, self._take_trades),
            (exchange.watch_balance, self._take_balance),
            (exchange.watch_positions, self._take_positions),
        ):
            self._tasks.append(asyncio.create_task(self._listen(watch, take)))

    async def _listen(
        self, watch: Callable[[], Awaitable[Any]], take: Callable[[Any], None]
    ) -> None:
        while True:
            try:
                take(await watch())
            except asyncio.CancelledError:
                raise
            except Exception as fault:
                self.faults.append(f"{watch.__name__}: {type(fault).__name__}: {fault}")
                await asyncio.sleep(1)

    async def stop(self) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take_orders(self, orders: Any) -> None:
        for order in orders:
            if order["status"] == "open":
                self._orders[order["id"]] = order_row(order)
            else:
                self._orders.pop(order["id"], None)

    def _take_trades(self, trades: Any) -> None:
        self._fills |= {
            trade["id"]: {**fill_row(trade), "pnl": trade["info"]["rp"]} for trade in trades
        }

    def _take_balance(self, balance: Any) -> None:
        self._wallet = balance["USDT"]["total"]

    def _take_positions(self, positions: Any) -> None:
        for position in positions:
            if position["contracts"]:
                self._positions[plain(position["symbol"])] = {
                    "quantity": signed(position["contracts"], position["side"]),
                    "entry": position["entryPrice"],
                }
            else:
                self._positions.pop(plain(position["symbol"]), None)

    def account(self) -> Rows:
        """As ``Client.account``."""
        return {"USDT": {"wallet": self._wallet}}

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return dict(self._positions)

    def orders(self) -> Rows:
        """As ``Client.orders``."""
        return dict(self._orders)

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        return dict(self._fills)


class Tour:
    """The steps of the market, then those of the account."""

    def __init__(self, access: Access) -> None:
        self.desk = Desk(access.url)
        self.exchange = configured(access, "ccxt.pro")
        self.watcher = Watcher(self.exchange)
        name = f"ccxt.pro {ccxt.pro.__version__}"
        self.steps = Steps(name, self.watcher, self.desk, settle)

    async def walk(self) -> int:
        """Take every step; the exit code."""
        try:
            await self.exchange.load_markets()
            await self.watch_market()
            await self.watch_account()
        finally:
            await self.watcher.stop()
            await self.exchange.close()
        return self.steps.end()

    async def price(self) -> Any:
        """The desk's prices of Bitcoin."""
        prices = await asyncio.to_thread(self.desk.read, "/prices")
        return prices["prices"]["BTC/USDT"]

    async def near(self, percent: float) -> float:
        """A price that many percent above the mark price."""
        mark = float((await self.price())["mark"])
        return float(self.exchange.price_to_precision(BTC, mark * (1 + percent / 100)))

    async def watch_market(self) -> None:
        """Prices and candles, each until an event is that of the moment."""
        exchange = self.exchange
        for what, watch, theirs, ours in (
            ("watch_ticker", lambda: exchange.watch_ticker(BTC), "last", "last"),
            ("watch_tickers", lambda: _of_one(exchange.watch_tickers([BTC])), "last", "last"),
            ("watch_mark_price", lambda: exchange.watch_mark_price(BTC), "markPrice", "mark"),
            (
                "watch_mark_prices",
                lambda: _of_one(exchange.watch_mark_prices([BTC])),
                "markPrice",
                "mark",
            ),
            ("watch_bids_asks bid", lambda: _of_one(exchange.watch_bids_asks([BTC])), "bid", "bid"),
            ("watch_bids_asks ask", lambda: _of_one(exchange.watch_bids_asks([BTC])), "ask", "ask"),
        ):
            await self._agree(
                what, watch, lambda row, n=theirs: row[n], lambda price, n=ours: price[n]
            )
        await self._agree(
            "watch_order_book",
            lambda: exchange.watch_order_book(BTC),
            lambda book: book["bids"][0][0],
            lambda price: price["bid"],
        )
        await self._agree(
            "watch_trades",
            lambda: exchange.watch_trades(BTC),
            lambda trades: trades[-1]["price"],
            lambda price: price["last"],
        )
        await self._agree(
            "watch_ohlcv",
            lambda: exchange.watch_ohlcv(BTC, "1m"),
            lambda rows: rows[-1][4],
            lambda price: price["last"],
        )
        await self._agree(
            "watch_ohlcv_for_symbols",
            lambda: exchange.watch_ohlcv_for_symbols([[BTC, "5m"]]),
            lambda found: found[BTC]["5m"][-1][4],
            lambda price: price["last"],
        )

    async def _agree(
        self, what: str, watch: Callable[[], Awaitable[Any]], theirs: Any, ours: Any
    ) -> None:
        seen = []

        async def watched() -> None:
            for _ in range(_EVENTS):
                event = await asyncio.wait_for(watch(), 20)
                price = await self.price()
                seen.append((theirs(event), ours(price)))
                if exact(seen[-1][0]) == seen[-1][1]:
                    return
            raise AssertionError(f"none of {_EVENTS} events is that of the moment: {seen[-3:]}")

        try:
            await watched()
            self.steps.equal(f"{what} ({len(seen)} events)", "agrees", "agrees")
        except Exception as fault:
            self.steps.equal(what, f"{type(fault).__name__}: {fault}", "agrees")

    async def watch_account(self) -> None:
        """What is done by this program, by the page and by the market."""
        exchange, reach, watcher = self.exchange, self.steps.reach, self.watcher
        watcher.start()
        # The first subscription has to be there before anything happens.
        await asyncio.sleep(3)
        watcher._wallet = Decimal(10_000)
        order = await reach(
            "limit buy", exchange.create_order(BTC, "limit", "buy", 0.01, await self.near(-5))
        )
        await reach(
            "edit_order",
            exchange.edit_order(order["id"], BTC, "limit", "buy", 0.02, await self.near(-4)),
        )
        await reach("cancel_order", exchange.cancel_order(order["id"], BTC))
        await reach("market buy", exchange.create_order(BTC, "market", "buy", 0.01))
        await reach("market buy, more", exchange.create_order(BTC, "market", "buy", 0.01))
        await reach("market sell, a short", exchange.create_order(ETH, "market", "sell", 0.2))
        await reach(
            "market buy, which turns it over", exchange.create_order(ETH, "market", "buy", 0.5)
        )
        stop = {"stopLossPrice": await self.near(-5), "reduceOnly": True}
        placed = await reach("stop", exchange.create_order(BTC, "market", "sell", 0.01, None, stop))
        await reach("cancel the stop", exchange.cancel_order(placed["id"], BTC, {"trigger": True}))
        trailing = {"trailingPercent": 2, "reduceOnly": True}
        await reach(
            "trailing stop", exchange.create_order(BTC, "market", "sell", 0.01, None, trailing)
        )
        entire = {"takeProfitPrice": await self.near(5), "closePosition": True}
        await reach(
            "take profit of all", exchange.create_order(BTC, "market", "sell", 0.02, None, entire)
        )
        await reach("a stop that fires", self._fired())
        limit = await self.near(-5.1)
        far = {"stopLossPrice": await self.near(-5), "reduceOnly": True}
        await reach(
            "stop at a limit", exchange.create_order(BTC, "limit", "sell", 0.005, limit, far)
        )
        await reach("add_margin", exchange.add_margin(BTC, 30))
        await reach("set_leverage of what is closed", exchange.set_leverage(4, SOL))
        batch = [
            {"symbol": SOL, "type": "limit", "side": "buy", "amount": 2, "price": 80.0 - n}
            for n in range(3)
        ]
        await reach("create_orders", exchange.create_orders(batch))
        await reach("cancel_all_orders", exchange.cancel_all_orders(SOL))
        await reach(
            "the page's order",
            self._send(
                "POST",
                "/orders",
                {
                    "symbol": "SOL/USDT",
                    "side": "buy",
                    "quantity": 3,
                    "take_profit": 900,
                    "stop_loss": 20,
                },
            ),
        )
        await reach(
            "the page's limit order",
            self._send(
                "POST",
                "/orders",
                {"symbol": "SOL/USDT", "side": "buy", "type": "limit", "price": 50, "quantity": 2},
            ),
        )
        await reach("the page's deposit", self._send("POST", "/virtual_balance", {"deposit": 500}))
        await reach("the page closes", self._send("POST", "/positions/SOL-USDT/close", {}))
        for symbol, quantity in ((BTC, 0.015), (ETH, 0.3)):
            closing = exchange.create_order(
                symbol, "market", "sell", quantity, None, {"reduceOnly": True}
            )
            await reach(f"close {symbol}", closing)
        await reach("the page's reset", self._send("POST", "/virtual_balance/reset", {}))
        self.steps.equal("no watch failed", watcher.faults, [])

    async def _send(self, method: str, path: str, body: Any) -> Any:
        return await asyncio.to_thread(self.desk.send, method, path, body)

    async def _fired(self) -> None:
        """A stop next to the market, until one has filled."""
        loop, exchange = asyncio.get_running_loop(), self.exchange

        def wait(coroutine: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

        def place() -> str:
            params = {"stopLossPrice": wait(self.near(-0.01)), "reduceOnly": True}
            return str(
                wait(exchange.create_order(BTC, "market", "sell", 0.005, None, params))["id"]
            )

        def cancel(number: str) -> None:
            wait(exchange.cancel_order(number, BTC, {"trigger": True}))

        await asyncio.to_thread(fire, self.desk, place, cancel)


async def _of_one(watched: Awaitable[Any]) -> Any:
    return (await watched)[BTC]


if __name__ == "__main__":
    sys.exit(asyncio.run(Tour(Access.parse(sys.argv[1])).walk()))
