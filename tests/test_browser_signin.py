"""A browser is asked for the token once, and then has the balance live like any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.keys import Keys

from tests.conftest import BLANK
from tests.screen import text, wait_for_balance, wait_for_link
from tests.serving import Server

TOKEN = "a token that is long"


def test_a_person_signs_in_and_stays_signed_in(
    start_server: Callable[..., Server], open_browser: Callable[[str], Any]
) -> None:
    server = start_server("--token", TOKEN)
    browser = open_browser(BLANK)
    browser.driver.get(server.url)
    field = browser.wait_for_element("input[name=token]")
    field.send_keys("not the token", Keys.ENTER)
    browser.wait_for_contains_text("p", "That is not the token.")
    browser.find_element("input[name=token]").send_keys(TOKEN, Keys.ENTER)
    wait_for_link(browser, "Live")
    server.post({"deposit": 5}, headers={"Authorization": f"Bearer {TOKEN}"})
    wait_for_balance(browser, "$10,005.00")
    browser.driver.get(f"{server.url}/auto")
    wait_for_balance(browser, "$10,005.00")
    assert "Authorization: Bearer TOKEN" in text(browser, "auto-snippet-http")
    assert TOKEN not in browser.driver.page_source
