"""A leap of the wall clock is believed only after it lasted: until then nothing is due by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.background.clock import JITTER_SECONDS, LEAP_LASTS_SECONDS, BelievedClock
from balance.core.entry import Entry
from balance.core.instruments import KNOWN
from balance.core.quote import Quote
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.market.exchange.candles import CandleCache
from balance.market.exchange.quotes import QuoteBuilder
from balance.market.exchange.session import Session
from balance.market.simulated.feed import SimulatedFeed
from balance.server.engine import Engine
from balance.store.memory_store import MemoryStore
from tests.markets import BTC

BEGIN = datetime(2026, 3, 4, 9, tzinfo=UTC)
LASTS = LEAP_LASTS_SECONDS


@dataclass
class Machine:
    """A machine whose wall clock can be set; its steady clock counts what passes."""

    now: datetime = BEGIN
    steady: float = 1_000.0

    def goes_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.steady += seconds

    def leap(self, **by: float) -> None:
        """Set the wall clock, or sleep: its steady clock stands still meanwhile."""
        self.now += timedelta(**by)


def clock_of(machine: Machine) -> BelievedClock:
    return BelievedClock(lambda: machine.now, lambda: machine.steady)


def test_without_a_leap_it_is_the_wall_clock() -> None:
    machine = Machine()
    clock = clock_of(machine)
    for _ in range(200):
        machine.goes_on(0.75)
        assert clock() == machine.now
        assert clock.message == ""


@pytest.mark.parametrize("hours", [-24 * 900, -1, 8, 24 * 30])
def test_a_leap_counts_once_it_has_lasted(hours: int) -> None:
    machine = Machine()
    clock = clock_of(machine)
    machine.leap(hours=hours)
    for _ in range(int(LASTS)):
        assert clock() == machine.now - timedelta(hours=hours)
        assert f"{abs(hours) * 3600:,} s {'behind' if hours < 0 else 'ahead of'}" in clock.message
        machine.goes_on(1)
    assert clock() == machine.now
    assert clock.message == ""


@given(leaps=st.lists(st.tuples(st.integers(-(10**8), 10**8), st.integers(1, 50)), max_size=20))
def test_leaps_that_do_not_last_leave_no_trace(leaps: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock, true = clock_of(machine), BEGIN
    for by, seconds in leaps:
        machine.leap(seconds=by)
        for _ in range(seconds):
            machine.goes_on(1)
            true += timedelta(seconds=1)
            believed = clock()
            assert abs(believed - true) <= timedelta(seconds=JITTER_SECONDS * len(leaps))
        machine.now = true
        clock()


def test_a_clock_that_is_slowly_adjusted_is_followed() -> None:
    machine = Machine()
    clock = clock_of(machine)
    for _ in range(1_000):
        machine.goes_on(0.5)
        machine.leap(seconds=0.0005)
        assert abs(clock() - machine.now) <= timedelta(seconds=0.1)


class Trading:
    """A position on the simulated market, by the clocks of ``machine``."""

    def __init__(self, folder: Path, machine: Machine, saved: Any = None) -> None:
        self.machine = machine
        self.feed = SimulatedFeed(
            saved=saved,
            clock=lambda: machine.now,
            wait=machine.goes_on,
            steady=lambda: machine.steady,
        )
        board = LiveBoard()
        self.desk = Desk(MemoryStore(), board)
        self.engine = Engine(self.desk, board, self.feed, lambda _: None, folder)
        self.run(1)

    def buy(self) -> None:
        self.desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=5)

    def run(self, seconds: float) -> None:
        """Let the market go on for so long, in moments of a quarter of a second."""
        for _ in range(int(seconds * 4)):
            self.engine.process(self.feed.next(1))

    @property
    def funding(self) -> list[Entry]:
        entries = self.desk.ledger.since(0, 10_000)
        assert entries is not None
        return [each for each in entries if each.booking.kind == "funding"]

    @property
    def time(self) -> datetime:
        """The time of the market."""
        return self.desk.market.quotes[BTC].time


def test_a_clock_that_is_wrong_for_a_while_books_no_funding(tmp_path: Path) -> None:
    trading = Trading(tmp_path, Machine())
    trading.buy()
    trading.machine.leap(days=30)
    trading.run(LASTS - 5)
    assert trading.funding == []
    assert "is believed once" in trading.desk.market.message
    trading.machine.leap(days=-30)
    trading.run(LASTS + 5)
    assert trading.funding == []
    assert abs(trading.time - trading.machine.now) < timedelta(seconds=1)
    assert trading.desk.market.message == ""


def test_what_was_due_while_the_machine_slept_is_booked_once_the_clock_has_lasted(
    tmp_path: Path,
) -> None:
    trading = Trading(tmp_path, Machine())
    trading.buy()
    trading.machine.leap(hours=8)
    trading.run(LASTS - 5)
    assert trading.funding == []
    trading.run(10)
    (paid,) = trading.funding
    assert "2026-03-04 16:00 UTC" in paid.booking.note
    assert abs(trading.time - trading.machine.now) < timedelta(seconds=1)


def test_a_settlement_that_comes_while_the_clock_is_wrong_is_booked(tmp_path: Path) -> None:
    machine = Machine(datetime(2026, 3, 4, 15, 59, 40, tzinfo=UTC))
    trading = Trading(tmp_path, machine)
    trading.buy()
    machine.leap(days=-300)
    trading.run(30)
    assert len(trading.funding) == 1
    machine.leap(days=300)
    trading.run(LASTS)
    assert len(trading.funding) == 1
    assert abs(trading.time - machine.now) < timedelta(seconds=1)


def test_a_wrong_clock_at_a_start_books_no_funding_either(tmp_path: Path) -> None:
    machine = Machine()
    saved = Trading(tmp_path, machine).feed.saved()
    machine.leap(days=30)
    again = Trading(tmp_path, machine, saved)
    again.buy()
    again.run(LASTS - 10)
    assert abs(again.time - BEGIN) < timedelta(minutes=2)
    machine.leap(days=-30)
    again.run(LASTS + 5)
    assert again.funding == []
    assert abs(again.time - machine.now) < timedelta(seconds=1)


def test_after_a_long_rest_the_market_goes_on_at_the_true_time(tmp_path: Path) -> None:
    machine = Machine()
    saved = Trading(tmp_path, machine).feed.saved()
    machine.leap(days=12)
    again = Trading(tmp_path, machine, saved)
    again.run(LASTS + 5)
    assert abs(again.time - machine.now) < timedelta(seconds=1)


def taken(machine: Machine, **ticker: Any) -> Quote | None:
    """The quote that comes of a ticker after the clock of ``machine`` has leapt by a day."""
    found = list[Quote]()
    exchange = SimpleNamespace(id="some")
    retry: Any = SimpleNamespace(exchange=exchange, report=lambda *_: None)
    session = Session(
        retry,
        found.append,
        CandleCache(lambda: machine.steady),
        lambda: machine.now,
        lambda: machine.steady,
    )
    session._builders["BTC"] = QuoteBuilder(KNOWN[BTC], perpetual=True)
    machine.leap(days=1)
    session._take("BTC", {"bid": 60_000, "ask": 60_001, "markPrice": 60_000, **ticker})
    return found[0] if found else None


def test_prices_of_an_exchange_without_a_time_have_the_believed_one() -> None:
    quote = taken(Machine())
    assert quote is not None
    assert quote.time == BEGIN


def test_prices_with_a_time_of_their_own_confirm_a_leap() -> None:
    woken = BEGIN + timedelta(days=1)
    quote = taken(Machine(), timestamp=woken.timestamp() * 1_000)
    assert quote is not None
    assert quote.time == woken
