"""Sums over closed trades: counts, averages, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from balance.core.money import exact
from balance.core.trade_sums import TradeSums

CENTS = st.integers(-10_000, 10_000).map(lambda cents: Decimal(cents).scaleb(-2))


def sums_over(pnls: list[Decimal]) -> TradeSums:
    sums = TradeSums()
    for pnl in pnls:
        sums = sums.with_pnl(pnl)
    return sums


@given(st.lists(CENTS, max_size=30))
def test_sums_agree_with_the_list_of_trades(pnls: list[Decimal]) -> None:
    sums = sums_over(pnls)
    won, lost = [each for each in pnls if each > 0], [each for each in pnls if each < 0]
    assert (sums.trades, sums.wins, sums.losses) == (len(pnls), len(won), len(lost))
    assert sums.even == len(pnls) - len(won) - len(lost)
    assert (sums.best, sums.worst) == (max(pnls, default=None), min(pnls, default=None))
    assert sums.pnl == sum(pnls)
    with exact():
        for found, group in (
            (sums.expectancy, pnls),
            (sums.average_win, won),
            (sums.average_loss, lost),
        ):
            if not group:
                assert found is None
                continue
            assert found is not None
            mean = Fraction(sum(map(Fraction, group))) / len(group)
            assert abs(Fraction(found) - mean) < Fraction(1, 10**20)


def test_the_best_trade_stays_unknown_where_earlier_ones_are() -> None:
    read = replace(sums_over([Decimal(5)]), best=None, worst=None)
    again = read.with_pnl(Decimal(1))
    assert (again.best, again.worst, again.pnl) == (None, None, 6)
