"""Everything fits on every screen: tabs and dialogs, with much in them and with very much."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest

from tests.fitting import misfits
from tests.screen import go, resize, text, wait_for, wait_for_balance, wait_for_link
from tests.serving import Server
from tests.tour import be_calm, clear_toasts, fill, opened_dialogs, tabs

Opened = Callable[[str], Any]

_WIDTHS: Final = (360, 390, 768, 800, 1024, 1440)
_WIDTHS_OF_DIALOGS: Final = (360, 390, 768, 1440)
# a chart is drawn anew a moment after its width has changed
_DRAWN_SECONDS: Final = 3
_LARGEST: Final = 1_000_000_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all."""
    with Server(tmp_path_factory.mktemp("fit") / "account") as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server, open_for_all: Opened) -> Any:
    """One page for all, with much in it."""
    page = open_for_all(server.url)
    wait_for_link(page, "Live")
    be_calm(page)
    fill(server)
    wait_for(lambda: text(page, "futures-position-count") == "3", "three positions")
    return page


def test_what_does_not_fit_is_found(browser: Any) -> None:
    resize(browser, 390)
    browser.driver.execute_script(
        """
        const wrong = document.createElement("div");
        wrong.id = "wrong";
        wrong.innerHTML = `
            <p class="panel" style="width: 40px">$1,000,000.00</p>
            <p style="width: 40px; overflow: hidden; text-overflow: ellipsis">+12,345.67%</p>
            <button style="width: 12px; padding: 0; margin-right: -8px">a</button>
            <button style="width: 40px">b</button>
            <button style="position: relative; left: 380px; width: 80px">c</button>`;
        document.querySelector(".main").append(wrong);
        """
    )
    found = misfits(browser, 390)
    for words in (
        *("the page is", '"$1,000,000.00"', '"+12,345.67%"', "control out of sight: BUTTON"),
        *("control too small: BUTTON", "controls overlap: BUTTON"),
    ):
        assert any(words in each for each in found), words
    browser.driver.execute_script("document.getElementById('wrong').remove()")


def test_tabs_and_dialogs_fit_on_every_screen(browser: Any) -> None:
    faults = []
    for tab in tabs(browser):
        faults += _at_every_width(browser, tab)
    for dialog in opened_dialogs(browser):
        faults += _at_every_width(browser, dialog, _WIDTHS_OF_DIALOGS)
    assert faults == [], "\n".join(faults)
    assert browser.get_logs() == []


def test_the_largest_balance_fits_as_the_page_and_as_the_server_wrote_it(
    server: Server, browser: Any
) -> None:
    server.post({"balance": _LARGEST})
    wait_for_balance(browser, "$1,000,000,000,000.00")
    faults = []
    for refresh in (False, True):
        if refresh:
            browser.driver.refresh()
            wait_for_link(browser, "Live")
        for tab in ("overview", "futures"):
            go(browser, tab)
            faults += _at_every_width(browser, f"{tab}, the largest balance")
    assert faults == [], "\n".join(faults)


def _at_every_width(browser: Any, where: str, widths: Sequence[int] = _WIDTHS) -> list[str]:
    clear_toasts(browser)
    found = []
    for width in widths:
        resize(browser, width)
        found += [f"{where} at {width} px: {each}" for each in _once_drawn(browser, width)]
    return found


def _once_drawn(browser: Any, width: int) -> list[str]:
    """What does not fit, also once the curves are drawn for the new width."""
    deadline = time.monotonic() + _DRAWN_SECONDS
    while (found := misfits(browser, width)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
