"""The SDK's streams, whose models check every type, and a book of the account from events alone."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from binance_rows import EventBook, best, plain
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import enums
from comparison import Access, Desk, Steps, exact, settle
from sdk_client import Sdk, dumped
from sdk_tour import BTC, ETH, SOL, Tour

# How many events may come until one is that of the desk's newest moment.
_EVENTS: Final = 40
# The models do not keep the name of their event.
_NAMES: Final = {
    "OrderTradeUpdate": "ORDER_TRADE_UPDATE",
    "AlgoUpdate": "ALGO_UPDATE",
    "AccountUpdate": "ACCOUNT_UPDATE",
}


class Streams:
    """The steps of the market, then those of the account."""

    def __init__(self, access: Access) -> None:
        self.desk = Desk(access.url)
        self.trader = Tour(access)
        self.client: Sdk = self.trader.client
        reader = self.client
        self.book = EventBook(reader.account(), reader.positions(), reader.orders(), reader.fills())
        self.refused: list[Any] = []
        self.steps = Steps("sdk streams", self.book, self.desk, settle)

    async def walk(self) -> int:
        """Take every step; the exit code."""
        connection = await self.client.sdk.websocket_streams.create_connection()
        try:
            await self.watch_market(connection)
            await self.watch_account(connection)
        finally:
            await connection.close_connection(close_session=True)
        return self.steps.end()

    async def watch_market(self, connection: Any) -> None:
        """Each kind of stream, until an event is that of the moment."""
        name = BTC.lower()
        for what, subscribe, theirs, ours in (
            (
                "aggregate_trade_streams",
                lambda: connection.aggregate_trade_streams(symbol=name),
                lambda e: e["p"],
                "last",
            ),
            (
                "individual_symbol_mini_ticker_stream",
                lambda: connection.individual_symbol_mini_ticker_stream(symbol=name),
                lambda e: e["c"],
                "last",
            ),
            (
                "individual_symbol_ticker_streams",
                lambda: connection.individual_symbol_ticker_streams(symbol=name),
                lambda e: e["c"],
                "last",
            ),
            (
                "individual_symbol_book_ticker_streams",
                lambda: connection.individual_symbol_book_ticker_streams(symbol=name),
                lambda e: e["b"],
                "bid",
            ),
            (
                "all_market_mini_tickers_stream",
                lambda: connection.all_market_mini_tickers_stream(),
                lambda e: next(t["c"] for t in e if t["s"] == BTC),
                "last",
            ),
            (
                "all_market_tickers_streams",
                lambda: connection.all_market_tickers_streams(),
                lambda e: next(t["c"] for t in e if t["s"] == BTC),
                "last",
            ),
            (
                "all_book_tickers_stream",
                lambda: connection.all_book_tickers_stream(),
                lambda e: e["a"] if e["s"] == BTC else None,
                "ask",
            ),
            (
                "mark_price_stream",
                lambda: connection.mark_price_stream(symbol=name, update_speed="1s"),
                lambda e: e["p"],
                "mark",
            ),
            (
                "mark_price_stream_for_all_market",
                lambda: connection.mark_price_stream_for_all_market(update_speed="1s"),
                lambda e: next(t["p"] for t in e if t["s"] == BTC),
                "mark",
            ),
            (
                "kline_candlestick_streams",
                lambda: connection.kline_candlestick_streams(symbol=name, interval="1m"),
                lambda e: e["k"]["c"],
                "last",
            ),
            (
                "continuous_contract_kline_candlestick_streams",
                lambda: connection.continuous_contract_kline_candlestick_streams(
                    pair=name, contract_type="perpetual", interval="1m"
                ),
                lambda e: e["k"]["c"],
                "last",
            ),
            (
                "partial_book_depth_streams",
                lambda: connection.partial_book_depth_streams(symbol=name, levels=5),
                lambda e: best(e["b"]),
                "bid",
            ),
            (
                "diff_book_depth_streams",
                lambda: connection.diff_book_depth_streams(symbol=name),
                lambda e: best(e["b"]),
                "bid",
            ),
        ):
            await self._agree(what, subscribe, theirs, ours)

    async def _agree(self, what: str, subscribe: Any, theirs: Any, ours: str) -> None:
        seen: list[Any] = []
        events: asyncio.Queue[Any] = asyncio.Queue()

        async def watched() -> None:
            stream = await subscribe()
            stream.on("message", events.put_nowait)
            while len(seen) < _EVENTS:
                value = theirs(dumped(await asyncio.wait_for(events.get(), 20)))
                # Only the newest event can be that of the moment.
                if value is None or not events.empty():
                    continue
                prices = await asyncio.to_thread(self.desk.read, "/prices")
                seen.append((value, prices["prices"][plain(BTC)][ours]))
                if exact(seen[-1][0]) == seen[-1][1]:
                    await stream.unsubscribe()
                    return
            raise AssertionError(f"none of {_EVENTS} events is that of the moment: {seen[-3:]}")

        try:
            await watched()
            self.steps.equal(f"{what} ({len(seen)} events)", "agrees", "agrees")
        except Exception as fault:
            self.steps.equal(what, f"{type(fault).__name__}: {fault}", "agrees")

    async def watch_account(self, connection: Any) -> None:
        """What is done by REST and by the page, followed by events alone."""
        trader, reach, near = self.trader, self.steps.reach, self.trader.near
        key = await asyncio.to_thread(self.client.call, "start_user_data_stream")
        stream = await connection.user_data(key["listenKey"])
        stream.on("message", self._hear)
        order = await reach("limit buy", self._do(trader._limit, BTC, "BUY", 0.01, -5))
        amend = (enums.ModifyOrderSideEnum.BUY, 0.02, near(BTC, -4))
        await reach(
            "modify",
            self._do(self.client.call, "modify_order", BTC, *amend, order_id=order["orderId"]),
        )
        await reach("cancel", self._do(self.client.call, "cancel_order", BTC, order["orderId"]))
        await reach("market buy", self._do(trader._market, BTC, "BUY", 0.02))
        await reach("market sell, a short", self._do(trader._market, ETH, "SELL", 0.3))
        yes = enums.NewAlgoOrderReduceOnlyEnum.TRUE
        stop = await reach(
            "stop",
            self._do(
                trader._algo,
                "STOP_MARKET",
                trigger_price=near(BTC, -5),
                quantity=0.01,
                reduce_only=yes,
            ),
        )
        await reach(
            "trailing stop",
            self._do(
                trader._algo,
                "TRAILING_STOP_MARKET",
                callback_rate=1.5,
                quantity=0.01,
                reduce_only=yes,
            ),
        )
        await reach(
            "cancel the stop",
            self._do(self.client.call, "cancel_algo_order", algo_id=stop["algoId"]),
        )
        await reach("a stop fires", self._do(trader.fire_stop))
        await reach(
            "margin", self._do(self.client.call, "modify_isolated_position_margin", BTC, 20.0, 1)
        )
        await reach("leverage", self._do(self.client.call, "change_initial_leverage", SOL, 4))
        await reach("keepalive", self._do(self.client.call, "keepalive_user_data_stream"))
        await reach(
            "the page's order",
            self._do(
                self.desk.send,
                "POST",
                "/orders",
                {"symbol": "SOL/USDT", "side": "buy", "quantity": 3, "stop_loss": 20},
            ),
        )
        await reach("the page closes all", self._do(self.desk.send, "POST", "/positions/close", {}))
        await reach(
            "the page's deposit",
            self._do(self.desk.send, "POST", "/virtual_balance", {"deposit": 500}),
        )
        self.steps.equal("events that a model refuses", self.refused, [])

    def _hear(self, event: Any) -> None:
        """Take an event; one that its model refuses is passed on as it is, with a warning."""
        found = event.actual_instance
        if isinstance(found, dict):
            self.refused.append(found)
            self.book.take(found)
        else:
            self.book.take({"e": _NAMES.get(type(found).__name__, ""), **found.to_dict()})

    async def _do(self, call: Any, *args: Any, **members: Any) -> Any:
        return await asyncio.to_thread(call, *args, **members)


if __name__ == "__main__":
    sys.exit(asyncio.run(Streams(Access.parse(sys.argv[1])).walk()))
