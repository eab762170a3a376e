"""One balance on every tab of every browser, whoever changes it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from balance import open_account
from tests.relay import Relay
from tests.screen import (
    BUTTONS,
    PATHS,
    go,
    text,
    texts,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    write,
)
from tests.serving import ROOT, Server

Opened = Callable[[str], Any]


def test_every_tab_shows_the_same_balance(server: Server, open_browser: Opened) -> None:
    server.post({"deposit": 1234.56})
    browser = open_browser(server.url)
    wait_for_balance(browser, "$11,234.56")
    for tab in PATHS:
        go(browser, tab)
        assert browser.find_element("#virtual-balance").text == "$11,234.56"
    go(browser, "futures")
    assert browser.find_element("#futures-virtual-balance").text == "$11,234.56"
    assert browser.find_element("#futures-total-balance").text == "$11,234.56"
    assert browser.find_element("#futures-available-balance").text == "$11,234.56"
    assert browser.get_logs() == []


def test_every_live_text_says_what_the_account_says(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    server.post({"adjust": -321.09})
    display = server.post({"deposit": 50}).json()["display"]
    fields = browser.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-live]:not([data-symbol])')]"
        ".map((each) => [each.id, each.dataset.live]))"
    )
    assert len(fields) > 30
    wanted = {each: display[field] for each, field in fields.items()}
    wait_for(
        lambda: wanted.items() <= texts(browser).items(),
        "the account's figures in every live text",
    )
    assert browser.find_element("#overview-pnl").get_attribute("data-tone") == "loss"
    assert text(browser, "overview-equation-adjustments") == "-$321.09"


def test_a_post_reaches_all_tabs_of_two_browsers(server: Server, open_browser: Opened) -> None:
    browsers = [open_browser(server.url), open_browser(f"{server.url}/futures")]
    for browser in browsers:
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
    server.post({"deposit": 77})
    for browser in browsers:
        wait_for_balance(browser, "$10,077.00")
        assert browser.get_logs() == []


def test_a_shell_and_another_process_reach_the_page(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    command = [sys.executable, "-m", "balance", "adjust", "-12.30"]
    subprocess.run([*command, "--data-dir", str(server.folder)], cwd=ROOT, check=True)
    wait_for_balance(browser, "$9,987.70")
    open_account(server.folder).deposit("0.30")
    wait_for_balance(browser, "$9,988.00")


def test_reset_from_every_place_reaches_another_browser(
    server: Server, open_browser: Opened
) -> None:
    browser, other = open_browser(server.url), open_browser(server.url)
    for number, (place, tab) in enumerate(BUTTONS.items(), start=1):
        balance = server.post({"adjust": 500}).json()["display"]["balance"]
        wait_for_balance(other, balance)
        go(browser, tab)
        browser.find_element(f"#{place}-reset-balance-btn").click()
        write(browser, "reset-amount", f"250{number}.50")
        browser.find_element("#reset-confirm").click()
        for each in (browser, other):
            wait_for_balance(each, f"$2,50{number}.50")
            wait_for(lambda each=each: text(each, "overview-pnl") == "$0.00", "no P&L")
            epoch = str(number + 1)
            wait_for(lambda b=each, e=epoch: text(b, "overview-epoch") == e, f"epoch {epoch}")
        wait_for_toast(browser, f"Reset to 2,50{number}.50 USDT. Epoch {epoch} begins; the history")
        wait_for(lambda: not browser.find_elements("#reset-dialog"), "the end of the dialog")
    assert browser.get_logs() == []
    assert other.get_logs() == []


def test_sync_from_every_place_fetches_and_says_what_it_found(
    server: Server, open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_link(browser, "Live")
        for number, (place, tab) in enumerate(BUTTONS.items(), start=1):
            balance = server.post({"deposit": 1}).json()["display"]["balance"]
            wait_for_balance(browser, balance)
            go(browser, tab)
            before = relay.paths.count("/virtual_balance")
            browser.find_element(f"#{place}-sync-balance-btn").click()
            wait_for_toast(browser, f"In sync, revision {number + 1}. Balance {balance}.")
            assert relay.paths.count("/virtual_balance") == before + 1
        assert browser.get_logs() == []


def test_sync_catches_up_where_nothing_else_did(server: Server, open_browser: Opened) -> None:
    with Relay(server.port) as relay:
        relay.refused = ("/virtual_balance/stream",)
        browser = open_browser(relay.url)
        wait_for_link(browser, "Polling")
        # without its interval the page stays behind until it is told
        browser.driver.execute_script(
            "dash_clientside.set_props('live-price-interval', {disabled: true})"
        )
        server.post({"deposit": 5})
        assert text(browser, "virtual-balance") == "$10,000.00"
        browser.find_element("#sidebar-sync-balance-btn").click()
        wait_for_toast(browser, "Was at revision 1, now in sync, revision 2. Balance $10,005.00.")
        wait_for_balance(browser, "$10,005.00")


def test_ten_tabs_of_a_browser_share_one_stream(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    for _ in range(9):
        browser.driver.execute_script("window.open(arguments[0])", server.url)
    wait_for(lambda: len(browser.driver.window_handles) == 10, "ten tabs")
    for handle in browser.driver.window_handles:
        browser.driver.switch_to.window(handle)
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
    server.post({"withdraw": 250})
    for handle in browser.driver.window_handles:
        browser.driver.switch_to.window(handle)
        wait_for_balance(browser, "$9,750.00")
    assert server.get("/health").json()["streams"] == 1
    assert browser.get_logs() == []


def test_an_idle_page_sends_nothing_beside_its_stream(server: Server, open_browser: Opened) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
        wait_for(lambda: text(browser, "overview-ledger"), "the newest entries")
        relay.paths.clear()
        time.sleep(30)
        assert relay.paths == []
        assert server.get("/health").json()["streams"] == 1
        # it is idle, not dead
        server.post({"deposit": 1})
        wait_for_balance(browser, "$10,001.00")


def test_an_older_snapshot_never_replaces_a_newer_one(server: Server, open_browser: Opened) -> None:
    old = server.get().json()
    server.post({"deposit": 10})
    browser = open_browser(server.url)
    wait_for_balance(browser, "$10,010.00")
    wait_for_link(browser, "Live")
    browser.driver.execute_script("window.balanceState.accept(arguments[0])", old)
    assert text(browser, "virtual-balance") == "$10,010.00"
    server.post({"deposit": 10})
    wait_for_balance(browser, "$10,020.00")


def test_the_store_holds_what_the_page_shows(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    server.post({"deposit": 3})

    def held() -> dict[str, Any]:
        found: dict[str, Any] = browser.driver.execute_script(
            "const {layout, paths} = dash_stores[0].getState();"
            "return paths.strs['balance-store'].reduce((at, key) => at[key], layout).props.data"
        )
        return found

    wait_for(lambda: held()["revision"] == 2, "revision 2 in balance-store")
    assert held()["balance"] == 10003
    assert held()["link"]["state"] == "live"
