"""The page below a path; with a proxy before it, ``tests/proxied.py`` has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.patience import wait_for
from tests.screen import text, wait_for_balance, wait_for_link
from tests.serving import Server


def test_the_page_is_whole_below_a_path(
    start_server: Callable[..., Server], open_browser: Callable[..., Any]
) -> None:
    server = start_server("--base-path", "/bot/")
    # Whoever comes without the proxy is led to where the page is behind it.
    browser = open_browser(f"{server.url}/futures")
    driver = browser.driver
    wait_for(lambda: driver.current_url == f"{server.url}/bot/futures", "the page below its path")
    wait_for_link(browser, "Live")
    server.post({"deposit": 1234.56}, "/bot/virtual_balance")
    wait_for_balance(browser, "$11,234.56")
    for tab in ("auto", "", "history"):
        browser.find_element(f'.tab-row a[href="/bot/{tab}"]').click()
        browser.wait_for_element(f"#{tab or 'overview'}-panel:not([hidden])")
        assert driver.current_url == f"{server.url}/bot/{tab}"
        if tab == "auto":
            # The key that a first start makes: drawn by callbacks in Python.
            wait_for(lambda: "bot" in text(browser, "auto-keys-list"), "the row of the key")
    wait_for(lambda: "1,234.56" in text(browser, "history-panel"), "the entry in History")
    # An entry is opened over the list, and is a part of the address.
    browser.find_element("#history-panel .ag-center-cols-container .ag-row").click()
    wait_for(lambda: f"{server.url}/bot/history?entry=" in driver.current_url, "its address")
    browser.wait_for_element("#entry-body a[href^='/bot/history']")
    assert browser.get_logs() == []
