"""python-binance's sockets: the market, and a book of the account from its events alone."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from binance import BinanceSocketManager
from binance_rows import EventBook, best, plain
from comparison import Access, Desk, Steps, exact, settle
from python_binance_tour import BTC, ETH, SOL, Tour

# How many events may come until one is that of the desk's newest moment.
_EVENTS: Final = 40


class Streams:
    """The steps of the market, then those of the account."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.desk = Desk(access.url)
        # The synchronous client trades; the sockets listen.
        self.trader = Tour(access)
        reader = self.trader.client
        self.book = EventBook(reader.account(), reader.positions(), reader.orders(), reader.fills())
        self.steps = Steps("python-binance sockets", self.book, self.desk, settle)

    async def walk(self) -> int:
        """Take every step; the exit code."""
        manager = await self.access.run_snippet("python-binance")["streams"]()
        try:
            await self.watch_market(manager)
            await self.watch_account(manager)
        finally:
            await manager._client.close_connection()
        return self.steps.end()

    async def watch_market(self, manager: BinanceSocketManager) -> None:
        """Each kind of stream, until an event is that of the moment."""
        one = BTC.lower()
        for what, socket, theirs, ours in (
            (
                "symbol_ticker_futures_socket",
                manager.symbol_ticker_futures_socket(BTC),
                lambda e: e["b"],
                "bid",
            ),
            (
                "individual_symbol_ticker_futures_socket",
                manager.individual_symbol_ticker_futures_socket(BTC),
                lambda e: e["c"],
                "last",
            ),
            (
                "futures_ticker_socket",
                manager.futures_ticker_socket(),
                lambda e: next(t["c"] for t in e if t["s"] == BTC),
                "last",
            ),
            (
                "all_ticker_futures_socket",
                manager.all_ticker_futures_socket(),
                lambda e: e["a"] if e["s"] == BTC else None,
                "ask",
            ),
            (
                "kline_futures_socket",
                manager.kline_futures_socket(BTC),
                lambda e: e["k"]["c"],
                "last",
            ),
            (
                "aggtrade_futures_socket",
                manager.aggtrade_futures_socket(BTC),
                lambda e: e["p"],
                "last",
            ),
            (
                "futures_depth_socket",
                manager.futures_depth_socket(BTC),
                lambda e: best(e["b"]),
                "bid",
            ),
            (
                "futures_multiplex_socket mark",
                manager.futures_multiplex_socket([f"{one}@markPrice@1s"]),
                lambda e: e["p"],
                "mark",
            ),
            (
                "futures_multiplex_socket mini",
                manager.futures_multiplex_socket([f"{one}@miniTicker"]),
                lambda e: e["c"],
                "last",
            ),
            (
                "futures_multiplex_socket depth",
                manager.futures_multiplex_socket([f"{one}@depth@100ms"], category="public"),
                lambda e: best(e["b"]),
                "bid",
            ),
        ):
            await self._agree(what, socket, theirs, ours)

    async def _agree(self, what: str, socket: Any, theirs: Any, ours: str) -> None:
        seen = []

        async def watched() -> None:
            async with socket as stream:
                while len(seen) < _EVENTS:
                    event = await asyncio.wait_for(stream.recv(), 20)
                    value = theirs(event.get("data", event) if isinstance(event, dict) else event)
                    if value is None:
                        continue
                    prices = await asyncio.to_thread(self.desk.read, "/prices")
                    seen.append((value, prices["prices"][plain(BTC)][ours]))
                    if exact(seen[-1][0]) == seen[-1][1]:
                        return
            raise AssertionError(f"none of {_EVENTS} events is that of the moment: {seen[-3:]}")

        try:
            await watched()
            self.steps.equal(f"{what} ({len(seen)} events)", "agrees", "agrees")
        except Exception as fault:
            self.steps.equal(what, f"{type(fault).__name__}: {fault}", "agrees")

    async def watch_account(self, manager: BinanceSocketManager) -> None:
        """What is done by REST and by the page, followed by events alone."""
        reach, api, near = self.steps.reach, self.trader.api, self.trader.near
        async with manager.futures_user_socket() as stream:
            listener = asyncio.create_task(self._listen(stream))
            order = await reach(
                "limit buy",
                self._do(
                    api.futures_create_order,
                    symbol=BTC,
                    side="BUY",
                    type="LIMIT",
                    timeInForce="GTC",
                    quantity="0.01",
                    price=near(BTC, -5),
                ),
            )
            await reach(
                "modify",
                self._do(
                    api.futures_modify_order,
                    symbol=BTC,
                    orderId=order["orderId"],
                    side="BUY",
                    quantity="0.02",
                    price=near(BTC, -4),
                ),
            )
            await reach(
                "cancel", self._do(api.futures_cancel_order, symbol=BTC, orderId=order["orderId"])
            )
            await reach(
                "market buy",
                self._do(
                    api.futures_create_order, symbol=BTC, side="BUY", type="MARKET", quantity="0.02"
                ),
            )
            await reach(
                "market sell, a short",
                self._do(
                    api.futures_create_order, symbol=ETH, side="SELL", type="MARKET", quantity="0.3"
                ),
            )
            for kind, members in {
                "STOP_MARKET": {
                    "stopPrice": near(BTC, -5),
                    "quantity": "0.01",
                    "reduceOnly": "true",
                },
                "TAKE_PROFIT_MARKET": {"stopPrice": near(BTC, 5), "closePosition": "true"},
                "STOP": {
                    "stopPrice": near(BTC, -6),
                    "price": near(BTC, -6.1),
                    "quantity": "0.01",
                    "timeInForce": "GTC",
                },
                "TRAILING_STOP_MARKET": {
                    "callbackRate": "1.5",
                    "quantity": "0.01",
                    "reduceOnly": "true",
                },
            }.items():
                made = await reach(
                    kind,
                    self._do(
                        api.futures_create_order, symbol=BTC, side="SELL", type=kind, **members
                    ),
                )
            await reach(
                "cancel a conditional order",
                self._do(api.futures_cancel_algo_order, symbol=BTC, algoId=made["algoId"]),
            )
            await reach("a stop fires", self._do(self.trader.fire_stop))
            await reach(
                "margin",
                self._do(api.futures_change_position_margin, symbol=BTC, amount="20", type=1),
            )
            await reach("leverage", self._do(api.futures_change_leverage, symbol=SOL, leverage=4))
            self.steps.equal(
                "ACCOUNT_CONFIG_UPDATE", "ACCOUNT_CONFIG_UPDATE" in self.book.names, True
            )
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
                "the page's deposit", self._send("POST", "/virtual_balance", {"deposit": 500})
            )
            await reach("the page closes all", self._send("POST", "/positions/close", {}))
            await reach(
                "a round trip",
                self._do(
                    api.futures_create_order, symbol=SOL, side="BUY", type="MARKET", quantity="2"
                ),
            )
            await reach("the page's reset", self._send("POST", "/virtual_balance/reset", {}))
            listener.cancel()

    async def _listen(self, stream: Any) -> None:
        while True:
            self.book.take(await stream.recv())

    async def _do(self, call: Any, **members: Any) -> Any:
        return await asyncio.to_thread(call, **members)

    async def _send(self, method: str, path: str, body: Any) -> Any:
        return await asyncio.to_thread(self.desk.send, method, path, body)


async def main() -> int:
    """Every step; the exit code."""
    return await Streams(Access.parse(sys.argv[1])).walk()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
