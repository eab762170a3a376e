"""A whole life of freqtrade against the desk, or an hour of its default configuration.

Everything is asked of freqtrade's own database and its own HTTP API, and compared with the desk."""

from __future__ import annotations

import json
import secrets
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import requests

from tests.clients.comparison import Access, Desk, Rows, Steps, compare, exact, signed, wait_for

_HERE: Final = Path(__file__).resolve().parent
# What a log may not have.
_BAD: Final = (" - ERROR - ", " - CRITICAL - ", "Traceback (most recent call last)")
_PRICING: Final = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
_CENT: Final = Decimal("0.005")


def configuration(access: Access, port: int, password: str, **changes: Any) -> dict[str, Any]:
    """freqtrade's configuration as its template writes it, with the snippet of the manual."""
    snippet = json.loads(access.snippet("freqtrade"))
    pairs = [f"{base}/USDT:USDT" for base in ("BTC", "ETH", "SOL")]
    exchange = {**snippet["exchange"], "pair_whitelist": pairs, "pair_blacklist": []}
    return {
        **snippet,
        "max_open_trades": 3,
        "stake_amount": 500,
        "tradable_balance_ratio": 0.99,
        "cancel_open_orders_on_exit": False,
        "unfilledtimeout": {"entry": 10, "exit": 10, "exit_timeout_count": 0, "unit": "minutes"},
        "entry_pricing": _PRICING,
        "exit_pricing": _PRICING,
        "exchange": exchange,
        "pairlists": [{"method": "StaticPairList"}],
        "telegram": {"enabled": False, "token": "", "chat_id": ""},
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "verbosity": "error",
            "enable_openapi": False,
            "jwt_secret_key": secrets.token_hex(),
            "ws_token": secrets.token_hex(),
            "CORS_origins": [],
            "username": "freqtrader",
            "password": password,
        },
        "bot_name": "freqtrade",
        "initial_state": "running",
        "force_entry_enable": True,
        "internals": {"process_throttle_secs": 5},
        **changes,
    }


class Freqtrade:
    """A freqtrade process on a folder, and what it believes."""

    def __init__(
        self, programs: Path, folder: Path, access: Access, port: int, strategy: str, **changes: Any
    ) -> None:
        self._program = programs / "freqtrade"
        self.folder = folder
        self._strategy = strategy
        self._url = f"http://127.0.0.1:{port}/api/v1"
        password = secrets.token_hex()
        self._auth = ("freqtrader", password)
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "trades.sqlite"
        self.log = folder / "freqtrade.log"
        self._configuration = folder / "config.json"
        self._configuration.write_text(
            json.dumps(configuration(access, port, password, **changes), indent=1)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it trades."""
        command = [
            *(self._program, "trade", "--userdir", self.folder, "--config", self._configuration),
            *("--strategy-path", _HERE / "strategies", "--strategy", self._strategy),
            *("--db-url", f"sqlite:///{self.database}", "--logfile", self.log),
        ]
        with (self.folder / "console.txt").open("ab") as console:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdout=console, stderr=subprocess.STDOUT
            )
        wait_for(self._runs, "freqtrade's start", seconds=180)

    def _runs(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "console.txt").read_text()[-3000:])
        try:
            return bool(self.ask("GET", "show_config")["state"] == "running")
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """Stop it; a background process may not hear Ctrl-C."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(120)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """The answer of its HTTP API."""
        url = f"{self._url}/{path}"
        answer = requests.request(method, url, auth=self._auth, json=body or None, timeout=60)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows of its database."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def errors(self) -> list[str]:
        """The lines of its log that are errors."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if any(bad in line for bad in _BAD)]

    # What it believes

    def account(self) -> Rows:
        """As ``Client.account``; it knows the whole, and what is free."""
        balance = self.ask("GET", "balance")
        usdt = next(row for row in balance["currencies"] if row["currency"] == "USDT")
        return {"USDT": {"available": usdt["free"]}}

    def positions(self) -> Rows:
        """As ``Client.positions``, of its open trades that have filled."""
        trades = self.rows("select * from trades where is_open = 1 and amount > 0")
        filled = {
            row["ft_trade_id"]
            for row in self.rows(
                "select * from orders where filled > 0 and ft_order_side in ('buy', 'sell')"
            )
        }
        return {
            trade["pair"].partition(":")[0]: {
                "quantity": signed(trade["amount"], "short" if trade["is_short"] else "long"),
                "entry": trade["open_rate"],
                "leverage": trade["leverage"],
            }
            for trade in trades
            if trade["id"] in filled
        }

    def orders(self) -> Rows:
        """As ``Client.orders``: what is open in its database."""
        orders = self.rows("select * from orders where ft_is_open = 1")
        return {
            row["order_id"]: {
                "symbol": row["ft_pair"].partition(":")[0],
                "side": row["side"],
                "quantity": row["amount"],
                "trigger": row["stop_price"],
            }
            for row in orders
        }

    def fills(self) -> Rows:
        """As ``Client.fills``; it keeps orders, which :func:`records` compares."""
        raise NotImplementedError


def differences(bot: Freqtrade, desk: Desk) -> list[str]:
    """What differs between freqtrade and the desk, once freqtrade has had a turn for it."""
    found: list[str] = []
    start = time.monotonic()
    while time.monotonic() - start < 60:
        before = desk.snapshot()
        found = _sides("position", bot.positions(), _on_tick(before, desk.positions(before)))
        found += _sides("order", bot.orders(), desk.orders(before))
        found = found or records(bot, desk)
        if not found and desk.snapshot()["revision"] == before["revision"]:
            return []
        time.sleep(1)
    return found or ["the account was never still for long enough"]


def _on_tick(snapshot: Any, positions: Rows) -> Rows:
    """Positions with their entry prices on the tick, as freqtrade rounds those of several fills."""
    ticks = {symbol: price["tick_size"] for symbol, price in snapshot["market"]["prices"].items()}
    return {
        symbol: {
            **row,
            "entry": (row["entry"] / ticks[symbol]).quantize(Decimal(1)) * ticks[symbol],
        }
        for symbol, row in positions.items()
    }


def _sides(part: str, believed: Rows, true: Rows) -> list[str]:
    found = [f"{part}: freqtrade does not know {n}: {true[n]}" for n in true.keys() - believed]
    found += [f"{part}: the desk does not know {n}: {believed[n]}" for n in believed.keys() - true]
    for name in believed.keys() & true.keys():
        for member, value in believed[name].items():
            ours = true[name][member]
            if value is None or ours is None:
                continue
            near = isinstance(ours, Decimal) and abs(exact(value) - ours) <= abs(ours) / 10**9
            if not near and value != ours:
                found.append(f"{part} {name}: {member} is {value} at freqtrade, {ours} at the desk")
    return found


def records(bot: Freqtrade, desk: Desk) -> list[str]:
    """Every order that freqtrade knows as filled, and every trade that it has closed, beside the
    desk's fills: prices and quantities exactly, fees and profits to the cent."""
    fills: dict[str, list[Any]] = {}
    offset, total = 0, 1
    while offset < total:
        page = desk.read(f"/history/fills?limit=1000&offset={offset}")
        total, offset = int(page["total"]), offset + 1000
        for row in page["rows"]:
            fills.setdefault(row["order_id"], []).append(row)
    orders = bot.rows("select * from orders where filled > 0")
    found = []
    known: dict[int, list[Any]] = {}
    for order in orders:
        rows = fills.get(order["order_id"], [])
        known.setdefault(order["ft_trade_id"], []).extend(rows)
        quantity = sum((row["quantity"] for row in rows), Decimal(0))
        if abs(quantity - exact(order["filled"])) > Decimal("1e-9"):
            found.append(
                f"order {order['order_id']}: {order['filled']} filled, {quantity} at the desk"
            )
            continue
        price = sum((row["price"] * row["quantity"] for row in rows), Decimal(0)) / quantity
        if abs(price - exact(order["average"] or order["price"])) > price / 10**9:
            found.append(f"order {order['order_id']}: at {order['average']}, {price} at the desk")
    every = sum(len(rows) for rows in fills.values())
    matched = sum(len(rows) for rows in known.values())
    if every != matched:
        found.append(f"{every} fills at the desk, {matched} of orders that freqtrade knows")
    for trade in bot.rows("select * from trades where is_open = 0"):
        rows = known.get(trade["id"], [])
        fees = sum((row["fee"] for row in rows), Decimal(0))
        gains = sum((row["realized_pnl"] for row in rows), Decimal(0))
        funding = exact(trade["funding_fees"] or 0)
        # By its rates: its sum of an entry leaves the leverage out once the trade has ended.
        entry = "sell" if trade["is_short"] else "buy"
        theirs = sum(
            (
                exact(order["filled"])
                * exact(order["average"] or order["price"])
                * exact(trade["fee_open" if order["ft_order_side"] == entry else "fee_close"])
                for order in orders
                if order["ft_trade_id"] == trade["id"]
            ),
            Decimal(0),
        )
        for what, believed, true in (
            ("fees", theirs, fees),
            ("profit", exact(trade["close_profit_abs"] or 0), gains - fees + funding),
        ):
            if abs(believed - true) >= _CENT:
                found.append(
                    f"trade {trade['id']} {trade['pair']}: {what} {believed}, {true} at the desk"
                )
    return found


class Life:
    """The stages, on a desk and a freqtrade that are both stopped and started in between."""

    def __init__(
        self, programs: Path, server: Any, access: Access, folder: Path, port: int
    ) -> None:
        self.server = server
        self.desk = Desk(access.url)
        self.bot = Freqtrade(
            programs,
            folder,
            access,
            port,
            "Forced",
            unfilledtimeout={"entry": 20, "exit": 20, "exit_timeout_count": 0, "unit": "seconds"},
            # As market orders need it.
            entry_pricing={**_PRICING, "price_side": "other"},
            exit_pricing={**_PRICING, "price_side": "other"},
        )
        self.steps = Steps("freqtrade 2026.9", self.bot, self.desk, differences)

    def live(self) -> int:
        """Take every step; the exit code."""
        bot, step = self.bot, self.steps.step
        try:
            with step("start"):
                bot.start()
            with step("entry, long, with a stop on the exchange"):
                self._enter("BTC", "long")
                self._stopped("BTC")
            with step("restart of the bot"):
                bot.stop()
                bot.start()
                self._stopped("BTC")
            with step("restart of the desk"):
                self.server.restart()
                wait_for(lambda: bot.ask("GET", "status"), "the trade")
            with step("exit"):
                self._leave("BTC")
                wait_for(lambda: "BTC/USDT" not in self._positions(), "the exit")
            with step("an entry that is added to and reduced"):
                self._enter("BTC", "long", tag="adjust")
                wait_for(lambda: self._traded("BTC") == [1, -1, 1, 1, -1], "both", seconds=180)
                wait_for(self._stop_covers, "a stop for what is left", seconds=120)
            with step("exit of what is left"):
                self._leave("BTC")
                wait_for(lambda: "BTC/USDT" not in self._positions(), "the exit")
            with step("entry, short"):
                self._enter("ETH", "short", tag="close")
                self._stopped("ETH")
            with step("the stop moves"):
                first = self._stopped("ETH")["id"]
                wait_for(
                    lambda: self._stop("ETH").get("id", first) != first, "a moved stop", seconds=180
                )
            with step("the moved stop fires"):
                wait_for(lambda: "ETH/USDT" not in self._positions(), "the stop", seconds=300)
                wait_for(lambda: not bot.ask("GET", "status"), "its end in freqtrade", seconds=120)
            with step("a limit entry that times out"):
                price = float(self.desk.read("/prices")["prices"]["SOL/USDT"]["mark"]) * 0.97
                self._enter("SOL", "long", price=round(price, 3), filled=False)
                wait_for(
                    lambda: not self.desk.snapshot()["open_orders"], "the timeout", seconds=180
                )
            with step("a limit exit that times out"):
                self._enter("SOL", "long")
                self._stopped("SOL")
                price = float(self.desk.read("/prices")["prices"]["SOL/USDT"]["mark"]) * 1.03
                self._leave("SOL", ordertype="limit", price=round(price, 3))
                wait_for(lambda: self._limits("SOL"), "the exit order")
                wait_for(lambda: not self._limits("SOL"), "the timeout", seconds=180)
                self._stopped("SOL")
            with step("exit of the last"):
                self._leave("SOL")
                wait_for(lambda: not self._positions(), "the exit")
            with step("the balance, with nothing open"):
                wait_for(lambda: not bot.ask("GET", "status"), "the end of all trades")
                total = next(
                    row["balance"]
                    for row in bot.ask("GET", "balance")["currencies"]
                    if row["currency"] == "USDT"
                )
                balance = self.desk.snapshot()["balance"]
                assert abs(exact(total) - balance) < _CENT, (total, balance)
            self.steps.equal("the log has no error", bot.errors()[:5], [])
        finally:
            bot.stop()
        return self.steps.end()

    def _positions(self) -> Rows:
        return self.desk.positions(self.desk.snapshot())

    def _enter(
        self, base: str, side: str, tag: str = "", price: float | None = None, filled: bool = True
    ) -> None:
        members = {"price": price, "ordertype": "limit"} if price else {"ordertype": "market"}
        self.bot.ask(
            "POST",
            "forceenter",
            pair=f"{base}/USDT:USDT",
            side=side,
            entry_tag=tag or "forced",
            **members,
        )
        if filled:
            wait_for(lambda: f"{base}/USDT" in self._positions(), "the entry")

    def _leave(self, base: str, **members: Any) -> None:
        trade = next(
            row for row in self.bot.ask("GET", "status") if row["pair"] == f"{base}/USDT:USDT"
        )
        self.bot.ask(
            "POST",
            "forceexit",
            tradeid=str(trade["trade_id"]),
            **(members or {"ordertype": "market"}),
        )

    def _traded(self, base: str) -> list[int]:
        """The sides of all fills of a symbol: 1 of a buy, -1 of a sell."""
        rows = self.desk.read("/history/fills?limit=1000")["rows"]
        sides = [row["side"] for row in rows if row["symbol"] == f"{base}/USDT"]
        return [1 if side == "buy" else -1 for side in reversed(sides)]

    def _stop_covers(self) -> bool:
        # freqtrade leaves it as large as it was, where a part is left.
        held = self._positions()["BTC/USDT"]["quantity"]
        return bool(self._stop("BTC").get("quantity", 0) >= held)

    def _stop(self, base: str) -> Any:
        orders = self.desk.snapshot()["open_orders"]
        stops = [o for o in orders if o["symbol"] == f"{base}/USDT" and o["trigger_price"]]
        return stops[0] if stops else {}

    def _stopped(self, base: str) -> Any:
        return wait_for(lambda: self._stop(base), "a stop on the exchange", seconds=120)

    def _limits(self, base: str) -> list[Any]:
        orders = self.desk.snapshot()["open_orders"]
        return [o for o in orders if o["symbol"] == f"{base}/USDT" and not o["trigger_price"]]


def trade_for(minutes: float, programs: Path, access: Access, folder: Path, port: int) -> int:
    """Let the default configuration trade for that long; the exit code."""
    desk = Desk(access.url)
    bot = Freqtrade(
        programs,
        folder,
        access,
        port,
        "Often",
        pairlists=[
            {
                "method": "VolumePairList",
                "number_assets": 20,
                "sort_key": "quoteVolume",
                "min_value": 0,
                "refresh_period": 1800,
            }
        ],
    )
    steps = Steps(f"freqtrade 2026.9, {minutes:g} minutes", bot, desk, differences)
    start = time.monotonic()
    try:
        with steps.step("start"):
            bot.start()
        while time.monotonic() - start < minutes * 60:
            time.sleep(max(0.0, min(300.0, start + minutes * 60 - time.monotonic())))
            # Between two turns of freqtrade something is always under way; what has ended is not.
            steps.equal(
                f"what has ended after {(time.monotonic() - start) / 60:.0f} minutes",
                _settled(bot, desk),
                [],
            )
        bot.ask("POST", "stopentry")
        for trade in bot.ask("GET", "status"):
            bot.ask("POST", "forceexit", tradeid=str(trade["trade_id"]), ordertype="market")
        wait_for(lambda: not bot.ask("GET", "status"), "the end of all trades", seconds=300)
        with steps.step("the end"):
            assert not desk.snapshot()["positions"]
        total = next(
            row["balance"]
            for row in bot.ask("GET", "balance")["currencies"]
            if row["currency"] == "USDT"
        )
        balance = desk.snapshot()["balance"]
        steps.equal("the balance", abs(exact(total) - balance) < _CENT, True)
        trades = bot.rows("select * from trades where is_open = 0")
        reasons: dict[str, int] = {}
        for trade in trades:
            reasons[trade["exit_reason"]] = reasons.get(trade["exit_reason"], 0) + 1
        fills = desk.read("/history/fills?limit=1")["total"]
        lasted = (time.monotonic() - start) / 60
        print(f"{len(trades)} trades, {fills} fills in {lasted:.0f} minutes: {reasons}", flush=True)
        steps.equal("the log has no error", bot.errors()[:5], [])
    finally:
        bot.stop()
    return steps.end()


def _settled(bot: Freqtrade, desk: Desk) -> list[str]:
    """Differences of the records that stay for a minute."""
    return wait_for_none(lambda: records(bot, desk))


def wait_for_none(read: Any) -> list[str]:
    """What is still found after a minute of looking again."""
    start = time.monotonic()
    while (found := read()) and time.monotonic() - start < 60:
        time.sleep(1)
    return list(found)


__all__ = ["Life", "compare", "trade_for"]
