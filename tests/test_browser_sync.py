"""One balance on every tab of every browser, whoever changes it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from balance import open_account
from tests.length import rounds
from tests.page_modules import run
from tests.processes import ROOT
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
    wait_until_gone,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]

#: One more than a browser has connections to a server.
TABS = rounds(7, 10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, whose account each test begins anew."""
    with Server(tmp_path_factory.mktemp("sync") / "account") as running:
        yield running


@pytest.fixture(scope="module")
def pages(server: Server, open_for_all: Opened) -> list[Any]:
    """Two browsers, one of them on another tab."""
    return [open_for_all(server.url), open_for_all(f"{server.url}/futures")]


@pytest.fixture
def browsers(server: Server, pages: list[Any]) -> Iterator[list[Any]]:
    """The two browsers, live on an account of 10,000; neither may have logged anything."""
    server.post(path="/virtual_balance/reset")
    for each in pages:
        wait_for_balance(each, "$10,000.00")
        wait_for_link(each, "Live")
    yield pages
    for each in pages:
        assert each.get_logs() == []


@pytest.fixture
def browser(browsers: list[Any]) -> Any:
    """The first of the two, on its first tab."""
    go(browsers[0], "overview")
    return browsers[0]


def test_every_tab_shows_the_same_balance(server: Server, browser: Any) -> None:
    server.post({"deposit": 1234.56})
    wait_for_balance(browser, "$11,234.56")
    for tab in PATHS:
        go(browser, tab)
        assert browser.find_element("#virtual-balance").text == "$11,234.56"
    go(browser, "futures")
    assert browser.find_element("#futures-virtual-balance").text == "$11,234.56"
    assert browser.find_element("#futures-total-balance").text == "$11,234.56"
    assert browser.find_element("#futures-available-balance").text == "$11,234.56"


def test_every_live_text_says_what_the_account_says(server: Server, browser: Any) -> None:
    server.post({"adjust": -321.09})
    display = server.post({"deposit": 50}).json()["display"]
    fields = browser.driver.execute_script(
        "const live = document.querySelectorAll('[data-live]:not([data-symbol], [data-of])');"
        "return Object.fromEntries([...live].map((each) => [each.id, each.dataset.live]))"
    )
    assert len(fields) > 30
    wanted = {each: display[field] for each, field in fields.items()}
    wait_for(
        lambda: wanted.items() <= texts(browser).items(),
        "the account's figures in every live text",
    )
    assert browser.find_element("#overview-pnl").get_attribute("data-tone") == "loss"
    assert text(browser, "overview-equation-adjustments") == "-$321.09"


def test_a_post_reaches_all_tabs_of_two_browsers(server: Server, browsers: list[Any]) -> None:
    server.post({"deposit": 77})
    for browser in browsers:
        wait_for_balance(browser, "$10,077.00")


def test_a_shell_and_another_process_reach_the_page(server: Server, browser: Any) -> None:
    command = [sys.executable, "-m", "balance", "adjust", "-12.30"]
    subprocess.run([*command, "--data-dir", str(server.folder)], cwd=ROOT, check=True)
    wait_for_balance(browser, "$9,987.70")
    open_account(server.folder).deposit("0.30")
    wait_for_balance(browser, "$9,988.00")


def test_reset_from_every_place_reaches_another_browser(
    server: Server, browsers: list[Any]
) -> None:
    browser, other = browsers
    first = server.get().json()["epoch"]
    for number, (place, tab) in enumerate(BUTTONS.items(), start=1):
        balance = server.post({"adjust": 500}).json()["display"]["balance"]
        wait_for_balance(other, balance)
        go(browser, tab)
        browser.find_element(f"#{place}-reset-balance-btn").click()
        write(browser, "reset-amount", f"250{number}.50")
        browser.find_element("#reset-confirm").click()
        epoch = str(first + number)
        for each in (browser, other):
            wait_for_balance(each, f"$2,50{number}.50")
            wait_for(lambda each=each: text(each, "overview-pnl") == "$0.00", "no P&L")
            wait_for(lambda b=each, e=epoch: text(b, "overview-epoch") == e, f"epoch {epoch}")
        wait_for_toast(browser, f"Reset to $2,50{number}.50. Epoch {epoch} begins; the history")
        wait_until_gone(browser, "reset-dialog")


def test_an_older_snapshot_never_replaces_a_newer_one(server: Server, browser: Any) -> None:
    old = server.get().json()
    server.post({"deposit": 10})
    wait_for_balance(browser, "$10,010.00")
    run(browser, {"accept": "balance.js"}, "accept(arguments[0])", old)
    assert text(browser, "virtual-balance") == "$10,010.00"
    server.post({"deposit": 10})
    wait_for_balance(browser, "$10,020.00")


def test_the_store_holds_what_the_page_shows(server: Server, browser: Any) -> None:
    revision = server.post({"deposit": 3}).json()["revision"]

    def held() -> dict[str, Any]:
        found: dict[str, Any] = browser.driver.execute_script(
            "const {layout, paths} = dash_stores[0].getState();"
            "return paths.strs['balance-store'].reduce((at, key) => at[key], layout).props.data"
        )
        return found

    wait_for(lambda: held()["revision"] == revision, f"revision {revision} in balance-store")
    assert held()["balance"] == 10003
    assert held()["link"]["state"] == "live"


def test_many_tabs_of_a_browser_share_one_stream(server: Server, browser: Any) -> None:
    driver = browser.driver
    first = driver.current_window_handle
    for _ in range(TABS - 1):
        driver.execute_script("window.open(arguments[0])", server.url)
    wait_for(lambda: len(driver.window_handles) == TABS, f"{TABS} tabs")
    for handle in driver.window_handles:
        driver.switch_to.window(handle)
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
    server.post({"withdraw": 250})
    for handle in driver.window_handles:
        driver.switch_to.window(handle)
        wait_for_balance(browser, "$9,750.00")
    # beside that of the other browser
    assert server.get("/health").json()["streams"] == 2
    for handle in driver.window_handles:
        if handle != first:
            driver.switch_to.window(handle)
            assert browser.get_logs() == []
            driver.close()
    driver.switch_to.window(first)
