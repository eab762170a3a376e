"""Outside bots on the screen: a key is made, followed, paused and revoked, by keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.keys import Keys as Press

from balance import open_account
from balance.keys.keys import Keys
from tests.markets import BTC
from tests.screen import text, wait_for, wait_for_focus, wait_for_link
from tests.serving import Server

NAME = "freqtrade"


def row(browser: Any, name: str = NAME) -> str:
    """What the row of the key says; empty where there is none."""
    script = """
        const rows = [...document.querySelectorAll(".keys-table tbody tr")];
        return rows.find((each) => each.querySelector(".bot-title").textContent === arguments[0])
            ?.innerText ?? "";
    """
    found: str = browser.driver.execute_script(script, name)
    return " ".join(found.split())


def press(browser: Any, word: str, name: str = NAME) -> None:
    """Press the button of the key's row with the keyboard."""
    browser.find_element(f"#auto-keys [aria-label='{word} {name}']").send_keys(Press.ENTER)


def focused(browser: Any) -> str:
    """The id of what has the focus."""
    found: str = browser.driver.execute_script("return document.activeElement.id")
    return found


def escape(browser: Any, dialog: str) -> None:
    """Leave ``dialog`` with the keyboard."""
    browser.driver.switch_to.active_element.send_keys(Press.ESCAPE)
    gone = "return document.querySelector(`#${arguments[0]}, .modal-backdrop`) === null"
    wait_for(lambda: browser.driver.execute_script(gone, dialog), f"the end of {dialog}")


def test_a_key_is_made_followed_and_revoked_by_keyboard(
    server: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = open_browser(f"{server.url}/auto")
    wait_for_link(browser, "Live")
    wait_for(lambda: "Ready" in row(browser, "bot"), "the first key")

    browser.find_element("#auto-new-key").send_keys(Press.ENTER)
    wait_for(lambda: focused(browser) == "key-name", "the field of the name")
    field = browser.find_element("#key-name")
    field.send_keys("ema-1", Press.ENTER)
    wait_for(lambda: "could be the id of a bot" in text(browser, "key-error"), "what is wrong")
    field.send_keys(*[Press.BACKSPACE] * 5, NAME, Press.ENTER)
    wait_for(lambda: text(browser, "key-title") == f"Connect {NAME}", "the key")
    wait_for_focus(browser, ".modal:has(#key-dialog)")
    found = server.get(f"/keys/{NAME}").json()
    assert text(browser, "key-api") == found["key"]
    assert text(browser, "key-rest") == found["rest"] == server.url
    # Nobody who looks on reads it, and what is copied is whole.
    secret = found["secret"]
    assert secret not in text(browser, "key-secret") + text(browser, "key-snippet")
    assert text(browser, "key-secret-text") == secret
    browser.find_element("#key-show").send_keys(Press.ENTER)
    wait_for(lambda: text(browser, "key-secret") == secret, "the secret")
    browser.find_element("#key-client input[value=ccxt]").send_keys(Press.RIGHT, Press.RIGHT)
    wait_for(lambda: "trading_mode" in text(browser, "key-snippet"), "what freqtrade is told")
    exchange = json.loads(text(browser, "key-snippet"))["exchange"]
    assert (exchange["key"], exchange["secret"]) == (found["key"], secret)
    # What is hidden is copied too, where pages may not use the clipboard directly.
    browser.driver.execute_script(
        """
        Object.defineProperty(navigator, "clipboard", { value: undefined });
        document.addEventListener("copy", () => (window.copied = getSelection().toString()));
        """
    )
    browser.find_element("#key-secret-text-copy").send_keys(Press.ENTER)
    wait_for(lambda: browser.find_element("#key-secret-text-copy.bi-check-lg"), "the mark")
    assert browser.driver.execute_script("return window.copied") == secret
    assert focused(browser) == "key-secret-text-copy"
    escape(browser, "key-dialog")
    wait_for(lambda: focused(browser) == "auto-new-key", "the focus where it was")

    # What other programs do is shown at once.
    desk = open_account(server.folder)
    desk.place_order(symbol=BTC, side="buy", quantity="0.01", how={"owner": NAME})
    wait_for(lambda: "Long 0.01 BTC/USDT" in row(browser), "the position")
    Keys(desk, server.folder).pause(NAME)
    wait_for(lambda: "Paused" in row(browser), "the pause")
    press(browser, "Resume")
    wait_for(lambda: "Paused" not in row(browser), "the end of the pause")

    press(browser, "Revoke")
    wait_for(lambda: "long 0.01 BTC/USDT" in text(browser, "revoke-words"), "what it has open")
    escape(browser, "revoke-dialog")
    assert server.get(f"/keys/{NAME}").status_code == 200
    press(browser, "Revoke")
    wait_for(lambda: text(browser, "revoke-title") == f"Revoke {NAME}", "the question")
    browser.find_element("#revoke-confirm").send_keys(Press.ENTER)
    wait_for(lambda: row(browser) == "", "no row")
    wait_for(lambda: focused(browser) == "auto-new-key", "the focus in the panel")
    assert server.get(f"/keys/{NAME}").status_code == 404
    assert server.get("/positions").json()["positions"] == []
    # Nothing can be begun that would not be done.
    server.kill()
    wait_for(lambda: not browser.find_element("#auto-new-key").is_enabled(), "the button off")
