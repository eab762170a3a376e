"""Enter in a dialog or a form does what the focused control says, and never sells what nobody has
asked to sell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.screen import (
    choose,
    go,
    keys,
    text,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    wait_until_gone,
    write,
)
from tests.serving import Server
from tests.tour import press

Opened = Callable[[str], Any]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a market that stands still: BTC/USDT at 40,000 bid, 40,000.1 asked."""
    folder = tmp_path_factory.mktemp("enter")
    file = folder / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close,volume\n2026-01-02T03:04,40000,40010,39990,40000,1\n")
    with Server(folder / "account", "--feed", f"replay:{file}", "--speed", "0.0001") as server:
        wait_for(lambda: server.get("/prices").json()["prices"], "the first price")
        yield server


@pytest.fixture(scope="module")
def page(still: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    return open_for_all(still.url + "/futures")


@pytest.fixture
def browser(still: Server, page: Any) -> Any:
    """The page on the Futures tab, with an account of 10,000 that holds nothing."""
    still.post({"balance": 10_000}, "/virtual_balance/reset")
    wait_for_balance(page, "$10,000.00")
    wait_for_link(page, "Live")
    go(page, "futures")
    page.get_logs()
    return page


def _edit(server: Server, browser: Any, side: str) -> None:
    """Open the dialog of a position that was opened at 40,000, as good as."""
    order = {"symbol": "BTC/USDT", "side": side, "quantity": 0.1, "leverage": 10}
    assert server.post(order, "/orders").status_code == 200
    edit = ".row-actions button[title^='Edit']"
    wait_for(lambda: browser.find_elements(edit), "the position's buttons")
    browser.find_element(edit).click()
    browser.wait_for_element("#position-dialog")


def _figures(browser: Any, id: str) -> str:
    """The text with its minus signs as a keyboard has them."""
    return text(browser, id).replace("\N{MINUS SIGN}", "-")


def _focused(browser: Any) -> str:
    return str(browser.driver.execute_script("return document.activeElement.id"))


def _quantity(server: Server) -> float | None:
    positions = server.get("/positions").json()["positions"]
    return positions[0]["quantity"] if positions else None


@pytest.mark.parametrize(
    ("side", "profit", "loss", "at_profit", "at_loss"),
    [
        ("buy", "41,000", "39,500", "+$99.58", "-$50.42"),
        ("sell", "39,000", "40,500", "+$99.60", "-$50.40"),
    ],
)
def test_enter_in_edit_saves_the_exits_and_sells_nothing(
    still: Server, browser: Any, side: str, profit: str, loss: str, at_profit: str, at_loss: str
) -> None:
    _edit(still, browser, side)
    wait_for(lambda: _focused(browser) == "position-take-profit", "the focus on the take-profit")
    keys(browser, Keys.ENTER)
    wait_until_gone(browser, "position-dialog")
    assert _quantity(still) == 0.1
    assert still.get("/orders").json()["orders"] == []
    browser.find_element(".row-actions button[title^='Edit']").click()
    wait_for(lambda: _focused(browser) == "position-take-profit", "the focus on the take-profit")
    # what the person decides by
    shown = {name: text(browser, f"position-{name}") for name in ("entry_price", "mark_price")}
    assert shown["mark_price"] == "40,000.00"
    assert shown["entry_price"] in ("40,004.20", "39,996.00")
    keys(browser, profit)
    about = "position-take-profit-about"
    wait_for(lambda: at_profit in _figures(browser, about), "the P&L at the take-profit")
    write(browser, "position-stop-loss", loss)
    about = "position-stop-loss-about"
    wait_for(lambda: at_loss in _figures(browser, about), "the P&L at the stop-loss")
    keys(browser, Keys.ENTER)
    wait_until_gone(browser, "position-dialog")
    (position,) = still.get("/positions").json()["positions"]
    assert position["quantity"] == 0.1
    found = (position["take_profit"], position["stop_loss"])
    assert found == tuple(float(each.replace(",", "")) for each in (profit, loss))
    assert browser.get_logs() == []


def test_closing_is_a_part_of_its_own_that_says_what_it_closes(still: Server, browser: Any) -> None:
    _edit(still, browser, "buy")
    wait_for(lambda: _focused(browser) == "position-take-profit", "the focus on the take-profit")
    close = browser.find_element("#position-close")
    assert browser.find_element("#position-quantity").get_attribute("value") == ""
    assert not close.is_enabled()
    browser.find_element("#position-part-25").click()
    wait_for(lambda: close.text == "Close 0.025 BTC", "what would be closed")
    # Enter in the field only goes on to the button
    browser.find_element("#position-quantity").send_keys(Keys.ENTER)
    wait_for(lambda: _focused(browser) == "position-close", "the focus on the button")
    assert _quantity(still) == 0.1
    keys(browser, Keys.ENTER)
    wait_for_toast(browser, "Sold 0.025 BTC/USDT")
    wait_until_gone(browser, "position-dialog")
    wait_for(lambda: _quantity(still) == 0.075, "what is left")


def test_an_exit_that_can_not_be_is_said_as_it_is_typed(still: Server, browser: Any) -> None:
    _edit(still, browser, "buy")
    wait_for(lambda: _focused(browser) == "position-take-profit", "the focus on the take-profit")
    keys(browser, "39,000")
    about = "position-take-profit-about"
    wait_for(lambda: "is reached already" in text(browser, about), "the refusal")
    write(browser, "position-take-profit", "41,00")
    wait_for(lambda: "more than one way" in text(browser, about), "how to write it")
    keys(browser, Keys.ENTER)
    wait_for(lambda: "more than one way" in text(browser, "position-error"), "the refusal")
    assert (_quantity(still), still.get("/orders").json()["orders"]) == (0.1, [])
    browser.find_element("#position-cancel").click()
    wait_until_gone(browser, "position-dialog")


def test_enter_in_the_other_dialogs_does_what_their_button_says(
    still: Server, browser: Any
) -> None:
    order = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.1, "leverage": 10}
    assert still.post(order, "/orders").status_code == 200
    resting = {**order, "type": "limit", "price": 30_000, "quantity": 0.01}
    assert still.post(resting, "/orders").status_code == 200
    # "Cancel all" and "Delete" ask by their own text, and only who has them focused presses them
    choose(browser, "futures-book", "Open orders")
    wait_for(lambda: browser.find_elements("#futures-cancel-all:not([hidden])"), "the button")
    cancel = browser.find_element("#futures-cancel-all")
    cancel.send_keys(Keys.ENTER)
    wait_for(lambda: cancel.text == "Cancel 1 order?", "the question")
    assert len(still.get("/orders").json()["orders"]) == 1
    choose(browser, "futures-book", "Positions")
    _questions_are_answered_with_no(still, browser)
    # a ticket that says nothing places nothing
    for field in ("futures-size", "futures-take-profit"):
        browser.driver.execute_script("document.getElementById(arguments[0]).focus()", field)
        keys(browser, Keys.ENTER)
    browser.find_element("#settings-btn").click()
    wait_for(lambda: _focused(browser) == "settings-maker-fee-percent", "the focus")
    keys(browser, Keys.ENTER)
    wait_until_gone(browser, "settings-dialog")
    assert _quantity(still) == 0.1
    assert len(still.get("/orders").json()["orders"]) == 1


def _questions_are_answered_with_no(still: Server, browser: Any) -> None:
    bot = {"symbol": "BTC/USDT", "strategy": "signals", "name": "Idle"}
    assert still.post(bot, "/bots").status_code in (200, 201)
    press(browser, ".row-actions [title^='Edit']")
    browser.wait_for_element("#position-dialog")
    browser.find_element("#position-reverse").click()
    wait_for(lambda: _focused(browser) == "reverse-cancel", "the focus on No")
    keys(browser, Keys.ENTER)
    wait_for(lambda: not browser.find_elements("#reverse-dialog"), "the end of the question")
    browser.find_element("#position-cancel").click()
    wait_until_gone(browser, "position-dialog")
    go(browser, "auto")
    press(browser, "#auto-bots [aria-label='Delete Idle']")
    wait_for(lambda: _focused(browser) == "bot-question-cancel", "the focus on No")
    keys(browser, Keys.ENTER)
    wait_until_gone(browser, "bot-question-dialog")
    assert len(still.get("/bots").json()["bots"]) == 1
    go(browser, "futures")
