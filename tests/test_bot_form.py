"""The form of a bot: what it is filled with, what is wrong in it, and what it sends once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.bots.settings import MEMBERS
from balance.core.errors import StoreError
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from callbacks.bots import as_texts
from layouts.bot_form import (
    NUMBERS,
    TEXTS,
    USUAL,
    proposed_name,
    shown,
    strategy_fields,
    strategy_options,
    strategy_words,
)
from layouts.bots import bot_rows, delete_question, stop_all_question, stop_question
from tests.boards import board
from tests.markets import BTC
from tests.pages import UPDATE, asked
from tests.test_layouts import everything

FILLED = {
    "bot_name": "Crosser",
    "bot_symbol": BTC,
    "bot_timeframe": "5m",
    "bot_strategy": "ema_crossover",
    "bot_direction": "both",
    "bot_stake_unit": "percent",
    "bot_stake": "12.5",
    "bot_leverage": "3",
    "bot_min_confidence": "0",
    "bot_cooldown": "0",
    "bot_max_daily_loss": "1k",
    "bot_edited": "",
    "bot_key": "one",
}
BROKEN = {
    "id": "own_x",
    "name": "Mine",
    "words": "",
    "own": True,
    "parameters": [],
    "error": "line 1\nline 2",
}


class Form:
    """The form on a server of its own."""

    def __init__(self) -> None:
        desk = Desk(MemoryStore(), board())
        stream = Stream(1)
        self.services = services_alone(desk, stream)
        app = create_app(desk, stream, services=self.services)
        self._client = app.server.test_client()

    def send(self, woken: str = "bot-form.n_submit", **changed: Any) -> dict[str, Any]:
        """What the page is answered when the form is sent, with these fields ``changed``: the
        properties by the ids of what they are of."""
        body = asked(self._client.get, "bot-form", **{**FILLED, **changed})
        for each in body["inputs"]:
            each["value"] = 1
        params = {"fast": "5", "slow": "26", **changed.get("params", {})}
        body["state"][2] = [
            {"id": {"name": name, "type": "bot-param"}, "property": "value", "value": value}
            for name, value in params.items()
        ]
        body["changedPropIds"] = [woken]
        answer = self._client.post(UPDATE, json=body).get_json()
        return {**answer.get("sideUpdate", {}), **answer["response"]}

    def bots(self) -> list[Any]:
        found: list[Any] = self.services.bots.listed()["bots"]
        return found


@pytest.fixture
def form() -> Form:
    return Form()


def error(answer: dict[str, Any]) -> str:
    """What the form says is wrong."""
    (text,) = (each["children"] for name, each in answer.items() if name.startswith("bot-error"))
    return str(text)


def test_a_bot_is_made_with_what_was_typed(form: Form) -> None:
    answer = form.send()
    (bot,) = form.bots()
    settings = bot["settings"]
    assert (settings["name"], settings["stake"]) == ("Crosser", Decimal("12.5"))
    assert (settings["max_daily_loss"], settings["stop_loss"]) == (1_000, None)
    assert settings["params"] == {"fast": 5, "slow": 26}
    assert bot["status"] == "stopped"
    assert answer["toast"]["data"]["message"] == "Made the bot Crosser. Start it when you like."


def test_it_can_be_started_at_once(form: Form) -> None:
    answer = form.send("bot-start.n_clicks")
    assert [each["status"] for each in form.bots()] == ["running"]
    assert answer["toast"]["data"]["message"].startswith("Started Crosser.")


def test_what_is_sent_twice_makes_one_bot(form: Form) -> None:
    assert form.send().keys() == form.send().keys()
    assert len(form.bots()) == 1
    # what is changed then is another request of the same dialog
    form.send(bot_name="Second")
    assert [each["name"] for each in form.bots()] == ["Crosser", "Second"]


def test_an_edit_changes_the_bot_that_was_opened(form: Form) -> None:
    form.send()
    (bot,) = form.bots()
    form.send(bot_edited=bot["id"], bot_timeframe="15m", bot_stop_loss="2.5")
    (bot,) = form.bots()
    assert bot["settings"]["timeframe"] == "15m"
    assert bot["settings"]["stop_loss"] == Decimal("2.5")


@pytest.mark.parametrize(
    ("changed", "message", "field"),
    [
        ({"bot_stake": ""}, "Enter Stake.", "bot-stake"),
        ({"bot_stake": "$5"}, "Stake: $5 is in dollars", "bot-stake"),
        ({"bot_cooldown": "1,00"}, "Pause after a trade: 1,00 can be read", "bot-cooldown"),
        ({"params": {"fast": ""}}, "Enter Fast EMA.", '{"name":"fast","type":"bot-param"}'),
    ],
)
def test_what_is_wrong_is_said_of_its_field_which_gets_the_focus(
    form: Form, changed: dict[str, Any], message: str, field: str
) -> None:
    answer = form.send(**changed)
    assert error(answer).startswith(message)
    assert answer["focus"]["data"]["id"] == field
    assert form.bots() == []


def test_a_stake_in_dollars_may_be_written_so(form: Form) -> None:
    form.send(bot_stake_unit="usdt", bot_stake="$1,250.50")
    assert form.bots()[0]["settings"]["stake"] == Decimal("1250.5")


def test_what_the_server_refuses_is_said_in_the_form(form: Form) -> None:
    assert "100" in error(form.send(params={"fast": "500"}))
    assert form.bots() == []


def test_each_setting_has_a_field_and_a_usual_value() -> None:
    names = {*TEXTS, *(each.name for each in NUMBERS)}
    assert names == {*MEMBERS} - {"params"}
    assert names - USUAL.keys() == {"symbol", "strategy"}
    assert [shown(USUAL[name]) for name in ("stake", "stop_loss", "max_drawdown")] == [
        "10",
        "2",
        "",
    ]


def test_a_strategy_that_can_not_be_used_says_why_and_can_not_be_chosen() -> None:
    (option,) = strategy_options([BROKEN])
    assert option == {"value": "own_x", "label": "Mine (can't be loaded)", "disabled": True}
    _, why = strategy_words([BROKEN], "")
    assert why.children[0].children == "Mine can't be used: line 2"


def test_the_fields_of_a_strategy_have_its_numbers_and_their_ranges() -> None:
    fast = {
        "name": "fast",
        "label": "Fast EMA",
        "words": "Candles of the fast one",
        "default": 12,
        "least": 2,
        "most": 100,
    }
    strategy = {**BROKEN, "parameters": [fast]}
    for params, value in (({}, "12"), ({"fast": 0.5}, "0.5")):
        (field,) = strategy_fields([strategy], "own_x", params)
        label, control, hint = field.children
        assert (label.children, control.value) == ("Fast EMA", value)
        assert hint.children == "Candles of the fast one, 2 to 100"


def test_a_name_is_proposed_that_no_bot_has() -> None:
    assert proposed_name("EMA crossover", BTC, []) == "EMA crossover BTC"
    taken = ["EMA crossover BTC", "EMA crossover BTC 2"]
    assert proposed_name("EMA crossover", BTC, taken) == "EMA crossover BTC 3"
    assert len(proposed_name("x" * 50, BTC, ["x" * 36])) <= 40


def test_settings_lose_no_digit_on_the_way_to_the_page() -> None:
    exact = Decimal("0.12345678901234567890")
    given = {"stake": exact, "stop_loss": None, "name": "T", "params": {"fast": 5}}
    assert as_texts(given) == {**given, "stake": str(exact), "params": {"fast": "5"}}


class TestRows:
    """The rows of the bots, and what is asked before one is stopped."""

    def test_a_stopped_bot_can_be_started_and_a_running_one_stopped(self, form: Form) -> None:
        form.send()
        form.send("bot-start.n_clicks", bot_name="Second")
        ids = [
            each.id
            for each in everything(bot_rows(form.services.bots.listed()))
            if isinstance(getattr(each, "id", None), dict)
        ]
        first, second = (each["id"] for each in form.bots())
        assert {"type": "bot-stop", "bot": second} in ids
        assert {"type": "bot-stop", "bot": first} not in ids
        assert len({str(each) for each in ids}) == len(ids)

    def test_where_nothing_can_be_changed_a_backtest_is_still_offered(self, form: Form) -> None:
        form.send()
        listed = {**form.services.bots.listed(), "can_change": False}
        buttons = [each for each in everything(bot_rows(listed)) if type(each).__name__ == "Button"]
        assert [each.id["type"] for each in buttons if not each.disabled] == ["bot-backtest"]

    def test_what_keeps_them_from_being_known_is_said(self, form: Form) -> None:
        found = bot_rows({**form.services.bots.listed(), "fault": "bots.json is damaged."})
        assert found.children == "bots.json is damaged."

    def test_a_question_names_what_is_held(self, form: Form) -> None:
        form.send()
        (idle,) = form.bots()
        held = {**idle, "position": {}, "status": "running"}
        held["display"] = {**idle["display"], "position": "Long 0.1"}
        line = ("Long 0.1 BTC/USDT (Crosser)",)
        assert stop_question(held).held == line
        assert delete_question(held).close == "Close its position and delete"
        assert delete_question(idle)[2:] == ((), "", "Delete")
        every = stop_all_question([idle, held])
        assert every.text.startswith("1 of 2 bots run or are paused.")
        assert (every.held, every.keep) == (line, "Stop all")
        assert stop_all_question([idle])[3:] == ("", "Stop all")


def test_an_account_that_can_not_be_read_changes_nothing(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise StoreError("The file can't be written.")

    monkeypatch.setattr(form.services.bots, "create", refuse)
    assert error(form.send()) == "The file can't be written."
