"""Toasts tell of what was done and cover nothing that is read or pressed; what bots do is counted
on their tab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from balance import Desk
from balance.core.figures import NONE
from balance.core.messages import MARKET
from balance.store.file_store import FileStore
from tests.boards import board as a_board
from tests.boards import priced
from tests.markets import BTC
from tests.patience import patience
from tests.screen import go, resize, text, texts, wait_for, wait_for_link, wait_for_toast, write
from tests.serving import Server
from tests.standing import StandingServer
from tests.tour import be_calm, clear_toasts, opened_dialogs

Opened = Callable[[str], Any]

SIZES = [(1280, 720), (1366, 768), (1440, 900), (2560, 1440), (390, 844)]
#: What toasts never lie over: the balance and what is in the sidebar, tickets, tables, dialogs.
_COVERED = """
    const boxes = [...document.querySelectorAll('#toasts .toast-box')]
        .map((each) => each.getBoundingClientRect()).filter(({ height }) => height > 0);
    const region = document.getElementById('toasts');
    // a strip is below the tabs, which end above it: what is scrolled behind it is not seen
    const end = region.matches('.docked') ? region.getBoundingClientRect().top : innerHeight;
    const never = arguments[0] ?? '.sidebar, #virtual-balance, #sidebar-pnl, #link-pill, ' +
        '#sidebar-sync-balance-btn, #sidebar-reset-balance-btn, .ticket, ' +
        '.desk-grid-table, .ledger, .bots-table, .modal.show .modal-content, ' +
        'dialog[open] form, .tab-row, .ticker, .metric';
    return [...document.querySelectorAll(never)].filter((each) => {
        const it = each.getBoundingClientRect();
        const bottom = each.closest('#content') ? Math.min(it.bottom, end) : it.bottom;
        return it.width > 0 && bottom > it.top && boxes.some((box) =>
            box.left < it.right && box.right > it.left && box.top < bottom && box.bottom > it.top);
    }).map((each) => `${each.id} ${each.className}`);
"""


_OVER_THE_PAGE = ".sidebar, .modal.show .modal-content, dialog[open] form"


def _sync(browser: Any, times: int = 1) -> None:
    """Press Sync, which says what came of it, also where it is in a menu."""
    for _ in range(times):
        before = _count(browser)
        browser.driver.execute_script("document.getElementById('sidebar-sync-balance-btn').click()")
        wait_for(lambda before=before: _count(browser) > before, "what came of it")


def _count(browser: Any) -> int:
    """How many toasts there are and were, since there was none."""
    more = re.search(r"and (\d+) more", text(browser, "toasts"))
    return len(_boxes(browser)) + (int(more[1]) if more else 0)


def _boxes(browser: Any) -> list[str]:
    """The texts of the boxes that are shown."""
    found: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll('#toasts .toast-box')]"
        ".filter((each) => each.checkVisibility()).map((each) => each.textContent)"
    )
    return found


def _covered(browser: Any, never: str | None = None) -> list[str]:
    found: list[str] = browser.driver.execute_script(_COVERED, never)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a market that stands still, so that only a test lets it act."""
    with StandingServer(tmp_path_factory.mktemp("toasts") / "account") as running:
        order = {"symbol": "BTC/USDT", "side": "buy", "notional": 500}
        assert running.post(order, "/orders").status_code == 200
        bot = {"symbol": "BTC/USDT", "strategy": "ema_crossover", "timeframe": "1m"}
        for name in ("Trend", "Range"):
            assert running.post({"name": name, **bot}, "/bots").status_code in (200, 201)
        yield running


@pytest.fixture(scope="module")
def page(server: Server, open_for_all: Opened) -> Any:
    """One page for all that look at the same server."""
    page = open_for_all(server.url)
    # dialogs come and go at once
    be_calm(page)
    return page


@pytest.fixture
def browser(page: Any) -> Any:
    """The page, live on its first tab, as wide as usual and without a toast."""
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    wait_for_link(page, "Live")
    go(page, "overview")
    clear_toasts(page)
    page.get_logs()
    return page


def test_toasts_cover_nothing_on_any_tab(browser: Any) -> None:
    # As if somebody were at them: on a busy machine the first would go before the last has come.
    browser.driver.execute_script("document.body.classList.add('waiting')")
    for tab in ("overview", "auto", "futures", "history"):
        go(browser, tab)
        clear_toasts(browser)
        _sync(browser, 4)
        for size in SIZES:
            resize(browser, *size)
            case = f"{tab} at {size}"
            wait_for(lambda: _covered(browser) == [], f"toasts over nothing on {case}")
            shown = _boxes(browser)
            assert 1 <= len(shown) <= 2, case
            assert all("sync, revision" in each for each in shown)
            assert f"and {4 - len(shown)} more" in text(browser, "toasts")
            # wherever the page is scrolled to
            browser.driver.execute_script("window.scrollTo(0, document.body.scrollHeight / 2)")
            wait_for(lambda: _covered(browser) == [], f"toasts over nothing on {case}, scrolled")
            browser.driver.execute_script("window.scrollTo(0, 0)")
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.driver.execute_script("document.body.classList.remove('waiting')")
    clear_toasts(browser)
    assert browser.get_logs() == []


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900)])
def test_toasts_cover_no_dialog(browser: Any, size: tuple[int, int]) -> None:
    resize(browser, *size)
    for dialog in opened_dialogs(browser, ("reset-dialog", "money-dialog", "position-dialog")):
        clear_toasts(browser)
        _sync(browser, 2)
        # where there is no other place, they lie over the page behind it
        wait_for(lambda: _covered(browser, _OVER_THE_PAGE) == [], "toasts over no dialog")
        assert browser.find_element(f"#{dialog}").is_displayed()
        clear_toasts(browser)


def test_a_toast_has_two_lines_and_the_decimals_of_the_settings(
    server: Server, browser: Any
) -> None:
    # a sentence of three lines
    file = server.folder / "virtual_balance.json"
    good = file.read_bytes()
    file.write_bytes(good[:100])
    wait_for_link(browser, "Unreadable")
    _sync(browser)
    file.write_bytes(good)
    wait_for_link(browser, "Live")
    lines = (
        "const text = document.querySelector('#toasts .toast-box > span');"
        "return text.clientHeight / parseFloat(getComputedStyle(text).lineHeight)"
    )
    assert browser.driver.execute_script(lines) == 2
    clear_toasts(browser)
    go(browser, "futures")
    for decimals, fee in ((2, r"fee 0\.\d\d\."), (4, r"fee 0\.\d{4}\.")):
        requests.put(f"{server.url}/settings", json={"decimals": decimals}, timeout=patience())
        write(browser, "futures-size", "333")
        wait_for(lambda: text(browser, "futures-preview-quantity") != NONE, "the preview")
        browser.find_element("#futures-submit").click()
        wait_for(lambda f=fee: re.search(f, text(browser, "toasts")), f"the decimals {decimals}")
        balance = re.search(r"Balance [\d,]+\.(\d+)\.", text(browser, "toasts"))
        assert balance is not None
        assert len(balance[1]) == decimals
        clear_toasts(browser)
    requests.put(f"{server.url}/settings", json={"decimals": 2}, timeout=patience())


def test_a_liquidation_stays_until_it_is_closed(server: Server, browser: Any) -> None:
    board = a_board()
    desk = Desk(FileStore(server.folder), board)
    priced(board, 40_000)
    desk.reset(10_000)
    # it asks whether to undo it, and stays too
    wait_for_toast(browser, "Reset to $10,000.00")
    clear_toasts(browser)
    desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=10)
    priced(board, 30_000)
    assert desk.advance(board.market, {}, MARKET) is not None
    wait_for_toast(browser, "Liquidated: long 0.1 BTC/USDT")
    _sync(browser, 3)
    shown = _boxes(browser)
    assert len(shown) == 2
    assert any("Liquidated" in each for each in shown)
    words = ".toast-box.stays"
    assert browser.find_element(words).is_displayed()
    browser.find_element(f"{words} .btn-close").click()
    wait_for(lambda: "Liquidated" not in text(browser, "toasts"), "the end of it")


def _waves(file: Path, price: float, minutes: int = 2000) -> None:
    """Candles that go up and down, so that a crossover trades every few minutes."""
    lines = ["time,open,high,low,close,volume"]
    for minute in range(minutes):
        day, hour, rest = minute // 1440 + 1, minute // 60 % 24, minute % 60
        steps = [price * (1 + 0.01 * abs(k % 8 - 4) / 4) for k in (minute, minute + 1)]
        high, low = max(steps), min(steps)
        lines.append(
            f"2026-01-{day:02}T{hour:02}:{rest:02},{steps[0]:.2f},{high:.2f},{low:.2f},{steps[1]:.2f},1"
        )
    file.write_text("\n".join(lines))


def test_fills_of_bots_are_counted_by_name_on_their_tab(
    start_server: Callable[..., Server], tmp_path: Path, open_browser: Opened
) -> None:
    feeds = []
    for symbol, price in (("BTC/USDT", 40_000), ("SOL/USDT", 150)):
        _waves(tmp_path / f"{symbol[:3]}.csv", price)
        feeds += ["--feed", f"replay:{symbol}={tmp_path / symbol[:3]}.csv"]
    server = start_server(*feeds, "--speed", "300")
    browser = open_browser(server.url + "/futures")
    wait_for_link(browser, "Live")
    for name, symbol in (("Trend", "BTC/USDT"), ("My range", "SOL/USDT")):
        bot = {"name": name, "symbol": symbol, "timeframe": "1m", "strategy": "ema_crossover"}
        made = server.post({**bot, "params": {"fast": 2, "slow": 4}, "stake": 10}, "/bots")
        assert made.status_code in (200, 201), made.text
        assert server.post(path=f"/bots/{made.json()['bot']['id']}/start").status_code == 200
    count = "auto-news"
    wait_for(lambda: re.match(r"\d\d", text(browser, count)), "ten fills")
    about = browser.find_element(f"#{count}").get_attribute("title")
    found = re.findall(r"(Trend|My range): (\d+) fills, [+\u2212]?\$[\d,]+\.\d\d(?!\d)", about)
    assert sorted(name for name, _ in found) == ["My range", "Trend"], about
    # nothing lies over the balance, and nothing of it is said twice
    assert _boxes(browser) == []
    go(browser, "auto")
    wait_for(lambda: text(browser, count) == "", "an end of the count on the tab itself")
    go(browser, "overview")
    wait_for(lambda: text(browser, count) != "", "fills since then")
    # what the person does has a toast of its own
    browser.find_element("#sidebar-sync-balance-btn").click()
    wait_for_toast(browser, "sync, revision")
    wait_for(lambda: _covered(browser) == [], "a toast over nothing")
    assert texts(browser)["virtual-balance"].startswith("$")
    assert browser.get_logs() == []
