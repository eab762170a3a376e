"""A tour of the SDK's methods, whose models check every type."""

from __future__ import annotations

import sys
from typing import Any

from binance_common.errors import BadRequestError, UnauthorizedError
from binance_rows import SYMBOLS, plain
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import enums
from comparison import Access, Desk, Steps, exact, fire, steady
from sdk_client import Sdk

BTC, ETH, SOL = SYMBOLS


class Tour:
    """The steps: look, set up, trade, read back, err."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.desk = Desk(access.url)
        self.client = Sdk(access)
        self.call = self.client.call
        self.steps = Steps("sdk 18.1.0", self.client, self.desk)

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

    def near(self, symbol: str, percent: float) -> float:
        """A price that many percent above the mark price, on the tick."""
        return float(self.desk.near(plain(symbol), percent))

    def read(self) -> None:
        """Every read of the market and the settings."""
        call, step, equal = self.call, self.steps.step, self.steps.equal
        one = enums.KlineCandlestickDataIntervalEnum.INTERVAL_1m
        for what, args in {
            "test_connectivity": (),
            "check_server_time": (),
            "exchange_information": (),
            "order_book": (BTC,),
            "recent_trades_list": (BTC,),
            "compressed_aggregate_trades_list": (BTC,),
            "kline_candlestick_data": (BTC, one),
            "mark_price_kline_candlestick_data": (
                BTC,
                enums.MarkPriceKlineCandlestickDataIntervalEnum.INTERVAL_1m,
            ),
            "index_price_kline_candlestick_data": (
                BTC,
                enums.IndexPriceKlineCandlestickDataIntervalEnum.INTERVAL_1m,
            ),
            "continuous_contract_kline_candlestick_data": (
                BTC,
                enums.ContinuousContractKlineCandlestickDataContractTypeEnum.PERPETUAL,
                enums.ContinuousContractKlineCandlestickDataIntervalEnum.INTERVAL_1m,
            ),
            "mark_price": (),
            "mark_price of one": (BTC,),
            "get_funding_rate_history": (),
            "get_funding_rate_info": (),
            "ticker24hr_price_change_statistics": (),
            "ticker24hr_price_change_statistics of one": (BTC,),
            "symbol_price_ticker": (),
            "symbol_price_ticker of one": (BTC,),
            "symbol_price_ticker_v2": (),
            "symbol_price_ticker_v2 of one": (BTC,),
            "symbol_order_book_ticker": (),
            "symbol_order_book_ticker of one": (BTC,),
            "open_interest": (BTC,),
            "account_information_v2": (),
            "account_information_v3": (),
            "futures_account_balance_v2": (),
            "futures_account_balance_v3": (),
            "futures_account_configuration": (),
            "symbol_configuration": (),
            "notional_and_leverage_brackets": (),
            "notional_and_leverage_brackets of one": (BTC,),
            "get_current_multi_assets_mode": (),
            "get_current_position_mode": (),
            "get_income_history": (),
            "user_commission_rate": (BTC,),
            "position_information_v2": (),
            "position_information_v3": (),
            "users_force_orders": (),
        }.items():
            with step(what):
                call(what.partition(" ")[0], *args)
        settings = self.desk.read("/settings")
        fee = call("user_commission_rate", BTC)["takerCommissionRate"]
        equal("the fee", exact(fee) * 100, settings["taker_fee_percent"])
        for what, args, theirs, ours in (
            ("symbol_price_ticker_v2", (BTC,), "price", "last"),
            ("symbol_order_book_ticker", (BTC,), "askPrice", "ask"),
            ("mark_price", (BTC,), "markPrice", "mark"),
        ):
            row, price = steady(
                lambda what=what, args=args: self.call(what, *args),
                lambda: self.desk.price(plain(BTC)),
            )
            equal(f"{what} of the moment", row[theirs], price[ours])

    def set_up(self) -> None:
        """Leverage, margin mode and position mode."""
        call, step = self.call, self.steps.step
        with step("change_initial_leverage"):
            assert call("change_initial_leverage", BTC, 6)["leverage"] == 6
        with self._refused("change_margin_type", "No need to change margin type."):
            call("change_margin_type", BTC, enums.ChangeMarginTypeMarginTypeEnum.ISOLATED)
        with self._refused("change_position_mode", "No need to change position side."):
            call("change_position_mode", "false")

    def _refused(self, what: str, text: str) -> Any:
        return self.steps.refused(what, BadRequestError, text)

    def trade(self) -> None:
        """Limit and market orders, amended and cancelled, in batches and alone."""
        call, step = self.call, self.steps.step
        with step("new_order LIMIT"):
            order = self._limit(BTC, "BUY", 0.01, -5)
        with step("query_order"):
            found = call("query_order", BTC, order["orderId"])
            assert found["status"] == "NEW", found
        with step("query_current_open_order"):
            assert call("query_current_open_order", BTC, order["orderId"])["status"] == "NEW"
        with step("modify_order"):
            side = enums.ModifyOrderSideEnum.BUY
            call("modify_order", BTC, side, 0.02, self.near(BTC, -4), order_id=order["orderId"])
        with step("cancel_order"):
            assert call("cancel_order", BTC, order["orderId"])["status"] == "CANCELED"
        with step("new_order MARKET"):
            assert self._market(BTC, "BUY", 0.02)["status"] == "FILLED"
        with step("new_order MARKET, a short"):
            self._market(ETH, "SELL", 0.3)
        with step("place_multiple_orders"):
            batch = [
                {
                    "symbol": SOL,
                    "side": "BUY",
                    "type": "LIMIT",
                    "timeInForce": "GTC",
                    "quantity": 2.0,
                    "price": self.near(SOL, p),
                }
                for p in (-5, -6)
            ]
            made = call("place_multiple_orders", batch)
            assert [o["status"] for o in made] == ["NEW", "NEW"], made
        with step("cancel_multiple_orders"):
            done = call("cancel_multiple_orders", SOL, [o["orderId"] for o in made])
            assert [o["status"] for o in done] == ["CANCELED"] * 2, done
        with step("cancel_all_open_orders"):
            self._limit(SOL, "BUY", 2.0, -5)
            call("cancel_all_open_orders", SOL)
        with step("modify_isolated_position_margin"):
            call("modify_isolated_position_margin", BTC, 20.0, 1)

    def _limit(self, symbol: str, side: str, quantity: float, percent: float) -> Any:
        return self.call(
            "new_order",
            symbol,
            enums.NewOrderSideEnum(side),
            enums.NewOrderTypeEnum.LIMIT,
            time_in_force=enums.NewOrderTimeInForceEnum.GTC,
            quantity=quantity,
            price=self.near(symbol, percent),
        )

    def _market(self, symbol: str, side: str, quantity: float, **more: Any) -> Any:
        return self.call(
            "new_order",
            symbol,
            enums.NewOrderSideEnum(side),
            enums.NewOrderTypeEnum.MARKET,
            quantity=quantity,
            new_order_resp_type=enums.NewOrderNewOrderRespTypeEnum.RESULT,
            **more,
        )

    def order_conditionally(self) -> None:
        """Every kind of conditional order."""
        call, step = self.call, self.steps.step
        made = {}
        yes = enums.NewAlgoOrderReduceOnlyEnum.TRUE
        for kind, members in {
            "STOP_MARKET": {
                "trigger_price": self.near(BTC, -5),
                "quantity": 0.01,
                "reduce_only": yes,
            },
            "TAKE_PROFIT_MARKET": {
                "trigger_price": self.near(BTC, 5),
                "close_position": enums.NewAlgoOrderClosePositionEnum.TRUE,
            },
            "STOP": {
                "trigger_price": self.near(BTC, -6),
                "price": self.near(BTC, -6.1),
                "quantity": 0.01,
            },
            "TAKE_PROFIT": {
                "trigger_price": self.near(BTC, 6),
                "price": self.near(BTC, 6),
                "quantity": 0.01,
            },
            "TRAILING_STOP_MARKET": {"callback_rate": 1.5, "quantity": 0.01, "reduce_only": yes},
        }.items():
            with step(f"new_algo_order {kind}"):
                made[kind] = self._algo(kind, **members)
            with step(f"query_algo_order {kind}"):
                found = call("query_algo_order", made[kind]["algoId"])
                assert found["algoStatus"] == "NEW", found
        with step("cancel_algo_order"):
            call("cancel_algo_order", algo_id=made["STOP"]["algoId"])
        with step("query_all_algo_orders"):
            states = {o["algoId"]: o["algoStatus"] for o in call("query_all_algo_orders", BTC)}
            assert states[made["STOP"]["algoId"]] == "CANCELED", states
        with step("a stop fires"):
            fired = self.fire_stop()
        with step("the order that it became"):
            found = call("query_algo_order", int(fired))
            assert found["algoStatus"] == "FINISHED", found
            became = call("query_order", BTC, int(found["actualOrderId"]))
            assert became["status"] == "FILLED", became
        with step("cancel_all_algo_open_orders"):
            call("cancel_all_algo_open_orders", BTC)

    def _algo(self, kind: str, **members: Any) -> Any:
        return self.call(
            "new_algo_order",
            enums.NewAlgoOrderAlgoTypeEnum.CONDITIONAL,
            BTC,
            enums.NewAlgoOrderSideEnum.SELL,
            enums.NewAlgoOrderTypeEnum(kind),
            **members,
        )

    def fire_stop(self) -> str:
        """Place a stop next to the market until one has filled; its id."""

        def place() -> str:
            stop = self._algo(
                "STOP_MARKET",
                trigger_price=self.near(BTC, -0.01),
                quantity=0.005,
                reduce_only=enums.NewAlgoOrderReduceOnlyEnum.TRUE,
            )
            return str(stop["algoId"])

        return fire(self.desk, place, lambda n: self.call("cancel_algo_order", algo_id=int(n)))

    def read_back(self) -> None:
        """Close, then read the records."""
        call, step, equal = self.call, self.steps.step, self.steps.equal
        for position in call("position_information_v3"):
            quantity = exact(position["positionAmt"])
            with step(f"close {position['symbol']}"):
                self._market(
                    position["symbol"],
                    "SELL" if quantity > 0 else "BUY",
                    float(abs(quantity)),
                    reduce_only=enums.NewOrderReduceOnlyEnum.TRUE,
                )
        rows = self.desk.read("/history/orders?limit=1000")["rows"]
        found = {
            str(o["orderId"]): o["status"]
            for s in SYMBOLS
            for o in call("all_orders", s, limit=1000)
        } | {
            str(o["algoId"]): o["algoStatus"].replace("FINISHED", "FILLED")
            for s in SYMBOLS
            for o in call("query_all_algo_orders", s, limit=1000)
        }
        true = {row["id"]: row["state"] for row in rows}
        equal("all orders", {n: found.get(n) for n in true}, true)
        income = call("get_income_history", limit=1000)
        fees = -sum(exact(r["income"]) for r in income if r["incomeType"] == "COMMISSION")
        equal("fees as income", fees, self.desk.snapshot()["fees_paid"])

    def err(self) -> None:
        """Errors by their texts."""
        call = self.call
        with self._refused("more than there is money for", "Account has insufficient balance"):
            self._market(BTC, "BUY", 50.0)
        with self._refused("an order that is not there", "Order does not exist."):
            call("query_order", BTC, 123456789)
        with self._refused("cancel an order that is not there", "Unknown order sent."):
            call("cancel_order", BTC, 123456789)
        with self._refused("an unknown symbol", "Invalid symbol."):
            call("order_book", "NOPEUSDT")
        stranger = Sdk(self.access)
        stranger.sdk.rest_api.configuration.base_headers["X-MBX-APIKEY"] = "0" * 64
        with self.steps.refused("a wrong key", UnauthorizedError):
            stranger.account()


if __name__ == "__main__":
    sys.exit(Tour(Access.parse(sys.argv[1])).walk())
