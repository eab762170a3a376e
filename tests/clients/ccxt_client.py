"""ccxt pointed at the desk, and what it believes in the desk's terms."""

from __future__ import annotations

from typing import Any, Final

from comparison import Access, Row, Rows, signed

SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")


def configured(access: Access, client: str) -> Any:
    """The exchange of the desk's snippet, with two options for these steps alone."""
    exchange = access.run_snippet(client)["exchange"]
    exchange.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    # Its own limit of requests would only make the steps slower.
    exchange.enableRateLimit = False
    return exchange


def plain(symbol: str) -> str:
    """A symbol as the desk writes it."""
    return symbol.partition(":")[0]


def order_row(order: Any) -> Row:
    """An order of ccxt."""
    return {
        "symbol": plain(order["symbol"]),
        "side": order["side"],
        "price": order["price"] or None,
        # The events of a trailing stop have none; it moves with the market.
        "trigger": order["triggerPrice"] or None,
        "quantity": order["amount"],
        "reduce_only": order["reduceOnly"],
        "client_id": order["clientOrderId"],
    }


def fill_row(trade: Any) -> Row:
    """A trade of ccxt."""
    return {
        "symbol": plain(trade["symbol"]),
        "side": trade["side"],
        "price": trade["price"],
        "quantity": trade["amount"],
        "fee": trade["fee"]["cost"],
        "pnl": trade["info"].get("realizedPnl"),
        "maker": trade["takerOrMaker"] == "maker",
    }


def position_row(position: Any) -> Row:
    """A position of ccxt."""
    return {
        "quantity": signed(position["contracts"], position["side"]),
        "entry": position["entryPrice"],
        "leverage": position["leverage"],
        "liquidation": position["liquidationPrice"],
        "pnl": position["unrealizedPnl"],
    }


class CcxtClient:
    """The belief of a synchronous ccxt."""

    def __init__(self, access: Access) -> None:
        self.exchange = configured(access, "ccxt")

    def account(self) -> Rows:
        """As ``Client.account``."""
        balance = self.exchange.fetch_balance()
        usdt = balance["USDT"]
        return {
            "USDT": {
                "total": usdt["total"],
                "available": usdt["free"],
                "used": usdt["used"],
                "wallet": balance["info"]["totalWalletBalance"],
            }
        }

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return {plain(p["symbol"]): position_row(p) for p in self.exchange.fetch_positions()}

    def orders(self) -> Rows:
        """As ``Client.orders``."""
        exchange = self.exchange
        found = exchange.fetch_open_orders() + exchange.fetch_open_orders(params={"trigger": True})
        return {order["id"]: order_row(order) for order in found}

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        trades = [
            each for symbol in SYMBOLS for each in self.exchange.fetch_my_trades(symbol, limit=1000)
        ]
        return {trade["id"]: fill_row(trade) for trade in trades}
