"""Nothing moves but numbers: not at all for those who ask for less motion, and never what is around
a number that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.screen import go, text, texts, wait_for, wait_for_balance, wait_for_link
from tests.serving import Server
from tests.tour import be_calm, clear_toasts, fill, opened_dialogs, tabs

Opened = Callable[[str], Any]

#: How many prices come while it is watched that nothing moves.
_WATCHED_PRICES: Final = 3
# of what the eye sees as still, a fiftieth (web.dev's bound for a good page is 0.1)
_STILL: Final = 0.002

# notes each animation and transition that takes a time
_NOTE_MOTION: Final = """
    window.motions = [];
    const note = (element, animation) => {
        const { duration } = animation.effect.getComputedTiming();
        if (duration > 1) window.motions.push(`${element.tagName}#${element.id} ${duration} ms`);
    };
    const begun = ({ target }) => target.getAnimations().forEach((each) => note(target, each));
    ["transitionrun", "animationstart"].forEach((name) => document.addEventListener(name, begun));
    const { animate } = Element.prototype;
    Element.prototype.animate = function (...how) {
        const animation = animate.apply(this, how);
        note(this, animation);
        return animation;
    };
"""
_NOTE_SHIFTS: Final = """
    window.shifts = [];
    window.watcher = new PerformanceObserver((list) => list.getEntries().forEach(
        ({ value, sources }) => window.shifts.push([
            value, ...sources.map(({ node }) => `${node?.nodeName}#${node?.id}.${node?.className}`)
        ])));
    window.watcher.observe({ type: "layout-shift" });
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, with much on it."""
    with Server(tmp_path_factory.mktemp("motion") / "account") as running:
        fill(running)
        yield running


@pytest.fixture(scope="module")
def browser(server: Server, open_for_all: Opened) -> Any:
    """One page for all."""
    page = open_for_all(server.url)
    wait_for_link(page, "Live")
    return page


def _motions(browser: Any) -> list[str]:
    found: list[str] = browser.driver.execute_script("return window.motions.splice(0)")
    return found


def test_nothing_moves_for_those_who_ask_for_less_motion(server: Server, browser: Any) -> None:
    browser.driver.execute_script(_NOTE_MOTION)
    _change(server, browser)
    wait_for(lambda: any(" 300 ms" in each for each in _motions(browser)), "a flash, for others")
    be_calm(browser)
    wait_for(
        lambda: browser.driver.execute_script("return document.getAnimations().length") == 0,
        "the end of what had begun",
    )
    _motions(browser)
    for _ in tabs(browser):
        _change(server, browser)
        browser.find_element("#theme-btn").click()
    for _ in opened_dialogs(browser):
        pass
    assert _motions(browser) == []


def test_nothing_is_shifted_by_prices_that_move(browser: Any) -> None:
    for tab in tabs(browser):
        clear_toasts(browser)
        browser.driver.execute_script(_NOTE_SHIFTS)
        for _ in range(_WATCHED_PRICES):
            before = texts(browser)["ticker-BTC-USDT-last"]
            wait_for(
                lambda before=before: texts(browser)["ticker-BTC-USDT-last"] != before,
                "another price",
            )
        shifts = browser.driver.execute_script(
            "watcher.takeRecords(); watcher.disconnect(); return window.shifts"
        )
        assert sum(value for value, *_ in shifts) < _STILL, f"{tab}: {shifts}"


def test_a_shift_is_noticed(browser: Any) -> None:
    go(browser, "overview")
    browser.driver.execute_script(_NOTE_SHIFTS)
    browser.driver.execute_script("document.querySelector('.tab-row').style.marginTop = '90px'")
    wait_for(
        lambda: (
            sum(value for value, *_ in browser.driver.execute_script("return window.shifts"))
            > _STILL
        ),
        "the shift",
    )
    assert text(browser, "link-state") == "Live"


def _change(server: Server, browser: Any) -> None:
    balance = server.post({"adjust": 1}).json()["display"]["balance"]
    wait_for_balance(browser, balance)
