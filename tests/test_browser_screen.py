"""The screen itself: tabs, narrow and wide, light and dark, the keyboard, the ledgers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.screen import (
    go,
    resize,
    text,
    wait_for,
    wait_for_balance,
    wait_for_link,
)
from tests.serving import ROOT, Server

Opened = Callable[[str], Any]

_POSITION = {
    "symbol": "BTC/USDT",
    # nothing else marks it
    "feed": "elsewhere",
    "side": "long",
    "quantity": "0.05",
    "entry_price": "43812.4",
    "leverage": "10",
    "isolated_margin": "219.06",
    "maintenance_rate": "0.004",
    "maintenance_amount": "0",
    "mark_price": "43102.1",
    "marked_at": "2026-01-02T03:04:05Z",
    "opened_at": "2026-01-02T03:00:00Z",
    "funded_at": "2026-01-02T03:00:00Z",
    "liquidation_price": "39590.36",
    "realized_pnl": "0",
    "fees_paid": "0",
    "funding": "0",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that leave its files as they are."""
    with Server(tmp_path_factory.mktemp("screen") / "account") as running:
        yield running


@pytest.fixture(scope="module")
def page(shared: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    return open_for_all(shared.url)


@pytest.fixture
def browser(shared: Server, page: Any) -> Iterator[Any]:
    """The page on its first tab, as wide as usual, on an account of 10,000."""
    shared.post(path="/virtual_balance/reset")
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    wait_for_balance(page, "$10,000.00")
    wait_for_link(page, "Live")
    go(page, "overview")
    yield page
    assert page.get_logs() == []


def test_on_a_phone_the_buttons_are_in_the_menu(browser: Any) -> None:
    resize(browser, 360)
    sync = browser.find_element("#sidebar-sync-balance-btn")
    assert not sync.is_displayed()
    browser.find_element("#sidebar-menu-btn").click()
    wait_for(sync.is_displayed, "the menu")
    place = sync.rect
    sync.click()
    wait_for(lambda: "In sync" in text(browser, "toasts"), "the toast")
    assert sync.rect == place, "nothing moves but numbers"


def test_the_icon_has_the_balance_and_the_way_of_the_pnl_and_is_grey_without_a_server(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    assert browser.driver.title == "$10,000.00 · Virtual Balance"
    begun = _icon(browser)
    assert begun[1] == "--muted", "flat"
    server.post({"deposit": 0.01})
    wait_for_balance(browser, "$10,000.01")
    assert _icon(browser) == begun, "it would look the same"
    looks = [begun]
    for change, colour in ((200, "--balance"), (-900, "--loss")):
        server.post({"adjust": change})
        wait_for(lambda: _icon(browser)[0] != looks[-1][0], "another icon")
        looks.append(_icon(browser))
        assert looks[-1][1] == colour
    server.stop()
    wait_for_link(browser, "Offline")
    assert _icon(browser)[1] == "--muted"


def _icon(browser: Any) -> tuple[str, str]:
    """The icon of the page, and the colour in the middle of its mark."""
    found: list[str] = browser.driver.execute_async_script(
        """
        const [done] = arguments, icon = document.querySelector("link[rel=icon]").href;
        const paint = document.createElement("canvas").getContext("2d");
        const image = new Image();
        image.onload = () => {
            paint.drawImage(image, 0, 0);
            const drawn = paint.getImageData(32, 51, 1, 1).data.join();
            const style = getComputedStyle(document.documentElement);
            done([icon, ["--balance", "--loss", "--muted"].find((name) => {
                paint.fillStyle = style.getPropertyValue(name).trim();
                paint.fillRect(0, 0, 1, 1);
                return paint.getImageData(0, 0, 1, 1).data.join() === drawn;
            }) ?? drawn]);
        };
        image.src = icon;
        """
    )
    assert found[0].startswith("data:image/svg+xml,")
    return found[0], found[1]


def test_the_theme_is_kept(browser: Any) -> None:
    def theme() -> str:
        found: str = browser.driver.execute_script(
            "return document.documentElement.dataset.bsTheme"
        )
        return found

    for _ in ("the other one", "and back"):
        before = theme()
        browser.find_element("#theme-btn").click()
        wait_for(lambda before=before: theme() != before, "the other theme")
        browser.driver.refresh()
        wait_for_link(browser, "Live")
        assert theme() != before


def test_a_tab_has_an_address_that_can_be_kept_and_gone_back_to(
    shared: Server, browser: Any
) -> None:
    browser.driver.get(f"{shared.url}/futures")
    browser.wait_for_element("#futures-panel:not([hidden])")
    go(browser, "history")
    assert browser.driver.current_url == f"{shared.url}/history"
    browser.driver.back()
    browser.wait_for_element("#futures-panel:not([hidden])")
    browser.wait_for_element('.tab-row a.active[href="/futures"]')
    assert not browser.find_element("#history-panel").is_displayed()


def test_everything_is_reached_by_keyboard_and_has_a_name(browser: Any) -> None:
    browser.driver.refresh()
    wait_for_link(browser, "Live")
    reached = set()
    for _ in range(20):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.driver.switch_to.active_element
        if active.tag_name == "body":
            break  # past the last one
        # a tab's name is in parts, of which a phone shows the first
        reached.add(active.get_attribute("id") or " ".join(active.text.split()))
        assert active.text or active.get_attribute("aria-label")
    assert {
        "sidebar-sync-balance-btn",
        "sidebar-reset-balance-btn",
        "sidebar-money-btn",
        "Auto Trading",
        "History",
        "theme-btn",
        "overview-sync-balance-btn",
        "overview-reset-balance-btn",
    } <= reached
    link = browser.find_element('.tab-row a[href="/history"]')
    link.send_keys(Keys.ENTER)
    browser.wait_for_element("#history-panel:not([hidden])")


def test_the_title_carries_the_balance(shared: Server, browser: Any) -> None:
    shared.post({"deposit": 2})
    wait_for(
        lambda: browser.driver.title == "$10,002.00 · Virtual Balance", "the balance in the title"
    )


def test_the_newest_entries_follow_on_overview(shared: Server, browser: Any) -> None:
    wait_for(lambda: "Start" in text(browser, "overview-ledger"), "the first entry")
    shared.post({"deposit": 2500.5})
    wait_for(lambda: "+$2,500.50" in text(browser, "overview-ledger"), "the deposit")
    time = browser.find_element("#overview-ledger time")
    wait_for(lambda: time.text.endswith("ago"), "how long ago it was")
    assert time.get_attribute("title").endswith("UTC")


def test_positions_in_the_account_are_listed_and_count(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(f"{server.url}/futures")
    wait_for(lambda: "No open positions" in text(browser, "futures-book-empty"), "no position")
    file = server.folder / "virtual_balance.json"
    account = json.loads(file.read_text())
    file.write_text(json.dumps({**account, "positions": [_POSITION]}))
    wait_for(lambda: "-$35.52" in text(browser, "futures-positions"), "the position")
    assert text(browser, "futures-unrealized-pnl") == "-$35.52"
    assert text(browser, "futures-total-balance") == "$9,964.48"
    assert text(browser, "futures-available-balance") == "$9,780.94"
    assert text(browser, "futures-pnl-display") == "-$35.52"
    pnl = Decimal("0.05") * (Decimal("43102.1") - Decimal("43812.4"))
    assert json.loads(server.get().text, parse_float=Decimal)["unrealized_pnl"] == pnl


def test_the_snippets_work_as_they_stand_and_are_copied_by_keyboard(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(f"{server.url}/auto")
    wait_for_link(browser, "Live")
    browser.find_element("#auto-programs > summary").send_keys(Keys.ENTER)
    browser.find_element("#auto-snippet-shell-copy").send_keys(Keys.ENTER)
    wait_for(lambda: "Copied." in text(browser, "toasts"), "the toast")
    browser.find_element("#sidebar-money-btn").click()
    note = browser.wait_for_element("#money-note")
    note.send_keys(Keys.CONTROL, "v")
    assert note.get_attribute("value") == text(browser, "auto-snippet-shell")[:200]
    shell = text(browser, "auto-snippet-shell").replace("python ", f"{sys.executable} ", 1)
    subprocess.run(shell, shell=True, cwd=ROOT, check=True, capture_output=True)
    wait_for_balance(browser, "$10,012.30")
    python = [sys.executable, "-c", text(browser, "auto-snippet-python")]
    subprocess.run(python, cwd=ROOT, check=True, capture_output=True)
    wait_for_balance(browser, "$10,024.60")
    http = text(browser, "auto-snippet-http")
    assert f"{server.url}/virtual_balance" in http
    subprocess.run(http, shell=True, check=True, capture_output=True)
    wait_for_balance(browser, "$10,012.30")
    subprocess.run(text(browser, "auto-snippet-order"), shell=True, check=True)
    wait_for(lambda: text(browser, "futures-position-count") == "1", "the position")
