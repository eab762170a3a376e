"""A reset is told on every page with a way back, which says what it would end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.keys import Keys

from tests.screen import (
    go,
    keys,
    text,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    wait_until_gone,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]
TOLD = "Reset to $2,500.50. Epoch 2 begins; the history is kept."


def test_a_reset_is_undone_from_another_page_and_a_later_one_with_a_question(
    server: Server, open_browser: Opened
) -> None:
    server.post({"adjust": 34})
    first, second = open_browser(server.url), open_browser(server.url + "/history")
    for browser in (first, second):
        wait_for_link(browser, "Live")
    first.find_element("#sidebar-reset-balance-btn").click()
    assert "You can undo it until the next reset." in first.wait_for_element("#reset-dialog").text
    write(first, "reset-amount", "2500.50")
    first.find_element("#reset-confirm").click()
    wait_for_balance(second, "$2,500.50")
    for browser in (first, second):
        wait_for_toast(browser, TOLD)
        assert len(browser.find_elements(".toast-box")) == 1
    # nothing has happened since, so nothing is asked
    second.find_element(".toast-box.asks .btn").click()
    wait_for_balance(first, "$10,034.00")
    wait_for_toast(second, "The reset is undone: epoch 3 goes on where epoch 1 ended.")
    wait_for_toast(first, "Epoch 3 begins with a balance of $10,034.00.")
    for browser in (first, second):
        offered = "return document.querySelectorAll('.toast-box.asks').length"
        assert browser.driver.execute_script(offered) == 0, "what is undone can't be undone"
    # a reset by a program is told as well, and undone later with a key
    server.post({"balance": 700}, "/virtual_balance/reset")
    wait_for_toast(first, "Reset to $700.00. Epoch 4 begins")
    server.post({"deposit": 50})
    wait_for_balance(first, "$750.00")
    first.find_element(".toast-box.asks .btn-close").click()
    keys(first, "u")
    question = first.wait_for_element("#undo-dialog")
    assert "Epoch 4 ends, with a balance of $750.00 and a P&L of $0.00 now." in question.text
    first.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_until_gone(first, "undo-dialog")
    assert server.balance() == 750
    keys(first, "u")
    first.wait_for_element("#undo-confirm").click()
    wait_for_balance(second, "$10,034.00")
    wait_for_toast(first, "epoch 5 goes on where epoch 3 ended")
    keys(first, "u")
    wait_for_toast(first, "There is no reset to undo: that was done already")
    first.driver.get_log("browser")  # which has the answer 409
    assert second.get_logs() == []


def test_a_question_that_was_overtaken_undoes_nothing(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    server.post(path="/virtual_balance/reset")
    server.post({"deposit": 5})
    wait_for_balance(browser, "$10,005.00")
    go(browser, "auto")
    keys(browser, "u")
    button = browser.wait_for_element("#undo-confirm")
    server.post({"deposit": 6})
    wait_for_balance(browser, "$10,011.00")
    button.click()
    wait_for_toast(browser, "The account is at revision 4, not 3.")
    assert text(browser, "virtual-balance") == "$10,011.00"
    assert server.get().json()["epoch"] == 2
