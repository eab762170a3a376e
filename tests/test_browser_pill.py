"""The pill is the worst of the link, the account and the feed, and says how old the numbers are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.relay import Relay
from tests.screen import go, text, wait_for, wait_for_balance, wait_for_link
from tests.serving import Server

Opened = Callable[[str], Any]
_CANDLE = "time,open,high,low,close,volume\n2026-01-02T03:04,40000,40010,39990,40000,1\n"


@pytest.fixture
def ended(start_server: Callable[..., Server], tmp_path: Path) -> Server:
    """A server whose replay is at its end, so that nothing has a live price."""
    file = tmp_path / "BTCUSDT.csv"
    file.write_text(_CANDLE)
    server = start_server("--feed", f"replay:{file}", "--speed", "1000")
    wait_for(lambda: server.get("/prices").json()["state"] == "ended", "the end")
    return server


def _dot(browser: Any) -> str:
    """The colour of what stands before the words, of its border where it is hollow."""
    found: str = browser.driver.execute_script(
        "const { backgroundColor, borderTopColor } ="
        " getComputedStyle(document.getElementById('link-pill'), '::before');"
        "return backgroundColor === 'rgba(0, 0, 0, 0)' ? borderTopColor : backgroundColor"
    )
    return found


def _green(browser: Any) -> str:
    found: str = browser.driver.execute_script(
        "return getComputedStyle(document.getElementById('virtual-balance')).color"
    )
    return found


def test_it_is_green_only_with_prices_and_an_account(server: Server, open_browser: Opened) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    assert _dot(browser) == _green(browser)
    wait_for(lambda: re.fullmatch(r"\d+ s", text(browser, "link-age")), "the age")
    file = server.folder / "virtual_balance.json"
    good = file.read_bytes()
    # once the account can be read it is live again
    for bad in (b"{}", good[:100]):
        wait_for_link(browser, "Live")
        file.write_bytes(bad)
        wait_for_link(browser, "Unreadable")
        file.write_bytes(good)
    wait_for_link(browser, "Live")
    file.write_bytes(good[:100])
    wait_for_link(browser, "Unreadable")
    assert _dot(browser) != _green(browser)
    # what is shown grows older
    wait_for(lambda: int(text(browser, "link-age").split()[0]) >= 2, "its age")
    for tab in ("auto", "futures", "history"):
        go(browser, tab)
        assert text(browser, "link-state") == "Unreadable"
    # a page that is opened meanwhile knows no age
    other = open_browser(server.url)
    wait_for_link(other, "Unreadable")
    server.stop()
    # which of them is worst
    wait_for_link(browser, "Offline")
    file.write_bytes(good)


def test_without_a_live_price_it_says_so_while_the_balance_follows(
    ended: Server, open_browser: Opened
) -> None:
    browser = open_browser(ended.url)
    wait_for_link(browser, "No prices")
    assert _dot(browser) != _green(browser)
    ended.post({"deposit": 5})
    wait_for_balance(browser, "$10,005.00")
    assert text(browser, "link-state") == "No prices"
    ended.stop()
    wait_for_link(browser, "Offline")


def test_without_a_stream_the_prices_still_count(ended: Server, open_browser: Opened) -> None:
    with Relay(ended.port) as relay:
        relay.refused = ("/virtual_balance/stream",)
        browser = open_browser(relay.url)
        ended.post({"deposit": 5})
        wait_for_balance(browser, "$10,005.00")
        assert text(browser, "link-state") == "No prices"


def test_a_replay_that_ends_while_it_is_looked_at_turns_it(
    start_server: Callable[..., Server], tmp_path: Path, open_browser: Opened
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    lines = [f"2026-01-02T03:{minute:02},40000,40010,39990,40000,1" for minute in range(59)]
    file.write_text("\n".join((_CANDLE.split("\n")[0], *lines)))
    # 59 minutes in about 12 s
    server = start_server("--feed", f"replay:{file}", "--speed", "300")
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    wait_for(lambda: text(browser, "link-state") == "No prices", "the end of the prices")
    # since the last price that this page has seen
    wait_for(lambda: re.fullmatch(r"\d+ s", text(browser, "link-age")), "the age")
