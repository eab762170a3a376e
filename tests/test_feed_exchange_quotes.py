"""What an exchange tells of a symbol becomes quotes only if it can be right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from balance.core.instruments import KNOWN
from balance.market.exchange.quotes import QuoteBuilder

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BTC = KNOWN["BTC/USDT"]


class Told:
    """A board, and a clock that goes on a second with each ticker."""

    def __init__(self, *, perpetual: bool = False) -> None:
        self.board = QuoteBuilder(BTC, perpetual=perpetual)
        self.second = 0

    def __call__(self, *, after: int = 1, stamped: float | None = None, **ticker: Any) -> Any:
        self.second += after
        now = NOW + timedelta(seconds=self.second)
        stamp = None if stamped is None else int((now.timestamp() + stamped) * 1000)
        return self.board.take({**ticker, "timestamp": stamp}, now, float(self.second))


def test_without_a_book_the_last_price_and_a_tick_above_it_stand_in() -> None:
    told = Told()
    assert told(last=60000) is None, "a book may still come"
    quote = told(last=60000.04, after=4)
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal(60000),
        Decimal("60000.1"),
        Decimal(60000),
    )
    assert quote.mark == Decimal("60000.05")


def test_prices_come_onto_the_tick_and_never_closer_together() -> None:
    quote = Told()(last=60000.04, bid=59999.96, ask=60000.01)
    assert (quote.bid, quote.ask) == (Decimal("59999.9"), Decimal("60000.1"))
    assert quote.last == Decimal(60000)


def test_the_mark_of_the_exchange_counts_as_long_as_it_is_fresh() -> None:
    told = Told(perpetual=True)
    assert told(last=60000, bid=60000, ask=60001) is None, "its mark may still come"
    assert told(markPrice=60500.5).mark == Decimal("60500.5")
    assert told(last=60000, bid=60000, ask=60001, after=29).mark == Decimal("60500.5")
    assert told(last=60000, bid=60000, ask=60001, after=2).mark == Decimal("60000.5")


def test_a_mark_alone_does_not_keep_old_prices_alive() -> None:
    told = Told(perpetual=True)
    told(markPrice=60000)
    assert told(last=60000, bid=60000, ask=60001) is not None
    assert told(markPrice=60001, after=9) is not None
    assert told(markPrice=60002, after=9) is None


@pytest.mark.parametrize(
    ("ticker", "words"),
    [
        ({"last": float("nan")}, "a price of nan"),
        ({"last": float("inf")}, "a price of inf"),
        ({"last": -1, "bid": 1, "ask": 2}, "a price of -1"),
        ({"last": 60000, "bid": 60002, "ask": 60001}, "a bid of 60002 above the ask of 60001"),
        ({"last": 60000, "stamped": 61.0}, "a time 61 s ahead of this computer's clock"),
        ({"last": "oops"}, "a price of oops"),
        ({"last": "1e999999"}, "a price of 1e999999"),
        ({"last": "1e-999999"}, "a price of 1e-999999"),
    ],
)
def test_nonsense_is_refused_with_what_was_wrong(ticker: dict[str, Any], words: str) -> None:
    told = Told()
    assert told(**ticker) is None
    assert words in told.board.refused
    assert told(last=60000, bid=60000, ask=60001) is not None
    assert told.board.refused == ""


def test_what_is_older_than_the_last_is_not_taken() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001, stamped=0)
    assert told(last=50000, bid=50000, ask=50001, stamped=-30) is None
    assert told(last=60001, bid=60000, ask=60001, stamped=0).last == Decimal(60001)


def test_a_leap_waits_until_three_in_a_row_have_told_it() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001)
    for _ in range(2):
        assert told(last=20000, bid=20000, ask=20001) is None
        assert "a leap of BTC/USDT" in told.board.refused
    assert told(last=20000, bid=20000, ask=20001).last == Decimal(20000)


def test_a_leap_that_is_not_told_again_never_counts() -> None:
    told = Told()
    sane = {"last": 60000, "bid": 60000, "ask": 60001}
    told(**sane)
    for leap in (20000, 200000, 20000, 200000, 20000):
        assert told(last=leap, bid=leap, ask=leap + 1) is None
    for _ in range(5):
        assert told(last=20000, bid=20000, ask=20001) is None
        assert told(**sane).last == Decimal(60000)


def test_the_same_leap_read_again_and_again_confirms_nothing() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001, stamped=0)
    for back in range(5):
        assert told(last=20000, bid=20000, ask=20001, stamped=-float(back)) is None


def test_after_a_minute_without_prices_any_price_may_be_right() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001)
    assert told(last=20000, bid=20000, ask=20001, after=61).last == Decimal(20000)


def test_the_price_of_a_day_before_may_be_told_as_a_percentage() -> None:
    assert Told()(last=110, bid=110, ask=111, percentage=10).day_open == Decimal(100)
    assert Told()(last=110, bid=110, ask=111, open=105).day_open == Decimal(105)
