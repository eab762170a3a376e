"""Makes the pictures that README.md shows, from the running product.

.venv/bin/python tests/pictures/make.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conftest import started_browser
from tests.screen import text, wait_for, wait_for_link, write
from tests.serving import Server

_HERE = Path(__file__).resolve().parent
_RESULTS = (182.4, -61.15, 240.05, -118.7, 95.2, 310.0, -45.5)


def main() -> None:
    """Take every picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder) / "account") as server,
        started_browser(server.url, folder) as browser,
    ):
        server.post({"deposit": 2_500})
        for result in _RESULTS:
            server.post({"adjust": result, "note": "my bot"})
        browser.driver.set_window_size(1280, 860)
        browser.driver.execute_script("localStorage.setItem('theme', 'light')")
        browser.driver.refresh()
        wait_for_link(browser, "Live")
        wait_for(lambda: "ago" in text(browser, "overview-ledger"), "the newest entries")
        browser.driver.save_screenshot(str(_HERE / "overview.png"))
        _trade(server)
        browser.driver.set_window_size(1440, 1240)
        browser.driver.get(f"{server.url}/futures")
        wait_for_link(browser, "Live")
        write(browser, "futures-size", "2500")
        wait_for(lambda: "$" in text(browser, "futures-preview-cost"), "the preview")
        browser.wait_for_element("#futures-chart canvas")
        wait_for(lambda: browser.find_elements(".row-actions button"), "the positions")
        time.sleep(2)  # the chart draws itself
        browser.driver.save_screenshot(str(_HERE / "futures.png"))


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
