"""Makes the pictures that README.md and the manual show, from the running product.

.venv/bin/python tests/pictures/make.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dash.testing.browser import Browser

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.desk.settings import SettingsFile
from tests.bots_alone import write_walk
from tests.conftest import started_browser
from tests.screen import text, wait_for, wait_for_link, write
from tests.serving import Server

_PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
_BOTS: tuple[dict[str, Any], ...] = (
    {
        "name": "Trend",
        "symbol": "BTC/USDT",
        "strategy": "ema_crossover",
        "timeframe": "5m",
        "stop_loss": 1,
        "trailing_stop": 0.8,
    },
    {
        "name": "Back to the middle",
        "symbol": "ETH/USDT",
        "strategy": "bollinger_reversion",
        "timeframe": "1m",
        "stop_loss": 1,
    },
    {"name": "Breakout", "symbol": "ETH/USDT", "strategy": "donchian_breakout", "timeframe": "15m"},
    {"name": "My alerts", "symbol": "BTC/USDT", "strategy": "signals", "timeframe": "1h"},
)
_RESULTS = (182.4, -61.15, 240.05, -118.7, 95.2, 310.0, -45.5)


def main() -> None:
    """Take every picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "account") as server,
        started_browser(server.url, folder) as browser,
    ):
        _picture_of_overview(server, browser)
        browser.driver.set_window_size(1440, 1240)
        browser.driver.get(f"{server.url}/futures")
        wait_for_link(browser, "Live")
        write(browser, "futures-size", "2500")
        wait_for(lambda: "$" in text(browser, "futures-preview-cost"), "the preview")
        browser.wait_for_element("#futures-chart canvas")
        wait_for(lambda: browser.find_elements(".row-actions button"), "the positions")
        time.sleep(2)  # the chart draws itself
        browser.driver.save_screenshot(str(_PICTURES / "futures.png"))
    _picture_of_bots()


def _picture_of_overview(server: Server, browser: Browser) -> None:
    """A minute in which a program won and lost, money was put in, and positions were opened."""
    SettingsFile(server.folder).change({"theme": "light"})
    browser.driver.set_window_size(1440, 1360)
    wait_for_link(browser, "Live")
    browser.find_element("#overview-first-dismiss").click()
    for result in _RESULTS:
        server.post({"adjust": result, "note": "my bot"})
        time.sleep(8)
    server.post({"deposit": 250})
    _trade(server)
    time.sleep(8)
    wait_for(lambda: browser.find_elements(".flag"), "the flag of the deposit")
    browser.driver.save_screenshot(str(_PICTURES / "overview.png"))


def _picture_of_bots() -> None:
    """Four bots that have traded a walk for some hours of its time, and their trades."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--speed", "600"]
        for number, (name, price) in enumerate((("BTC", 43_000.0), ("ETH", 3_100.0))):
            write_walk(Path(folder) / f"{name}.csv", 3_000, price, number + 3)
            options += ["--feed", f"replay:{name}/USDT={folder}/{name}.csv"]
        with (
            Server(Path(folder) / "account", *options) as server,
            started_browser(server.url, folder) as browser,
        ):
            for members in _BOTS:
                made = server.post(members, "/bots").json()["bot"]["id"]
                server.post(None, f"/bots/{made}/start")
            browser.driver.set_window_size(1440, 1180)
            browser.driver.get(f"{server.url}/auto")
            wait_for_link(browser, "Live")
            time.sleep(45)  # seven and a half hours of the market
            browser.driver.execute_script("document.getElementById('toasts').replaceChildren()")
            browser.driver.save_screenshot(str(_PICTURES / "auto.png"))
            _picture_of_history(server, browser)


def _picture_of_history(server: Server, browser: Browser) -> None:
    """The trades that the bots have closed."""
    browser.driver.set_window_size(1440, 900)
    browser.driver.get(f"{server.url}/history?table=trades")
    wait_for_link(browser, "Live")
    wait_for(lambda: browser.find_elements("#history-grid .ag-row[row-id]"), "the trades")
    time.sleep(1)  # what has changed flashes
    browser.driver.execute_script("document.getElementById('toasts').replaceChildren()")
    browser.driver.save_screenshot(str(_PICTURES / "history.png"))


def _trade(server: Server) -> None:
    """Two positions and an order that waits."""
    bitcoin = server.get("/prices").json()["prices"]["BTC/USDT"]["last"]
    stops = {"take_profit": round(bitcoin * 1.004), "stop_loss": round(bitcoin * 0.996)}
    for order in (
        {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.15, "leverage": 20, **stops},
        {"symbol": "ETH/USDT", "side": "sell", "notional": 4_000, "leverage": 10},
        {"symbol": "SOL/USDT", "side": "buy", "type": "limit", "price": 100, "quantity": 20},
    ):
        server.post(order, "/orders")


if __name__ == "__main__":
    main()
