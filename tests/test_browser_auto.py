"""The Auto Trading tab in a browser: bots are made, watched and stopped, and tried on the past."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.relay import Relay
from tests.screen import (
    all_texts,
    choose,
    found_by,
    go,
    resize,
    text,
    wait_for,
    wait_for_link,
    wait_for_toast,
    write,
    write_into,
)
from tests.serving import Server
from tests.standing import StandingServer

Opened = Callable[[str], Any]

#: The field of the parameter called fast.
_FAST = """[id='{"name":"fast","type":"bot-param"}']"""
_LISTENER = {"name": "Listener", "symbol": "BTC/USDT", "strategy": "signals", "leverage": 2}


@pytest.fixture
def still(folder: Path) -> Iterator[Server]:
    """A server on a market that stands still, so that only signals move a bot."""
    with StandingServer(folder) as server:
        yield server


def _auto(server: Server, open_browser: Opened) -> Any:
    browser = open_browser(f"{server.url}/auto")
    wait_for_link(browser, "Live")
    browser.wait_for_element("#auto-activity-view")
    return browser


def _made(server: Server, **settings: Any) -> str:
    """Make a bot and start it: its id."""
    told = server.post({**_LISTENER, **settings}, "/bots").json()
    bot_id: str = told["bot"]["id"]
    assert server.post(None, f"/bots/{bot_id}/start").status_code == 200
    return bot_id


def _rows(browser: Any) -> list[str]:
    """The text of each bot's row."""
    return all_texts(browser, "#auto-bots tbody tr")


def _states(browser: Any) -> list[str]:
    """The state of each bot."""
    return all_texts(browser, "#auto-bots .bot-state")


def _press(browser: Any, label: str) -> None:
    """Press the button that is called ``label`` for those who don't see it, or reads so."""
    script = (
        "return [...document.querySelectorAll('button')].filter((e) => e.checkVisibility())"
        ".findLast((e) => [e.ariaLabel, e.innerText].includes(arguments[0]))"
    )
    found_by(browser, script, label).click()


def _listed(browser: Any) -> list[str]:
    """The text of each row of the activity."""
    found: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll('#auto-activity tbody tr')]"
        ".map((row) => [...row.cells].slice(1).map((cell) => cell.innerText).join('|'))"
    )
    return found


def _is_open(browser: Any, dialog: str) -> bool:
    found = browser.driver.execute_script(
        "return document.getElementById(arguments[0]) !== null", dialog
    )
    return bool(found)


# A request that would open a question waits until the test lets it go.
_HOLD = """
    const { fetch } = window;
    const gate = new Promise((go) => (window.letGo = go));
    window.held = 0;
    window.fetch = async (address, options) => {
        if (String(options?.body).includes("bot-question-dialog")) {
            window.held += 1;
            await gate;
        }
        return fetch(address, options);
    };
"""


def test_the_activity_holds_still_where_somebody_reads_in_it(
    still: Server, open_browser: Opened
) -> None:
    bot_id = _made(still)
    for _ in range(20):
        for verb in ("stop", "start"):
            assert still.post(None, f"/bots/{bot_id}/{verb}").status_code == 200
    browser = _auto(still, open_browser)
    wait_for(lambda: len(_listed(browser)) > 40, "the activity")
    place = (
        "const list = document.getElementById('auto-activity-list');"
        "if (arguments[0] !== null) list.scrollTop = arguments[0];"
        "const row = list.querySelector(`[data-entry='${arguments[1]}']`);"
        "return row.getBoundingClientRect().top - list.getBoundingClientRect().top;"
    )
    newest = int(
        browser.find_element("#auto-activity-list [data-entry]").get_attribute("data-entry")
    )
    before = browser.driver.execute_script(place, 200, newest - 10)
    assert still.post(None, f"/bots/{bot_id}/stop").status_code == 200
    wait_for(lambda: browser.find_elements(f"[data-entry='{newest + 1}']"), "what it did since")
    # the browser keeps the place with its next frame
    wait_for(
        lambda: abs(browser.driver.execute_script(place, None, newest - 10) - before) < 1,
        "the row that is read where it was",
    )


def test_a_press_is_not_lost_where_its_row_is_drawn_anew_meanwhile(
    still: Server, open_browser: Opened
) -> None:
    bot_id = _made(still, name="Before")
    browser = _auto(still, open_browser)
    wait_for(lambda: "Before" in "".join(_rows(browser)), "the row")
    browser.driver.execute_script(_HOLD)
    _press(browser, "Delete Before")
    wait_for(lambda: browser.driver.execute_script("return window.held === 1"), "the request")
    still.ask("PUT", f"/bots/{bot_id}", {"name": "After"})
    wait_for(lambda: "After" in "".join(_rows(browser)), "the row drawn anew")
    browser.driver.execute_script("window.letGo()")
    wait_for(lambda: _is_open(browser, "bot-question-dialog"), "the question")


def test_a_bot_is_made_run_changed_and_deleted_and_other_browsers_follow(
    still: Server, open_browser: Opened
) -> None:
    browser, other = _auto(still, open_browser), _auto(still, open_browser)
    wait_for(lambda: "No bots yet" in text(browser, "auto-bots-list"), "what bots are")
    assert not browser.find_element("#auto-stop-all").is_enabled()
    browser.find_element("#auto-new-bot").click()
    wait_for(lambda: browser.find_elements(_FAST), "the parameters")
    name = browser.find_element("#bot-name")
    assert name.get_attribute("value") == "EMA crossover BTC"
    # what is wrong is said in the dialog, by the page or by the server
    write(browser, "bot-stake", "")
    browser.find_element("#bot-save").click()
    browser.wait_for_text_to_equal("#bot-error", "Enter Stake.")
    write(browser, "bot-stake", "12.5")
    write_into(browser, _FAST, "500")
    browser.find_element("#bot-save").click()
    browser.wait_for_contains_text("#bot-error", "100")
    assert "No bots yet" in text(other, "auto-bots-list")
    browser.reset_log_timestamp()
    write_into(browser, _FAST, "5")
    write(browser, "bot-name", "Crosser")
    browser.find_element("#bot-start").click()
    wait_for_toast(browser, "Started Crosser.")
    assert not _is_open(browser, "bot-dialog")
    wait_for(lambda: _states(other) == ["Running"], "the other browser's row")
    assert text(browser, "auto-bots-summary") == "1 of 1 running, P&L $0.00"
    settings = still.get("/bots").json()["bots"][0]["settings"]
    assert (settings["stake"], settings["params"]["fast"]) == (12.5, 5)
    # by keyboard; the focus stays on the button, whatever it does next
    browser.find_element("[data-verb=pause]").send_keys(Keys.ENTER)
    wait_for(lambda: _states(browser) == _states(other) == ["Paused"], "the pause")
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(lambda: _states(browser) == _states(other) == ["Running"], "the end of the pause")
    _press(browser, "Edit Crosser")
    wait_for(lambda: browser.find_elements(_FAST), "the parameters")
    field = browser.find_element(_FAST)
    wait_for(lambda: field.get_attribute("value") == "5", "what it has now")
    choose(browser, "bot-timeframe", "15m")
    browser.find_element("#bot-limits summary").click()
    write(browser, "bot-max-drawdown", "250")
    browser.find_element("#bot-save").click()
    wait_for(lambda: "15m" in _rows(other)[0], "the other timeframe")
    assert still.get("/bots").json()["bots"][0]["settings"]["max_drawdown"] == 250
    _press(browser, "Duplicate Crosser")
    wait_for(lambda: _states(browser) == _states(other) == ["Running", "Stopped"], "the double")
    _press(browser, "Stop Crosser")
    wait_for(lambda: _states(browser) == ["Stopped", "Stopped"], "both stopped")
    _press(browser, "Delete Crosser")
    wait_for(lambda: _is_open(browser, "bot-question-dialog"), "the question")
    _press(browser, "Cancel")
    assert len(_rows(other)) == 2
    _press(browser, "Delete Crosser")
    _press(browser, "Delete")
    wait_for(lambda: len(_rows(browser)) == len(_rows(other)) == 1, "one of them gone")
    wait_for(lambda: any("Deleted" in row for row in _listed(browser)), "its last entry")
    for each in (browser, other):
        assert each.get_logs() == []


def test_signals_move_a_bot_and_the_kill_switch_ends_it(
    still: Server, open_browser: Opened
) -> None:
    listener, second = _made(still), _made(still, name="Second", direction="short")
    browser = _auto(still, open_browser)
    wait_for(lambda: _states(browser) == ["Running", "Running"], "both")
    told = {"symbol": "BTC/USDT", "side": "buy", "confidence": 0.8, "source": "my model"}
    assert still.post(told, "/signals").status_code == 200
    wait_for(lambda: "Long 0." in _rows(browser)[0], "the position")
    assert "Buy 80%" in _rows(browser)[0]
    # by the time of the replay, which is another year's
    wait_for(lambda: " s ago" in _rows(browser)[0], "how long ago that was")
    assert "Long" not in _rows(browser)[1]
    # a stop asks what becomes of the position
    _press(browser, "Stop Listener")
    wait_for(lambda: "Long 0." in text(browser, "bot-question-dialog"), "what it holds")
    _press(browser, "Stop, keep the position")
    # the other one has to wait for the end of what is kept
    wait_for(lambda: _states(browser) == ["Stopped", "Symbol in use"], "the one stopped")
    assert "Long 0." in _rows(browser)[0]
    assert still.get("/positions").json()["positions"][0]["owner"] == listener
    browser.find_element("#auto-stop-all").click()
    wait_for(lambda: "1 of 2 bots" in text(browser, "bot-question-dialog"), "how many run")
    assert "(Listener)" in text(browser, "bot-question-dialog")
    _press(browser, "Stop all and close what they hold")
    wait_for_toast(browser, "closed 1 position")
    wait_for(lambda: _states(browser) == ["Stopped", "Stopped"], "the end")
    assert still.get("/positions").json()["positions"] == []
    # fees make it a lost trade
    wait_for(lambda: "0 of 1" in _rows(browser)[0], "the lost trade")
    spark = browser.find_element("#auto-bots .spark").get_attribute("aria-label")
    assert spark.startswith("Realised P&L over the last 1 trades: -$")
    # the log, by kind and by bot
    wait_for(lambda: any("|Buy 80%|" in row for row in _listed(browser)), "the decision")
    choose(browser, "auto-activity-kind", "State")
    wait_for(
        lambda: _listed(browser) and not any("80%" in row for row in _listed(browser)), "state"
    )
    choose(browser, "auto-activity-kind", "Errors")
    wait_for(lambda: "Nothing of that kind" in text(browser, "auto-activity-list"), "no errors")
    choose(browser, "auto-activity-kind", "Everything")
    choose(browser, "auto-activity-bot", "Second")
    wait_for(lambda: {row.split("|")[0] for row in _listed(browser)} == {"Second"}, "one bot's")
    browser.find_element("#auto-activity-view .form-check:last-child label").click()
    wait_for(lambda: "Nothing of that kind" in text(browser, "auto-activity-list"), "no trades")
    choose(browser, "auto-activity-bot", "All bots")
    wait_for(lambda: len(_listed(browser)) == 1, "the trade")
    assert _listed(browser)[0].startswith("Listener|BTC/USDT|Long|0.")
    assert "my model" in _listed(browser)[0]
    assert second in {row["id"] for row in still.get("/bots").json()["bots"]}
    assert browser.get_logs() == []


def test_a_second_server_shows_the_bots_and_changes_none(
    still: Server, start_server: Callable[..., Server], open_browser: Opened
) -> None:
    _made(still)
    browser = _auto(start_server(folder=still.folder), open_browser)
    wait_for(lambda: _states(browser) == ["Running"], "the bot")
    wait_for(lambda: "change them there" in text(browser, "auto-bots-words"), "why")
    for control in ("#auto-new-bot", "#auto-stop-all", "[data-verb=pause]", '[title="Edit"]'):
        assert not browser.find_element(control).is_enabled()
    still.post(None, "/bots/stop")
    wait_for(lambda: _states(browser) == ["Stopped"], "what the first server did")
    assert browser.get_logs() == []


def test_without_a_stream_all_bots_are_fetched_while_they_are_looked_at(
    still: Server, open_browser: Opened
) -> None:
    bot_id = _made(still)
    with Relay(still.port) as relay:
        relay.refused = ("/virtual_balance/stream",)
        browser = open_browser(relay.url)
        wait_for_link(browser, "Polling")
        assert [path for path in relay.paths if path.startswith("/bots")] == []
        go(browser, "auto")
        wait_for(lambda: _states(browser) == ["Running"], "the bot")
        still.post(None, f"/bots/{bot_id}/pause")
        wait_for(lambda: _states(browser) == ["Paused"], "what the interval brought")
        _press(browser, "Resume Listener")
        wait_for(lambda: _states(browser) == ["Running"], "what was done here")
        asked = [path.partition("?")[0] for path in relay.paths if path.startswith("/bots")]
        # what is drawn and done is requested of callbacks
        assert set(asked) == {"/bots"}


def _candles(file: Path, count: int) -> Path:
    """A file of ``count`` minutes in which the price goes up and down."""
    lines = ["time,open,high,low,close,volume"]
    for minute in range(count):
        first, last = (40_000 + 2_000 * math.sin(at / 200) for at in (minute, minute + 1))
        low, high = min(first, last) - 5, max(first, last) + 5
        lines.append(f"{1_640_995_200 + minute * 60},{first:.2f},{high:.2f},{low:.2f},{last:.2f},1")
    file.write_text("\n".join(lines))
    return file


def _take_a_file(browser: Any) -> None:
    """Have the backtest run on a file."""
    choose(browser, "backtest-source", "A file")
    wait_for(lambda: browser.find_element("#backtest-file").is_displayed(), "the field")


def test_a_file_says_what_is_unclear_and_what_was_done(
    still: Server, open_browser: Opened, tmp_path: Path
) -> None:
    browser = _auto(still, open_browser)
    browser.find_element("#auto-new-bot").click()
    wait_for(lambda: browser.find_elements(_FAST), "the parameters")
    browser.find_element("#bot-backtest").click()
    _take_a_file(browser)
    file = tmp_path / "BTCUSDT-1d.csv"
    days = [f"0{day}/02/2025,5,6,4,5" for day in range(1, 6)]
    file.write_text("\n".join(("date,open,high,low,close", *days)))
    browser.find_element("#backtest-file").send_keys(str(file))
    wait_for(
        lambda: "choose the date format" in text(browser, "backtest-error"),
        "what is unclear",
    )
    choose(browser, "backtest-dates", "the day first")
    wait_for(lambda: "5 candles of BTC/USDT" in text(browser, "backtest-file-words"), "them")
    assert text(browser, "backtest-error") == ""
    words = text(browser, "backtest-file-words")
    assert "2025-02-01 00:00 to 2025-02-06 00:00 UTC" in words
    assert "It has no volume column: volume is 0." in words


def test_settings_are_tried_on_a_file_and_a_run_is_cancelled(
    still: Server, open_browser: Opened, tmp_path: Path
) -> None:
    browser = _auto(still, open_browser)
    browser.find_element("#auto-new-bot").click()
    wait_for(lambda: browser.find_elements(_FAST), "the parameters")
    choose(browser, "bot-timeframe", "1m")
    browser.find_element("#bot-backtest").click()
    _take_a_file(browser)
    browser.find_element("#backtest-run").click()
    browser.wait_for_text_to_equal("#backtest-error", "Choose a file of candles first.")
    file = browser.find_element("#backtest-file")
    file.send_keys(str(_candles(tmp_path / "BTCUSDT-1m.csv", 3_000)))
    wait_for(lambda: "3,000 candles of BTC/USDT" in text(browser, "backtest-file-words"), "them")
    write(browser, "backtest-balance", "5000")
    browser.find_element("#backtest-run").click()
    wait_for(lambda: browser.find_elements("#backtest-result [data-points]"), "the result")
    assert "3,000 candles" in text(browser, "backtest-words")
    figures = text(browser, "backtest-result")
    names = ("Time-weighted return", "Buy and hold", "Sharpe ratio", "Win rate", "Profit factor")
    assert all(name in figures for name in names)
    assert "EMA" in all_texts(browser, "#backtest-result tbody tr")[0]
    # a longer one is left before its end
    file.send_keys(str(_candles(tmp_path / "ETHUSDT-1m.csv", 150_000)))
    wait_for(lambda: "150,000 candles of ETH/USDT" in text(browser, "backtest-file-words"), "more")
    browser.find_element("#backtest-run").click()
    # in the same look, as it may have ended by the next
    cancel = """
        const runs = document.getElementById("backtest-percent")?.textContent.endsWith("%");
        if (runs) document.getElementById("backtest-cancel").click();
        return runs === true;
    """
    wait_for(lambda: browser.driver.execute_script(cancel), "its progress")
    browser.wait_for_text_to_equal("#backtest-words", "Cancelled.")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not _is_open(browser, "backtest-dialog"), "the end of the backtest")
    # the form is as it was left
    assert _is_open(browser, "bot-dialog")
    assert browser.find_element("#bot-timeframe").get_attribute("value") == "1m"
    assert browser.get_logs() == []


def test_a_symbol_that_somebody_else_has_is_said_before_and_after_the_start(
    still: Server, open_browser: Opened
) -> None:
    browser = _auto(still, open_browser)
    browser.find_element("#auto-new-bot").click()
    wait_for(lambda: _is_open(browser, "bot-dialog"), "the dialog")
    assert text(browser, "bot-symbol-words") == ""
    # while it is open, the person opens a position
    order = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01}
    assert still.post(order, "/orders").status_code == 200
    held = "BTC/USDT is traded by you now"
    wait_for(lambda: held in text(browser, "bot-symbol-words"), "whose it is")
    write(browser, "bot-name", "Trend")
    wait_for(lambda: browser.find_elements("#bot-strategy option"), "the strategies")
    browser.find_element("#bot-start").click()
    wait_for_toast(browser, held)
    wait_for(lambda: _states(browser) == ["Symbol in use"], "the state")
    assert f"{held}: it opens nothing until that is closed." in _rows(browser)[0]
    # the table keeps to its panel
    resize(browser, 1280, 720)
    over = (
        "const table = document.querySelector('.bots-table');"
        "return table.getBoundingClientRect().right"
        " > table.closest('.panel').getBoundingClientRect().right - 15"
    )
    assert browser.driver.execute_script(over) is False
    # another bot on the symbol is told of the first
    assert still.post(path="/positions/BTC/USDT/close").status_code == 200
    wait_for(lambda: _states(browser) == ["Running"], "the state")
    browser.find_element("#auto-new-bot").click()
    wait_for(lambda: _is_open(browser, "bot-dialog"), "the dialog")
    rival = "Trend trades BTC/USDT, too"
    wait_for(lambda: rival in text(browser, "bot-symbol-words"), "the other bot")
    assert browser.get_logs() == []
