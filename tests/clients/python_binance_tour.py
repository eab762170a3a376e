"""A tour of python-binance's futures methods."""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from typing import Any

from binance.exceptions import BinanceAPIException
from binance_rows import SYMBOLS, account_rows, fill_rows, order_rows, plain, position_rows
from comparison import Access, Desk, Rows, Steps, exact, fire, steady

BTC, ETH, SOL = SYMBOLS


class PythonBinance:
    """The belief of python-binance."""

    def __init__(self, access: Access) -> None:
        self.api = access.run_snippet("python-binance")["client"]

    def account(self) -> Rows:
        """As ``Client.account``."""
        return account_rows(self.api.futures_account())

    def positions(self) -> Rows:
        """As ``Client.positions``."""
        return position_rows(self.api.futures_position_information())

    def orders(self) -> Rows:
        """As ``Client.orders``."""
        return order_rows(
            self.api.futures_get_open_orders() + self.api.futures_get_open_algo_orders()
        )

    def fills(self) -> Rows:
        """As ``Client.fills``."""
        return fill_rows(
            [t for s in SYMBOLS for t in self.api.futures_account_trades(symbol=s, limit=1000)]
        )


class Tour:
    """The steps: look, set up, trade, read back, err."""

    def __init__(self, access: Access) -> None:
        self.desk = Desk(access.url)
        self.client = PythonBinance(access)
        self.api = self.client.api
        self.steps = Steps("python-binance 1.0.37", self.client, self.desk)

    def walk(self) -> int:
        """Take every step; the exit code."""
        return self.steps.walk(
            self.read,
            self.set_up,
            self.trade,
            self.order_conditionally,
            self.read_back,
            self.err,
        )

    def near(self, symbol: str, percent: float) -> str:
        """A price that many percent above the mark price, on the tick."""
        return str(self.desk.near(plain(symbol), percent))

    def read(self) -> None:
        """Every read of the market and the settings."""
        api, equal, step = self.api, self.steps.equal, self.steps.step
        clock = api.futures_time()["serverTime"] / 1000
        equal("futures_time is the wall clock", abs(clock - time.time()) < 5, True)
        information = {s["symbol"]: s for s in api.futures_exchange_info()["symbols"]}
        for symbol in SYMBOLS:
            filters = {f["filterType"]: f for f in information[symbol]["filters"]}
            price = self.desk.price(plain(symbol))
            equal(f"{symbol} tick", filters["PRICE_FILTER"]["tickSize"], price["tick_size"])
            equal(f"{symbol} step", filters["LOT_SIZE"]["stepSize"], price["step_size"])
            tiers = api.futures_leverage_bracket(symbol=symbol)
            tiers = tiers[0] if isinstance(tiers, list) else tiers
            equal(
                f"{symbol} leverage", tiers["brackets"][0]["initialLeverage"], price["max_leverage"]
            )
        for what, read, theirs, ours in (
            ("futures_ticker", lambda: api.futures_ticker(symbol=BTC), "lastPrice", "last"),
            (
                "futures_symbol_ticker",
                lambda: api.futures_symbol_ticker(symbol=BTC),
                "price",
                "last",
            ),
            (
                "futures_orderbook_ticker bid",
                lambda: api.futures_orderbook_ticker(symbol=BTC),
                "bidPrice",
                "bid",
            ),
            (
                "futures_orderbook_ticker ask",
                lambda: api.futures_orderbook_ticker(symbol=BTC),
                "askPrice",
                "ask",
            ),
            ("futures_mark_price", lambda: api.futures_mark_price(symbol=BTC), "markPrice", "mark"),
            (
                "futures_mark_price funding",
                lambda: api.futures_mark_price(symbol=BTC),
                "lastFundingRate",
                "funding_rate",
            ),
        ):
            row, price = steady(read, lambda: self.desk.price(plain(BTC)))
            equal(what, row[theirs], price[ours])
        book, price = steady(
            lambda: api.futures_order_book(symbol=BTC, limit=5), lambda: self.desk.price(plain(BTC))
        )
        equal("futures_order_book bid", book["bids"][0][0], price["bid"])
        path = "/candles/BTC-USDT?timeframe=1m&limit=10"
        rows, candles = steady(
            lambda: api.futures_klines(symbol=BTC, interval="1m", limit=10),
            lambda: self.desk.read(path)["candles"],
        )
        for at, member in enumerate(("open", "high", "low", "close", "volume"), start=1):
            equal(
                f"futures_klines {member}",
                [exact(r[at]) for r in rows],
                [c[member] for c in candles],
            )
        for what, call in {
            "futures_ping": api.futures_ping,
            "futures_recent_trades": lambda: api.futures_recent_trades(symbol=BTC),
            "futures_aggregate_trades": lambda: api.futures_aggregate_trades(symbol=BTC),
            "futures_mark_price_klines": lambda: api.futures_mark_price_klines(
                symbol=BTC, interval="1m", limit=3
            ),
            "futures_index_price_klines": lambda: api.futures_index_price_klines(
                pair=BTC, interval="1m", limit=3
            ),
            "futures_continuous_klines": lambda: api.futures_continuous_klines(
                pair=BTC, contractType="PERPETUAL", interval="1m", limit=3
            ),
            "futures_historical_klines": lambda: api.futures_historical_klines(
                BTC, "1m", "30 minutes ago UTC"
            ),
            "futures_funding_rate": lambda: api.futures_funding_rate(symbol=BTC),
            "futures_v1_get_funding_info": api.futures_v1_get_funding_info,
            "futures_open_interest": lambda: api.futures_open_interest(symbol=BTC),
            "futures_account_config": api.futures_account_config,
            "futures_symbol_config": lambda: api.futures_symbol_config(symbol=BTC),
        }.items():
            with step(what):
                assert call() is not None
        settings = self.desk.read("/settings")
        fees = api.futures_commission_rate(symbol=BTC)
        equal(
            "futures_commission_rate",
            exact(fees["takerCommissionRate"]) * 100,
            settings["taker_fee_percent"],
        )
        equal(
            "futures_get_position_mode", api.futures_get_position_mode()["dualSidePosition"], False
        )
        equal(
            "futures_get_multi_assets_mode",
            api.futures_get_multi_assets_mode()["multiAssetsMargin"],
            False,
        )
        balance = api.futures_account_balance()[0]
        equal("futures_account_balance", balance["balance"], self.desk.snapshot()["balance"])

    def set_up(self) -> None:
        """Leverage, margin mode and position mode."""
        api, equal = self.api, self.steps.equal
        with self.steps.step("futures_change_leverage"):
            assert api.futures_change_leverage(symbol=BTC, leverage=7)["leverage"] == 7
        leverages = {row["symbol"]: row["leverage"] for row in self.desk.snapshot()["leverages"]}
        equal("the leverage of the desk", leverages["BTC/USDT"], Decimal(7))
        with self._refused("futures_change_margin_type ISOLATED", -4046):
            api.futures_change_margin_type(symbol=BTC, marginType="ISOLATED")
        with self._refused("futures_change_margin_type CROSSED", -4047):
            api.futures_change_margin_type(symbol=BTC, marginType="CROSSED")
        with self._refused("futures_change_position_mode", -4059):
            api.futures_change_position_mode(dualSidePosition="false")
        with self._refused("futures_change_position_mode hedge", -4068):
            api.futures_change_position_mode(dualSidePosition="true")

    def _refused(self, what: str, code: int) -> Any:
        return self.steps.refused(what, BinanceAPIException, f"(code={code})")

    def trade(self) -> None:
        """Limit and market orders, amended and cancelled, in batches and alone."""
        api, step = self.api, self.steps.step
        with step("futures_create_test_order"):
            api.futures_create_test_order(symbol=BTC, side="BUY", type="MARKET", quantity=0.01)
        with step("limit buy"):
            order = self._limit(BTC, "BUY", "0.01", -5)
        with step("limit sell with a client id"):
            named = self._limit(BTC, "SELL", "0.01", 5, newClientOrderId="py-1")
            assert named["clientOrderId"] == "py-1"
        with step("futures_modify_order"):
            changed = api.futures_modify_order(
                symbol=BTC,
                orderId=order["orderId"],
                side="BUY",
                quantity="0.02",
                price=self.near(BTC, -4),
            )
            assert changed["orderId"] == order["orderId"]
        with step("futures_get_order"):
            found = api.futures_get_order(symbol=BTC, orderId=order["orderId"])
            assert exact(found["origQty"]) == Decimal("0.02"), found
        with step("futures_get_order by client id"):
            found = api.futures_get_order(symbol=BTC, origClientOrderId="py-1")
            assert found["orderId"] == named["orderId"]
        with step("futures_cancel_order"):
            done = api.futures_cancel_order(symbol=BTC, orderId=order["orderId"])
            assert done["status"] == "CANCELED"
        with step("futures_cancel_order by client id"):
            api.futures_cancel_order(symbol=BTC, origClientOrderId="py-1")
        with step("market buy"):
            done = self._market(BTC, "BUY", "0.02")
            assert done["status"] == "FILLED", done
        with step("market sell, a short"):
            self._market(ETH, "SELL", "0.4")
        with step("IOC that fills nothing"):
            none = self._limit(SOL, "BUY", "2", -5, timeInForce="IOC")
            assert none["status"] == "EXPIRED", none
        with self._refused("FOK that fills nothing", -5021):
            self._limit(SOL, "BUY", "2", -5, timeInForce="FOK")
        with self._refused("GTX that crosses", -5022):
            self._limit(SOL, "BUY", "2", 3, timeInForce="GTX")
        with step("futures_place_batch_order"):
            batch = [
                {
                    "symbol": SOL,
                    "side": "BUY",
                    "type": "LIMIT",
                    "timeInForce": "GTC",
                    "quantity": "2",
                    "price": self.near(SOL, percent),
                }
                for percent in (-5, -6)
            ]
            made = api.futures_place_batch_order(batchOrders=batch)
            assert [o["status"] for o in made] == ["NEW", "NEW"], made
        with step("futures_cancel_orders"):
            done = api.futures_cancel_orders(symbol=SOL, orderidlist=[o["orderId"] for o in made])
            assert [o["status"] for o in done] == ["CANCELED"] * 2, done
        with step("futures_cancel_all_open_orders"):
            self._limit(SOL, "BUY", "2", -5)
            api.futures_cancel_all_open_orders(symbol=SOL)
        with step("futures_change_position_margin"):
            api.futures_change_position_margin(symbol=BTC, amount="20", type=1)
        with step("futures_position_margin_history"):
            api.futures_position_margin_history(symbol=BTC)

    def _limit(self, symbol: str, side: str, quantity: str, percent: float, **more: Any) -> Any:
        members = {"timeInForce": "GTC", "price": self.near(symbol, percent), **more}
        return self.api.futures_create_order(
            symbol=symbol, side=side, type="LIMIT", quantity=quantity, **members
        )

    def _market(self, symbol: str, side: str, quantity: str, **more: Any) -> Any:
        return self.api.futures_create_order(
            symbol=symbol,
            side=side,
            type="MARKET",
            quantity=quantity,
            newOrderRespType="RESULT",
            **more,
        )

    def order_conditionally(self) -> None:
        """Every kind of conditional order."""
        api, step = self.api, self.steps.step
        made = {}
        for kind, members in {
            "STOP_MARKET": {
                "side": "SELL",
                "stopPrice": self.near(BTC, -5),
                "quantity": "0.01",
                "reduceOnly": "true",
            },
            "TAKE_PROFIT_MARKET": {
                "side": "SELL",
                "stopPrice": self.near(BTC, 5),
                "closePosition": "true",
            },
            "STOP": {
                "side": "SELL",
                "stopPrice": self.near(BTC, -6),
                "price": self.near(BTC, -6.1),
                "quantity": "0.01",
                "timeInForce": "GTC",
            },
            "TAKE_PROFIT": {
                "side": "SELL",
                "stopPrice": self.near(BTC, 6),
                "price": self.near(BTC, 6),
                "quantity": "0.01",
                "timeInForce": "GTC",
            },
            "TRAILING_STOP_MARKET": {
                "side": "SELL",
                "callbackRate": "1.5",
                "quantity": "0.01",
                "reduceOnly": "true",
            },
        }.items():
            with step(f"futures_create_order {kind}"):
                made[kind] = api.futures_create_order(symbol=BTC, type=kind, **members)
        with step("futures_get_algo_order"):
            found = api.futures_get_algo_order(algoId=made["STOP"]["algoId"])
            assert found["algoStatus"] == "NEW", found
        with step("futures_cancel_algo_order"):
            api.futures_cancel_algo_order(symbol=BTC, algoId=made["STOP"]["algoId"])
        with step("futures_cancel_order of a conditional order"):
            api.futures_cancel_order(symbol=BTC, clientAlgoId=made["TAKE_PROFIT"]["clientAlgoId"])
        with step("futures_get_all_algo_orders"):
            states = {
                o["algoId"]: o["algoStatus"] for o in api.futures_get_all_algo_orders(symbol=BTC)
            }
            assert states[made["STOP"]["algoId"]] == "CANCELED", states
        with step("a stop fires"):
            fired = self.fire_stop()
        with step("the order that it became"):
            found = api.futures_get_algo_order(algoId=fired)
            assert found["algoStatus"] == "FINISHED", found
            became = api.futures_get_order(symbol=BTC, orderId=found["actualOrderId"])
            assert became["status"] == "FILLED", became
            assert exact(became["avgPrice"]) == exact(found["actualPrice"]), (became, found)
        with step("futures_cancel_all_algo_open_orders"):
            api.futures_cancel_all_algo_open_orders(symbol=BTC)

    def fire_stop(self) -> str:
        """Place a stop next to the market until one has filled; its id."""
        api = self.api

        def place() -> str:
            stop = api.futures_create_order(
                symbol=BTC,
                type="STOP_MARKET",
                side="SELL",
                stopPrice=self.near(BTC, -0.01),
                quantity="0.005",
                reduceOnly="true",
            )
            return str(stop["algoId"])

        return fire(self.desk, place, lambda n: api.futures_cancel_algo_order(symbol=BTC, algoId=n))

    def read_back(self) -> None:
        """Close, then read the records."""
        api, step, equal = self.api, self.steps.step, self.steps.equal
        for position in api.futures_position_information():
            quantity = exact(position["positionAmt"])
            if quantity:
                with step(f"close {position['symbol']}"):
                    side = "SELL" if quantity > 0 else "BUY"
                    self._market(position["symbol"], side, str(abs(quantity)), reduceOnly="true")
        rows = self.desk.read("/history/orders?limit=1000")["rows"]
        found = {
            str(o["orderId"]): o["status"]
            for symbol in SYMBOLS
            for o in api.futures_get_all_orders(symbol=symbol, limit=1000)
        } | {
            str(o["algoId"]): o["algoStatus"].replace("FINISHED", "FILLED")
            for symbol in SYMBOLS
            for o in api.futures_get_all_algo_orders(symbol=symbol, limit=1000)
        }
        true = {row["id"]: row["state"] for row in rows}
        equal("all orders", {n: found.get(n) for n in true}, true)
        trades = [t for s in SYMBOLS for t in api.futures_account_trades(symbol=s, limit=1000)]
        fees = sum(exact(t["commission"]) for t in trades)
        equal("all fees", fees, self.desk.snapshot()["fees_paid"])
        income = api.futures_income_history(limit=1000)
        equal(
            "fees as income",
            -sum(exact(r["income"]) for r in income if r["incomeType"] == "COMMISSION"),
            fees,
        )
        gains = sum(exact(r["income"]) for r in income if r["incomeType"] == "REALIZED_PNL")
        equal("profits as income", gains, self.desk.snapshot()["realized_pnl"])

    def err(self) -> None:
        """Errors by their codes."""
        api = self.api
        with self._refused("more than there is money for", -2019):
            self._market(BTC, "BUY", "50")
        with self._refused("nothing to reduce", -2022):
            self._market(BTC, "SELL", "0.01", reduceOnly="true")
        with self._refused("an order that is not there", -2013):
            api.futures_get_order(symbol=BTC, orderId=123456789)
        with self._refused("cancel an order that is not there", -2011):
            api.futures_cancel_order(symbol=BTC, orderId=123456789)
        with self._refused("an unknown symbol", -1121):
            api.futures_order_book(symbol="NOPEUSDT")
        with self._refused("a quantity off the step", -1111):
            self._market(BTC, "BUY", "0.01005")
        with self._refused("a stop at once", -2021):
            api.futures_create_order(
                symbol=BTC,
                type="STOP_MARKET",
                side="SELL",
                stopPrice=self.near(BTC, 5),
                quantity="0.01",
            )


if __name__ == "__main__":
    sys.exit(Tour(Access.parse(sys.argv[1])).walk())
