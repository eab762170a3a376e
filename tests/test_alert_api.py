"""Alerts over HTTP: what each route does, and what it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest

from balance.alerts.readings import What
from balance.alerts.rules import MEMBERS, Status
from balance.alerts.state import MOST_FIRINGS
from balance.api.guards import Guards
from balance.api.routes import description
from tests.bots_by_hand import ByHand
from tests.interface import Interface
from tests.markets import BTC

ABOVE = {"what": "price", "symbol": "btcusdt", "direction": "above", "threshold": 45_000.5}
PNL = {"what": "pnl", "direction": "below", "threshold": -100}
CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/alerts", ABOVE),
    ("PUT", "/alerts/alert-1", {"note": "x"}),
    ("POST", "/alerts/alert-1/test", None),
    ("DELETE", "/alerts/alert-1", None),
]


def test_alerts_are_made_listed_changed_tried_and_deleted(api: Interface) -> None:
    made = api.told("POST", "/alerts", {**ABOVE, "url": "http://127.0.0.1:1/hook"})
    assert made["message"].startswith("Made the alert: BTC/USDT rises to 45,000.50.")
    alert = made["alert"]
    assert (alert["id"], alert["symbol"], alert["status"]) == ("alert-1", BTC, "waiting")
    assert alert["threshold"] == Decimal("45000.5")
    listed = api.told("GET", "/alerts")
    assert (listed["alerts"], listed["firings"], listed["last"]) == ([alert], [], 0)
    assert (listed["can_change"], listed["words"]) == (True, "")
    changed = api.told("PUT", "/alerts/alert-1", {"threshold": 46_000, "once": False})
    assert changed["alert"]["threshold"] == 46_000
    assert "posted to http" in api.told("POST", "/alerts/alert-1/test")["message"]
    assert api.told("GET", "/alerts")["firings"][0]["test"]
    assert api.told("GET", "/alerts?limit=0")["firings"] == []
    deleted = api.told("DELETE", "/alerts/alert-1")
    assert deleted["message"].startswith("Deleted the alert")
    assert api.told("GET", "/alerts")["alerts"] == []
    api.alerts.rest()


def test_a_firing_is_told_with_its_figures(api: Interface, by_hand: ByHand) -> None:
    api.told("POST", "/alerts", ABOVE)
    by_hand.price(45_010)
    api.alerts.look(by_hand.market)
    told = api.told("GET", "/alerts")
    (firing,) = told["firings"]
    assert (firing["id"], firing["value"], firing["delivery"]) == (1, 45_010, None)
    assert (told["last"], told["alerts"][0]["status"]) == (1, "fired")


def test_every_kind_of_alert_and_status_is_as_described(api: Interface, by_hand: ByHand) -> None:
    figures = api.told("GET", "/alerts")["figures"]
    assert [each["name"] for each in figures] == list(get_args(What))
    for each in figures:
        symbol = {"symbol": BTC} if each["has_symbol"] else {}
        api.told("POST", "/alerts", {**PNL, **symbol, "what": each["name"], "threshold": 5})
    api.told("POST", "/alerts", {**PNL, "threshold": 5, "active": False})
    api.told("POST", "/alerts", ABOVE)
    by_hand.price(46_000)
    api.alerts.look(by_hand.market)
    found = {each["status"] for each in api.told("GET", "/alerts")["alerts"]}
    assert found == set(get_args(Status))


def test_each_figure_names_the_field_of_the_snapshot_that_has_it(api: Interface) -> None:
    order = {"symbol": BTC, "side": "buy", "type": "market", "quantity": 0.1, "leverage": 5}
    account = api.told("POST", "/orders", order)
    rows = [account["market"]["prices"][BTC], account["positions"][0]]
    for figure in api.told("GET", "/alerts")["figures"]:
        (row,) = [
            each for each in (rows if figure["has_symbol"] else [account]) if figure["now"] in each
        ]
        assert figure["now"] in row["display"]


def test_the_description_names_the_members_and_limits_that_there_are() -> None:
    paths = description()["paths"]
    for path, method in (("/alerts", "post"), ("/alerts/{alert_id}", "put")):
        content = paths[path][method]["requestBody"]["content"]["application/json"]["schema"]
        assert set(content["properties"]) == {*MEMBERS, "active"}
    (limit,) = (each["schema"] for each in paths["/alerts"]["get"]["parameters"])
    assert limit == {"type": "integer", "minimum": 0, "maximum": MOST_FIRINGS, "default": 50}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**ABOVE, "threshold": "high"}, "threshold must be a number such as 250 or 12.30"),
        ({**ABOVE, "threshold": -5}, "The threshold of a price must be above zero, not -5.00"),
        ({**ABOVE, "symbol": "DOGE/USDT"}, "There is no symbol 'DOGE/USDT' here. There are: BTC"),
        ({**ABOVE, "url": "ftp://x"}, "url must be an address that begins with http:// or"),
        ({**ABOVE, "sound": True}, "The body may have what, symbol,"),
        ({**ABOVE, "active": 1}, "active must be true or false"),
        ({"symbol": BTC}, "An alert needs a what"),
        ([], "The body must be an object"),
    ],
)
def test_what_makes_no_sense_is_refused(api: Interface, body: Any, words: str) -> None:
    assert api.refused(422, "POST", "/alerts", body).startswith(words)


def test_what_is_not_there_is_not_found(api: Interface) -> None:
    for method, path, body in CHANGES[1:]:
        assert "There is no alert 'alert-1'" in api.refused(404, method, path, body)


def test_limits_and_bodies_are_checked(api: Interface) -> None:
    assert "limit must be from 0 to 200" in api.refused(422, "GET", "/alerts?limit=201")
    assert "whole number" in api.refused(422, "GET", "/alerts?limit=-1")
    api.told("POST", "/alerts", ABOVE)
    api.refused(422, "POST", "/alerts/alert-1/test", {"now": True})
    api.refused(415, "POST", "/alerts", data=b"{}", content_type="text/plain")
    api.refused(400, "POST", "/alerts", data=b"{", content_type="application/json")


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_a_repeated_key_changes_nothing_again(
    api: Interface, method: str, path: str, body: Any
) -> None:
    api.told("POST", "/alerts", ABOVE)
    how = {"headers": {"Idempotency-Key": "a"}}
    first = api.ask(method, path, body, **how)
    again = api.ask(method, path, body, **how)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json()["message"] == first.get_json()["message"]
    # an order of another thing with the same key
    refused = api.refused(422, "PUT", "/alerts/alert-1", {"note": "another"}, **how)
    assert "was used before" in refused


def test_other_sites_and_those_without_the_token_may_change_nothing(by_hand: ByHand) -> None:
    api = Interface(by_hand, Guards(token="a token of mine"))
    for method, path, body in CHANGES:
        api.refused(401, method, path, body)
    api = Interface(by_hand)
    for method, path, body in CHANGES:
        api.refused(403, method, path, body, headers={"Origin": "https://evil.example"})
    assert api.told("GET", "/alerts")["alerts"] == []
