"""The epochs of History in a browser: their list, some of them side by side, and the undo."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from balance.core.figures import NONE
from tests.ledgers import write_ledger
from tests.page_modules import run
from tests.patience import patience
from tests.screen import keys, text, wait_for, wait_for_link
from tests.serving import Server

_EPOCHS = """
    return [...document.querySelectorAll("#history-grid .ag-row")]
        .sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"))
        .map((row) => Number(row.getAttribute("row-id")));
"""
_MARKED = """
    return [...document.querySelectorAll("#history-grid .running")]
        .map((each) => Number(each.closest(".ag-row").getAttribute("row-id")));
"""
#: Has the server's answers say that the ledger is being indexed, and miss the newest epoch, until
#: ``window.isIndexed``.
_INDEXING = """
    const real = window.fetch;
    window.fetch = async (address, how) => {
        const response = await real(address, how);
        const isUpdate = String(address).includes("_dash-update-component");
        if (window.isIndexed || !isUpdate || response.status !== 200) return response;
        const answer = await response.json();
        const { "history-grid": grid, "history-words": words } = answer.response ?? {};
        if (words) words.children = "Indexing 40 %: some entries are missing.";
        if (grid) {
            const { getRowsResponse } = grid;
            const rows = getRowsResponse.rowData.filter((row) => !row.since);
            getRowsResponse.rowData = rows;
            if (rows[0]?.epoch) rows[0].texts.seconds = "\\u2013";
        }
        return new Response(JSON.stringify(answer), { status: 200 });
    };
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with an account that had some epochs."""
    folder: Path = tmp_path_factory.mktemp("epochs") / "account"
    write_ledger(folder, 1_500)
    with Server(folder) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server: Server, open_for_all: Callable[[str], Any]) -> Any:
    """A browser on the epochs."""
    opened = open_for_all(f"{server.url}/history?table=epochs")
    wait_for_link(opened, "Live")
    return opened


def epochs(server: Server, **members: Any) -> list[dict[str, Any]]:
    """The epochs that the route lists."""
    found: list[dict[str, Any]] = server.get("/history/epochs", params=members).json()["rows"]
    return found


def go_to(browser: Any, server: Server, query: str = "") -> None:
    """Load the epochs with ``query``."""
    browser.driver.get(f"{server.url}/history?table=epochs{query}")
    wait_for_link(browser, "Live")


def shown(browser: Any) -> list[int]:
    """The numbers of the epochs that are drawn, in their order."""
    found: list[int] = browser.driver.execute_script(_EPOCHS)
    return found


def wait_for_epochs(browser: Any, server: Server, **members: Any) -> list[dict[str, Any]]:
    """Wait until the epochs that are asked for are the ones that are drawn."""
    wanted = epochs(server, **members)
    numbers = [row["epoch"] for row in wanted]
    wait_for(lambda: numbers and shown(browser) == numbers, f"the epochs {members}")
    return wanted


def address(browser: Any, server: Server) -> str:
    """The address behind the server's."""
    return str(browser.driver.current_url).removeprefix(server.url)


def cell(epoch: int, column: str) -> str:
    """What finds a cell of an epoch."""
    return f"#history-grid [row-id='{epoch}'] [col-id='{column}']"


def cell_text(browser: Any, epoch: int, column: str) -> str:
    """What a cell of an epoch says; empty where there is none."""
    found: str | None = browser.driver.execute_script(
        "return document.querySelector(arguments[0])?.textContent", cell(epoch, column)
    )
    return found or ""


def click(browser: Any, selector: str) -> None:
    """Click on what ``selector`` finds."""
    browser.wait_for_element(selector).click()


def picked(browser: Any) -> set[int]:
    """The epochs that are chosen to be compared."""
    found: list[int] = browser.driver.execute_script(
        "return [...document.querySelectorAll('#history-grid input:checked')]"
        ".map((each) => Number(each.id.replace('history-epoch-', '')))"
    )
    return set(found)


def pick(browser: Any, *numbers: int) -> None:
    """Choose epochs to be compared, and wait until they are."""
    for number in numbers:
        click(browser, cell(number, "pick"))
        wait_for(lambda wanted=number: wanted in picked(browser), f"epoch {number}, chosen")


def marked(browser: Any) -> list[int]:
    """The epochs that are marked as running."""
    found: list[int] = browser.driver.execute_script(_MARKED)
    return found


def test_epochs_are_sorted_and_filtered_with_an_address_and_as_files(
    browser: Any, server: Server
) -> None:
    go_to(browser, server)
    wait_for_epochs(browser, server)
    click(browser, '.ag-header-cell[col-id="pnl"] .ag-header-cell-label')
    rows = wait_for_epochs(browser, server, sort="-pnl")
    middle = sorted(row["pnl"] for row in rows)[len(rows) // 2]
    click(browser, '[data-field="pnl"] summary')
    browser.wait_for_element("[id*='\"least\"']").send_keys(str(middle), Keys.ENTER)
    rows = wait_for_epochs(browser, server, sort="-pnl", least=middle)
    assert address(browser, server) == f"/history?table=epochs&least={middle}&sort=-pnl"
    assert f"P&L from {middle}" in text(browser, "history-chips")
    for row in rows:
        for name in ("balance", "pnl", "pnl_percent", "trades", "entries"):
            assert cell_text(browser, row["epoch"], name) == row["display"][name], name
    wait_for(lambda: text(browser, "history-range").endswith(f"of {len(rows)}"), "how many")
    for form in ("csv", "json"):
        link = browser.find_element(f"#history-{form}").get_attribute("href")
        answer = requests.get(link, timeout=patience())
        listed = (
            list(csv.DictReader(io.StringIO(answer.text)))
            if form == "csv"
            else answer.json()["rows"]
        )
        assert [int(each["epoch"]) for each in listed] == [row["epoch"] for row in rows]
    browser.driver.refresh()
    wait_for_epochs(browser, server, sort="-pnl", least=middle)
    click(browser, "#history-clear")
    wait_for_epochs(browser, server, sort="-pnl")
    assert browser.get_logs() == []


def test_epochs_are_compared_side_by_side_and_lead_to_their_entries(
    browser: Any, server: Server
) -> None:
    first, second = epochs(server)[:2]
    go_to(browser, server)
    wait_for_epochs(browser, server)
    assert not browser.find_element("#history-compare").is_enabled()
    pick(browser, second["epoch"], first["epoch"])
    click(browser, "#history-compare")
    browser.wait_for_element(".compared")
    numbers = f"{first['epoch']},{second['epoch']}"
    assert address(browser, server) == f"/history?table=epochs&compare={numbers}"
    told = browser.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('.compared tbody tr')]"
        ".map((row) => [row.cells[0].textContent, [...row.cells].slice(1)"
        ".map((each) => each.textContent)]))"
    )
    better = first if first["pnl"] > second["pnl"] else second
    marks = ["best" if each is better else "" for each in (first, second)]
    assert told["P&L"] == [
        mark + each["display"]["pnl"] for mark, each in zip(marks, (first, second), strict=True)
    ]
    assert told["Fees"] == [each["display"]["fees_paid"] for each in (first, second)]
    browser.driver.refresh()
    browser.wait_for_element(".compared")
    wait_for(lambda: picked(browser) == {first["epoch"], second["epoch"]}, "those are chosen")
    # the link leads to the entries, and chooses nothing
    click(browser, f"{cell(second['epoch'], 'entries')} a")
    wait_for(lambda: f"Epoch {second['epoch']}" in text(browser, "history-chips"), "its filter")
    assert address(browser, server) == f"/history?epoch={second['epoch']}"
    browser.driver.back()
    browser.wait_for_element(".compared")
    assert browser.get_logs() == []


def test_at_most_four_are_chosen_and_the_keyboard_chooses_too(browser: Any, server: Server) -> None:
    for _ in range(2):
        server.post({}, "/virtual_balance/reset")
    go_to(browser, server)
    first, *others = [row["epoch"] for row in wait_for_epochs(browser, server)]
    click(browser, cell(first, "epoch"))
    wait_for(lambda: picked(browser) == {first}, "the first, by a click on its row")
    keys(browser, Keys.SPACE)
    wait_for(lambda: picked(browser) == set(), "the first, by the space bar")
    keys(browser, Keys.ENTER)
    wait_for(lambda: picked(browser) == {first}, "the first, by Enter")
    pick(browser, *others[:3])
    click(browser, cell(others[3], "pick"))
    fifth = browser.find_element(f"#history-epoch-{others[3]}")
    assert not fifth.is_enabled()
    assert fifth.get_attribute("title") == "At most 4 epochs are compared"
    assert picked(browser) == {first, *others[:3]}
    # on the link, Enter follows it
    focused = "return document.activeElement.getAttribute('col-id')"
    while browser.driver.execute_script(focused) not in ("entries", None):
        keys(browser, Keys.ARROW_RIGHT)
    keys(browser, Keys.ENTER)
    wait_for(lambda: address(browser, server) == f"/history?epoch={others[3]}", "its entries")
    assert browser.get_logs() == []


def test_what_can_not_be_compared_is_said(browser: Any, server: Server) -> None:
    go_to(browser, server, "&compare=1,9999")
    words = "There is no epoch 9999. Choose another one to compare epoch 1 with."
    wait_for(lambda: text(browser, "history-compared-words") == words, "the words")
    wait_for(lambda: picked(browser) >= {1}, "the one that there is")


def test_the_running_epoch_is_marked_and_its_figures_follow_in_any_order(
    browser: Any, server: Server
) -> None:
    go_to(browser, server, "&sort=epoch")
    running = wait_for_epochs(browser, server, sort="epoch")[-1]["epoch"]
    wait_for(lambda: marked(browser) == [running], "its mark")
    balance = server.post({"deposit": 12.5}).json()["display"]["balance"]
    wait_for(lambda: cell_text(browser, running, "balance") == balance, "the new balance")
    server.post({}, "/virtual_balance/reset")
    wait_for(lambda: text(browser, "history-newer") == "1 new epoch", "the offer")
    wait_for(lambda: "running" not in cell_text(browser, running, "epoch"), "its end")
    assert shown(browser)[-1] == running
    click(browser, "#history-newer")
    wait_for_epochs(browser, server, sort="epoch")
    wait_for(lambda: marked(browser) == [running + 1], "the mark of the new one")
    assert browser.get_logs() == []


def test_a_reset_is_undone_among_the_epochs(browser: Any, server: Server) -> None:
    go_to(browser, server)
    running = wait_for_epochs(browser, server)[0]["epoch"]
    server.post({}, "/virtual_balance/reset")
    browser.wait_for_element(cell(running + 1, "epoch"))
    wait_for(browser.find_element("#history-undo").is_displayed, "the offer")
    click(browser, "#history-undo")
    browser.wait_for_element(cell(running + 2, "epoch"))
    (undone,) = epochs(server, epoch=running + 2)
    assert (undone["opened_by"], undone["continues"]) == ("undo", running)
    wait_for(lambda: not browser.find_element("#history-undo").is_displayed(), "no more offer")
    assert browser.get_logs() == []


def test_while_the_ledger_is_indexed_no_older_epoch_runs_and_the_rest_comes_by_itself(
    browser: Any, server: Server
) -> None:
    go_to(browser, server)
    running, older = (row["epoch"] for row in wait_for_epochs(browser, server)[:2])
    browser.driver.execute_script(_INDEXING)
    click(browser, "#history-table-ledger")
    compare = f"/history?table=epochs&compare={running},{older}"
    run(browser, {"go": "address.js"}, "go(arguments[0])", compare)
    wait_for(lambda: text(browser, "history-words").startswith("Indexing 40 %"), "the words")
    wait_for(lambda: shown(browser)[:1] == [older], "the older epochs")
    assert browser.find_elements(".history-grid .running") == []
    assert cell_text(browser, older, "seconds") == NONE
    browser.driver.execute_script("window.isIndexed = true")
    wait_for(lambda: shown(browser)[:1] == [running], "all of them")
    assert text(browser, "history-words") == ""
    browser.driver.refresh()
