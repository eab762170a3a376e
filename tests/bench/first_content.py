"""How long a page takes until it shows something, and until all of it is there, in a browser.

Each tab is opened in a browser that has never seen the product, and again in the same one, which by
then has its scripts. Times are by the page's own clock, from the start of the navigation on.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any, Final

from tests.conftest import BLANK, started_browser

VISITS: Final = 3
_PATIENCE_SECONDS: Final = 60

#: What is waited for on each tab: its path, and what holds once it is there.
PAGES: Final = {
    "Overview": (
        "/",
        {
            "first figures": "!!document.getElementById('overview-balance')?.textContent",
            "curve": "!!document.querySelector('#overview-equity [data-points]')",
            "newest entries": "!!document.querySelector('#overview-ledger a')",
            "performance": (
                "/\\d/.test(document.getElementById("
                "'overview-performance-max-drawdown-percent')?.textContent)"
            ),
        },
    ),
    "History": (
        "/history",
        {
            "first figures": "!!document.getElementById('virtual-balance')?.textContent",
            "first rows": "!!document.querySelector('#history-grid .ag-row[row-id] .ag-cell')",
        },
    ),
}
# notes at each frame what has come, so that nothing is asked of a page that is still at work
_WATCH: Final = """
    window.firstContent = {};
    const wanted = %s;
    const look = () => {
        for (const [name, is] of Object.entries(wanted)) {
            if (!(name in firstContent) && is()) firstContent[name] = performance.now();
        }
        if (Object.keys(firstContent).length < Object.keys(wanted).length)
            requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
"""


def first_contents(url: str) -> dict[str, float]:
    """Milliseconds until each part of the tabs was there: "Overview, new browser: curve, ms"."""
    found: dict[str, float] = {}
    for page, (path, parts) in PAGES.items():
        new, again = _visited(url + path, parts)
        for name in parts:
            found[f"{page}, new browser: {name}, ms"] = new[name]
            found[f"{page}, again: {name}, ms"] = again[name]
    return found


def _visited(address: str, parts: dict[str, str]) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of the first visits of new browsers, and of later ones."""
    new, again = [], []
    for _ in range(VISITS):
        with (
            tempfile.TemporaryDirectory() as folder,
            started_browser(BLANK, folder) as browser,
        ):
            wanted = ", ".join(f"{name!r}: () => {is_there}" for name, is_there in parts.items())
            browser.driver.execute_cdp_cmd(
                "Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH % f"{{{wanted}}}"}
            )
            new.append(_visit(browser, address, len(parts)))
            again.append(_visit(browser, address, len(parts)))
    return _medians(new), _medians(again)


def _visit(browser: Any, address: str, parts: int) -> dict[str, float]:
    browser.driver.get(BLANK)
    browser.driver.get(address)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found: dict[str, float] = browser.driver.execute_script("return window.firstContent")
        if len(found) == parts:
            return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"{address} shows only {found}")
        time.sleep(0.2)


def _medians(visits: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in visits) for name in visits[0]}
