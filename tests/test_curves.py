"""Curves in Python: what the page draws them by, and the points that callbacks return."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from dash import html
from flask.testing import FlaskClient

from app import create_app
from balance.api.stream import Stream
from balance.core.errors import InvalidRequest
from balance.core.moments import iso
from balance.desk.desk import Desk
from balance.performance.performance import Equity
from balance.store.memory_store import MemoryStore
from layouts.curve import Line, curve, due_of, plot_of, points_of, row_spark, spark
from layouts.equity import DAY, DRAWN_AT, equity_panel, equity_range
from layouts.live import everything
from layouts.reading import FOLLOWS, PACE
from tests.pages import UPDATE, asked
from tests.samples import at


def part(layout: Any, id: Any) -> Any:
    """The component with ``id``."""
    (found,) = (each for each in everything(layout) if getattr(each, "id", None) == id)
    return found


def text_of(component: Any) -> str:
    """All text in ``component``."""
    parts = [component.children] if isinstance(component.children, str) else component.children
    return "".join(each if isinstance(each, str) else text_of(each) for each in parts or ())


def client() -> FlaskClient:
    """A client of a new account."""
    return create_app(Desk(MemoryStore()), Stream(1)).server.test_client()


def response_to(stored: str) -> Any:
    """What a page is answered whose curve's store ``stored`` says that points are due."""
    page = client()
    response = page.post(UPDATE, json=asked(page.get, stored)).get_json()
    return response["response"]


def test_a_curve_says_what_it_draws_and_is_read_by_a_slider_and_as_a_table() -> None:
    lines = (Line("values", "Mine", color="loss"), Line("hold", "Held", "percent", "none"))
    made = curve("mine-curve", "What I made", lines, refresh=5)
    plot = part(made, plot_of("mine-curve"))
    declared = json.loads(getattr(plot, "data-curve"))
    assert [each["name"] for each in declared["lines"]] == ["values", "hold"]
    assert declared["small"] is False
    assert (getattr(plot, FOLLOWS), getattr(plot, PACE)) == (due_of("mine-curve"), 5_000)
    (slider,) = (each for each in everything(made) if getattr(each, "role", "") == "slider")
    assert getattr(slider, "aria-label") == "What I made, by arrow keys"
    fields = [getattr(each, "data-field", None) for each in everything(made)]
    assert [each for each in fields if each] == ["time", "values", "hold"]
    assert part(made, due_of("mine-curve")) is not None


def test_a_curve_may_begin_with_its_points_and_need_no_callback() -> None:
    points = {"start": 0, "step": 1_000, "values": [0, 1], "label": "Up by 1", "tone": "gain"}
    small = spark("mine-spark", points)
    assert part(small, points_of("mine-spark")).data == points
    assert getattr(part(small, plot_of("mine-spark")), "aria-label") == "Up by 1"
    assert due_of("mine-spark") not in str(small)


def test_a_small_curve_of_a_row_follows_it_without_a_callback() -> None:
    made = row_spark("bots", "trend-1", "No trades yet")
    assert getattr(made, "data-of") == "bots/trend-1"
    assert getattr(made, "aria-label") == "No trades yet"
    assert [type(each).__name__ for each in everything(made)] == ["Div"]


def test_a_line_that_follows_a_figure_which_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'wealth'"):
        Line("values", "Mine", live="wealth")


def test_a_page_draws_any_curve_by_one_callback() -> None:
    drawing = [
        each
        for each in client().get("/_dash-dependencies").get_json()
        if "curve-points" in each["inputs"][0]["id"]
    ]
    assert [each["clientside_function"]["function_name"] for each in drawing] == ["drawCurve"]
    assert '["MATCH"]' in drawing[0]["output"]


def test_a_range_comes_with_what_is_said_of_it() -> None:
    drawn = client().get(f"{DRAWN_AT}/all").get_json()
    points = drawn["points"]
    assert (points["equity"], points["pnl"], points["drawdown"]) == ([10_000], [0], [0])
    assert (points["marks"], points["places"]) == ([], [points["times"][0] - points["start"]])
    figures = [getattr(each, "data-live", None) for each in everything(equity_panel())]
    assert set(filter(None, figures)) <= set(drawn["display"])
    assert len(list(filter(None, figures))) == 5
    assert (drawn["words"], drawn["ranges"]) == ("", ["day", "all"])


def test_the_small_curve_says_in_words_what_is_seen() -> None:
    (points,) = (each["data"] for each in response_to(due_of(DAY)).values())
    assert points["values"] == [10_000]
    assert points["tone"] == "flat"
    assert points["label"] == (
        "Equity of the last day: P&L $0.00, between $10,000.00 and $10,000.00"
    )


def test_where_the_account_can_not_be_read_the_panel_hears_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise InvalidRequest("virtual_balance.json is damaged.")

    monkeypatch.setattr(Equity, "curve", fail)
    answer = client().get(f"{DRAWN_AT}/day")
    assert (answer.status_code, answer.get_json()["detail"]) == (
        422,
        "virtual_balance.json is damaged.",
    )


@pytest.mark.parametrize(
    ("hours", "offered"),
    [
        (None, ["day", "all"]),
        (23, ["day", "all"]),
        (25, ["day", "week", "all"]),
        (24 * 365, ["day", "week", "month", "quarter", "year", "all"]),
    ],
)
def test_a_range_is_offered_where_it_shows_more_than_a_shorter_one(
    hours: int | None, offered: list[str]
) -> None:
    now = at()
    since = None if hours is None else iso(now - timedelta(hours=hours))
    row = {
        "points": [],
        "marks": [],
        "figures": {"display": {}},
        "words": "",
        "to": iso(now),
        "since": since,
    }
    assert equity_range(row)["ranges"] == offered


def test_the_panel_says_what_there_will_be_before_there_are_points() -> None:
    empty = next(
        each
        for each in everything(equity_panel())
        if isinstance(each, html.Div) and getattr(each, "className", "") == "curve-empty"
    )
    assert "The curve begins here" in text_of(empty)
