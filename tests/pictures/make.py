"""Makes the pictures that README.md shows, from the running product.

.venv/bin/python tests/pictures/make.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conftest import started_browser
from tests.screen import text, wait_for, wait_for_link
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


if __name__ == "__main__":
    main()
