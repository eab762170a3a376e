"""A page of a server that follows another one, when that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.screen import go, text, wait_for, wait_for_toast
from tests.serving import Server


def test_a_page_of_the_second_server_goes_on_without_a_reload(
    start_server: Callable[..., Server], open_browser: Callable[..., Any]
) -> None:
    first, second = start_server(), start_server()
    browser = open_browser(second.url)
    go(browser, "auto")
    new = browser.find_element("#auto-new-bot")
    wait_for(lambda: not new.is_enabled(), "no bots here")
    assert "Another server" not in text(browser, "auto-bots-words")
    browser.driver.execute_script("window.isTheSamePage = true")
    first.kill()
    wait_for_toast(browser, "The other server has ended. This one brings the prices now")
    wait_for(new.is_enabled, "bots that can be made here")
    assert browser.driver.execute_script("return window.isTheSamePage")
    made = second.post({"deposit": 5}).json()["display"]["balance"]
    wait_for(lambda: text(browser, "virtual-balance") == made, "the balance")
    # who comes later has nothing to hear of
    later = open_browser(second.url)
    wait_for(lambda: text(later, "virtual-balance") == made, "the balance on a new page")
    assert not later.find_elements("#toasts .toast-box")
