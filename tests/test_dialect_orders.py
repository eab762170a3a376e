"""The orders in the dialect: every path, field, type and error of the specification."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance import Desk
from balance.binance.ids import client_id_of, entry_number, order_id_in, order_id_of, order_number
from balance.binance.numbers import milliseconds
from balance.binance.order_rows import (
    TYPE_NAMES,
    algo_row,
    algo_status,
    conditional_order,
    open_record,
    order_row,
    records_after,
)
from balance.core.market import Market
from balance.core.order import ORDER_KINDS
from balance.core.order_record import OrderRecord, order_records
from balance.market.board import LiveBoard
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT
from tests.boards import board, priced
from tests.length import rounds
from tests.markets import BTC, quote

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
    placed = milliseconds(desk.account().orders[0].placed_at)
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
    assert order_row(open_record(desk.account().orders[0]), desk.market) == row
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
    assert record.fill.filled_at is not None
    filled = milliseconds(record.fill.filled_at)
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
    later = MOMENT + timedelta(minutes=5)
    desk.use_board(Still(desk.market.at(quote(BTC, 40_000, time=later))))
    outcome = desk.amend_order(record.id, price=38_000)
    (record,) = records_after([record], outcome.entries)
    row = order_row(record, desk.market)
    assert (row["price"], row["status"]) == ("38000.0", "NEW")
    assert (row["time"], row["updateTime"]) == (milliseconds(MOMENT), milliseconds(later))
