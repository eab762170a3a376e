"""Trading over HTTP: what each route does, and what it refuses, with the market standing still."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import create_app
from balance import Desk
from balance.api.stream import Stream
from balance.core.figures import NONE
from balance.market.board import LiveBoard
from balance.store.memory_store import MemoryStore
from balance.store.state import Commit
from tests.answers import exactly, problem
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC, ETH
from tests.patience import patience
from tests.serving import Server

BUY = {"symbol": BTC, "side": "buy", "quantity": 0.01}
WAIT = {"symbol": ETH, "side": "buy", "type": "limit", "quantity": 1, "price": 1_900}
STOP = {"symbol": BTC, "side": "sell", "type": "stop_market", "reduce_only": True}
#: What may be asked to change something, each after a position of Bitcoin and one open order.
#: A target and a stop for 0.02 BTC, of which one cancels the other.
OCO = {
    "orders": [
        {**BUY, "side": "sell", "type": "limit", "price": 42_000, "quantity": 0.02},
        {**BUY, "side": "sell", "type": "stop_market", "trigger_price": 39_000, "quantity": 0.02},
    ]
}
CHANGES = [
    ("POST", "/orders", BUY),
    ("POST", "/orders", {**WAIT, "price": 1_800}),
    ("POST", "/positions/BTC/USDT/close", None),
    ("POST", "/positions/BTC/USDT/close", {"percent": 50}),
    ("DELETE", "/orders", None),
    ("POST", "/positions/close", None),
    ("POST", "/positions/BTC/USDT/reverse", None),
    ("POST", "/positions/BTC/USDT/margin", {"amount": 12.5}),
    ("POST", "/orders/oco", OCO),
]


class RenewedStore:
    """A store in memory that each test gets a new one in."""

    def __init__(self) -> None:
        self.inner = MemoryStore()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture(scope="module")
def made() -> tuple[RenewedStore, LiveBoard, Desk, Flask]:
    """One app for all, with what it stands on."""
    store, board = RenewedStore(), a_board()
    desk = Desk(store, board)
    return store, board, desk, create_app(desk, Stream(1)).server


@pytest.fixture
def board(made: tuple[RenewedStore, LiveBoard, Desk, Flask]) -> LiveBoard:
    """Bitcoin at 40,000 and Ether at 2,000; Solana has no price."""
    board, new = made[1], a_board()
    board.market, board.candles = new.market, new.candles
    return board


@pytest.fixture
def desk(made: tuple[RenewedStore, LiveBoard, Desk, Flask], board: LiveBoard) -> Desk:
    """A new account of 10,000 in memory."""
    store, _, desk, _ = made
    store.inner = MemoryStore()
    return desk


@pytest.fixture
def client(made: tuple[RenewedStore, LiveBoard, Desk, Flask], desk: Desk) -> FlaskClient:
    """Asks an app on that account."""
    return made[3].test_client()


@pytest.fixture
def trading(client: FlaskClient) -> FlaskClient:
    """The same, with a position of Bitcoin and an open order of Ether."""
    client.post("/orders", json={**BUY, "quantity": 0.02})
    client.post("/orders", json=WAIT)
    return client


def asked(client: FlaskClient, method: str, path: str, body: Any, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    how = {} if body is None else {"json": body}
    return client.open(path, method=method, headers=named, **how)


class TestPlacing:
    """``POST /orders``."""

    def test_at_market_fills_at_the_ask_and_the_slippage(self, client: FlaskClient) -> None:
        told = exactly(client.post("/orders", json=BUY))
        order = told["order"]
        assert (order["status"], order["symbol"], order["side"]) == ("filled", BTC, "buy")
        assert (order["quantity"], order["price"]) == (Decimal("0.01"), 40_004)
        assert (order["fee"], order["liquidity"]) == (Decimal("0.20002"), "taker")
        assert (order["type"], order["realized_pnl"]) == ("market", 0)
        assert told["message"].startswith("Bought 0.01 BTC/USDT at 40,004")
        assert told["revision"] == 2
        assert told["balance"] == Decimal("9999.79998")
        assert told["used_margin"] == Decimal("40.004")
        assert told["unrealized_pnl"] == Decimal("-0.04")
        assert told["portfolio_value"] == told["balance"] + told["unrealized_pnl"]
        assert told["free_equity"] == told["portfolio_value"] - told["used_margin"]
        (held,) = told["positions"]
        assert (held["side"], held["leverage"], held["feed"]) == ("long", 10, "simulated")

    def test_below_the_market_waits_and_keeps_its_margin_back(self, client: FlaskClient) -> None:
        told = exactly(client.post("/orders", json=WAIT))
        assert told["order"]["status"] == "open"
        assert told["order"]["reserved_margin"] == told["used_margin"] == 190
        assert told["available_balance"] == 9_810
        (order,) = exactly(client.get("/orders"))["orders"]
        assert order["id"] == told["order"]["id"]
        assert told["message"] == "Placed: Buy 1 ETH/USDT, limit 1,900."

    def test_what_may_not_wait_is_answered_as_expired(self, client: FlaskClient) -> None:
        answer = client.post("/orders", json={**WAIT, "time_in_force": "IOC"})
        found = exactly(answer)
        assert (answer.status_code, found["order"]["status"]) == (200, "expired")
        assert found["order"]["why"].endswith("it can't fill at once, the ask is 2,000")
        assert (found["open_orders"], found["used_margin"]) == ([], 0)
        entries = exactly(client.get("/virtual_balance/history"))["entries"]
        assert [each["kind"] for each in entries[:2]] == ["cancel", "order"]

    def test_a_limit_at_a_trigger_waits_with_both_prices(self, client: FlaskClient) -> None:
        body = {**WAIT, "type": "stop_limit", "trigger_price": 2_100, "price": 2_101}
        found = exactly(client.post("/orders", json={**body, "time_in_force": "GTX"}))["order"]
        assert (found["type"], found["time_in_force"]) == ("stop_limit", "GTX")
        assert (found["trigger_price"], found["price"]) == (2_100, 2_101)

    def test_a_trailing_stop_says_where_it_is(self, client: FlaskClient) -> None:
        body = {"symbol": ETH, "side": "sell", "type": "trailing_stop", "quantity": 1}
        found = exactly(client.post("/orders", json={**body, "callback_percent": 2.5}))["order"]
        assert (found["callback_percent"], found["trigger_price"]) == (Decimal("2.5"), 1_950)
        later = {**body, "callback_percent": 2.5, "activation_price": 2_100}
        found = exactly(client.post("/orders", json=later))["order"]
        assert (found["activation_price"], found["trigger_price"]) == (2_100, None)

    def test_a_limit_that_crosses_fills_at_once_at_the_better_price(
        self, client: FlaskClient
    ) -> None:
        order = exactly(client.post("/orders", json={**WAIT, "price": 2_500}))["order"]
        assert (order["status"], order["liquidity"]) == ("filled", "taker")
        assert order["price"] == Decimal("2000.20")

    @pytest.mark.parametrize(
        "symbol", ["BTC/USDT", "btc/usdt", "BTC-USDT", "btcusdt", "BTCUSDT", " btc_usdt "]
    )
    def test_a_symbol_may_be_written_in_the_usual_ways(
        self, client: FlaskClient, symbol: str
    ) -> None:
        order = client.post("/orders", json={**BUY, "symbol": symbol}).get_json()["order"]
        assert order["symbol"] == BTC

    @pytest.mark.parametrize(
        ("size", "quantity"),
        [
            ({"quantity": 0.0109}, "0.01"),
            ({"notional": 4_004}, "0.1"),
            ({"percent": 100}, "2.487"),
            ({"percent": 0.5}, "0.012"),
        ],
    )
    def test_the_size_is_cut_to_the_step(
        self, client: FlaskClient, size: dict[str, float], quantity: str
    ) -> None:
        body = {"symbol": BTC, "side": "buy", **size}
        seen = exactly(client.post("/orders/preview", json=body))
        order = exactly(client.post("/orders", json=body))["order"]
        assert order["quantity"] == seen["quantity"] == Decimal(quantity)

    def test_exits_are_attached_to_the_position(self, client: FlaskClient) -> None:
        told = client.post(
            "/orders", json={**BUY, "take_profit": 45_000, "stop_loss": 39_000}
        ).get_json()
        (held,) = told["positions"]
        assert (held["take_profit"], held["stop_loss"]) == (45_000, 39_000)
        assert [each["quantity"] for each in told["open_orders"]] == [None, None]

    def test_the_other_side_closes_and_opens_the_rest(self, client: FlaskClient) -> None:
        client.post("/orders", json=BUY)
        told = exactly(client.post("/orders", json={**BUY, "side": "sell", "quantity": 0.03}))
        (held,) = told["positions"]
        assert (held["side"], held["quantity"]) == ("short", Decimal("0.02"))
        assert told["order"]["realized_pnl"] == told["realized_pnl"] == Decimal("-0.08")


class TestAPreview:
    """``POST /orders/preview``."""

    @pytest.mark.parametrize(
        "body",
        [
            BUY,
            WAIT,
            {**BUY, "side": "sell", "quantity": 0.03},
            {**BUY, "leverage": 10, "notional": 1_000, "quantity": None},
            {**STOP, "trigger_price": 39_000},
        ],
        ids=str,
    )
    def test_foresees_what_placing_does(self, trading: FlaskClient, body: dict[str, Any]) -> None:
        body = {name: value for name, value in body.items() if value is not None}
        before = exactly(trading.get("/virtual_balance"))
        seen = exactly(trading.post("/orders/preview", json=body))
        assert exactly(trading.get("/virtual_balance")) == before
        told = exactly(trading.post("/orders", json=body))
        assert seen["affordable"]
        order = told["order"]
        if order["status"] == "filled":
            assert told["available_balance"] == seen["available_after"]
            assert (order["price"], order["fee"]) == (seen["price"], seen["fee"])
            assert order["liquidity"] == seen["liquidity"]
        assert order["quantity"] in (seen["quantity"], None)

    def test_says_what_is_missing(self, client: FlaskClient) -> None:
        seen = exactly(client.post("/orders/preview", json={**BUY, "quantity": 10}))
        assert not seen["affordable"]
        assert seen["available_after"] == 10_000 - seen["cost"]
        members = problem(client.post("/orders", json={**BUY, "quantity": 10}), 422)
        assert members["required"] == seen["cost"]
        assert members["available"] == 10_000


class TestClosingAndCancelling:
    """``POST /positions/{symbol}/close``, ``DELETE /orders/{id}`` and ``DELETE /orders``."""

    @pytest.mark.parametrize(
        "symbol", ["BTC/USDT", "BTC%2FUSDT", "BTC-USDT", "btcusdt", "btc%2Dusdt"]
    )
    def test_a_position_is_closed_whole_by_default(self, trading: FlaskClient, symbol: str) -> None:
        told = exactly(trading.post(f"/positions/{symbol}/close"))
        assert told["positions"] == []
        assert told["order"]["quantity"] == Decimal("0.02")
        assert told["realized_pnl"] == Decimal("-0.16")

    @pytest.mark.parametrize(
        ("size", "rest"),
        [
            ({"quantity": 0.005}, "0.015"),
            ({"percent": 25}, "0.015"),
            ({"percent": 99}, "0.001"),
            ({}, None),
            ({"percent": 100}, None),
            ({"quantity": 5}, None),
        ],
        ids=str,
    )
    def test_a_position_is_closed_in_part(
        self, trading: FlaskClient, size: dict[str, float], rest: str | None
    ) -> None:
        told = exactly(trading.post("/positions/BTC-USDT/close", json=size))
        assert [each["quantity"] for each in told["positions"]] == ([Decimal(rest)] if rest else [])

    def test_an_order_is_cancelled_once(self, trading: FlaskClient) -> None:
        (order,) = trading.get("/orders").get_json()["orders"]
        told = exactly(trading.delete(f"/orders/{order['id']}"))
        assert (told["open_orders"], told["order"]) == ([], None)
        assert "Cancelled: Buy 1 ETH/USDT, limit 1,900." in told["message"]
        members = problem(trading.delete(f"/orders/{order['id']}"), 404)
        assert order["id"] in members["detail"]

    def test_an_order_is_found_and_cancelled_by_its_client_id(self, trading: FlaskClient) -> None:
        placed = exactly(trading.post("/orders", json={**WAIT, "price": 1_800, "client_id": "a/1"}))
        assert placed["order"]["client_id"] == "a/1"
        (found,) = exactly(trading.get("/orders?client_id=a/1"))["orders"]
        assert found["id"] == placed["order"]["id"]
        assert trading.get("/orders?client_id=b").get_json()["orders"] == []
        problem(trading.post("/orders", json={**WAIT, "client_id": "a/1"}), 422)
        assert len(exactly(trading.delete("/orders/a/1"))["open_orders"]) == 1
        problem(trading.delete("/orders/a/1"), 404)

    def test_changes_of_what_is_open_have_previews(self, trading: FlaskClient, desk: Desk) -> None:
        (order,) = exactly(trading.get("/orders"))["orders"]
        amended = exactly(trading.post(f"/orders/{order['id']}/preview", json={"price": 1_800}))
        assert (amended["price"], amended["affordable"]) == (1_800, True)
        problem(trading.post(f"/orders/{order['id']}/preview", json={}), 422)
        problem(trading.post("/orders/7/preview", json={"price": 1_800}), 404)
        path = "/positions/BTC-USDT"
        more = exactly(trading.post(f"{path}/margin/preview", json={"amount": 20}))
        (position,) = exactly(trading.get("/positions"))["positions"]
        assert more["isolated_margin"] == position["isolated_margin"] + 20
        other = exactly(trading.post(f"{path}/reverse/preview"))
        assert (other["side"], other["quantity"]) == ("short", position["quantity"])
        problem(trading.post("/positions/SOL-USDT/reverse/preview"), 404)
        assert desk.snapshot().revision == 3

    def test_a_client_id_with_slashes_first_is_not_that_of_another_order(
        self, trading: FlaskClient
    ) -> None:
        for name in ("x", "/x", "//x", "/", "x/"):
            placed = trading.post("/orders", json={**WAIT, "price": 1_800, "client_id": name})
            assert placed.status_code == 200
        for name in ("//x", "/x", "/", "x/"):
            amended = exactly(trading.put(f"/orders/{name}", json={"price": 1_700}))
            assert amended["message"].startswith("Amended")
            assert exactly(trading.post(f"/orders/{name}/preview", json={"price": 1_600}))
            assert exactly(trading.get(f"/orders/{name}"))["order"]["client_id"] == name
            assert exactly(trading.delete(f"/orders/{name}"))["message"].startswith("Cancelled")
        (left,) = exactly(trading.get("/orders?client_id=x"))["orders"]
        assert left["price"] == 1_800

    def test_the_fills_of_an_order_have_its_client_id(self, trading: FlaskClient) -> None:
        assert exactly(trading.post("/orders", json={**BUY, "client_id": "dca:7"}))
        named, older = exactly(trading.get("/history/fills?limit=2"))["rows"]
        assert (older["client_id"], named["client_id"]) == ("", "dca:7")
        assert (older["display"]["client_id"], named["display"]["client_id"]) == (NONE, "dca:7")
        assert exactly(trading.get("/fills"))["fills"][0]["client_id"] == "dca:7"
        head, first = trading.get("/history/fills?format=csv").text.splitlines()[:2]
        assert head.endswith(",owner,client_id,note")
        assert ",you,dca:7," in first

    def test_a_position_is_reversed_and_gets_margin(self, trading: FlaskClient) -> None:
        found = exactly(trading.post("/positions/BTC-USDT/reverse"))
        (position,) = found["positions"]
        assert (position["side"], position["quantity"]) == ("short", Decimal("0.02"))
        assert (found["order"]["side"], found["order"]["realized_pnl"]) == ("sell", 0)
        added = exactly(trading.post("/positions/btcusdt/margin", json={"amount": 20}))
        assert added["order"] is None
        before, after = position["isolated_margin"], added["positions"][0]["isolated_margin"]
        assert after - before == 20
        assert added["positions"][0]["liquidation_price"] > position["liquidation_price"]
        assert added["available_balance"] == found["available_balance"] - 20
        assert added["balance"] == found["balance"]

    def test_all_positions_are_closed_in_one_change(self, trading: FlaskClient, desk: Desk) -> None:
        trading.post("/orders", json={**BUY, "symbol": ETH, "quantity": 1})
        found = exactly(trading.post("/positions/close"))
        assert (found["positions"], found["revision"]) == ([], 5)
        assert {each["symbol"] for each in found["orders"]} == {BTC, ETH}
        assert len(found["open_orders"]) == 1
        problem(trading.post("/positions/close"), 404)

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/positions/BTC-USDT/margin", {}, 422),
            ("/positions/BTC-USDT/margin", {"amount": 0}, 422),
            ("/positions/BTC-USDT/margin", {"amount": "five"}, 422),
            ("/positions/BTC-USDT/margin", {"amount": None}, 422),
            ("/positions/BTC-USDT/margin", {"amount": -70}, 422),
            ("/positions/BTC-USDT/margin", {"amount": 1e6}, 422),
            ("/positions/ETH-USDT/margin", {"amount": 5}, 404),
            ("/positions/ETH-USDT/reverse", None, 404),
            ("/positions/XYZ/reverse", None, 422),
        ],
        ids=str,
    )
    def test_what_makes_no_sense_of_a_position_is_refused(
        self, trading: FlaskClient, desk: Desk, path: str, body: Any, status: int
    ) -> None:
        problem(asked(trading, "POST", path, body), status)
        assert desk.snapshot().revision == 3

    def test_an_order_is_amended_and_keeps_its_id(self, trading: FlaskClient) -> None:
        (order,) = trading.get("/orders").get_json()["orders"]
        path = f"/orders/{order['id']}"
        answer = trading.put(path, json={"price": 1_850.5}, headers={"If-Match": '"3"'})
        assert answer.status_code == 200
        found = exactly(answer)
        assert (found["order"]["id"], found["order"]["status"]) == (order["id"], "open")
        assert found["order"]["price"] == Decimal("1850.5")
        crossing = exactly(trading.put(path, json={"price": 2_100}))
        assert (crossing["order"]["id"], crossing["order"]["status"]) == (order["id"], "filled")
        assert crossing["open_orders"] == []
        problem(trading.put(path, json={"price": 1_900}), 404)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "at least one of price"),
            ({"price": "1,850"}, "must be a number"),
            ({"price": None}, "price"),
            ({"side": "sell"}, "but not 'side'"),
            ({"trigger_price": 1_800}, "has no trigger_price"),
            ({"price": 1_900}, "Nothing would change"),
            ({"quantity": 100}, "This needs 19,"),
        ],
        ids=str,
    )
    def test_an_amendment_that_makes_no_sense_is_422(
        self, trading: FlaskClient, desk: Desk, body: Any, words: str
    ) -> None:
        (order,) = trading.get("/orders").get_json()["orders"]
        found = problem(trading.put(f"/orders/{order['id']}", json=body), 422)
        assert words in found["detail"]
        assert desk.snapshot().revision == 3

    def test_orders_are_cancelled_together(self, trading: FlaskClient) -> None:
        trading.post("/orders", json={**STOP, "trigger_price": 39_000})
        trading.post("/orders", json={**WAIT, "price": 1_800})
        told = trading.delete("/orders?symbol=ethusdt").get_json()
        assert [each["symbol"] for each in told["open_orders"]] == [BTC]
        assert trading.delete("/orders").get_json()["open_orders"] == []
        problem(trading.delete("/orders"), 404)
        problem(trading.delete("/orders?symbol=ETH/USDT"), 404)

    def test_what_is_there_no_longer_needs_no_price(
        self, trading: FlaskClient, board: LiveBoard
    ) -> None:
        board.market = replace(board.market, live=frozenset(), state="stale")
        assert trading.delete("/orders").status_code == 200


class TestReading:
    """``GET /prices``, ``/candles``, ``/positions``, ``/orders`` and ``/fills``."""

    def test_prices_tell_the_feed_and_what_is_known(self, client: FlaskClient) -> None:
        told = exactly(client.get("/prices"))
        assert (told["status"], told["feed"], told["state"]) == ("success", "simulated", "live")
        assert list(told["prices"]) == [BTC, ETH]
        price = told["prices"][BTC]
        assert (price["last"], price["state"]) == (40_000, "live")
        assert price["display"]["change_percent"] == "+2.56%"
        assert {name: told[name] for name in told if name != "status"} == exactly(
            client.get("/virtual_balance")
        )["market"]

    @pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC%2FUSDT", "btc-usdt", "BTCUSDT"])
    def test_candles_come_oldest_first(self, client: FlaskClient, symbol: str) -> None:
        rows = exactly(client.get(f"/candles/{symbol}?timeframe=5m&limit=3"))["candles"]
        assert [row["close"] for row in rows] == [109, 110, 111]
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        assert len(exactly(client.get(f"/candles/{symbol}"))["candles"]) == 10

    @pytest.mark.parametrize(
        ("timeframe", "seconds"), [("1m", 60), ("7m", 420), ("4h", 14_400), ("1d", 86_400)]
    )
    def test_candles_are_of_the_time_asked_for(
        self, client: FlaskClient, board: LiveBoard, timeframe: str, seconds: int
    ) -> None:
        wanted: list[Any] = []

        def candles(*args: Any) -> Any:
            wanted.append(args)
            return ()

        board.candles = candles
        assert client.get(f"/candles/ethusdt?timeframe={timeframe}&limit=7").status_code == 200
        assert wanted == [(ETH, seconds, 7)]

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/candles/DOGE-USDT", "There are: BTC/USDT, ETH/USDT, SOL/USDT"),
            ("/candles/%00", "There is no symbol"),
            ("/candles/BTCUSDT?timeframe=1s", "timeframe must be"),
            ("/candles/BTCUSDT?timeframe=", "timeframe must be"),
            ("/candles/BTCUSDT?timeframe=0m", "from 1 to 1,440"),
            ("/candles/BTCUSDT?timeframe=2d", "from 1 to 1,440"),
            ("/candles/BTCUSDT?timeframe=9999d", "from 1 to 1,440"),
            ("/candles/BTCUSDT?timeframe=99999m", "timeframe must be"),
            ("/candles/BTCUSDT?timeframe=%D9%A1m", "timeframe must be"),
            ("/candles/BTCUSDT?limit=0", "limit must be from 1 to 1,500"),
            ("/candles/BTCUSDT?limit=1501", "limit must be from 1 to 1,500"),
            ("/candles/BTCUSDT?limit=-1", "limit must be a whole number"),
            ("/candles/BTCUSDT?limit=many", "limit must be a whole number"),
            ("/fills?limit=0", "limit must be from 1 to 1,000"),
            ("/fills?limit=1001", "limit must be from 1 to 1,000"),
            ("/fills?before=x", "before must be a revision"),
        ],
    )
    def test_what_can_not_be_read_is_422(self, client: FlaskClient, path: str, words: str) -> None:
        assert words in problem(client.get(path), 422)["detail"]

    def test_lists_tell_at_which_revision_they_are(self, trading: FlaskClient) -> None:
        snapshot = exactly(trading.get("/virtual_balance"))
        for path, name in (("/positions", "positions"), ("/orders", "open_orders")):
            told = exactly(trading.get(path))
            assert told["revision"] == snapshot["revision"] == 3
            assert told[path[1:]] == snapshot[name]
            assert len(told[path[1:]]) == 1

    def test_fills_lead_through_their_pages(self, trading: FlaskClient) -> None:
        for percent in (50, 50, 100):
            trading.post("/positions/BTC-USDT/close", json={"percent": percent})
        seen: list[Any] = []
        before = ""
        while before is not None:
            page = exactly(trading.get(f"/fills?limit=3{before and '&before='}{before}"))
            seen, before = seen + page["fills"], page["next"]
        assert [each["side"] for each in seen] == ["sell", "sell", "sell", "buy"]
        assert seen[0]["position_pnl"] < 0
        assert [each["position_pnl"] for each in seen[1:]] == [None] * 3
        assert seen == exactly(trading.get("/fills"))["fills"]

    def test_nothing_of_it_may_be_kept_by_a_cache(self, trading: FlaskClient) -> None:
        for path in ("/prices", "/candles/BTCUSDT", "/positions", "/orders", "/fills"):
            assert trading.get(path).headers["Cache-Control"] == "no-store"


class TestWhatIsRefused:
    """Each refusal is a problem that says what to do, and changes nothing."""

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({**BUY, "quantity": 10}, "needs 40,204.02 USDT, but only 10,000.00 are available"),
            ({**BUY, "quantity": None}, "quantity must be a number"),
            ({**BUY, "quantity": "0,01"}, "quantity must be a number"),
            ({**BUY, "quantity": True}, "quantity must be a number"),
            ({**BUY, "quantity": []}, "quantity must be a number"),
            ({**BUY, "quantity": {"a": 1}}, "quantity must be a number"),
            ({**BUY, "quantity": 0}, "must be above zero, not 0.00"),
            ({**BUY, "quantity": -0.01}, "must be above zero, not -0.01"),
            ({**BUY, "quantity": 1e-30}, "The smallest order of BTC/USDT is 0.001 BTC"),
            ({**BUY, "quantity": 10**30}, "too large"),
            ({**BUY, "quantity": 1e300}, "too large"),
            ({**BUY, "quantity": 45_001}, "may be worth at most 1,800,000,000.00 USDT"),
            ({**WAIT, "quantity": 0.002}, "The smallest order of ETH/USDT is worth 5.00 USDT"),
            ({**BUY, "leverage": 0}, "must be above zero"),
            ({**BUY, "leverage": -5}, "must be above zero"),
            ({**BUY, "leverage": 1.5}, "must be a whole number from 1 to 1,000"),
            ({**BUY, "leverage": 151}, "at most 150x, not 151x"),
            ({**BUY, "leverage": 10**9}, "must be a whole number from 1 to 1,000"),
            ({**BUY, "leverage": 1e-30}, "must be a whole number from 1 to 1,000"),
            ({**BUY, "leverage": "10x"}, "leverage must be a number"),
            ({**BUY, "notional": 500}, "exactly one of quantity, notional, percent"),
            ({"symbol": BTC, "side": "buy"}, "exactly one of quantity, notional, percent"),
            ({"symbol": BTC, "side": "buy", "percent": 101}, "at most 100, not 101.00"),
            ({"symbol": BTC, "side": "buy", "percent": 1e-30}, "The s"),
            ({"symbol": BTC, "side": "buy", "notional": 1e-30}, "The smallest order"),
            ({**BUY, "price": 40_000}, "A market order has no price"),
            ({**BUY, "type": "limit"}, "A limit order needs a price"),
            ({**WAIT, "price": -1}, "must be above zero"),
            ({**WAIT, "price": 1e13}, "too large"),
            ({**WAIT, "trigger_price": 5}, "A limit order has no trigger_price"),
            ({**BUY, "type": "stop_market"}, "needs a trigger_price"),
            ({**STOP, "trigger_price": 39_000, "side": "buy"}, "no short position of BTC/USDT"),
            ({**BUY, "type": "stop_market", "trigger_price": 39_000}, "is reached already"),
            ({**BUY, "stop_loss": 41_000}, "stop-loss of this order must be below"),
            ({**BUY, "take_profit": 39_000}, "take-profit of this order must be above"),
            ({**BUY, "side": "sell", "reduce_only": True, "stop_loss": 5}, "no stop_loss"),
            ({**BUY, "symbol": "DOGE/USDT"}, "There are: BTC/USDT, ETH/USDT, SOL/USDT"),
            ({**BUY, "symbol": ""}, "There is no symbol ''"),
            ({**BUY, "symbol": "BTC" * 5_000}, "There is no symbol"),
            ({**BUY, "symbol": "\ud800"}, "There is no symbol"),
            ({**BUY, "symbol": None}, "symbol must be a value, not null"),
            ({**BUY, "symbol": 5}, "symbol must be a text such as BTC/USDT"),
            ({**BUY, "side": "long"}, "side must be one of buy, sell, not 'long'"),
            ({**BUY, "side": "BUY"}, "side must be one of buy, sell"),
            ({**BUY, "side": None}, "side must be a value, not null"),
            ({**BUY, "type": "iceberg"}, "type must be one of market, limit"),
            ({**BUY, "time_in_force": "FOK"}, "A market order has no time_in_force"),
            ({**WAIT, "time_in_force": "fok"}, "must be one of GTC, IOC, FOK, GTX, not 'fok'"),
            ({**WAIT, "time_in_force": 5}, "time_in_force must be one of GTC"),
            ({**WAIT, "type": "stop_limit"}, "A stop-limit order needs a trigger_price"),
            (
                {**WAIT, "type": "stop_limit", "trigger_price": 1_950},
                "The trigger price 1,950 is reached already",
            ),
            ({**BUY, "type": "trailing_stop"}, "A trailing stop order needs a callback_percent"),
            ({**BUY, "type": "trailing_stop", "callback_percent": 100}, "below 100, not 100.00"),
            ({**BUY, "type": "trailing_stop", "callback_percent": 0}, "must be above zero"),
            ({**WAIT, "activation_price": 5}, "A limit order has no activation_price"),
            ({**BUY, "reduce_only": "yes"}, "reduce_only must be true or false"),
            ({**BUY, "nonsense": 1}, "'nonsense'"),
            ({**BUY, "note": "x"}, "'note'"),
            ({**BUY, "how": {}}, "'how'"),
            ({}, "symbol must be"),
            ([], "must be an object"),
            (5, "must be an object"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_an_order_that_makes_no_sense(
        self, client: FlaskClient, desk: Desk, body: Any, words: str
    ) -> None:
        data = json.dumps(body)
        for path in ("/orders", "/orders/preview"):
            answer = client.post(path, data=data, content_type="application/json")
            if path == "/orders/preview" and answer.status_code == 200:
                assert not answer.get_json()["affordable"]
                continue
            status = 404 if "position of" in words else 422
            detail = problem(answer, status)["detail"]
            assert words in detail
            assert len(detail) < 300
        assert desk.snapshot().revision == 1

    @pytest.mark.parametrize(
        ("terms", "detail"),
        [
            (
                {"price": 1_900, "time_in_force": "FOK"},
                "The order can't fill at once at 1,900: the ask is 2,000. Name that price, or "
                "another time in force.",
            ),
            (
                {"price": 2_000, "time_in_force": "GTX"},
                "The post-only order would fill at once at 2,000: the ask is 2,000. Name a price "
                "below that, or another time in force.",
            ),
        ],
    )
    def test_an_order_that_the_market_refuses_is_in_the_ledger(
        self, client: FlaskClient, desk: Desk, terms: dict[str, Any], detail: str
    ) -> None:
        body, key = {**WAIT, **terms}, {"Idempotency-Key": "one"}
        previewed = problem(client.post("/orders/preview", json=body), 422)
        assert (previewed["detail"], "order_id" in previewed) == (detail, False)
        for _ in range(2):
            refused = problem(client.post("/orders", json=body, headers=key), 422)
            assert (refused["detail"], refused["order_id"]) == (detail, "2000001")
        again = problem(client.post("/orders", json=body), 422)
        assert (again["detail"], again["order_id"]) == (detail, "3000001")
        kinds = [each["kind"] for each in desk.history().entries]
        assert kinds == ["cancel", "order", "cancel", "order", "start"]
        entry = exactly(client.get("/history/entries/3.2"))["entry"]
        assert (entry["effect"]["closed"], entry["effect"]["ended"]) == (["3000001"], "rejected")
        assert detail.startswith(entry["effect"]["why"][1:], 1)
        assert desk.snapshot().open_orders == ()

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b'{"percent": 0}', 422),
            (b'{"percent": -5}', 422),
            (b'{"percent": 100.1}', 422),
            (b'{"percent": "5 %"}', 422),
            (b'{"percent": null}', 422),
            (b'{"quantity": true}', 422),
            (b'{"quantity": 1e25}', 422),
            (b'{"quantity": 1e-30}', 422),
            (b'{"quantity": 0.001, "percent": 5}', 422),
            (b'{"symbol": "ETH/USDT"}', 422),
            (b"[]", 422),
            (b"{", 400),
            (b'{"quantity": NaN}', 400),
        ],
    )
    def test_a_close_that_makes_no_sense(
        self, trading: FlaskClient, desk: Desk, body: bytes, status: int
    ) -> None:
        answer = trading.post(
            "/positions/BTC-USDT/close", data=body, content_type="application/json"
        )
        problem(answer, status)
        assert desk.snapshot().revision == 3

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/positions/ETH-USDT/close", None),
            ("POST", "/orders", {**STOP, "symbol": ETH, "trigger_price": 1_900}),
            ("DELETE", "/orders/nonsense", None),
            ("DELETE", "/orders/" + "x" * 3_000, None),
            ("DELETE", "/orders/%00%0A", None),
            ("DELETE", "/orders/%F0%9F%9A%80", None),
            ("DELETE", "/orders?symbol=BTC/USDT", None),
        ],
    )
    def test_what_is_not_there_is_404(
        self, trading: FlaskClient, desk: Desk, method: str, path: str, body: Any
    ) -> None:
        members = problem(asked(trading, method, path, body), 404)
        assert members["detail"].startswith("There ")
        assert len(members["detail"]) < 200
        assert desk.snapshot().revision == 3

    @pytest.mark.parametrize("symbol", ["DOGE-USDT", "BTC", "%20", "..", "BTC/USDT/x", "%00"])
    def test_a_symbol_that_is_not_traded_is_422(self, trading: FlaskClient, symbol: str) -> None:
        for method, path in (
            ("POST", f"/positions/{symbol}/close"),
            ("DELETE", f"/orders?symbol={symbol}"),
        ):
            detail = problem(asked(trading, method, path, None), 422)["detail"]
            assert "There are: BTC/USDT" in detail

    def test_an_empty_symbol_cancels_nothing(self, trading: FlaskClient) -> None:
        problem(trading.delete("/orders?symbol="), 422)
        assert len(trading.get("/orders").get_json()["orders"]) == 1

    @pytest.mark.parametrize(
        "body",
        [
            BUY,
            WAIT,
            {**BUY, "symbol": "SOL/USDT", "quantity": 5},
            {**STOP, "trigger_price": 39_000},
            {**WAIT, "price": 1},
        ],
        ids=str,
    )
    def test_without_a_live_price_nothing_is_placed(
        self, trading: FlaskClient, board: LiveBoard, desk: Desk, body: dict[str, Any]
    ) -> None:
        board.market = replace(
            board.market, live=frozenset(), state="stale", message="The exchange is silent."
        )
        words = "" if body["symbol"] == "SOL/USDT" else "The exchange is silent."
        closing = asked(trading, "POST", "/positions/BTC-USDT/close", None)
        for answer in (
            *(asked(trading, "POST", path, body) for path in ("/orders", "/orders/preview")),
            closing,
        ):
            detail = problem(answer, 503)["detail"]
            assert "has no live price now" in detail
            assert words in detail
            assert answer.headers["Retry-After"] == "1"
        assert desk.snapshot().revision == 3

    @pytest.mark.parametrize("path", ["/orders", "/orders/preview", "/positions/BTC-USDT/close"])
    @pytest.mark.parametrize(
        ("data", "kind", "status"),
        [
            (b"{", "application/json", 400),
            (b'{"quantity": 1e400}', "application/json", 400),
            (b'{"quantity": Infinity}', "application/json", 400),
            (b'{"quantity": 1, "quantity": 2}', "application/json", 400),
            (b'{"symbol": "\xff"}', "application/json", 400),
            (b'{"quantity": 1}', "text/plain", 415),
            (b"quantity=1", "application/x-www-form-urlencoded", 415),
            (b'{"a": "' + b"x" * 70_000 + b'"}', "application/json", 413),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_what_is_no_json_of_the_right_size(
        self, trading: FlaskClient, desk: Desk, path: str, data: bytes, kind: str, status: int
    ) -> None:
        problem(trading.post(path, data=data, content_type=kind), status)
        assert desk.snapshot().revision == 3

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("POST", "/prices", {"GET", "HEAD", "OPTIONS"}),
            ("DELETE", "/candles/BTC/USDT", {"GET", "HEAD", "OPTIONS"}),
            ("POST", "/positions", {"GET", "HEAD", "OPTIONS"}),
            ("PUT", "/orders", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
            ("PUT", "/orders/oco/preview", {"POST", "OPTIONS"}),
            ("POST", "/orders/abc", {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}),
            ("GET", "/positions/BTC/USDT/close", {"POST", "OPTIONS"}),
            ("DELETE", "/fills", {"GET", "HEAD", "OPTIONS"}),
        ],
    )
    def test_what_a_path_can_not_do_is_405_and_says_what_it_can(
        self, client: FlaskClient, method: str, path: str, allowed: set[str]
    ) -> None:
        answer = asked(client, method, path, None)
        assert method in problem(answer, 405)["detail"]
        assert set(answer.headers["Allow"].split(", ")) == allowed

    @pytest.mark.parametrize("path", ["/orders/", "/positions/BTC/USDT", "/candles/", "/prices/x"])
    def test_a_path_where_nothing_is_is_404(self, client: FlaskClient, path: str) -> None:
        problem(client.get(path), 404)

    @pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=str)
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Origin": "https://evil.com"}, 403),
            ({"Sec_Fetch_Site": "cross-site"}, 403),
            ({"Sec_Fetch_Site": "same-site"}, 403),
            ({"Host": "evil.com"}, 400),
            ({"If_Match": "2"}, 412),
            ({"If_Match": '"99"'}, 412),
            ({"If_Match": "x"}, 400),
            ({"Idempotency_Key": "x" * 201}, 422),
        ],
        ids=str,
    )
    def test_what_may_not_be_asked_so(
        self,
        trading: FlaskClient,
        desk: Desk,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str],
        status: int,
    ) -> None:
        problem(asked(trading, method, path, body, **headers), status)
        assert desk.snapshot().revision == 3


class TestOco:
    """``POST /orders/oco``."""

    def test_both_are_placed_and_one_cancels_the_other(
        self, trading: FlaskClient, desk: Desk, board: LiveBoard
    ) -> None:
        told = exactly(trading.post("/orders/oco", json=OCO))
        first, second = told["orders"]
        assert first["group"] == second["group"] == first["id"]
        assert [each["status"] for each in told["orders"]] == ["open", "open"]
        assert told["message"] == (
            "Placed: OCO: Sell 0.02 BTC/USDT, limit 42,000; or Sell 0.02 BTC/USDT, stop 39,000."
        )
        priced(board, 42_000)
        assert desk.advance(board.market, {}) is not None
        left = exactly(trading.get("/orders"))["orders"]
        assert [each["symbol"] for each in left] == [ETH]
        entries = exactly(trading.get("/virtual_balance/history"))["entries"]
        assert [each["kind"] for each in entries[:4]] == ["cancel", "fee", "realized_pnl", "fill"]

    def test_its_preview_says_what_both_need(self, client: FlaskClient) -> None:
        seen = exactly(client.post("/orders/oco/preview", json=OCO))
        assert [each["cost"] for each in seen["orders"]] == [Decimal("84.42"), Decimal("78.39")]
        assert (seen["cost"], seen["affordable"]) == (Decimal("84.42"), True)
        told = exactly(client.post("/orders/oco", json=OCO))
        assert told["used_margin"] == 84
        assert told["revision"] == 2

    def test_cancelling_one_answers_that_both_are_cancelled(self, client: FlaskClient) -> None:
        first, second = exactly(client.post("/orders/oco", json=OCO))["orders"]
        told = exactly(client.delete(f"/orders/{second['id']}"))
        assert told["open_orders"] == []
        assert "the other order of its OCO was cancelled" in told["message"]
        problem(client.delete(f"/orders/{first['id']}"), 404)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "An OCO has two orders"),
            ({"orders": OCO["orders"][:1]}, "An OCO has two orders"),
            ({"orders": {"a": 1, "b": 2}}, "An OCO has two orders"),
            ({"orders": [1, 2]}, "must be an object"),
            (
                {"orders": [{**OCO["orders"][0], "quantity": "one"}, {}]},
                "quantity must be a number",
            ),
            ({"orders": [OCO["orders"][0], BUY]}, "this one would fill at once at 40,004"),
            ({"orders": OCO["orders"], "price": 1}, "The body may have orders, but not 'price'"),
        ],
        ids=str,
    )
    def test_one_that_makes_no_sense_is_422_and_places_nothing(
        self, client: FlaskClient, desk: Desk, body: Any, words: str
    ) -> None:
        for path in ("/orders/oco", "/orders/oco/preview"):
            assert words in problem(client.post(path, json=body), 422)["detail"]
        assert desk.snapshot().revision == 1


class TestAKey:
    """``Idempotency-Key``: what was traded is not traded again."""

    @pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=str)
    def test_that_comes_again_gets_the_first_answer_and_changes_nothing(
        self,
        trading: FlaskClient,
        board: LiveBoard,
        desk: Desk,
        method: str,
        path: str,
        body: Any,
    ) -> None:
        first = asked(trading, method, path, body, Idempotency_Key="k", If_Match="3")
        assert first.status_code == 200
        assert first.get_json()["revision"] == 4
        trading.post("/virtual_balance", json={"adjust": 1})
        # whether or not there is a price now
        for live in (board.market.live, frozenset[str]()):
            board.market = replace(board.market, live=live)
            again = asked(trading, method, path, body, Idempotency_Key="k", If_Match="3")
            assert again.status_code == 200
            assert again.headers["Idempotency-Replayed"] == "true"
            for name in ("order", "orders"):
                assert again.get_json().get(name) == first.get_json().get(name)
            assert again.get_json()["message"] == first.get_json()["message"]
        assert desk.snapshot().revision == 5

    def test_of_an_order_is_the_same_however_its_numbers_are_written(
        self, client: FlaskClient, desk: Desk
    ) -> None:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        bodies = (
            b'{"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "leverage": 10}',
            b'{"leverage": 10.0, "side": "buy", "quantity": 0.010, "symbol": "BTC/USDT"}',
            b'{"leverage": 1e1, "side": "buy", "quantity": 1e-2, "symbol": "btcusdt"}',
            b'{"leverage": 10, "side": "buy", "quantity": 0.01, "symbol": "BTC/USDT",'
            b' "type": "market", "reduce_only": false}',
        )
        ids = {
            client.post("/orders", data=body, headers=headers).get_json()["order"]["id"]
            for body in bodies
        }
        assert len(ids) == 1
        assert desk.snapshot().revision == 2

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/orders", {**BUY, "quantity": 0.011}),
            ("POST", "/orders", {**BUY, "side": "sell"}),
            ("POST", "/orders", {**BUY, "leverage": 10}),
            ("POST", "/orders", {**BUY, "symbol": ETH}),
            ("POST", "/orders", {**BUY, "reduce_only": True}),
            ("POST", "/positions/BTC-USDT/close", None),
            ("DELETE", "/orders", None),
            ("POST", "/virtual_balance", {"deposit": 5}),
        ],
        ids=str,
    )
    def test_that_comes_with_another_request_is_422(
        self, trading: FlaskClient, desk: Desk, method: str, path: str, body: Any
    ) -> None:
        asked(trading, "POST", "/orders", BUY, Idempotency_Key="k")
        detail = problem(asked(trading, method, path, body, Idempotency_Key="k"), 422)["detail"]
        assert "'k' was used before" in detail
        assert desk.snapshot().revision == 4

    def test_of_a_refused_order_is_still_free(self, client: FlaskClient, board: LiveBoard) -> None:
        big = {**BUY, "quantity": 1}
        problem(asked(client, "POST", "/orders", {**big, "leverage": 1}, Idempotency_Key="k"), 422)
        market = board.market
        board.market = replace(market, live=frozenset())
        problem(asked(client, "POST", "/orders", big, Idempotency_Key="k"), 503)
        board.market = market
        assert asked(client, "POST", "/orders", big, Idempotency_Key="k").status_code == 200

    def test_whose_first_order_is_under_way_is_409(self, board: LiveBoard) -> None:
        store = SlowStore()
        desk = Desk(store, board)
        client = create_app(desk, Stream(1)).server.test_client
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(asked, client(), "POST", "/orders", BUY, Idempotency_Key="k")
            assert store.entered.wait(patience())
            detail = problem(asked(client(), "POST", "/orders", BUY, Idempotency_Key="k"), 409)
            store.let.set()
            assert first.result().status_code == 200
        assert "'k' is still being worked on" in detail["detail"]
        assert desk.snapshot().revision == 2


class SlowStore(MemoryStore):
    """Commits only after it was let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let = threading.Event(), threading.Event()

    def commit(self, *args: Any, **how: Any) -> Commit:
        self.entered.set()
        self.let.wait()
        return super().commit(*args, **how)


NUMBERS = st.one_of(
    st.integers(-3, 200),
    st.integers(),
    st.floats(),
    st.floats(0, 1, exclude_min=True),
    st.decimals(0, 50_000, places=4).map(float),
    st.sampled_from([0, -0.0, 1e-30, 1e-320, 1e12, 1e13, 1e308, 10**30, 10**400, 0.01, 39_999.99]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=4,
)
SYMBOLS = st.sampled_from([BTC, ETH, "SOL/USDT", "btcusdt", "DOGE/USDT"])
TYPES = st.sampled_from(["market", "limit", "stop_market", "take_profit_market"])
SIZE = st.sampled_from(["quantity", "notional", "percent"])
ORDERS = st.builds(
    lambda fixed, size, amount, more: {**fixed, size: amount, **more},
    st.fixed_dictionaries({"symbol": SYMBOLS, "side": st.sampled_from(["buy", "sell"])}),
    SIZE,
    NUMBERS,
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "price": NUMBERS,
            "trigger_price": NUMBERS,
            "leverage": NUMBERS,
            "take_profit": NUMBERS,
            "stop_loss": NUMBERS,
            "reduce_only": st.booleans(),
        },
    ),
)
MEMBERS = st.sampled_from(
    ["symbol", "side", "type", "price", "leverage", "reduce_only", "quantity", "percent"]
)
BODIES = st.one_of(ORDERS, st.dictionaries(MEMBERS | st.text(max_size=6), VALUES), VALUES)


@pytest.fixture(scope="module")
def fuzzed() -> tuple[Desk, FlaskClient]:
    """An account in memory, and who asks an app on it."""
    desk = Desk(MemoryStore(), a_board())
    return desk, create_app(desk, Stream(1)).server.test_client()


def sent(client: FlaskClient, path: str, body: Any) -> Any:
    return client.post(path, data=json.dumps(body), content_type="application/json")


class TestWhateverIsSent:
    """No body is a mistake of the server, and only a 200 changes the account."""

    @given(BODIES)
    @example({**BUY, "quantity": 1e-320})
    @example({**STOP, "trigger_price": 1e-320})
    @settings(max_examples=250)
    def test_as_an_order(self, fuzzed: tuple[Desk, FlaskClient], body: Any) -> None:
        desk, client = fuzzed
        before = desk.snapshot()
        seen = sent(client, "/orders/preview", body)
        assert desk.snapshot() == before
        answer = sent(client, "/orders", body)
        after = desk.snapshot()
        if answer.status_code == 200:
            assert seen.status_code == 200
            assert exactly(seen)["affordable"]
            told = exactly(answer)
            assert after.revision == told["revision"] == before.revision + 1
            assert told["order"]["status"] in ("filled", "open")
            assert after.balance - before.balance == (
                told["realized_pnl"] - before.realized_pnl - told["fees_paid"] + before.fees_paid
            )
            assert after.available_balance >= 0
        else:
            assert answer.status_code in (400, 404, 422, 503)
            assert len(problem(answer, answer.status_code)["detail"]) < 400
            assert after == before
            if seen.status_code != 200:
                assert exactly(seen)["detail"] == exactly(answer)["detail"]
            else:
                # a preview says so itself where only funds are missing
                assert "required" in exactly(answer)
                assert not exactly(seen)["affordable"]

    @given(
        st.one_of(
            st.fixed_dictionaries({"orders": st.lists(ORDERS, min_size=2, max_size=2)}),
            st.dictionaries(st.just("orders"), VALUES | st.lists(BODIES, max_size=3)),
            VALUES,
        )
    )
    @settings(max_examples=80)
    def test_as_an_oco(self, fuzzed: tuple[Desk, FlaskClient], body: Any) -> None:
        desk, client = fuzzed
        before = desk.snapshot()
        seen = sent(client, "/orders/oco/preview", body)
        assert desk.snapshot() == before
        answer = sent(client, "/orders/oco", body)
        if answer.status_code == 200:
            assert exactly(seen)["affordable"]
            assert desk.snapshot().available_balance >= 0
        else:
            assert answer.status_code in (400, 404, 422, 503)
            assert desk.snapshot() == before
            is_short = seen.status_code == 200
            assert is_short == ("required" in exactly(answer))

    @given(st.one_of(st.dictionaries(SIZE, NUMBERS, max_size=2), VALUES))
    @settings(max_examples=100)
    def test_as_a_close(self, fuzzed: tuple[Desk, FlaskClient], body: Any) -> None:
        desk, client = fuzzed
        sent(client, "/orders", {**BUY, "leverage": 1})
        before = desk.snapshot()
        answer = sent(client, "/positions/BTC-USDT/close", body)
        if answer.status_code != 200:
            assert answer.status_code in (400, 404, 422)
            assert len(problem(answer, answer.status_code)["detail"]) < 400
            assert desk.snapshot() == before

    @given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=8), st.text(max_size=8))
    @settings(max_examples=100)
    def test_as_a_path_or_a_query(
        self,
        fuzzed: tuple[Desk, FlaskClient],
        symbol: str,
        order_id: str,
        timeframe: str,
        limit: str,
    ) -> None:
        _, client = fuzzed
        query = {"timeframe": timeframe, "limit": limit, "before": limit, "symbol": symbol}
        for method, path in (
            ("GET", f"/candles/{quote(symbol)}"),
            ("POST", f"/positions/{quote(symbol)}/close"),
            ("DELETE", f"/orders/{quote(order_id)}"),
            ("DELETE", "/orders"),
            ("GET", "/fills"),
        ):
            answer = client.open(path, method=method, query_string=query)
            assert answer.status_code < 500 or answer.status_code == 503, (path, answer.text)

    @pytest.mark.parametrize(
        "number",
        [
            *("1e-99999", "-1e-99999", "1e-999999999", "0e-999999999", "-0e999999999"),
            *("-1e-99999999999999999999", "0." + "0" * 50_000 + "1", "-1." + "3" * 50_000),
            "1.5" + "0" * 50_000 + "1",
        ],
        ids=lambda number: number[:24],
    )
    @pytest.mark.parametrize(
        "body",
        [
            '{"symbol": "BTC/USDT", "side": "buy", "quantity": %s}',
            '{"symbol": "BTC/USDT", "side": "buy", "notional": %s}',
            '{"symbol": "BTC/USDT", "side": "buy", "percent": %s}',
            '{"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "leverage": %s}',
            '{"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "stop_loss": %s}',
            '{"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01, "type": "limit", "price": %s}',
            '{"quantity": %s}',
            '{"percent": %s}',
        ],
    )
    def test_as_a_number_with_a_monstrous_exponent(
        self, fuzzed: tuple[Desk, FlaskClient], body: str, number: str
    ) -> None:
        _, client = fuzzed
        path = "/orders" if "symbol" in body else "/positions/BTC-USDT/close"
        answer = client.post(path, data=body % number, content_type="application/json")
        assert answer.status_code in (200, 404, 422)
        if answer.status_code != 200:
            assert len(problem(answer, answer.status_code)["detail"]) < 300


class TestTheRealServer:
    """``python app.py``, with the simulated market."""

    def test_trades_at_prices_that_move(self, server: Server) -> None:
        prices = server.get("/prices").json()
        assert (prices["feed"], prices["label"]) == ("simulated", "SIMULATED")
        order = server.post({**BUY, "stop_loss": 1_000}, "/orders").json()["order"]
        assert order["price"] > 1_000
        (held,) = server.get("/positions").json()["positions"]
        assert held["entry_price"] == order["price"]
        assert len(server.get("/candles/BTC-USDT?timeframe=15m&limit=10").json()["candles"]) == 10
        closed = server.post(None, "/positions/BTC%2FUSDT/close")
        assert closed.json()["positions"] == closed.json()["open_orders"] == []
        fills = server.get("/fills").json()["fills"]
        assert [each["side"] for each in fills] == ["sell", "buy"]

    def test_goes_on_with_its_positions_and_keys_after_a_restart(
        self, start_server: Callable[..., Server]
    ) -> None:
        first = start_server()
        headers = {"Idempotency-Key": "before the restart"}
        order = first.post(BUY, "/orders", headers=headers).json()["order"]
        first.stop()
        second = start_server()
        again = second.post(BUY, "/orders", headers=headers)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["order"] == order
        (held,) = second.get("/positions").json()["positions"]
        assert held["quantity"] == order["quantity"]
