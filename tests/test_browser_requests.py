"""What a page asks the server for: nothing while it is idle, and once where Sync is pressed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.conftest import BLANK
from tests.length import rounds
from tests.pages import UPDATE
from tests.relay import Relay
from tests.screen import (
    BUTTONS,
    go,
    text,
    wait_for,
    wait_for_balance,
    wait_for_link,
    wait_for_toast,
)
from tests.serving import Server

Opened = Callable[[str], Any]

# of the page's own time, in which its timers run so much faster; the worker that holds the stream
# has another clock, and opens it anew after 7 s of silence
_IDLE_SECONDS = 12
_HASTE = rounds(3, 1)
_LOOKED_AT_SECONDS = 5
_ENDED_CANDLES = "/candles/BTC/USDT?timeframe=1m&limit=60"
# what holds once a tab has all that it draws
_THERE = {
    "auto": "document.querySelector('.keys-table tbody tr') !== null",
    "history": "document.querySelector('#history-grid .ag-row[row-id] .ag-cell') !== null",
    "futures": "document.getElementById('futures-chart-note').textContent === ''",
}
_LIBRARIES = "return 'dash_ag_grid' in window && 'LightweightCharts' in window"
_PUSH = "dash_clientside.set_props('balance-push', {data: arguments[0]});"
_HASTEN = """
    window.haste = HASTE;
    const [later, often] = [window.setTimeout, window.setInterval];
    window.setTimeout = (run, ms, ...rest) => later(run, ms / window.haste, ...rest);
    window.setInterval = (run, ms, ...rest) => often(run, ms / window.haste, ...rest);
""".replace("HASTE", str(_HASTE), 1)


def test_a_page_asks_for_nothing_while_it_is_idle_and_once_where_it_is_told_to(
    server: Server, open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        browser = _hastened(open_browser, relay.url)
        wait_for_balance(browser, "$10,000.00")
        wait_for_link(browser, "Live")
        wait_for(lambda: text(browser, "overview-ledger"), "the newest entries")
        # what other tabs need comes by itself, once
        wait_for(lambda: browser.driver.execute_script(_LIBRARIES), "the libraries")
        wait_for(lambda: len(browser.find_elements("[data-points]")) == 2, "the curves")
        _looked_at_overview_asks_for_nothing(relay)
        for tab in _THERE:
            _idle_tab_asks_for_nothing(browser, relay, tab)
        wait_for(lambda: server.get("/health").json()["streams"] == 1, "one stream alone")
        # it is idle, not dead
        server.post({"deposit": 1})
        wait_for_balance(browser, "$10,001.00")
        browser.driver.execute_script("window.haste = 1")
        for place, tab in BUTTONS.items():
            _sync_fetches_once_and_says_what_it_found(browser, server, relay, place, tab)
        _sync_is_done_where_a_change_comes_with_it(browser, server)
        assert browser.get_logs() == []
        _sync_catches_up_where_nothing_else_did(browser, server, relay)


def _looked_at_overview_asks_for_nothing(relay: Relay) -> None:
    """Its figures that no snapshot has come with the stream."""
    relay.paths.clear()
    time.sleep(_LOOKED_AT_SECONDS)
    assert relay.paths == []


def _idle_tab_asks_for_nothing(browser: Any, relay: Relay, tab: str) -> None:
    go(browser, tab)
    wait_for(lambda: browser.driver.execute_script(f"return {_THERE[tab]}"), f"a whole {tab}")
    relay.paths.clear()
    begin = time.monotonic()
    time.sleep(_IDLE_SECONDS / _HASTE)
    asked = Counter(relay.paths)
    # what the candle of a minute really was is asked for once it has ended
    assert asked.keys() <= ({_ENDED_CANDLES} if tab == "futures" else set()), tab
    # a busy machine may have slept for longer
    assert asked[_ENDED_CANDLES] <= 1 + (time.monotonic() - begin) // 60


def _hastened(open_browser: Opened, url: str) -> Any:
    browser = open_browser(BLANK)
    script = browser.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": _HASTEN}
    )
    browser.server_url = url
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    return browser


def _sync_fetches_once_and_says_what_it_found(
    browser: Any, server: Server, relay: Relay, place: str, tab: str
) -> None:
    told = server.post({"deposit": 1}).json()
    balance = told["display"]["balance"]
    wait_for_balance(browser, balance)
    go(browser, tab)
    before = relay.paths.count("/virtual_balance")
    browser.find_element(f"#{place}-sync-balance-btn").click()
    wait_for_toast(browser, f"In sync, revision {told['revision']}. Balance {balance}.")
    assert relay.paths.count("/virtual_balance") == before + 1


def _sync_is_done_where_a_change_comes_with_it(browser: Any, server: Server) -> None:
    """Dash makes one call of a click and what came in the same moment."""
    click = "document.getElementById('sidebar-sync-balance-btn').click();"
    for number, order in enumerate((click + _PUSH, _PUSH + click)):
        revision = server.post({"deposit": 1}).json()["revision"]
        browser.driver.execute_script(order, -number)
        wait_for_toast(browser, f"sync, revision {revision}.")


def _sync_catches_up_where_nothing_else_did(browser: Any, server: Server, relay: Relay) -> None:
    relay.refused = ("/virtual_balance/stream",)
    relay.cut()
    wait_for_link(browser, "Polling")
    # without its interval the page stays behind until it is told
    browser.driver.execute_script(
        "dash_clientside.set_props('live-price-interval', {disabled: true})"
    )
    shown, revision = text(browser, "virtual-balance"), server.get().json()["revision"]
    balance = server.post({"deposit": 5}).json()["display"]["balance"]
    assert text(browser, "virtual-balance") == shown != balance
    browser.find_element("#sidebar-sync-balance-btn").click()
    now = f"now in sync, revision {revision + 1}. Balance {balance}."
    wait_for_toast(browser, f"Was at revision {revision}, {now}")
    wait_for_balance(browser, balance)


def test_what_could_not_be_drawn_is_drawn_when_the_server_answers_again(
    server: Server, open_browser: Opened
) -> None:
    with Relay(server.port) as relay:
        browser = open_browser(relay.url)
        wait_for(lambda: "Start" in text(browser, "overview-ledger"), "the first entry")
        relay.refused = (UPDATE,)
        server.post({"deposit": 7})
        wait_for_toast(browser, "The server does not answer.")
        assert "$7.00" not in text(browser, "overview-ledger")
        relay.refused = ()
        # nothing else has to happen for it
        wait_for(lambda: "+$7.00" in text(browser, "overview-ledger"), "the deposit")
