"""The settings over HTTP and in the stream, each answer as described."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.api.stream import Stream
from balance.core.settings import RULES, Settings, members
from balance.desk.desk import Desk
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.market.board import LiveBoard
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from tests.answers import exactly, problem
from tests.boards import board as a_board
from tests.described import check
from tests.markets import BTC


class Served:
    """An account in memory that trades on the settings of a folder."""

    def __init__(self, folder: Path) -> None:
        self.settings = SettingsFile(folder)
        board = LiveBoard(self.settings.ruled)
        board.market = a_board().market
        desk = Desk(MemoryStore(), board, self.settings.starting_balance)
        self.stream = Stream(2, heartbeat=0.01)
        services = services_alone(desk, self.stream, self.settings)
        self.client: FlaskClient = create_app(
            desk, self.stream, services=services
        ).server.test_client()

    def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        if body is not None:
            how["json"] = body
        answer = self.client.open(path, method=method, **how)
        check(answer, method, path)
        return answer

    def told(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        return exactly(answer)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_all_settings_are_told_with_what_each_may_be(served: Served) -> None:
    told = served.told("GET", "/settings")
    assert {name: told[name] for name in RULES} == members(Settings())
    assert set(told["limits"]) == set(told["display"]) == set(RULES)
    assert (told["version"], told["words"]) == (0, "")
    fee = told["limits"]["taker_fee_percent"]
    assert (fee["least"], fee["most"], fee["default_words"], fee["unit"]) == (0, 1, "0.05", "%")


def test_some_are_changed_and_all_are_answered(served: Served) -> None:
    told = served.told("PUT", "/settings", {"taker_fee_percent": 0.06, "theme": "dark"})
    assert told["message"] == "Settings saved: taker fee 0.06%, theme dark."
    assert (float(told["taker_fee_percent"]), told["theme"], told["version"]) == (0.06, "dark", 1)
    again = served.told("GET", "/settings")
    assert again == {name: each for name, each in told.items() if name != "message"}
    assert served.told("PUT", "/settings", {})["message"] == "No setting was changed."


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"taker_fee_percent": 1.5}, 422, "must be a number from 0 to 1 %, not 1.50"),
        (
            {"taker_fee_percent": "0.1 %"},
            422,
            'must be a number such as 250 or 12.30, not "0.1 %"',
        ),
        ({"taker_fee_percent": None}, 422, "must be a number"),
        ({"decimals": 4.5}, 422, "a whole number from 2 to 8"),
        ({"theme": "blue"}, 422, "one of system, light, dark"),
        ({"sound": "on"}, 422, "true or false"),
        ({"fee": 1}, 422, "but not 'fee'"),
        ([], 422, "must be an object"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    served: Served, body: Any, status: int, words: str
) -> None:
    detail = problem(served.ask("PUT", "/settings", body), status)["detail"]
    assert words in detail
    assert served.told("GET", "/settings")["version"] == 0


def test_no_page_of_another_site_changes_a_setting(served: Served) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    problem(served.ask("PUT", "/settings", {"decimals": 4}, headers=headers), 403)
    assert served.settings.settings == Settings()


def test_the_next_order_is_on_the_new_terms_and_so_is_its_preview(served: Served) -> None:
    order = {"symbol": BTC, "side": "buy", "quantity": 0.01}
    assert served.told("POST", "/orders/preview", order)["display"]["fee"] == "$0.20"
    served.told(
        "PUT",
        "/settings",
        {"taker_fee_percent": 0.1, "slippage_percent": 0, "default_leverage": 5, "decimals": 4},
    )
    preview = served.told("POST", "/orders/preview", order)
    assert (preview["display"]["fee"], preview["leverage"]) == ("$0.4000", 5)
    done = served.told("POST", "/orders", order)
    assert (float(done["order"]["fee"]), float(done["order"]["price"])) == (0.4, 40_000)
    assert done["display"]["fees_paid"] == "$0.4000"


def test_a_reset_begins_with_the_balance_that_is_chosen(served: Served) -> None:
    served.told("PUT", "/settings", {"starting_balance": 2_500.5})
    told = served.told("POST", "/virtual_balance/reset")
    assert (float(told["balance"]), told["display"]["balance"]) == (2_500.5, "$2,500.50")


def test_who_listens_hears_the_settings_and_the_account_in_its_new_texts(served: Served) -> None:
    messages = served.stream.listen()
    served.told("PUT", "/settings", {"decimals": 4})
    heard: dict[str, Any] = {}
    while not {"settings", "snapshot"} <= set(heard):
        lines = next(messages).decode().strip().splitlines()
        fields = dict(line.split(": ", 1) for line in lines)
        if "data" in fields:
            heard[fields.get("event", "snapshot")] = json.loads(fields["data"])
    assert heard["settings"]["decimals"] == 4
    assert heard["snapshot"]["display"]["balance"] == "$10,000.0000"


def test_an_edit_that_makes_no_sense_is_told_to_who_asks(served: Served, tmp_path: Path) -> None:
    served.told("PUT", "/settings", {"decimals": 4})
    (tmp_path / SETTINGS_FILE).write_text('{"decimals": 40}')
    told = served.told("GET", "/settings")
    assert told["decimals"] == 4
    assert told["words"].startswith("settings.json makes no sense: decimals must be")
    assert served.told("PUT", "/settings", {"sound": True})["words"] == ""
