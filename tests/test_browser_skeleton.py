"""Until the page is there its shape is, without any script and in the very places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.screen import resize, wait_for_link, weak_contrasts
from tests.serving import Server

_PARTS = (".sidebar", ".brand", ".sidebar-actions", ".ticker", ".tab-row", ".summary-row")
_CARDS = (".metric:nth-child(1)", ".metric:nth-child(2)", ".metric:nth-child(4)")
_WIDTHS = (1440, 800, 360)
_PLACES = """
    const [root, parts] = arguments;
    return parts.map((part) => {
        const box = document.querySelector(`${root} ${part}`).getBoundingClientRect();
        return [part, ...["x", "y", "width", "height"].map((side) => box[side])];
    });
"""


def _places(browser: Any, root: str, width: int) -> dict[str, list[float]]:
    """Where the parts are on a screen of ``width`` px."""
    resize(browser, width)
    # on a phone the brand has what the pill leaves, and the buttons are in a menu
    parts = (*_PARTS, *_CARDS) if width > 768 else (".sidebar", *_PARTS[3:], *_CARDS)
    found = browser.driver.execute_script(_PLACES, root, parts)
    return {part: places for part, *places in found}


def _without_scripts(browser: Any, url: str) -> None:
    for is_off in (True, False):
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": is_off})
        if is_off:
            browser.driver.get(url)


def test_the_shape_of_the_page_is_there_before_it(
    server: Server, open_browser: Callable[[str], Any]
) -> None:
    browser = open_browser("about:blank")
    _without_scripts(browser, server.url)
    assert browser.find_element("body").text.split("\n")[0] == "Loading"
    assert "Loading..." not in browser.find_element("body").text
    assert browser.find_element(".skeleton .shell").get_attribute("aria-hidden") == "true"
    for theme in ("light", "dark"):
        browser.driver.execute_script(
            "document.documentElement.dataset.bsTheme = arguments[0]", theme
        )
        for width in _WIDTHS:
            resize(browser, width)
            assert weak_contrasts(browser) == [], f"{width} px, {theme}"
    shapes = {width: _places(browser, ".skeleton", width) for width in _WIDTHS}
    browser.driver.get(server.url)
    wait_for_link(browser, "Live")
    for width, shape in shapes.items():
        for part, places in _places(browser, "#app-shell", width).items():
            assert shape[part] == pytest.approx(places, abs=1.5), f"{part} at {width} px"
    assert not browser.find_element(".skeleton").is_displayed()
