"""The streams of the dialect: listen keys, who may listen to what, and the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import WSCloseCode

from balance.api.guards import Guards
from balance.api.stream import Stream
from balance.binance.numbers import milliseconds
from balance.binance.streams.hub import MOST_STREAMS
from balance.binance.streams.market_streams import MarketStreams, UnknownStream
from balance.core.candles import interval_of
from balance.desk.desk import Desk
from balance.keys.keys import Keys
from balance.keys.listen_keys import OPEN_FOR, ListenKeys
from balance.market.chart import Chart
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT
from tests.boards import board, priced
from tests.dialect import Dialect, answered, refusal
from tests.markets import BTC
from tests.patience import patience
from tests.streams import Streams

LISTEN_KEY = "/fapi/v1/listenKey"
NO_LISTEN_KEY = (-1125, "This listenKey does not exist.")
MINUTE = timedelta(minutes=1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = MOMENT

    def __call__(self) -> datetime:
        """The time."""
        return self.now


def test_a_listen_key_is_opened_renewed_and_closed() -> None:
    dialect = Dialect()
    assert refusal(dialect.keyed("PUT", LISTEN_KEY), 400) == NO_LISTEN_KEY
    opened = answered(dialect.keyed("POST", LISTEN_KEY))
    assert list(opened) == ["listenKey"]
    assert len(opened["listenKey"]) == 64
    assert answered(dialect.keyed("POST", LISTEN_KEY)) == opened
    assert answered(dialect.keyed("PUT", LISTEN_KEY)) == opened
    assert answered(dialect.keyed("DELETE", LISTEN_KEY)) == {}
    assert refusal(dialect.keyed("PUT", LISTEN_KEY), 400) == NO_LISTEN_KEY
    assert answered(dialect.keyed("POST", LISTEN_KEY)) == opened


def test_each_key_has_its_own_listen_key_which_is_not_its_secret() -> None:
    keys = Dialect().services.keys
    keys.add("other")
    listen_keys = ListenKeys(keys)
    texts = {listen_keys.open("bot"), listen_keys.open("other")}
    assert len(texts) == 2
    assert texts.isdisjoint({text for key in keys.all() for text in (key.key, key.secret)})


def made(clock: Clock, folder: Path | None = None) -> Keys:
    """The keys of a program that begins at the time of ``clock``, with one that it makes if there
    is none."""
    keys = Keys(Dialect().desk, folder, clock)
    keys.begin()
    return keys


def test_a_listen_key_is_open_for_an_hour_from_its_last_renewal() -> None:
    clock = Clock()
    listen_keys = ListenKeys(made(clock), clock)
    listen_key = listen_keys.open("bot")
    clock.now += OPEN_FOR - MINUTE
    assert listen_keys.renew("bot") == listen_key
    clock.now += OPEN_FOR - MINUTE
    assert listen_keys.is_open(listen_key)
    clock.now += MINUTE
    assert not listen_keys.is_open(listen_key)
    assert listen_keys.renew("bot") is None
    assert listen_keys.open("bot") == listen_key


def test_after_a_restart_programs_come_back_with_the_listen_key_that_they_had(
    tmp_path: Path,
) -> None:
    clock = Clock()
    listen_key = ListenKeys(made(clock, tmp_path), clock).open("bot")
    clock.now += MINUTE
    after = ListenKeys(made(clock, tmp_path), clock)
    assert after.is_open(listen_key)
    assert after.renew("bot") == listen_key
    after.close("bot")
    assert not after.is_open(listen_key)
    later = ListenKeys(made(clock, tmp_path), clock)
    clock.now += OPEN_FOR
    assert not later.is_open(listen_key)


def test_a_revoked_key_has_no_listen_key_and_another_of_its_name_another_one() -> None:
    clock = Clock()
    keys = made(clock)
    listen_keys = ListenKeys(keys, clock)
    listen_key = listen_keys.open("bot")
    keys.revoke("bot")
    assert not listen_keys.is_open(listen_key)
    keys.add("bot")
    assert listen_keys.open("bot") != listen_key
    assert not listen_keys.is_open(listen_key)


def test_what_is_no_listen_key_opens_nothing() -> None:
    clock = Clock()
    listen_keys = ListenKeys(made(clock), clock)
    listen_keys.open("bot")
    assert not any(map(listen_keys.is_open, ("", "bot", "0" * 64, "ü")))


@pytest.fixture
def streams() -> Iterator[Streams]:
    """The streams of an account in memory, at the prices of a board that a test moves."""
    with Streams() as found:
        yield found


PLACES = ("", "/public", "/market", "/private")


@pytest.mark.parametrize("place", PLACES)
def test_every_address_has_every_stream(streams: Streams, place: str) -> None:
    trade, listen_key = "btcusdt@trade", streams.listen_key
    plain = (f"/ws/{trade}", f"/ws/{listen_key}/{trade}", f"/ws/{trade}?listenKey={listen_key}")
    wrapped = (f"/stream?streams={trade}", f"/stream?streams=ethusdt@trade/{trade}")
    for path in (*plain, *wrapped):
        with streams.listen(place + path) as listener:
            streams.move(40_001)
            event = listener.next()
            if path in wrapped:
                assert event["stream"] == trade
                event = event["data"]
            assert (event["e"], event["s"]) == ("trade", "BTCUSDT")
            streams.move(40_000)


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/market/ws/3", "/stream", "/public/stream"])
def test_streams_can_be_subscribed_to_at_every_address(streams: Streams, path: str) -> None:
    with streams.listen(path) as listener:
        assert listener.send("SUBSCRIBE", "btcusdt@trade") == {"result": None, "id": 1}
        streams.move(40_001)
        assert listener.until("trade")["p"] == "40001.0"


def test_subscriptions_are_listed_and_ended(streams: Streams) -> None:
    trade, depth, listen_key = "btcusdt@trade", "ethusdt@depth", streams.listen_key
    with streams.listen("/ws") as listener:
        listener.send("SUBSCRIBE", trade, depth, listen_key)
        listed = listener.send("LIST_SUBSCRIPTIONS", number="list")
        assert listed == {"result": sorted((trade, depth, listen_key)), "id": "list"}
        assert listener.send("UNSUBSCRIBE", trade, listen_key, "unknown")["result"] is None
        streams.move(40_001)
        streams.desk.deposit(1)
        # Nothing of what it does not listen to any more comes before the answer.
        assert listener.send("LIST_SUBSCRIPTIONS")["result"] == [depth]


REFUSED = [
    ("{", 3, "Invalid request: this is no JSON", None),
    ("[" * 10_000, 3, "Invalid request: this is no JSON", None),
    ("7", 2, "Invalid request: this is no object with method, params and id", None),
    (
        '{"method": "JUMP", "id": 5}',
        2,
        "Invalid request: unknown method 'JUMP'; there are SUBSCRIBE, UNSUBSCRIBE and "
        "LIST_SUBSCRIPTIONS",
        5,
    ),
    (
        '{"method": "SUBSCRIBE", "params": "btcusdt@trade", "id": "a"}',
        2,
        "Invalid request: params must be a list of names of streams",
        "a",
    ),
    (
        '{"method": "SUBSCRIBE", "params": ["btcusdt@trade", "dogeusdt@trade"], "id": [1]}',
        2,
        "Invalid request: There is no symbol 'dogeusdt'; there are: btcusdt, ethusdt, solusdt.",
        None,
    ),
    (
        '{"method": "SUBSCRIBE", "params": ["btcusdt@nothing"], "id": 1}',
        2,
        "Invalid request: There is no stream 'btcusdt@nothing'.",
        1,
    ),
    (
        '{"method": "SUBSCRIBE", "params": ["btcusdt@kline_1w"], "id": 1}',
        2,
        "Invalid request: There are no candles of '1w'; there are: "
        "1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d.",
        1,
    ),
]


def test_what_makes_no_sense_is_answered_and_changes_nothing(streams: Streams) -> None:
    with streams.listen("/ws") as listener:
        for text, code, message, number in REFUSED:
            listener.write(text)
            assert listener.next() == {"error": {"code": code, "msg": message}, "id": number}
        listener.write(b"\xff\x00")
        assert listener.next()["error"]["code"] == 3
        names = [f"{number}@trade" for number in range(MOST_STREAMS + 1)]
        refused = listener.send("SUBSCRIBE", *names)["error"]["msg"]
        assert refused == "Invalid request: 1,025 streams are too many; 1,024 may be"
        assert listener.send("LIST_SUBSCRIPTIONS")["result"] == []


def test_a_message_that_is_too_large_ends_the_connection(streams: Streams) -> None:
    with streams.listen("/ws") as listener:
        listener.write(" " * (64 * 1024 + 1))
        # What was not read may end it before the reason comes.
        assert listener.end() in (WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.ABNORMAL_CLOSURE)


def got(streams: Streams, path: str, method: str = "GET", **headers: str) -> tuple[int, int, str]:
    """The status, the code and the message that a request of no WebSocket is answered with."""
    url = f"http://127.0.0.1:{streams.port}{path}"
    response = requests.request(method, url, headers=headers, timeout=patience())
    assert response.headers["Content-Type"].startswith("application/json")
    assert set(response.json()) == {"code", "msg"}
    return response.status_code, response.json()["code"], response.json()["msg"]


def test_requests_that_are_none_of_a_websocket_are_answered_in_the_dialect(
    streams: Streams,
) -> None:
    needs = "Streams are served over WebSockets: connect with one."
    assert got(streams, "/ws/btcusdt@trade") == (426, -5000, needs)
    for path in ("/", "/wsx", "/fapi/v1/time", "/public", "/public/public/ws"):
        assert got(streams, path) == (404, -5000, f"Path {path}, Method GET is invalid")
    assert got(streams, "/ws", "POST") == (404, -5000, "Path /ws, Method POST is invalid")
    for path in (f"/private/ws?listenKey={'0' * 64}", "/ws?listenKey=", f"/ws/{'0' * 64}"):
        assert got(streams, path) == (400, *NO_LISTEN_KEY)


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def test_a_stream_that_there_is_not_refuses_the_connection(streams: Streams) -> None:
    message = "There is no symbol 'dogeusdt'; there are: btcusdt, ethusdt, solusdt."
    assert got(streams, "/ws/dogeusdt@trade", **UPGRADE) == (400, -1121, message)


def test_only_programs_that_may_use_http_may_listen(streams: Streams) -> None:
    message = "This server does not answer to that host name. Use the address it printed."
    assert got(streams, "/ws", **UPGRADE, Host="evil.example") == (400, -1106, message)
    message = "Pages of other sites may not listen."
    for origin in ("http://evil.example", "http://localhost:8050", "null", ""):
        assert got(streams, "/ws", **UPGRADE, Origin=origin) == (403, -1106, message)
    # As websocket-client does.
    with streams.listen("/ws", Origin=f"http://127.0.0.1:{streams.port}") as listener:
        assert listener.send("LIST_SUBSCRIPTIONS")["result"] == []


def test_where_a_token_is_set_prices_are_open_to_programs() -> None:
    with (
        Streams(Guards(token="long enough")) as streams,
        streams.listen("/ws/btcusdt@trade") as listener,
    ):
        streams.move(40_001)
        assert listener.until("trade")


def types(event: Mapping[str, Any]) -> dict[str, str]:
    """The types of the members of ``event``, as the specification writes them."""
    letters = {str: "s", int: "i", bool: "b", dict: "o", list: "l"}
    return {name: letters[type(value)] for name, value in event.items()}


KLINE = {
    **dict.fromkeys(("t", "T", "f", "L", "n"), "i"),
    **dict.fromkeys(("i", "o", "c", "h", "l", "v", "q", "V", "Q", "B"), "s"),
    "x": "b",
}
FIELDS = {
    "btcusdt@trade": {"e": "s", "E": "i", "s": "s", "t": "i", "p": "s", "q": "s", "T": "i"}
    | {"m": "b", "X": "s"},
    "btcusdt@aggTrade": {"e": "s", "E": "i", "s": "s", "a": "i", "p": "s", "q": "s", "f": "i"}
    | {"l": "i", "T": "i", "m": "b"},
    "btcusdt@bookTicker": {"e": "s", "u": "i", "s": "s", "b": "s", "B": "s", "a": "s", "A": "s"}
    | {"T": "i", "E": "i"},
    "btcusdt@depth@100ms": {"e": "s", "E": "i", "T": "i", "s": "s", "U": "i", "u": "i", "pu": "i"}
    | {"b": "l", "a": "l"},
    "btcusdt@miniTicker": {"e": "s", "E": "i", "s": "s"} | dict.fromkeys("cohlvq", "s"),
    "btcusdt@ticker": {"e": "s", "E": "i", "s": "s"}
    | dict.fromkeys("pPwcQohlvq", "s")
    | dict.fromkeys("OCFLn", "i"),
    "btcusdt@markPrice@1s": {"e": "s", "E": "i", "s": "s"}
    | {"p": "s", "i": "s", "P": "s", "r": "s", "T": "i"},
    "btcusdt@kline_1m": {"e": "s", "E": "i", "s": "s", "k": "o"},
    "btcusdt_perpetual@continuousKline_1m": {"e": "s", "E": "i", "ps": "s", "ct": "s", "k": "o"},
}
NAMES = {
    "btcusdt@trade": "trade",
    "btcusdt@aggTrade": "aggTrade",
    "btcusdt@bookTicker": "bookTicker",
    "btcusdt@depth@100ms": "depthUpdate",
    "btcusdt@miniTicker": "24hrMiniTicker",
    "btcusdt@ticker": "24hrTicker",
    "btcusdt@markPrice@1s": "markPriceUpdate",
    "btcusdt@kline_1m": "kline",
    "btcusdt_perpetual@continuousKline_1m": "continuous_kline",
}


class Prices:
    """Streams of prices, looked at by hand."""

    def __init__(self) -> None:
        self.board = board()
        self.desk = Desk(MemoryStore(), self.board)
        self.services = services_alone(self.desk, Stream(1))
        self.chart = Chart()
        self.board.candles = lambda _, seconds, limit: self.chart.newest(seconds, limit)
        self.move(40_000)
        self._streams = MarketStreams(self.desk, self.services)

    def move(self, price: object, seconds: int = 0) -> None:
        """Let Bitcoin be at ``price``, so many ``seconds`` after 03:04."""
        number = Decimal(str(price))
        begin = interval_of(MOMENT, 60) + timedelta(seconds=seconds // 60 * 60)
        self.chart.add(begin, number, Decimal(1))
        priced(self.board, number)
        self.services.ticks.look(self.board.market)

    def open(self, name: str) -> Callable[[], list[Any]]:
        """Returns what is new of the stream called ``name``."""
        stream = self._streams.open(name)
        return lambda: list(stream.events())


@pytest.mark.parametrize("name", FIELDS)
def test_events_have_the_fields_that_clients_read(name: str) -> None:
    prices = Prices()
    new = prices.open(name)
    prices.move(40_001)
    (event,) = new()
    assert types(event) == FIELDS[name]
    assert event["e"] == NAMES[name]
    assert event.get("s", event.get("ps")) == "BTCUSDT"
    assert event["E"] == milliseconds(MOMENT)
    if "k" in event:
        assert types(event["k"]) == ({**KLINE, "s": "s"} if "s" in event else KLINE)


def test_a_stream_has_nothing_before_something_changes() -> None:
    prices = Prices()
    for name in ("btcusdt@trade", "btcusdt@bookTicker", "btcusdt@depth", "btcusdt@kline_1m"):
        new = prices.open(name)
        assert new() == []
        prices.move(prices.board.market.quotes[BTC].last + 1)
        assert len(new()) == 1
        assert new() == []


def test_every_change_of_the_price_is_a_trade_once() -> None:
    prices = Prices()
    new = prices.open("btcusdt@trade")
    for price in (40_001, 40_001, 39_999):
        prices.move(price)
    assert [(each["p"], each["m"]) for each in new()] == [("40001.0", False), ("39999.0", True)]


def test_a_candle_is_closed_once_when_the_next_one_has_begun() -> None:
    prices = Prices()
    new = prices.open("btcusdt@kline_1m")
    prices.move(40_010, 30)
    assert [(each["k"]["c"], each["k"]["x"]) for each in new()] == [("40010.0", False)]
    prices.move(40_020, 59)
    prices.move(40_030, 60)
    prices.move(40_040, 125)
    found = [(each["k"]["c"], each["k"]["x"]) for each in new()]
    assert found == [("40020.0", True), ("40030.0", True), ("40040.0", False)]
    prices.move(40_050, 130)
    assert [(each["k"]["c"], each["k"]["x"]) for each in new()] == [("40050.0", False)]


def test_the_events_of_a_book_lead_on_from_an_answer() -> None:
    prices = Prices()
    dialect = Dialect(prices.desk)
    dialect.services.ticks = prices.services.ticks
    new, whole = prices.open("btcusdt@depth"), prices.open("btcusdt@depth5@100ms")
    prices.move(40_001)
    (first,) = new()
    assert [level[0] for level in first["b"]] == ["40000.0", "40001.0"]
    assert first["b"][0][1] == "0"
    number = dialect.get("/fapi/v1/depth", symbol="BTCUSDT")["lastUpdateId"]
    for price in (40_002, 40_003):
        prices.move(price)
    (second,) = new()
    assert second["pu"] == first["u"] < second["u"]
    assert second["U"] <= number <= second["u"]
    (event,) = whole()
    assert [level[0] for level in event["b"]] == ["40003.0"]


def test_the_streams_of_all_symbols_have_those_with_a_live_price() -> None:
    prices = Prices()
    for name in ("!miniTicker@arr", "!ticker@arr", "!markPrice@arr", "!markPrice@arr@1s"):
        (event,) = prices.open(name)()
        assert [each["s"] for each in event] == ["BTCUSDT", "ETHUSDT"]
    new = prices.open("!bookTicker")
    prices.move(40_001)
    assert [each["s"] for each in new()] == ["BTCUSDT"]
    prices.board.market = replace(prices.board.market, live=frozenset())
    assert prices.open("!ticker@arr")() == []


@pytest.mark.parametrize("name", ["btcusdt@forceOrder", "!forceOrder@arr", "!contractInfo"])
def test_of_what_does_not_happen_here_nothing_comes(name: str) -> None:
    assert Prices().open(name)() == []


@pytest.mark.parametrize(
    "name",
    ["", "btcusdt", "btcusdt@", "@trade", "!", "!ticker", "btcusdt@depth7", "btcusdt@kline_"],
)
def test_other_names_are_no_streams(name: str) -> None:
    with pytest.raises(UnknownStream):
        Prices().open(name)
