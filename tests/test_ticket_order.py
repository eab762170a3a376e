"""The order that the fields of the ticket describe, and what the ticket says of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.core.errors import InvalidAmount
from balance.core.figures import NONE
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from callbacks.ticket_order import MissingNumber, read_order
from layouts.ticket import CHOICES, PREVIEWED_AT, TYPED


def fields(**typed: Any) -> dict[str, Any]:
    """The fields of a ticket at market with what is ``typed``, an underscore for each hyphen."""
    chosen = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "force": "GTC"}
    usual = {"unit": "notional", "leverage": 10, "options": [], "size": "1,000"}
    named = {name.replace("_", "-"): value for name, value in typed.items()}
    return {**dict.fromkeys((*CHOICES, *TYPED), ""), **chosen, **usual, **named}


_SHARED = {"symbol": "BTC/USDT", "side": "buy", "leverage": 10, "notional": Decimal(1000)}


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ({}, {"type": "market"}),
        (
            {"type": "limit", "price": "39,000.10", "force": "IOC"},
            {"type": "limit", "price": Decimal("39000.10"), "time_in_force": "IOC"},
        ),
        (
            {"type": "trailing_stop", "price": "1.5", "options": ["reduce_only"]},
            {"type": "trailing_stop", "callback_percent": Decimal("1.5"), "reduce_only": True},
        ),
        (
            {"options": ["bracket", "named"], "take_profit": "45k", "client_id": " low-1 "},
            {"type": "market", "take_profit": Decimal(45000), "client_id": "low-1"},
        ),
    ],
)
def test_what_is_typed_is_an_order(typed: dict[str, Any], order: dict[str, Any]) -> None:
    assert read_order(fields(**typed)) == {**_SHARED, **order}


@pytest.mark.parametrize(
    ("limit", "stop"),
    [
        ("", {"type": "stop_market", "trigger_price": Decimal(39000)}),
        (
            "38,900",
            {"type": "stop_limit", "trigger_price": Decimal(39000), "price": Decimal(38900)},
        ),
    ],
)
def test_an_oco_is_two_orders_without_a_name(limit: str, stop: dict[str, Any]) -> None:
    typed = {"price": "42,000", "second_price": "39,000", "third_price": limit}
    found = read_order(fields(type="oco", options=["named"], client_id="low-1", **typed))
    first = {"type": "limit", "price": Decimal(42000)}
    assert found == {"orders": [{**_SHARED, **first}, {**_SHARED, **stop}]}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"size": " "}, "Enter a size."),
        ({"type": "limit"}, "Enter a limit price."),
        ({"type": "oco", "price": "1"}, "Enter a stop price, by the mark."),
    ],
)
def test_what_is_missing_is_said(typed: dict[str, Any], message: str) -> None:
    with pytest.raises(MissingNumber) as caught:
        read_order(fields(**typed))
    assert str(caught.value) == message


def test_a_size_is_read_as_its_unit_is() -> None:
    with pytest.raises(InvalidAmount, match="is in dollars"):
        read_order(fields(unit="quantity", size="$5"))


def test_a_preview_says_what_is_wrong_but_not_what_is_only_missing() -> None:
    client = create_app(Desk(MemoryStore()), Stream(1)).server.test_client()
    missing = client.post(PREVIEWED_AT, json=fields(size="")).get_json()
    assert (missing["note"], missing["display"]["cost"], missing["affordable"]) == ("", NONE, True)
    wrong = client.post(PREVIEWED_AT, json=fields(size="much")).get_json()
    assert (wrong["note"][:17], wrong["kind"]) == ("much is no number", "error")


@pytest.mark.parametrize("body", [[], 5, {}, fields(type="x"), fields(options=None, type=[])])
def test_what_no_ticket_sends_is_refused(body: object) -> None:
    client = create_app(Desk(MemoryStore()), Stream(1)).server.test_client()
    assert client.post(PREVIEWED_AT, json=body).status_code == 400
