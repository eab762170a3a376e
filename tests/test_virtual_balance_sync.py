"""One balance everywhere, walked through as a person and their programs would use it.

Runs with the other tests, or by itself against a server that is running:

    .venv/bin/python tests/test_virtual_balance_sync.py --url http://127.0.0.1:8050

Against a running server it resets the account, whose history stays readable.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import requests
from dash.testing.browser import Browser

from tests.patience import patience
from tests.screen import (
    BUTTONS,
    PATHS,
    go,
    text,
    texts,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    write,
)
from tests.serving import Program

Opened = Callable[[str], Any]


class Api:
    """The endpoints of the server at ``url``."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str = "") -> dict[str, Any]:
        """What a GET answers."""
        response = requests.get(f"{self.url}/virtual_balance{path}", timeout=patience())
        assert response.status_code == 200, response.text
        return dict(response.json())

    def post(self, body: object = None, path: str = "") -> dict[str, Any]:
        """What a POST of ``body`` answers."""
        response = requests.post(f"{self.url}/virtual_balance{path}", json=body, timeout=patience())
        assert response.status_code == 200, response.text
        answer = dict(response.json())
        assert answer["status"] == "success"
        return answer


def walk(url: str, open_browser: Opened) -> None:
    """A day with one balance: endpoints, propagation, P&L and agreement across tabs."""
    api = Api(url)
    _begin(api)
    browsers = [open_browser(f"{url}{path}") for path in ("/", "/futures")]
    for browser in browsers:
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
    _trade(api, browsers)
    _agree(api, browsers)
    _reset_from_the_screen(api, browsers)


def _begin(api: Api) -> None:
    snapshot = api.post(None, "/reset")
    assert snapshot["balance"] == snapshot["starting_balance"] == 10_000
    assert snapshot["current_pnl"] == 0
    assert api.get()["revision"] == snapshot["revision"]


def _trade(api: Api, browsers: list[Browser]) -> None:
    """A bot wins and loses; each result is on every screen, and P&L is their sum."""
    results = (125.5, -40.25, 310.0, -95.75)
    before = api.get()["revision"]
    for count, result in enumerate(results, start=1):
        snapshot = api.post({"adjust": result, "note": "bot"})
        assert snapshot["revision"] == before + count
        assert snapshot["current_pnl"] == sum(results[:count])
        for browser in browsers:
            wait_for_balance(browser, snapshot["display"]["balance"])
    # money in is no gain
    snapshot = api.post({"deposit": 1_000})
    assert snapshot["current_pnl"] == sum(results)
    assert snapshot["pnl_percent"] == round(100 * sum(results) / 11_000, 8)
    # a program that only knows its own balance says what it is now
    snapshot = api.post({"balance": 11_500})
    assert snapshot["current_pnl"] == 500
    entries = api.get("/history?limit=7")["entries"]
    assert [entry["amount"] for entry in reversed(entries)] == [10_000, *results, 1_000, 200.5]


def _agree(api: Api, browsers: list[Browser]) -> None:
    """Every live text of every tab says what the endpoint says, and Sync finds it so."""
    display = api.get()["display"]
    for browser in browsers:
        fields = browser.driver.execute_script(
            "return Object.fromEntries("
            "[...document.querySelectorAll('[data-live]:not([data-symbol], [data-of])')]"
            ".map((each) => [each.id, each.dataset.live]))"
        )
        wanted = {each: display[field] for each, field in fields.items()}
        wait_for(
            lambda b=browser, w=wanted: w.items() <= texts(b).items(), "the same figures everywhere"
        )
        for place, tab in BUTTONS.items():
            go(browser, tab)
            browser.find_element(f"#{place}-sync-balance-btn").click()
            wait_for_toast(browser, f"In sync, revision {display['revision']}.")
        for tab in PATHS:
            go(browser, tab)
            assert browser.find_element("#virtual-balance").text == "$11,500.00"


def _reset_from_the_screen(api: Api, browsers: list[Browser]) -> None:
    first, second = browsers
    epoch = api.get()["epoch"]
    go(first, "futures")
    first.find_element("#futures-reset-balance-btn").click()
    write(first, "reset-amount", "10000")
    first.find_element("#reset-confirm").click()
    for browser in (first, second):
        wait_for_balance(browser, "$10,000.00")
        wait_for(lambda b=browser: text(b, "futures-pnl-display") == "$0.00", "no P&L")
    assert api.get()["epoch"] == epoch + 1
    assert len(api.get(f"/history?epoch={epoch}")["entries"]) == 7


def test_one_balance_is_in_sync_everywhere(program: Program, open_browser: Opened) -> None:
    opened: list[Browser] = []

    def open_and_keep(url: str) -> Browser:
        opened.append(open_browser(url))
        return opened[-1]

    walk(program.url, open_and_keep)
    for browser in opened:
        assert browser.get_logs() == []


def main() -> None:
    """Walk through it on the server that ``--url`` names."""
    from contextlib import ExitStack

    from tests.conftest import started_browser

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8050", help="where the server is")
    url = parser.parse_args().url.rstrip("/")
    with ExitStack() as running:

        def start(address: str) -> Browser:
            folder = running.enter_context(tempfile.TemporaryDirectory())
            return running.enter_context(started_browser(address, folder))

        walk(url, start)
    print(f"One balance is in sync everywhere at {url}.")


if __name__ == "__main__":
    main()
