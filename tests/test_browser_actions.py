"""The dialogs do what they say, once, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.relay import Relay
from tests.screen import text, wait_for, wait_for_balance, wait_for_link, wait_for_toast, write
from tests.serving import Server

Opened = Callable[[str], Any]


def _open_money(browser: Any, action: str = "Deposit") -> None:
    wait_for_link(browser, "Live")
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    for label in browser.find_elements("#money-action label"):
        if label.text == action != "Deposit":  # which is chosen already
            label.click()
    browser.wait_for_text_to_equal("#money-confirm", action)


def _gone(browser: Any, dialog: str) -> None:
    wait_for(lambda: not browser.find_elements(f"#{dialog}"), f"the end of {dialog}")


@pytest.mark.parametrize(
    ("action", "amount", "balance", "pnl", "words"),
    [
        ("Deposit", "500", "$10,500.00", "$0.00", "Deposited 500.00 USDT. Balance 10,500.00."),
        ("Withdraw", "0.01", "$9,999.99", "$0.00", "Withdrew 0.01 USDT. Balance 9,999.99."),
        (
            "Adjust",
            "-12.30",
            "$9,987.70",
            "-$12.30",
            "Booked a loss of 12.30 USDT. Balance 9,987.70.",
        ),
        (
            "Set",
            "12345.67",
            "$12,345.67",
            "+$2,345.67",
            "Booked a gain of 2,345.67 USDT. Balance 12,345.67.",
        ),
    ],
)
def test_each_action_changes_the_balance_and_says_so(
    action: str,
    amount: str,
    balance: str,
    pnl: str,
    words: str,
    server: Server,
    open_browser: Opened,
) -> None:
    browser = open_browser(server.url)
    _open_money(browser, action)
    write(browser, "money-amount", amount)
    write(browser, "money-note", "by hand")
    browser.find_element("#money-confirm").click()
    wait_for_balance(browser, balance)
    wait_for_toast(browser, words)
    _gone(browser, "money-dialog")
    assert text(browser, "overview-pnl") == pnl
    newest = server.get("/virtual_balance/history").json()["entries"][0]
    assert (newest["note"], newest["source"]) == ("by hand", "screen")
    assert browser.get_logs() == []


def test_what_can_not_be_is_refused_with_figures_and_the_dialog_stays(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    _open_money(browser, "Withdraw")
    write(browser, "money-amount", "10000.01")
    browser.find_element("#money-confirm").click()
    refusal = "This needs 10,000.01 USDT, but only 10,000.00 are available."
    browser.wait_for_text_to_equal("#money-error", refusal)
    wait_for_toast(browser, refusal)
    write(browser, "money-amount", "1,5")
    browser.find_element("#money-confirm").click()
    browser.wait_for_contains_text("#money-error", "such as 1234.56")
    browser.find_element("#money-cancel").click()
    _gone(browser, "money-dialog")
    assert server.get().json()["revision"] == 1


def test_enter_confirms_and_digits_are_not_lost(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    _open_money(browser)
    # the amount has the focus, so a person can type at once; a float would not keep these digits
    field = browser.wait_for_element("#money-amount")
    wait_for(lambda: browser.driver.switch_to.active_element == field, "the focus")
    field.send_keys("123456789.12345678", Keys.ENTER)
    wait_for_toast(browser, "Deposited 123,456,789.12345678 USDT.")
    assert "123466789.12345678" in server.get().text


def test_a_reset_can_be_thought_better_of(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    browser.find_element("#sidebar-reset-balance-btn").click()
    field = browser.wait_for_element("#reset-amount")
    assert field.get_attribute("value") == "10000.00"
    browser.find_element("#reset-cancel").click()
    _gone(browser, "reset-dialog")
    browser.find_element("#sidebar-reset-balance-btn").click()
    browser.wait_for_element("#reset-amount").send_keys(Keys.ESCAPE)
    _gone(browser, "reset-dialog")
    assert server.get().json()["revision"] == 1


def test_what_got_no_answer_is_not_done_twice(server: Server, open_browser: Opened) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        _open_money(browser)
        write(browser, "money-amount", "40")
        # the stream, which was asked for before, goes on
        relay.mute = ("/virtual_balance",)
        browser.find_element("#money-confirm").click()
        browser.wait_for_contains_text("#money-error", "it will not be done twice")
        wait_for(lambda: server.balance() == 10_040, "the deposit on the server")
        relay.mute = ()
        browser.find_element("#money-confirm").click()
        _gone(browser, "money-dialog")
        wait_for_balance(browser, "$10,040.00")
        assert server.balance() == 10_040


def test_a_stopped_server_is_said_and_the_same_click_works_when_it_is_back(
    server: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    _open_money(browser)
    server.stop()
    write(browser, "money-amount", "7")
    browser.find_element("#money-confirm").click()
    browser.wait_for_contains_text("#money-error", "The server does not answer")
    start_server(port=server.port)
    browser.find_element("#money-confirm").click()
    wait_for_balance(browser, "$10,007.00")
    wait_for_toast(browser, "Deposited 7.00 USDT.")
