"""All orders over HTTP: the list, one of them for ever, and files."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance import Desk
from balance.api.history import FILE_COLUMNS
from balance.api.stream import Stream
from balance.core.errors import HistoryUnavailable, UnknownOrder
from balance.history.index import Progress
from balance.store.memory_store import MemoryStore
from tests.answers import exactly, problem
from tests.boards import board
from tests.described import check
from tests.markets import BTC, ETH

WAIT = {"symbol": ETH, "side": "buy", "type": "limit", "quantity": "1", "price": "1900"}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account with an order in each state."""
    desk = Desk(MemoryStore(), board())
    desk.place_order(symbol=BTC, side="buy", quantity="0.01", stop_loss=30_000)
    desk.place_order(**WAIT, client_id="mine")
    desk.amend_order("mine", price="1800")
    desk.cancel_order("mine")
    desk.place_order(**WAIT, time_in_force="IOC")
    desk.place_order(**WAIT, client_id="mine")
    return desk


@pytest.fixture(scope="module")
def client(desk: Desk) -> FlaskClient:
    """Asks the product about it."""
    found: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    return found


def told(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    check(answer, "GET", path)
    assert answer.status_code == 200
    return exactly(answer)


def test_orders_of_a_state_are_listed_newest_first(client: FlaskClient) -> None:
    every = told(client, "/orders?state=all")
    assert [(each["id"], each["state"]) for each in every["orders"]] == [
        ("7000001", "NEW"),
        ("6000001", "EXPIRED"),
        ("3000001", "CANCELED"),
        ("2000002", "NEW"),
        ("2000001", "FILLED"),
    ]
    assert (every["total"], every["revision"]) == (5, 7)
    some = told(client, "/orders?state=CANCELED,EXPIRED&symbol=ETH/USDT&sort=place&limit=1")
    assert [each["id"] for each in some["orders"]] == ["3000001"]
    assert some["total"] == 2
    assert told(client, "/orders?state=FILLED&side=sell")["orders"] == []


def test_without_a_state_the_open_orders_are_listed_as_ever(client: FlaskClient) -> None:
    for path in ("/orders", "/orders?state=open", "/orders?client_id="):
        assert told(client, path)["total"] == 2
    assert told(client, "/orders") == told(client, "/orders?state=open")
    assert [each["id"] for each in told(client, "/orders")["orders"]] == ["2000002", "7000001"]
    assert [each["id"] for each in told(client, "/orders?client_id=mine")["orders"]] == ["7000001"]


def test_what_makes_no_sense_is_refused_in_words(client: FlaskClient) -> None:
    assert (
        "state=all lists every order"
        in problem(client.get("/orders?symbol=BTC/USDT"), 422)["detail"]
    )
    assert (
        "state must be of NEW, FILLED, CANCELED"
        in problem(client.get("/orders?state=OPEN"), 422)["detail"]
    )
    assert (
        "orders has no parameter 'kind'"
        in problem(client.get("/orders?state=all&kind=fee"), 422)["detail"]
    )


def test_an_order_is_found_for_ever_by_either_of_its_names(client: FlaskClient) -> None:
    found = told(client, "/orders/3000001")["order"]
    assert (found["state"], found["why"], found["client_id"]) == ("CANCELED", "", "mine")
    assert (found["price"], found["asked"]["price"]) == (1_800, 1_900)
    assert (found["place"], found["changed_place"], found["ended_place"]) == ("3", "4", "5")
    assert told(client, "/orders/mine")["order"]["id"] == "7000001"
    filled = told(client, "/orders/2000001")["order"]
    assert (filled["filled_quantity"], filled["average_price"]) == (filled["quantity"], 40_004)
    assert filled["place"] == filled["ended_place"]
    assert "There was never an order '9999'" in problem(client.get("/orders/9999"), 404)["detail"]


def test_a_file_has_every_order(client: FlaskClient) -> None:
    answer = client.get("/orders?state=all&format=csv&sort=place")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == FILE_COLUMNS["orders"]
    assert [each["state"] for each in rows] == ["FILLED", "NEW", "CANCELED", "EXPIRED", "NEW"]


def test_a_program_reads_them_too(desk: Desk) -> None:
    assert desk.order("mine").id == "7000001"
    found = desk.orders(state="EXPIRED", limit=5)
    assert [each.id for each in found.rows] == ["6000001"]
    assert found.rows[0].why == "it can't fill at once, the ask is 2,000"
    with pytest.raises(UnknownOrder):
        desk.order("nothing")


def test_an_open_order_is_found_while_the_ledger_is_being_indexed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = desk.order("7000001"), desk.order("2000002")
    monkeypatch.setattr(desk.ledger.index, "refresh", lambda: Progress(False, 12))
    assert (desk.order("7000001"), desk.order("2000002")) == whole
    assert desk.order("mine") == whole[0]
    for name in ("3000001", "nothing"):
        with pytest.raises(HistoryUnavailable, match="12 % are done"):
            desk.order(name)
    with pytest.raises(HistoryUnavailable):
        desk.orders()
