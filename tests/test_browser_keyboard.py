"""All that the page does can be done with the keyboard, by Tab and by the shortcuts in its list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.page_modules import run
from tests.screen import PATHS, all_texts, keys, text, wait_for, wait_for_link, wait_for_toast
from tests.serving import Server

Opened = Callable[[str], Any]
_OPEN = ".modal.show, dialog[open]"


def _focused(browser: Any) -> Any:
    return browser.driver.execute_script(
        "const e = document.activeElement; return [e.id, e.tagName, e.textContent.slice(0, 40)]"
    )


def _shown(browser: Any, tab: str) -> None:
    browser.wait_for_element(f"#{tab}-panel:not([hidden])")


def _led_to(browser: Any, tab: str) -> None:
    """Press the two keys that lead to ``tab``; again where the page took too long between them."""

    def shown() -> bool:
        ActionChains(browser.driver).send_keys("g").send_keys(tab[0]).perform()
        return bool(browser.find_elements(f"#{tab}-panel:not([hidden])"))

    wait_for(shown, f"{tab}, to which its keys lead")


def _closed(browser: Any) -> None:
    there = f"return document.querySelector('{_OPEN}') === null"
    wait_for(lambda: browser.driver.execute_script(there), "the end of the dialog")


def _setting(browser: Any, name: str) -> object:
    """What the page knows of a setting."""
    return run(
        browser,
        {"setting": "settings/settings.js"},
        "return setting(arguments[0])",
        name,
    )


def _rests(browser: Any) -> None:
    """Prove that shortcuts rest with a modifier, where a key is held, and where they are off."""
    run(
        browser,
        {"followAddress": "screen.js"},
        "window.been = []; followAddress((path) => window.been.push(path));"
        "window.press = (key, how) => document.body.dispatchEvent("
        " new KeyboardEvent('keydown', {key, bubbles: true, ...how}));"
        "for (const how of ['ctrlKey', 'altKey', 'metaKey', 'repeat']) press('2', {[how]: true});",
    )
    for are_on, key in ((False, "3"), (True, "4")):
        browser.driver.execute_script(
            "fetch('/settings', {method: 'PUT', headers: {'Content-Type': 'application/json'},"
            " body: JSON.stringify({shortcuts: arguments[0]})})",
            are_on,
        )
        wait_for(lambda on=are_on: _setting(browser, "shortcuts") is on, "the setting")
        browser.driver.execute_script("press(arguments[0])", key)
    _shown(browser, "history")
    # where it was when that was asked for, and then one other place
    assert browser.driver.execute_script("return window.been.slice(1)") == ["/history"]


def test_every_shortcut_in_the_list_does_what_it_says(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    keys(browser, "?")
    browser.wait_for_element(".modal.show #help-title")
    listed = all_texts(browser, ".keys dd")
    table = json.loads(browser.find_element("#help-btn").get_attribute("data-shortcuts"))
    said = [" or ".join(each.replace(" ", " then ") for each in row["keys"]) for row in table]
    assert listed == said
    keys(browser, "t")
    assert browser.find_elements(".modal.show"), "shortcuts rest while a dialog is open"
    theme = "return document.documentElement.dataset.bsTheme"
    before = browser.driver.execute_script(theme)
    keys(browser, Keys.ESCAPE)
    _closed(browser)
    done = {"?"}

    for number, tab in enumerate(PATHS, start=1):
        keys(browser, str(number))
        _shown(browser, tab)
        _led_to(browser, "overview")
        _led_to(browser, tab)
        done |= {str(number), f"g {tab[0]}"}
    _led_to(browser, "futures")
    for key, side in (("v", "sell"), ("b", "buy")):
        keys(browser, key)
        chosen = f"#futures-side input[value={side}]"
        wait_for(lambda chosen=chosen: browser.find_element(chosen).is_selected(), side)
    keys(browser, "/")
    assert _focused(browser)[0] == "futures-size"
    browser.driver.switch_to.active_element.send_keys("1s?t")
    assert browser.find_element("#futures-size").get_attribute("value") == "1s?t"
    _closed(browser)
    keys(browser, "t", blur=True)
    wait_for(lambda: browser.driver.execute_script(theme) != before, "the other theme")
    keys(browser, "s")
    wait_for_toast(browser, "In sync, revision 1.")
    for key, field in (("r", "reset-amount"), ("d", "money-amount")):
        keys(browser, key)
        wait_for(lambda field=field: _focused(browser)[0] == field, f"the focus in {field}")
        keys(browser, Keys.ESCAPE)
        _closed(browser)
    for key, title in ((",", "settings-title"), ("n", "alerts-title")):
        keys(browser, key)
        browser.wait_for_element(f".modal.show #{title}")
        keys(browser, Keys.ESCAPE)
        _closed(browser)
    keys(browser, "u")
    wait_for_toast(browser, "There is no reset to undo: epoch 1 is the first of the account.")
    done |= {"b", "v", "/", "t", "s", "r", "d", "u", ",", "n"}
    assert {each for row in table for each in row["keys"]} == done
    _rests(browser)


def _once_in_each_choice(browser: Any) -> None:
    """Prove that Tab comes to a choice of few once, that the arrows choose, and that the ring is
    seen."""
    keys(browser, "3")
    _shown(browser, "futures")
    browser.driver.execute_script("document.querySelector('#futures-side input').focus()")
    keys(browser, Keys.ARROW_RIGHT)
    assert browser.find_element("#futures-side input[value=sell]").is_selected()
    keys(browser, Keys.TAB)
    assert _focused(browser)[0].endswith("futures-type_input_market")
    keys(browser, Keys.TAB)
    assert _focused(browser)[0] == "futures-size"
    keys(browser, Keys.TAB, Keys.TAB)
    ring = "return getComputedStyle(document.activeElement).outlineWidth"
    assert (_focused(browser)[0], browser.driver.execute_script(ring)) == (
        "futures-share-10",
        "2px",
    )


def test_focus_begins_with_a_way_to_the_content_and_comes_back_from_dialogs(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    keys(browser, Keys.TAB)
    assert _focused(browser)[2] == "Skip to content"
    link = browser.find_element(".skip-link")
    wait_for(lambda: link.rect["y"] >= 0, "the link in sight")
    keys(browser, Keys.ENTER)
    assert _focused(browser)[0] == "content"
    keys(browser, Keys.TAB)
    inside = "return document.activeElement.matches('#overview-panel *')"
    assert browser.driver.execute_script(inside), "past the sidebar and the tabs"
    _once_in_each_choice(browser)
    for opener in ("sidebar-reset-balance-btn", "sidebar-money-btn", "help-btn"):
        browser.driver.execute_script("document.getElementById(arguments[0]).focus()", opener)
        keys(browser, Keys.ENTER)
        browser.wait_for_element(".modal.show")
        keys(browser, Keys.ESCAPE)
        _closed(browser)
        wait_for(lambda opener=opener: _focused(browser)[0] == opener, f"the focus on {opener}")
    assert text(browser, "link-state") == "Live"
