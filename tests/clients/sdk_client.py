"""The exchange's own SDK pointed at the desk. Its models check every type of an answer."""

from __future__ import annotations

from typing import Any

from binance_rows import SYMBOLS, account_rows, fill_rows, order_rows, position_rows
from comparison import Access, Rows


def dumped(data: Any) -> Any:
    """A model as the row that it was made of."""
    if isinstance(data, list):
        return [dumped(each) for each in data]
    if getattr(data, "actual_instance", None) is not None:
        return dumped(data.actual_instance)
    return data.to_dict() if hasattr(data, "to_dict") else data


class Sdk:
    """The belief of the SDK."""

    def __init__(self, access: Access) -> None:
        self.sdk = access.run_snippet("sdk")["client"]
        # Its second is too little on a machine that runs other tests.
        self.sdk.rest_api.configuration.timeout = 60_000

    def call(self, name: str, *args: Any, **members: Any) -> Any:
        """The answer of a method, checked by its model."""
        return dumped(getattr(self.sdk.rest_api, name)(*args, **members).data())

    def account(self) -> Rows:
        """As ``Client.account``."""
        return account_rows(self.call("account_information_v3"))

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return position_rows(self.call("position_information_v3"))

    def orders(self) -> Rows:
        """As ``Client.orders``."""
        return order_rows(
            self.call("current_all_open_orders") + self.call("current_all_algo_open_orders")
        )

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        return fill_rows(
            [t for s in SYMBOLS for t in self.call("account_trade_list", symbol=s, limit=1000)]
        )
