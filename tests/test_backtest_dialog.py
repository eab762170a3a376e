"""The dialog of backtests: what it says of settings and files, how a run stands, and its report."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.backtests.report import report as reported
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from callbacks import backtests
from layouts.backtest import CANDLES, RUNNING, TESTED, file_text, report, span_text, subject_text
from tests.boards import board
from tests.pages import UPDATE, asked
from tests.patience import wait_for
from tests.test_layouts import everything
from tests.test_report import outcome, planned

SETTINGS = {
    "name": "Trend",
    "symbol": "BTC/USDT",
    "strategy": "ema_crossover",
    "timeframe": "1m",
    "stake": "10",
    "stake_unit": "percent",
    "leverage": "3",
}
FILE = {
    "id": "f",
    "name": "BTCUSDT-1m.csv",
    "symbol": "BTC/USDT",
    "candles": 3_000,
    "seconds": 60,
    "from": "2025-02-01T00:00:00Z",
    "to": "2025-02-06T00:00:00Z",
    "notes": ["It has no volume column: volume is 0."],
}


class Dialog:
    """The dialog on a server without a past, and what it shows."""

    def __init__(self) -> None:
        desk = Desk(MemoryStore(), board())
        stream = Stream(1)
        self.services = services_alone(desk, stream)
        app = create_app(desk, stream, services=self.services)
        self._client = app.server.test_client()
        self._state: dict[str, Any] = {
            TESTED: {"settings": SETTINGS, "words": "EMA crossover 5, 20"},
            "backtest-balance": "10,000",
            "backtest-source": "feed",
            "backtest-hours": "24",
        }

    def call(self, woken: str, changed: str = "", **values: Any) -> dict[str, Any]:
        """What the callback that ``woken`` wakes answers, by the names after ``backtest-``;
        ``changed`` is the other input, if any, that has woken it."""
        self._state |= {f"backtest-{name}": value for name, value in values.items()}
        states = {name.replace("-", "_"): value for name, value in self._state.items()}
        body = asked(self._client.get, woken, **states)
        if changed:
            body["changedPropIds"] = [changed]
        response = self._client.post(UPDATE, json=body)
        whole = response.get_json() or {}
        for name, properties in whole.get("response", {}).items():
            for value in properties.values():
                self._state[name] = value
        return {name.removeprefix("backtest-"): value for name, value in self._state.items()}

    def file(self, minutes: int) -> None:
        """Choose a file of so many minutes in which the price goes up and down."""
        lines = ["time,open,high,low,close,volume"]
        for minute in range(minutes):
            first, last = (40_000 + 2_000 * math.sin(at / 200) for at in (minute, minute + 1))
            least, most = min(first, last) - 5, max(first, last) + 5
            at = 1_640_995_200 + minute * 60
            lines.append(f"{at},{first:.2f},{most:.2f},{least:.2f},{last:.2f},1")
        data = "\n".join(lines).encode()
        self._state[CANDLES] = self.services.backtests.add_file("BTCUSDT-1m.csv", data)
        self._state["backtest-source"] = "file"

    def follow(self) -> dict[str, Any]:
        """What is shown after the next look at how far the run is."""
        return self.call("backtest-interval", running=self._state.get(RUNNING))


def test_it_says_what_is_tested() -> None:
    text = subject_text(SETTINGS, "EMA crossover 5, 20")
    assert text == ("Trend: EMA crossover 5, 20 on BTC/USDT, candles of 1m, 10% at 3x.")
    dollars = subject_text({**SETTINGS, "stake_unit": "usdt", "symbol": "BTC/USDC"}, "X")
    assert "on BTC/USDC (1:1 USDT), candles of 1m, 10 USDT at" in dollars


def test_it_says_what_is_in_a_file() -> None:
    assert file_text(FILE) == (
        "BTCUSDT-1m.csv: 3,000 candles of BTC/USDT of 1 min, 2025-02-01 00:00 to "
        "2025-02-06 00:00 UTC. It has no volume column: volume is 0."
    )
    assert "3,000 candles of 1 min" in file_text({**FILE, "symbol": None})


def test_it_opens_on_settings_with_nothing_of_the_run_before() -> None:
    shown = Dialog().call(TESTED)
    assert shown["dialog"] is True
    assert shown["what"].startswith("Trend: EMA crossover 5, 20 on BTC/USDT")
    assert (shown["running"], shown["words"], shown["result"], shown["error"]) == (None, "", [], "")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"balance": "20,5"}, "Starting balance: 20,5 can be read in more than one way"),
        ({"source": "file"}, "Choose a file of candles first."),
        ({}, "No past prices of BTC/USDT are at hand here."),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_the_dialog(values: dict[str, Any], error: str) -> None:
    shown = Dialog().call("backtest-run", **values)
    assert shown["error"].startswith(error)
    assert shown.get("running") is None


def test_a_file_is_run_to_its_end_and_what_came_of_it_is_shown() -> None:
    dialog = Dialog()
    dialog.file(2_000)
    assert isinstance(dialog.call("backtest-run", balance="5 000")["running"], str)
    wait_for(lambda: dialog.follow()["running"] is None, "the result")
    shown = dialog.follow()
    assert shown["words"].startswith("2,000 candles, 2022-01-01 00:00 to 2022-01-02 09:20 UTC.")
    text = str(shown["result"])
    assert all(each in text for each in ("Time-weighted return", "Buy and hold", "Win rate"))
    assert "EMA" in text
    assert shown["error"] == ""


def test_while_one_runs_another_is_not_started() -> None:
    dialog = Dialog()
    dialog.file(30_000)
    first = dialog.call("backtest-run")["running"]
    assert dialog.call("backtest-run")["running"] == first


def test_a_run_says_how_far_it_is_and_is_cancelled() -> None:
    dialog = Dialog()
    dialog.file(30_000)
    running = dialog.call("backtest-run")["running"]
    shown = dialog.follow()
    assert shown["percent"].endswith("%")
    shown = dialog.call("backtest-interval", "backtest-cancel.n_clicks", running=running)
    assert (shown["running"], shown["words"]) == (None, "Cancelled.")
    assert dialog.services.backtests.row(running)["state"] == "cancelled"


def test_what_nobody_waits_for_any_more_is_cancelled() -> None:
    dialog = Dialog()
    dialog.file(30_000)
    running = dialog.call("backtest-run")["running"]
    shown = dialog.call("backtest-dialog", dialog=False)
    assert shown["running"] is None
    assert dialog.services.backtests.row(running)["state"] == "cancelled"


def test_a_run_that_the_server_has_forgotten_ends_with_words() -> None:
    shown = Dialog().call("backtest-interval", running="gone")
    assert shown["running"] is None
    assert "There is no backtest" in shown["error"]


def test_a_strategy_that_failed_is_said_in_a_line_that_opens_to_where() -> None:
    words = "The strategy Mine failed:\n  line 3\nValueError: no"
    row: Any = {"id": "x", "state": "failed", "progress": 0.5, "words": words, "result": None}
    shown = backtests._shown(row)
    assert shown[-1] == "ValueError: no"
    (details,) = shown[-2]
    assert details.children[1].children == words


def test_the_report_has_every_figure_that_is_shown_and_the_trades_with_reasons() -> None:
    found = reported(planned(3), outcome([900, 950, 925]))
    parts = report(found)
    text = str(parts)
    assert all(each["label"] in text for each in found["figures"])
    signed = {each["name"] for each in found["figures"] if each["is_signed"]}
    toned = [each for each in everything(parts) if hasattr(each, "data-tone")]
    assert len([each for each in toned if each.className == "pnl-figure"]) >= len(signed)
    assert span_text(found).startswith(f"{found['candles']:,} candles, ")
