"""The figures of performance as pages follow them: after each change, and seldom without one."""

from __future__ import annotations

from typing import Any

import pytest

from balance.core.errors import StoreUnreadable
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.performance.performance import Equity
from balance.server.figures import FigureFeed
from balance.store.memory_store import MemoryStore
from tests.boards import board, priced

ORDER = {"symbol": "BTC/USDT", "side": "buy", "notional": 1_000, "leverage": 5}


class Heard:
    """A feed of figures by a clock that a test sets forward, and what was published."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        """Making the figures takes ``seconds``."""
        self.now, self.is_heard, self.published = 1_000.0, True, list[Row]()
        self.board = board()
        self.desk = Desk(MemoryStore(), self.board)
        outer = self

        class Slow(Equity):
            def performance(self) -> Row:
                outer.now += seconds
                return super().performance()

        def publish(document: Any) -> None:
            self.published.append(document)

        self.feed = FigureFeed(
            self.desk, Slow(self.desk), publish, lambda: self.is_heard, lambda: self.now
        )

    def after(self, seconds: float) -> int:
        """How much is published at a turn after so many seconds."""
        self.now += seconds
        before = len(self.published)
        self.feed.turn()
        return len(self.published) - before

    def fees(self) -> str:
        text: str = self.published[-1]["display"]["fees_paid"]
        return text


def test_they_are_those_that_the_route_answers() -> None:
    heard = Heard()
    assert heard.after(0) == 1
    assert heard.published[0]["display"] == Equity(heard.desk).performance()["display"]


def test_a_change_is_published_once_and_nothing_without_one() -> None:
    heard = Heard()
    heard.after(0)
    assert [heard.after(1) for _ in range(3)] == [0, 0, 0]
    heard.desk.place_order(**ORDER)
    assert [heard.after(1) for _ in range(3)] == [1, 0, 0]
    assert heard.fees() != "$0.00"


def test_many_changes_are_published_once_a_second() -> None:
    heard = Heard()
    heard.after(0)
    count = 0
    for _ in range(20):
        heard.desk.place_order(**ORDER)
        count += heard.after(0.1)
    assert 1 <= count <= 2


def test_figures_that_take_long_take_a_small_part_of_the_time() -> None:
    heard = Heard(seconds=0.5)
    heard.after(0)
    heard.desk.place_order(**ORDER)
    assert heard.after(9.4) == 0
    assert heard.after(0.6) == 1


def test_prices_alone_are_followed_every_ten_seconds() -> None:
    heard = Heard()
    heard.desk.place_order(**ORDER)
    heard.after(0)
    counts = []
    for number in range(20):
        priced(heard.board, 41_000 + number * 100)
        counts.append(heard.after(1))
    assert sum(counts) == 2


def test_who_does_not_listen_costs_nothing_but_a_page_that_comes_is_expected() -> None:
    heard = Heard()
    heard.is_heard = False
    assert heard.after(100) == 0
    heard.feed.expect()
    assert heard.after(1) == 1
    heard.desk.place_order(**ORDER)
    assert heard.after(100) == 0


def test_an_account_that_can_not_be_read_is_tried_again() -> None:
    heard = Heard()
    read = heard.desk.snapshot

    def refuse() -> Any:
        raise StoreUnreadable("virtual_balance.json", "no")

    heard.desk.snapshot = refuse  # type: ignore[method-assign]
    with pytest.raises(StoreUnreadable):
        heard.after(1)
    heard.desk.snapshot = read  # type: ignore[method-assign]
    assert heard.after(1) == 1
