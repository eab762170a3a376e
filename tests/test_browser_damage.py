"""What is damaged in the data folder stands in one line on every tab, as long as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from balance.alerts.state import ALERTS_FILE
from balance.api.stream import Stream
from balance.bots.state import BOTS_FILE
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.damage import Damage, Damages
from balance.store.file_store import LEDGER_FILE
from balance.store.memory_store import MemoryStore
from tests.ledgers import write_ledger
from tests.patience import patience
from tests.screen import PATHS, all_texts, go, resize, text, wait_for, wait_for_link, weak_contrasts
from tests.serving import Server
from tests.writers import shell

REPAIR = "python -m balance repair --data-dir '/home/me/my desk'"
_REST = (
    "Lists and sums that need it are not shown; all else goes on. Run "
    "`python -m balance verify --data-dir '/home/me/my desk'` to see more, "
    f"and `{REPAIR}` to mend it."
)


def line(number: int) -> Damage:
    """The damage of one line of the ledger."""
    message = f"ledger.jsonl line {number} does not match its checksum. {_REST}"
    return Damage("ledger.jsonl", number, message)


@pytest.fixture
def page(dash_duo: Any) -> Any:
    """A page that was opened while line 17 was damaged, and what is known to be."""
    desk, stream = Desk(MemoryStore()), Stream(10)
    services = services_alone(desk, stream)
    services.damages.report(line(17))
    stream.publish(desk.snapshot())
    app = create_app(desk, stream, services=services)
    dash_duo.start_server(app, start_timeout=patience())
    yield dash_duo, services.damages
    assert dash_duo.get_logs() == []
    stream.close()


def shown(browser: Any) -> str:
    """What the strip says in its line; empty where there is none."""
    # Not by its elements: they are others as soon as something changes.
    found: str = browser.driver.execute_script(
        "return document.querySelector('#damage-note summary')?.innerText ?? ''"
    )
    return " ".join(found.split())


def height(browser: Any) -> float:
    """How much room the strip takes."""
    found: float = browser.driver.execute_script(
        "return document.getElementById('damage-note').getBoundingClientRect().height"
    )
    return found


def test_every_tab_names_the_damage_until_it_is_mended(page: tuple[Any, Damages]) -> None:
    browser, damages = page
    wait_for_link(browser, "No prices")
    for tab in PATHS:
        go(browser, tab)
        assert shown(browser).startswith("ledger.jsonl line 17 does not match its checksum.")
    assert text(browser, "damage-command") == REPAIR
    damages.report(line(23))
    damages.report(Damage("history.db", None, "history.db was damaged and is made anew."))
    wait_for(lambda: shown(browser).endswith("and 2 more"), "all of it")
    damages.clear("ledger.jsonl")
    wait_for(lambda: shown(browser) == damages.listed[0].message, "what is left")
    there = "return document.querySelector('#damage-command, #damage-note .damage-more')"
    assert browser.driver.execute_script(there) is None
    damages.clear("history.db")
    wait_for(lambda: height(browser) == 0, "no strip")


def test_the_strip_is_one_line_that_opens_to_all_of_it(page: tuple[Any, Damages]) -> None:
    browser, damages = page
    damages.report(line(1_023))
    wait_for(lambda: shown(browser).endswith("and 1 more"), "both")
    for width in (1280, 390, 360):
        resize(browser, width)
        assert height(browser) == 40
        within = browser.driver.execute_script(
            "return document.documentElement.scrollWidth <= window.innerWidth"
        )
        assert within, f"at {width} px it goes beyond the screen"
        browser.find_element("#damage-note summary").click()
        items = browser.find_elements("#damage-note li")
        assert [each.is_displayed() for each in items] == [True, True]
        assert items[1].text == line(1_023).message.replace("`", "")
        assert height(browser) == 40
        for theme in ("light", "dark"):
            browser.driver.execute_script(
                "document.documentElement.dataset.bsTheme = arguments[0]", theme
            )
            # Colours take a moment to change.
            wait_for(lambda: weak_contrasts(browser) == [], f"contrasts in {theme}")
        browser.find_element("#damage-note summary").click()
        assert not items[0].is_displayed()


def test_the_command_that_mends_it_can_be_copied(page: tuple[Any, Damages]) -> None:
    browser, _ = page
    browser.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    for width in (1280, 390):
        resize(browser, width)
        browser.driver.execute_async_script("navigator.clipboard.writeText('').then(arguments[0])")
        browser.find_element("#damage-command-copy").click()
        wait_for(lambda: _clipboard(browser) == REPAIR, "the command to paste")


def _clipboard(browser: Any) -> str:
    read = "navigator.clipboard.readText().then(arguments[0])"
    found: str = browser.driver.execute_async_script(read)
    return found


def test_a_damaged_line_is_named_where_it_is_needed_and_trading_goes_on(
    folder: Path, start_server: Callable[..., Server], open_browser: Callable[[str], Any]
) -> None:
    write_ledger(folder, 60)
    ledger = folder / LEDGER_FILE
    lines = ledger.read_bytes().splitlines(keepends=True)
    # One of the newest hundred fills needs it, and the newest commit does not.
    number = len(lines) - 20
    lines[number - 1] = lines[number - 1].replace(b'"epoch":1', b'"epoch":7')
    ledger.write_bytes(b"".join(lines))
    reason = f"line {number} does not match its checksum"
    damaged = f"ledger.jsonl {reason}."
    server = start_server()
    browser = open_browser(server.url)
    wait_for(lambda: shown(browser).startswith(damaged), "the strip")
    wait_for_link(browser, "Live")
    before = server.balance()
    assert server.post({"deposit": 5}).status_code == 200
    assert server.balance() == before + 5
    for book in ("trades", "epochs"):
        browser.driver.get(f"{server.url}/history?table={book}")
        wait_for(lambda: reason in text(browser, "history-panel"), "the reason")
        assert "`" not in text(browser, "history-panel")
        command = all_texts(browser, "#history-problem code")[-1]
        assert command.startswith("python -m balance repair")
        assert shown_rows(browser) == 0
        assert shown(browser).startswith(damaged)
    browser.driver.get(f"{server.url}/futures")
    browser.find_element("#futures-book .form-check:last-child label").click()
    instead = "futures-book-empty"
    wait_for(lambda: reason in text(browser, instead), "the reason of the fills")
    assert shell(folder, "repair").returncode == 0
    wait_for(lambda: height(browser) == 0, "no strip")
    wait_for(lambda: browser.find_element("#futures-fills .ag-row").is_displayed(), "the fills")
    assert not browser.find_element(f"#{instead}").is_displayed()
    browser.driver.get(f"{server.url}/history?table=epochs")
    wait_for(lambda: shown_rows(browser) > 0, "the list")


def test_of_a_damaged_file_nobody_says_that_nothing_is_in_it(
    folder: Path, start_server: Callable[..., Server], open_browser: Callable[[str], Any]
) -> None:
    folder.mkdir()
    for name in (BOTS_FILE, ALERTS_FILE):
        (folder / name).write_bytes(b"{")
    server = start_server()
    browser = open_browser(server.url + "/auto")
    wait_for(lambda: "bots.json" in text(browser, "auto-bots-list"), "the reason")
    assert "No bots yet" not in text(browser, "auto-panel")
    browser.find_element("#alerts-btn").click()
    wait_for(lambda: "alerts.json" in text(browser, "alerts-words"), "the reason")
    assert "No alerts yet" not in text(browser, "alerts-place")


def test_what_a_command_mends_is_named_first(page: tuple[Any, Damages]) -> None:
    browser, damages = page
    damages.report(Damage("alerts.json", None, "alerts.json is no JSON. Put a copy of it back."))
    wait_for(lambda: shown(browser).endswith("and 1 more"), "both")
    assert shown(browser).startswith("ledger.jsonl line 17")
    assert text(browser, "damage-command") == REPAIR


def shown_rows(browser: Any) -> int:
    """How many rows of the History can be seen."""
    found: int = browser.driver.execute_script(
        "return [...document.querySelectorAll('#history-panel .ag-row')]"
        ".filter((each) => each.checkVisibility({ visibilityProperty: true })).length"
    )
    return found
