"""The orders in the dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from balance.binance.call import Call, Params
from balance.binance.client_orders import ClientOrders
from balance.binance.endpoints import Json, signed
from balance.binance.errors import Refusal, invalid, missing, refusal_of
from balance.binance.order_requests import ORDER_NAMES, Names
from balance.binance.order_rows import order_row
from balance.core.errors import BalanceError
from balance.core.order_record import OrderRecord
from balance.desk.desk import Desk
from balance.keys.keys import Keys

#: What the cancelling of all orders is answered with, also where there was none.
ALL_CANCELLED: Final = {"code": 200, "msg": "The operation of cancel all open order is done."}
#: How many orders may be placed or changed, and cancelled, at once.
MOST_PLACED: Final = 5
MOST_CANCELLED: Final = 10

# Lists of ids, by all names that clients have for them, and what each id is called alone.
_LISTS: Final = {
    "orderIdList": ORDER_NAMES.number,
    "orderidlist": ORDER_NAMES.number,
    "origClientOrderIdList": ORDER_NAMES.client_id,
    "origclientorderidlist": ORDER_NAMES.client_id,
}


class OrderEndpoints:
    """Orders: place, look up, amend and cancel them. A conditional order is placed, looked up and
    cancelled here as well."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
        self._orders = ClientOrders(desk, keys)

    @signed("POST", "/fapi/v1/order")
    def place_order(self, call: Call) -> Json:
        """Place an order; at market, it fills at once."""
        return self._row(self._orders.place(call.caller, call.params, ORDER_NAMES))

    @signed("POST", "/fapi/v1/order/test")
    def check_order(self, call: Call) -> Json:
        """Check an order without placing it."""
        self._orders.check(call.caller, call.params, ORDER_NAMES)
        return {}

    @signed("GET", "/fapi/v1/order")
    def read_order(self, call: Call) -> Json:
        """One order, open or ended."""
        return self._row(self._orders.find(call.params, ORDER_NAMES))

    @signed("GET", "/fapi/v1/openOrder")
    def read_open_order(self, call: Call) -> Json:
        """One open order."""
        return self._row(self._orders.find_open(call.params, ORDER_NAMES))

    @signed("PUT", "/fapi/v1/order")
    def amend_order(self, call: Call) -> Json:
        """Change price and quantity of an open limit order, which keeps its ids."""
        return self._row(self._orders.amend(call.caller, call.params, ORDER_NAMES))

    @signed("DELETE", "/fapi/v1/order")
    def cancel_order(self, call: Call) -> Json:
        """Cancel an open order."""
        return self._row(self._orders.cancel(call.caller, call.params, ORDER_NAMES))

    @signed("GET", "/fapi/v1/openOrders")
    def list_open_orders(self, call: Call) -> Json:
        """The open orders, but for the conditional ones."""
        symbol = call.params.any_symbol(self._desk.market)
        return self._rows(self._orders.all_open(symbol, conditional=False))

    @signed("GET", "/fapi/v1/allOrders")
    def list_orders(self, call: Call) -> Json:
        """The orders of a symbol, open and ended, oldest first; of the conditional ones, those that
        were set off."""
        return self._rows(self._orders.listed(call.params, ORDER_NAMES, conditional=False))

    @signed("DELETE", "/fapi/v1/allOpenOrders")
    def cancel_orders(self, call: Call) -> Json:
        """Cancel all open orders of a symbol, but for the conditional ones."""
        symbol = call.params.symbol(self._desk.market)
        self._orders.cancel_all(call.caller, symbol, conditional=False)
        return ALL_CANCELLED

    @signed("POST", "/fapi/v1/batchOrders")
    def place_orders(self, call: Call) -> Json:
        """Place several orders, each for itself."""
        return self._each(call, _batch(call.params), self._orders.place)

    @signed("PUT", "/fapi/v1/batchOrders")
    def amend_orders(self, call: Call) -> Json:
        """Change several orders, each for itself."""
        return self._each(call, _batch(call.params), self._orders.amend)

    @signed("DELETE", "/fapi/v1/batchOrders")
    def cancel_batch(self, call: Call) -> Json:
        """Cancel several orders of a symbol, each for itself."""
        return self._each(call, _named(call.params), self._orders.cancel)

    def _each(
        self,
        call: Call,
        requests: Iterable[Params],
        act: Callable[[Any, Params, Names], OrderRecord],
    ) -> Json:
        """The answer of ``act`` to each of ``requests``, or its error."""
        rows = []
        for params in requests:
            try:
                rows.append(self._row(act(call.caller, params, ORDER_NAMES)))
            except (Refusal, BalanceError) as fault:
                refusal = refusal_of(fault)
                reason = f"{refusal.code} {refusal.message}"
                self._keys.refuse(call.owner, "/fapi/v1/batchOrders", reason)
                rows.append({"code": refusal.code, "msg": refusal.message})
        return rows

    def _row(self, record: OrderRecord) -> dict[str, Any]:
        return order_row(record, self._desk.market)

    def _rows(self, records: Iterable[OrderRecord]) -> list[dict[str, Any]]:
        market = self._desk.market
        return [order_row(each, market) for each in records]


def _batch(params: Params) -> list[Params]:
    """The orders in the list ``batchOrders``, each with its own parameters."""
    members = _list(params, "batchOrders")
    if not 1 <= len(members) <= MOST_PLACED:
        raise Refusal(-4082, f"Invalid number of batch orders: 1 to {MOST_PLACED} may be sent.")
    if not all(isinstance(each, dict) for each in members):
        raise invalid("batchOrders")
    return [Params({name: _text(value) for name, value in each.items()}) for each in members]


def _named(params: Params) -> list[Params]:
    """Which orders are to be cancelled, each with the parameters that it alone would have."""
    name = next((each for each in _LISTS if params.text(each) is not None), None)
    if name is None:
        raise missing("orderIdList")
    members, symbol = _list(params, name), params.needed("symbol")
    if not 1 <= len(members) <= MOST_CANCELLED:
        raise Refusal(-4082, f"Invalid number of batch orders: 1 to {MOST_CANCELLED} may be sent.")
    return [Params({"symbol": symbol, _LISTS[name]: _text(each)}) for each in members]


def _list(params: Params, name: str) -> list[Any]:
    """The list in JSON that ``name`` is, its numbers as texts."""
    try:
        found = json.loads(params.needed(name), parse_float=str, parse_int=str)
    except (ValueError, RecursionError) as fault:
        raise invalid(name) from fault
    if not isinstance(found, list):
        raise invalid(name)
    return found


def _text(value: object) -> str:
    """A member of a list as the parameter that it would be."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""
