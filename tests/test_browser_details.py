"""What opens over the page says so where the server is gone, and comes by itself later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.keys import Keys

from tests.screen import all_texts, text, wait_for, wait_for_link
from tests.serving import Server

_GONE = "The server does not answer. This comes when it is back."


def _says_it_is_gone(browser: Any, name: str) -> bool:
    """Whether the dialog called ``name`` is empty and says why."""
    return all_texts(browser, f"#{name}-body:empty + .problem") == [_GONE]


def test_what_is_opened_without_a_server_comes_when_it_is_back(
    server: Server, start_server: Callable[..., Server], open_browser: Callable[[str], Any]
) -> None:
    server.post({"deposit": 5, "note": "pocket money"})
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    wait_for(lambda: browser.find_elements("#overview-ledger a"), "the newest entries")
    server.kill()
    wait_for_link(browser, "Offline")
    browser.find_element("#virtual-balance").send_keys(Keys.ENTER)
    wait_for(lambda: _says_it_is_gone(browser, "derivation"), "why it is empty")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not browser.find_elements("#derivation-body"), "the end of the dialog")
    browser.find_element("#overview-ledger a").click()
    wait_for(lambda: _says_it_is_gone(browser, "entry"), "why the entry is empty")
    again = start_server(port=server.port)
    wait_for(lambda: "pocket money" in text(browser, "entry-body"), "the entry")
    assert text(browser, "entry-title") == "Deposit, entry 2"
    assert not _says_it_is_gone(browser, "entry")
    # the newest entry has a later one as soon as something happens
    assert not browser.find_element("#entry-after").is_enabled()
    again.post({"deposit": 6})
    wait_for(browser.find_element("#entry-after").is_enabled, "a later one")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not browser.find_elements("#entry-dialog"), "the end of the entry")
    assert browser.driver.current_url == f"{server.url}/history"
