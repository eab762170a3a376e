"""The first minute: when it is shown, what its steps say, and what their buttons do, once."""

from __future__ import annotations

from typing import Any

import pytest

from app import create_app
from balance.api.services import Services
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from callbacks.first import free_name, obstacle_to, symbol_of_bot
from layouts.first import KEPT, NOW
from tests.boards import board
from tests.pages import UPDATE, asked

SOL = "SOL/USDT"


class Page:
    """A page on an account of its own, which keeps what a browser does."""

    def __init__(self, **changes: Any) -> None:
        self.board = board(**changes)
        self.desk = Desk(MemoryStore(), self.board)
        stream = Stream(1)
        self.services: Services = services_alone(self.desk, stream)
        app = create_app(self.desk, stream, services=self.services)
        self._client = app.server.test_client()
        self.kept: Any = None
        self.now: Any = None
        self.shown: dict[str, Any] = {}

    def call(self, woken: str, value: Any = 1) -> dict[str, Any]:
        """What the callback that ``woken`` wakes answers, as ``id.property``."""
        values = {
            woken.replace("-", "_"): value,
            KEPT.replace("-", "_"): self.kept,
            NOW.replace("-", "_"): self.now,
        }
        response = self._client.post(UPDATE, json=asked(self._client.get, woken, **values))
        whole = response.get_json() or {}
        changed = {**whole.get("response", {}), **whole.get("sideUpdate", {})}
        return {
            f"{name}.{key.partition('@')[0]}": each
            for name, properties in changed.items()
            for key, each in properties.items()
        }

    def draw(self) -> dict[str, Any]:
        """Draw it anew; what it shows."""
        self._take(self.call("overview-first-drawn", "x"))
        return self.shown

    def dismiss(self) -> None:
        """Press what dismisses it, while it is to be drawn anew anyway."""
        values = asked(
            self._client.get,
            "overview-first-drawn",
            overview_first_dismiss=1,
            overview_first_kept=self.kept,
            overview_first_now=self.now,
        )
        values["changedPropIds"] = ["overview-first-drawn.data", "overview-first-dismiss.n_clicks"]
        whole = self._client.post(UPDATE, json=values).get_json()["response"]
        self._take(
            {f"{name}.{key}": each for name, ps in whole.items() for key, each in ps.items()}
        )

    def _take(self, changed: dict[str, Any]) -> None:
        self.shown |= changed
        self.kept = changed.get(f"{KEPT}.data", self.kept)
        self.now = changed.get(f"{NOW}.data", self.now)

    @property
    def is_hidden(self) -> bool:
        return bool(self.draw()["overview-first.hidden"])

    @property
    def progress(self) -> str:
        return str(self.draw()["overview-first-progress.children"])


def test_it_says_what_its_steps_do_and_lets_them_be_done() -> None:
    shown = Page().draw()
    assert shown["overview-first.hidden"] is False
    words = shown["overview-first-position-words.children"]
    assert words.startswith("Buys 0.0")
    assert "BTC/USDT worth $" in words
    assert "on BTC/USDT" in shown["overview-first-bot-words.children"]
    assert not shown["overview-first-position-btn.disabled"]
    assert shown["overview-first-progress.children"] == "0 of 3 done"


def test_an_order_is_placed_for_the_quantity_that_it_says_once_however_often() -> None:
    page = Page()
    quantity = page.draw()["overview-first-position-words.children"].split()[1]
    changed = [page.call("overview-first-position-btn") for _ in range(2)]
    assert changed[0]["futures-symbol.value"] == "BTC/USDT"
    assert changed[0]["address.pathname"] == "/futures"
    (position,) = page.desk.snapshot().positions
    assert (str(position["quantity"]), position["leverage"]) == (quantity, 5)
    assert page.progress == "1 of 3 done"
    assert "on ETH/USDT" in page.shown["overview-first-bot-words.children"]


def test_a_bot_is_made_and_started_once_however_often() -> None:
    page = Page()
    page.draw()
    changed = [page.call("overview-first-bot-btn") for _ in range(2)]
    assert changed[0]["address.pathname"] == "/auto"
    (bot,) = page.services.bots.listed()["bots"]
    assert (bot["name"], bot["status"]) == ("EMA crossover BTC", "running")
    assert page.progress == "1 of 3 done"


def test_a_change_by_a_program_is_the_third_step() -> None:
    page = Page()
    page.draw()
    page.desk.adjust(1, source="screen")
    assert page.progress == "0 of 3 done"
    page.desk.adjust(1, source="program")
    assert page.progress == "1 of 3 done"
    assert page.shown["overview-first-script.data-done"] == "true"


def test_it_stays_until_it_is_closed_and_does_not_come_back_where_it_is_through() -> None:
    page = Page()
    page.draw()
    for name in ("position", "bot"):
        page.call(f"overview-first-{name}-btn")
    page.desk.adjust(1, source="program")
    assert page.progress == "All three are done."
    assert page.shown["overview-first-dismiss.children"] == "Close"
    assert not page.is_hidden
    # the same browser opens another page
    page.now = None
    assert page.is_hidden
    page.desk.reset()
    assert not page.is_hidden


def test_an_account_that_was_used_before_does_not_show_it() -> None:
    page = Page()
    page.desk.deposit(1)
    assert page.is_hidden


def test_one_that_was_begun_in_this_browser_goes_on() -> None:
    page = Page()
    page.draw()
    page.now = None
    page.desk.deposit(1)
    assert not page.is_hidden


def test_what_was_dismissed_does_not_come_back() -> None:
    page = Page()
    page.draw()
    page.dismiss()
    assert page.shown["overview-first.hidden"] is True
    assert page.is_hidden
    page.desk.reset()
    assert page.is_hidden


def test_without_a_price_it_says_why_nothing_can_be_done() -> None:
    page = Page()
    snapshot = page.desk.snapshot()
    assert obstacle_to("", snapshot) == "No symbol is traded here."
    assert obstacle_to("BTC/USDT", snapshot) == ""
    assert obstacle_to(SOL, snapshot).startswith("SOL/USDT has no live price now.")


def test_a_bot_is_offered_a_symbol_that_nobody_holds() -> None:
    page = Page()
    symbols = ("BTC/USDT", "ETH/USDT")
    assert symbol_of_bot(symbols, page.desk.snapshot()) == "BTC/USDT"
    for each in symbols:
        page.desk.place_order(symbol=each, side="buy", notional=500)
    assert symbol_of_bot(symbols, page.desk.snapshot()) == "BTC/USDT"
    assert symbol_of_bot((), page.desk.snapshot()) == ""


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        (set(), "EMA crossover BTC"),
        ({"EMA crossover BTC"}, "EMA crossover BTC 2"),
        ({"EMA crossover BTC", "EMA crossover BTC 2"}, "EMA crossover BTC 3"),
    ],
)
def test_a_bot_gets_a_name_that_no_other_has(taken: set[str], name: str) -> None:
    assert free_name("BTC/USDT", taken) == name
