"""Everything fits on every screen: tabs and dialogs, with much in them and with very much."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
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
            <button style="position: relative; left: 380px; width: 80px">c</button>
            <p class="panel" style="width: 40px"><button style="width: 80px">d</button></p>`;
        document.querySelector(".main").append(wrong);
        """
    )
    found = misfits(browser, 390)
    for words in (
        *("the page is", '"$1,000,000.00"', '"+12,345.67%"', "control out of sight: BUTTON"),
        *("control too small: BUTTON", "controls overlap: BUTTON"),
        "control out of its panel: BUTTON",
    ):
        assert any(words in each for each in found), words
    browser.driver.execute_script("document.getElementById('wrong').remove()")


def test_tabs_and_dialogs_fit_on_every_screen(browser: Any) -> None:
    for tab in tabs(browser):
        _fits_at_every_width(browser, tab)
    for dialog in opened_dialogs(browser):
        _fits_at_every_width(browser, dialog, _WIDTHS_OF_DIALOGS)
    assert browser.get_logs() == []


def test_the_largest_balance_fits_as_the_page_and_as_the_server_wrote_it(
    server: Server, browser: Any
) -> None:
    server.post({"balance": _LARGEST})
    wait_for_balance(browser, "$1,000,000,000,000.00")
    for refresh in (False, True):
        if refresh:
            browser.driver.refresh()
            wait_for_link(browser, "Live")
        for tab in ("overview", "futures"):
            go(browser, tab)
            _fits_at_every_width(browser, f"{tab}, the largest balance")


def _fits_at_every_width(browser: Any, where: str, widths: Sequence[int] = _WIDTHS) -> None:
    clear_toasts(browser)
    found: list[str] = []

    def fits(width: int) -> bool:
        found[:] = misfits(browser, width)
        return not found

    for width in widths:
        resize(browser, width)
        try:
            # the curves are drawn anew for it
            wait_for(partial(fits, width), "a page that fits")
        except AssertionError:
            # to wait as long for the next width would take hours
            pytest.fail("\n".join([f"{where} at {width} px", *found]))
