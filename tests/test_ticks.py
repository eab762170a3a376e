"""The newest price changes of each symbol, with numbers that rise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.market import Market
from balance.market.ticks import MOST_TICKS, Ticks
from tests.accounts import MOMENT
from tests.markets import BTC, ETH, market, quote

_NOW = round(MOMENT.timestamp() * 1_000)


def _moment(number: int, price: object, **changes: object) -> Market:
    now = MOMENT + timedelta(milliseconds=number)
    return market(quote(BTC, price, time=now, **changes), tick=number, as_of=now)


def test_a_tick_is_a_change_of_the_last_price() -> None:
    ticks = Ticks()
    for number, price in enumerate((100, 101, 101, 99)):
        ticks.look(_moment(number, price))
    found = ticks.newest(BTC)
    assert [(each.price, each.falls) for each in found] == [(100, False), (101, False), (99, True)]
    assert [each.id for each in found] == [_NOW, _NOW + 1, _NOW + 3]
    assert ticks.newest(BTC, 1) == found[-1:]
    assert ticks.since(BTC, _NOW) == found[1:]
    assert ticks.since(BTC, _NOW + 3) == ticks.since(ETH, 0) == []
    assert ticks.newest(ETH) == []


def test_the_book_is_numbered_when_bid_or_ask_change() -> None:
    ticks = Ticks()
    assert ticks.book(BTC) is None
    ticks.look(_moment(0, 100))
    first = ticks.book(BTC)
    ticks.look(_moment(1, 100, last=101))
    assert ticks.book(BTC) is first is not None
    ticks.look(_moment(2, 100, ask=101))
    second = ticks.book(BTC)
    assert second is not None
    assert (first.id, second.id, second.quote.ask) == (_NOW, _NOW + 2, 101)


def test_a_symbol_without_a_live_price_has_no_ticks() -> None:
    ticks = Ticks()
    ticks.look(replace(_moment(0, 100), live=frozenset()))
    assert ticks.newest(BTC) == []


def test_an_earlier_moment_is_ignored() -> None:
    ticks, moments = Ticks(), list[Market]()
    ticks.subscribe(moments.append)
    late, early = _moment(2, 100), _moment(1, 99)
    ticks.look(late)
    ticks.look(early)
    assert moments == [late]
    assert [each.price for each in ticks.newest(BTC)] == [100]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 4)), max_size=30))
def test_numbers_rise_whatever_the_clock_does(moves: list[tuple[int, int]]) -> None:
    ticks, now = Ticks(), MOMENT
    for number, (step, price) in enumerate(moves):
        now += timedelta(milliseconds=step)
        ticks.look(market(quote(BTC, price, time=now), tick=number, as_of=now))
        book, newest = ticks.book(BTC), ticks.newest(BTC)
        assert book is not None
        assert book.quote.bid == newest[-1].price == Decimal(price)
        numbers = [each.id for each in newest]
        assert numbers == sorted(set(numbers))


def test_so_many_ticks_are_kept() -> None:
    ticks = Ticks()
    for number in range(MOST_TICKS + 5):
        ticks.look(_moment(number, 1 + number % 2))
    found = ticks.newest(BTC)
    assert len(found) == MOST_TICKS
    assert found[-1].id == _NOW + MOST_TICKS + 4
