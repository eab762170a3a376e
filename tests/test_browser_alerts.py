"""Alerts in a browser: made, watched, fired and told, in every page once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from tests.patience import patience
from tests.screen import (
    all_texts,
    go,
    resize,
    text,
    wait_for,
    wait_for_focus,
    wait_for_link,
    wait_for_toast,
    weak_contrasts,
    write,
)
from tests.serving import Server
from tests.standing import StandingServer

# what notifies and sounds, as the page finds it in a browser that lets it
_NOTICES = """
    window.told = [];
    window.Notification = class {
        static permission = "granted";
        constructor(title, { body }) { window.told.push(`${title}: ${body}`); }
    };
    window.AudioContext = class {
        resume() { window.told.push("sound"); return new Promise(() => {}); }
    };
"""


@pytest.fixture
def still(folder: Path) -> Iterator[Server]:
    """A server on a market that stands still, with sounds and notifications on: Bitcoin at
    40,000."""
    with StandingServer(folder) as server:
        wanted = {"sound": True, "notifications": True}
        assert requests.put(f"{server.url}/settings", json=wanted, timeout=patience()).ok
        yield server


def _page(server: Server, path: str, open_browser: Callable[[str], Any]) -> Any:
    browser = open_browser(f"{server.url}{path}")
    wait_for_link(browser, "Live")
    return browser


def _rows(browser: Any) -> list[str]:
    """The text of each alert in the dialog."""
    return all_texts(browser, ".alert-row")


def _value(browser: Any, id: str) -> str:
    """What stands in a field."""
    return str(browser.find_element(f"#{id}").get_attribute("value"))


def _press(browser: Any, label: str) -> None:
    """Press the button that is called ``label`` for those who don't see it."""
    browser.find_element(f'[aria-label="{label}"]').click()


def _wait_for_said(browser: Any, words: str) -> None:
    """Wait until the dialog says ``words``."""
    wait_for(lambda: words in text(browser, "alerts-said"), f"the words {words!r}")


def _count(browser: Any) -> str:
    return str(browser.driver.execute_script(
        "return document.querySelector('.alerts-count').textContent"
    ))  # fmt: skip


def _told(browser: Any) -> list[str]:
    """What the page has notified of and sounded."""
    found: list[str] = browser.driver.execute_script("return window.told")
    return found


def _closed(browser: Any) -> None:
    browser.find_element("#alerts-dialog .btn-close").click()
    wait_for(lambda: not browser.find_elements("#alerts-place"), "the end of the dialog")


def test_an_alert_is_made_at_the_chart_fires_in_every_page_once_and_is_deleted(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    browser, other = (_page(still, path, open_browser) for path in ("/futures", "/"))
    # at the chart, it begins with its symbol and price
    browser.find_element("#futures-alert").click()
    threshold = browser.wait_for_element("#alerts-threshold")
    wait_for(lambda: threshold.get_attribute("value") == "40000", "the price")
    browser.wait_for_text_to_equal("#alerts-threshold-hint", "Now 40,000.00.")
    write(browser, "alerts-threshold", "0")
    browser.find_element("#alerts-save").click()
    browser.wait_for_contains_text("#alerts-error", "must be above zero, not 0.00")
    write(browser, "alerts-threshold", "41000")
    wait_for(lambda: _value(browser, "alerts-direction") == "above", "that it rises to it")
    write(browser, "alerts-url", "http://127.0.0.1:1/hook")
    browser.reset_log_timestamp()
    browser.find_element("#alerts-save").click()
    _wait_for_said(browser, "Made the alert: BTC/USDT rises to 41,000.00. Now it is at 40,000.00.")
    wait_for(lambda: len(_rows(browser)) == 1, "its row")
    for words in ("posted to 127.0.0.1:1", "Waiting", "40,000.00, +2.50% away"):
        assert words in _rows(browser)[0]
    # one that is there already says so
    browser.find_element("#alerts-new").click()
    browser.wait_for_element("#alerts-what option[value=equity]").click()
    browser.wait_for_text_to_equal("#alerts-threshold-hint", "Now $10,000.00.")
    write(browser, "alerts-threshold", "9000")
    wait_for(lambda: _value(browser, "alerts-direction") == "below", "that it falls to it")
    browser.find_element("#alerts-direction option[value=above]").click()
    browser.find_element("#alerts-every").click()
    browser.find_element("#alerts-save").click()
    _wait_for_said(browser, "It is at $10,000.00 already, so it fires only once it has been below")
    wait_for(lambda: "There already" in "".join(_rows(browser)[1:]), "how it stands")
    # two that fire at once are told one by one, in every page; also posted where that is wanted
    still.post({"what": "pnl", "direction": "below", "threshold": -500, "note": "Stop."}, "/alerts")
    still.post({"what": "equity", "direction": "below", "threshold": 9_500}, "/alerts")
    for each in (browser, other):
        each.driver.execute_script(_NOTICES)
    still.post({"adjust": -600})
    for each in (browser, other):
        wait_for_toast(each, "P&L has fallen to -$600.00; the alert was at -$500.00. Stop.")
        wait_for_toast(each, "Total equity has fallen to $9,400.00; the alert was at $9,500.00.")
        wait_for(
            lambda page=each: len(_told(page)) >= 2,
            "what is told beside the page",
        )
    # whoever looks at them has seen them; who does not is told how many there are
    wait_for(lambda: _count(other) == "2", "the count")
    wait_for(lambda: _count(browser) == "", "no count")
    wait_for(lambda: "Fired" in "".join(_rows(browser)[2:3]), "that it has fired")
    _press(browser, "Arm again: P&L falls to -$500.00")
    _wait_for_said(browser, "It is at -$600.00 already")
    _press(browser, "Switch off: Total equity rises to $9,000.00")
    wait_for_focus(browser, '[aria-label="Arm again: Total equity rises to $9,000.00"]')
    wait_for(lambda: "Off" in "".join(_rows(browser)[1:2]), "that it is off")
    _press(browser, "Edit: BTC/USDT rises to 41,000.00")
    write(browser, "alerts-threshold", f"42000{Keys.ENTER}")
    wait_for(lambda: "rises to 42,000.00" in "".join(_rows(browser)), "the other threshold")
    _press(browser, "Test: BTC/USDT rises to 42,000.00")
    wait_for_toast(other, "A test: BTC/USDT rises to 42,000.00. Now it is at 40,000.00.")
    wait_for(lambda: "Gave up after 3 tries" in text(browser, "alerts-log"), "the outcome")
    delete = "Delete: BTC/USDT rises to 42,000.00"
    _press(browser, delete)
    assert len(_rows(browser)) == 4
    _press(browser, delete)
    wait_for(lambda: len(_rows(browser)) == 3, "one less")
    wait_for_focus(browser, "#alerts-new")
    _closed(browser)
    for each in (browser, other):
        assert each.get_logs() == []


def test_tabs_of_a_browser_notify_and_sound_once_and_one_opened_later_tells_nothing_old(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = _page(still, "/", open_browser)
    driver = browser.driver
    still.post({"what": "pnl", "direction": "below", "threshold": -500, "once": False}, "/alerts")
    browser.open_tab(f"{still.url}/auto")
    wait_for_link(browser, "Live")
    for window in driver.window_handles:
        driver.switch_to.window(window)
        # a page may sound once it has been used
        browser.find_element("#alerts-btn").click()
        browser.wait_for_element("#alerts-place")
        _closed(browser)
        driver.execute_script(_NOTICES)
    still.post({"adjust": -600})
    told: list[str] = []
    for window in driver.window_handles:
        driver.switch_to.window(window)
        wait_for_toast(browser, "P&L has fallen to -$600.00")

    def heard() -> list[str]:
        found = []
        for window in driver.window_handles:
            driver.switch_to.window(window)
            found += _told(browser)
        return sorted(found)

    wait_for(lambda: len(heard()) >= 2, "the notification and the sound")
    told = heard()
    assert told == ["Alert: P&L has fallen to -$600.00; the alert was at -$500.00.", "sound"]
    assert _count(browser) == "1"
    # what was before it is no news to a page, but counted until somebody looks
    browser.open_tab(f"{still.url}/history")
    wait_for_link(browser, "Live")
    wait_for(lambda: _count(browser) == "1", "the count")
    assert text(browser, "toasts") == ""
    browser.find_element("#alerts-btn").click()
    wait_for(lambda: "fallen to -$600.00" in text(browser, "alerts-log"), "the log")
    for window in driver.window_handles:
        driver.switch_to.window(window)
        wait_for(lambda: _count(browser) == "", "that they were seen in every tab")
    # what fires next is told again
    still.post({"adjust": 300})
    still.post({"adjust": -300})
    wait_for_toast(browser, "P&L has fallen to -$600.00")


def test_what_a_bot_trades_is_told_and_an_order_of_ones_own_only_sounds(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    bot = {"name": "Listener", "symbol": "BTC/USDT", "strategy": "signals", "leverage": 2}
    assert still.post(bot, "/bots").ok
    assert still.post(None, "/bots/listener-1/start").ok
    browser = _page(still, "/futures", open_browser)
    # a page may sound once it has been used
    write(browser, "futures-size", "500")
    browser.driver.execute_script(_NOTICES)
    still.post({"symbol": "BTC/USDT", "side": "buy"}, "/signals")
    wait_for(lambda: len(_told(browser)) == 2, "a notification and a sound")
    notice, sound = _told(browser)
    assert (notice.split(",")[0], sound) == ("Virtual Balance: Listener: 1 fill", "sound")
    still.post({"close": True}, "/bots/listener-1/stop")
    wait_for(lambda: len(_told(browser)) == 4, "that it has closed it")
    # with the keyboard: a toast may lie over the button
    write(browser, "futures-size", f"400{Keys.ENTER}")
    wait_for(lambda: _told(browser)[4:] == ["sound"], "a sound and nothing else")


def test_a_file_that_can_not_be_read_is_said_on_a_page_that_never_opens_the_bell(
    folder: Path, open_browser: Callable[[str], Any]
) -> None:
    with StandingServer(folder) as server:
        server.post({"what": "pnl", "direction": "below", "threshold": -500}, "/alerts")
        browser = _page(server, "/", open_browser)
        assert text(browser, "alerts-note") == ""
        port = server.port
    (folder / "alerts.json").write_bytes(b"{")
    with StandingServer(folder, port=port):
        browser.wait_for_contains_text("#alerts-note", "is damaged, so no alert can fire")
        assert browser.find_element("#alerts-note").is_displayed()
        assert weak_contrasts(browser) == []
        assert not browser.find_elements("#alerts-place")


def test_the_form_says_what_keeps_a_firing_from_being_noticed(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = _page(still, "/futures", open_browser)
    words = "this browser has not allowed them here"
    browser.find_element("#futures-alert").click()
    browser.wait_for_contains_text("#alerts-silence", words)
    _closed(browser)
    browser.driver.execute_script(_NOTICES)
    browser.find_element("#futures-alert").click()
    browser.wait_for_element("#alerts-form")
    assert browser.find_element("#alerts-silence").text == ""


# the first answer comes when the test lets it
_HELD = """
    const { fetch } = window;
    const held = new Promise((done) => (window.answerNow = done));
    window.fetch = async (path, how) => {
        if (String(path).includes("/alerts?")) {
            await held;
        }
        return fetch(path, how);
    };
"""


def test_the_dialog_has_the_shape_of_rows_until_the_first_answer(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = _page(still, "/", open_browser)
    browser.driver.execute_script(_HELD)
    browser.find_element("#alerts-btn").click()
    shape = browser.wait_for_element('#alerts-list[aria-busy="true"]')
    assert shape.size["height"] == 180
    assert "gradient" in shape.value_of_css_property("background-image")
    browser.driver.execute_script("answerNow()")
    browser.wait_for_contains_text("#alerts-list", "No alerts yet")
    assert not browser.find_elements("#alerts-list[aria-busy]")


def test_the_form_says_what_its_figure_is_now(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = _page(still, "/futures", open_browser)
    browser.find_element("#futures-alert").click()
    wait_for_focus(browser, "#alerts-threshold")
    wait_for(lambda: _value(browser, "alerts-threshold") == "40000", "the price")
    browser.wait_for_text_to_equal("#alerts-unit", "USDT")
    browser.find_element("#alerts-what option[value=unrealized_pnl]").click()
    browser.wait_for_text_to_equal("#alerts-threshold-hint", "No open position now.")
    assert browser.find_element("#alerts-symbol").is_displayed()
    browser.find_element("#alerts-what option[value=pnl]").click()
    browser.wait_for_text_to_equal("#alerts-threshold-hint", "Now $0.00.")
    assert not browser.find_element("#alerts-symbol").is_displayed()
    # it goes on being so, and what one types at once is seen from there
    still.post({"adjust": -600})
    browser.wait_for_text_to_equal("#alerts-threshold-hint", "Now -$600.00.")
    write(browser, "alerts-comment", "Stop.")
    write(browser, "alerts-threshold", f"-700{Keys.ENTER}")
    _wait_for_said(browser, "Made the alert: P&L falls to -$700.00. Now it is at -$600.00.")
    assert still.get("/alerts").json()["alerts"][0]["note"] == "Stop."


def test_alerts_of_another_file_are_told_though_their_numbers_begin_anew(
    folder: Path, open_browser: Callable[[str], Any]
) -> None:
    alert = {"what": "pnl", "direction": "below", "threshold": -500}
    wanted = {"sound": True, "notifications": True}
    with StandingServer(folder) as first:
        assert requests.put(f"{first.url}/settings", json=wanted, timeout=patience()).ok
        browser = _page(first, "/", open_browser)
        browser.driver.execute_script(_NOTICES)
        first.post(alert, "/alerts")
        first.post({"adjust": -600})
        wait_for(lambda: _told(browser), "the notification")
    (folder / "alerts.json").unlink()
    with StandingServer(folder, port=first.port) as second:
        browser.driver.get(second.url)
        wait_for_link(browser, "Live")
        browser.driver.execute_script(_NOTICES)
        second.post({"adjust": 600})
        second.post(alert, "/alerts")
        second.post({"adjust": -600})
        wait_for(lambda: _told(browser), "the notification of the other file")


def test_the_dialog_fits_a_phone_and_is_read_easily_in_both_themes(
    still: Server, open_browser: Callable[[str], Any]
) -> None:
    still.post({"what": "pnl", "direction": "below", "threshold": -500, "note": "x" * 200,
                "url": f"http://127.0.0.1:1/{'y' * 300}"}, "/alerts")  # fmt: skip
    still.post({"adjust": -600})
    browser = _page(still, "/", open_browser)
    go(browser, "futures")
    for width, theme in ((360, "light"), (1440, "dark")):
        resize(browser, width)
        browser.driver.execute_script(
            "document.documentElement.dataset.bsTheme = arguments[0]", theme
        )
        browser.find_element("#alerts-btn").click()
        wait_for(lambda: "Fired" in "".join(_rows(browser)), "the list")
        _fits(browser)
        browser.find_element("#alerts-new").click()
        browser.wait_for_element("#alerts-form")
        _fits(browser)
        _closed(browser)


def _fits(browser: Any) -> None:
    """Prove that nothing of the dialog is cut off or hard to read."""
    wide = browser.driver.execute_script(
        "const place = document.querySelector('#alerts-dialog .modal-body');"
        "return [place.scrollWidth - place.clientWidth, "
        "[...place.querySelectorAll('button, input, select')].filter((e) => e.checkVisibility())"
        ".filter((e) => e.getBoundingClientRect().right > innerWidth).length]"
    )
    assert wide == [0, 0]
    assert weak_contrasts(browser) == []
