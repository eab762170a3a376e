"""The list of the epochs: what is left out, and in which order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from balance.core.trade_sums import TradeSums
from balance.core.wallet import Wallet
from balance.history.epochs import Epoch
from balance.history.question import parse_question
from balance.performance.epochs import (
    EPOCH_SORTS,
    WALLET_FIGURES,
    Present,
    epoch_row,
    fitting,
    in_order,
)
from balance.performance.figures import FIGURES
from balance.performance.results import Moment, Results, Span
from tests.accounts import MOMENT

HOUR = timedelta(hours=1)


def epoch(number: int, balance: str = "100", **more: object) -> Epoch:
    """An epoch of an hour that began with 100."""
    wallet = replace(Wallet.opened(number, Decimal(100)), balance=Decimal(balance))
    row = Epoch(
        opened_at=MOMENT + number * HOUR,
        ended_at=MOMENT + (number + 1) * HOUR,
        opened_by="reset",
        carried=Decimal(0),
        first_revision=10 * number,
        last_revision=10 * number + 9,
        entries=10,
        wallet=wallet,
        trades=TradeSums(),
        trades_before=TradeSums(),
    )
    return replace(row, **more)  # type: ignore[arg-type]


# newest first, as they are kept; the gain of the third is the second's and one digit more
ROWS = (
    epoch(5, "99", ended_at=None),
    epoch(4, "100"),
    epoch(3, "123456789012.12345671"),
    epoch(2, "123456789012.1234567"),
    epoch(1, "100", trades=TradeSums().with_pnl(Decimal(3)).with_pnl(Decimal(-1))),
)
PRESENT = Present(5, MOMENT + 10 * HOUR)


def results(gained: str, fallen: str) -> Results:
    """The results of an epoch that gained and fell by so many percent."""
    growth, low = (1 + Decimal(each) / 100 for each in (gained, fallen))
    fall = Span(Moment(MOMENT, Decimal(1), Decimal(0)), Moment(MOMENT, low, Decimal(0)))
    return Results(growth=growth, drawdown=fall)


def measure(number: int) -> Results:
    """The return and the drawdown of an epoch; those of the fourth are not known."""
    return Results() if number == 4 else results(f"{number}", f"-{number}")


def listed(**asked: str) -> list[int]:
    """The numbers of the epochs that are asked for, in their order."""
    wanted = parse_question("epochs", asked, EPOCH_SORTS)
    rows = in_order(fitting(ROWS, wanted), wanted, PRESENT, measure)
    return [row.epoch for row in rows]


def test_all_are_listed_newest_first() -> None:
    assert listed() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("epoch", "2,4,77", [4, 2]),
        ("after", "20", [5, 4, 3]),
        ("after", "0", [5, 4, 3, 2, 1]),
        ("until", "20", [2, 1]),
        ("least", "0", [4, 3, 2, 1]),
        ("most", "-1", [5]),
        ("least", "123456788912.12345671", [3]),
    ],
)
def test_what_does_not_fit_is_left_out(name: str, text: str, wanted: list[int]) -> None:
    assert listed(**{name: text}) == wanted


def test_times_are_those_of_their_opening_both_included() -> None:
    begin, end = (epoch(number).opened_at.isoformat() for number in (2, 4))
    assert listed(**{"from": begin, "to": end}) == [4, 3, 2]


def test_ties_turn_with_the_order() -> None:
    assert listed(sort="pnl") == [5, 1, 4, 2, 3]
    assert listed(sort="-pnl") == [3, 2, 4, 1, 5]


def test_what_is_not_known_comes_last_whichever_way() -> None:
    assert listed(sort="return_percent") == [1, 2, 3, 5, 4]
    assert listed(sort="-return_percent") == [5, 3, 2, 1, 4]
    assert listed(sort="-max_drawdown_percent") == [1, 2, 3, 5, 4]
    assert listed(sort="win_rate")[0] == 1


def test_the_running_one_has_lasted_until_now() -> None:
    assert listed(sort="-seconds") == [5, 4, 3, 2, 1]
    assert PRESENT.seconds(ROWS[0]) == 5 * 3_600
    assert PRESENT.seconds(ROWS[1]) == 3_600
    assert Present(5, MOMENT).seconds(ROWS[0]) == 0


def test_one_whose_end_is_not_known_is_not_the_running_one() -> None:
    row = epoch_row(ROWS[0], Results(), Present(24, MOMENT + 10 * HOUR))
    assert (row["is_current"], row["ended_at"], row["seconds"]) == (False, None, None)
    assert epoch_row(ROWS[0], Results(), PRESENT)["is_current"]


@pytest.mark.parametrize("name", EPOCH_SORTS)
def test_each_order_has_all_of_them(name: str) -> None:
    assert sorted(listed(sort=name)) == sorted(listed(sort=f"-{name}")) == [1, 2, 3, 4, 5]


def test_every_figure_can_be_sorted_by() -> None:
    assert {*WALLET_FIGURES, *(each.name for each in FIGURES)} < set(EPOCH_SORTS)


def test_a_fall_is_told_with_the_sign_that_it_has_everywhere() -> None:
    row = epoch_row(ROWS[0], results("1.5", "-12.345"), PRESENT)
    assert row["max_drawdown_percent"] == Decimal("-12.345")
    told = (row["display"]["return_percent"], row["display"]["max_drawdown_percent"])
    # half to even, as all that is shown
    assert told == ("+1.50%", "-12.34%")
