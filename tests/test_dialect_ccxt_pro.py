"""ccxt.pro, unmodified, on the streams of the dialect: what it watches is what it is answered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import cycle
from typing import Any, TypeVar

import ccxt.pro
import pytest
from werkzeug.serving import make_server

from balance.core.candles import interval_of
from balance.market.chart import Chart
from tests.accounts import MOMENT
from tests.markets import BTC
from tests.patience import patience
from tests.streams import Streams

SYMBOL = "BTC/USDT:USDT"
_Result = TypeVar("_Result")


@pytest.fixture
def streams() -> Iterator[Streams]:
    """The streams of an account in memory, with candles."""
    with Streams() as found:
        yield found


@pytest.fixture
def rest(streams: Streams) -> Iterator[str]:
    """The address of the HTTP interface beside them."""
    server = make_server("127.0.0.1", 0, streams.dialect.client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(rest: str, streams: Streams) -> Any:
    """ccxt.pro at ``rest`` and ``streams``, by configuration alone."""
    versions = {"fapiPublic": 1, "fapiPublicV2": 2, "fapiPublicV3": 3}
    versions |= {name.replace("Public", "Private"): each for name, each in versions.items()}
    api: dict[str, Any] = {name: f"{rest}/fapi/v{each}" for name, each in versions.items()}
    api["ws"] = dict.fromkeys(("future", "linear"), f"ws://127.0.0.1:{streams.port}/ws")
    key = streams.dialect.key
    return ccxt.pro.binanceusdm(
        {
            "apiKey": key.key,
            "secret": key.secret,
            "urls": {"api": api},
            "options": {"fetchCurrencies": False, "warnOnFetchOpenOrdersWithoutSymbol": False},
        }
    )


async def move_on(streams: Streams) -> None:
    """Let prices move, in one candle, until this is cancelled."""
    chart, begin = Chart(), interval_of(MOMENT, 60)
    streams.board.candles = lambda _, seconds, limit: chart.newest(seconds, limit)
    for step in cycle(range(10)):
        chart.add(begin, Decimal(40_000 + step), Decimal(1))
        streams.move(40_000 + step)
        await asyncio.sleep(0.01)


async def until(
    watch: Callable[[], Awaitable[_Result]], is_so: Callable[[_Result], object]
) -> _Result:
    """The first of what ``watch`` brings that ``is_so``."""
    while not is_so(found := await asyncio.wait_for(watch(), patience())):
        pass
    return found


def test_all_that_it_watches_is_what_it_is_answered(streams: Streams, rest: str) -> None:
    async def prices(client: Any) -> None:
        moving = asyncio.create_task(move_on(streams))
        known = {40_000.0 + step for step in range(10)}
        ticker = await until(lambda: client.watch_ticker(SYMBOL), lambda each: each["last"])
        assert ticker["last"] in known
        fetched = await client.fetch_ticker(SYMBOL)
        assert set(fetched) == set(ticker)
        assert fetched["open"] == ticker["open"] == 39_000
        for candles in (
            await until(lambda: client.watch_ohlcv(SYMBOL, "1m"), lambda each: each),
            await client.fetch_ohlcv(SYMBOL, "1m"),
        ):
            begin, first, high, low, last, volume = candles[-1]
            assert begin == interval_of(MOMENT, 60).timestamp() * 1_000
            assert (first, low) == (40_000, 40_000)
            assert {high, last} <= known
            assert volume >= 1
        book = await until(lambda: client.watch_order_book(SYMBOL), lambda each: each["nonce"])
        number = book["nonce"]
        # It is the same book, which goes on.
        await until(lambda: client.watch_order_book(SYMBOL), lambda each: each["nonce"] > number)
        assert len(book["bids"]) == len(book["asks"]) == 1
        assert book["bids"][0][0] in known
        fetched = await client.fetch_order_book(SYMBOL)
        assert book["bids"][0][1] == pytest.approx(fetched["bids"][0][1], rel=1e-3)
        trades = await until(lambda: client.watch_trades(SYMBOL), lambda each: each)
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
        fetched = {each["id"]: each for each in await client.fetch_trades(SYMBOL, limit=1_000)}
        for trade in trades:
            same = fetched[trade["id"]]
            assert all(trade[name] == same[name] for name in ("price", "amount", "timestamp"))

    def is_of_a_limit(orders: list[Any]) -> bool:
        return any(each["type"] == "limit" for each in orders)

    async def account(client: Any) -> None:
        watched = [
            asyncio.create_task(each)
            for each in (
                until(client.watch_orders, is_of_a_limit),
                until(client.watch_my_trades, lambda found: found),
                until(client.watch_balance, lambda found: found["USDT"]["total"] != 10_000),
                until(client.watch_positions, lambda found: found),
            )
        ]
        # All watch one connection.
        while not streams.server.connections:
            await asyncio.sleep(0.01)
        market = await client.create_order(SYMBOL, "market", "buy", 0.1)
        limit = await client.create_order(SYMBOL, "limit", "buy", 0.2, 39_000)
        orders, trades, balance, positions = await asyncio.gather(*watched)
        by_id = {each["id"]: each for each in orders}
        assert by_id[limit["id"]]["status"] == "open"
        assert by_id[limit["id"]]["price"] == 39_000
        (trade,) = trades
        (fetched,) = await client.fetch_my_trades(SYMBOL)
        names = ("id", "order", "price", "amount", "cost", "fee", "side", "timestamp")
        assert {name: trade[name] for name in names} == {name: fetched[name] for name in names}
        assert trade["order"] == market["id"]
        fetched = await client.fetch_balance()
        assert balance["USDT"]["total"] == float(fetched["info"]["totalWalletBalance"])
        (position,) = positions
        (fetched,) = await client.fetch_positions([SYMBOL])
        for name in ("symbol", "side", "contracts", "entryPrice"):
            assert position[name] == fetched[name]

    async def tour() -> None:
        client = opened(rest, streams)
        try:
            await client.load_markets()
            await account(client)
            await prices(client)
        finally:
            await client.close(clean_instance_data=True)

    asyncio.run(tour())
    assert streams.desk.account().position(BTC) is not None
