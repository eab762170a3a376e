"""Results: daily returns and their ratios, next to what other libraries make of the same days."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.moments import milliseconds
from balance.core.money import exact
from balance.performance.drawdown import deepest, drawdowns, longest
from balance.performance.results import daily_returns, day_ends, sharpe_ratio, sortino_ratio
from balance.performance.sample import Sample
from balance.performance.sample_file import SampleFile
from balance.performance.sample_reader import SampleReader
from balance.performance.sample_results import sample_results
from balance.performance.sample_rows import EQUITY_FILE
from tests.samples import ACCOUNT, MONDAY, at, booked, moved, opening

# What quantstats 0.0.86 says of these daily returns: Sharpe and Sortino ratio (periods=365, a
# risk-free rate of 0; a sample's deviation, by n - 1), the maximum drawdown in percent, and the
# days from the first day below the best before to the last. empyrical-reloaded 0.7.1 agrees on the
# first three to 1e-13. The last case is a month of a moving-average bot on Bitcoin.
PUBLISHED = [
    (
        "-0.01 0.03 -0.02 0.005 0.0 ",
        "1.0139866932482429",
        "1.9104973174542788",
        "-2.0000000000000018",
        3,
    ),
    (
        "-0.002559 0.005114 -0.002261 -0.003151 -0.0093 ",
        "-9.080582350262683",
        "-9.991170681924176",
        "-1.4654610246022104",
        3,
    ),
    (
        "-0.005399 0.034358 0.013724 0.032106 0.008467 0.012843 0.00656 -0.048982 0.026658 "
        "0.016192 0.015965 -0.049741 -0.051317 -0.025688 -0.013046 0.010163 -0.000377 0.016629 "
        "-0.018267 0.010261 0.012825 -0.018834 0.052526 0.017698 0.03691 -0.01761 -0.021185 "
        "-0.009321 -0.002193 0.019962 ",
        "1.5330096729523435",
        "2.1689692181279723",
        "-13.312181739909768",
        19,
    ),
    (
        "-0.01964926 -0.0093768 -0.00223238 -0.00588182 0.00658001 -0.02042371 -0.01145634 "
        "-0.00056926 -0.01047855 -0.00977697 -0.01200461 -0.0057421 -0.00634156 0.00085075 "
        "0.0002807 -0.00973182 -0.0086308 -0.0134779 -0.00589657 0.00795547 0.01223251 "
        "-0.00687261 -0.00198795 0.02354494 -0.01715396 -0.02078771 0.01919516 -0.00438063 "
        "-0.01488044 -0.01214136 0.00448434 ",
        "-8.875908747753915",
        "-9.636824032586544",
        "-14.900743046957599",
        0,
    ),
]


@pytest.mark.parametrize(("days", "sharpe", "sortino", "drawdown", "length"), PUBLISHED)
def test_ratios_and_drawdowns_are_those_of_quantstats(
    days: str, sharpe: str, sortino: str, drawdown: str, length: int
) -> None:
    returns = [Decimal(each) for each in days.split()]
    assert float(sharpe_ratio(returns) or 0) == pytest.approx(float(sharpe), rel=1e-13)
    assert float(sortino_ratio(returns) or 0) == pytest.approx(float(sortino), rel=1e-13)
    growths = [Decimal(1)]
    with exact():
        growths += (growths[-1] * (1 + each) for each in returns)
    falls = list(drawdowns(growths))
    deep = deepest(growths, falls, relative=True)
    assert deep is not None
    percent = (growths[deep.trough] / growths[deep.peak] - 1) * 100
    assert float(percent) == pytest.approx(float(drawdown), rel=1e-12)
    long = longest(range(len(growths)), falls)
    assert long is not None
    # None of these has recovered. quantstats finds no drawdown that begins with the first day.
    assert long.end - long.start == (length or len(returns))


@pytest.mark.parametrize("returns", [[], ["0.01"], ["0.01", "0.01"], ["0.1", "0.1", "0.1"]])
def test_too_few_or_equal_returns_have_no_ratio(returns: list[str]) -> None:
    numbers = [Decimal(each) for each in returns]
    assert (sharpe_ratio(numbers), sortino_ratio(numbers)) == (None, None)


def test_what_rounding_leaves_is_no_deviation() -> None:
    third = Decimal("0.3333333333333333333333333333")
    assert sharpe_ratio([third, third + Decimal("1E-28"), third]) is None


def test_gains_alone_have_a_sharpe_ratio_but_no_sortino_ratio() -> None:
    returns = [Decimal("0.01"), Decimal("0.03")]
    # 0.02 / 0.01414... * 19.1049...
    assert float(sharpe_ratio(returns) or 0) == pytest.approx(27.018512, rel=1e-6)
    assert sortino_ratio(returns) is None


def test_a_day_ends_with_its_last_value_at_midnight_or_before() -> None:
    hours = [5, 23, 24, 25, 47, 80, 96, 100]
    times = [at(each) for each in hours]
    # the first day, the second, and the fourth; of the third there is nothing, the fifth goes on
    first = milliseconds(MONDAY) // 86_400_000 + 1
    assert day_ends(times, milliseconds) == [(first, 2), (first + 1, 4), (first + 3, 6)]
    assert day_ends(times[:2], milliseconds) == day_ends([], milliseconds) == []


def test_days_of_which_an_end_is_unknown_have_no_return() -> None:
    ends = [(number, Decimal(each)) for number, each in ((1, 1), (2, 2), (4, 3), (5, 6), (6, 0))]
    assert daily_returns([*ends, (7, Decimal(1))]) == (1, 1, -1)


def days_of(samples: list[Sample]) -> list[tuple[int, Decimal]]:
    """The growth at the end of each day, by the samples as they were taken."""
    return [
        (day, samples[place].growth)
        for day, place in day_ends(samples, lambda each: milliseconds(each.time))
    ]


@given(
    st.lists(
        st.tuples(st.integers(60, 90_000), st.integers(-400, 400), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_thinned_samples_have_the_returns_of_every_day(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, bool]]
) -> None:
    sample, samples = opening(), [opening()]
    seconds = 0
    for step, unrealized, is_deposit in steps:
        seconds += step
        sample = moved(sample, at(seconds=seconds), unrealized)
        samples.append(sample)
        if is_deposit:
            sample = booked(sample, at(seconds=seconds), "deposit", 1_000)
            samples.append(sample)
    path = tmp_path_factory.mktemp("days") / EQUITY_FILE
    file = SampleFile(path, ACCOUNT)
    try:
        for each in samples:
            file.write([each], each.time)
        file.write([], sample.time + timedelta(days=800))
    finally:
        file.close()
    assert sample_results(SampleReader(path, ACCOUNT), sample).returns == daily_returns(
        days_of(samples)
    )


def test_a_deposit_is_no_return_of_its_day(tmp_path: Path) -> None:
    samples = [opening()]
    for day, unrealized in enumerate([100, 100, 50]):
        samples.append(booked(samples[-1], at(24 * day + 2), "deposit", 10_000))
        samples.append(moved(samples[-1], at(24 * day + 20), unrealized))
    samples.append(moved(samples[-1], at(24 * 3), 50))
    file = SampleFile(tmp_path / EQUITY_FILE, ACCOUNT)
    file.write(samples, at(24 * 3))
    file.close()
    found = sample_results(SampleReader(tmp_path / EQUITY_FILE, ACCOUNT), samples[-1])
    # 20,100 of 20,000, then nothing, then 40,050 of 40,100
    wanted = [0.005, 0, -50 / 40_100]
    assert [float(each) for each in found.returns] == pytest.approx(wanted, abs=1e-15)


def test_time_in_the_market_is_that_after_samples_with_something_open(tmp_path: Path) -> None:
    samples = [opening()]
    for hour, unrealized in ((2, 30), (5, -10), (8, 0), (9, 0)):
        samples.append(moved(samples[-1], at(hour), unrealized))
    file = SampleFile(tmp_path / EQUITY_FILE, ACCOUNT)
    file.write(samples, None)
    file.close()
    reader = SampleReader(tmp_path / EQUITY_FILE, ACCOUNT)
    now = moved(samples[-1], at(10), 0)
    found = sample_results(reader, now)
    assert (found.open_time, found.time) == (timedelta(hours=6), timedelta(hours=10))
