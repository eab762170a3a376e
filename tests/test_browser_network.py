"""A tour of everything, with the browser's own log of its network beside it: whatever the page asks
for comes from this server, and comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import BLANK, started_browser, take_time
from tests.screen import go, text, wait_for, wait_for_link, wait_for_toast, write
from tests.serving import Server
from tests.tour import be_calm, clear_toasts, fill, opened_dialogs, press, tabs

_FIRST_FAILURE: Final = 400
# what the page itself gives up, as it needs it no more; a look into the browser's own cache
_NO_FAILURES: Final = ("", "ERR_ABORTED", "ERR_CACHE_MISS")


@dataclass(frozen=True)
class Request:
    """One request of the page, its worker or a form of it."""

    url: str
    # what became of it: the status line, and the network's error where there was one
    said: str
    error: str

    @property
    def failed(self) -> bool:
        """Whether it got no answer, or none that it wanted."""
        status = int(self.said.split()[1]) if self.said else 0
        return status >= _FIRST_FAILURE or self.error not in _NO_FAILURES


def test_whatever_a_page_asks_for_comes_from_its_server_and_comes(
    server: Server, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = tmp_path / "network.json"
    headless = request.config.getoption("headless")
    with started_browser(BLANK, str(tmp_path), headless, f"--log-net-log={log}") as browser:
        take_time(browser)
        browser.server_url = server.url
        _walk(browser, server)
        # the icons' font has come too
        assert browser.driver.execute_script("return document.fonts.check('16px bootstrap-icons')")
        assert browser.get_logs() == []
    asked = list(_requests(json.loads(log.read_text()), server.url))
    paths = {each.url.removeprefix(server.url).split("?")[0] for each in asked}
    assert {
        "/virtual_balance/stream",
        "/ticket/preview",
        "/_dash-update-component",
    } <= paths
    # the file of the list that is shown then
    assert [each for each in paths if each.startswith("/history/")]
    assert len(asked) > 50
    strange = [each.url for each in asked if not each.url.startswith(f"{server.url}/")]
    assert strange == []
    assert [each for each in asked if each.failed] == []


def _walk(browser: Any, server: Server) -> None:
    wait_for_link(browser, "Live")
    be_calm(browser)
    fill(server)
    wait_for(lambda: text(browser, "futures-position-count") == "3", "three positions")
    for _ in tabs(browser):
        pass
    go(browser, "futures")
    write(browser, "futures-size", "100")
    wait_for(lambda: text(browser, "futures-preview-quantity")[0].isdigit(), "the preview")
    clear_toasts(browser)
    browser.find_element("#futures-submit").click()
    wait_for_toast(browser, "Bought")
    _try_a_bot(browser)
    for _ in opened_dialogs(browser):
        pass
    go(browser, "history")
    press(browser, "#history-panel a[href*='format=csv']")
    files = Path(browser.download_path)
    wait_for(lambda: list(files.glob("*.csv")), "the download")


def _try_a_bot(browser: Any) -> None:
    go(browser, "auto")
    press(browser, "#auto-new-bot")
    wait_for(lambda: browser.find_elements("#bot-params input"), "the form")
    write(browser, "bot-name", "Crosser")
    browser.find_element("#bot-start").click()
    wait_for_toast(browser, "Started Crosser.")
    press(browser, "[aria-label='Backtest Crosser']")
    press(browser, "#backtest-run")
    wait_for(lambda: browser.find_elements("#backtest-result [data-points]"), "the result")
    press(browser, "#backtest-dialog [data-close]")


def _requests(log: Any, origin: str) -> Iterator[Request]:
    """Those of the pages of ``origin``; the browser has some of its own, which have no origin."""
    types = {number: name for name, number in log["constants"]["logEventTypes"].items()}
    errors = {number: name for name, number in log["constants"]["netError"].items()}
    found: dict[int, dict[str, str]] = {}
    for event in log["events"]:
        what, given = types[event["type"]], event.get("params", {})
        one = found.setdefault(event["source"]["id"], {"url": "", "said": "", "error": ""})
        if what == "URL_REQUEST_START_JOB" and "url" in given:
            is_ours = given.get("initiator") == origin or given["url"].startswith(origin)
            one["url"] = given["url"] if is_ours else ""
        elif what == "HTTP_TRANSACTION_READ_RESPONSE_HEADERS":
            one["said"] = given["headers"][0]
        elif what == "REQUEST_ALIVE" and "net_error" in given:
            one["error"] = errors[given["net_error"]]
    return (Request(**each) for each in found.values() if each["url"])
