"""What thinning keeps: the lows, the highs, the last, and every fall as deep as it was."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.performance.drawdown import Drawdown, deepest, depths, drawdowns, longest
from balance.performance.sample import Point
from balance.performance.thinning import drawn, thin


def point(time: int, equity: float, growth: float | None = None, **more: int) -> Point:
    """One at ``time`` in seconds, with a P&L of what is beyond 100."""
    grown = equity / 100 if growth is None else growth
    return Point(
        time * 1_000, more.get("chain", 1), equity, equity - 100, grown, more.get("gap", 0)
    )


def deepest_fall(values: list[float], *, relative: bool) -> Drawdown | None:
    """The deepest drawdown in ``values``."""
    return deepest(values, drawdowns(values), relative=relative)


def points(*equities: float, step: int = 5) -> list[Point]:
    return [point(number * step, equity) for number, equity in enumerate(equities)]


figures = st.lists(st.floats(min_value=0, max_value=1_000), min_size=1, max_size=120)


@pytest.mark.parametrize(
    ("values", "relative", "fall"),
    [
        ([], True, None),
        ([1, 2, 3], True, None),
        ([3, 5, 4, 6, 3, 9], True, (3, 4)),
        # 50 % early, but 60 in money later
        ([2, 1, 300, 240], True, (0, 1)),
        ([2, 1, 300, 240], False, (2, 3)),
        # a P&L may be below zero all the time
        ([-5, -9, -3, -6], False, (0, 1)),
        ([0, 0, -4], False, (0, 2)),
    ],
)
def test_the_deepest_fall_is_that_from_the_best_before(
    values: list[float], relative: bool, fall: tuple[int, int] | None
) -> None:
    found = deepest_fall(values, relative=relative)
    assert fall == (None if found is None else (found.peak, found.trough))


def test_a_drawdown_lasts_from_its_peak_until_that_is_reached_again() -> None:
    values = [5.0, 7, 7, 6, 6, 7, 8, 1, 2]
    assert list(drawdowns(values)) == [Drawdown(1, 2, 3, 5), Drawdown(6, 6, 7, 8)]
    assert longest([0, 1, 2, 3, 4, 50, 60, 61, 62], drawdowns(values)) == Drawdown(1, 2, 3, 5)
    assert longest([*range(8), 90], drawdowns(values)) == Drawdown(6, 6, 7, 8)
    assert longest([], drawdowns([])) is longest([0, 1], drawdowns([1.0, 1.0])) is None


@given(figures)
def test_no_fall_is_deeper(values: list[float]) -> None:
    fall = deepest_fall(values, relative=False)
    depth = 0.0 if fall is None else values[fall.peak] - values[fall.trough]
    assert depth == max(
        (values[i] - values[j] for i in range(len(values)) for j in range(i, len(values))),
        default=0,
    )


def thinned(given: list[Point], stretch: int) -> list[Point]:
    return [
        group[place]
        for _, each in groupby(given, key=lambda one: one.time // stretch)
        for group in [list(each)]
        for place in sorted(thin(group))
    ]


def depth(given: list[Point], name: str, *, relative: bool) -> float:
    values = [getattr(each, name) for each in given]
    fall = deepest_fall(values, relative=relative)
    if fall is None:
        return 0
    lost = values[fall.peak] - values[fall.trough]
    return lost / values[fall.peak] if relative else lost


@given(figures)
def test_thinning_twice_keeps_lows_highs_the_last_and_the_falls(values: list[float]) -> None:
    given = points(*values)
    once = thinned(given, 60_000)
    twice = thinned(once, 300_000)
    for found in (once, twice):
        assert set(found) <= set(given)
        assert found[-1] == given[-1]
        for name in ("equity", "pnl", "growth"):
            ours, theirs = ([getattr(one, name) for one in each] for each in (found, given))
            assert (min(ours), max(ours)) == (min(theirs), max(theirs))
        assert depth(found, "growth", relative=True) == depth(given, "growth", relative=True)
        assert depth(found, "pnl", relative=False) == depth(given, "pnl", relative=False)
    # of a stretch at most last, low, high, and the ends of two falls, whose figures go together
    assert len(twice) <= 7 * (len(given) // 60 + 1)


def test_a_fall_within_one_stretch_from_neither_its_low_nor_its_high_is_kept() -> None:
    # from 100 to 90, between 80 and 110
    given = points(80, 100, 90, 110, 108)
    assert [each.equity for each in thinned(given, 60_000)] == [80, 100, 90, 110, 108]
    assert thin(points(5, 6, 7, 8, 9)) == {0, 4}


def test_drawdowns_are_from_the_best_before_of_the_same_epochs() -> None:
    given = [
        point(0, 100),
        point(1, 50),
        # an epoch in between, and then the older one goes on
        point(2, 10, growth=1.0, chain=2),
        point(3, 8, growth=0.8, chain=2),
        point(4, 75),
        point(5, 110),
        point(6, 0, growth=0.0, chain=3),
    ]
    assert [round(each, 6) for each in depths(given, {})] == [0, -50, 0, -20, -25, 0, 0]
    before = {given[0].chain: given[0].growth * 2}
    assert round(next(depths(given, before)), 6) == -50


@given(figures, st.integers(0, 3))
def test_what_is_drawn_is_few_in_order_and_has_every_extreme(
    values: list[float], seed: int
) -> None:
    given = points(*values, step=7 + seed)
    chosen = [each for each in drawn(given, 40) if each is not None]
    assert len(drawn(given, 40)) <= 40
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, len(given) - 1)
    equities = [given[each].equity for each in chosen]
    assert (min(equities), max(equities)) == (min(values), max(values))


def test_few_points_are_all_drawn() -> None:
    given = [point(number * 5, 100 + number % 9) for number in range(800)]
    assert drawn(given, 800) == list(range(800))
    assert drawn(given, 799) != list(range(800))


def test_a_gap_is_drawn_as_one_where_it_can_be_seen() -> None:
    given = [point(0, 1), point(10, 2), point(5_000, 3, gap=4_990), point(5_010, 4)]
    assert drawn(given, 800) == [0, 1, None, 2, 3]
    # among years, an hour and a half is less than what a point stands for
    given.append(point(100_000_000, 5, gap=99_994_990))
    assert drawn(given, 800).count(None) == 1


def test_many_points_with_many_gaps_are_still_at_most_so_many() -> None:
    given = [point(number * 600, number % 7, gap=600) for number in range(5_000)]
    assert len(drawn(given, 800)) <= 800
    assert drawn([], 800) == []
