"""The dialogs do what they say, once, and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from balance.store.lock import account_lock
from tests.relay import Relay
from tests.screen import (
    choose,
    text,
    wait_for,
    wait_for_balance,
    wait_for_focus,
    wait_for_link,
    wait_for_toast,
    wait_until_gone,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, whose account each test begins anew."""
    with Server(tmp_path_factory.mktemp("actions") / "account") as running:
        yield running


@pytest.fixture(scope="module")
def page(server: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    return open_for_all(server.url)


@pytest.fixture
def browser(server: Server, page: Any) -> Any:
    """The page, live on an account of 10,000."""
    server.post(path="/virtual_balance/reset")
    wait_for_balance(page, "$10,000.00")
    wait_for_link(page, "Live")
    page.get_logs()
    return page


def _open_money(browser: Any, action: str = "Deposit") -> None:
    browser.find_element("#sidebar-money-btn").click()
    browser.wait_for_element("#money-dialog")
    choose(browser, "money-action", action)
    browser.wait_for_text_to_equal("#money-confirm", action)


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
    browser: Any,
) -> None:
    _open_money(browser, action)
    write(browser, "money-amount", amount)
    write(browser, "money-note", "by hand")
    browser.find_element("#money-confirm").click()
    wait_for_balance(browser, balance)
    wait_for_toast(browser, words)
    wait_until_gone(browser, "money-dialog")
    assert text(browser, "overview-pnl") == pnl
    newest = server.get("/virtual_balance/history").json()["entries"][0]
    assert (newest["note"], newest["source"]) == ("by hand", "screen")
    assert browser.get_logs() == []


def test_what_can_not_be_is_refused_with_figures_and_the_dialog_stays(
    server: Server, browser: Any
) -> None:
    before = server.get().json()["revision"]
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
    wait_until_gone(browser, "money-dialog")
    assert server.get().json()["revision"] == before


def test_enter_confirms_and_digits_are_not_lost(server: Server, browser: Any) -> None:
    # which of the actions is chosen stays from one time to the next
    _open_money(browser, "Deposit")
    browser.find_element("#money-cancel").click()
    wait_until_gone(browser, "money-dialog")
    browser.find_element("#sidebar-money-btn").click()
    # the amount has the focus, so a person can type at once; a float would not keep these digits
    field = browser.wait_for_element("#money-amount")
    wait_for(lambda: browser.driver.switch_to.active_element == field, "the focus")
    field.send_keys("123456789.12345678", Keys.ENTER)
    wait_for_toast(browser, "Deposited 123,456,789.12345678 USDT.")
    assert "123466789.12345678" in server.get().text
    wait_until_gone(browser, "money-dialog")


def test_a_reset_can_be_thought_better_of(server: Server, browser: Any) -> None:
    before = server.get().json()["revision"]
    browser.find_element("#sidebar-reset-balance-btn").click()
    field = browser.wait_for_element("#reset-amount")
    assert field.get_attribute("value") == "10000.00"
    browser.find_element("#reset-cancel").click()
    wait_until_gone(browser, "reset-dialog")
    browser.find_element("#sidebar-reset-balance-btn").click()
    browser.wait_for_element("#reset-amount").send_keys(Keys.ESCAPE)
    wait_until_gone(browser, "reset-dialog")
    assert server.get().json()["revision"] == before


def test_what_got_no_answer_is_not_done_twice_and_a_stopped_server_is_said(
    start_server: Callable[..., Server], open_browser: Opened
) -> None:
    server = start_server()
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_link(browser, "Live")
        _open_money(browser)
        write(browser, "money-amount", "40")
        # the stream, which was asked for before, goes on
        relay.mute = ("/_dash-update-component",)
        browser.find_element("#money-confirm").click()
        browser.wait_for_contains_text("#money-error", "it will not be done twice")
        wait_for(lambda: server.balance() == 10_040, "the deposit on the server")
        relay.mute = ()
        browser.find_element("#money-confirm").click()
        wait_until_gone(browser, "money-dialog")
        wait_for_balance(browser, "$10,040.00")
        assert server.balance() == 10_040
        # the same click works when the server is back
        _open_money(browser)
        write(browser, "money-amount", "7")
        server.stop()
        # what was typed waits for it
        browser.wait_for_element("#money-confirm:disabled")
        browser.wait_for_contains_text("#link-note", "The server does not answer")
        start_server(port=server.port)
        browser.wait_for_element("#money-confirm:enabled")
        wait_for_focus(browser, "#money-amount")
        browser.find_element("#money-confirm").click()
        wait_for_balance(browser, "$10,047.00")
        wait_for_toast(browser, "Deposited 7.00 USDT.")


def test_what_got_no_answer_is_not_done_twice_whatever_is_asked_for_in_between(
    server: Server, open_browser: Opened
) -> None:
    server.post(path="/virtual_balance/reset")
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_link(browser, "Live")
        _open_money(browser)
        write(browser, "money-amount", "40")
        relay.mute = ("/_dash-update-component",)
        browser.find_element("#money-confirm").click()
        browser.wait_for_contains_text("#money-error", "it will not be done twice")
        relay.mute = ()
        browser.find_element("#money-cancel").click()
        wait_until_gone(browser, "money-dialog")
        browser.find_element("#theme-btn").click()
        wait_for(lambda: "/settings" in relay.paths, "another request")
        _open_money(browser)
        write(browser, "money-amount", "40")
        browser.find_element("#money-confirm").click()
        wait_until_gone(browser, "money-dialog")
        words = "It was done the first time. Deposited 40.00 USDT. Balance 10,040.00."
        wait_for_toast(browser, words)
        assert server.balance() == 10_040


def _kinds(server: Server, kind: str) -> int:
    return len(server.get(f"/virtual_balance/history?kind={kind}&limit=1000").json()["entries"])


@pytest.mark.parametrize(
    ("opens", "field", "amount", "kind", "balance"),
    [
        ("sidebar-money-btn", "money-amount", "250", "deposit", "$10,250.00"),
        ("sidebar-reset-balance-btn", "reset-amount", "7000", "reset", "$7,000.00"),
    ],
)
def test_enter_again_and_again_on_a_slow_server_books_once(
    opens: str, field: str, amount: str, kind: str, balance: str, server: Server, browser: Any
) -> None:
    before = _kinds(server, kind)
    browser.find_element(f"#{opens}").click()
    write(browser, field, amount)
    with account_lock(server.folder / "virtual_balance.lock"):
        for _ in range(4):
            browser.find_element(f"#{field}").send_keys(Keys.ENTER)
    wait_until_gone(browser, field.replace("amount", "dialog"))
    wait_for_balance(browser, balance)
    assert _kinds(server, kind) == before + 1
