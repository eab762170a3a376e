"""History in a browser: its tables, filters, files and entries, on one server."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from tests.ledgers import write_ledger
from tests.page_modules import run
from tests.patience import patience
from tests.screen import go, resize, text, wait_for, wait_for_focus, wait_for_link
from tests.serving import Server

#: So many entries are there, some epochs among them.
_ENTRIES = 1_500
_ROWS = """
    // the grid has its rows a moment before its columns
    return [...document.querySelectorAll("#history-grid .ag-row:has(.ag-cell)")]
        .map((row) => [Number(row.getAttribute("row-index")), {
            place: row.getAttribute("row-id"),
            ...Object.fromEntries([...row.querySelectorAll(".ag-cell")].map((each) =>
                [each.getAttribute("col-id"), each.textContent])),
        }])
        .sort(([one], [other]) => one - other).map(([, row]) => row);
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with an account that was traded on for a while."""
    folder: Path = tmp_path_factory.mktemp("history") / "account"
    write_ledger(folder, _ENTRIES)
    with Server(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server, open_for_all: Callable[[str], Any]) -> Any:
    """A browser on the history."""
    opened = open_for_all(f"{server.url}/history")
    wait_for_link(opened, "Live")
    return opened


def rows(browser: Any) -> list[dict[str, str]]:
    """The rows that are drawn, by the names of their columns."""
    found: list[dict[str, str]] = browser.driver.execute_script(_ROWS)
    return found


def places(browser: Any) -> list[str]:
    """The entries that are drawn, in their order."""
    return [row["place"] for row in rows(browser)]


def asked(server: Server, table: str, **members: Any) -> dict[str, Any]:
    """What the route of ``table`` answers."""
    found: dict[str, Any] = server.get(f"/history/{table}", params=members).json()
    return found


def wait_for_rows(browser: Any, server: Server, table: str, **members: Any) -> list[str]:
    """Wait until the first rows that are asked for are the first that are drawn; their places."""
    wanted = [row["place"] for row in asked(server, table, limit=5, **members)["rows"]]
    wait_for(lambda: wanted and places(browser)[: len(wanted)] == wanted, f"{table} {members}")
    return wanted


def address(browser: Any, server: Server) -> str:
    """The address behind the server's."""
    return str(browser.driver.current_url).removeprefix(server.url)


def go_to(browser: Any, server: Server, path: str) -> None:
    """Load the page at ``path``."""
    browser.driver.get(server.url + path)
    wait_for_link(browser, "Live")


def click(browser: Any, selector: str) -> None:
    """Click on what ``selector`` finds."""
    browser.wait_for_element(selector).click()


def choose(browser: Any, field: str, *values: str) -> None:
    """Open the filter ``field``, choose ``values`` of it, and close it."""
    click(browser, f'[data-field="{field}"] summary')
    for value in values:
        click(browser, f'[data-field="{field}"] input[value="{value}"]')
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert browser.find_elements("#history-filters details[open]") == []


def dialog_title(browser: Any) -> str:
    """The title of the entry that is open; empty where none is."""
    found: str = browser.driver.execute_script(
        "return document.querySelector('#entry-dialog .modal-title')?.textContent ?? ''"
    )
    return found


def test_filters_and_order_are_in_the_address_in_the_files_and_after_a_reload(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history")
    wait_for_rows(browser, server, "ledger")
    total = asked(server, "ledger")["total"]
    wait_for(lambda: text(browser, "history-range").endswith(f"of {total:,}"), "how many there are")
    choose(browser, "kind", "fee", "realized_pnl")
    wanted = {"kind": "realized_pnl,fee"}
    wait_for_rows(browser, server, "ledger", **wanted)
    click(browser, '.ag-header-cell[col-id="amount"] .ag-header-cell-label')
    wanted["sort"] = "-amount"
    wait_for_rows(browser, server, "ledger", **wanted)
    assert address(browser, server) == "/history?kind=realized_pnl,fee&sort=-amount"
    assert {row["kind"] for row in rows(browser)} <= {"Fee", "Realised P&L"}
    # a file of exactly that
    link = browser.find_element("#history-csv").get_attribute("href")
    listed = list(csv.DictReader(io.StringIO(requests.get(link, timeout=patience()).text)))
    whole = asked(server, "ledger", limit=1000, **wanted)
    assert len(listed) == whole["total"]
    assert [row["place"] for row in listed[:1000]] == [row["place"] for row in whole["rows"]]
    link = browser.find_element("#history-json").get_attribute("href")
    assert len(requests.get(link, timeout=patience()).json()["rows"]) == whole["total"]
    # the link leads back to it, and so does the tab from elsewhere
    browser.driver.refresh()
    wait_for_rows(browser, server, "ledger", **wanted)
    assert "What: Realised P&L, Fee" in text(browser, "history-chips")
    go(browser, "futures")
    go(browser, "history")
    wait_for(lambda: "sort=-amount" in address(browser, server), "the address as it was")
    wait_for_rows(browser, server, "ledger", **wanted)
    click(browser, "#history-clear")
    wait_for_rows(browser, server, "ledger", sort="-amount")
    assert address(browser, server) == "/history?sort=-amount"
    # and so do the fields
    chosen = "[data-field=kind] input:checked"
    wait_for(lambda: browser.find_elements(chosen) == [], "the boxes without a choice")
    assert browser.find_element("[data-field=kind] .count").text == ""


def test_even_trades_are_a_choice_beside_wins_and_losses(browser: Any, server: Server) -> None:
    go_to(browser, server, "/history?table=trades")
    wait_for_rows(browser, server, "trades")
    choose(browser, "outcome", "even")
    wait_for(lambda: "Outcome: Even" in text(browser, "history-chips"), "the filter that is set")
    assert address(browser, server) == "/history?table=trades&outcome=even"


def test_every_table_has_its_rows_and_its_filters_and_back_leads_to_the_one_before(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history?symbol=BTC/USDT")
    wait_for_rows(browser, server, "ledger", symbol="BTC/USDT")
    click(browser, "#history-table-trades")
    wait_for_rows(browser, server, "trades", symbol="BTC/USDT")
    choose(browser, "outcome", "win")
    wait_for_rows(browser, server, "trades", symbol="BTC/USDT", outcome="win")
    assert all(row["pnl"].startswith("+") for row in rows(browser))
    click(browser, "#history-table-fills")
    wait_for_rows(browser, server, "fills", symbol="BTC/USDT")
    assert address(browser, server) == "/history?table=fills&symbol=BTC/USDT"
    browser.driver.back()
    wait_for_rows(browser, server, "trades", symbol="BTC/USDT", outcome="win")
    field = browser.find_element(".history-text input")
    field.send_keys("no such words")
    wait_for(lambda: "Nothing fits" in text(browser, "history-empty"), "the empty state")
    click(browser, "#history-empty button")
    wait_for_rows(browser, server, "trades")
    shown = "return document.querySelector('.history-text input').value"
    wait_for(lambda: browser.driver.execute_script(shown) == "", "the field without its text")
    assert browser.get_logs() == []


def test_a_table_scrolls_to_its_end_and_shows_what_is_new_without_losing_the_place(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history")
    wait_for_rows(browser, server, "ledger")
    note = '<img src=x onerror=alert(1)> & "quotes" \'n ünïcode'
    server.post({"deposit": 11, "note": note})
    wait_for(lambda: rows(browser)[0]["note"] == note, "the deposit")
    assert browser.find_elements("#history-grid img") == []
    click(browser, "#history-last")
    wait_for(lambda: places(browser)[-1:] == ["1"], "the oldest entry")
    before = text(browser, "history-range")
    for amount in (12, 13):
        server.post({"deposit": amount})
    wait_for(lambda: text(browser, "history-newer") == "2 new entries", "the offer")
    assert text(browser, "history-range") == before
    assert places(browser)[-1] == "1"
    click(browser, "#history-newer")
    wait_for(lambda: rows(browser)[0]["amount"] == "+$13.00", "the newest")
    assert browser.get_logs() == []


def test_an_entry_has_an_address_neighbours_and_a_place_in_the_ledger(
    browser: Any, server: Server
) -> None:
    trade = asked(server, "trades", sort="revision", limit=1)["rows"][0]
    place = trade["place"]
    told = server.get(f"/history/entries/{place}").json()
    go_to(browser, server, f"/history?entry={place}")
    wait_for(lambda: dialog_title(browser) == f"Fill, entry {place}", "the entry")
    words = text(browser, "entry-dialog")
    entry = told["entry"]
    shown = (entry["display"]["balance"], trade["display"]["pnl"], entry["fill"]["order_id"])
    assert all(each in words for each in (*shown, trade["symbol"], trade["display"]["duration"]))
    click(browser, "#entry-before")
    wait_for(lambda: dialog_title(browser).endswith(f" {told['before']}"), "the one before")
    assert address(browser, server) == f"/history?entry={told['before']}"
    click(browser, "#entry-after")
    wait_for(lambda: dialog_title(browser).endswith(f" {place}"), "the entry again")
    click(browser, "#entry-show")
    marked = "return document.querySelector('.history-marked .ag-cell[col-id=place]')?.textContent"
    wait_for(lambda: browser.driver.execute_script(marked) == place, "the row of the entry")
    assert address(browser, server) == "/history"
    wait_for_focus(browser, "[role=gridcell]")
    # by keyboard: Enter opens the row, Escape leads back to it
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(lambda: dialog_title(browser) == f"Fill, entry {place}", "the entry of the row")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: dialog_title(browser) == "", "the closed dialog")
    wait_for(lambda: address(browser, server) == "/history", "the address of the list")
    wait_for_focus(browser, "[role=gridcell]")
    assert browser.get_logs() == []
    go_to(browser, server, "/history?entry=99999")
    wait_for(lambda: "There is no entry 99999" in text(browser, "entry-dialog"), "its words")
    assert browser.get_logs() == []


def test_the_number_of_an_entry_opens_it_over_the_list_that_it_is_in(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history?table=fills&side=buy")
    (place, *_) = wait_for_rows(browser, server, "fills", side="buy")
    click(browser, '[row-index="0"] [col-id=place] a')
    wait_for(lambda: dialog_title(browser).endswith(f", entry {place}"), "the entry")
    assert address(browser, server) == f"/history?table=fills&side=buy&entry={place}"
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: address(browser, server) == "/history?table=fills&side=buy", "the list")


def test_no_heading_is_cut_off(browser: Any, server: Server) -> None:
    try:
        for width in (1440, 1280):
            resize(browser, width, 900)
            for table in ("ledger", "fills", "trades", "epochs"):
                go_to(browser, server, f"/history?table={table}")
                wait_for(lambda: rows(browser), "the rows")
                cut = browser.driver.execute_script(
                    "return [...document.querySelectorAll('#history-grid .ag-header-cell-text')]"
                    ".filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
                )
                assert cut == [], f"{table} at {width} px"
    finally:
        resize(browser, 1440, 900)


def test_on_a_phone_rows_are_cards_that_nothing_is_cut_off_from(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history")
    resize(browser, 390, 800)
    try:
        figures = {"ledger": "amount", "fills": "price", "trades": "pnl", "epochs": "pnl"}
        for table, figure in figures.items():
            sort = "epoch" if table == "epochs" else "revision"
            path = f"/history?table={table}&sort={sort}"
            run(browser, {"go": "address.js"}, "go(arguments[0])", path)
            wanted = asked(server, table, sort=sort, limit=1)["rows"][0]
            shown = wanted["display"][figure]
            browser.wait_for_text_to_equal('[row-index="0"] .figure-text', shown)
            cut = browser.driver.execute_script(
                "return [...document.querySelectorAll('.row-card :is(.figure-text, .below)')]"
                ".filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"
            )
            assert cut == [], table
    finally:
        resize(browser, 1440, 900)


def order_title(browser: Any) -> str:
    """The title of the order that is open; empty where none is."""
    found: str = browser.driver.execute_script(
        "return document.querySelector('#order-record-dialog .modal-title')?.textContent ?? ''"
    )
    return found


def test_an_order_opens_from_its_row_and_from_the_entry_that_filled_it(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history?table=orders&state=EXPIRED,CANCELED")
    ended = asked(server, "orders", state="EXPIRED,CANCELED", limit=1)["rows"][0]
    wait_for(lambda: rows(browser) and rows(browser)[0]["id"] == ended["id"], "the orders")
    assert rows(browser)[0]["state"] == ended["display"]["state"]
    click(browser, "#history-rows .ag-row[row-index='0'] .ag-cell[col-id=symbol]")
    wait_for(lambda: order_title(browser) == f"Order {ended['id']}", "the order")
    wait_for(lambda: ended["why"] in text(browser, "order-record-dialog"), "why it ended")
    assert address(browser, server).endswith(f"&order={ended['id']}")
    click(browser, f"#order-record-dialog a[href$='entry={ended['ended_place']}']")
    wait_for(lambda: dialog_title(browser).endswith(f" {ended['ended_place']}"), "what ended it")
    fill = asked(server, "fills", limit=1)["rows"][0]
    go_to(browser, server, f"/history?entry={fill['place']}")
    click(browser, f"#entry-dialog a[href$='order={fill['order_id']}']")
    wait_for(
        lambda: order_title(browser) == f"Order {fill['order_id']}", "the order that it filled"
    )
    wait_for(lambda: "Its fill" in text(browser, "order-record-dialog"), "its fill")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: order_title(browser) == "", "the closed dialog")
    assert browser.get_logs() == []


@pytest.mark.parametrize("column", ["why", "type"])
def test_orders_are_sorted_by_the_column_whose_heading_is_clicked(
    browser: Any, server: Server, column: str
) -> None:
    go_to(browser, server, "/history?table=orders")
    found = asked(server, "orders", limit=5, sort=f"-{column}")["rows"]
    wanted = [each["id"] for each in found]
    wait_for(lambda: drawn(browser), "the orders")
    # In the page itself, as its headings are made anew where a column becomes wider.
    label = f"document.querySelector('.ag-header-cell[col-id={column}] .ag-header-cell-label')"
    browser.driver.execute_script(f"{label}.click()")
    wait_for(lambda: drawn(browser)[:5] == wanted, f"the orders by {column}")
    assert address(browser, server) == f"/history?table=orders&sort=-{column}"


def drawn(browser: Any) -> list[str]:
    """The ids of the orders that are drawn."""
    return [each["id"] for each in rows(browser)]
