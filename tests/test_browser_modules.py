"""A module of the page that does not come is said, and fetched again when it is needed next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.conftest import BLANK
from tests.screen import wait_for, wait_for_link, wait_for_toast
from tests.serving import Server


def block(browser: Any, paths: Iterable[str]) -> None:
    """Have none of ``paths`` come, and what was blocked before come again."""
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": [f"*{p}*" for p in paths]})


def test_a_module_that_does_not_come_is_said_and_comes_later(
    server: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = open_browser(BLANK)
    block(browser, ["futures/book.js"])
    browser.server_url = f"{server.url}/futures"
    wait_for_toast(browser, "A part of this page did not come from the server.")
    # the others are not concerned
    server.post({"deposit": 5})
    browser.wait_for_text_to_equal("#futures-virtual-balance", "$10,005.00")
    block(browser, [])
    # nothing else has to happen for it
    empty = "return document.getElementById('futures-book-empty').textContent"
    wait_for(lambda: browser.driver.execute_script(empty), "what stands without positions")
    block(browser, ["live.js"])
    browser.driver.get(server.url)
    wait_for(
        lambda: "The page did not come whole" in browser.find_element("body").text,
        "what is missing",
    )
    block(browser, [])
    browser.driver.get(server.url)
    wait_for_link(browser, "Live")
    browser.get_logs()
