"""The streams of the dialect: listen keys, who may listen to what, and the events."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import WSCloseCode, web
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.api.guards import Guards
from balance.api.stream import Stream
from balance.binance.account_rows import asset_row, position_risk_row
from balance.binance.ids import entry_number, order_number
from balance.binance.names import short
from balance.binance.order_rows import algo_row, conditional_order, open_record, order_row
from balance.binance.streams import server as stream_server
from balance.binance.streams.account_events import Event
from balance.binance.streams.account_stream import AccountStream
from balance.binance.streams.connection import MOST_WAITING, Connection
from balance.binance.streams.hub import MOST_STREAMS, Hub
from balance.binance.streams.market_streams import BookStream, MarketStreams, UnknownStream
from balance.binance.streams.server import StreamServer
from balance.core.candles import interval_of
from balance.core.errors import BalanceError, InvalidRequest, OrderRejected
from balance.core.funding import next_settlement
from balance.core.moments import milliseconds
from balance.core.quote import Settlement
from balance.desk.desk import Desk
from balance.keys.keys import Keys
from balance.keys.listen_keys import OPEN_FOR, ListenKeys
from balance.market.board import LiveBoard
from balance.market.chart import Chart
from balance.server.assembly import services_alone
from balance.store.file_store import LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import Store
from tests.accounts import MOMENT
from tests.boards import board, priced
from tests.dialect import Dialect, answered, refusal
from tests.markets import BTC, ETH, market, quote
from tests.patience import ends, patience, wait_for
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
    message = (
        "This server does not answer to that host name. Use the address it printed, or start it "
        "with --allow-host evil.example."
    )
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
    | {"l": "i", "T": "i", "m": "b", "X": "s"},
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


def test_symbols_may_be_in_capitals() -> None:
    prices = Prices()
    new = prices.open("BTCUSDT@trade")
    prices.move(40_001)
    assert [each["s"] for each in new()] == ["BTCUSDT"]


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


ORDER_FIELDS = {
    **dict.fromkeys("sScofqpxXlLznNba", "s"),
    **dict.fromkeys(("o", "ap", "sp", "wt", "ot", "ps", "rp", "V", "pm"), "s"),
    **dict.fromkeys(("i", "T", "t", "si", "ss", "gtd"), "i"),
    **dict.fromkeys(("m", "R", "cp", "pP"), "b"),
}
ALGO_FIELDS = {
    **dict.fromkeys(("caid", "at", "o", "s", "S", "ps", "f", "q", "X", "ai", "ap", "aq"), "s"),
    **dict.fromkeys(("act", "tp", "p", "V", "wt", "pm", "rm"), "s"),
    **dict.fromkeys(("aid", "tt", "gtd"), "i"),
    **dict.fromkeys(("cp", "pP", "R"), "b"),
}
ACCOUNT_FIELDS = {"m": "s", "B": "l", "P": "l"}
BALANCE_FIELDS = dict.fromkeys(("a", "wb", "cw", "bc"), "s")
POSITION_FIELDS = dict.fromkeys(("s", "pa", "ep", "bep", "cr", "up", "mt", "iw", "ps", "ma"), "s")
#: What is in an event of the account.
WITHIN = {
    "ORDER_TRADE_UPDATE": "o",
    "ALGO_UPDATE": "o",
    "ACCOUNT_UPDATE": "a",
    "ACCOUNT_CONFIG_UPDATE": "ac",
}


class Followed:
    """An account that is followed from its beginning on, by hand."""

    def __init__(self, store: Store | None = None) -> None:
        self.board = board()
        self.desk = Desk(store or MemoryStore(), self.board)
        self.stream = AccountStream(self.desk.store)
        self.stream.begin()

    def new(self) -> list[Event]:
        """The new events."""
        found = self.stream.events(self.desk.market)
        for each in found:
            assert types(each) == {"e": "s", "E": "i", "T": "i", WITHIN[each["e"]]: "o"}
        return [*found]

    def told(self) -> list[tuple[str, ...]]:
        """The new events in short."""
        return [*map(in_short, self.new())]

    def move(self, price: object) -> None:
        """Let Bitcoin be at ``price``, with what that does to the account."""
        priced(self.board, price)
        self.desk.advance(self.board.market, {})


def in_short(event: Event) -> tuple[str, ...]:
    """What ``event`` says, without its figures."""
    within = event[WITHIN[event["e"]]]
    match event["e"]:
        case "ORDER_TRADE_UPDATE":
            assert types(within) | {"AP": "s", "cr": "s"} == ORDER_FIELDS | {"AP": "s", "cr": "s"}
            assert within["T"] == event["T"] == event["E"]
            return "order", within["o"], within["x"], within["X"]
        case "ALGO_UPDATE":
            assert types(within) | {"AP": "s", "cr": "s"} == ALGO_FIELDS | {"AP": "s", "cr": "s"}
            return "algo", within["o"], within["X"]
        case "ACCOUNT_UPDATE":
            assert types(within) == ACCOUNT_FIELDS
            assert [types(each) for each in within["B"]] == [BALANCE_FIELDS]
            assert all(types(each) == POSITION_FIELDS for each in within["P"])
            amounts = [str(Decimal(each["pa"]).normalize()) for each in within["P"]]
            return "account", within["m"], *amounts
        case _:
            return "config", within["s"], str(within["l"])


def test_an_order_at_market_is_new_then_the_account_has_it_then_it_has_filled() -> None:
    account = Followed()
    fill = account.desk.place_order(symbol=BTC, side="buy", quantity="0.1", client_id="x-1")
    new, update, trade = account.new()
    order = new["o"]
    assert (order["x"], order["X"], order["c"], order["t"], order["n"]) == (
        *("NEW", "NEW", "x-1"),
        0,
        "0",
    )
    assert (order["z"], order["l"], order["ap"]) == ("0.000", "0.000", "0")
    assert update["a"]["m"] == "ORDER"
    (balance,), (position,) = update["a"]["B"], update["a"]["P"]
    wallet = fill.snapshot.balance
    assert Decimal(balance["wb"]) == wallet
    assert Decimal(balance["cw"]) == wallet - fill.snapshot.used_margin
    assert balance["bc"] == "0.00000000"
    assert (position["s"], position["pa"], position["ep"]) == ("BTCUSDT", "0.100", "40004.0")
    order, (entry, *_) = trade["o"], fill.entries
    assert (order["x"], order["X"], order["i"]) == ("TRADE", "FILLED", new["o"]["i"])
    assert (order["l"], order["z"], order["L"], order["ap"]) == (
        *("0.100", "0.100"),
        *("40004.0", "40004.0"),
    )
    assert (order["n"], order["N"], order["m"]) == ("2.00020000", "USDT", False)
    assert order["t"] == entry_number(entry.place)
    assert order["T"] == milliseconds(entry.time)
    account.desk.close_position(BTC)
    *_, update, trade = account.new()
    assert [(each["pa"], each["ep"], each["iw"]) for each in update["a"]["P"]] == [
        ("0.000", "0.0", "0.00000000")
    ]
    assert Decimal(trade["o"]["rp"]) == Decimal("-0.8")
    assert trade["o"]["R"] is True


def test_a_limit_order_is_amended_fills_as_a_maker_or_is_cancelled() -> None:
    account = Followed()
    limit = {"symbol": BTC, "side": "buy", "type": "limit", "quantity": "0.1"}
    placed = account.desk.place_order(**limit, price=39_000)
    order_id = str(placed.snapshot.open_orders[0]["id"])
    account.desk.amend_order(order_id, price=39_500)
    account.desk.place_order(**limit, price=38_000)
    account.desk.cancel_orders()
    account.desk.place_order(**limit, price=39_000)
    account.move(39_000)
    *events, trade = account.new()
    assert trade["o"]["m"] is True
    assert [*map(in_short, events)] == [
        ("order", "LIMIT", "NEW", "NEW"),
        ("order", "LIMIT", "AMENDMENT", "NEW"),
        ("order", "LIMIT", "NEW", "NEW"),
        ("order", "LIMIT", "CANCELED", "CANCELED"),
        ("order", "LIMIT", "CANCELED", "CANCELED"),
        ("order", "LIMIT", "NEW", "NEW"),
        ("account", "ORDER", "0.1"),
    ]
    assert events[1]["o"]["p"] == "39500.0"


def test_what_does_not_fill_at_once_expires() -> None:
    account = Followed()
    limit = {"symbol": BTC, "side": "buy", "type": "limit", "quantity": "0.1", "price": 39_000}
    account.desk.place_order(**limit, time_in_force="IOC")
    with pytest.raises(OrderRejected):
        account.desk.place_order(**limit, time_in_force="FOK")
    assert account.told() == [
        ("order", "LIMIT", "NEW", "NEW"),
        ("order", "LIMIT", "EXPIRED", "EXPIRED"),
        ("order", "LIMIT", "NEW", "NEW"),
        ("order", "LIMIT", "EXPIRED", "REJECTED"),
    ]


def test_exits_of_a_position_are_conditional_orders_that_end_with_it() -> None:
    account = Followed()
    account.desk.place_order(
        symbol=BTC, side="buy", quantity="0.1", stop_loss=39_000, take_profit=41_000
    )
    *events, profit, stop = account.new()
    assert [in_short(each)[0] for each in events] == ["order", "account", "order"]
    assert [in_short(each) for each in (profit, stop)] == [
        ("algo", "TAKE_PROFIT_MARKET", "NEW"),
        ("algo", "STOP_MARKET", "NEW"),
    ]
    assert (stop["o"]["cp"], stop["o"]["tp"], stop["o"]["ai"]) == (True, "39000.0", "")
    account.move(38_900)
    *events, finished, ended = account.new()
    assert [*map(in_short, events)] == [
        ("algo", "STOP_MARKET", "TRIGGERING"),
        ("order", "STOP_MARKET", "NEW", "NEW"),
        ("account", "ORDER", "0"),
        ("order", "STOP_MARKET", "TRADE", "FILLED"),
    ]
    assert in_short(finished) == ("algo", "STOP_MARKET", "FINISHED")
    assert finished["o"]["ai"] == str(finished["o"]["aid"]) == str(events[-1]["o"]["i"])
    assert (finished["o"]["aq"], finished["o"]["ap"]) == (
        events[-1]["o"]["z"],
        events[-1]["o"]["ap"],
    )
    assert in_short(ended) == ("algo", "TAKE_PROFIT_MARKET", "EXPIRED")
    assert ended["o"]["rm"] == "its position was closed"


def test_a_stop_with_a_limit_becomes_an_order_and_then_fills() -> None:
    account = Followed()
    account.desk.place_order(
        symbol=BTC,
        side="buy",
        type="stop_limit",
        quantity="0.1",
        trigger_price=41_000,
        price=40_500,
    )
    account.move(41_000)
    account.move(40_500)
    assert account.told() == [
        ("algo", "STOP", "NEW"),
        ("algo", "STOP", "TRIGGERING"),
        ("algo", "STOP", "TRIGGERED"),
        ("order", "LIMIT", "NEW", "NEW"),
        ("account", "ORDER", "0.1"),
        ("order", "LIMIT", "TRADE", "FILLED"),
        ("algo", "STOP", "FINISHED"),
    ]
    account.desk.place_order(
        symbol=BTC, side="sell", type="trailing_stop", quantity="0.05", callback_percent=1
    )
    (event,) = account.new()
    assert in_short(event) == ("algo", "TRAILING_STOP_MARKET", "NEW")
    assert event["o"]["cr"] == "1"
    account.desk.cancel_orders()
    assert account.told() == [("algo", "TRAILING_STOP_MARKET", "CANCELED")]


def test_money_and_margin_that_are_moved_are_told_with_why() -> None:
    account = Followed()
    desk = account.desk
    desk.deposit(50)
    desk.withdraw(20)
    desk.adjust(-5)
    found = [(in_short(each), each["a"]["B"][0]["bc"]) for each in account.new()]
    assert found == [
        (("account", "DEPOSIT"), "50.00000000"),
        (("account", "WITHDRAW"), "-20.00000000"),
        (("account", "ADJUSTMENT"), "-5.00000000"),
    ]
    desk.set_leverage(BTC, 5)
    desk.place_order(symbol=BTC, side="sell", quantity="0.1")
    desk.move_margin(BTC, 100)
    assert account.told() == [
        ("config", "BTCUSDT", "5"),
        ("order", "MARKET", "NEW", "NEW"),
        ("account", "ORDER", "-0.1"),
        ("order", "MARKET", "TRADE", "FILLED"),
        ("account", "MARGIN_TRANSFER", "-0.1"),
    ]


def test_funding_is_told_with_its_amount() -> None:
    account = Followed()
    account.desk.place_order(symbol=BTC, side="buy", quantity="0.1")
    account.new()
    instant = next_settlement(MOMENT)
    settlement = Settlement(rate=Decimal("0.0001"), mark=Decimal(40_000))
    account.board.market = market(quote(BTC, 40_000, time=instant))
    account.desk.advance(account.board.market, {(BTC, instant): settlement})
    (event,) = account.new()
    assert in_short(event) == ("account", "FUNDING_FEE", "0.1")
    assert event["a"]["B"][0]["bc"] == "-0.40000000"


def test_a_liquidation_is_an_order_of_the_exchange() -> None:
    account = Followed()
    account.desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=100)
    account.desk.place_order(symbol=BTC, side="buy", type="limit", quantity="0.1", price=30_000)
    account.new()
    account.move(39_000)
    events = account.new()
    assert [*map(in_short, events)] == [
        ("order", "MARKET", "NEW", "NEW"),
        ("account", "ORDER", "0"),
        ("order", "MARKET", "TRADE", "FILLED"),
        ("order", "LIMIT", "EXPIRED", "EXPIRED"),
    ]
    assert events[0]["o"]["c"].startswith("autoclose-")
    assert Decimal(events[2]["o"]["rp"]) == Decimal("-40.004")


def test_a_reset_ends_orders_closes_positions_and_states_the_balance() -> None:
    account = Followed()
    account.desk.place_order(symbol=BTC, side="buy", quantity="0.1")
    account.desk.place_order(symbol=ETH, side="buy", type="limit", quantity="1", price=1_900)
    account.new()
    account.desk.reset()
    assert account.told() == [
        ("order", "MARKET", "NEW", "NEW"),
        ("account", "ORDER", "0"),
        ("order", "MARKET", "TRADE", "FILLED"),
        ("account", "ADJUSTMENT"),
        ("order", "LIMIT", "EXPIRED", "EXPIRED"),
    ]
    account.desk.undo_reset()
    assert account.told() == [("account", "ADJUSTMENT", "0.1"), ("order", "LIMIT", "NEW", "NEW")]


class Folded:
    """What a program knows of the account that has only the events, from its beginning on."""

    def __init__(self) -> None:
        self.orders: dict[int, Event] = {}
        self.algos: dict[int, Event] = {}
        self.positions: dict[str, Event] = {}
        self.balance: Event = {"wb": "10000.00000000", "cw": "10000.00000000"}
        self.leverages: dict[str, int] = {}
        self.trades: list[tuple[int, int]] = []

    def take(self, event: Event) -> None:
        """Take ``event`` in."""
        within = event[WITHIN[event["e"]]]
        match event["e"]:
            case "ORDER_TRADE_UPDATE":
                self.orders[within["i"]] = within
                if within["X"] != "NEW":
                    del self.orders[within["i"]]
                if within["x"] == "TRADE":
                    self.trades.append((within["t"], within["i"]))
            case "ALGO_UPDATE":
                self.algos[within["aid"]] = within
                if within["X"] not in ("NEW", "TRIGGERING"):
                    del self.algos[within["aid"]]
            case "ACCOUNT_UPDATE":
                (self.balance,) = within["B"]
                self.positions.update({each["s"]: each for each in within["P"]})
            case _:
                self.leverages[within["s"]] = within["l"]


def known(desk: Desk) -> tuple[Any, ...]:
    """What answers say of the account of ``desk``, as far as events say it."""
    now = desk.now()
    records = [open_record(each.unmarked()) for each in now.account.orders]
    orders = [order_row(each, now.market) for each in records if conditional_order(each) is None]
    algos = [algo_row(each, now.market) for each in records if conditional_order(each) is not None]
    rows = [position_risk_row(now, each.symbol) for each in now.account.positions]
    asset = asset_row(now)
    return (
        {row["orderId"]: (row["price"], row["origQty"], row["type"]) for row in orders},
        {row["algoId"]: (row["triggerPrice"], row["price"], row["quantity"]) for row in algos},
        {
            row["symbol"]: (
                *(row["positionAmt"], row["entryPrice"]),
                *(row["breakEvenPrice"], row["isolatedWallet"]),
            )
            for row in rows
        },
        (asset["walletBalance"], asset["crossWalletBalance"]),
        {short(each.symbol): int(each.leverage) for each in now.account.leverages},
    )


def folded(events: Folded) -> tuple[Any, ...]:
    """The same by ``events``."""
    held = {
        symbol: (each["pa"], each["ep"], each["bep"], each["iw"])
        for symbol, each in events.positions.items()
        if Decimal(each["pa"])
    }
    return (
        {name: (each["p"], each["q"], each["o"]) for name, each in events.orders.items()},
        {name: (each["tp"], each["p"], each["q"]) for name, each in events.algos.items()},
        held,
        (events.balance["wb"], events.balance["cw"]),
        events.leverages,
    )


SYMBOLS = st.sampled_from((BTC, ETH))
SIDES = st.sampled_from(("buy", "sell"))
#: How far from the mark price something is, in percent.
AWAY = st.integers(-4, 4)


@st.composite
def requests_of(draw: st.DrawFn) -> Callable[[Desk, LiveBoard], object]:
    """Something that is requested, or that the market does."""
    symbol, side, away, other = draw(SYMBOLS), draw(SIDES), draw(AWAY), draw(AWAY)
    size, kind = draw(st.sampled_from(("0.1", "0.5", "3"))), draw(st.integers(0, 17))
    is_exit = draw(st.booleans())

    def at(board: LiveBoard, percent: int) -> Decimal:
        return board.market.quotes[symbol].mark * (100 + percent) / 100

    def request(desk: Desk, board: LiveBoard) -> object:
        order = {"symbol": symbol, "side": side, "quantity": size, "reduce_only": is_exit}
        limit, stop = {"price": at(board, away)}, {"trigger_price": at(board, other)}
        match kind:
            case 0 | 1:
                exits = {"stop_loss": at(board, -abs(away) - 1), "take_profit": at(board, 5)}
                return desk.place_order(**order, **({} if is_exit or side == "sell" else exits))
            case 2 | 3:
                force = ("GTC", "IOC", "FOK", "GTX")[other % 4]
                return desk.place_order(**order, type="limit", **limit, time_in_force=force)
            case 4:
                return desk.place_order(**order, type="stop_market", **stop)
            case 5:
                return desk.place_order(**order, type="take_profit_limit", **stop, **limit)
            case 6:
                return desk.place_order(**order, type="trailing_stop", callback_percent=1)
            case 7:
                named = {**order, "type": "limit"}
                higher, lower = {"price": at(board, 5)}, {"price": at(board, -5)}
                return desk.place_oco([{**named, **higher}, {**named, **lower}])
            case 8:
                resting = {**order, "type": "limit", "reduce_only": False, "side": "buy"}
                placed = desk.place_order(**resting, price=at(board, -6))
                return desk.amend_order(placed.entries[0].booking.effect.opened[0].id, **limit)
            case 9:
                return desk.cancel_orders(symbol)
            case 10:
                return desk.reverse_position(symbol) if is_exit else desk.close_position(symbol)
            case 11:
                return desk.move_margin(symbol, away * 10)
            case 12:
                return desk.set_leverage(symbol, abs(away) * 5 + 1)
            case 13:
                return desk.deposit(100) if is_exit else desk.adjust(other)
            case 14:
                return desk.reset() if other > 1 else None
            case 15 | 16:
                return desk.undo_reset()
            case _:
                moved = quote(symbol, at(board, away))
                board.market = replace(board.market.at(moved), tick=board.market.tick + 1)
                return desk.advance(board.market, {})

    return request


@settings(max_examples=50)
@given(st.lists(st.tuples(requests_of(), st.booleans()), min_size=15, max_size=30))
def test_who_folds_all_events_knows_what_answers_say(
    steps: list[tuple[Callable[[Desk, LiveBoard], object], bool]],
) -> None:
    account, events = Followed(), Folded()
    for request, is_looked_at in steps:
        with suppress(BalanceError):
            request(account.desk, account.board)
        # Several commits at once are told as well as each by itself.
        if is_looked_at:
            for event in account.new():
                events.take(event)
            assert folded(events) == known(account.desk)
    for event in account.new():
        events.take(event)
    assert folded(events) == known(account.desk)
    fills = [each for each in account.desk.store.entries() if each.booking.fill is not None]
    assert events.trades == [
        (entry_number(each.place), order_number(each.booking.fill.order_id)) for each in fills[::-1]
    ]


def test_what_another_program_does_is_told_once_and_in_order(tmp_path: Path) -> None:
    account, other = Followed(FileStore(tmp_path)), Desk(FileStore(tmp_path), board())
    other.deposit(1)
    account.desk.deposit(2)
    other.deposit(3)
    assert [each["a"]["B"][0]["bc"] for each in account.new()] == [
        f"{number}.00000000" for number in (1, 2, 3)
    ]
    assert account.new() == []
    account.stream.end()
    other.deposit(4)
    assert account.new() == []
    account.stream.begin()
    other.deposit(5)
    assert len(account.new()) == 1


def test_where_the_ledger_is_damaged_the_difference_is_told(tmp_path: Path) -> None:
    account, other = Followed(FileStore(tmp_path)), Desk(FileStore(tmp_path), board())
    other.place_order(symbol=BTC, side="buy", type="limit", quantity="0.1", price=39_000)
    other.place_order(symbol=BTC, side="buy", quantity="0.1")
    ledger = tmp_path / LEDGER_FILE
    ledger.write_bytes(ledger.read_bytes().replace(b'"limit"', b'"lemit"'))
    events = account.new()
    assert [*map(in_short, events)] == [
        ("account", "ADJUSTMENT", "0.1"),
        ("order", "LIMIT", "NEW", "NEW"),
    ]
    known_balance = asset_row(account.desk.now())["walletBalance"]
    assert events[0]["a"]["B"][0]["wb"] == known_balance


def test_another_account_in_its_place_is_told_as_what_is_otherwise(tmp_path: Path) -> None:
    account = Followed(FileStore(tmp_path))
    account.desk.place_order(symbol=BTC, side="buy", quantity="0.1")
    account.new()
    for each in tmp_path.iterdir():
        each.unlink()
    FileStore(tmp_path, Decimal(500))
    (event,) = account.new()
    assert in_short(event) == ("account", "ADJUSTMENT", "0")
    assert event["a"]["B"][0]["wb"] == "500.00000000"


def test_the_private_events_come_to_all_listen_keys_and_to_nobody_else(streams: Streams) -> None:
    streams.dialect.other("second")
    paths = (
        f"/private/ws?listenKey={streams.listen_key}",
        f"/stream?streams={streams.services.listen_keys.open('second')}",
    )
    with ExitStack() as stack:
        plain, wrapped = (stack.enter_context(streams.listen(path)) for path in paths)
        other = stack.enter_context(streams.listen("/ws/btcusdt@trade"))
        streams.desk.deposit(5)
        event = plain.next()
        assert event["a"]["m"] == "DEPOSIT"
        assert wrapped.next() == {"stream": paths[1].partition("=")[2], "data": event}
        assert other.send("LIST_SUBSCRIPTIONS")["result"] == ["btcusdt@trade"]


def test_the_events_begin_with_the_subscription(streams: Streams) -> None:
    streams.desk.deposit(1)
    with streams.listen("/ws") as listener:
        listener.send("SUBSCRIBE", streams.listen_key)
        streams.desk.deposit(2)
        assert listener.next()["a"]["B"][0]["bc"] == "2.00000000"


def test_a_listen_key_that_is_not_open_any_more_is_told_and_ends_its_events() -> None:
    clock = Clock()
    clock.now = datetime.now(UTC)
    with Streams(clock=clock) as streams:
        listen_key = streams.listen_key
        with streams.listen(f"/ws/{listen_key}/btcusdt@trade") as listener:
            clock.now += OPEN_FOR
            assert listener.until("listenKeyExpired") == {
                "e": "listenKeyExpired",
                "E": milliseconds(clock.now),
                "listenKey": listen_key,
            }
            assert listener.send("LIST_SUBSCRIPTIONS")["result"] == ["btcusdt@trade"]
            assert listener.send("SUBSCRIBE", listen_key)["error"]["code"] == 2


def test_a_revoked_key_hears_no_more(streams: Streams) -> None:
    with streams.listen(f"/ws/{streams.listen_key}") as listener:
        streams.services.keys.revoke("bot")
        assert listener.until("listenKeyExpired")
        assert listener.send("LIST_SUBSCRIPTIONS")["result"] == []


def test_a_paused_key_still_listens(streams: Streams) -> None:
    with streams.listen(f"/ws/{streams.listen_key}") as listener:
        streams.services.keys.pause("bot")
        streams.desk.deposit(5)
        assert listener.until("ACCOUNT_UPDATE")


def test_a_server_that_stops_says_so_to_all(streams: Streams) -> None:
    with streams.listen("/ws/btcusdt@trade") as one, streams.listen("/stream") as other:
        streams.server.close()
        assert one.end() == other.end() == WSCloseCode.GOING_AWAY
    assert ends(streams.server.stop)


def test_a_server_that_never_started_stops() -> None:
    assert ends(Streams().server.stop)


def is_refused(port: int) -> bool:
    """Whether nobody listens at ``port``."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_streams_that_fail_say_so_and_leave_nobody_waiting(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(web.ServerRunner, "setup", fail)
    with Streams() as streams:
        wait_for(lambda: is_refused(streams.port), "an end of the streams")
    assert [each.message for each in caplog.records] == ["the streams failed"]


def test_who_does_not_read_is_cut_off(streams: Streams) -> None:
    with streams.listen("/ws") as slow, streams.listen("/ws/ethusdt@trade") as other:
        # Each answer is 30 kB, and none of them is read.
        question = json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": "x" * 30_000})
        with suppress(ConnectionError):
            for _ in range(3 * MOST_WAITING):
                slow.write(question)
        assert slow.end() == WSCloseCode.ABNORMAL_CLOSURE
        assert other.send("LIST_SUBSCRIPTIONS")["result"] == ["ethusdt@trade"]


def test_so_many_may_listen_at_once(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "MOST_CONNECTIONS", 2)
    with streams.listen("/ws"):
        with streams.listen("/ws") as second:
            message = "There are 2 connections; close one first."
            assert got(streams, "/ws", **UPGRADE) == (503, -1003, message)
            second.close()
        wait_for(lambda: streams.server.connections < 2, "a free place")
        with streams.listen("/ws") as listener:
            assert listener.send("LIST_SUBSCRIPTIONS")["result"] == []


def test_who_connects_and_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "_SILENT_SECONDS", 0.05)
    with Streams() as streams, streams.listen("/ws") as listener:
        with socket.create_connection(("127.0.0.1", streams.port)) as silent:
            assert silent.recv(1) == b""
        assert listener.send("LIST_SUBSCRIPTIONS")["result"] == []


def test_a_stream_that_fails_keeps_no_other_from_going_on(
    streams: Streams, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> list[Event]:
        raise ZeroDivisionError

    monkeypatch.setattr(BookStream, "events", fail)
    with streams.listen("/stream?streams=btcusdt@bookTicker/btcusdt@trade") as listener:
        for price in (40_001, 40_002):
            streams.move(price)
            assert listener.until("trade")["p"] == f"{price}.0"
    assert [each.message for each in caplog.records] == ["the stream btcusdt@bookTicker failed"]


def test_the_port_is_the_one_behind_the_server_unless_that_is_taken() -> None:
    known = Dialect()

    def unbound() -> StreamServer:
        return StreamServer(known.desk, known.services, Guards())

    with socket.create_server(("127.0.0.1", 0)) as beside:
        port = beside.getsockname()[1]
        first, second = unbound(), unbound()
        found = first.bind("127.0.0.1", None, beside=port)
        assert port < found <= port + 100
        assert second.bind("127.0.0.1", None, beside=port) > found
        with pytest.raises(InvalidRequest) as refused:
            unbound().bind("127.0.0.1", port, beside=1)
        assert str(refused.value) == (
            f"Port {port} for the streams is taken by another program. Choose another one, or 0 "
            "for any that is free: --stream-port 0"
        )
        first.stop()
        second.stop()
    with pytest.raises(InvalidRequest, match="behind 65535"):
        unbound().bind("127.0.0.1", None, beside=65_535)
    with pytest.raises(InvalidRequest, match="The streams can't be served"):
        unbound().bind("192.0.2.1", 0, beside=1)


PRICES = Prices()
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES_OF_STREAMS = st.lists(ANYTHING | st.sampled_from([*FIELDS, "!ticker@arr", "0" * 64]))
METHODS = st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"])
MESSAGES = (
    st.text()
    | ANYTHING.map(json.dumps)
    | st.fixed_dictionaries(
        {"method": METHODS | ANYTHING, "params": NAMES_OF_STREAMS | ANYTHING, "id": ANYTHING}
    ).map(json.dumps)
)


@settings(max_examples=50)
@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_whatever_is_sent_is_answered_once(messages: list[str]) -> None:
    found = Hub(MarketStreams(PRICES.desk, PRICES.services).open, lambda _: False)
    texts = list[str]()
    client = Connection(wraps=False, cut=lambda: None)
    client.put = texts.append  # type: ignore[method-assign]
    found.join(client, ())
    for message in messages:
        found.receive(client, message)
        answer = json.loads(texts.pop())
        assert not texts
        assert set(answer) in ({"result", "id"}, {"error", "id"})
        assert answer["id"] is None or isinstance(answer["id"], int | str)
        assert client.names <= {*FIELDS, "!ticker@arr"}
    found.leave(client)
    assert not found.connections
