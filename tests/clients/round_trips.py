"""Round trips of one client on one symbol, beside others that trade the same balance."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any, Final

from comparison import Access, exact

# How often a position is opened, added to, reduced and closed.
_TRIPS: Final = 25
_QUANTITIES: Final = {"BTC": "0.01", "ETH": "0.2", "SOL": "4"}


def trade_by_ccxt(access: Access, base: str) -> list[dict[str, Any]]:
    """The trades of round trips of ccxt."""
    from ccxt_client import CcxtClient

    exchange = CcxtClient(access).exchange
    exchange.load_markets()
    symbol, quantity = f"{base}/USDT:USDT", float(_QUANTITIES[base])
    exchange.set_leverage(5, symbol)
    for trip in range(_TRIPS):
        side, back = ("buy", "sell") if trip % 2 else ("sell", "buy")
        exchange.create_order(symbol, "market", side, quantity)
        exchange.create_order(symbol, "market", side, quantity)
        exchange.create_order(symbol, "market", back, quantity, None, {"reduceOnly": True})
        exchange.create_order(symbol, "market", back, quantity, None, {"reduceOnly": True})
    return [t["info"] for t in exchange.fetch_my_trades(symbol, limit=1000)]


def trade_by_python_binance(access: Access, base: str) -> list[dict[str, Any]]:
    """The trades of round trips of python-binance."""
    from python_binance_tour import PythonBinance

    api = PythonBinance(access).api
    symbol, quantity = f"{base}USDT", _QUANTITIES[base]
    api.futures_change_leverage(symbol=symbol, leverage=7)
    for trip in range(_TRIPS):
        side, back = ("BUY", "SELL") if trip % 2 else ("SELL", "BUY")
        order = {"symbol": symbol, "type": "MARKET", "quantity": quantity}
        api.futures_create_order(side=side, **order)
        api.futures_create_order(side=side, **order)
        api.futures_create_order(side=back, reduceOnly="true", **order)
        api.futures_create_order(side=back, reduceOnly="true", **order)
    trades: list[dict[str, Any]] = api.futures_account_trades(symbol=symbol, limit=1000)
    return trades


def sums(trades: list[dict[str, Any]]) -> dict[str, str]:
    """Their number, fees and profit."""
    return {
        "fills": str(len(trades)),
        "fees": str(sum((exact(t["commission"]) for t in trades), Decimal(0))),
        "pnl": str(sum((exact(t["realizedPnl"]) for t in trades), Decimal(0))),
    }


if __name__ == "__main__":
    trade = {"ccxt": trade_by_ccxt, "python-binance": trade_by_python_binance}[sys.argv[2]]
    print(json.dumps(sums(trade(Access.parse(sys.argv[1]), sys.argv[3]))))
