"""The alerts as components: their rows, what has fired, and what their form begins with."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from layouts.alerts import FIELDS, alert_rows, field_values, firing_rows, reading_hint
from layouts.live import LIVE, OF, everything
from tests.alerts_by_hand import AlertsByHand


def texts(component: Any) -> str:
    """All text in ``component``, as it is read."""
    if isinstance(component, list | tuple):
        return "".join(map(texts, component))
    return (
        texts(getattr(component, "children", None))
        if hasattr(component, "children")
        else (component or "")
    )


def labels(component: Any) -> list[str]:
    """What its buttons are called, those that can be pressed."""
    found = [each for each in everything(component) if type(each).__name__ == "Button"]
    return [getattr(each, "aria-label") for each in found if not each.disabled]


@pytest.fixture
def by_hand(folder: Path) -> AlertsByHand:
    return AlertsByHand(folder)


def test_a_row_says_what_it_waits_for_and_how_far_that_is(by_hand: AlertsByHand) -> None:
    by_hand.create(note="Stop.", url="https://me:secret@example.org:81/hook?key=1", once=False)
    rows = alert_rows(by_hand.alerts.listed())
    for text in (
        "BTC/USDT rises to 45,000.00",
        "every time · posted to example.org:81 · Stop.",
        "Waiting 40,000.00, +12.50% away",
    ):
        assert text in texts(rows)
    live = [each for each in everything(rows) if getattr(each, OF, "")]
    assert [(getattr(each, OF), getattr(each, LIVE)) for each in live] == [
        *(("alerts/alert-1", "value"), ("alerts/alert-1", "distance"))
    ]
    assert [each.split(":")[0] for each in labels(rows)] == ["Switch off", "Edit", "Test", "Delete"]


def test_one_that_has_fired_can_be_armed_again(by_hand: AlertsByHand) -> None:
    by_hand.create()
    by_hand.price(45_000)
    rows = alert_rows(by_hand.alerts.listed())
    assert labels(rows)[0] == "Arm again: BTC/USDT rises to 45,000.00"
    (fired,) = by_hand.alerts.listed()["firings"]
    assert fired["words"] in texts(firing_rows([fired]))


def test_where_they_can_not_be_changed_no_button_can_be_pressed(by_hand: AlertsByHand) -> None:
    by_hand.create()
    listed = {**by_hand.alerts.listed(), "can_change": False}
    assert labels(alert_rows(listed)) == []
    # which there are is not known
    assert alert_rows({**listed, "fault": "The file is damaged."}) == []


def test_rows_are_drawn_anew_where_more_than_figures_differs(by_hand: AlertsByHand) -> None:
    by_hand.create()
    drawn = by_hand.alerts.listed()["drawn"]
    by_hand.price(41_000)
    assert by_hand.alerts.listed()["drawn"] == drawn
    by_hand.price(45_000)
    fired = by_hand.alerts.listed()["drawn"]
    assert fired != drawn
    by_hand.alerts.edit("alert-1", {"note": "Mine."})
    assert by_hand.alerts.listed()["drawn"] not in (drawn, fired)


def test_an_address_that_is_none_to_a_browser_hides_nothing(by_hand: AlertsByHand) -> None:
    by_hand.create()
    listed = by_hand.alerts.listed()
    listed["alerts"][0]["url"] = "http://192.168.1.300:9000/a"
    assert "posted to 192.168.1.300:9000" in texts(alert_rows(listed))


@pytest.mark.parametrize(
    ("threshold", "typed"),
    [("40000.00", "40000"), ("5E-7", "0.0000005"), ("12.50", "12.5"), ("1E+3", "1000")],
)
def test_a_threshold_is_written_as_a_person_writes_it(threshold: str, typed: str) -> None:
    values = field_values("price", "BTC/USDT", threshold=Decimal(threshold))
    assert dict(zip(FIELDS, values, strict=True))["threshold"] == typed


def test_a_new_alert_shows_a_toast_and_notifies_once() -> None:
    assert field_values("price", "BTC/USDT") == (
        *("price", "BTC/USDT", "above", ""),
        *(False, True, True, "", ""),
    )


@pytest.mark.parametrize(
    ("what", "text", "hint"),
    [
        ("price", "40,000.00", "Now 40,000.00."),
        ("pnl", "$0.00", "Now $0.00."),
        ("unrealized_pnl", "+$1.20", "Now +$1.20."),
        ("unrealized_pnl", "", "No open position now."),
        ("price", "", "Not known now."),
    ],
)
def test_the_form_says_what_the_figure_is_now(what: str, text: str, hint: str) -> None:
    parts = reading_hint(what, "BTC/USDT", text)
    assert texts(parts) == hint
    assert any(hasattr(each, LIVE) for each in parts) == bool(text)
