"""The exchange's own rows and events in the desk's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from comparison import Row, Rows, exact

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
_OPEN: Final = ("NEW", "PARTIALLY_FILLED")


def plain(symbol: str) -> str:
    """A symbol as the desk writes it."""
    return f"{symbol.removesuffix('USDT')}/USDT"


def account_rows(account: Mapping[str, Any]) -> Rows:
    """The answer of ``account``."""
    return {
        "USDT": {
            "total": account["totalMarginBalance"],
            "available": account["availableBalance"],
            "used": account["totalInitialMargin"],
            "wallet": account["totalWalletBalance"],
        }
    }


def position_rows(positions: list[Mapping[str, Any]]) -> Rows:
    """The answer of ``positionRisk``; version 2 has what is not open, too."""
    return {
        plain(each["symbol"]): {
            "quantity": each["positionAmt"],
            "entry": each["entryPrice"],
            "leverage": each.get("leverage"),
            "liquidation": each["liquidationPrice"],
            "pnl": each["unRealizedProfit"],
        }
        for each in positions
        if exact(each["positionAmt"])
    }


def order_rows(orders: list[Mapping[str, Any]]) -> Rows:
    """The answers of ``openOrders`` and ``openAlgoOrders``."""
    return {
        str(each["orderId"] if "orderId" in each else each["algoId"]): {
            "symbol": plain(each["symbol"]),
            "side": each["side"].lower(),
            "price": _price(each["price"]),
            "trigger": _price(each["stopPrice"] if "orderId" in each else each["triggerPrice"]),
            "quantity": each["origQty"] if "orderId" in each else each["quantity"],
            "reduce_only": each["reduceOnly"] or each["closePosition"],
            "client_id": each["clientOrderId"] if "orderId" in each else each["clientAlgoId"],
        }
        for each in orders
    }


def fill_rows(trades: list[Mapping[str, Any]]) -> Rows:
    """The answer of ``userTrades``."""
    return {
        str(each["id"]): {
            "symbol": plain(each["symbol"]),
            "side": each["side"].lower(),
            "price": each["price"],
            "quantity": each["qty"],
            "fee": each["commission"],
            "pnl": each["realizedPnl"],
            "maker": each["maker"],
        }
        for each in trades
    }


def _price(text: Any) -> Any:
    """A price; zero stands for none."""
    return text if text is not None and exact(text) else None


def best(levels: list[list[str]]) -> str:
    """The price of the one level that a change of the book leaves; what has gone has no size."""
    return next(price for price, size in levels if exact(size))


class EventBook:
    """What a client knows that reads nothing but the events of its user stream.

    It begins with what there was; an account event has the wallet, but no margins."""

    def __init__(self, account: Rows, positions: Rows, orders: Rows, fills: Rows) -> None:
        self._wallet = account["USDT"]["wallet"]
        self._positions = {
            symbol: {"quantity": row["quantity"], "entry": row["entry"]}
            for symbol, row in positions.items()
        }
        self._orders = dict(orders)
        self._fills = dict(fills)
        #: Every event's name, in their order.
        self.names: list[str] = []

    def take(self, event: Mapping[str, Any]) -> None:
        """Apply one event."""
        self.names.append(event["e"])
        apply = {
            "ORDER_TRADE_UPDATE": self._take_order,
            "ALGO_UPDATE": self._take_algo,
            "ACCOUNT_UPDATE": self._take_account,
        }.get(event["e"])
        if apply:
            apply(event["a"] if event["e"] == "ACCOUNT_UPDATE" else event["o"])

    def _take_order(self, order: Mapping[str, Any]) -> None:
        number = str(order["i"])
        if order["x"] == "TRADE":
            self._fills[str(order["t"])] = {
                "symbol": plain(order["s"]),
                "side": order["S"].lower(),
                "price": order["L"],
                "quantity": order["l"],
                "fee": order["n"],
                "pnl": order["rp"],
                "maker": order["m"],
            }
        if order["X"] in _OPEN:
            self._orders[number] = {
                "symbol": plain(order["s"]),
                "side": order["S"].lower(),
                "price": _price(order["p"]),
                "trigger": _price(order["sp"]),
                "quantity": order["q"],
                "reduce_only": order["R"] or order["cp"],
                "client_id": order["c"],
            }
        else:
            self._orders.pop(number, None)

    def _take_algo(self, order: Mapping[str, Any]) -> None:
        number = str(order["aid"])
        if order["X"] in _OPEN:
            self._orders[number] = {
                "symbol": plain(order["s"]),
                "side": order["S"].lower(),
                "price": _price(order["p"]),
                "trigger": _price(order["tp"]),
                "quantity": order["q"],
                "reduce_only": order["R"] or order["cp"],
                "client_id": order["caid"],
            }
        else:
            self._orders.pop(number, None)

    def _take_account(self, account: Mapping[str, Any]) -> None:
        for balance in account.get("B") or ():
            self._wallet = balance["wb"]
        for position in account.get("P") or ():
            symbol = plain(position["s"])
            if exact(position["pa"]):
                self._positions[symbol] = {"quantity": position["pa"], "entry": position["ep"]}
            else:
                self._positions.pop(symbol, None)

    def account(self) -> Rows:
        """As ``Client.account``."""
        row: Row = {"wallet": self._wallet}
        return {"USDT": row}

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return dict(self._positions)

    def orders(self) -> Rows:
        """As ``Client.orders``."""
        return dict(self._orders)

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        return dict(self._fills)
