"""Orders as the dialect writes them: an order of ``/order``, and a conditional one of
``/algoOrder``.

Both are made from the record of an order, so that answers and streams say the same. A conditional
order is one that waits for a trigger. Once it was set off, it is an order of ``/order`` as well.
Times are those of the ledger, by which lists are filtered; with a replay the market's are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from balance.binance.ids import client_id_of, order_number
from balance.binance.names import short
from balance.binance.numbers import amount_text, price_text, quantity_text, unit_text
from balance.core.entry import Entry
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.money import ZERO, exactly
from balance.core.order import Order, OrderType
from balance.core.order_ids import REVISION_STEP
from balance.core.order_record import OrderRecord, changed_records

#: What the types of orders are called in the dialect. All may be placed: clients refuse a type
#: that is not listed before they send it.
TYPE_NAMES: Final[Mapping[OrderType, str]] = MappingProxyType(
    {
        "limit": "LIMIT",
        "market": "MARKET",
        "stop_limit": "STOP",
        "stop_market": "STOP_MARKET",
        "take_profit_limit": "TAKE_PROFIT",
        "take_profit_market": "TAKE_PROFIT_MARKET",
        "trailing_stop": "TRAILING_STOP_MARKET",
    }
)
#: Which price sets conditional orders off, whatever was asked for.
WORKING_TYPE: Final = "MARK_PRICE"
#: The price or quantity that an order does not have.
NO_NUMBER: Final = "0"

_NO_STATE: Final = "NONE"


def open_record(order: Order, time: datetime | None = None) -> OrderRecord:
    """The record of the open ``order`` as far as the account has it, which was placed at the
    ``time`` of the ledger (None: not known; the market's is about the same)."""
    number = order_number(order.id)
    return OrderRecord(
        id=order.id,
        state="NEW",
        placed=(number // REVISION_STEP, 1),
        time=time or order.placed_at,
        epoch=0,
        source="",
        asked=order,
        order=order,
    )


def records_after(before: Iterable[OrderRecord], entries: Iterable[Entry]) -> list[OrderRecord]:
    """The records of all orders that ``entries`` begin, change or end, as they are after them, in
    the order of the first change; ``before`` are those of the orders that were open."""
    records, found = {each.id: each for each in before}, dict[str, OrderRecord]()
    for entry in entries:
        for record in changed_records(records, entry):
            records[record.id] = found[record.id] = record
    return list(found.values())


def order_of(record: OrderRecord) -> Order:
    """The order of ``record`` as it was stated last or, where only its fill is known, as that tells
    it."""
    return record.order or _order_of_fill(record)


def conditional_order(record: OrderRecord) -> Order | None:
    """The conditional order that ``record`` is of, as it was stated last before it was set off;
    None where it never waited for a trigger."""
    stated = order_of(record)
    for each in (stated, record.asked):
        if each is not None and each.kind.waits:
            return each
    return None


def is_set_off(record: OrderRecord) -> bool:
    """Whether the conditional order of ``record`` was set off."""
    return record.fill is not None or not order_of(record).kind.waits


def client_id(record: OrderRecord) -> str:
    """The client id of the order of ``record``, its own or one that is made for it."""
    reason = "order" if record.fill is None else record.fill.reason
    return client_id_of(record.id, order_of(record).client_id, reason)


def algo_status(record: OrderRecord) -> str:
    """The state of the conditional order of ``record``."""
    if not is_set_off(record):
        return record.state
    return "TRIGGERED" if record.state == "NEW" else "FINISHED"


def updated_at(record: OrderRecord) -> int:
    """When the order of ``record`` last changed, in milliseconds. Only of an amendment the market's
    time is known alone."""
    amended_at = order_of(record).amended_at or record.time
    return milliseconds(record.ended_at or max(record.time, amended_at))


@exactly
def order_row(record: OrderRecord, market: Market) -> dict[str, Any]:
    """``record`` as an order of ``/order``, with the decimals of ``market``."""
    order, fill = order_of(record), record.fill
    rules, price = market.instruments.get(order.symbol), ZERO if fill is None else fill.price
    filled = ZERO if fill is None else fill.quantity
    # No order fills in part: one that fills for less was to close more than there was.
    quantity = filled or order.quantity or ZERO
    return {
        "orderId": order_number(record.id),
        "symbol": short(order.symbol),
        "status": record.state,
        "clientOrderId": client_id(record),
        "price": price_or_none(order.price, rules),
        "avgPrice": price_or_none(price or None, rules),
        "origQty": quantity_text(quantity, rules),
        "executedQty": quantity_text(filled, rules),
        "cumQty": quantity_text(filled, rules),
        "cumQuote": amount_text(filled * price),
        "type": TYPE_NAMES[order.type],
        "origType": TYPE_NAMES[order.type],
        "stopPrice": price_or_none(order.trigger_price, rules),
        **_trail(order, rules, "priceRate"),
        **_terms(order),
        "time": milliseconds(record.time),
        "updateTime": updated_at(record),
    }


@exactly
def algo_row(record: OrderRecord, market: Market) -> dict[str, Any]:
    """``record`` as a conditional order of ``/algoOrder``, with the decimals of ``market``."""
    order, fill = conditional_order(record) or order_of(record), record.fill
    rules, is_off = market.instruments.get(order.symbol), is_set_off(record)
    return {
        "algoId": order_number(record.id),
        "clientAlgoId": client_id(record),
        "algoType": "CONDITIONAL",
        "orderType": TYPE_NAMES[order.type],
        "symbol": short(order.symbol),
        "quantity": quantity_text(order.quantity or ZERO, rules),
        "algoStatus": algo_status(record),
        "triggerPrice": price_or_none(order.trigger_price, rules),
        "price": price_or_none(order.price, rules),
        "actualOrderId": str(order_number(record.id)) if is_off else "",
        "actualPrice": price_or_none(None if fill is None else fill.price, rules),
        "icebergQuantity": None,
        **dict.fromkeys(("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"), NO_NUMBER),
        "tpOrderType": "",
        **_trail(order, rules, "callbackRate"),
        **_terms(order),
        "createTime": milliseconds(record.time),
        "updateTime": updated_at(record),
        # Of one that rests since then it is not known.
        "triggerTime": updated_at(record) if fill is not None else 0,
    }


def price_or_none(price: Decimal | None, rules: Instrument | None) -> str:
    """``price`` with the decimals of the tick of ``rules`` (None: its own), or ``"0"`` for none."""
    return NO_NUMBER if price is None else price_text(price, rules)


def _terms(order: Order) -> dict[str, Any]:
    """What both kinds of rows say of ``order`` alike."""
    return {
        "side": order.side.upper(),
        "positionSide": "BOTH",
        "timeInForce": order.time_in_force,
        "reduceOnly": order.reduce_only,
        "closePosition": order.is_attached,
        "workingType": WORKING_TYPE,
        "priceProtect": False,
        "priceMatch": _NO_STATE,
        "selfTradePreventionMode": _NO_STATE,
        "goodTillDate": 0,
    }


def _trail(order: Order, rules: Instrument | None, rate: str) -> dict[str, Any]:
    """How far behind the price a trailing stop is, as the member ``rate``, and from where on."""
    if order.callback_percent is None:
        return {}
    return {
        "activatePrice": price_or_none(order.activation_price, rules),
        rate: unit_text(order.callback_percent),
    }


def _order_of_fill(record: OrderRecord) -> Order:
    fill = record.fill
    if fill is None:
        raise ValueError("the record has neither an order nor a fill")
    return Order(
        id=record.id,
        symbol=fill.symbol,
        feed=fill.feed,
        side=fill.side,
        type=fill.type,
        quantity=fill.quantity,
        leverage=Decimal(1),
        reduce_only=fill.reason != "order",
        callback_percent=fill.callback_percent,
        placed_at=fill.filled_at or record.time,
        owner=fill.owner,
        client_id=fill.client_id,
    )
