"""What the browser tests look at, whether it is on the shown tab or on a hidden one."""

from __future__ import annotations

from dash.testing.browser import Browser
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.found import FoundElement
from tests.patience import wait_for

#: The wallet balance as each part of the page shows it.
BALANCES = (
    "virtual-balance",
    "overview-balance",
    "auto-balance-display",
    "futures-virtual-balance",
)
PATHS = {"overview": "/", "auto": "/auto", "futures": "/futures", "history": "/history"}
#: Every place that has Reset and Sync, and the tab that it is on.
BUTTONS = {"sidebar": "overview", "overview": "overview", "auto": "auto", "futures": "futures"}


def texts(browser: Browser) -> dict[str, str]:
    """The text of every live component of the account or a price by its id, hidden ones too."""
    found: dict[str, str] = browser.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-live]:not([data-of])')]"
        ".map((each) => [each.id, each.textContent]))"
    )
    return found


def text(browser: Browser, id: str) -> str:
    """The text of the element with ``id``, hidden or not."""
    found: str | None = browser.driver.execute_script(
        "return document.getElementById(arguments[0])?.textContent", id
    )
    return found or ""


def all_texts(browser: Browser, selector: str) -> list[str]:
    """The text of each shown one that fits ``selector``, read in one look: the next may find
    others."""
    found: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter((each) => each.checkVisibility()).map((each) => each.innerText)",
        selector,
    )
    return found


def wait_until_gone(browser: Browser, dialog: str) -> None:
    """Wait until ``dialog`` and what is behind it have left the page."""
    there = f"return document.querySelector('#{dialog}, .modal-backdrop') === null"
    wait_for(lambda: browser.driver.execute_script(there), f"the end of {dialog}")


def wait_for_balance(browser: Browser, wanted: str) -> None:
    """Wait until every part of the page shows ``wanted`` as the wallet balance."""

    def shown() -> bool:
        now = texts(browser)
        return all(now.get(each) == wanted for each in BALANCES)

    wait_for(shown, f"{wanted} in every tab")


def wait_for_link(browser: Browser, state: str) -> None:
    """Wait until the pill says ``state``."""
    wait_for(lambda: text(browser, "link-state") == state, f"the pill {state}")


def wait_for_toast(browser: Browser, words: str) -> None:
    """Wait until a toast says ``words``."""
    wait_for(lambda: words in text(browser, "toasts"), f"the toast {words!r}")


def wait_for_focus(browser: Browser, selector: str) -> None:
    """Wait until what has the focus fits ``selector``."""
    script = "return document.activeElement.matches(arguments[0])"
    wait_for(lambda: browser.driver.execute_script(script, selector), f"the focus on {selector}")


def go(browser: Browser, tab: str) -> None:
    """Go to ``tab`` as a person does: by a click on its name."""
    browser.find_element(f'.tab-row a[href="{PATHS[tab]}"]').click()
    browser.wait_for_element(f"#{tab}-panel:not([hidden])")


def found_by(browser: Browser, script: str, *about: str) -> FoundElement:
    """The element that ``script`` returns, once there is one; ``about`` are its arguments."""

    def find() -> WebElement:
        found = wait_for(lambda: browser.driver.execute_script(script, *about), " ".join(about))
        assert isinstance(found, WebElement)
        return found

    return FoundElement(find)


def called(browser: Browser, selector: str, name: str) -> FoundElement:
    """The first that is shown, fits ``selector`` and reads ``name`` or begins with it, once there
    is one."""
    script = """
        const [selector, name] = arguments;
        // the options of a list that is not open have no box
        const all = [...document.querySelectorAll(selector)]
            .filter((each) => each.matches("option") || each.checkVisibility());
        const texts = all.map((each) => each.innerText.trim());
        const exact = texts.indexOf(name);
        return all[exact < 0 ? texts.findIndex((each) => each.startsWith(name)) : exact] ?? null;
    """
    return found_by(browser, script, selector, name)


def choose(browser: Browser, group: str, name: str) -> None:
    """Choose what is called ``name`` in the group of buttons, or in the list, with this id."""
    called(browser, f"#{group} :is(label, option)", name).click()


def write(browser: Browser, id: str, words: str) -> None:
    """Put ``words`` into the field with ``id``, once it is shown, in the place of what is there."""
    write_into(browser, f"#{id}", words)


def write_into(browser: Browser, selector: str, words: str) -> None:
    """Put ``words`` into the field that fits ``selector``, as :func:`write` does."""
    field = browser.wait_for_element(selector)
    wait_for(field.is_displayed, f"the field {selector} in sight")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(words or Keys.DELETE)


def resize(browser: Browser, width: int, height: int = 740) -> None:
    """Give the page a screen of this size, a phone's where it is narrow."""
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700},
    )


def weak_contrasts(browser: Browser) -> list[tuple[str, float]]:
    """Every shown text with a contrast below 4.5 : 1 against what is behind it (WCAG 2.2)."""
    found: list[tuple[str, float]] = browser.driver.execute_script(
        """
        const paint = document.createElement("canvas").getContext("2d");
        const parse = (colour) => {
            paint.clearRect(0, 0, 1, 1);
            paint.fillStyle = colour;
            paint.fillRect(0, 0, 1, 1);
            return [...paint.getImageData(0, 0, 1, 1).data];
        };
        const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (element) => {
            for (let at = element; at; at = at.parentElement) {
                const colour = parse(getComputedStyle(at).backgroundColor);
                if (colour[3] === 255) return colour;
            }
            return [255, 255, 255, 255];
        };
        return [...document.querySelectorAll("body *")]
            .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .filter((e) => e.checkVisibility() && !e.matches("script, style, :disabled"))
            .map((e) => {
                const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))];
                const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                return [`${e.className}: ${e.textContent.slice(0, 30)}`, ratio];
            })
            .filter(([, ratio]) => ratio < 4.5);
        """
    )
    return found


def keys(browser: Browser, *pressed: str, blur: bool = False) -> None:
    """Press keys one after the other, wherever the focus is (``blur``: first leave the field)."""
    if blur:
        browser.driver.execute_script("document.activeElement.blur()")
    for each in pressed:
        ActionChains(browser.driver).send_keys(each).perform()
