"""The list of History in a browser: what its address says, what it asks for, and its troubles."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.ledgers import write_ledger
from tests.page_modules import run
from tests.patience import patience
from tests.screen import text, wait_for, wait_for_link
from tests.serving import Server

#: Places of the rows that are drawn, in their order.
_PLACES = """
    return [...document.querySelectorAll("#history-grid .ag-row")]
        .sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"))
        .map((row) => row.getAttribute("row-id"));
"""
#: Answers questions for rows as a busy server does, until ``window.isBusy`` is taken back.
_BUSY = """
    window.isBusy = true;
    const real = window.realFetch ??= window.fetch;
    window.fetch = (address, how) => {
        const { body } = how ?? {};
        if (!window.isBusy || !body?.includes("getRowsRequest")) return real(address, how);
        const again = { type: "Button", namespace: "dash_html_components",
            props: { id: "history-again", children: "Try again", "data-busy": "true" } };
        const problem = { type: "Div", namespace: "dash_html_components",
            props: { id: "history-problem", children: ["The history is busy.", again] } };
        const { search, until } = JSON.parse(body).state
            .find(({ id }) => id === "history-list").value;
        const answer = { multi: true, response: {
            "history-grid": { getRowsResponse: { rowData: [], rowCount: null } },
            "history-instead": { children: [problem] },
            "history-shown": { data: { search, until, state: "busy" } },
        } };
        return Promise.resolve(new Response(JSON.stringify(answer), { status: 200 }));
    };
"""
#: Holds the answer to the question for rows with the text "EMA" back, until ``window.release()``.
_SLOW = """
    const real = window.realFetch ??= window.fetch;
    window.fetch = async (address, how) => {
        const answer = await real(address, how);
        const body = String(how?.body);
        if (body.includes("getRowsRequest") && body.includes('"search":"?text=EMA"')) {
            window.isHeld = true;
            await new Promise((release) => { window.release = release; });
        }
        return answer;
    };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with an account that was traded on for a while."""
    folder: Path = tmp_path_factory.mktemp("list") / "account"
    write_ledger(folder, 800)
    with Server(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server, open_for_all: Callable[[str], Any]) -> Any:
    """A browser on the history."""
    opened = open_for_all(f"{server.url}/history")
    wait_for_link(opened, "Live")
    return opened


def go_to(browser: Any, server: Server, path: str) -> None:
    """Load the page at ``path``."""
    browser.driver.get(server.url + path)
    wait_for_link(browser, "Live")


def places(browser: Any) -> list[str]:
    """The entries that are drawn, in their order."""
    found: list[str] = browser.driver.execute_script(_PLACES)
    return found


def ledger(server: Server, **members: Any) -> list[str]:
    """The places of the entries that the route lists."""
    rows = server.get("/history/ledger", params=members).json()["rows"]
    return [row["place"] for row in rows]


def wait_for_ledger(browser: Any, server: Server, **members: Any) -> None:
    """Wait until the list begins as what the route tells."""
    wanted = ledger(server, limit=5, **members)
    wait_for(lambda: places(browser)[:5] == wanted, f"the ledger, {members}")


def address(browser: Any, server: Server) -> str:
    """The address behind the server's."""
    return str(browser.driver.current_url).removeprefix(server.url)


def test_a_filter_without_a_field_of_its_own_is_said_and_can_be_taken_away(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history?table=fills&source=bot")
    total = server.get("/history/fills?source=bot").json()["total"]
    wait_for(lambda: text(browser, "history-range").endswith(f"of {total:,}"), "fills of bots")
    assert "From: Bot" in text(browser, "history-chips")
    browser.find_element("#history-chips button").click()
    total = server.get("/history/fills").json()["total"]
    wait_for(lambda: text(browser, "history-range").endswith(f"of {total:,}"), "all fills")


def test_a_minute_that_is_chosen_is_listed_to_its_end(browser: Any, server: Server) -> None:
    newest = server.get("/history/ledger?limit=1").json()["rows"][0]
    minute = newest["time"][:16]
    go_to(browser, server, "/history")
    wait_for_ledger(browser, server)
    browser.find_element('[data-field="time"] summary').click()
    for name in ("from", "to"):
        field = browser.wait_for_element(f'[id*=\'"name":"{name}"\']')
        # As typed: keys would depend on the language of the browser.
        browser.driver.execute_script(
            "Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')"
            ".set.call(arguments[0], arguments[1]);"
            "arguments[0].dispatchEvent(new Event('input', { bubbles: true }))",
            field,
            minute,
        )
    wait_for(lambda: f"to={minute}:59.999Z" in address(browser, server), "the address")
    wait_for_ledger(browser, server, **{"from": f"{minute}:00Z", "to": f"{minute}:59.999Z"})
    assert newest["place"] in places(browser)
    chips = text(browser, "history-chips")
    words = minute.replace("T", " ")
    assert f"From {words} UTC" in chips
    assert f"To {words} UTC" in chips


def test_a_list_that_a_busy_server_refused_comes_by_itself(browser: Any, server: Server) -> None:
    go_to(browser, server, "/history")
    wait_for_ledger(browser, server)
    browser.driver.execute_script(_BUSY)
    browser.find_element("#history-table-trades").click()
    wait_for(lambda: "is busy" in text(browser, "history-problem"), "the words of the problem")
    browser.driver.execute_script("window.isBusy = false")
    browser.wait_for_element("#history-rows:not([hidden]) [row-index='0'] [col-id='pnl']")
    assert browser.find_elements("#history-problem") == []


def test_a_refused_order_is_dropped_when_the_list_is_tried_again(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "/history?kind=fee&sort=colour")
    wait_for(lambda: "sort must be one of" in text(browser, "history-problem"), "the words")
    browser.wait_for_element("#history-again").click()
    wait_for_ledger(browser, server, kind="fee")
    assert address(browser, server) == "/history?kind=fee"
    browser.get_logs()  # that it was refused


def test_a_file_has_what_is_listed_and_nothing_newer(browser: Any, server: Server) -> None:
    go_to(browser, server, "/history?kind=deposit&sort=revision")
    wait_for_ledger(browser, server, kind="deposit", sort="revision")
    wanted = ledger(server, kind="deposit", sort="revision", limit=1000)
    server.post({"deposit": 5})
    wait_for(lambda: text(browser, "history-newer") == "1 new entry", "the offer")
    link = browser.find_element("#history-csv").get_attribute("href")
    listed = csv.DictReader(io.StringIO(requests.get(link, timeout=patience()).text))
    assert [row["place"] for row in listed] == wanted
    browser.find_element("#history-newer").click()
    wait_for(lambda: browser.find_element("#history-csv").get_attribute("href") != link, "a file")
    link = browser.find_element("#history-json").get_attribute("href")
    newest = ledger(server, kind="deposit", limit=1)
    assert requests.get(link, timeout=patience()).json()["rows"][-1]["place"] == newest[0]


def test_an_entry_is_found_where_newer_ones_have_moved_it_on(browser: Any, server: Server) -> None:
    go_to(browser, server, "/history?kind=fee")
    wait_for_ledger(browser, server, kind="fee")
    place = ledger(server, offset=101, limit=1)[0]
    run(
        browser,
        {"go": "address.js"},
        "go('/history', { state: { to: { place: arguments[0], offset: 97 } } })",
        place,
    )
    marked = browser.wait_for_element(f".history-marked[row-id='{place}']")
    assert marked.get_attribute("row-index") == "101"


def test_an_answer_that_is_no_longer_waited_for_is_not_shown(browser: Any, server: Server) -> None:
    go_to(browser, server, "/history")
    wait_for_ledger(browser, server)
    browser.driver.execute_script(_SLOW)
    field = browser.find_element(".history-text input")
    field.send_keys("EMA")
    wait_for(lambda: browser.driver.execute_script("return window.isHeld"), "the first answer")
    field.send_keys(" 9")
    wait_for_ledger(browser, server, text="EMA 9")
    browser.driver.execute_script("window.release()")
    server.post({"deposit": 1, "note": "EMA 9"})
    wait_for_ledger(browser, server, text="EMA 9")
    browser.driver.refresh()
