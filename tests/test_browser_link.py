"""The page says how live it is, and finds its way back by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import BLANK
from tests.ledgers import write_ledger
from tests.pages import UPDATE
from tests.relay import Relay
from tests.screen import (
    go,
    resize,
    text,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
    write,
)
from tests.serving import Server

Opened = Callable[[str], Any]


def _colour(browser: Any, selector: str) -> str:
    found: str = browser.driver.execute_script(
        "return getComputedStyle(document.querySelector(arguments[0])).color", selector
    )
    return found


def test_a_server_that_is_gone_is_told_and_whatever_comes_after_it_is_followed(
    server: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    server.post({"deposit": 100})
    browser = open_browser(server.url)
    wait_for_balance(browser, "$10,100.00")
    wait_for_link(browser, "Live")
    again = _stopped_and_started(browser, server, start_server)
    # one that is killed while it draws another range of the curve is noticed too
    assert browser.find_elements("[data-derive='range:day:pnl']")
    os.kill(again.pid, signal.SIGSTOP)
    browser.find_element("label[for=overview-range-all]").click()
    again.kill()
    wait_for_link(browser, "Offline")
    assert not browser.find_element("#overview-range-day").is_enabled()
    browser.find_element("#sidebar-sync-balance-btn").click()
    wait_for_toast(browser, "The server does not answer.")
    for file in server.folder.iterdir():
        file.unlink()
    start_server(port=server.port)
    # the new account is at a lower revision than the page has seen
    wait_for_balance(browser, "$10,000.00")
    wait_for(lambda: browser.find_elements("[data-derive='range:all:pnl']"), "the other range")


def _stopped_and_started(
    browser: Any, server: Server, start_server: Callable[..., Server]
) -> Server:
    """The numbers are dimmed while there is no server, and a new one brings them back."""
    bright = _colour(browser, "#virtual-balance")
    server.stop()
    wait_for_link(browser, "Offline")
    assert text(browser, "virtual-balance") == "$10,100.00"
    assert _colour(browser, "#virtual-balance") != bright
    assert "These figures are from" in text(browser, "link-note")
    assert "UTC" in text(browser, "link-note")

    again = start_server(port=server.port)
    wait_for_link(browser, "Live")
    assert text(browser, "link-note") == ""
    assert _colour(browser, "#virtual-balance") == bright
    again.post({"deposit": 11})
    wait_for_balance(browser, "$10,111.00")
    return again


def test_without_a_stream_the_page_polls_and_a_cut_one_is_opened_again(
    server: Server, open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        relay.refused = ("/virtual_balance/stream",)
        browser = open_browser(relay.url)
        wait_for_link(browser, "Polling")
        server.post({"deposit": 8})
        wait_for_balance(browser, "$10,008.00")
        relay.refused = ()
        wait_for_link(browser, "Live")

        before = relay.paths.count("/virtual_balance/stream")
        relay.cut()
        wait_for(
            lambda: relay.paths.count("/virtual_balance/stream") == before + 1, "another stream"
        )
        wait_for_link(browser, "Live")
        server.post({"deposit": 9})
        wait_for_balance(browser, "$10,017.00")


def test_a_damaged_file_is_told_on_every_tab_until_it_is_mended(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url)
    wait_for_link(browser, "Live")
    file = server.folder / "virtual_balance.json"
    good = file.read_bytes()
    file.write_bytes(good[:100])
    wait_for(lambda: "is not valid JSON" in text(browser, "fault-note"), "the fault")
    command = browser.find_elements("#fault-note code")[-1].text
    assert command.startswith("python -m balance repair")
    assert "`" not in text(browser, "fault-note")
    assert text(browser, "virtual-balance") == "$10,000.00"
    for tab in ("auto", "futures", "history"):
        go(browser, tab)
        assert browser.find_element("#fault-note").is_displayed()
    for width in (390, 375):
        resize(browser, width)
        # The name of the program keeps clear of the pill.
        assert browser.driver.execute_script(
            "const at = (part) => document.querySelector(part).getBoundingClientRect();"
            "return at('.brand .paper').right < at('.pill').left"
        ), f"{width} px"
    resize(browser, 1280)
    file.write_bytes(good)
    wait_for(lambda: text(browser, "fault-note") == "", "no fault")
    server.post({"deposit": 1})
    wait_for_balance(browser, "$10,001.00")
    _a_page_opened_on_a_damaged_file_shows_dashes_and_no_number(browser, server)


def _a_page_opened_on_a_damaged_file_shows_dashes_and_no_number(
    browser: Any, server: Server
) -> None:
    file = server.folder / "virtual_balance.json"
    good = file.read_bytes()
    file.write_bytes(b"{}")
    browser.driver.get(server.url)
    wait_for(lambda: "virtual_balance.json" in text(browser, "fault-note"), "the fault")
    assert text(browser, "virtual-balance") == "\N{EN DASH}"
    assert "$" not in browser.find_element("#app-shell").text
    file.write_bytes(good)
    wait_for_balance(browser, "$10,001.00")


def _block(browser: Any, *addresses: str) -> None:
    """Have nothing come from ``addresses``, and what was blocked before come again."""
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": addresses})


def test_charts_whose_library_did_not_come_are_drawn_when_it_does(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(BLANK)
    _block(browser, "*lightweight-charts*")
    browser.server_url = server.url + "/futures"
    wait_for_link(browser, "Live")
    reason = "The candles could not be fetched"
    wait_for(lambda: reason in text(browser, "futures-chart-note"), "what is missing")
    assert not browser.find_elements("canvas")
    _block(browser)
    for chart in ("#futures-chart", "#sidebar-equity"):
        wait_for(lambda: browser.find_elements(f"{chart} canvas"), chart)  # noqa: B023


def test_tabs_that_are_come_to_without_a_server_are_whole_when_it_is_back(
    server: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    order = {"symbol": "BTC/USDT", "side": "buy", "notional": 1_000}
    wait_for(lambda: server.post(order, "/orders").ok, "a position")
    browser = open_browser(BLANK)
    _block(browser, "*async-community*")
    browser.server_url = server.url
    wait_for_link(browser, "Live")
    # the grid has come, but for what it fetches when it is drawn
    wait_for(lambda: browser.driver.execute_script("return 'dash_ag_grid' in window"), "the grid")
    server.kill()
    wait_for_link(browser, "Offline")
    for tab, place in (("history", "history-grid"), ("futures", "futures-positions")):
        go(browser, tab)
        reason = browser.wait_for_element(f"#{place}-place + .problem")
        wait_for(reason.is_displayed, "what is missing")
    assert len(browser.find_elements(".toast-box")) <= 1
    _block(browser)
    start_server(port=server.port)
    # nothing else has to happen for it
    wait_for(lambda: browser.find_elements("#futures-positions-grid [row-id]"), "the position")
    go(browser, "history")
    wait_for(lambda: browser.find_elements("#history-grid .ag-cell:not(:empty)"), "the entries")
    assert "ChunkLoadError" not in str(browser.get_logs())


def test_the_cards_of_a_phone_are_dimmed_while_there_is_no_server(
    server: Server, open_browser: Opened
) -> None:
    browser = open_browser(server.url + "/futures")
    wait_for_link(browser, "Live")
    order = {"symbol": "BTC/USDT", "side": "buy", "notional": 1_000}
    wait_for(lambda: server.post(order, "/orders").ok, "a position")
    resize(browser, 390)
    figure = "#futures-positions-grid .row-card > .figure-text"
    wait_for(lambda: browser.find_elements(figure), "its card")
    server.kill()
    wait_for_link(browser, "Offline")
    muted = _colour(browser, ".metric-label")
    for part in (figure, "#futures-positions-grid .row-card > .title"):
        assert _colour(browser, part) == muted


def _is_drawn(browser: Any, place: str) -> bool:
    """Whether the row of the entry at ``place`` is there, with what is in it."""
    return bool(browser.find_elements(f"#history-grid [row-id='{place}'] .ag-cell:not(:empty)"))


def _kill_under_way(browser: Any, relay: Relay, server: Server, button: str) -> None:
    """Kill ``server`` while it owes the answer to what ``button`` sends."""
    browser.wait_for_element(f"{button}:enabled")
    os.kill(server.pid, signal.SIGSTOP)
    relay.paths.clear()
    browser.find_element(button).click()
    wait_for(lambda: any(UPDATE in path for path in relay.paths), "what is under way")
    server.kill()


def test_what_a_killed_server_owes_comes_from_the_next_one_and_is_booked_once(
    folder: Path, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    write_ledger(folder, 300)
    server = start_server()
    with Relay(server.port) as relay:
        browser = open_browser(f"{relay.url}/history")
        wait_for_link(browser, "Live")
        newest = server.get("/history/ledger?limit=1").json()["rows"][0]["place"]
        wait_for(lambda: _is_drawn(browser, newest), "the newest entry")
        _kill_under_way(browser, relay, server, "#history-last")
        wait_for_toast(browser, "The server does not answer. Try again when it is back.")
        assert not _is_drawn(browser, "1")
        again = start_server(port=server.port)
        # nothing else has to happen for it
        wait_for(lambda: _is_drawn(browser, "1"), "the oldest entry")
        wait_for_link(browser, "Live")
        browser.find_element("#alerts-btn").click()
        browser.wait_for_element("#alerts-new:enabled").click()
        write(browser, "alerts-threshold", "1")
        _kill_under_way(browser, relay, again, "#alerts-save")
        browser.wait_for_contains_text("#alerts-error", "it will not be done twice")
        last = start_server(port=server.port)
        assert last.get("/alerts").json()["alerts"] == []
        browser.wait_for_element("#alerts-save:enabled").click()
        browser.wait_for_contains_text("#alerts-said", "Made the alert")
        assert len(last.get("/alerts").json()["alerts"]) == 1


def test_a_bot_that_a_killed_server_was_to_make_is_made_once_by_the_next_one(
    server: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(f"{relay.url}/auto")
        wait_for_link(browser, "Live")
        browser.wait_for_element("#auto-new-bot:enabled").click()
        browser.wait_for_contains_text("#bot-strategy-words", " ")
        write(browser, "bot-name", "Twice")
        _kill_under_way(browser, relay, server, "#bot-save")
        browser.wait_for_contains_text("#bot-error", "it will not be done twice")
        again = start_server(port=server.port)
        assert again.get("/bots").json()["bots"] == []
        browser.wait_for_element("#bot-save:enabled").click()
        wait_for(lambda: "Twice" in text(browser, "auto-bots"), "its row")
        assert [each["name"] for each in again.get("/bots").json()["bots"]] == ["Twice"]
