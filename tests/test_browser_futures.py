"""The Futures tab in a browser: ticket, preview, tables, dialogs, and prices that move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from balance.store.lock import account_lock
from tests.page_modules import run
from tests.screen import (
    called,
    choose,
    go,
    resize,
    text,
    texts,
    wait_for,
    wait_for_link,
    wait_for_toast,
    wait_until_gone,
    write,
)
from tests.serving import Server
from tests.tour import clear_toasts

Opened = Callable[[str], Any]
#: From the widest to the narrowest.
_SCREENS = ((2560, 1440), (1440, 900), (1366, 768), (1280, 720))


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a market that stands still: BTC/USDT at 40,000 bid, 40,000.1 asked; each test
    begins its account anew."""
    folder = tmp_path_factory.mktemp("futures")
    file = folder / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close,volume\n2026-01-02T03:04,40000,40010,39990,40000,1\n")
    with Server(folder / "account", "--feed", f"replay:{file}", "--speed", "0.0001") as server:
        wait_for(lambda: server.get("/prices").json()["prices"], "the first price")
        yield server


@pytest.fixture(scope="module")
def page(still: Server, open_for_all: Opened) -> Any:
    """One page for all that trade there."""
    return _futures(still, open_for_all)


@pytest.fixture
def browser(still: Server, page: Any) -> Any:
    """The page, with an empty ticket and an account of 10,000 without positions."""
    still.post(path="/virtual_balance/reset")
    wait_for(lambda: texts(page)["futures-virtual-balance"] == "$10,000.00", "the new account")
    # that one may undo it stands over the lower end of the page until it is answered
    wait_for_toast(page, "Reset to")
    clear_toasts(page)
    choose(page, "futures-book", "Positions")
    choose(page, "futures-type", "Market")
    page.driver.execute_script(
        "document.querySelectorAll('#futures-options input:checked').forEach((e) => e.click())"
    )
    page.find_element("#futures-unit option[value=notional]").click()
    write(page, "futures-size", "")
    clear_toasts(page)
    page.get_logs()
    return page


def _futures(server: Server, open_browser: Opened) -> Any:
    browser = open_browser(server.url + "/futures")
    wait_for_link(browser, "Live")
    return browser


def _rows(browser: Any, book: str) -> list[str]:
    """The texts of a table's rows, cell after cell."""
    found: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll(`#futures-${arguments[0]}-grid .ag-row`)]"
        ".sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'))"
        ".map((row) => [...row.querySelectorAll('.ag-cell')].map((c) => c.textContent).join('|'))",
        book,
    )
    return found


def _press(browser: Any, words: str) -> None:
    """Press the button in a table that is called ``words``."""
    called(browser, ".row-actions button", words).click()


def _previewed(browser: Any) -> dict[str, str]:
    fields = ("quantity", "notional", "margin", "fee", "cost", "liquidation_price")
    return {field: text(browser, f"futures-preview-{field}") for field in fields}


def test_an_order_is_previewed_placed_and_closed(
    still: Server, browser: Any, open_browser: Opened
) -> None:
    before = len(still.get("/fills").json()["fills"])
    other = open_browser(still.url)
    wait_for(lambda: "No open positions" in text(browser, "futures-book-empty"), "empty words")
    write(browser, "futures-size", "1000")
    wanted = {"symbol": "BTC/USDT", "side": "buy", "notional": 1000, "leverage": 10}
    told = still.post(wanted, "/orders/preview").json()["display"]
    wait_for(
        lambda: _previewed(browser) == {name: told[name] for name in _previewed(browser)},
        "the server's own preview",
    )
    assert told["quantity"] == "0.024 BTC"
    browser.find_element("#futures-submit").click()
    wait_for_toast(browser, "Bought 0.024 BTC/USDT at 40,004.2, fee 0.48. Balance 9,999.52.")
    wait_for(lambda: len(_rows(browser, "positions")) == 1, "the position's row")
    row = _rows(browser, "positions")[0]
    assert row.startswith("BTC/USDT Long 10x|You|0.024|-$0.10 -0.10%|40,004.20 40,000.00|")
    assert text(browser, "futures-size") == ""
    # every tab of another browser has it too
    shown = still.get().json()["display"]
    wait_for(lambda: texts(other)["futures-virtual-balance"] == shown["balance"], "the other tab")
    assert texts(other)["futures-pnl-display"] == shown["current_pnl"]
    _press(browser, "Half")
    wait_for_toast(browser, "Sold 0.012 BTC/USDT at 39,996")
    wait_for(lambda: "|0.012|" in _rows(browser, "positions")[0], "half of it")
    _press(browser, "Close")
    wait_for(lambda: not browser.find_element("#futures-book-empty").get_attribute("hidden"), "end")
    choose(browser, "futures-book", "Fills")
    wait_for(lambda: len(_rows(browser, "fills")) == before + 3, "three fills")
    assert "Sell|Market|You|0.012|39,996.00|Taker|$0.24|-$0.10" in _rows(browser, "fills")[0]
    assert still.get("/positions").json()["positions"] == []
    assert browser.get_logs() == []


def test_orders_wait_are_cancelled_and_exits_are_edited(still: Server, browser: Any) -> None:
    choose(browser, "futures-type", "Limit")
    write(browser, "futures-price", "39000")
    choose(browser, "futures-options", "Take-profit")
    write(browser, "futures-take-profit", "41000")
    browser.find_element("#futures-share-25").click()
    wait_for(lambda: text(browser, "futures-preview-quantity").startswith("0."), "the preview")
    browser.find_element("#futures-submit").click()
    wait_for_toast(browser, "Placed: Buy 0.637 BTC/USDT, limit 39,000.")
    wait_for(lambda: texts(browser)["futures-order-count"] == "1", "the count of orders")
    choose(browser, "futures-book", "Open orders")
    wait_for(lambda: len(_rows(browser, "orders")) == 1, "the order's row")
    assert "Limit|0.637|39,000.00|$2,484.30|TP 41,000.00|" in _rows(browser, "orders")[0]
    _press(browser, "Edit…")
    browser.wait_for_element("#order-dialog")
    wait_for(lambda: not browser.find_element("#order-second-price").is_displayed(), "its fields")
    write(browser, "order-quantity", "0")
    browser.find_element("#order-set").click()
    wait_for(lambda: "must be above zero" in text(browser, "order-error"), "the refusal")
    write(browser, "order-quantity", "")
    advice = "Write a number in every field, or cancel the order in its row."
    wait_for(lambda: text(browser, "order-about") == advice, "what may be done instead")
    write(browser, "order-quantity", "0.6")
    write(browser, "order-price", "38,500")
    wait_for(lambda: "Margin $2,310.00, fee" in text(browser, "order-about"), "the preview")
    browser.find_element("#order-set").click()
    wait_for(lambda: "Limit|0.6|38,500.00|" in _rows(browser, "orders")[0], "the amended order")
    wait_until_gone(browser, "order-dialog")
    _press(browser, "Edit…")
    browser.wait_for_element("#order-dialog")
    (order,) = still.get("/orders").json()["orders"]
    assert still.ask("DELETE", f"/orders/{order['id']}").ok
    wait_for(lambda: "The order has ended." in text(browser, "order-error"), "its end")
    browser.find_element("#order-cancel").click()
    wait_until_gone(browser, "order-dialog")
    # a position that somebody else has opened
    still.post({"symbol": "BTCUSDT", "side": "sell", "quantity": 0.1}, "/orders")
    choose(browser, "futures-book", "Positions")
    _press(browser, "Edit…")
    browser.wait_for_element("#position-dialog")
    write(browser, "position-stop-loss", "41000")
    browser.find_element("#position-set").click()
    wait_for(lambda: "SL 41,000.00" in _rows(browser, "positions")[0], "the stop-loss")
    wait_until_gone(browser, "position-dialog")
    _press(browser, "Edit…")
    browser.wait_for_element("#position-dialog")
    write(browser, "position-stop-loss", "39000")
    browser.find_element("#position-set").click()
    wait_for(lambda: "is reached already" in text(browser, "position-error"), "the refusal")
    browser.find_element("#position-move-margin").click()
    wait_for(lambda: "Enter a number" in text(browser, "position-error"), "what is missing")
    write(browser, "position-margin", "50")
    wait_for(lambda: "Margin $4" in text(browser, "position-margin-about"), "the preview")
    browser.find_element("#position-move-margin").click()
    wait_for_toast(browser, "Added 50.00 USDT to the margin of short 0.1 BTC/USDT")
    wait_until_gone(browser, "position-dialog")
    _press(browser, "Edit…")
    browser.wait_for_element("#position-dialog")
    write(browser, "position-quantity", "0.04")
    browser.find_element("#position-close").click()
    wait_for_toast(browser, "Bought 0.04 BTC/USDT")
    wait_for(lambda: "|0.06|" in _rows(browser, "positions")[0], "what is left of it")
    assert still.get("/positions").json()["positions"][0]["stop_loss"] == 41_000
    wait_until_gone(browser, "position-dialog")
    _press(browser, "Edit…")
    browser.wait_for_element("#position-dialog")
    browser.find_element("#position-reverse").click()
    question = browser.wait_for_element("#reverse-dialog").text
    assert "Reverse BTC/USDT to long 0.06 BTC, 10x?" in question
    assert "liquidation price 3" in question
    browser.find_element("#reverse-confirm").click()
    wait_for(lambda: "Long 10x" in _rows(browser, "positions")[0], "the other side")
    assert still.get("/positions").json()["positions"][0]["stop_loss"] is None
    wait_until_gone(browser, "position-dialog")
    browser.find_element("#futures-close-all").click()
    wait_for(lambda: text(browser, "futures-close-all") == "Close 1 position at market?", "that")
    browser.find_element("#futures-close-all").click()
    wait_for(lambda: still.get("/positions").json()["positions"] == [], "no position")


def test_what_cannot_be_is_said_in_the_ticket_with_figures(still: Server, browser: Any) -> None:
    before = still.get().json()["revision"]
    write(browser, "futures-size", "200000")
    wait_for(
        lambda: (
            text(browser, "futures-ticket-note")
            == "This needs $20,098.09, but only $10,000.00 are available."
        ),
        "what it would need",
    )
    submit = browser.find_element("#futures-submit")
    assert (submit.text, submit.is_enabled()) == ("Not enough available", False)
    browser.find_element("#futures-size").send_keys(Keys.ENTER)
    write(browser, "futures-size", "much")
    wait_for(lambda: "much is no number" in text(browser, "futures-ticket-note"), "the mistake")
    write(browser, "futures-size", "1")
    wait_for(lambda: "The smallest order" in text(browser, "futures-ticket-note"), "the rule")
    assert still.get().json()["revision"] == before


def test_prices_move_while_what_is_typed_and_sorted_stays(
    server: Server, open_browser: Opened
) -> None:
    for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        done = server.post({"symbol": symbol, "side": "buy", "notional": 1000}, "/orders")
        assert done.status_code == 200
    browser = _futures(server, open_browser)
    wait_for(lambda: len(_rows(browser, "positions")) == 3, "three positions")
    browser.find_element('#futures-positions-grid [col-id="symbol"] .ag-header-cell-label').click()
    browser.find_element('#futures-positions-grid [col-id="symbol"] .ag-header-cell-label').click()
    wait_for(lambda: _rows(browser, "positions")[0].startswith("SOL/USDT"), "the other order")
    write(browser, "futures-size", "123")
    before = texts(browser), _rows(browser, "positions")
    wait_for(
        lambda: texts(browser)["ticker-BTC-USDT-last"] != before[0]["ticker-BTC-USDT-last"],
        "a price",
    )
    wait_for(lambda: _rows(browser, "positions") != before[1], "a position's new mark")
    go(browser, "overview")
    wait_for(
        lambda: texts(browser)["overview-portfolio-value"] != before[0]["overview-portfolio-value"],
        "a new portfolio value on another tab",
    )
    go(browser, "futures")
    assert _rows(browser, "positions")[0].startswith("SOL/USDT")
    assert browser.find_element("#futures-size").get_attribute("value") == "123"
    assert text(browser, "market-label") == "SIMULATED"
    assert browser.find_elements("#futures-chart canvas")
    wait_for(lambda: text(browser, "futures-chart-note") == "", "the candles")
    assert browser.get_logs() == []


def test_a_market_that_has_ended_is_told_and_nothing_fills(
    start_server: Callable[..., Server], tmp_path: Path, open_browser: Opened
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    file.write_text("time,open,high,low,close,volume\n2026-01-02T03:04,40000,40010,39990,40000,1\n")
    server = start_server("--feed", f"replay:{file}", "--speed", "1000")
    wait_for(lambda: server.get("/prices").json()["state"] == "ended", "the end")
    browser = open_browser(server.url + "/futures")
    wait_for_link(browser, "No prices")
    wait_for(lambda: "The replay has ended" in text(browser, "market-note"), "the words")
    write(browser, "futures-size", "100")
    wait_for(
        lambda: "no live price now" in text(browser, "futures-ticket-note"), "what keeps it back"
    )
    refused = server.post({"symbol": "BTC/USDT", "side": "buy", "notional": 100}, "/orders")
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers


def test_on_a_phone_each_row_is_a_card_with_its_buttons_in_sight(
    still: Server, browser: Any
) -> None:
    for body in (
        {"side": "buy", "quantity": 0.1, "leverage": 10, "take_profit": 45_000},
        {"side": "buy", "type": "limit", "price": 30_000, "quantity": 0.05},
    ):
        assert still.post({"symbol": "BTC/USDT", **body}, "/orders").status_code == 200
    wait_for(lambda: _rows(browser, "positions"), "the position")
    columns = len(browser.find_elements("#futures-positions-grid .ag-header-cell"))
    try:
        resize(browser, 390)
        wait_for(lambda: browser.find_elements("#futures-positions-grid .row-card"), "the card")
        (row,) = _rows(browser, "positions")
        told = ("BTC/USDT Long 10x", "0.1 at 40,004.20", "TP 45,000.00")
        assert [each for each in told if each not in row] == []
        assert _scrolls_sideways(browser, "positions") is False
        browser.find_element("#futures-positions-grid .row-card [title^='Close half']").click()
        wait_for(lambda: "0.05 at 40,004.20" in _rows(browser, "positions")[0], "half of it")
        choose(browser, "futures-book", "Open orders")
        wait_for(lambda: len(_rows(browser, "orders")) == 2, "both orders")
        assert _scrolls_sideways(browser, "orders") is False
        clear_toasts(browser)
        browser.find_element("#futures-orders-grid .row-card button[title*='Limit']").click()
        wait_for(lambda: len(_rows(browser, "orders")) == 1, "the end of the limit order")
        choose(browser, "futures-book", "Fills")
        wait_for(lambda: "Sell 0.05 BTC/USDT" in "".join(_rows(browser, "fills")), "the fill")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    choose(browser, "futures-book", "Positions")
    headings = "#futures-positions-grid .ag-header-cell"
    wait_for(lambda: len(browser.find_elements(headings)) == columns, "the columns")
    assert browser.get_logs() == []


def _scrolls_sideways(browser: Any, book: str) -> bool:
    """Whether a table has more to show than its width."""
    return bool(
        browser.driver.execute_script(
            "const table = document.getElementById(`futures-${arguments[0]}-grid`);"
            "const rows = table.querySelector('.ag-center-cols-viewport');"
            "return rows.scrollWidth > rows.clientWidth",
            book,
        )
    )


def test_enter_again_and_again_on_a_slow_server_places_one_order(
    still: Server, browser: Any
) -> None:
    before = len(still.get("/fills").json()["fills"])
    write(browser, "futures-size", "1000")
    with account_lock(still.folder / "virtual_balance.lock"):
        for _ in range(4):
            browser.find_element("#futures-size").send_keys(Keys.ENTER)
    wait_for_toast(browser, "Bought 0.024 BTC/USDT")
    size = browser.find_element("#futures-size")
    wait_for(lambda: size.get_attribute("value") == "", "an empty ticket")
    assert len(still.get("/fills").json()["fills"]) == before + 1


def test_the_buttons_of_a_row_are_in_sight_and_no_figure_is_cut(
    still: Server, browser: Any
) -> None:
    order = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.24, "leverage": 10}
    exits = {"take_profit": 45_000, "stop_loss": 39_000}
    assert still.post({**order, **exits}, "/orders").status_code == 200
    resting = {"type": "limit", "price": 30_000, "quantity": 0.01}
    assert still.post({**order, **resting}, "/orders").status_code == 200
    try:
        for book, name, count in (("positions", "Positions", 1), ("orders", "Open orders", 3)):
            choose(browser, "futures-book", name)
            wait_for(lambda b=book, n=count: len(_rows(browser, b)) == n, f"the rows of {book}")
            for decimals in (8, 2):
                _set_decimals(still, decimals)
                amount = re.compile(rf"\$[\d,]+\.\d{{{decimals}}}(?!\d)")
                wait_for(
                    lambda b=book, a=amount: all(a.search(row) for row in _rows(browser, b)),
                    f"{decimals} decimals in the rows of {book}",
                )
                # a table of columns that are too wide still is waited for
                for size in _SCREENS:
                    resize(browser, *size)
                    case = f"{book} with {decimals} decimals at {size}"
                    wait_for(lambda b=book: _cut(browser, b) == [], f"room for all {case}")
                    assert not _scrolls_sideways(browser, book), case
    finally:
        _set_decimals(still, 2)
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        choose(browser, "futures-book", "Positions")


def _set_decimals(server: Server, decimals: int) -> None:
    assert server.ask("PUT", "/settings", {"decimals": decimals}).ok


def _cut(browser: Any, book: str) -> list[str]:
    """What of a table is cut off, buttons beyond its edge among it."""
    found: list[str] = browser.driver.execute_script(
        """
        const table = document.getElementById(`futures-${arguments[0]}-grid`);
        const edge = table.getBoundingClientRect().right + 1;
        const parts = table.querySelectorAll(".ag-cell, .ag-cell *, .ag-header-cell-text");
        return [...parts]
            .filter((each) => each.getBoundingClientRect().right > edge
                || each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
            .map((each) => each.textContent);
        """,
        book,
    )
    return found


def test_the_chart_writes_every_digit_of_a_cheap_price(
    start_server: Callable[..., Server], tmp_path: Path, open_browser: Opened
) -> None:
    file, price = tmp_path / "cheap.csv", "0.00000059876"
    row = f"2026-01-02T03:04,{price},{price},{price},{price},1\n"
    file.write_text(f"time,open,high,low,close,volume\n{row}")
    server = start_server("--feed", f"replay:BTTC/USDT={file}", "--speed", "0.0001")
    wait_for(lambda: server.get("/prices").json()["prices"], "the first price")
    browser = _futures(server, open_browser)
    wait_for(lambda: text(browser, "futures-chart-note") == "", "the candles")
    # as the chart has it written
    written = run(
        browser,
        {"priceFormat": "futures/chart.js"},
        f"return priceFormat('BTTC/USDT').formatter({price});",
    )
    assert written == price
    assert price in browser.driver.page_source
