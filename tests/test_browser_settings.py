"""Settings are found behind the gear, and are in force at once in every open page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash.testing.browser import Browser
from selenium.webdriver.common.keys import Keys

from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.store.file_store import LOCK_FILE
from balance.store.lock import account_lock
from tests.page_modules import run
from tests.relay import Relay
from tests.screen import (
    go,
    text,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]


def theme(browser: Browser) -> str:
    """Which one is shown."""
    found: str = browser.driver.execute_script("return document.documentElement.dataset.bsTheme")
    return found


def value(browser: Browser, id: str) -> Any:
    """What stands in a field; None where it is not there."""
    return browser.driver.execute_script(
        "const it = document.getElementById(arguments[0]);"
        "return it && (it.type === 'checkbox' ? it.checked : it.value)",
        id,
    )


def opened(browser: Browser) -> None:
    """Open the dialog, and wait until it can be written in."""
    browser.find_element("#settings-btn").click()
    focused = "return document.activeElement.id"
    wait_for(
        lambda: browser.driver.execute_script(focused) == "settings-maker-fee-percent",
        "the first field",
    )


def pressed(browser: Browser, button: str) -> None:
    """Press a button of the dialog that closes it."""
    browser.find_element(f"#settings-{button}").click()
    browser.wait_for_no_elements("#settings-dialog .modal-body")


def test_settings_are_saved_by_one_and_obeyed_by_all(server: Server, open_browser: Opened) -> None:
    one, other = open_browser(f"{server.url}/futures"), open_browser(server.url)
    for browser in (one, other):
        wait_for_link(browser, "Live")
    shown = theme(other)
    opened(one)
    assert value(one, "settings-taker-fee-percent") == "0.05"
    # each field says what is wrong with it, and nothing is saved
    write(one, "settings-taker-fee-percent", "2")
    write(one, "settings-default-leverage", "2.5")
    one.find_element("#settings-save").click()
    wait_for(lambda: text(one, "settings-taker-fee-percent-error"), "what is wrong")
    assert text(one, "settings-taker-fee-percent-error") == (
        "Taker fee must be a number from 0 to 1 %."
    )
    assert "a whole number from 1 to 150" in text(one, "settings-default-leverage-error")
    assert text(one, "settings-maker-fee-percent-error") == ""
    assert server.get("/settings").json()["version"] == 0
    # in force at once, here and there
    write(one, "settings-taker-fee-percent", "0.1")
    write(one, "settings-default-leverage", "25")
    write(one, "settings-starting-balance", "2500")
    other_theme = "light" if shown == "dark" else "dark"
    one.find_element(f"#settings-theme input[value={other_theme}] + label").click()
    one.find_element("#settings-decimals option[value='4']").click()
    pressed(one, "save")
    wait_for_toast(one, "Settings saved: taker fee 0.1%, default leverage 25x")
    for browser in (one, other):
        wait_for_balance(browser, "$10,000.0000")
        assert theme(browser) == other_theme
    wait_for(lambda: text(one, "futures-leverage-words") == "25x", "the leverage in the ticket")
    write(one, "futures-size", "1000")
    # of some 990 USDT, as Bitcoin is traded in steps
    wait_for(lambda: text(one, "futures-preview-fee") > "$0.9", "the new fee")
    other.find_element("#sidebar-reset-balance-btn").click()
    wait_for(lambda: value(other, "reset-amount") == "2500.00", "the new starting balance")
    other.find_element("#reset-cancel").click()
    # a page that is opened now has them from its first moment
    other.driver.refresh()
    assert theme(other) == other_theme
    wait_for_balance(other, "$10,000.0000")
    # what the day brought is drawn in the sidebar, and said
    picture = (
        "return document.querySelector('#sidebar-equity [data-points]')?.getAttribute('aria-label')"
    )
    wait_for(lambda: other.driver.execute_script(picture), "the equity of the day")
    assert other.driver.execute_script(picture).startswith("Equity of the last day: P&L $0.0000")
    # and in what is written of the points of curves
    written = run(other, {"dollars": "money.js"}, "return dollars(1002)")
    assert written == "$1,002.0000"
    assert one.get_logs() == other.get_logs() == []


def test_what_is_not_saved_is_not_in_force(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    SettingsFile(server.folder).change({"maker_fee_percent": "0.3", "decimals": 3})
    wait_for_balance(browser, "$10,000.000")
    opened(browser)
    assert value(browser, "settings-maker-fee-percent") == "0.3"
    write(browser, "settings-maker-fee-percent", "0.4")
    pressed(browser, "cancel")
    opened(browser)
    assert value(browser, "settings-maker-fee-percent") == "0.3"
    # the defaults are only put into the fields
    browser.find_element("#settings-defaults").click()
    wait_for(lambda: value(browser, "settings-maker-fee-percent") == "0.02", "the defaults")
    assert server.get("/settings").json()["maker_fee_percent"] == 0.3
    pressed(browser, "save")
    wait_for_balance(browser, "$10,000.00")
    assert server.get("/settings").json()["maker_fee_percent"] == 0.02
    # a browser that refuses notifications is not to believe that it shows some
    browser.driver.execute_script(
        "window.Notification = class { static requestPermission = async () => 'denied'; }"
    )
    opened(browser)
    browser.find_element("#settings-notifications").click()
    words = "This browser refuses notifications"
    wait_for(lambda: words in text(browser, "settings-notifications-error"), "the refusal")
    wait_for(lambda: value(browser, "settings-notifications") is False, "the switch is off")
    pressed(browser, "cancel")
    # an edit that makes no sense is said on every tab, until it is mended
    (server.folder / SETTINGS_FILE).write_text('{"decimals": 40}')
    wait_for(lambda: "settings.json makes no sense" in text(browser, "settings-note"), "the words")
    go(browser, "history")
    assert browser.find_element("#settings-note").is_displayed()
    # a page that is opened meanwhile says it too
    browser.driver.refresh()
    wait_for(lambda: "settings.json makes no sense" in text(browser, "settings-note"), "the words")
    (server.folder / SETTINGS_FILE).write_text('{"decimals": 5}')
    wait_for_balance(browser, "$10,000.00000")
    assert text(browser, "settings-note") == ""
    assert browser.get_logs() == []


def test_enter_again_on_a_slow_server_closes_the_dialog_all_the_same(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    opened(browser)
    write(browser, "settings-taker-fee-percent", "0.1")
    with account_lock(server.folder / LOCK_FILE):
        for _ in range(3):
            browser.find_element("#settings-taker-fee-percent").send_keys(Keys.ENTER)
    browser.wait_for_no_elements("#settings-dialog .modal-body")
    wait_for_toast(browser, "Settings saved: taker fee 0.1%.")
    assert server.get("/settings").json()["version"] == 1


# The answer to an earlier request comes when the test lets it.
_LATE = """
    const { fetch } = window;
    const held = new Promise((done) => (window.answerNow = done));
    window.fetch = async (path, how) => {
        const answer = await fetch(path, how);
        if (path === "/settings" && how.method === undefined) {
            const found = await answer.json();
            answer.json = async () => (setTimeout(() => (window.taken = true)), found);
            window.isRequested = true;
            await held;
        }
        return answer;
    };
"""


def test_an_answer_that_comes_late_changes_nothing(server: Server, open_browser: Opened) -> None:
    server_settings = SettingsFile(server.folder)
    server_settings.change({"theme": "light"})
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    wait_for(lambda: theme(browser) == "light", "the older settings")
    browser.driver.execute_script(_LATE)
    browser.find_element("#sidebar-sync-balance-btn").click()
    requested = "return window.isRequested"
    wait_for(lambda: browser.driver.execute_script(requested), "a request that is answered late")
    server_settings.change({"theme": "dark"})
    wait_for(lambda: theme(browser) == "dark", "the newer settings")
    browser.driver.execute_script("answerNow()")
    wait_for(lambda: browser.driver.execute_script("return window.taken"), "the late answer")
    assert theme(browser) == "dark"


def test_settings_of_another_server_count_anew(
    server: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    for chosen in ("light", "dark", "light"):
        SettingsFile(server.folder).change({"theme": chosen})
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    server.stop()
    (server.folder / SETTINGS_FILE).unlink()
    SettingsFile(server.folder).change({"theme": "dark"})
    start_server(port=server.port)
    wait_for(lambda: theme(browser) == "dark", "the settings of the other server")


def test_a_theme_that_can_not_be_kept_is_not_changed_and_that_is_said(
    server: Server, open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for_link(browser, "Live")
        shown = theme(browser)
        relay.refused = ("/settings",)
        browser.find_element("#theme-btn").click()
        wait_for_toast(browser, "The server does not answer, so it is not known whether this")
        assert theme(browser) == shown
