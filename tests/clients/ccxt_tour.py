"""A tour of ccxt's methods: every read, every kind of order, every class of error."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
from ccxt_client import SYMBOLS, CcxtClient, order_row, plain
from comparison import Access, Desk, Steps, differences, exact, fire, steady

BTC, ETH, SOL = SYMBOLS


class Tour:
    """The steps, in the order of a day: look, set up, trade, read back, err."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.desk = Desk(access.url)
        self.client = CcxtClient(access)
        self.exchange = self.client.exchange
        self.steps = Steps(f"ccxt {ccxt.__version__}", self.client, self.desk)

    def walk(self) -> int:
        """Take every step; the exit code."""
        with self.steps.step("load_markets"):
            self.exchange.load_markets()
        return self.steps.walk(
            self.read_markets,
            self.read_candles,
            self.read_account,
            self.set_up,
            self.order_at_limits,
            self.order_at_market,
            self.order_conditionally,
            self.order_in_batches,
            self.fire,
            self.move_margin,
            self.close,
            self.read_back,
            self.err,
            self.meet_others,
            self.lose_the_key,
        )

    # The market

    def near(self, symbol: str, percent: float) -> float:
        """A price that many percent above the mark price, on the tick."""
        mark = float(self.desk.price(plain(symbol))["mark"])
        return float(self.exchange.price_to_precision(symbol, mark * (1 + percent / 100)))

    def read_markets(self) -> None:
        """Symbols, their rules, and every price beside that of the desk."""
        exchange, equal = self.exchange, self.steps.equal
        for symbol in SYMBOLS:
            market, price = exchange.market(symbol), self.desk.price(plain(symbol))
            equal(f"{symbol} tick", market["precision"]["price"], price["tick_size"])
            equal(f"{symbol} step", market["precision"]["amount"], price["step_size"])
            equal(f"{symbol} is active", market["active"], True)
            equal(f"{symbol} least cost", market["limits"]["cost"]["min"], Decimal(5))
        clock = exchange.fetch_time() / 1000
        equal("fetch_time is the wall clock", abs(clock - time.time()) < 5, True)
        self._quote("fetch_ticker", lambda: exchange.fetch_ticker(BTC), "last", "last")
        tickers = exchange.fetch_tickers()
        equal("fetch_tickers has all", set(SYMBOLS) <= set(tickers), True)
        for name in ("bid", "ask"):
            self._quote(
                f"fetch_bids_asks {name}", lambda: exchange.fetch_bids_asks([BTC])[BTC], name, name
            )
        self._quote("fetch_last_prices", lambda: exchange.fetch_last_prices()[BTC], "price", "last")
        self._quote("fetch_mark_price", lambda: exchange.fetch_mark_price(BTC), "markPrice", "mark")
        self._quote(
            "fetch_mark_prices", lambda: exchange.fetch_mark_prices()[BTC], "markPrice", "mark"
        )
        self._quote(
            "fetch_funding_rate",
            lambda: exchange.fetch_funding_rate(BTC),
            "fundingRate",
            "funding_rate",
        )
        self._quote(
            "fetch_funding_rates",
            lambda: exchange.fetch_funding_rates()[BTC],
            "fundingRate",
            "funding_rate",
        )
        book, price = steady(
            lambda: exchange.fetch_order_book(BTC, 5), lambda: self.desk.price(plain(BTC))
        )
        equal("fetch_order_book bid", book["bids"][0][0], price["bid"])
        equal("fetch_order_book ask", book["asks"][0][0], price["ask"])
        for what, call in (
            ("fetch_trades", lambda: exchange.fetch_trades(BTC)),
            (
                "fetch_trades by aggregates",
                lambda: exchange.fetch_trades(
                    BTC, params={"fetchTradesMethod": "fapiPublicGetAggTrades"}
                ),
            ),
            ("fetch_funding_rate_history", lambda: exchange.fetch_funding_rate_history(BTC)),
        ):
            with self.steps.step(what):
                assert call() is not None
        with self.steps.step("fetch_funding_intervals"):
            exchange.fetch_funding_intervals()
        with self.steps.step("fetch_open_interest"):
            exchange.fetch_open_interest(BTC)

    def _quote(self, what: str, read: Any, theirs: str, ours: str) -> None:
        row, price = steady(read, lambda: self.desk.price(plain(BTC)))
        self.steps.equal(what, row[theirs], price[ours])

    def read_candles(self) -> None:
        """Candles of every kind beside those of the desk."""
        exchange, equal = self.exchange, self.steps.equal
        for interval, length in (("1m", 60), ("5m", 300), ("1h", 3600), ("1d", 86_400)):
            path = f"/candles/BTC-USDT?timeframe={interval}&limit=10"
            rows, candles = steady(
                lambda interval=interval: exchange.fetch_ohlcv(BTC, interval, limit=10),
                lambda path=path: self.desk.read(path)["candles"],
            )
            equal(f"fetch_ohlcv {interval}: how many", len(rows), Decimal(len(candles)))
            equal(f"fetch_ohlcv {interval}: apart", rows[1][0] - rows[0][0], Decimal(length * 1000))
            names = ("open", "high", "low", "close", "volume")
            wrong = [
                (row, candle)
                for row, candle in zip(rows, candles, strict=True)
                if exchange.iso8601(row[0]) != candle["time"]
                or [exact(value) for value in row[1:]] != [candle[name] for name in names]
            ]
            equal(f"fetch_ohlcv {interval}", wrong, [])
        since = exchange.parse8601(
            self.desk.read("/candles/BTC-USDT?timeframe=1m&limit=30")["candles"][0]["time"]
        )
        rows = exchange.fetch_ohlcv(BTC, "1m", since=since, limit=5)
        equal("fetch_ohlcv since: the first of it", rows[0][0], Decimal(since))
        equal("fetch_ohlcv since: how many", len(rows), Decimal(5))
        for what in ("mark", "index"):
            with self.steps.step(f"fetch_{what}_ohlcv"):
                assert exchange.fetch_ohlcv(BTC, "1m", limit=5, params={"price": what})

    # The account

    def read_account(self) -> None:
        """The account's settings."""
        exchange = self.exchange
        settings = self.desk.read("/settings")
        for symbol in (BTC,):
            fee = exchange.fetch_trading_fee(symbol)
            self.steps.equal(
                "fetch_trading_fee maker", exact(fee["maker"]) * 100, settings["maker_fee_percent"]
            )
            self.steps.equal(
                "fetch_trading_fee taker", exact(fee["taker"]) * 100, settings["taker_fee_percent"]
            )
        fees = exchange.fetch_trading_fees()
        self.steps.equal("fetch_trading_fees", BTC in fees, True)
        mode = exchange.fetch_position_mode(BTC)
        self.steps.equal("fetch_position_mode", mode["hedged"], False)
        margin = exchange.fetch_margin_modes()
        self.steps.equal("fetch_margin_modes", margin[BTC]["marginMode"], "isolated")
        self.steps.equal(
            "fetch_margin_mode", exchange.fetch_margin_mode(BTC)["marginMode"], "isolated"
        )
        self._leverages("fetch_leverages")
        for symbol in SYMBOLS:
            tiers = exchange.fetch_market_leverage_tiers(symbol)
            most = self.desk.price(plain(symbol))["max_leverage"]
            self.steps.equal(f"{symbol} leverage", tiers[0]["maxLeverage"], most)
        with self.steps.step("fetch_leverage_tiers"):
            assert exchange.fetch_leverage_tiers()[BTC]
        with self.steps.step("fetch_account_positions"):
            assert exchange.fetch_account_positions() == []
        with self.steps.step("fetch_positions_risk"):
            assert exchange.fetch_positions_risk() == []

    def _leverages(self, what: str) -> None:
        leverages = self.exchange.fetch_leverages()
        for each in self.desk.snapshot()["leverages"]:
            found = leverages[f"{each['symbol']}:USDT"]
            self.steps.equal(f"{what} {each['symbol']}", found["longLeverage"], each["leverage"])

    def set_up(self) -> None:
        """Leverage, margin mode and position mode."""
        exchange, step, refused = self.exchange, self.steps.step, self.steps.refused
        for leverage in (3, 5):
            with step(f"set_leverage {leverage}"):
                assert exchange.set_leverage(leverage, BTC)["leverage"] in (leverage, str(leverage))
        self._leverages("leverage after set_leverage")
        # Newer versions raise what older ones answered.
        with step("set_margin_mode isolated"), suppress(ccxt.MarginModeAlreadySet):
            assert exchange.set_margin_mode("isolated", BTC)["code"] == -4046
        exchange.options["throwMarginModeAlreadySet"] = True
        with refused("set_margin_mode isolated, loudly", ccxt.MarginModeAlreadySet):
            exchange.set_margin_mode("isolated", BTC)
        exchange.options["throwMarginModeAlreadySet"] = False
        with refused("set_margin_mode cross", ccxt.OperationRejected):
            exchange.set_margin_mode("cross", BTC)
        with refused("set_position_mode one-way", ccxt.OperationRejected):
            exchange.set_position_mode(False, BTC)
        with refused("set_position_mode hedge", ccxt.OperationRejected):
            exchange.set_position_mode(True, BTC)
        with refused("set_leverage 200", ccxt.BadRequest):
            # ccxt itself allows no more than 125.
            exchange.fapiPrivatePostLeverage({"symbol": "BTCUSDT", "leverage": 200})

    # Orders

    def order_at_limits(self) -> None:
        """Limit orders of every time in force, amended, read and cancelled."""
        exchange, step = self.exchange, self.steps.step
        with step("limit buy"):
            order = exchange.create_order(BTC, "limit", "buy", 0.01, self.near(BTC, -5))
            assert order["status"] == "open", order
        with step("limit sell"):
            sold = exchange.create_order(BTC, "limit", "sell", 0.01, self.near(BTC, 5))
        with step("limit buy with a client id"):
            named = exchange.create_order(
                ETH, "limit", "buy", 0.1, self.near(ETH, -5), {"clientOrderId": "mine-1"}
            )
            assert named["clientOrderId"] == "mine-1", named
        with step("post only"):
            post = exchange.create_order(
                SOL, "limit", "buy", 2, self.near(SOL, -3), {"postOnly": True}
            )
            assert post["timeInForce"] == "PO" or post["postOnly"], post
        self._same_order("fetch_order", exchange.fetch_order(order["id"], BTC))
        self._same_order("fetch_order, sold", exchange.fetch_order(sold["id"], BTC))
        self._same_order(
            "fetch_order by client id",
            exchange.fetch_order(None, ETH, {"clientOrderId": "mine-1"}),
        )
        self._same_order("fetch_open_order", exchange.fetch_open_order(order["id"], BTC))
        with step("edit_order price"):
            price = self.near(BTC, -4)
            edited = exchange.edit_order(order["id"], BTC, "limit", "buy", 0.01, price)
            assert edited["id"] == order["id"], edited
        with step("edit_order amount"):
            price = exchange.fetch_order(order["id"], BTC)["price"]
            exchange.edit_order(order["id"], BTC, "limit", "buy", 0.02, price)
        with self.steps.refused("edit_order of nothing new", ccxt.ExchangeError):
            exchange.edit_order(order["id"], BTC, "limit", "buy", 0.02, price)
        with step("cancel_order"):
            done = exchange.cancel_order(order["id"], BTC)
            assert done["status"] == "canceled", done
        self._state("fetch_order, cancelled", order["id"], BTC, "canceled")
        with step("cancel_order by client id"):
            exchange.cancel_order(None, ETH, {"clientOrderId": "mine-1"})
        with step("cancel_all_orders of a symbol"):
            exchange.cancel_all_orders(BTC)
        self._state("fetch_order, cancelled with all", sold["id"], BTC, "canceled")
        with step("cancel_all_orders of none"):
            exchange.cancel_all_orders(BTC)
        with step("cancel_orders"):
            exchange.cancel_orders([post["id"]], SOL)
        with step("IOC that fills nothing"):
            none = exchange.create_order(
                BTC, "limit", "buy", 0.01, self.near(BTC, -5), {"timeInForce": "IOC"}
            )
            assert none["filled"] == 0, none
            assert none["status"] == "expired", none
        with self.steps.refused("FOK that fills nothing", ccxt.InvalidOrder):
            exchange.create_order(
                BTC, "limit", "buy", 0.01, self.near(BTC, -5), {"timeInForce": "FOK"}
            )
        with self.steps.refused("post only that would cross", ccxt.InvalidOrder):
            exchange.create_order(BTC, "limit", "buy", 0.01, self.near(BTC, 2), {"postOnly": True})

    def _same_order(self, what: str, order: Any) -> None:
        """One step that compares an order, read by itself, with that of the desk."""
        true = self.desk.orders(self.desk.snapshot())
        row = order_row(order)
        found = differences("order", {order["id"]: row}, {order["id"]: true.get(order["id"], {})})
        self.steps.equal(what, "; ".join(found) or "equal", "equal")

    def _state(self, what: str, number: str, symbol: str, state: str, **params: Any) -> None:
        order = self.exchange.fetch_order(number, symbol, params)
        self.steps.equal(what, order["status"], state)

    def order_at_market(self) -> None:
        """Market orders and limit orders that cross."""
        exchange, step = self.exchange, self.steps.step
        for what, args in {
            "market buy": (BTC, "market", "buy", 0.01),
            "market buy, more": (BTC, "market", "buy", 0.005),
            "market sell of a part": (BTC, "market", "sell", 0.003),
            "market sell, a short": (ETH, "market", "sell", 0.5),
            "market buy of a part, short": (ETH, "market", "buy", 0.2),
        }.items():
            with step(what):
                order = exchange.create_order(*args)
                self._filled(order, args[3])
        with step("limit buy that crosses"):
            order = exchange.create_order(SOL, "limit", "buy", 3, self.near(SOL, 1))
            self._filled(order, 3)
        with step("IOC that fills"):
            order = exchange.create_order(
                SOL, "limit", "buy", 2, self.near(SOL, 1), {"timeInForce": "IOC"}
            )
            self._filled(order, 2)
        with step("FOK that fills"):
            order = exchange.create_order(
                SOL, "limit", "buy", 1, self.near(SOL, 1), {"timeInForce": "FOK"}
            )
            self._filled(order, 1)
        with step("fetch_my_trades of an order"):
            assert self._filled_by(order["id"], SOL) == [1.0]
        with step("fetch_positions of one"):
            assert exchange.fetch_positions([BTC])[0]["contracts"] == 0.012
        with step("fetch_positions_risk, open"):
            found = {p["symbol"]: p["contracts"] for p in exchange.fetch_positions_risk()}
            assert found == {BTC: 0.012, ETH: 0.3, SOL: 6.0}, found
        with step("fetch_account_positions, open"):
            found = {p["symbol"]: p["contracts"] for p in exchange.fetch_account_positions()}
            assert found == {BTC: 0.012, ETH: 0.3, SOL: 6.0}, found
        with step("market sell that turns the position over"):
            exchange.create_order(SOL, "market", "sell", 8)
        with step("market order by reduceOnly"):
            exchange.create_order(SOL, "market", "buy", 1, None, {"reduceOnly": True})
        with step("reduceOnly of more than there is"):
            exchange.create_order(SOL, "market", "buy", 50, None, {"reduceOnly": True})

    def _filled_by(self, number: str, symbol: str) -> list[float]:
        """The amounts of an order's trades."""
        trades = self.exchange.fetch_my_trades(symbol, params={"orderId": number})
        return [trade["amount"] for trade in trades]

    def _filled(self, order: Any, amount: float) -> None:
        assert order["status"] == "closed", order
        assert order["filled"] == amount, order
        rows = self.desk.read("/history/orders?limit=1")["rows"]
        assert rows[0]["id"] == order["id"], (rows[0], order)
        assert exact(order["average"]) == rows[0]["average_price"], (rows[0], order)

    def order_conditionally(self) -> None:
        """Every kind of conditional order, read and cancelled."""
        exchange, step = self.exchange, self.steps.step
        orders = {}
        for what, (symbol, kind, side, amount, price, params) in {
            "stop loss at market": (
                BTC,
                "market",
                "sell",
                0.012,
                None,
                {"stopLossPrice": self.near(BTC, -6)},
            ),
            "stop loss at market, reduceOnly": (
                BTC,
                "market",
                "sell",
                0.01,
                None,
                {"stopLossPrice": self.near(BTC, -7), "reduceOnly": True},
            ),
            "take profit at market": (
                BTC,
                "market",
                "sell",
                0.012,
                None,
                {"takeProfitPrice": self.near(BTC, 6), "reduceOnly": True},
            ),
            "stop loss at a limit": (
                BTC,
                "limit",
                "sell",
                0.005,
                self.near(BTC, -8.1),
                {"stopLossPrice": self.near(BTC, -8), "reduceOnly": True},
            ),
            "take profit at a limit": (
                BTC,
                "limit",
                "sell",
                0.005,
                self.near(BTC, 8),
                {"takeProfitPrice": self.near(BTC, 8), "reduceOnly": True},
            ),
            "stop entry": (
                ETH,
                "STOP_MARKET",
                "sell",
                0.1,
                None,
                {"triggerPrice": self.near(ETH, -5)},
            ),
            "stop entry at a limit": (
                ETH,
                "STOP",
                "sell",
                0.1,
                self.near(ETH, -5.1),
                {"triggerPrice": self.near(ETH, -5)},
            ),
            "take-profit entry": (
                ETH,
                "TAKE_PROFIT_MARKET",
                "buy",
                0.1,
                None,
                {"takeProfitPrice": self.near(ETH, -6)},
            ),
            "trailing stop": (
                BTC,
                "market",
                "sell",
                0.01,
                None,
                {"trailingPercent": 2, "reduceOnly": True},
            ),
            "trailing stop with activation": (
                BTC,
                "market",
                "sell",
                0.01,
                None,
                {
                    "trailingPercent": 1,
                    "trailingTriggerPrice": self.near(BTC, 3),
                    "reduceOnly": True,
                },
            ),
            "stop by the last price": (
                BTC,
                "market",
                "sell",
                0.002,
                None,
                {
                    "stopLossPrice": self.near(BTC, -9),
                    "workingType": "CONTRACT_PRICE",
                    "priceProtect": True,
                    "reduceOnly": True,
                },
            ),
        }.items():
            with step(what):
                orders[what] = exchange.create_order(symbol, kind, side, amount, price, params)
                assert orders[what]["status"] == "open", orders[what]
        with step("stop that closes all"):
            params = {"stopLossPrice": self.near(BTC, -10), "closePosition": True}
            first = exchange.create_order(BTC, "market", "sell", 0.012, None, params)
        with step("stop that closes all, in place of the first"):
            params = {"stopLossPrice": self.near(BTC, -9), "closePosition": True}
            second = exchange.create_order(BTC, "market", "sell", 0.012, None, params)
        self._state("the first is cancelled", first["id"], BTC, "canceled", trigger=True)
        self._state("the second is open", second["id"], BTC, "open", trigger=True)
        with step("take profit that closes all, with a client id"):
            params = {
                "takeProfitPrice": self.near(BTC, 10),
                "closePosition": True,
                "clientOrderId": "all-of-it",
            }
            exchange.create_order(BTC, "market", "sell", 0.012, None, params)
        for what, order in orders.items():
            symbol = order["symbol"]
            self._same_order(
                f"fetch_order, {what}", exchange.fetch_order(order["id"], symbol, {"trigger": True})
            )
        with step("fetch_order of a conditional order by client id"):
            params = {"trigger": True, "clientOrderId": "all-of-it"}
            assert exchange.fetch_order(None, BTC, params)["side"] == "sell"
        with step("cancel_order of a conditional order"):
            exchange.cancel_order(orders["stop entry"]["id"], ETH, {"trigger": True})
        self._state("it is cancelled", orders["stop entry"]["id"], ETH, "canceled", trigger=True)
        with step("cancel_order of a conditional order by client id"):
            exchange.cancel_order(None, BTC, {"trigger": True, "clientOrderId": "all-of-it"})
        with step("fetch_orders of conditional orders"):
            found = {o["id"] for o in exchange.fetch_orders(ETH, params={"trigger": True})}
            assert orders["stop entry"]["id"] in found, found
        with step("cancel_all_orders leaves conditional orders"):
            exchange.cancel_all_orders(BTC)
        with step("cancel_all_orders of conditional orders, BTC"):
            exchange.cancel_all_orders(BTC, {"trigger": True})
        with step("cancel_all_orders of conditional orders, ETH"):
            exchange.cancel_all_orders(ETH, {"trigger": True})

    def order_in_batches(self) -> None:
        """Batches, with one refused among them."""
        exchange, step = self.exchange, self.steps.step
        with step("create_orders"):
            wanted = [
                {
                    "symbol": ETH,
                    "type": "limit",
                    "side": "buy",
                    "amount": 0.1,
                    "price": self.near(ETH, p),
                }
                for p in (-5, -6, -7)
            ]
            made = exchange.create_orders(wanted)
            assert [o["status"] for o in made] == ["open"] * 3, made
        with step("create_orders with one refused"):
            wanted[1]["amount"], wanted[1]["price"] = 9000, self.near(ETH, -5)
            mixed = exchange.create_orders(wanted)
            # ccxt sorts them by their times, which a refused one has not.
            assert [o["status"] for o in mixed] == ["rejected", "open", "open"], mixed
        with step("cancel_orders of three"):
            done = exchange.cancel_orders([o["id"] for o in made], ETH)
            assert [o["status"] for o in done] == ["canceled"] * 3, done
        with step("cancel_all_orders of the rest"):
            exchange.cancel_all_orders(ETH)

    def fire(self) -> None:
        """Orders that wait close to the market, until they have filled."""
        step = self.steps.step
        for what, kind, side, name in (
            ("a limit order fills", "limit", "buy", ""),
            ("a stop fires", "market", "sell", "stopLossPrice"),
            ("a take profit fires", "market", "sell", "takeProfitPrice"),
        ):
            with step(what):
                number = self._fire(kind, side, name)
            query = {"trigger": True} if name else {}
            self._state(f"{what}: its state", number, BTC, "closed", **query)
            if name:
                with step(f"{what}: the order that it became"):
                    fired = self.exchange.fetch_order(number, BTC, query)
                    became = self.exchange.fetch_order(fired["info"]["actualOrderId"], BTC)
                    assert became["status"] == "closed", became
                    assert became["filled"] == 0.003, became
                    assert self._filled_by(became["id"], BTC) == [0.003]

    def _fire(self, kind: str, side: str, name: str) -> str:
        """Place it next to the market, again and again until it has filled; its id."""
        exchange = self.exchange
        above = -0.01 if name == "stopLossPrice" else 0.01

        def place() -> str:
            price = self.near(BTC, above) if name else float(self.desk.price(plain(BTC))["bid"])
            params = {name: price, "reduceOnly": True} if name else {}
            limit = None if name else price
            return str(exchange.create_order(BTC, kind, side, 0.003, limit, params)["id"])

        query = {"trigger": True} if name else {}
        return fire(self.desk, place, lambda number: exchange.cancel_order(number, BTC, query))

    def move_margin(self) -> None:
        """Margin into a position and out of it."""
        exchange, step = self.exchange, self.steps.step
        wallet = self._wallet(BTC)
        with step("add_margin"):
            exchange.add_margin(BTC, 25)
        self.steps.equal("add_margin: the wallet", self._wallet(BTC) - wallet, Decimal(25))
        with step("reduce_margin"):
            exchange.reduce_margin(BTC, 10)
        self.steps.equal("reduce_margin: the wallet", self._wallet(BTC) - wallet, Decimal(15))

    def _wallet(self, symbol: str) -> Decimal:
        (position,) = self.exchange.fetch_positions([symbol])
        return exact(position["info"]["isolatedWallet"])

    def close(self) -> None:
        """All positions closed by reduce-only orders."""
        exchange, step = self.exchange, self.steps.step
        for position in exchange.fetch_positions():
            with step(f"close {position['symbol']}"):
                side = "sell" if position["side"] == "long" else "buy"
                exchange.create_order(
                    position["symbol"],
                    "market",
                    side,
                    position["contracts"],
                    None,
                    {"reduceOnly": True},
                )
        with step("no positions"):
            assert exchange.fetch_positions() == []

    def read_back(self) -> None:
        """Records of orders, trades and income beside the ledger."""
        exchange, equal = self.exchange, self.steps.equal
        rows = self.desk.read("/history/orders?limit=1000")["rows"]
        states = {
            "NEW": "open",
            "FILLED": "closed",
            "CANCELED": "canceled",
            "EXPIRED": "expired",
            "REJECTED": "rejected",
        }
        true = {row["id"]: states[row["state"]] for row in rows}
        found = {}
        for symbol in SYMBOLS:
            found |= {o["id"]: o["status"] for o in exchange.fetch_orders(symbol, limit=1000)}
            found |= {
                o["id"]: o["status"]
                for o in exchange.fetch_orders(symbol, limit=1000, params={"trigger": True})
            }
        equal("fetch_orders: all of the desk's", sorted(true.keys() - found), [])
        wrong = {n: (found[n], true[n]) for n in found.keys() & true.keys() if found[n] != true[n]}
        equal("fetch_orders: their states", wrong, {})
        closed = {
            o["id"] for symbol in SYMBOLS for o in exchange.fetch_closed_orders(symbol, limit=1000)
        }
        plain_closed = {
            row["id"]
            for row in rows
            if row["state"] == "FILLED" and row["type"] in ("market", "limit")
        }
        equal("fetch_closed_orders", sorted(plain_closed - closed), [])
        canceled = {
            o["id"]
            for symbol in SYMBOLS
            for o in exchange.fetch_canceled_orders(symbol, limit=1000)
        }
        plain_canceled = {
            row["id"]
            for row in rows
            if row["state"] == "CANCELED" and row["type"] in ("market", "limit")
        }
        equal("fetch_canceled_orders", sorted(plain_canceled - canceled), [])
        trades = [t for symbol in SYMBOLS for t in exchange.fetch_my_trades(symbol, limit=1000)]
        snapshot = self.desk.snapshot()
        fees = sum(exact(t["fee"]["cost"]) for t in trades)
        equal("fetch_my_trades: all fees", fees, snapshot["fees_paid"])
        for symbol in SYMBOLS:
            latest = max(int(t["id"]) for t in trades if t["symbol"] == symbol)
            rest = exchange.fetch_my_trades(symbol, params={"fromId": latest})
            equal(f"fetch_my_trades from an id {symbol}", [int(t["id"]) for t in rest], [latest])
        ledger = self.desk.read("/history/ledger?limit=1000")["rows"]
        income = exchange.fapiPrivateGetIncome({"limit": 1000})
        kinds = {
            "realized_pnl": "REALIZED_PNL",
            "fee": "COMMISSION",
            "funding": "FUNDING_FEE",
        }
        for kind, name in kinds.items():
            ours = sum((row["amount"] for row in ledger if row["kind"] == kind), Decimal(0))
            theirs = sum(
                (exact(r["income"]) for r in income if r["incomeType"] == name), Decimal(0)
            )
            equal(f"income: {name}", theirs, ours)
        equal("income: unique ids", len({r["tranId"] for r in income}), Decimal(len(income)))
        entries = exchange.fetch_ledger("USDT", limit=1000)
        equal("fetch_ledger", len(entries), Decimal(len(income)))
        with self.steps.step("fetch_funding_history"):
            exchange.fetch_funding_history(BTC)
        with self.steps.step("fetch_my_liquidations"):
            exchange.fetch_my_liquidations(BTC)

    # Errors

    def err(self) -> None:
        """Every class of error that a program reacts to."""
        exchange, refused = self.exchange, self.steps.refused
        with refused("more than there is money for", ccxt.InsufficientFunds):
            exchange.create_order(BTC, "market", "buy", 50)
        with refused("a stop at once", ccxt.OrderImmediatelyFillable):
            params = {"stopLossPrice": self.near(BTC, 5)}
            exchange.create_order(BTC, "market", "sell", 0.01, None, params)
        with refused("nothing to reduce", ccxt.InvalidOrder, "-2022"):
            exchange.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
        with refused("a notional too small", ccxt.InvalidOrder, "-4164"):
            exchange.fapiPrivatePostOrder(
                {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
            )
        with refused("more than the leverage allows", ccxt.InvalidOrder, "-2027"):
            exchange.set_leverage(125, BTC)
            exchange.create_order(BTC, "limit", "buy", 1000, self.near(BTC, -5))
        exchange.set_leverage(5, BTC)
        price = self.near(BTC, -5)
        exchange.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": "twice"})
        with refused("a client id twice", ccxt.InvalidOrder, "-4116"):
            exchange.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": "twice"})
        with self.steps.step("the client id is free again"):
            exchange.cancel_order(None, BTC, {"clientOrderId": "twice"})
            exchange.create_order(BTC, "limit", "buy", 0.01, price, {"clientOrderId": "twice"})
            exchange.cancel_order(None, BTC, {"clientOrderId": "twice"})
        with refused("cancel an order that is not there", ccxt.OrderNotFound, "-2011"):
            exchange.cancel_order("123456789", BTC)
        with refused("cancel a conditional order that is not there", ccxt.OrderNotFound, "-2011"):
            exchange.cancel_order("123456789", BTC, {"trigger": True})
        with refused("fetch an order that is not there", ccxt.OrderNotFound, "-2013"):
            exchange.fetch_order("123456789", BTC)
        with refused("fetch a conditional order that is not there", ccxt.OrderNotFound, "-2013"):
            exchange.fetch_order("123456789", BTC, {"trigger": True})
        with refused("edit an order that is not there", ccxt.OrderNotFound, "-2013"):
            exchange.edit_order("123456789", BTC, "limit", "buy", 0.01, price)
        with refused("an unknown symbol", ccxt.BadSymbol, "-1121"):
            exchange.fapiPublicGetDepth({"symbol": "NOPEUSDT"})
        with refused("an unknown interval", ccxt.BadRequest, "-1120"):
            exchange.fapiPublicGetKlines({"symbol": "BTCUSDT", "interval": "7m"})
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        for what, change, code in (
            ("a quantity off the step", {"quantity": "0.0105", "price": price}, "-1111"),
            ("a price off the tick", {"quantity": "0.01", "price": f"{price:.1f}3"}, "-4014"),
            ("no quantity", {"price": price}, "-1102"),
            (
                "a kind of order that does not exist",
                {"type": "NOPE", "quantity": 1, "price": price},
                "-1116",
            ),
            (
                "a time in force that does not exist",
                {"timeInForce": "NOPE", "quantity": "0.01", "price": price},
                "-1115",
            ),
            ("a quantity below the least", {"quantity": "0", "price": price}, "-4003"),
        ):
            with refused(what, ccxt.BadRequest, code):
                exchange.fapiPrivatePostOrder(order | change)
        with refused("hedge mode's position side", ccxt.OperationRejected, "-4061"):
            exchange.fapiPrivatePostOrder(
                order | {"quantity": "0.01", "price": price, "positionSide": "LONG"}
            )
        with refused("a path that does not exist", ccxt.ExchangeError, "-5000"):
            exchange.fapiPublicGetConstituents({"symbol": "BTCUSDT"})
        self._with("a wrong secret", ccxt.AuthenticationError, "-1022", secret="0" * 64)
        self._with("a wrong key", ccxt.AuthenticationError, "-2015", apiKey="0" * 64)
        stranger = CcxtClient(self.access).exchange
        stranger.load_markets()
        stranger.nonce = lambda: stranger.milliseconds() - 60_000
        with refused("an old timestamp", ccxt.InvalidNonce, "-1021"):
            stranger.fetch_balance()

    def meet_others(self) -> None:
        """What somebody else has open, and what the desk itself ends."""
        exchange, step, refused = self.exchange, self.steps.step, self.steps.refused
        order = {"symbol": "SOL/USDT", "side": "buy", "quantity": 3}
        self.desk.send("POST", "/orders", {**order, "take_profit": 900, "stop_loss": 20})
        self.desk.send("POST", "/orders", {**order, "type": "limit", "price": 50})
        with step("what the page has open is read"):
            assert exchange.fetch_positions([SOL])[0]["contracts"] == 3
        with refused("a symbol that somebody else holds", ccxt.InvalidOrder, "-2010"):
            exchange.create_order(SOL, "market", "buy", 2)
        with refused("the close of somebody else's position", ccxt.InvalidOrder, "-2010"):
            exchange.create_order(SOL, "market", "sell", 3, None, {"reduceOnly": True})
        stop = next(o for o in self.desk.snapshot()["open_orders"] if o["reason"] == "stop_loss")
        with refused("somebody else's stop", ccxt.InvalidOrder, "-2010"):
            exchange.cancel_order(stop["id"], SOL, {"trigger": True})
        with step("cancel_all_orders leaves those of others"):
            exchange.cancel_all_orders(SOL)
            exchange.cancel_all_orders(SOL, {"trigger": True})
            assert len(exchange.fetch_open_orders(SOL)) == 1
        self.desk.send("DELETE", "/orders?symbol=SOL-USDT")
        self.desk.send("POST", "/positions/SOL-USDT/close", {})
        with step("the symbol is free again"):
            exchange.create_order(SOL, "market", "buy", 2)
        with step("the same leverage while something is open"):
            exchange.set_leverage(exchange.fetch_leverages()[SOL]["longLeverage"], SOL)
        with refused("another leverage while something is open", ccxt.ExchangeError, "-4161"):
            exchange.set_leverage(2, SOL)
        params = {"stopLossPrice": self.near(SOL, -5), "reduceOnly": True}
        ended = exchange.create_order(SOL, "market", "sell", 2, None, params)
        with step("a position goes, and its stop with it"):
            exchange.create_order(SOL, "market", "sell", 2, None, {"reduceOnly": True})
        with step("the stop that went is cancelled without an error"):
            exchange.cancel_order(ended["id"], SOL, {"trigger": True})
        limit = exchange.create_order(SOL, "limit", "buy", 2, self.near(SOL, -5))
        with step("a market order beside it"):
            exchange.create_order(ETH, "market", "buy", 0.1)
        with step("the page's reset"):
            self.desk.send("POST", "/virtual_balance/reset", {})
            assert exchange.fetch_positions() == []
        self._state("a reset ends an order as expired", limit["id"], SOL, "expired")

    def lose_the_key(self) -> None:
        """A key that is paused, resumed and revoked."""
        exchange, step, refused = self.exchange, self.steps.step, self.steps.refused
        with step("a position and an order"):
            exchange.create_order(BTC, "market", "buy", 0.01)
            order = exchange.create_order(BTC, "limit", "buy", 0.01, self.near(BTC, -5))
        self.desk.send("POST", "/keys/bot/pause")
        with refused("a paused key opens nothing", ccxt.InvalidOrder, "This key is paused."):
            exchange.create_order(BTC, "market", "buy", 0.01)
        with step("a paused key cancels"):
            exchange.cancel_order(order["id"], BTC)
        with step("a paused key closes"):
            exchange.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
        self.desk.send("POST", "/keys/bot/resume")
        with step("a resumed key opens"):
            exchange.create_order(BTC, "market", "buy", 0.01)
            exchange.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
        self.desk.send("DELETE", "/keys/bot")
        try:
            exchange.fetch_balance()
            self.steps.equal("a revoked key", "is answered", "is refused")
        except ccxt.AuthenticationError as fault:
            self.steps.equal("a revoked key", "-2015" in str(fault), True)

    def _with(self, what: str, kind: type[Exception], code: str, **members: str) -> None:
        stranger = CcxtClient(self.access).exchange
        for name, value in members.items():
            setattr(stranger, name, value)
        with self.steps.refused(what, kind, code):
            stranger.fetch_balance()


if __name__ == "__main__":
    sys.exit(Tour(Access.parse(sys.argv[1])).walk())
