"""Overview in a browser: figures that say how they come about, the curve, and the first minute."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlparse

from selenium.webdriver.common.keys import Keys

from tests.screen import (
    all_texts,
    called,
    go,
    text,
    wait_for,
    wait_for_focus,
    wait_for_link,
    wait_for_toast,
)
from tests.serving import ROOT, Server
from tests.tour import press

Opened = Callable[[str], Any]

_SIGNS = {" ": 1, "": 1, "+": 1, "\N{MINUS SIGN}": -1}


def _trade(server: Server) -> None:
    """Money put in, a position of each side, and a part of one closed again."""
    for path, body in (
        ("/virtual_balance", {"deposit": 500.125, "note": "pocket money"}),
        ("/orders", {"symbol": "BTC/USDT", "side": "buy", "notional": 4_000, "leverage": 10}),
        ("/orders", {"symbol": "ETH/USDT", "side": "sell", "notional": 1_000, "leverage": 5}),
        ("/positions/BTC-USDT/close", {"percent": 50}),
    ):
        assert server.post(body, path).status_code == 200


def _open(browser: Any, figure: str) -> None:
    """Open how ``figure`` comes about, by keyboard."""
    browser.find_element(f"#{figure}").send_keys(Keys.ENTER)
    wait_for(lambda: browser.find_elements(".derivation tr"), f"how {figure} comes about")


def _close(browser: Any) -> None:
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not browser.find_elements("#derivation-body"), "the end of the dialog")


def _terms(browser: Any) -> list[tuple[str, str, str, str]]:
    """The terms of the dialog: sign, label, text, exact amount."""
    rows: list[tuple[str, str, str, str]] = browser.driver.execute_script(
        "return [...document.querySelectorAll('.derivation tr')].map((row) => ["
        "...[...row.cells].map((cell) => cell.textContent),"
        "row.cells[2].title.replace('Exactly ', '')])"
    )
    return [tuple(row) for row in rows]


def _place(browser: Any) -> int:
    """Which of its points the curve is read at."""
    return int(browser.find_element(".slider").get_attribute("aria-valuenow"))


def _symbols(browser: Any) -> list[str]:
    return all_texts(browser, "#overview-glance .symbol")


def _pressed(browser: Any, *keys: str) -> str:
    """What the slider of the curve says after ``keys``."""
    slider = browser.find_element(".slider")
    for key in keys:
        slider.send_keys(key)
    return str(slider.get_attribute("aria-valuetext"))


def test_a_figure_adds_up_and_leads_to_its_entries(server: Server, open_browser: Opened) -> None:
    _trade(server)
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    _open(browser, "overview-balance")
    *terms, (sign, _, shown, exact) = _terms(browser)
    summed = sum(_SIGNS[each] * Decimal(amount) for each, _, _, amount in terms)
    # to the last digit, and to what its card shows
    balance = json.loads(server.get().text, parse_float=Decimal)["balance"]
    assert (sign, shown) == ("=", text(browser, "overview-balance"))
    assert summed == Decimal(exact) == balance
    # it follows while it is open
    server.post({"deposit": 100})
    deposited = Decimal("600.125")
    wait_for(lambda: deposited in [Decimal(each[3]) for each in _terms(browser)], "the deposit")
    _close(browser)
    wait_for_focus(browser, "#overview-balance")
    _open(browser, "overview-equation-deposits")
    link = browser.find_element(".derivation a")
    asked = parse_qs(urlparse(link.get_attribute("href")).query)
    assert (asked["table"], asked["kind"]) == (["ledger"], ["deposit"])
    link.click()
    wait_for(lambda: "/history?" in browser.driver.current_url, "the history")
    wait_for(lambda: not browser.find_elements("#derivation-body"), "the end of the dialog")
    # the cards of another tab open it too
    go(browser, "futures")
    _open(browser, "futures-available-balance")
    assert _terms(browser)[-1][2] == text(browser, "futures-available-balance")
    _close(browser)
    assert browser.get_logs() == []


def test_terms_and_what_is_open_of_a_symbol_open_how_they_come_about_too(
    server: Server, open_browser: Opened
) -> None:
    _trade(server)
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")

    def title(wanted: str) -> None:
        wait_for(lambda: text(browser, "derivation-title") == wanted, wanted)

    def press(label: str) -> None:
        browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
        title(label)

    _open(browser, "overview-portfolio-value")
    browser.find_element(".derivation [data-derive=balance]").click()
    title("Wallet balance")
    assert _terms(browser)[0][1] == "Starting balance"
    # it leads back, with the focus
    wait_for_focus(browser, ".back")
    press("Total equity")
    assert not browser.find_elements("#derivation-body .back")
    _close(browser)
    _open(browser, "virtual-balance")
    assert _terms(browser)[-1][2] == text(browser, "virtual-balance")
    _close(browser)
    for place, label in (
        ("#overview-exposure-bars [data-derive]", "BTC/USDT long"),
        ("#overview-glance .pnl", "Unrealised P&L of BTC/USDT"),
        ("#overview-glance .roe", "ROE of BTC/USDT"),
        ("[data-derive='range:day:pnl']", "P&L of this range"),
        ("[data-derive='range:day:return_percent']", "Return of this range, time-weighted"),
    ):
        browser.find_element(place).click()
        title(label)
        assert len(_terms(browser)) >= 3
        _close(browser)
    assert "/futures" not in browser.driver.current_url
    assert browser.get_logs() == []


def test_the_curve_is_read_by_keyboard_and_its_flags_lead_to_entries(
    server: Server, open_browser: Opened
) -> None:
    _trade(server)
    browser = open_browser(server.url)
    wait_for(lambda: browser.find_elements("#overview-equity [data-points]"), "the curve")
    first = _pressed(browser, Keys.HOME)
    assert "equity $10,000.00" in first
    readout = browser.find_element("#overview-equity .readout").text
    assert all(told in readout for told in ("$10,000.00", first.split(": ")[0]))
    assert _place(browser) == 0
    _pressed(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert _place(browser) == 1
    # let go, it says what the account has now, whatever the prices do
    _pressed(browser, Keys.ESCAPE)
    equity = "document.querySelector('.readout [data-field=equity]').textContent"
    same = f"return {equity} === document.getElementById('overview-portfolio-value').textContent"
    wait_for(lambda: browser.driver.execute_script(same), "the newest equity")
    # a young account has no year behind it
    assert not browser.find_element("#overview-range-year").is_enabled()
    press(browser, "#overview-range-all")
    wait_for(lambda: text(browser, "overview-equity-figures").count("$") == 3, "its figures")
    browser.find_element("#overview-equity summary").click()
    rows = browser.find_element("#overview-equity .rows")
    wait_for(lambda: "$10,000.00" in rows.text, "the table")
    assert browser.find_elements(".flag[aria-label*=eposit]")
    browser.find_element(".flag").send_keys(Keys.ENTER)
    browser.wait_for_contains_text("#entry-dialog", "Deposit")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not browser.find_elements("#entry-dialog"), "the end of the entry")
    # the positions are there at a glance, each a link to where it is traded
    go(browser, "overview")
    assert _symbols(browser) == ["BTC/USDT", "ETH/USDT"]
    sides = browser.driver.execute_script(
        "return [...document.querySelectorAll('#overview-exposure-bars .bar')]"
        ".map((each) => each.dataset.side)"
    )
    assert sides == ["long", "short"]
    called(browser, "#overview-glance a", "ETH/USDT").click()
    wait_for(lambda: browser.driver.current_url.endswith("/futures"), "Futures Trading")
    assert browser.find_element("#futures-symbol").get_attribute("value") == "ETH/USDT"
    go(browser, "overview")
    browser.find_element("#overview-orders").click()
    wait_for(lambda: "No open orders" in text(browser, "futures-book-empty"), "the orders")
    assert browser.get_logs() == []


def test_the_first_minute_is_walked_through(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    act = browser.find_element("#overview-first-position-btn")
    wait_for(act.is_enabled, "what the order would do")
    words = text(browser, "overview-first-position-words")
    quantity = words.split()[1]
    act.click()
    wait_for_toast(browser, f"Bought {quantity} BTC/USDT")
    wait_for(lambda: browser.driver.current_url.endswith("/futures"), "Futures Trading")
    (position,) = server.get("/positions").json()["positions"]
    assert (str(position["quantity"]), position["leverage"]) == (quantity, 5)
    go(browser, "overview")
    wait_for(lambda: text(browser, "overview-first-progress") == "1 of 3 done", "the first tick")
    # what you hold no bot can trade: it is offered another symbol
    assert "ETH/USDT" in text(browser, "overview-first-bot-words")
    browser.find_element("#overview-first-bot-btn").click()
    wait_for(lambda: browser.driver.current_url.endswith("/auto"), "Auto Trading")
    (bot,) = server.get("/bots").json()["bots"]
    assert (bot["symbol"], bot["settings"]["strategy"], bot["status"]) == (
        *("ETH/USDT", "ema_crossover", "running"),
    )
    go(browser, "overview")
    wait_for(lambda: text(browser, "overview-first-progress") == "2 of 3 done", "the second tick")
    line = text(browser, "overview-first-python").replace("python", sys.executable, 1)
    subprocess.run(line, shell=True, cwd=ROOT, check=True, capture_output=True)
    subprocess.run(
        text(browser, "overview-first-curl"), shell=True, check=True, capture_output=True
    )
    wait_for(lambda: text(browser, "overview-first-progress").startswith("All"), "the last tick")
    assert server.get().json()["adjustments"] == 24.6
    # what is through does not come back, what was never begun does, until it is dismissed
    browser.driver.refresh()
    wait_for_link(browser, "Live")
    assert not browser.find_element("#overview-first").is_displayed()
    server.post(path="/virtual_balance/reset")
    wait_for(browser.find_element("#overview-first").is_displayed, "a new beginning")
    browser.find_element("#overview-first-dismiss").click()
    wait_for(lambda: not browser.find_element("#overview-first").is_displayed(), "its end")
    server.post(path="/virtual_balance/reset")
    wait_for(lambda: text(browser, "overview-epoch") == "3", "the next epoch")
    assert not browser.find_element("#overview-first").is_displayed()
    assert browser.get_logs() == []
