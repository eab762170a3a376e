"""The streams of the dialect: listen keys, who may listen to what, and the events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from aiohttp import WSCloseCode

from balance.api.guards import Guards
from balance.binance.streams.hub import MOST_STREAMS
from balance.keys.keys import Keys
from balance.keys.listen_keys import OPEN_FOR, ListenKeys
from tests.accounts import MOMENT
from tests.dialect import Dialect, answered, refusal
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
