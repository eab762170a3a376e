"""An entry and an order as a page is answered that opens them over History's lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from tests.boards import board
from tests.markets import BTC
from tests.pages import UPDATE, asked

LONG = {"symbol": BTC, "side": "buy", "quantity": "0.01"}
ADDRESS = "http://127.0.0.1/history?table=fills&side=buy&entry=1"


@pytest.fixture
def desk() -> Desk:
    """An account on a market."""
    return Desk(MemoryStore(), board())


def strings(part: Any) -> Iterator[str]:
    """The texts of what a page is answered, in their order."""
    if isinstance(part, list):
        for each in part:
            yield from strings(each)
    elif isinstance(part, dict):
        yield from strings(part["props"].get("children"))
    elif part is not None:
        yield str(part)


def links(part: Any) -> dict[str, str]:
    """The addresses of the links in it, by their texts."""
    if isinstance(part, list):
        return {text: href for each in part for text, href in links(each).items()}
    if not isinstance(part, dict):
        return {}
    props = part["props"]
    if part["type"] == "A":
        return {props["children"]: props["href"]}
    return links(props.get("children"))


def opened(desk: Desk, kind: str, id: str, address: str = ADDRESS) -> dict[str, Any]:
    """What a page at ``address`` is answered that has opened the ``kind`` with the ``id``."""
    client: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    values = {f"{kind.replace('-', '_')}_read": {"shown": id}, "address": address}
    body = asked(client.get, f"{kind}-read", **values)
    found: dict[str, Any] = client.post(UPDATE, json=body).get_json()["response"]
    return found


def body_of(desk: Desk, kind: str, id: str) -> Any:
    """What is in the dialog of the ``kind`` with the ``id``."""
    return opened(desk, kind, id)[f"{kind}-body"]["content"]


def text_of(desk: Desk, kind: str, id: str) -> str:
    """The text in the dialog of the ``kind`` with the ``id``."""
    return " | ".join(strings(body_of(desk, kind, id)))


def test_an_entry_says_what_moved_what_it_did_and_what_stands_beside_it(desk: Desk) -> None:
    desk.place_order(**LONG, stop_loss="30000")
    desk.deposit(5, note="pocket money")
    fill = opened(desk, "entry", "2")
    assert fill["entry-title"]["children"] == "Fill, entry 2"
    text = " | ".join(strings(fill["entry-body"]["content"]))
    assert "The fill | Side | Buy" in text
    assert "The position after it | Side | Long" in text
    assert "Orders that it placed | 2000002 | : Sell All BTC/USDT, stop-loss at 30,000.00" in text
    assert fill["entry-drawn"]["data"]["before"] == "1"
    assert fill["entry-link"]["children"] == "http://127.0.0.1/history?entry=2"
    newest = opened(desk, "entry", "3")
    text = " | ".join(strings(newest["entry-body"]["content"]))
    assert "pocket money | What it moved | +$5.00 | Wallet balance after it" in text
    found = newest["entry-drawn"]["data"]
    assert (found["after"], found["offset"], newest["entry-after"]["disabled"]) == (None, 0, True)
    assert not newest["entry-before"]["disabled"]


def test_what_an_entry_is_about_opens_over_the_list_that_is_shown(desk: Desk) -> None:
    outcome = desk.place_order(**LONG)
    (fill,) = (each for each in outcome.entries if each.booking.fill is not None)
    assert fill.booking.fill is not None
    order = fill.booking.fill.order_id
    found = links(body_of(desk, "entry", "2"))
    assert found[order] == f"/history?table=fills&side=buy&order={order}"
    assert found["1"] == "/history?epoch=1"
    assert found["2"] == "/history?after=1&until=2"
    found = links(body_of(desk, "order-record", order))
    assert found["entry 2"] == "/history?table=fills&side=buy&entry=2"


def test_an_entry_that_there_is_none_of_is_said_in_its_place(desk: Desk) -> None:
    assert text_of(desk, "entry", "77").startswith("There is no entry 77.")
    assert "not 'x'" in text_of(desk, "entry", "x")
    found = opened(desk, "entry", "77")
    assert found["entry-drawn"]["data"] is None
    assert found["entry-show"]["disabled"]


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"type": "stop_limit", "trigger_price": 400_000, "price": 410_000},
            "stop-limit at 410,000.00, triggered at 400,000.00",
        ),
        (
            {"type": "trailing_stop", "callback_percent": 2, "activation_price": 1_000},
            "trailing stop 2 %, from 1,000.00 on",
        ),
    ],
    ids=["stop_limit", "trailing_stop"],
)
def test_an_entry_names_all_prices_of_its_order(
    desk: Desk, members: dict[str, Any], text: str
) -> None:
    desk.place_order(**LONG, **members)
    assert text in text_of(desk, "entry", "2")


def test_an_order_says_its_terms_what_changed_them_and_how_it_ended(desk: Desk) -> None:
    terms = {"symbol": BTC, "side": "buy", "type": "limit", "quantity": "1", "price": "1900"}
    desk.place_order(**terms, client_id="mine")
    desk.amend_order("mine", price="1800")
    text = text_of(desk, "order-record", "mine")
    assert "State | New" in text
    assert "Limit price | 1,800.00" in text
    assert "As it was placed | Limit price | 1,900.00" in text
    assert "Its fill" not in text
    desk.cancel_order("mine")
    text = text_of(desk, "order-record", "mine")
    assert "State | Cancelled" in text
    assert "Ended" in text
    assert "Client id | mine" in text
    outcome = desk.place_order(**LONG)
    fill = next(each.booking.fill for each in outcome.entries if each.booking.fill is not None)
    assert "Its fill | Filled | 0.01" in text_of(desk, "order-record", fill.order_id)
    assert text_of(desk, "order-record", "nobody") == "There was never an order 'nobody'."
