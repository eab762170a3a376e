"""The orders in the dialect: every path, field, type and error of the specification."""

from __future__ import annotations

import copy
import json
import random
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import ccxt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from balance import Desk
from balance.binance.ids import client_id_of, entry_number, order_id_in, order_id_of, order_number
from balance.binance.order_rows import (
    TYPE_NAMES,
    algo_row,
    algo_status,
    conditional_order,
    is_set_off,
    open_record,
    order_row,
    records_after,
)
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.operations import restate
from balance.core.order import ORDER_KINDS
from balance.core.order_record import OrderRecord, order_records
from balance.history.index import Progress
from balance.history.order_history import OrderHistory
from balance.history.question import Question
from balance.history.search import Answer, unfinished
from balance.market.board import LiveBoard
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.boards import board, priced
from tests.dialect import Dialect
from tests.length import rounds
from tests.markets import BTC, quote

GOLDEN = Path(__file__).parent / "golden" / "data"
#: The fields of an order, and their types.
ORDER_FIELDS = {
    "orderId": int,
    "symbol": str,
    "status": str,
    "clientOrderId": str,
    "price": str,
    "avgPrice": str,
    "origQty": str,
    "executedQty": str,
    "cumQty": str,
    "cumQuote": str,
    "timeInForce": str,
    "type": str,
    "reduceOnly": bool,
    "closePosition": bool,
    "side": str,
    "positionSide": str,
    "stopPrice": str,
    "workingType": str,
    "priceProtect": bool,
    "origType": str,
    "priceMatch": str,
    "selfTradePreventionMode": str,
    "goodTillDate": int,
    "time": int,
    "updateTime": int,
}
#: Those of a conditional order.
ALGO_FIELDS = {
    "algoId": int,
    "clientAlgoId": str,
    "algoType": str,
    "orderType": str,
    "symbol": str,
    "side": str,
    "positionSide": str,
    "timeInForce": str,
    "quantity": str,
    "algoStatus": str,
    "triggerPrice": str,
    "price": str,
    "actualOrderId": str,
    "actualPrice": str,
    "icebergQuantity": type(None),
    "tpTriggerPrice": str,
    "tpPrice": str,
    "tpOrderType": str,
    "slTriggerPrice": str,
    "slPrice": str,
    "workingType": str,
    "priceMatch": str,
    "selfTradePreventionMode": str,
    "closePosition": bool,
    "priceProtect": bool,
    "reduceOnly": bool,
    "createTime": int,
    "updateTime": int,
    "triggerTime": int,
    "goodTillDate": int,
}
#: What a trailing stop has beside them.
TRAIL_FIELDS = {"order": ("activatePrice", "priceRate"), "algo": ("activatePrice", "callbackRate")}


def checked(row: Any, fields: dict[str, type], kind: str = "order") -> Any:
    """``row``, which has those fields with values of their types, and no others."""
    trail = TRAIL_FIELDS[kind] if "TRAILING_STOP_MARKET" in row.values() else ()
    wanted = fields | dict.fromkeys(trail, str)
    assert {name: type(value) for name, value in row.items()} == wanted
    return row


# ids


@pytest.mark.parametrize(
    ("order_id", "number"),
    [
        ("7000001", 7_000_001),
        ("9007199254000001", 9_007_199_254_000_001),
        ("2532863230", 2_532_863_230),  # of an older version, by chance of digits alone
        ("00000000a0", 2**52 + 4 * 160),
        ("226232eb70-close", 2**52 + 4 * 0x226232EB70 + 1),
        ("ffffffffff-tp", 2**52 + 4 * 0xFFFFFFFFFF + 2),
        ("97a23f0a85-sl", 2**52 + 4 * 0x97A23F0A85 + 3),
        ("0123456789", 2**52 + 4 * 0x0123456789),
    ],
)
def test_the_id_of_an_order_is_a_number_that_leads_back_to_it(order_id: str, number: int) -> None:
    assert order_number(order_id) == number < 2**53
    assert order_id_of(number) == order_id


@settings(max_examples=rounds(50, 500))
@given(st.text(max_size=30))
def test_whatever_an_order_is_called_has_a_number_that_clients_can_read(name: str) -> None:
    assert 0 <= order_number(name) < 2**53


def test_the_number_of_an_entry_rises_with_the_ledger() -> None:
    places = [(1, 1), (1, 2), (2, 1), (9_000, 3)]
    assert [*map(entry_number, places)] == [1_000_001, 1_000_002, 2_000_001, 9_000_000_003]


@settings(max_examples=rounds(50, 500))
@given(
    order_id=st.one_of(
        st.integers(1, 2**52 - 1).map(str), st.from_regex("[a-f0-9]{9}a-sl", fullmatch=True)
    )
)
def test_a_client_id_is_made_for_an_order_that_has_none(order_id: str) -> None:
    for reason in ("order", "liquidation"):
        made = client_id_of(order_id, "", reason)
        assert made.startswith("autoclose-" if reason == "liquidation" else "web_")
        assert order_id_in(made) == order_id
    assert client_id_of(order_id, "x-1") == "x-1"
    assert order_id_in("x-1") is order_id_in("web_x") is None


# rows


class Still(LiveBoard):
    """A board that stands still at ``market``."""

    def __init__(self, market: Market) -> None:
        super().__init__()
        self.market = market


def trading(**members: Any) -> tuple[Desk, OrderRecord]:
    """A desk with a long position of 0.1 BTC at leverage 10, and the order that ``members`` place
    there."""
    desk = Desk(MemoryStore(), board())
    desk.place_order(symbol=BTC, side="buy", quantity="0.1")
    outcome = desk.place_order(symbol=BTC, **members)
    (record,) = records_after((), outcome.entries)
    return desk, record


def test_every_type_of_order_has_a_name_in_the_dialect() -> None:
    assert set(TYPE_NAMES) == set(ORDER_KINDS)


def test_an_open_limit_order_is_written_with_the_decimals_of_tick_and_step() -> None:
    desk, record = trading(
        side="buy", type="limit", quantity="0.02", price="39000", client_id="x-1"
    )
    row = checked(order_row(record, desk.market), ORDER_FIELDS)
    placed = milliseconds(record.time)
    assert row == {
        "orderId": 3_000_001,
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "x-1",
        "price": "39000.0",
        "avgPrice": "0",
        "origQty": "0.020",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "cumQuote": "0.00000000",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "stopPrice": "0",
        "workingType": "MARK_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": placed,
        "updateTime": placed,
    }
    # The account alone says the same as the ledger.
    assert order_row(open_record(desk.account().orders[0], record.time), desk.market) == row
    assert conditional_order(record) is None


def test_a_filled_order_has_the_figures_of_its_fill() -> None:
    desk, record = trading(side="sell", quantity="0.04", reduce_only=True)
    row = checked(order_row(record, desk.market), ORDER_FIELDS)
    assert record.fill is not None
    assert (row["status"], row["type"], row["reduceOnly"]) == ("FILLED", "MARKET", True)
    assert (row["origQty"], row["executedQty"], row["cumQty"]) == ("0.040", "0.040", "0.040")
    assert (row["price"], Decimal(row["avgPrice"])) == ("0", record.fill.price)
    assert Decimal(row["cumQuote"]) == record.fill.price * record.fill.quantity


def test_an_order_that_fills_for_less_as_the_position_was_smaller_is_filled_whole() -> None:
    desk, _ = trading(
        side="sell", type="stop_market", trigger_price=39_000, quantity="0.1", reduce_only=True
    )
    desk.place_order(symbol=BTC, side="sell", quantity="0.06", reduce_only=True)
    priced(desk._transactions.board, 38_900)
    desk.advance(desk.market, {})
    record = order_records([*desk.store.entries()][::-1])["3000001"]
    row = order_row(record, desk.market)
    assert (row["status"], row["origQty"], row["executedQty"]) == ("FILLED", "0.040", "0.040")


def test_a_conditional_order_is_open_set_off_and_finished() -> None:
    desk, record = trading(
        side="sell",
        type="stop_market",
        trigger_price="39000",
        quantity="0.1",
        reduce_only=True,
        client_id="stop",
    )
    row = checked(algo_row(record, desk.market), ALGO_FIELDS, "algo")
    assert row == {
        **dict.fromkeys(("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"), "0"),
        **dict.fromkeys(("priceMatch", "selfTradePreventionMode"), "NONE"),
        "algoId": 3_000_001,
        "clientAlgoId": "stop",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": "0.100",
        "algoStatus": "NEW",
        "triggerPrice": "39000.0",
        "price": "0",
        "actualOrderId": "",
        "actualPrice": "0",
        "icebergQuantity": None,
        "tpOrderType": "",
        "workingType": "MARK_PRICE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": True,
        "createTime": row["createTime"],
        "updateTime": row["createTime"],
        "triggerTime": 0,
        "goodTillDate": 0,
    }
    assert order_row(record, desk.market)["stopPrice"] == "39000.0"
    priced(desk._transactions.board, 38_900)
    outcome = desk.advance(desk.market, {})
    assert outcome is not None
    (record,) = records_after([record], outcome.entries)
    row = checked(algo_row(record, desk.market), ALGO_FIELDS, "algo")
    assert record.fill is not None
    assert record.ended_at is not None
    filled = milliseconds(record.ended_at)
    assert (row["algoStatus"], row["actualOrderId"]) == ("FINISHED", "3000001")
    assert (row["triggerTime"], row["updateTime"]) == (filled, filled)
    assert Decimal(row["actualPrice"]) == record.fill.price
    assert checked(order_row(record, desk.market), ORDER_FIELDS)["status"] == "FILLED"


def test_a_stop_limit_order_is_set_off_before_it_fills() -> None:
    desk, record = trading(
        side="sell",
        type="stop_limit",
        trigger_price=39_000,
        price=39_500,
        quantity="0.1",
        reduce_only=True,
    )
    assert (algo_row(record, desk.market)["orderType"], algo_status(record)) == ("STOP", "NEW")
    priced(desk._transactions.board, 38_900)
    outcome = desk.advance(desk.market, {})
    assert outcome is not None
    (record,) = records_after([record], outcome.entries)
    row = algo_row(record, desk.market)
    assert (row["algoStatus"], row["actualOrderId"]) == ("TRIGGERED", "3000001")
    assert (row["triggerPrice"], row["price"]) == ("39000.0", "39500.0")
    order = order_row(record, desk.market)
    assert (order["type"], order["status"], order["stopPrice"]) == ("LIMIT", "NEW", "0")
    cancelled = desk.cancel_order(record.id)
    (record,) = records_after([record], cancelled.entries)
    assert algo_status(record) == "FINISHED"
    assert order_row(record, desk.market)["status"] == "CANCELED"


def test_an_exit_for_the_whole_position_has_no_quantity_until_it_fills() -> None:
    desk, record = trading(
        side="sell", type="take_profit_market", trigger_price=41_000, reduce_only=True
    )
    row = algo_row(record, desk.market)
    assert (row["closePosition"], row["reduceOnly"], row["quantity"]) == (True, True, "0.000")
    priced(desk._transactions.board, 41_100)
    outcome = desk.advance(desk.market, {})
    assert outcome is not None
    (record,) = records_after([record], outcome.entries)
    assert order_row(record, desk.market)["origQty"] == "0.100"


def test_a_trailing_stop_has_its_distance_beside_the_other_fields() -> None:
    desk, record = trading(
        side="sell",
        type="trailing_stop",
        callback_percent="1.50",
        activation_price=41_000,
        quantity="0.1",
        reduce_only=True,
    )
    row = checked(algo_row(record, desk.market), ALGO_FIELDS, "algo")
    assert (row["activatePrice"], row["callbackRate"]) == ("41000.0", "1.5")
    assert row["orderType"] == "TRAILING_STOP_MARKET"
    order = checked(order_row(record, desk.market), ORDER_FIELDS)
    assert (order["activatePrice"], order["priceRate"]) == ("41000.0", "1.5")


def test_a_liquidation_is_a_filled_market_order_with_a_client_id_of_its_own() -> None:
    desk, record = trading(side="buy", type="limit", quantity="0.1", price=30_000)
    priced(desk._transactions.board, 36_000)
    outcome = desk.advance(desk.market, {})
    assert outcome is not None
    expired, liquidation = sorted(
        records_after([record], outcome.entries), key=lambda each: each.state
    )
    row = checked(order_row(liquidation, desk.market), ORDER_FIELDS)
    assert (row["clientOrderId"], row["type"]) == (f"autoclose-{liquidation.id}", "MARKET")
    assert (row["status"], row["side"], row["reduceOnly"]) == ("FILLED", "SELL", True)
    assert order_row(expired, desk.market)["status"] == "EXPIRED"


def test_an_order_of_a_symbol_that_is_not_traded_now_has_the_digits_that_it_has() -> None:
    desk, record = trading(side="buy", type="limit", quantity="0.02", price="39000.0")
    row = checked(order_row(record, replace(desk.market, instruments={})), ORDER_FIELDS)
    assert (row["price"], row["origQty"], row["executedQty"]) == ("39000", "0.02", "0")


def test_an_amended_order_says_when_that_was() -> None:
    desk, record = trading(side="buy", type="limit", quantity="0.02", price=39_000)
    later = record.time + timedelta(minutes=5)
    desk.use_board(Still(desk.market.at(quote(BTC, 40_000, time=later))))
    outcome = desk.amend_order(record.id, price=38_000)
    (record,) = records_after([record], outcome.entries)
    row = order_row(record, desk.market)
    assert (row["price"], row["status"]) == ("38000.0", "NEW")
    assert (row["time"], row["updateTime"]) == (milliseconds(record.time), milliseconds(later))


# placing


#: What the exchange says.
MISSING = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
ILLEGAL = "Illegal characters found in parameter '{}'; legal range is '^[.A-Z:/a-z0-9_-]{{1,36}}$'."
NOT_A_NUMBER = (
    "Illegal characters found in parameter 'quantity'; legal range is "
    r"'^([0-9]{1,20})(\.[0-9]{1,20})?$'."
)
NOT_AT_ONCE = (
    "The order can't fill at once at 39,000: the ask is 40,000. Name that price, or another time "
    "in force."
)
AT_ONCE = (
    "The post-only order would fill at once at 41,000: the ask is 40,000. Name a price below that, "
    "or another time in force."
)
NOTHING_TO_REDUCE = "ReduceOnly Order is rejected. [LOT_SIZE: no position to reduce]"
TOO_SMALL = "Order's notional must be no smaller than 5 (unless you choose reduce only). [LOT_SIZE]"
TOO_LARGE = "Exceeded the maximum allowable position at current leverage. [LOT_SIZE]"
TRIGGER_REACHED = "Stop price would trigger immediately."
INSUFFICIENT = "Account has insufficient balance for requested action."
DUPLICATED = "ClientOrderId is duplicated. [LOT_SIZE]"
NO_SUCH_ORDER = "Order does not exist."
NO_OPEN_ORDER = "Unknown order sent."


STOP = {"side": "SELL", "type": "STOP_MARKET", "quantity": "0.1", "reduceOnly": True}
LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": 39_000, "timeInForce": "GTC"}
MARKET = {"side": "BUY", "type": "MARKET", "quantity": "0.1"}
#: A request of each type that rests, for a long of 0.1, and its trigger price.
RESTING: list[tuple[dict[str, Any], object]] = [
    (LIMIT, None),
    (STOP, 39_000),
    (STOP | {"type": "STOP", "price": 38_900, "timeInForce": "GTC"}, 39_000),
    (STOP | {"type": "TAKE_PROFIT", "price": 41_000}, 40_900),
    (STOP | {"type": "TAKE_PROFIT_MARKET"}, 41_000),
    (STOP | {"type": "TRAILING_STOP_MARKET", "callbackRate": "0.5"}, None),
    (STOP | {"type": "TRAILING_STOP_MARKET", "callbackRate": 1, "activatePrice": 41_000}, None),
    (STOP | {"type": "TRAILING_STOP_MARKET", "callbackRate": 1, "activationPrice": 41_000}, None),
    ({"side": "SELL", "type": "STOP_MARKET", "closePosition": True}, 39_000),
    ({"side": "SELL", "type": "TAKE_PROFIT_MARKET", "closePosition": "True"}, 41_000),
]


@pytest.fixture
def client() -> Dialect:
    """A program with the key ``bot`` and a long of 0.1 BTC, at 40,000."""
    found = Dialect()
    placed(found, **MARKET)
    return found


def placed(client: Dialect, **sent: Any) -> Any:
    """The order that ``client`` places, of BTC unless it says otherwise."""
    return checked(
        client.ask("POST", "/fapi/v1/order", **{"symbol": "BTCUSDT", **sent}), ORDER_FIELDS
    )


def conditional(client: Dialect, **sent: Any) -> Any:
    """The conditional order that ``client`` places."""
    sent = {"symbol": "BTCUSDT", "algoType": "CONDITIONAL", **sent}
    return checked(client.ask("POST", "/fapi/v1/algoOrder", **sent), ALGO_FIELDS, "algo")


def refused(client: Dialect, path: str = "order", **sent: Any) -> tuple[int, str]:
    """The code and the message that an order is refused with."""
    algo = {"algoType": "CONDITIONAL"} if path == "algoOrder" else {}
    return client.refuses("POST", f"/fapi/v1/{path}", **{"symbol": "BTCUSDT", **algo, **sent})


def moved(client: Dialect, price: object) -> None:
    """Let Bitcoin come to ``price``, and what that does to the account."""
    priced(client.desk._transactions.board, price)
    client.desk.advance(client.desk.market, {})


def test_an_order_at_market_is_answered_with_its_fill(client: Dialect) -> None:
    row = placed(client, **MARKET, newClientOrderId="x-1", newOrderRespType="ACK")
    position = client.desk.account().positions[0]
    assert (row["status"], row["clientOrderId"], row["executedQty"]) == ("FILLED", "x-1", "0.100")
    assert (position.owner, position.quantity) == ("bot", Decimal("0.2"))
    assert client.desk.order("x-1").source == "bot"


@pytest.mark.parametrize(("sent", "trigger"), RESTING)
def test_each_type_is_placed_with_what_was_asked_for(
    client: Dialect, sent: dict[str, Any], trigger: object
) -> None:
    row = placed(client, **sent, stopPrice=trigger, newClientOrderId="x-1")
    (order,) = client.desk.account().orders
    assert (row["orderId"], row["status"], row["type"]) == (int(order.id), "NEW", sent["type"])
    assert (order.owner, order.client_id) == ("bot", "x-1")
    assert TYPE_NAMES[order.type] == sent["type"]
    assert order.trigger_price == (None if trigger is None else Decimal(str(trigger)))
    assert order.is_attached == ("closePosition" in sent)
    activation = sent.get("activatePrice", sent.get("activationPrice"))
    assert order.activation_price == (None if activation is None else Decimal(activation))
    if sent["type"] != "LIMIT":
        algo = client.ask("GET", "/fapi/v1/algoOrder", algoId=row["orderId"])
        client.ask("DELETE", "/fapi/v1/algoOrder", algoId=row["orderId"])
        other = conditional(client, **sent, triggerPrice=trigger, clientAlgoId="x-1")
        ours = {"algoId": algo["algoId"], "createTime": algo["createTime"]}
        assert other | ours | {"updateTime": algo["updateTime"]} == algo


@pytest.mark.parametrize(
    ("force", "price", "status"),
    [
        ("GTC", 41_000, "FILLED"),
        ("IOC", 41_000, "FILLED"),
        ("FOK", 41_000, "FILLED"),
        ("GTC", 39_000, "NEW"),
        ("IOC", 39_000, "EXPIRED"),
        ("GTX", 39_000, "NEW"),
    ],
)
def test_a_time_in_force_says_what_becomes_of_an_order(
    client: Dialect, force: str, price: int, status: str
) -> None:
    row = placed(client, **LIMIT | {"timeInForce": force, "price": price})
    assert (row["status"], row["timeInForce"]) == (status, force)
    assert row["executedQty"] == ("0.010" if status == "FILLED" else "0.000")
    assert client.ask("GET", "/fapi/v1/order", orderId=row["orderId"]) == row


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (MARKET | {"symbol": "XYZUSDT"}, -1121, "Invalid symbol."),
        (
            MARKET | {"symbol": None},
            -1102,
            MISSING.format("symbol"),
        ),
        (
            MARKET | {"side": None},
            -1102,
            MISSING.format("side"),
        ),
        (MARKET | {"side": "LONG"}, -1117, "Invalid side."),
        (MARKET | {"type": "OCO"}, -1116, "Invalid orderType."),
        (
            MARKET | {"positionSide": "LONG"},
            -4061,
            "Order's position side does not match user's setting.",
        ),
        (
            MARKET | {"quantity": None},
            -1102,
            MISSING.format("quantity"),
        ),
        (MARKET | {"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
        (
            MARKET | {"quantity": "-1"},
            -1100,
            NOT_A_NUMBER,
        ),
        (
            MARKET | {"quantity": "0.0105"},
            -1111,
            "Precision is over the maximum defined for this asset.",
        ),
        (
            MARKET | {"quantity": "100000"},
            -2027,
            TOO_LARGE,
        ),
        (
            MARKET | {"quantity": "5"},
            -2019,
            INSUFFICIENT,
        ),
        (MARKET | {"price": 40_000}, -1106, "A market order has no price."),
        (
            MARKET | {"newClientOrderId": "no blanks"},
            -1100,
            ILLEGAL.format("newClientOrderId"),
        ),
        (
            MARKET | {"newClientOrderId": "x" * 37},
            -1100,
            ILLEGAL.format("newClientOrderId"),
        ),
        (
            MARKET | {"reduceOnly": "yes"},
            -1130,
            "Data sent for parameter 'reduceOnly' is not valid.",
        ),
        (
            MARKET | {"reduceOnly": True},
            -2022,
            NOTHING_TO_REDUCE,
        ),
        (
            MARKET | {"symbol": "ETHUSDT", "side": "SELL", "reduceOnly": True},
            -2022,
            NOTHING_TO_REDUCE,
        ),
        (
            LIMIT | {"price": None},
            -1102,
            MISSING.format("price"),
        ),
        (LIMIT | {"price": "0"}, -4001, "Price less than or equal to zero."),
        (LIMIT | {"price": "39000.05"}, -4014, "Price not increased by tick size."),
        (
            LIMIT | {"price": "2"},
            -4164,
            TOO_SMALL,
        ),
        (
            LIMIT | {"timeInForce": None},
            -1102,
            MISSING.format("timeInForce"),
        ),
        (LIMIT | {"timeInForce": "GTD"}, -1115, "Invalid timeInForce."),
        (
            LIMIT | {"timeInForce": "FOK"},
            -5021,
            NOT_AT_ONCE,
        ),
        (
            LIMIT | {"timeInForce": "GTX", "price": 41_000},
            -5022,
            AT_ONCE,
        ),
        (
            LIMIT | {"closePosition": True},
            -4136,
            "Target strategy invalid for orderType LIMIT,closePosition true",
        ),
        (
            STOP,
            -1102,
            MISSING.format("stopPrice"),
        ),
        (STOP | {"stopPrice": "39000.01"}, -4014, "Price not increased by tick size."),
        (STOP | {"stopPrice": 41_000}, -2021, TRIGGER_REACHED),
        (
            STOP | {"stopPrice": 39_000, "closePosition": True},
            -4137,
            "Quantity must be zero with closePosition equals true",
        ),
        (
            STOP | {"type": "TAKE_PROFIT_MARKET", "stopPrice": 39_000},
            -2021,
            TRIGGER_REACHED,
        ),
        (
            STOP | {"type": "TRAILING_STOP_MARKET"},
            -1102,
            MISSING.format("callbackRate"),
        ),
        (
            STOP | {"side": "BUY", "stopPrice": 41_000},
            -2022,
            NOTHING_TO_REDUCE,
        ),
    ],
)
def test_what_makes_no_sense_is_refused_as_the_exchange_refuses_it(
    client: Dialect, sent: dict[str, Any], code: int, text: str
) -> None:
    assert refused(client, **sent) == (code, text)
    # Orders that are only checked are refused alike.
    assert refused(client, "order/test", **sent) == (code, text)
    refusal = client.services.keys.listed()["keys"][0]["refusals"][0]
    assert (refusal["what"], refusal["reason"]) == ("POST /fapi/v1/order/test", f"{code} {text}")


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (
            STOP,
            -1102,
            MISSING.format("triggerPrice"),
        ),
        (STOP | {"triggerPrice": 41_000}, -2021, TRIGGER_REACHED),
        (MARKET, -1116, "Invalid orderType."),
        (LIMIT, -1116, "Invalid orderType."),
        (STOP | {"algoType": "VP"}, -1130, "Data sent for parameter 'algoType' is not valid."),
        (
            STOP | {"algoType": None},
            -1102,
            MISSING.format("algoType"),
        ),
        (
            STOP | {"triggerPrice": 39_000, "clientAlgoId": "ä"},
            -1100,
            ILLEGAL.format("clientAlgoId"),
        ),
    ],
)
def test_a_conditional_order_is_refused_as_the_exchange_refuses_it(
    client: Dialect, sent: dict[str, Any], code: int, text: str
) -> None:
    assert refused(client, "algoOrder", **sent) == (code, text)


def test_two_hundred_orders_of_a_symbol_may_be_open(client: Dialect) -> None:
    sent = [
        LIMIT | {"symbol": "BTCUSDT", "price": 30_000 + n, "quantity": "0.001"} for n in range(200)
    ]
    for begin in range(0, 200, 5):
        batch = json.dumps(sent[begin : begin + 5])
        assert all(
            "orderId" in each
            for each in client.ask("POST", "/fapi/v1/batchOrders", batchOrders=batch)
        )
    assert refused(client, **LIMIT) == (-2025, "Reach max open order limit.")
    assert placed(client, **MARKET)["status"] == "FILLED"


def test_an_open_order_with_the_same_client_id_keeps_another_from_being_placed(
    client: Dialect,
) -> None:
    placed(client, **LIMIT, newClientOrderId="x-1")
    assert refused(client, **LIMIT, newClientOrderId="x-1") == (-4116, DUPLICATED)
    other = STOP | {"triggerPrice": 39_000, "clientAlgoId": "x-1"}
    assert refused(client, "algoOrder", **other) == (-4116, DUPLICATED)
    client.ask("DELETE", "/fapi/v1/order", origClientOrderId="x-1")
    newer = placed(client, **LIMIT, newClientOrderId="x-1")
    found = client.ask("GET", "/fapi/v1/order", origClientOrderId="x-1")
    assert found == newer


def test_a_client_id_that_is_made_here_is_found_again(client: Dialect) -> None:
    names = {placed(client, **LIMIT)["clientOrderId"] for _ in range(3)}
    assert len(names) == 3
    for name in names:
        found = client.ask("GET", "/fapi/v1/order", origClientOrderId=name)
        assert found["clientOrderId"] == name


def test_a_second_exit_for_the_whole_position_takes_the_place_of_the_first(
    client: Dialect,
) -> None:
    sent = {"side": "SELL", "type": "STOP_MARKET", "closePosition": True}
    first = conditional(client, **sent, triggerPrice=39_000)
    second = conditional(client, **sent, triggerPrice=38_000)
    take_profit = conditional(client, **sent | {"type": "TAKE_PROFIT_MARKET"}, triggerPrice=41_000)
    found = client.ask("GET", "/fapi/v1/algoOrder", algoId=first["algoId"])
    assert found["algoStatus"] == "CANCELED"
    still = client.ask("GET", "/fapi/v1/openAlgoOrders", symbol="BTCUSDT")
    assert [each["algoId"] for each in still] == [second["algoId"], take_profit["algoId"]]


def test_more_than_the_position_is_cut_to_it(client: Dialect) -> None:
    row = placed(client, **MARKET | {"side": "SELL", "quantity": "0.7", "reduceOnly": True})
    assert (row["origQty"], row["executedQty"]) == ("0.100", "0.100")
    assert not client.desk.account().positions


def test_a_whole_position_off_the_step_can_be_closed(client: Dialect) -> None:
    client.desk.close_position(BTC, percent="50.5", owner="bot")
    position = client.desk.account().positions[0]
    client.desk.step(lambda account: off_the_step(account), "file")
    quantity = client.desk.account().positions[0].quantity
    assert quantity % position_step(client) != 0
    sent = MARKET | {"side": "SELL", "quantity": quantity}
    assert refused(client, **sent)[0] == -1111
    assert placed(client, **sent, reduceOnly=True)["status"] == "FILLED"
    assert position.symbol == BTC


def off_the_step(account: Account) -> Change:
    """The account with a position of a size between two steps, as one of older rules has it."""
    held = account.positions[0]
    odd = replace(held, quantity=held.quantity - Decimal("0.0005"))
    return restate(replace(account, positions=(odd,)), "external_edit", account.wallet.balance, "")


def position_step(client: Dialect) -> Decimal:
    return client.desk.market.instruments[BTC].step_size


def test_the_leverage_is_the_one_that_is_set_for_the_symbol(client: Dialect) -> None:
    client.desk.set_leverage("ETH/USDT", 7)
    placed(client, **MARKET | {"symbol": "ETHUSDT"})
    assert client.desk.account().positions[1].leverage == 7


def test_without_a_live_price_a_client_is_to_try_again(client: Dialect) -> None:
    sent = {"symbol": "SOLUSDT", "side": "BUY", "type": "MARKET", "quantity": "1"}
    code, text = client.refuses("POST", "/fapi/v1/order", status=503, **sent)
    assert code == -1001
    assert text.startswith("SOL/USDT has no live price now")


def test_an_order_that_is_only_checked_is_not_placed(client: Dialect) -> None:
    before = client.desk.version
    assert client.ask("POST", "/fapi/v1/order/test", symbol="BTCUSDT", **LIMIT) == {}
    assert client.ask("POST", "/fapi/v1/order/test", symbol="BTCUSDT", **MARKET) == {}
    assert client.desk.version == before


# looking up


def test_an_order_is_found_by_both_ids_open_and_ended(client: Dialect) -> None:
    order = placed(client, **LIMIT, newClientOrderId="x-1")
    algo = conditional(client, **STOP, triggerPrice=39_000, clientAlgoId="x-2")
    for name in ({"orderId": order["orderId"]}, {"origClientOrderId": "x-1"}):
        for path in ("order", "openOrder"):
            assert client.ask("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", **name) == order
        assert client.ask("GET", "/fapi/v1/order", **name) == order
    for name in ({"algoId": algo["algoId"]}, {"clientAlgoId": "x-2"}):
        assert client.ask("GET", "/fapi/v1/algoOrder", **name) == algo
    client.ask("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    moved(client, 38_900)
    for name in ({"orderId": order["orderId"]}, {"origClientOrderId": "x-1"}):
        assert client.ask("GET", "/fapi/v1/order", **name)["status"] == "CANCELED"
        assert client.refuses("GET", "/fapi/v1/openOrder", **name) == (
            -2013,
            NO_SUCH_ORDER,
        )
    for name in ({"algoId": algo["algoId"]}, {"clientAlgoId": "x-2"}):
        found = checked(client.ask("GET", "/fapi/v1/algoOrder", **name), ALGO_FIELDS, "algo")
        assert found["algoStatus"] == "FINISHED"
    fired = client.ask("GET", "/fapi/v1/order", orderId=found["actualOrderId"])
    assert (fired["status"], fired["executedQty"], fired["type"]) == (
        "FILLED",
        "0.100",
        "STOP_MARKET",
    )


def test_polls_for_an_open_order_ask_the_index_once_at_most(tmp_path: Path) -> None:
    client = Dialect(Desk(FileStore(tmp_path), board()))
    placed(client, **MARKET)
    algo = conditional(client, **STOP, triggerPrice=39_000)
    for server, most in ((client, 0), (Dialect(Desk(FileStore(tmp_path), board())), 1)):
        lookups = list[str]()
        find = server.desk.ledger.orders.find

        def counted(name: str, find: Any = find, lookups: list[str] = lookups) -> Any:
            lookups.append(name)
            return find(name)

        server.desk.ledger.orders.find = counted  # type: ignore[method-assign]
        for _ in range(5):
            assert server.ask("GET", "/fapi/v1/algoOrder", algoId=algo["algoId"]) == algo
        assert len(lookups) == most


@pytest.mark.parametrize("path", ["order", "openOrder", "algoOrder"])
def test_an_order_that_there_never_was_does_not_exist(client: Dialect, path: str) -> None:
    placed(client, **LIMIT, newClientOrderId="x-1")
    number, text = (
        ("algoId", "clientAlgoId") if path == "algoOrder" else ("orderId", "origClientOrderId")
    )
    missing = (-2013, NO_SUCH_ORDER)
    for name in (
        {number: 99_000_001},
        {text: "x-9"},
        {text: "3000001"},
        {text: "web_3000001"},
        {text: "autoclose-1"},
    ):
        assert client.refuses("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", **name) == missing
    assert (
        client.refuses("GET", f"/fapi/v1/{path}", symbol="ETHUSDT", **{number: 3_000_001})
        == missing
    )
    code, message = client.refuses("GET", f"/fapi/v1/{path}", symbol="BTCUSDT")
    assert (code, message) == (
        -1102,
        f"Param '{text}' or '{number}' must be sent, but both were empty/null!",
    )


def test_a_plain_order_is_no_conditional_one(client: Dialect) -> None:
    order = placed(client, **LIMIT)
    assert client.refuses("GET", "/fapi/v1/algoOrder", algoId=order["orderId"])[0] == -2013


def test_a_stop_limit_order_that_was_set_off_is_found_as_both(client: Dialect) -> None:
    sent = STOP | {"type": "STOP", "price": 39_500, "timeInForce": "GTC"}
    algo = conditional(client, **sent, triggerPrice=39_000, clientAlgoId="x-2")
    moved(client, 38_900)
    found = client.ask("GET", "/fapi/v1/algoOrder", clientAlgoId="x-2")
    assert (found["algoStatus"], found["actualOrderId"]) == ("TRIGGERED", str(algo["algoId"]))
    assert (found["triggerPrice"], found["price"]) == ("39000.0", "39500.0")
    (order,) = client.ask("GET", "/fapi/v1/openOrders")
    assert (order["orderId"], order["type"], order["price"]) == (algo["algoId"], "LIMIT", "39500.0")
    assert client.ask("GET", "/fapi/v1/openAlgoOrders") == []
    for path in ("allOrders", "allAlgoOrders"):
        ids = [
            each.get("orderId", each.get("algoId"))
            for each in client.ask("GET", f"/fapi/v1/{path}", symbol="BTCUSDT")
        ]
        assert algo["algoId"] in ids


def test_the_open_orders_are_listed_by_kind_and_symbol(client: Dialect) -> None:
    order, eth = (
        placed(client, **LIMIT),
        placed(client, **LIMIT | {"symbol": "ETHUSDT", "price": 1_900}),
    )
    algo = conditional(client, **STOP, triggerPrice=39_000)
    assert client.ask("GET", "/fapi/v1/openOrders") == [order, eth]
    assert client.ask("GET", "/fapi/v1/openOrders", symbol="ETHUSDT") == [eth]
    assert client.ask("GET", "/fapi/v1/openAlgoOrders") == [algo]
    assert client.ask(
        "GET", "/fapi/v1/openAlgoOrders", symbol="BTCUSDT", algoType="CONDITIONAL"
    ) == [algo]
    assert client.ask("GET", "/fapi/v1/openAlgoOrders", symbol="ETHUSDT") == []
    assert client.refuses("GET", "/fapi/v1/openOrders", symbol="XYZ") == (-1121, "Invalid symbol.")


def test_what_others_have_placed_is_seen_and_not_touched(client: Dialect) -> None:
    client.desk.place_order(
        symbol="ETH/USDT", side="buy", type="limit", quantity="0.1", price=1_900
    )
    other = client.other("other")
    (order,) = client.ask("GET", "/fapi/v1/openOrders")
    name = f"web_{order['orderId']}"
    assert order["clientOrderId"] == name
    assert client.ask("GET", "/fapi/v1/order", origClientOrderId=name) == order
    for sent in ({"orderId": order["orderId"]}, {"origClientOrderId": name}):
        code, text = client.refuses("DELETE", "/fapi/v1/order", symbol="ETHUSDT", **sent)
        assert code == -2010
        assert "person" in text
    code, text = client.refuses(
        "DELETE",
        "/fapi/v1/order",
        by=other,
        symbol="BTCUSDT",
        orderId=placed(client, **LIMIT)["orderId"],
    )
    assert (code, "bot" in text) == (-2010, True)
    code, text = refused(client, by=other, **LIMIT)
    assert code == -2010
    assert "traded by bot" in text


# cancelling


def cancelled(client: Dialect, path: str = "order", **sent: Any) -> Any:
    """What the cancelling of an order is answered with."""
    return client.ask("DELETE", f"/fapi/v1/{path}", **sent)


def test_an_order_is_cancelled_by_either_id(client: Dialect) -> None:
    for name in ("orderId", "origClientOrderId"):
        order = placed(client, **LIMIT, newClientOrderId="x-1")
        sent = {name: order[name.replace("origClient", "client")]}
        row = checked(cancelled(client, symbol="BTCUSDT", **sent), ORDER_FIELDS)
        assert row == order | {"status": "CANCELED", "updateTime": row["updateTime"]}
        again = client.refuses("DELETE", "/fapi/v1/order", symbol="BTCUSDT", **sent)
        assert again == (-2011, NO_OPEN_ORDER)


def test_a_conditional_order_is_cancelled_by_either_path(client: Dialect) -> None:
    for name in ("algoId", "clientAlgoId"):
        algo = conditional(client, **STOP, triggerPrice=39_000, clientAlgoId="x-2")
        row = cancelled(client, "algoOrder", **{name: algo[name]})
        done = {"code": "200", "msg": "success"}
        assert row == {"algoId": algo["algoId"], "clientAlgoId": "x-2", **done}
        again = client.refuses("DELETE", "/fapi/v1/algoOrder", **{name: algo[name]})
        assert again == (-2011, NO_OPEN_ORDER)
        found = client.ask("GET", "/fapi/v1/algoOrder", algoId=algo["algoId"])
        assert found["algoStatus"] == "CANCELED"
    order = placed(client, **STOP, stopPrice=39_000)
    assert cancelled(client, symbol="BTCUSDT", orderId=order["orderId"])["status"] == "CANCELED"
    assert not client.desk.account().orders


def test_a_stop_that_ended_with_its_position_can_still_be_cancelled(client: Dialect) -> None:
    algo = conditional(client, **STOP, triggerPrice=39_000, clientAlgoId="stop")
    limit = placed(client, **LIMIT | {"side": "SELL", "price": 41_000, "reduceOnly": True})
    placed(client, **MARKET | {"side": "SELL", "reduceOnly": True})
    assert not client.desk.account().orders
    assert cancelled(client, "algoOrder", clientAlgoId="stop")["msg"] == "success"
    row = cancelled(client, symbol="BTCUSDT", orderId=algo["algoId"])
    assert (row["status"], row["clientOrderId"]) == ("CANCELED", "stop")
    found = client.ask("GET", "/fapi/v1/algoOrder", clientAlgoId="stop")
    assert found["algoStatus"] == "EXPIRED"
    # That is for conditional orders alone, as the exchange ends others itself.
    assert client.refuses("DELETE", "/fapi/v1/order", orderId=limit["orderId"])[0] == -2011


def test_a_stop_that_was_liquidated_or_has_fired_is_not_cancelled_alike(client: Dialect) -> None:
    moved_to_fire = conditional(client, **STOP | {"quantity": "0.05"}, triggerPrice=39_500)
    stop = conditional(client, **STOP, triggerPrice=30_000)
    moved(client, 39_400)
    fired = client.refuses("DELETE", "/fapi/v1/algoOrder", algoId=moved_to_fire["algoId"])
    assert fired == (-2011, NO_OPEN_ORDER)
    moved(client, 35_000)
    assert not client.desk.account().positions
    assert cancelled(client, "algoOrder", algoId=stop["algoId"])["code"] == "200"


def test_a_stop_that_was_to_open_and_a_reset_ended_is_unknown(client: Dialect) -> None:
    opening = {"side": "BUY", "type": "STOP_MARKET", "quantity": "0.1"}
    stop = conditional(client, **opening, triggerPrice=41_000)
    client.desk.reset()
    assert client.refuses("DELETE", "/fapi/v1/algoOrder", algoId=stop["algoId"])[0] == -2011
    found = client.ask("GET", "/fapi/v1/algoOrder", algoId=stop["algoId"])
    assert found["algoStatus"] == "EXPIRED"


def test_all_orders_of_a_kind_are_cancelled_and_none_of_others(client: Dialect) -> None:
    other = client.other("other")
    client.desk.place_order(symbol="ETH/USDT", side="buy", type="limit", quantity="1", price=1_000)
    client.desk.place_order(
        symbol=BTC, side="sell", type="limit", quantity="0.1", price=45_000, reduce_only=True
    )
    for _ in range(2):
        placed(client, **LIMIT)
        conditional(client, **STOP, triggerPrice=39_000)
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    assert cancelled(client, "allOpenOrders", symbol="ETHUSDT") == done
    assert cancelled(client, "allOpenOrders", by=other, symbol="BTCUSDT") == done
    assert len(client.desk.account().orders) == 6
    assert cancelled(client, "allOpenOrders", symbol="BTCUSDT") == done
    assert [each.type for each in client.desk.account().orders if each.owner] == ["stop_market"] * 2
    assert cancelled(client, "algoOpenOrders", symbol="BTCUSDT") == done
    assert [each.owner for each in client.desk.account().orders] == ["", ""]
    for path in ("allOpenOrders", "algoOpenOrders"):
        assert cancelled(client, path, symbol="BTCUSDT") == done
        assert client.refuses("DELETE", f"/fapi/v1/{path}") == (-1102, MISSING.format("symbol"))


# amending


def test_an_amended_order_keeps_its_ids(client: Dialect) -> None:
    order = placed(client, **LIMIT, newClientOrderId="x-1")
    for name, price in (("orderId", "38000"), ("origClientOrderId", "37000")):
        sent = {"side": "BUY", "quantity": "0.02", "price": price}
        sent[name] = order[name.replace("origClient", "client")]
        row = client.ask("PUT", "/fapi/v1/order", symbol="BTCUSDT", **sent)
        changed = {"price": f"{price}.0", "origQty": "0.020", "updateTime": row["updateTime"]}
        assert checked(row, ORDER_FIELDS) == order | changed
        assert client.ask("GET", "/fapi/v1/order", orderId=order["orderId"]) == row


def test_an_amended_order_that_crosses_the_market_fills(client: Dialect) -> None:
    order = placed(client, **LIMIT)
    sent = {"orderId": order["orderId"], "side": "BUY", "quantity": "0.01", "price": 41_000}
    row = client.ask("PUT", "/fapi/v1/order", symbol="BTCUSDT", **sent)
    assert (row["status"], row["executedQty"], row["orderId"]) == (
        "FILLED",
        "0.010",
        order["orderId"],
    )


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        ({"quantity": "0.01", "price": 39_000}, -5027, "No need to modify the order."),
        ({"price": 38_000}, -1102, MISSING.format("quantity")),
        ({"quantity": "0.01"}, -1102, MISSING.format("price")),
        ({"quantity": "0.0105", "price": 39_000}, -1111, None),
        ({"quantity": "0.01", "price": "39000.05"}, -4014, None),
        ({"quantity": "0.01", "price": 38_000, "side": "SELL"}, -1106, None),
        ({"quantity": "0.01", "price": 38_000, "side": None}, -1102, MISSING.format("side")),
        ({"quantity": "5", "price": 38_000}, -2019, INSUFFICIENT),
        ({"quantity": "0.01", "price": 38_000, "orderId": 99}, -2013, NO_SUCH_ORDER),
        ({"quantity": "0.01", "price": 41_000}, -5022, None),
    ],
)
def test_an_amendment_is_refused_as_the_exchange_refuses_it(
    client: Dialect, sent: dict[str, Any], code: int, text: str | None
) -> None:
    placed(client, **LIMIT | {"timeInForce": "GTX"})
    sent = {"symbol": "BTCUSDT", "orderId": 3_000_001, "side": "BUY", **sent}
    found = client.refuses("PUT", "/fapi/v1/order", **sent)
    assert found == (code, text or found[1])


def test_only_a_limit_order_is_amended(client: Dialect) -> None:
    algo = conditional(client, **STOP, triggerPrice=39_000)
    sent = {"orderId": algo["algoId"], "side": "SELL", "quantity": "0.05", "price": 38_000}
    code, text = client.refuses("PUT", "/fapi/v1/order", symbol="BTCUSDT", **sent)
    assert (code, "STOP_MARKET" in text) == (-1106, True)


# several at once


def test_of_several_orders_each_is_placed_for_itself(client: Dialect) -> None:
    sent = [
        {"symbol": "BTCUSDT", **LIMIT, "newClientOrderId": "x-1"},
        {"symbol": "BTCUSDT", **LIMIT, "quantity": "0.0101"},
        {"symbol": "BTCUSDT", **STOP, "stopPrice": "39000"},
        {"symbol": "BTCUSDT", **MARKET, "quantity": 0.01, "side": "SELL", "reduceOnly": "true"},
        {"symbol": "BTCUSDT", **LIMIT, "newClientOrderId": "x-1"},
    ]
    rows = client.ask("POST", "/fapi/v1/batchOrders", batchOrders=json.dumps(sent))
    step = {"code": -1111, "msg": "Precision is over the maximum defined for this asset."}
    assert (rows[1], rows[4]) == (step, {"code": -4116, "msg": DUPLICATED})
    for each in (rows[0], rows[2], rows[3]):
        checked(each, ORDER_FIELDS)
    assert [each.get("status") for each in rows] == ["NEW", None, "NEW", "FILLED", None]
    refusals = client.services.keys.listed()["keys"][0]["refusals"]
    assert [each["reason"] for each in refusals] == [f"-4116 {DUPLICATED}", f"-1111 {step['msg']}"]


def test_several_orders_are_amended_at_once(client: Dialect) -> None:
    order = placed(client, **LIMIT)
    sent = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "38000"}
    batch = json.dumps([{**sent, "orderId": order["orderId"]}, {**sent, "orderId": 99}])
    rows = client.ask("PUT", "/fapi/v1/batchOrders", batchOrders=batch)
    assert (rows[0]["price"], rows[1]) == ("38000.0", {"code": -2013, "msg": NO_SUCH_ORDER})


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("orderIdList", "orderId"),
        ("orderidlist", "orderId"),
        ("origClientOrderIdList", "clientOrderId"),
    ],
)
def test_several_orders_are_cancelled_at_once(client: Dialect, name: str, member: str) -> None:
    orders = [placed(client, **LIMIT, newClientOrderId=f"x-{n}") for n in range(3)]
    ids = [each[member] for each in orders]
    ids[1] = 99 if member == "orderId" else "x-99"
    rows = cancelled(client, "batchOrders", symbol="BTCUSDT", **{name: json.dumps(ids)})
    assert [each.get("status") for each in rows] == ["CANCELED", None, "CANCELED"]
    assert rows[1] == {"code": -2011, "msg": NO_OPEN_ORDER}


@pytest.mark.parametrize("batch", ["[", "{}", "7", "[7]", '["x"]', "[" * 5_000, "[[]]"])
def test_a_list_that_is_none_is_refused(client: Dialect, batch: str) -> None:
    message = "Data sent for parameter 'batchOrders' is not valid."
    assert client.refuses("POST", "/fapi/v1/batchOrders", batchOrders=batch) == (-1130, message)


@pytest.mark.parametrize("count", [0, 6])
def test_a_batch_has_one_to_five_orders(client: Dialect, count: int) -> None:
    batch = json.dumps([{"symbol": "BTCUSDT", **LIMIT}] * count)
    assert client.refuses("POST", "/fapi/v1/batchOrders", batchOrders=batch)[0] == -4082
    assert not client.desk.account().orders


def test_a_batch_that_is_not_sent_is_missed(client: Dialect) -> None:
    missing = (-1102, MISSING.format("batchOrders"))
    assert client.refuses("POST", "/fapi/v1/batchOrders") == missing
    assert client.refuses("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT") == (
        -1102,
        MISSING.format("orderIdList"),
    )


def test_odd_values_in_a_batch_are_refused_one_by_one(client: Dialect) -> None:
    sent = '[{"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": %s}]'
    for number in ("1e400", "NaN", "null", "[1]", '"0.01\\u0000"', "-1", "{}"):
        (row,) = client.ask("POST", "/fapi/v1/batchOrders", batchOrders=sent % number)
        assert row["code"] in (-1100, -1102)


# paused


def paused(client: Dialect) -> Dialect:
    """``client``, whose key is paused."""
    client.services.keys.pause("bot")
    return client


PAUSED = (-2010, "This key is paused.")


def test_a_paused_key_opens_nothing(client: Dialect) -> None:
    order = placed(client, **LIMIT)
    paused(client)
    for sent in (LIMIT, MARKET, MARKET | {"side": "SELL", "quantity": "0.101"}):
        assert refused(client, **sent) == PAUSED
    stop = {name: value for name, value in STOP.items() if name != "reduceOnly"}
    assert refused(client, "algoOrder", **stop, triggerPrice=39_000) == PAUSED
    amended = {"orderId": order["orderId"], "side": "BUY", "quantity": "0.02", "price": 38_000}
    assert client.refuses("PUT", "/fapi/v1/order", symbol="BTCUSDT", **amended) == PAUSED


def test_a_paused_key_reads_cancels_and_closes(client: Dialect) -> None:
    order = placed(client, **LIMIT)
    paused(client)
    assert client.ask("GET", "/fapi/v1/order", orderId=order["orderId"]) == order
    cancelled(client, orderId=order["orderId"])
    stop = conditional(client, **STOP, triggerPrice=39_000)
    cancelled(client, "algoOrder", algoId=stop["algoId"])
    half = MARKET | {"side": "SELL", "quantity": "0.05"}
    assert placed(client, **half, reduceOnly=True)["status"] == "FILLED"
    # Programs close without saying so, too.
    assert placed(client, **half)["reduceOnly"] is True
    assert not client.desk.account().positions


@pytest.mark.parametrize(
    ("change", "error"),
    [("pause", PAUSED), ("revoke", (-2015, "Invalid API-key, IP, or permissions for action."))],
)
def test_a_request_that_waits_while_its_key_is_paused_or_revoked_opens_nothing(
    client: Dialect, monkeypatch: pytest.MonkeyPatch, change: str, error: tuple[int, str]
) -> None:
    client.desk.close_positions(owner="bot")
    keys, commit, is_first = client.services.keys, client.desk.store.commit, [True]

    def commit_later(operation: Any, **conditions: Any) -> Any:
        if is_first and is_first.pop():
            getattr(keys, change)("bot")
        return commit(operation, **conditions)

    monkeypatch.setattr(client.desk.store, "commit", commit_later)
    status = 401 if change == "revoke" else 400
    assert refused(client, status=status, **MARKET) == error
    assert not client.desk.account().positions


# what others do


def test_exits_and_liquidations_of_the_desk_are_seen(client: Dialect) -> None:
    client.desk.close_positions(owner="bot")
    client.desk.place_order(
        symbol=BTC, side="buy", quantity="0.1", leverage=20, take_profit=45_000, stop_loss=39_000
    )
    profit, loss = client.ask("GET", "/fapi/v1/openAlgoOrders")
    assert (profit["orderType"], loss["orderType"]) == ("TAKE_PROFIT_MARKET", "STOP_MARKET")
    for each in (profit, loss):
        assert (each["closePosition"], each["clientAlgoId"]) == (True, f"web_{each['algoId']}")
        assert client.ask("GET", "/fapi/v1/algoOrder", clientAlgoId=each["clientAlgoId"]) == each
    client.desk.cancel_orders()
    moved(client, 37_000)
    newest = client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")[-1]
    name = f"autoclose-{newest['orderId']}"
    assert (newest["type"], newest["status"], newest["clientOrderId"]) == ("MARKET", "FILLED", name)
    assert client.ask("GET", "/fapi/v1/order", origClientOrderId=name) == newest


def test_the_orders_of_an_oco_end_each_other_for_a_client_too(client: Dialect) -> None:
    both = [
        {"symbol": BTC, "side": "sell", "quantity": "0.1", "reduce_only": True, **each}
        for each in (
            {"type": "limit", "price": 41_000},
            {"type": "stop_market", "trigger_price": 39_000},
        )
    ]
    client.desk.place_oco(both, how={"owner": "bot"})
    (limit,) = client.ask("GET", "/fapi/v1/openOrders")
    (stop,) = client.ask("GET", "/fapi/v1/openAlgoOrders")
    assert cancelled(client, orderId=limit["orderId"])["status"] == "CANCELED"
    found = client.ask("GET", "/fapi/v1/algoOrder", algoId=stop["algoId"])
    assert found["algoStatus"] == "CANCELED"


# the past


def every(client: Dialect, path: str, number: str, limit: int) -> list[Any]:
    """All orders that ``path`` lists, page by page of ``limit`` each."""
    found: list[Any] = []
    begin = 0
    while page := client.ask(
        "GET", f"/fapi/v1/{path}", symbol="BTCUSDT", limit=limit, **{number: begin}
    ):
        assert len(page) <= limit
        found += page
        begin = page[-1][number] + 1
    return found


def busy(chance: random.Random, steps: int) -> Dialect:
    """A program after ``steps`` requests, as ``chance`` has it, while the price moves."""
    client = Dialect()
    for _ in range(steps):
        moved(client, 40_000 + 100 * chance.randrange(-5, 6))
        sent = any_order(chance)
        if chance.random() < 0.3:
            batch = json.dumps([any_order(chance) for _ in range(chance.randrange(1, 4))])
            client.signed("POST", "/fapi/v1/batchOrders", batchOrders=batch)
        else:
            client.signed("POST", "/fapi/v1/order", **sent)
        if chance.random() < 0.2:
            client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    return client


def any_order(chance: random.Random) -> dict[str, str]:
    """Some order of BTC, which may be refused."""
    price = 40_000 + 100 * chance.randrange(-9, 10)
    kind = chance.choice(["MARKET", "LIMIT", "LIMIT", *TYPE_NAMES.values()])
    sent = {
        "symbol": "BTCUSDT",
        "side": chance.choice(["BUY", "SELL"]),
        "type": kind,
        "quantity": f"0.0{chance.randrange(1, 30):02}",
        "reduceOnly": chance.choice(["true", "false", "false"]),
        "newClientOrderId": f"x-{chance.randrange(10**9)}",
    }
    if kind in ("LIMIT", "STOP", "TAKE_PROFIT"):
        sent |= {"price": str(price), "timeInForce": chance.choice(["GTC", "GTC", "IOC", "GTX"])}
    if "STOP" in kind or "TAKE" in kind:
        sent["stopPrice"] = str(40_000 + 100 * chance.randrange(-9, 10))
    if kind == "TRAILING_STOP_MARKET":
        sent["callbackRate"] = chance.choice(["0.5", "1", "2"])
        del sent["stopPrice"]
    if kind.endswith("_MARKET") and chance.random() < 0.2:
        del sent["quantity"]
        sent["closePosition"] = "true"
    return sent


@settings(max_examples=rounds(25, 300))
@given(chance=st.randoms(use_true_random=False), limit=st.integers(1, 7))
def test_paging_lists_every_order_once_in_the_order_of_their_ids(
    chance: random.Random, limit: int
) -> None:
    client = busy(chance, 12)
    records = order_records([*client.desk.store.entries()][::-1]).values()
    orders = [each for each in records if conditional_order(each) is None or is_set_off(each)]
    algos = [each for each in records if conditional_order(each) is not None]
    for path, number, wanted in (
        ("allOrders", "orderId", orders),
        ("allAlgoOrders", "algoId", algos),
    ):
        found = every(client, path, number, limit)
        assert [each[number] for each in found] == sorted(int(each.id) for each in wanted)
        newest = client.ask("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", limit=limit)
        assert newest == found[-limit:]
        for row in found:
            alone = path.replace("all", "").replace("Orders", "Order")
            name = {number: row[number]}
            assert client.ask("GET", f"/fapi/v1/{alone[0].lower()}{alone[1:]}", **name) == row


def test_the_orders_of_a_time_are_listed_from_its_beginning(client: Dialect) -> None:
    for _ in range(4):
        placed(client, **LIMIT)
    every_one = client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")
    assert [each["orderId"] for each in every_one] == [n * 1_000_000 + 1 for n in range(2, 7)]

    def listed(**sent: object) -> Any:
        return client.ask("GET", "/fapi/v1/allOrders", **{"symbol": "BTCUSDT", **sent})

    # The times that are written are those that are filtered by.
    for row in every_one:
        time = row["time"]
        assert listed(startTime=time) == [each for each in every_one if each["time"] >= time]
        assert listed(endTime=time) == [each for each in every_one if each["time"] <= time]
        assert listed(startTime=time, endTime=time, limit=1)[0]["time"] == time
    begin, end = every_one[0]["time"], every_one[-1]["time"]
    assert listed(startTime=begin, limit=2) == every_one[:2]
    assert listed(endTime=end, limit=2) == every_one[-2:]
    assert listed(startTime=end + 1) == listed(symbol="ETHUSDT") == []


@pytest.mark.parametrize("path", ["allOrders", "allAlgoOrders"])
def test_a_list_of_the_past_is_of_one_symbol_and_of_at_most_a_thousand(
    client: Dialect, path: str
) -> None:
    assert client.refuses("GET", f"/fapi/v1/{path}") == (-1102, MISSING.format("symbol"))
    for limit in (0, 1_001):
        code, _ = client.refuses("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", limit=limit)
        assert code == -1130


def test_an_account_of_an_older_version_has_orders_with_numbers(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "data")
    client = Dialect(Desk(FileStore(tmp_path / "data"), board()))
    found = client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")
    records = order_records([*client.desk.store.entries()][::-1])
    assert len(found) > 10
    for row in found:
        checked(row, ORDER_FIELDS)
        # What closed a position at a reset had a name that others share, and was no order.
        if order_id_of(row["orderId"]) in records:
            assert client.ask("GET", "/fapi/v1/order", orderId=row["orderId"]) == row
        else:
            assert row["orderId"] == order_number("reset")
    pages = [row for row in found if row["orderId"] != order_number("reset")]
    begin = pages[0]["orderId"]
    for row in pages:
        page = client.ask("GET", "/fapi/v1/allOrders", symbol="BTCUSDT", orderId=begin, limit=3)
        assert row in page
        begin = row["orderId"] + 1


# while the index is filled


class Unready(OrderHistory):
    """The orders of an index that is not whole."""

    def __init__(self) -> None:
        """Needs none."""

    def find(self, name: str) -> OrderRecord | None:
        raise unfinished(Progress(False, 40))

    def page(self, question: Question) -> Answer[OrderRecord]:
        raise unfinished(Progress(False, 40))


def test_while_the_index_is_filled_what_is_open_is_found_and_the_rest_is_to_be_tried_again(
    client: Dialect,
) -> None:
    order, algo = placed(client, **LIMIT), conditional(client, **STOP, triggerPrice=39_000)
    client.desk.ledger.orders = Unready()
    for name, path in ((order, "order"), (order, "openOrder")):
        assert client.ask("GET", f"/fapi/v1/{path}", orderId=name["orderId"]) == order
    assert client.ask("GET", "/fapi/v1/algoOrder", clientAlgoId=algo["clientAlgoId"]) == algo
    for method, path in (("GET", "order"), ("DELETE", "order"), ("GET", "allOrders")):
        code, text = client.refuses(
            method, f"/fapi/v1/{path}", status=503, symbol="BTCUSDT", orderId=2_000_001
        )
        assert (code, "40 % are done" in text) == (-1001, True)
    assert placed(client, **LIMIT)["status"] == "NEW"
    assert cancelled(client, orderId=order["orderId"])["status"] == "CANCELED"


# several at one time


def at_once(*calls: Callable[[], TestResponse]) -> list[Any]:
    """The answers to ``calls``, which begin at the same time."""
    start = threading.Barrier(len(calls))

    def made(call: Callable[[], TestResponse]) -> Any:
        start.wait()
        return call().get_json()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(made, calls)]


def another(client: Dialect) -> Dialect:
    """The same program in another thread: a client of the tests is for one."""
    twin = copy.copy(client)
    twin.client = client.client.application.test_client()
    return twin


def test_of_two_orders_with_one_client_id_exactly_one_is_placed(client: Dialect) -> None:
    sent = {"symbol": "BTCUSDT", **LIMIT}
    for number in range(20):
        name = {"newClientOrderId": f"x-{number}"}
        answers = at_once(
            *(partial(another(client).signed, "POST", "/fapi/v1/order", **sent, **name),) * 2
        )
        assert sorted(each.get("code", 0) for each in answers) == [-4116, 0]
    assert len(client.desk.account().orders) == 20


def test_an_order_that_fills_while_it_is_cancelled_does_one_of_both(client: Dialect) -> None:
    for _ in range(20):
        order = placed(client, **LIMIT)
        cancel = partial(another(client).signed, "DELETE", "/fapi/v1/order")
        sent = {"orderId": order["orderId"], "side": "BUY", "quantity": "0.01", "price": 41_000}
        amend = partial(another(client).signed, "PUT", "/fapi/v1/order", symbol="BTCUSDT", **sent)
        answers = at_once(partial(cancel, orderId=order["orderId"]), amend)
        state = client.ask("GET", "/fapi/v1/order", orderId=order["orderId"])["status"]
        won = answers[0] if state == "CANCELED" else answers[1]
        lost = answers[1] if state == "CANCELED" else answers[0]
        assert (won["status"], lost["code"]) == (state, -2013 if lost is answers[1] else -2011)


def test_an_order_is_found_by_its_client_id_by_the_next_server(tmp_path: Path) -> None:
    client = Dialect(Desk(FileStore(tmp_path), board()))
    order = placed(client, **LIMIT, newClientOrderId="x-1")
    filled = placed(client, **MARKET, newClientOrderId="x-2")
    # Nothing is closed or told: as after a kill, the files are all that is left.
    after = Dialect(Desk(FileStore(tmp_path), board()))
    for each in (order, filled):
        name = each["clientOrderId"]
        assert after.ask("GET", "/fapi/v1/order", origClientOrderId=name) == each
    assert refused(after, **LIMIT, newClientOrderId="x-1") == (-4116, DUPLICATED)


# beside the desk


@settings(max_examples=rounds(50, 500))
@given(chance=st.randoms(use_true_random=False))
def test_requests_leave_the_account_as_the_same_ones_of_the_desk_do(chance: random.Random) -> None:
    client, desk = Dialect(), Desk(MemoryStore(), board())
    for _ in range(10):
        price = 40_000 + 100 * chance.randrange(-6, 7)
        moved(client, price)
        priced(desk._transactions.board, price)
        desk.advance(desk.market, {})
        open_orders = desk.account().orders
        if open_orders and chance.random() < 0.2:
            order = chance.choice(open_orders)
            client.signed("DELETE", "/fapi/v1/order", orderId=order_number(order.id))
            with suppress(BalanceError):
                desk.cancel_order(order.id, owner="bot")
        elif open_orders and chance.random() < 0.2:
            order = chance.choice(open_orders)
            numbers = {"quantity": "0.017", "price": str(39_000 + 100 * chance.randrange(20))}
            sent = {"orderId": order_number(order.id), "side": order.side.upper(), **numbers}
            client.signed("PUT", "/fapi/v1/order", symbol="BTCUSDT", **sent)
            if order.type == "limit":
                with suppress(BalanceError):
                    desk.amend_order(order.id, how={"owner": "bot"}, **numbers)
        else:
            sent = any_order(chance)
            path = "/fapi/v1/order"
            is_algo = sent["type"] not in ("MARKET", "LIMIT") and chance.random() < 0.5
            how: dict[str, str] = {}
            if is_algo:
                path = "/fapi/v1/algoOrder"
                how = {"algoType": "CONDITIONAL", "clientAlgoId": sent["newClientOrderId"]}
            client.signed("POST", path, **sent, **how)
            with suppress(BalanceError):
                desk.place_order(how={"owner": "bot"}, **members_of(sent))
        assert client.desk.account() == desk.account()


def members_of(sent: Mapping[str, str]) -> dict[str, Any]:
    """What the desk calls the parameters ``sent``."""
    closes = "closePosition" in sent
    named = {
        "quantity": sent.get("quantity") if not closes else None,
        "price": sent.get("price"),
        "trigger_price": sent.get("stopPrice"),
        "callback_percent": sent.get("callbackRate"),
        "time_in_force": sent.get("timeInForce"),
    }
    return {
        "symbol": BTC,
        "side": sent["side"].lower(),
        "type": next(each for each, name in TYPE_NAMES.items() if name == sent["type"]),
        "reduce_only": closes or sent["reduceOnly"] == "true",
        "client_id": sent["newClientOrderId"],
        **named,
    }


# as clients read it


@pytest.fixture(scope="module")
def exchange() -> Any:
    """The client of ccxt, which never asks anybody."""
    return ccxt.binanceusdm()


def test_ccxt_reads_what_it_is_told(client: Dialect, exchange: Any) -> None:
    filled = exchange.parse_order(placed(client, **MARKET, newClientOrderId="x-1"))
    assert (filled["status"], filled["filled"], filled["remaining"]) == ("closed", 0.1, 0)
    assert (filled["average"], filled["clientOrderId"]) == (40004.0, "x-1")
    assert filled["symbol"] == "BTC/USDT:USDT" or filled["symbol"] == "BTCUSDT"
    limit = exchange.parse_order(placed(client, **LIMIT | {"timeInForce": "GTX"}))
    assert (limit["status"], limit["price"], limit["postOnly"]) == ("open", 39_000, True)
    expired = exchange.parse_order(placed(client, **LIMIT | {"timeInForce": "IOC"}))
    assert (expired["status"], expired["filled"]) == ("expired", 0)
    algo = conditional(client, **STOP, triggerPrice=39_500)
    stop = exchange.parse_order(algo)
    assert (stop["status"], stop["triggerPrice"], stop["id"]) == (
        "open",
        39_500,
        str(algo["algoId"]),
    )
    assert (stop["reduceOnly"], stop["amount"], stop["type"]) == (True, 0.1, "market")
    moved(client, 39_400)
    finished = client.ask("GET", "/fapi/v1/algoOrder", algoId=algo["algoId"])
    assert exchange.parse_order(finished)["status"] == "closed"
    actual = client.ask("GET", "/fapi/v1/order", orderId=finished["actualOrderId"])
    assert exchange.parse_order(actual)["filled"] == 0.1


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (MARKET | {"quantity": 5}, "InsufficientFunds"),
        (MARKET | {"symbol": "XYZ"}, "BadSymbol"),
        (MARKET | {"side": "BUY", "reduceOnly": True}, "InvalidOrder"),
        (LIMIT | {"price": 2}, "InvalidOrder"),
        (MARKET | {"quantity": 100_000}, "InvalidOrder"),
        (LIMIT | {"timeInForce": "FOK"}, "InvalidOrder"),
        (STOP | {"stopPrice": 41_000}, "OrderImmediatelyFillable"),
    ],
)
def test_ccxt_raises_the_right_error_at_our_address(
    client: Dialect, exchange: Any, sent: dict[str, Any], kind: str
) -> None:
    answer = client.signed("POST", "/fapi/v1/order", **{"symbol": "BTCUSDT", **sent})
    where = "http://127.0.0.1:8050/fapi/v1/order"
    told = (answer.status_code, "", where, "POST", {}, answer.text, answer.get_json(), {}, "")
    with pytest.raises(getattr(ccxt, kind)):
        exchange.handle_errors(*told)
