"""The exchange's older connector, which sends conditional orders as it did before algo orders."""

from __future__ import annotations

import json
import sys
from typing import Any

from binance.error import ClientError
from binance_rows import SYMBOLS, EventBook, account_rows, fill_rows, order_rows, position_rows
from comparison import Access, Desk, Rows, Steps, fire, settle

BTC, ETH, SOL = SYMBOLS


class Connector:
    """The belief of the connector, which knows no algo orders."""

    def __init__(self, access: Access) -> None:
        snippet = access.run_snippet("connector")
        self.api, self.events = snippet["client"], snippet["streams"]

    def account(self) -> Rows:
        """As ``Client.account``."""
        return account_rows(self.api.account())

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return position_rows(self.api.get_position_risk())

    def orders(self) -> Rows:
        """As ``Client.orders``; it has no method of its own for the conditional ones."""
        conditional = self.api.sign_request("GET", "/fapi/v1/openAlgoOrders")
        return order_rows(self.api.get_orders() + conditional)

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        return fill_rows(
            [t for s in SYMBOLS for t in self.api.get_account_trades(symbol=s, limit=1000)]
        )


class Tour:
    """The steps, each followed by REST and by the events of the user stream."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.desk = Desk(access.url)
        self.client = Connector(access)
        self.api = self.client.api
        self.steps = Steps("legacy connector 4.2.0", self.client, self.desk)
        reader = self.client
        self.book = EventBook(reader.account(), reader.positions(), reader.orders(), reader.fills())

    def near(self, percent: float) -> str:
        """A price of Bitcoin that many percent above the mark price, on the tick."""
        return str(self.desk.near("BTC/USDT", percent))

    def walk(self) -> int:
        """Take every step; the exit code."""
        events = self.client.events
        events.socket_manager.on_message = lambda _, text: self._hear(json.loads(text))
        try:
            events.user_data(listen_key=self.api.new_listen_key()["listenKey"], id=1)
            self.trade()
        finally:
            events.stop()
        return self.steps.end()

    def _hear(self, message: Any) -> None:
        if "e" in message:
            self.book.take(message)

    def trade(self) -> None:
        """Limit, market and conditional orders, all by ``order``."""
        api, steps = self.api, self.steps
        with steps.step("change_leverage"):
            api.change_leverage(symbol=BTC, leverage=5)
        with steps.step("new_order LIMIT"):
            order = api.new_order(
                BTC, "BUY", "LIMIT", quantity="0.01", price=self.near(-5), timeInForce="GTC"
            )
        with steps.step("cancel_order"):
            api.cancel_order(symbol=BTC, orderId=order["orderId"])
        with steps.step("new_order MARKET"):
            api.new_order(BTC, "BUY", "MARKET", quantity="0.02")
        for kind, members in {
            "STOP_MARKET": {"stopPrice": self.near(-5), "quantity": "0.01", "reduceOnly": "true"},
            "TAKE_PROFIT_MARKET": {"stopPrice": self.near(5), "closePosition": "true"},
            "STOP": {"stopPrice": self.near(-6), "price": self.near(-6.1), "quantity": "0.01"},
            "TRAILING_STOP_MARKET": {"callbackRate": "1.5", "quantity": "0.01"},
        }.items():
            with steps.step(f"new_order {kind}"):
                order = api.new_order(BTC, "SELL", kind, **members)
            with steps.step(f"query_order {kind}"):
                found = api.query_order(symbol=BTC, orderId=order["orderId"])
                assert found["status"] == "NEW", found
                assert found["type"] == kind, found
        with steps.step("cancel_order of a conditional order"):
            api.cancel_order(symbol=BTC, orderId=order["orderId"])
        with steps.step("a stop fires"):
            stop = fire(self.desk, self._place_stop, self._cancel)
            found = api.query_order(symbol=BTC, orderId=int(stop))
            assert found["status"] == "FILLED", found
        with steps.step("cancel_open_orders leaves conditional orders"):
            api.cancel_open_orders(symbol=BTC)
        with steps.refused("nothing to reduce", ClientError):
            api.new_order(ETH, "BUY", "MARKET", quantity="0.1", reduceOnly="true")
        with steps.step("close"):
            api.new_order(BTC, "SELL", "MARKET", quantity="0.015", reduceOnly="true")
        steps.equal("the book of events", settle(self.book, self.desk), [])

    def _place_stop(self) -> str:
        near = self.near(-0.01)
        return str(
            self.api.new_order(BTC, "SELL", "STOP_MARKET", stopPrice=near, quantity="0.005")[
                "orderId"
            ]
        )

    def _cancel(self, number: str) -> None:
        self.api.cancel_order(symbol=BTC, orderId=int(number))


if __name__ == "__main__":
    sys.exit(Tour(Access.parse(sys.argv[1])).walk())
