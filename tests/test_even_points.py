"""Points evenly apart: each sample stays what it was, at a place near its time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.moments import from_iso, from_milliseconds, iso, milliseconds
from balance.performance.curve import RANGES
from balance.performance.even_points import LEAST_PLACES, even_points
from tests.samples import at, write_a_year
from tests.test_equity_api import Asked

_MOMENTS = st.lists(
    st.integers(min_value=0, max_value=400 * 86_400_000), min_size=1, max_size=900
).map(sorted)


def rows(*seconds: float) -> list[list[Any]]:
    """Points of 100, 101 and so on, so many ``seconds`` after a Monday."""
    return [[iso(at(seconds=each)), 100 + number] for number, each in enumerate(seconds)]


@given(_MOMENTS)
def test_every_point_has_a_place_of_its_own_in_their_order(moments: list[int]) -> None:
    given_rows = [[iso(from_milliseconds(each)), each] for each in moments]
    points = even_points(given_rows, ("values",))
    assert points["values"] == points["times"] == moments
    places = points["places"]
    assert places == sorted(set(places))
    assert points["start"] <= moments[0] < points["start"] + points["step"]
    # none is drawn after the last one's time, but where there are more points than milliseconds
    assert places[-1] == max((moments[-1] - points["start"]) // points["step"], len(moments) - 1)


@given(st.lists(st.integers(0, 800), unique=True, min_size=1, max_size=300).map(sorted))
def test_a_point_that_has_a_place_for_itself_stands_at_its_time(numbers: list[int]) -> None:
    # further apart than the longest step that a span of 4,000 s has
    points = even_points(rows(*(5 * each for each in numbers)), ("values",))
    for time, place in zip(points["times"], points["places"], strict=True):
        assert 0 <= time - (points["start"] + place * points["step"]) < points["step"]


@pytest.mark.parametrize(
    ("seconds", "step"), [(0, 1), (0.5, 1), (10, 10), (3_600, 2_000), (86_400, 60_000)]
)
def test_places_are_at_round_times(seconds: float, step: int) -> None:
    points = even_points(rows(0.25, 0.25 + seconds), ("values",))
    assert (points["step"], points["start"] % points["step"]) == (step, 0)
    assert points["places"][-1] <= 3 * LEAST_PLACES


def test_points_of_one_moment_stand_side_by_side() -> None:
    points = even_points(rows(0, 43_200, 43_200, 43_200, 86_400, 86_400), ("values",))
    assert points["values"] == [100, 101, 102, 103, 104, 105]
    assert points["places"] == [0, 720, 721, 722, 1439, 1440]


def test_a_gap_stays_one() -> None:
    first, last = rows(0, 60)
    points = even_points([first, None, last], ("values",))
    assert points["values"] == [100, None, 101]
    assert [each is None for each in points["places"]] == [False, True, False]
    assert points["times"][1] is None


def test_nothing_has_no_place() -> None:
    points = even_points([], ("values", "drawdown"))
    assert (points["values"], points["drawdown"], points["places"]) == ([], [], [])


def test_the_curve_has_every_value_that_was_sampled_for_it(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    write_a_year(tmp_path, "memory", asked.now)
    for name in RANGES:
        row = asked.equity.curve(name)
        points = even_points(row["points"], ("values", "pnl", "drawdown"))
        found = zip(*(points[each] for each in ("times", "values", "pnl", "drawdown")), strict=True)
        assert [list(each) for each in found] == [
            [milliseconds(from_iso(time)), *values] for time, *values in row["points"]
        ]
        values = [Decimal(repr(each)) for each in points["values"]]
        assert min(values) == round(row["figures"]["equity_low"], 4)
        assert max(values) == round(row["figures"]["equity_high"], 4)
        span = timedelta(milliseconds=points["step"] * points["places"][-1])
        assert abs(span - (from_iso(row["to"]) - from_iso(row["points"][0][0]))) <= timedelta(
            milliseconds=2 * points["step"]
        )
