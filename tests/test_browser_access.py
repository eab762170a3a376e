"""WCAG 2.2 AA, as axe-core checks it: every tab and every dialog, light and dark, with nothing,
with much, and without a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from tests.processes import ROOT
from tests.screen import resize, text, wait_for, wait_for_link, weak_contrasts
from tests.serving import Server
from tests.tour import DIALOGS, be_calm, clear_toasts, dialogs, fill, opened_dialogs, tabs

Opened = Callable[[str], Any]

_AXE: Final = ROOT / "tests" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
# what a change of colours began has ended two frames later
_RUN: Final = """
    const [within, theme, rules, done] = arguments;
    document.documentElement.dataset.bsTheme = theme;
    const options = { ...rules, resultTypes: ["violations"] };
    const run = () => axe.run(document.querySelector(within), options).then(
        ({ violations }) => done(violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`))),
        (error) => done([String(error)]),
    );
    requestAnimationFrame(() => requestAnimationFrame(run));
"""
_EVERYTHING: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # of WCAG 2.2, and left out unless it is asked for
    "rules": {"target-size": {"enabled": True}},
}
#: The dialogs that look otherwise while there is nothing.
_OTHERWISE_EMPTY: Final = ("alerts-dialog", "derivation-dialog")
#: All that another theme, or the want of a server, can break.
_COLOURS: Final = {"runOnly": ["color-contrast"]}


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core."""
    assert _AXE.exists(), (
        "axe-core is missing: npm ci --prefix tests/axe gets it, as bash tests/run.sh does. "
        "Without npm: apt install npm, or https://nodejs.org"
    )
    return _AXE.read_text(encoding="utf-8")


def test_nothing_keeps_anybody_from_using_a_tab_or_a_dialog(
    axe: str, server: Server, open_browser: Opened
) -> None:
    assert dialogs() == DIALOGS.keys()
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    be_calm(browser)
    browser.driver.execute_script(axe)
    _what_is_wrong_is_found(browser)
    faults = _faults(browser, "empty", _OTHERWISE_EMPTY)
    fill(server)
    wait_for(lambda: text(browser, "futures-position-count") == "3", "three positions")
    faults += _faults(browser, "filled", tuple(DIALOGS))
    resize(browser, 390)
    faults += _faults(browser, "narrow", ())
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    file = server.folder / "virtual_balance.json"
    whole = file.read_bytes()
    file.write_text("{")
    wait_for(lambda: text(browser, "fault-note"), "the fault")
    faults += _colours(browser, "damaged")
    file.write_bytes(whole)
    server.kill()
    wait_for_link(browser, "Offline")
    for tab in tabs(browser):
        faults += _colours(browser, f"offline {tab}")
    assert faults == [], "\n".join(faults)


def _what_is_wrong_is_found(browser: Any) -> None:
    browser.driver.execute_script(
        """
        const wrong = document.createElement("div");
        wrong.id = "wrong";
        wrong.innerHTML = '<p style="color: #777; background: #888">weak words</p>' +
            '<button style="all: unset; display: block; padding: 4px"></button>'.repeat(2);
        document.querySelector(".main").append(wrong);
        """
    )
    faults = {each.split(": ")[1] for each in _everything(browser, "wrong", "#wrong")}
    assert {"button-name", "color-contrast", "target-size"} <= faults
    browser.driver.execute_script("document.getElementById('wrong').remove()")


def _faults(browser: Any, state: str, those: Sequence[str]) -> list[str]:
    found = []
    for tab in tabs(browser):
        found += _everything(browser, f"{state} {tab}")
    for dialog in opened_dialogs(browser, those):
        found += _everything(browser, f"{state} {dialog}", f"#{dialog}")
    return found


def _everything(browser: Any, where: str, within: str = "html") -> list[str]:
    clear_toasts(browser)
    light = _broken(browser, where, within, "light", _EVERYTHING)
    return light + _broken(browser, where, within, "dark", _COLOURS)


def _colours(browser: Any, where: str) -> list[str]:
    clear_toasts(browser)
    return [
        fault
        for theme in ("light", "dark")
        for fault in _broken(browser, where, "html", theme, _COLOURS)
    ]


def _broken(
    browser: Any, where: str, within: str, theme: str, rules: Mapping[str, object]
) -> list[str]:
    broken = browser.driver.execute_async_script(_RUN, within, theme, rules)
    # where it can't see what is behind a text, axe-core says nothing
    weak = [f"contrast {ratio:.2f}: {words}" for words, ratio in weak_contrasts(browser)]
    return [f"{where}, {theme}: {each}" for each in [*broken, *weak]]
