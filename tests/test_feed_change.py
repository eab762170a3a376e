"""Another feed, or the same one after a restart: nobody's position is ever marked with prices that
are not its own, and each market goes on where it was."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from balance.market.board import MARKET_FILE
from balance.store.advice import command
from balance.store.file_store import ACCOUNT_FILE
from balance.store.verification import verify
from tests.kept import kept
from tests.markets import BTC
from tests.patience import patience
from tests.screen import wait_for
from tests.serving import ROOT, Server

Started = Callable[..., Server]
BEGIN = datetime(2022, 1, 21, tzinfo=UTC)


@pytest.fixture
def candles(tmp_path: Path) -> str:
    """A replay in which Bitcoin begins at 100 and rises by 1 a minute, for ten hours."""
    path = tmp_path / "mine.csv"
    lines = ["time,open,high,low,close,volume"]
    for number in range(600):
        time, price = BEGIN + timedelta(minutes=number), 100 + number
        lines.append(f"{time:%Y-%m-%d %H:%M:%S},{price},{price + 1},{price},{price + 1},5")
    path.write_text("\n".join(lines))
    return f"replay:{BTC}={path}"


def live(server: Server) -> Any:
    """The quote of Bitcoin, as soon as it is live."""

    def quoted() -> Any:
        prices = server.get("/prices").json()["prices"]
        return prices.get(BTC, {}).get("state") == "live" and prices[BTC]

    wait_for(quoted, "a live price")
    return quoted()


def order(server: Server, side: str = "buy", quantity: float = 0.1, **members: Any) -> Any:
    """Place an order for Bitcoin."""
    answer = server.post({"symbol": BTC, "side": side, "quantity": quantity, **members}, "/orders")
    assert answer.status_code == 200, answer.text
    return answer.json()["order"]


def refused(folder: Path, *options: str) -> str:
    """What ``python app.py`` says when it does not start."""
    words = [sys.executable, str(ROOT / "app.py"), "--data-dir", str(folder), "--port", "0"]
    done = subprocess.run(
        [*words, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=patience(),
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_another_feed_is_refused_until_all_is_closed(
    folder: Path, start_server: Started, candles: str
) -> None:
    server = start_server()
    live(server)
    order(server)
    order(server, type="limit", price=1_000)
    assert server.stop() == 0
    before = (folder / ACCOUNT_FILE).read_bytes()
    assert refused(folder, "--feed", candles) == (
        "The feed replay:BTC/USDT=mine.csv can't be taken while BTC/USDT long and 1 order are open "
        "on simulated. Start as before and end that, or begin anew with "
        f"{command('reset', folder)}."
    )
    assert (folder / ACCOUNT_FILE).read_bytes() == before
    server = start_server()
    live(server)
    assert server.post(path="/positions/BTC/USDT/close").status_code == 200
    assert requests.delete(f"{server.url}/orders", timeout=patience()).status_code == 200
    balance = server.balance()
    assert server.stop() == 0
    server = start_server("--feed", candles)
    assert live(server)["last"] < 200
    assert server.balance() == balance
    order(server, quantity=10)
    assert server.get("/positions").json()["positions"][0]["feed"] == "replay:BTC/USDT=mine.csv"


def test_positions_of_another_feed_are_left_as_they_are(
    folder: Path, start_server: Started, candles: str
) -> None:
    server = start_server()
    quote = live(server)
    order(server, leverage=50, stop_loss=round(quote["mark"] * 0.99))
    order(server, side="sell", type="limit", price=round(quote["mark"] * 1.01))
    assert server.stop() == 0
    path = folder / ACCOUNT_FILE
    whole = path.read_bytes()
    # a damaged account does not say what is open, so any feed starts
    path.write_bytes(b"{")
    server = start_server("--feed", candles, "--speed", "600")
    assert server.get().status_code == 503
    path.write_bytes(whole)
    wait_for(lambda: server.get().status_code == 200, "the mended account")
    before = server.get().json()
    first = live(server)
    wait_for(lambda: live(server)["last"] > first["last"] + 10, "prices that move")
    now = server.get().json()
    assert now["tick"] > before["tick"]
    for name in ("revision", "balance", "portfolio_value", "positions", "open_orders"):
        assert now[name] == before[name], name
    (held,) = now["positions"]
    assert held["feed"] == "simulated"
    assert held["liquidation_price"] > now["market"]["prices"][BTC]["mark"] * 10
    refusal = server.post(path="/positions/BTC/USDT/close")
    assert refusal.status_code in (404, 422, 503), refusal.text
    assert "simulated" in refusal.json()["detail"]
    assert path.read_bytes() == whole


def test_the_simulated_market_goes_on_where_it_was(folder: Path, start_server: Started) -> None:
    server = start_server()
    begun = live(server)["last"]
    assert server.stop() == 0
    # as if it had run for weeks: one that began anew would be far away
    file = folder / MARKET_FILE
    document = kept(file)
    walk = document["saved"]["walk"]
    walk["logs"] = {each: value + math.log(1.3) for each, value in walk["logs"].items()}
    walk["marks"] = {each: value * 1.3 for each, value in walk["marks"].items()}
    file.write_text(json.dumps(document))
    server = start_server()
    assert live(server)["last"] == pytest.approx(begun * 1.3, rel=0.02)
    order(server, leverage=100)
    candles = ended_candles(server)
    last = live(server)["last"]
    assert server.stop() == 0
    server = start_server()
    assert live(server)["last"] == pytest.approx(last, rel=0.003)
    again = ended_candles(server)
    both = candles.keys() & again.keys()
    assert len(both) > 1_400
    assert all(candles[each] == again[each] for each in both)
    seen = live(server)
    wait_for(lambda: saved_time(file) >= seen["time"], "a file with these prices")
    last = live(server)["last"]
    server.kill()
    server = start_server()
    assert live(server)["last"] == pytest.approx(last, rel=0.003)
    (held,) = server.get("/positions").json()["positions"]
    assert held["mark_price"] == pytest.approx(last, rel=0.003)
    assert verify(folder).faults == ()


def saved_time(file: Path) -> str:
    """Of the newest price in the file of the market."""
    return str(json.loads(file.read_text())["quotes"][0]["time"])


def ended_candles(server: Server) -> dict[str, Any]:
    """The newest candles by their times, but for the running one."""
    candles = server.get(f"/candles/{BTC}?limit=1500").json()["candles"]
    return {each["time"]: each for each in candles[:-1]}


def test_a_replay_goes_on_where_it_was_unless_asked_for_another_time(
    folder: Path, start_server: Started, candles: str
) -> None:
    options = ("--feed", candles, "--speed", "60")
    server = start_server(*options)
    first = live(server)
    wait_for(lambda: live(server)["last"] >= first["last"] + 2, "some minutes")
    order(server, quantity=10, leverage=10)
    last = live(server)
    assert server.stop() == 0
    assert refused(folder, *options, "--from", "2022-01-21T03:00").startswith(
        "Another time can't be taken while BTC/USDT long is open on replay:BTC/USDT=mine.csv. "
    )
    server = start_server(*options)
    again = live(server)
    assert timedelta(0) < passed(last, again) < timedelta(minutes=10)
    wait_for(lambda: saved_time(folder / MARKET_FILE) >= again["time"], "a file with these prices")
    last = live(server)
    server.kill()
    server = start_server(*options)
    # a minute is a second here: a crash takes back what was told since the file was written
    assert -timedelta(minutes=2) < passed(last, live(server)) < timedelta(minutes=10)
    (held,) = server.get("/positions").json()["positions"]
    assert (held["quantity"], held["feed"]) == (10, "replay:BTC/USDT=mine.csv")
    assert server.post(path="/positions/BTC/USDT/close").status_code == 200
    assert server.stop() == 0
    server = start_server(*options, "--from", "2022-01-21T03:00")
    assert "2022-01-21T03:00" <= live(server)["time"] < "2022-01-21T03:10"


def passed(earlier: Any, later: Any) -> timedelta:
    """The market's time between two quotes."""
    return datetime.fromisoformat(later["time"]) - datetime.fromisoformat(earlier["time"])
