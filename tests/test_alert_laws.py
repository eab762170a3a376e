"""When an alert fires: once for every crossing, whatever lies between two looks, and never on a
price that is not live or on a figure that does not continue the last one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.alerts.readings import Moment, Reading, read_figure
from balance.alerts.rules import (
    AlertSettings,
    AlertState,
    Direction,
    evaluate,
    margin,
    start_watching,
    status,
)
from balance.core.account import Account
from tests.accounts import account, position
from tests.markets import BTC, ETH, market, quote

PRICE = AlertSettings(what="price", symbol=BTC, direction="above", threshold=Decimal(1_000))
EVER = replace(PRICE, once=False)
# about the threshold of 1,000, whose margin is 1
PRICE_OF = st.decimals(990, 1010, places=2)
PRICES = st.lists(PRICE_OF, min_size=1, max_size=40)
# each with the tenths of the way to it that are looked at as well, or with prices that are not live
FINER = st.lists(st.tuples(PRICE_OF, st.lists(st.integers(0, 9), max_size=3)), max_size=15)
WITH_OLD = st.lists(st.tuples(PRICE_OF, st.lists(st.none() | PRICE_OF, max_size=2)), max_size=15)
DIRECTIONS = st.sampled_from(get_args(Direction))


def at(value: object, series: str = "feed simulated", *, live: bool = True) -> Reading:
    told = None if value is None else Decimal(str(value))
    return Reading(series=series, value=told, is_live=live)


def firings(alert: AlertSettings, *readings: Reading, begin: Reading) -> list[int]:
    """At which of ``readings`` an alert fires that was made at ``begin``."""
    state, found = start_watching(alert, begin), []
    for place, each in enumerate(readings):
        state, has_fired = evaluate(alert, state, each)
        if has_fired:
            found.append(place)
    return found


def crossings(alert: AlertSettings, path: list[Decimal]) -> int:
    """How often ``path`` comes to the threshold from the other side, counted in another way: of its
    values only those beyond and those back count, and of each run of these only the first."""
    sign = 1 if alert.direction == "above" else -1
    sides = [path[0] * sign >= alert.threshold * sign]
    for value in path[1:]:
        if value * sign >= alert.threshold * sign:
            sides.append(True)
        elif not sides[-1] or value * sign <= alert.threshold * sign - margin(alert):
            sides.append(False)
    return sum(after and not before for before, after in pairwise(sides))


@given(path=PRICES, direction=DIRECTIONS)
def test_it_fires_once_for_every_crossing(path: list[Decimal], direction: Direction) -> None:
    alert = replace(EVER, direction=direction)
    found = firings(alert, *map(at, path[1:]), begin=at(path[0]))
    assert len(found) == crossings(alert, path)


@given(path=PRICES, direction=DIRECTIONS)
def test_one_that_fires_once_fires_at_the_first_crossing_only(
    path: list[Decimal], direction: Direction
) -> None:
    alert = replace(EVER, direction=direction)
    every = firings(alert, *map(at, path[1:]), begin=at(path[0]))
    once = firings(replace(alert, once=True), *map(at, path[1:]), begin=at(path[0]))
    assert once == every[:1]


@given(begin=PRICE_OF, path=FINER, direction=DIRECTIONS)
def test_what_lies_between_two_looks_does_not_matter(
    begin: Decimal, path: list[tuple[Decimal, list[int]]], direction: Direction
) -> None:
    alert = replace(EVER, direction=direction)
    finer, before = [], begin
    for after, tenths in path:
        finer += [before + (after - before) * each / 10 for each in sorted(tenths)] + [after]
        before = after
    coarse = firings(alert, *(at(after) for after, _ in path), begin=at(begin))
    assert len(firings(alert, *map(at, finer), begin=at(begin))) == len(coarse)


@given(begin=PRICE_OF, path=WITH_OLD, direction=DIRECTIONS)
def test_looks_at_what_is_not_live_change_nothing(
    begin: Decimal, path: list[tuple[Decimal, list[Decimal | None]]], direction: Direction
) -> None:
    alert = replace(EVER, direction=direction)
    mixed = [each for value, old in path for each in (*(at(e, live=False) for e in old), at(value))]
    live = firings(alert, *(at(value) for value, _ in path), begin=at(begin))
    assert len(firings(alert, *mixed, begin=at(begin))) == len(live)


@pytest.mark.parametrize(
    ("begin", "then", "found"),
    [
        # from below to it, over it in one step, and not quite
        (999, (1_000,), [0]),
        (500, (2_000,), [0]),
        (999, ("999.99",), []),
        # there already: it has to be back first, by a margin of 1
        (1_000, (1_500, 1_000), []),
        (1_500, ("999.5", 1_500), []),
        (1_500, (999, 1_000), [1]),
        # fluttering about the threshold is one crossing
        (990, (1_000, "999.5", 1_000, "999.01", 1_000), [0]),
        (990, (1_000, 999, 1_000), [0, 2]),
        # not known when it was made: it is there when it is first seen
        (None, (1_500,), [0]),
        (None, (500, 1_500), [1]),
    ],
)
def test_it_fires_when_it_comes_from_the_other_side(
    begin: Any, then: tuple[Any, ...], found: list[int]
) -> None:
    assert firings(EVER, *map(at, then), begin=at(begin)) == found


def test_another_series_crosses_nothing_and_goes_on_by_itself() -> None:
    before = at(500)
    found = firings(EVER, at(2_000, "feed other"), at(999, "feed other"), begin=before)
    assert found == []
    found = firings(
        EVER, at(2_000, "feed other"), at(999, "feed other"), at(1_000, "feed other"), begin=before
    )
    assert found == [2]


def test_one_that_is_off_looks_at_nothing() -> None:
    off = AlertState(active=False, series="feed simulated", side="short")
    assert evaluate(PRICE, off, at(2_000)) == (off, False)
    state, has_fired = evaluate(PRICE, start_watching(PRICE, at(500)), at(2_000))
    assert has_fired
    assert not state.active
    assert evaluate(PRICE, state, at(500)) == (state, False)


def test_the_margin_is_a_share_of_the_threshold_and_of_money_at_least_one() -> None:
    assert margin(PRICE) == 1
    assert margin(replace(PRICE, threshold=Decimal("0.5"))) == Decimal("0.0005")
    money = AlertSettings(what="pnl", direction="below", threshold=Decimal(-20_000))
    assert margin(money) == 20
    assert margin(replace(money, threshold=Decimal(0))) == 1


@pytest.mark.parametrize(
    ("state", "has_fired", "expected"),
    [
        (AlertState(), False, "unknown"),
        (AlertState(side="short"), True, "waiting"),
        (AlertState(side="beyond"), False, "beyond"),
        (AlertState(active=False, side="beyond"), True, "fired"),
        (AlertState(active=False, side="short"), False, "off"),
    ],
)
def test_how_it_stands(state: AlertState, has_fired: bool, expected: str) -> None:
    assert status(state, has_fired=has_fired) == expected


class TestReadings:
    """What there is to look at."""

    def read(self, what: Any, moment: Moment, symbol: str | None = None) -> Reading:
        return read_figure(what, symbol, moment)

    def moment(self, *positions: Any, **changes: Any) -> Moment:
        there = market(quote(BTC, 41_000), quote(ETH, 2_000))
        held: Account = account(positions=positions).marked(there)
        usual = {"market": there, "account": held, "account_id": "a"}
        return Moment(**{**usual, **changes})

    def test_a_price_is_the_mark_price_and_live_as_the_symbol_is(self) -> None:
        there = market(quote(BTC, 41_000, last=39_000), quote(ETH, 2_000), live=frozenset({ETH}))
        moment = Moment(market=there)
        assert self.read("price", moment, BTC) == at(41_000, live=False)
        assert self.read("price", moment, ETH).is_live
        assert self.read("price", moment, "SOL/USDT").value is None

    def test_figures_of_the_account_go_by_its_mark_prices(self) -> None:
        moment = self.moment(position())
        held = moment.account
        assert held is not None
        assert self.read("equity", moment).value == held.equity == held.wallet.balance + 100
        assert self.read("pnl", moment).value == held.pnl
        assert self.read("unrealized_pnl", moment, BTC).value == 100
        assert self.read("pnl_today", replace(moment, pnl_today=Decimal(-7))).value == -7
        # 0.1 BTC at 41,000.00 of an equity of 10,100.00.
        assert self.read("exposure_percent", moment).value == Decimal("40.59405941")

    def test_they_are_live_where_all_of_its_positions_are(self) -> None:
        moment = self.moment(position())
        assert self.read("pnl", moment).is_live
        elsewhere = self.moment(position(feed="binance"))
        assert not self.read("pnl", elsewhere).is_live
        assert not self.read("unrealized_pnl", elsewhere, BTC).is_live
        stale = replace(moment, market=replace(moment.market, live=frozenset({ETH})))
        assert not self.read("equity", stale).is_live
        assert self.read("equity", self.moment()).is_live

    def test_a_position_an_epoch_a_day_and_a_feed_are_series_of_their_own(self) -> None:
        first = self.moment(position())
        held = first.account
        assert held is not None
        wallet = replace(held.wallet, epoch=2)
        others = {
            "price": self.moment(market=market(quote(BTC, 41_000), feed="other")),
            "pnl": self.moment(account=replace(held, wallet=wallet)),
            "equity": self.moment(account_id="b"),
            "pnl_today": self.moment(pnl_before=Decimal(5)),
            "unrealized_pnl": self.moment(position(side="short")),
        }
        for what, other in others.items():
            symbol = BTC if what in ("price", "unrealized_pnl") else None
            assert self.read(what, first, symbol).series != self.read(what, other, symbol).series

    def test_what_is_not_there_has_no_figure(self) -> None:
        nothing = Moment(market=market())
        for what in ("pnl", "equity", "pnl_today"):
            assert self.read(what, nothing).value is None
        assert self.read("unrealized_pnl", nothing, BTC).value is None
        assert self.read("unrealized_pnl", self.moment(position()), ETH).value is None
