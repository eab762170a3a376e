"""Numbers of a request may be in quotes, wherever it has numbers, and mean exactly the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from balance.api.operations import operations_of
from balance.api.problems import Problem
from balance.api.requests import Body
from balance.api.trade import TradeRoutes
from balance.core.errors import InvalidRequest
from balance.core.ticket import Ticket
from tests.bots_by_hand import ByHand
from tests.interface import Interface

TREND = {"name": "Trend", "symbol": "BTC/USDT", "timeframe": "1m", "strategy": "ema_crossover"}


def read(body: Body, text: str) -> dict[str, Any]:
    """What ``body`` reads in a request of ``text``."""
    app = Flask(__name__)
    with app.test_request_context(data=text, content_type="application/json") as context:
        return body.read(context.request)


def order(number: str) -> str:
    return f'{{"symbol": "BTC/USDT", "side": "buy", "quantity": {number}, "leverage": {number}}}'


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_number_in_quotes_is_the_number(number: object) -> None:
    assert read(Body(Ticket), order(f'"{number}"')) == read(Body(Ticket), order(f"{number}"))


@pytest.mark.parametrize("text", [" 5 ", "+5", "5.", ".5", "1e3", "0.10", "1E-7", "00012.30"])
def test_what_can_mean_only_one_number_is_taken(text: str) -> None:
    assert read(Body(Ticket), order(json.dumps(text)))["quantity"] == Decimal(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "1,000", "1.000,5", "1_000", "0x10", "1e", "e3", "--5", "5 6", "12 USDT"),
        *("NaN", "Infinity", "-inf", "null", "true", "{{strategy.order.contracts}}", "1e999"),
        *("\uff11\uff12", "\u0661", "½", "1" * 201, "10%", "$5", "\ud800"),
    ],
)
def test_what_may_be_misread_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="quantity must be a number such as 250"):
        read(Body(Ticket), order(json.dumps(text)))


def test_texts_stay_texts() -> None:
    assert read(Body(Ticket), '{"client_id": "123", "symbol": "5"}') == {
        "client_id": "123",
        "symbol": "5",
    }


def test_numbers_inside_of_lists_and_objects_are_read() -> None:
    (oco,) = (each for each in operations_of(TradeRoutes) if each.rule == "/orders/oco")
    (body,) = (p.source for p in oco.parameters if isinstance(p.source, Body))
    order = {"symbol": "BTC/USDT", "side": "sell", "quantity": "0.02", "price": "42000"}
    found = read(body, json.dumps({"orders": [order, order]}))["orders"]
    assert [each["quantity"] for each in found] == [Decimal("0.02"), Decimal("0.02")]


def test_a_number_beyond_json_is_refused_in_either_form() -> None:
    with pytest.raises(Problem, match="too large for JSON"):
        read(Body(Ticket), order("1e999"))
    with pytest.raises(InvalidRequest, match="must be a number"):
        read(Body(Ticket), order('"1e999"'))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/virtual_balance", {"deposit": "250.10"}),
        ("POST", "/orders", {"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01"}),
        ("PUT", "/leverage/BTC-USDT", {"leverage": "5"}),
        ("POST", "/bots", {**TREND, "stake": "10", "params": {"fast": "3", "slow": "8"}}),
        ("POST", "/alerts", {"what": "equity", "direction": "below", "threshold": "9000"}),
        ("PUT", "/settings", {"decimals": "4"}),
    ],
)
def test_every_resource_takes_them(
    tmp_path: Path, method: str, path: str, body: Mapping[str, Any]
) -> None:
    Interface(ByHand(tmp_path / "account")).told(method, path, body)
