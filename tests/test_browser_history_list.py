"""The list of History in a browser: what its address says, what it asks for, and its troubles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from balance.core.question import FILTERS
from tests.ledgers import write_ledger
from tests.screen import text, wait_for, wait_for_link
from tests.serving import Server

#: Places of the rows that are drawn, in their order.
_PLACES = """
    return [...document.querySelectorAll("#history-grid .ag-row")]
        .sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"))
        .map((row) => row.getAttribute("row-id"));
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


def views(browser: Any, *searches: str) -> list[str]:
    """The addresses of the views that the queries say."""
    found: list[str] = browser.driver.execute_script(
        "const { parse, href } = window.balanceHistory;"
        "return arguments[0].map((search) => href(parse(search)));",
        list(searches),
    )
    return found


def test_each_table_has_the_filters_of_its_route(browser: Any) -> None:
    told = browser.driver.execute_script("return window.balanceHistory.FILTERS")
    assert {table: sorted(names) for table, names in told.items() if names} == {
        table: sorted(names) for table, names in FILTERS.items()
    }


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


def test_moments_of_an_address_are_shown_in_utc(browser: Any) -> None:
    assert views(
        browser,
        "?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:59.999Z",
        "?from=2026-01-02T03:04:05%2B02:00&to=2026-01-02T03:04:05-0130",
        "?to=2026-01-01T00:30:00.250+02:00",
        "?from=yesterday",
    ) == [
        "/history?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:59.999Z",
        "/history?from=2026-01-02T01:04:05Z&to=2026-01-02T04:34:05Z",
        "/history?to=2025-12-31T22:30:00.250Z",
        "/history?from=yesterday",
    ]


def test_a_minute_that_is_chosen_is_listed_to_its_end(browser: Any, server: Server) -> None:
    newest = server.get("/history/ledger?limit=1").json()["rows"][0]
    minute = newest["time"][:16]
    go_to(browser, server, "/history")
    wait_for_ledger(browser, server)
    browser.find_element('[data-field="time"] summary').click()
    for name in ("from", "to"):
        field = browser.wait_for_element(f"#history-{name}")
        browser.driver.execute_script(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('change', { bubbles: true }))",
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
