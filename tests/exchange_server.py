"""An exchange on this machine: it speaks Binance's public dialect, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from balance.market.exchange.public import raw_exchange
from tests.patience import patience

MINUTE = 60_000
HTML = "<html><body>Just a moment...</body></html>"


@dataclass
class Told:
    """What the exchange tells of one market; as written, so that it can be nonsense."""

    last: str
    bid: str | None
    ask: str | None
    mark: str
    rate: str = "0.00010000"
    opened: str = "50000.00"
    # milliseconds by which its clock is ahead
    ahead: int = 0
    # where its clock stands still, in milliseconds since 1970
    stands_at: int | None = None


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


def futures_market(symbol: str, tick: str, step: str, **changes: Any) -> dict[str, Any]:
    """A row of Binance's ``/fapi/v1/exchangeInfo``."""
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "deliveryDate": 4133404800000,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": tick, "minPrice": tick, "maxPrice": "1e7"},
            {"filterType": "LOT_SIZE", "stepSize": step, "minQty": step, "maxQty": "1000"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
        **changes,
    }


def spot_market(base: str) -> dict[str, Any]:
    """A row of Binance's ``/api/v3/exchangeInfo``."""
    row = futures_market(f"{base}USDT", "0.0100", "0.1")
    for name in ("contractType", "marginAsset", "deliveryDate", "pair"):
        del row[name]
    return {**row, "permissions": ["SPOT"]}


@dataclass
class ExchangeServer:
    """Runs in a thread of its own for the length of a ``with`` block."""

    futures: list[dict[str, Any]] = field(
        default_factory=lambda: [
            futures_market("BTCUSDT", "0.50", "0.002"),
            futures_market("ETHUSDT", "0.05", "0.01"),
        ]
    )
    spot: list[dict[str, Any]] = field(default_factory=lambda: [spot_market("FOO")])
    told: dict[str, Told] = field(
        default_factory=lambda: {
            "BTCUSDT": Told("60000.50", "60000.00", "60001.00", "59999.12345678"),
            "ETHUSDT": Told("3000.05", "3000.00", "3000.10", "3000.01000000"),
            "FOOUSDT": Told("2.50", "2.49", "2.51", "0", opened="2.00"),
        }
    )
    #: Requests whose path contains the key get this instead: a status, ``html``, ``hang``, ``cut``.
    wrong: dict[str, int | str] = field(default_factory=dict)
    #: Settlements by their time in milliseconds: the rate and the mark price, if it is told.
    settled: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    #: Hours between two settlements, of symbols that do not have the usual ones.
    intervals: dict[str, int] = field(default_factory=dict)
    #: The four prices of the minute that begins at so many milliseconds.
    minute: Callable[[int], tuple[str, str, str, str]] = lambda _: ("10", "12", "9", "11")
    streaming: bool = True
    refuse_streams: bool = False
    #: Milliseconds after which those that ask give up.
    patience: float = field(default_factory=lambda: 10_000 * patience())
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._sockets: set[web.WebSocketResponse] = set()
        self.port = 0

    def __enter__(self) -> ExchangeServer:
        self._thread.start()
        assert self._ready.wait(patience())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(patience())

    def make(self, exchange_id: str) -> Any:
        """ccxt's exchange of that id, which asks this server whatever it asks."""
        raw = raw_exchange(exchange_id)
        raw.timeout = self.patience
        raw.enableRateLimit = False
        raw.timeout_on_exit = 20
        self._turned(raw.urls["api"])
        return raw

    def _turned(self, urls: dict[str, Any]) -> None:
        for name, url in urls.items():
            if isinstance(url, dict):
                self._turned(url)
                continue
            kind, _, rest = url.partition("://")
            path = rest.partition("/")[2]
            urls[name] = f"{kind.removesuffix('s')}://127.0.0.1:{self.port}/{path}"

    def paths(self) -> set[str]:
        """The paths that were asked for."""
        return {each.path for each in self.asked}

    def cut_streams(self) -> None:
        """Break every websocket."""

        async def cut() -> None:
            for each in list(self._sockets):
                await each.close()

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result(patience())

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._ended.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query, headers = dict(request.query), dict(request.headers)
        self.asked.append(Asked(request.method, request.path, query, headers))
        if "/ws/" in request.path:
            return await self._stream(request)
        for part, what in self.wrong.items():
            if part in request.path:
                return await self._misbehave(request, what)
        if query.get("symbol", "BTCUSDT") not in self.told:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        routes = {
            "/fapi/v1/exchangeInfo": lambda: {"symbols": self.futures},
            "/api/v3/exchangeInfo": lambda: {"symbols": self.spot},
            "/fapi/v1/ticker/24hr": lambda: self._day(query),
            "/api/v3/ticker/24hr": lambda: {**self._day(query), **self._book(query["symbol"])},
            "/fapi/v1/ticker/bookTicker": lambda: [self._book(each) for each in self.told],
            "/fapi/v1/premiumIndex": lambda: self._premium(query["symbol"]),
            "/fapi/v1/fundingRate": lambda: self._settlements(query),
            "/fapi/v1/fundingInfo": lambda: [
                {"symbol": symbol, "fundingIntervalHours": hours}
                for symbol, hours in self.intervals.items()
            ],
            "/fapi/v1/klines": lambda: self._klines(query),
            "/api/v3/klines": lambda: self._klines(query),
        }
        if request.path not in routes:
            return web.json_response({"code": -1, "msg": "no such path"}, status=404)
        return web.json_response(routes[request.path]())

    async def _misbehave(self, request: web.Request, what: int | str) -> web.StreamResponse:
        if what == "html":
            return web.Response(text=HTML, content_type="text/html")
        if what == "hang":
            await self._ended.wait()
        if what in ("hang", "cut"):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        assert isinstance(what, int)
        headers = {"Retry-After": "1"} if what == 429 else {}
        return web.Response(status=what, text="oops", headers=headers)

    def _now(self, symbol: str) -> int:
        told = self.told[symbol]
        return told.stands_at or int(time.time() * 1000) + told.ahead

    def _day(self, query: dict[str, str]) -> dict[str, Any]:
        symbol = query["symbol"]
        told = self.told[symbol]
        return {
            "symbol": symbol,
            "lastPrice": told.last,
            "openPrice": told.opened,
            "closeTime": self._now(symbol),
        }

    def _book(self, symbol: str) -> dict[str, Any]:
        told = self.told[symbol]
        return {
            "symbol": symbol,
            "bidPrice": told.bid,
            "askPrice": told.ask,
            "time": self._now(symbol),
        }

    def _premium(self, symbol: str) -> dict[str, Any]:
        told = self.told[symbol]
        return {
            "symbol": symbol,
            "markPrice": told.mark,
            "lastFundingRate": told.rate,
            "nextFundingTime": self._now(symbol),
            "time": self._now(symbol),
        }

    def _settlements(self, query: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "symbol": query["symbol"],
                "fundingTime": at,
                "fundingRate": rate,
                **({"markPrice": mark} if mark else {}),
            }
            for at, (rate, mark) in sorted(self.settled.items())
            if at >= int(query["startTime"])
        ]

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        length = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE}[query["interval"]]
        begin = -(-int(query["startTime"]) // length) * length
        times = range(begin, int(time.time() * 1000), length)[: int(query["limit"])]
        return [[each, *self.minute(each), "1.5", each + length - 1] for each in times]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_streams:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        try:
            await socket.prepare(request)
        except ConnectionError:
            # it has gone before it was let in
            return web.Response()
        self._sockets.add(socket)
        wanted: list[str] = []
        talking = asyncio.create_task(self._talk(socket, wanted))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    order = message.json()
                    wanted += order["params"]
                    await socket.send_json({"result": None, "id": order["id"]})
        finally:
            talking.cancel()
            self._sockets.discard(socket)
        return socket

    async def _talk(self, socket: web.WebSocketResponse, wanted: list[str]) -> None:
        while not socket.closed:
            # all at once, as a busy exchange does
            for each in list(wanted) if self.streaming else []:
                market, channel = each.split("@")[:2]
                if market.upper() in self.told:
                    await socket.send_json(self._event(market.upper(), channel))
            await asyncio.sleep(0.03)

    def _event(self, symbol: str, channel: str) -> dict[str, Any]:
        told, now = self.told[symbol], self._now(symbol)
        if channel == "bookTicker":
            return {"e": channel, "E": now, "s": symbol, "b": told.bid, "a": told.ask}
        if channel == "markPrice":
            return {"e": "markPriceUpdate", "E": now, "s": symbol, "p": told.mark, "r": told.rate}
        return {"e": "24hrTicker", "E": now, "C": now, "s": symbol, "c": told.last} | {
            "o": told.opened
        }
