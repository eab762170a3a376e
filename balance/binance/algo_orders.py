"""The conditional orders in the dialect, which wait for a trigger."""

from __future__ import annotations

from typing import Any

from balance.binance.call import Call
from balance.binance.client_orders import ClientOrders
from balance.binance.endpoints import Json, signed
from balance.binance.errors import Refusal
from balance.binance.order_requests import ALGO_NAMES
from balance.binance.order_rows import algo_row
from balance.binance.orders import ALL_CANCELLED
from balance.core.order_record import OrderRecord
from balance.desk.desk import Desk
from balance.keys.keys import Keys


class AlgoOrderEndpoints:
    """Conditional orders: place, look up and cancel them."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._orders = ClientOrders(desk, keys)

    @signed("POST", "/fapi/v1/algoOrder")
    def place_order(self, call: Call) -> Json:
        """Place a conditional order."""
        if call.params.needed("algoType").upper() != "CONDITIONAL":
            raise Refusal(-1130, "Data sent for parameter 'algoType' is not valid.")
        if call.params.text("type") in ("LIMIT", "MARKET"):
            raise Refusal(-1116, "Invalid orderType.")
        return self._row(self._orders.place(call.caller, call.params, ALGO_NAMES))

    @signed("GET", "/fapi/v1/algoOrder")
    def read_order(self, call: Call) -> Json:
        """One conditional order, open or ended."""
        return self._row(self._orders.find_conditional(call.params, ALGO_NAMES))

    @signed("DELETE", "/fapi/v1/algoOrder")
    def cancel_order(self, call: Call) -> Json:
        """Cancel a conditional order."""
        row = self._row(self._orders.cancel(call.caller, call.params, ALGO_NAMES))
        ids = {name: row[name] for name in ("algoId", "clientAlgoId")}
        return {**ids, "code": "200", "msg": "success"}

    @signed("GET", "/fapi/v1/openAlgoOrders")
    def list_open_orders(self, call: Call) -> Json:
        """The open conditional orders."""
        symbol, market = call.params.any_symbol(self._desk.market), self._desk.market
        found = self._orders.all_open(symbol, conditional=True)
        return [algo_row(each, market) for each in found]

    @signed("GET", "/fapi/v1/allAlgoOrders")
    def list_orders(self, call: Call) -> Json:
        """The conditional orders of a symbol, open and ended, oldest first."""
        market = self._desk.market
        found = self._orders.listed(call.params, ALGO_NAMES, conditional=True)
        return [algo_row(each, market) for each in found]

    @signed("DELETE", "/fapi/v1/algoOpenOrders")
    def cancel_orders(self, call: Call) -> Json:
        """Cancel all open conditional orders of a symbol."""
        symbol = call.params.symbol(self._desk.market)
        self._orders.cancel_all(call.caller, symbol, conditional=True)
        return ALL_CANCELLED

    def _row(self, record: OrderRecord) -> dict[str, Any]:
        return algo_row(record, self._desk.market)
