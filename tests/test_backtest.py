"""A backtest trades as a bot would have: on what was known then, and at prices that came after."""

from __future__ import annotations

import gc
import types
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.backtests import backtest
from balance.backtests.backtest import Cancelled, Plan, run_backtest
from balance.core.matching import advance, is_due
from balance.core.quote import Candle, Quote
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, hold
from tests.backtesting import BEGIN, MINUTE, bodies, candle, past, plan, script
from tests.markets import FREE

#: No price before or after is like it.
TOMORROW = 77_777.7


def after_a_rise(candles: Candles, position: Holding | None) -> Signal:
    """Long after a candle that rose, out after one that fell."""
    newest = candles[-1]
    if newest.close > newest.open:
        return Signal("buy", 1.0, f"Rose to {newest.close:g}")
    return Signal("close", 1.0, f"Fell to {newest.close:g}") if position else hold()


class TestLookAhead:
    """Nothing of a candle is known before it has closed, nor is anything filled at its prices."""

    def test_what_a_candle_says_is_traded_at_the_next_price(self) -> None:
        # who bought at the open of a candle that rises would win 10 with each
        rises_and_falls = [100, 110] * 10 + [100]
        tested = run_backtest(plan(bodies(*rises_and_falls), after_a_rise, terms=FREE))
        # bought at the open of the candle after it, one tick above the bid, and sold at the open
        # of the one after that: 1,000 / 110.1 cut to the step
        quantity, loss = Decimal("9.082"), Decimal("100") - Decimal("110.1")
        assert [each.pnl for each in tested.trades] == [quantity * loss] * 9
        assert {each.entry_price for each in tested.trades} == {Decimal("110.1")}
        assert {each.exit_price for each in tested.trades} == {Decimal(100)}
        assert tested.trades[0].opened_at == BEGIN + MINUTE
        assert tested.trades[0].closed_at == BEGIN + 2 * MINUTE
        assert tested.trades[0].opened_because == "Rose to 110"
        assert tested.trades[0].closed_because == "Fell to 100"
        # the last candle falls: what it says would be traded after it
        assert tested.account.positions[0].opened_at == BEGIN + 19 * MINUTE

    def test_a_strategy_is_told_of_closed_candles_only(self) -> None:
        told = []

        def decide(candles: Candles, _position: Holding | None) -> Signal:
            told.append((candles.times.tolist(), candles.close.tolist()))
            return hold()

        made = bodies(*range(100, 111))
        run_backtest(plan(made, decide, timeframe="5m"))
        # they begin a minute after a full one: four minutes, and then five
        first = int(BEGIN.timestamp()) - 60
        assert told == [([first], [104.0]), ([first, first + 300], [104.0, 109.0])]

    @pytest.mark.parametrize(
        "begin",
        [
            datetime(2023, 5, 1, tzinfo=UTC),
            datetime(2023, 4, 30, tzinfo=UTC),
            datetime(2023, 5, 3, 22, tzinfo=UTC),
        ],
    )
    @pytest.mark.parametrize("days", [1, 7])
    def test_candles_of_the_past_begin_where_its_rows_say(self, begin: datetime, days: int) -> None:
        told: list[list[int]] = []

        def decide(candles: Candles, _position: Holding | None) -> Signal:
            told.append(candles.times.tolist())
            return hold()

        seconds = days * 86_400
        made = [candle(each, 5, 6, 4, 5, seconds=seconds, begin=begin) for each in range(4)]
        # clocks are changed: this day has 23 hours
        made[3] = replace(made[3], time=made[3].time - timedelta(hours=1))
        run_backtest(plan(past(made, seconds=seconds), decide, timeframe="1d"))
        stamps = [int(each.time.timestamp()) for each in made]
        assert told == [stamps[:1], stamps[:2], stamps[:3]]

    def test_what_had_closed_before_it_begins_is_known_and_not_decided_on(self) -> None:
        told: list[int] = []

        def decide(candles: Candles, _position: Holding | None) -> Signal:
            told.append(len(candles))
            return hold()

        tested = run_backtest(plan(bodies(*range(100, 120)), decide, begin=10, lookback=12))
        assert told == [11, 12, 12, 12, 12, 12, 12, 12]
        assert len(tested.points) == 9
        assert tested.points[0].time == BEGIN + 10 * MINUTE

    def test_no_way_leads_from_what_a_strategy_is_given_to_a_later_price(self) -> None:
        # 60 candles, each with a price that is like no other
        made = bodies(*(1_000 + number for number in range(60)), TOMORROW)
        seen: list[bool] = []

        def decide(candles: Candles, position: Holding | None) -> Signal:
            seen.append(any(is_tomorrow(each) for each in reachable(candles, position)))
            kept.append(candles)
            return Signal("buy") if len(candles) == 3 else hold()

        kept: list[Candles] = []
        made_plan = plan(made, decide)
        run_backtest(made_plan)
        assert len(seen) == 59
        assert not any(seen)
        # and it would have been found: it is in what the test itself holds
        assert any(is_tomorrow(each) for each in reachable(made_plan.history.candles))

    def test_what_was_given_before_does_not_change(self) -> None:
        kept: list[tuple[Candles, list[float]]] = []

        def decide(candles: Candles, _position: Holding | None) -> Signal:
            kept.append((candles, candles.close.tolist()))
            return hold()

        run_backtest(plan(bodies(*range(100, 3_100)), decide, lookback=5))
        assert all(candles.close.tolist() == close for candles, close in kept)


def reachable(*roots: object) -> Iterator[object]:
    """All objects that lead from ``roots`` from one to the next: attributes, items, and the memory
    behind arrays; but not through what every program has, such as classes and modules."""
    stack, seen = list(roots), set[int]()
    while stack:
        each = stack.pop()
        if id(each) in seen or isinstance(each, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(each))
        yield each
        stack.extend(gc.get_referents(each))
        stack.extend(
            getattr(each, name)
            for name in ("base", "obj", *getattr(type(each), "__slots__", ()))
            if hasattr(each, name)
        )


def is_tomorrow(found: object) -> bool:
    """Whether ``found`` holds the price of tomorrow."""
    if isinstance(found, np.ndarray):
        return bool((found.astype(float) == TOMORROW).any())
    if isinstance(found, memoryview):
        return bool((np.frombuffer(found.cast("B"), np.float64) == TOMORROW).any())
    return isinstance(found, float | Decimal) and float(found) == TOMORROW


class TestTrading:
    """The account is dealt with as a live one is."""

    def test_costs_are_the_usual_ones(self) -> None:
        tested = run_backtest(plan(bodies(*[1_000] * 5), script("buy", "close")))
        (trade,) = tested.trades
        # ask 1,000.1 and bid 1,000, with 0.01 % slippage, on the tick
        assert (trade.entry_price, trade.exit_price) == (Decimal("1000.3"), Decimal("999.9"))
        assert trade.quantity == Decimal("0.999")
        paid = trade.quantity * (trade.entry_price + trade.exit_price) * Decimal("0.0005")
        assert trade.fees == paid
        assert tested.account.wallet.balance == 10_000 + trade.gross - paid
        # it is sold at the first price of the candle after the one that it was bought in
        assert tested.exposed == 1

    def test_a_stop_is_met_within_a_candle_and_before_the_target_where_that_comes_later(
        self,
    ) -> None:
        # a rising candle goes down first
        made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_000, 1_200, 900, 1_100)]
        tested = run_backtest(
            plan(made, script("buy"), stop_loss=Decimal(5), take_profit=Decimal(5))
        )
        (trade,) = tested.trades
        assert trade.closed_because == "Stop-loss"
        # 5 % below the price that it was bought at, and the slippage
        assert trade.exit_price == Decimal("950.2")
        assert trade.closed_at.replace(microsecond=0) == BEGIN + 2 * MINUTE + timedelta(seconds=7)
        assert tested.ambiguous_trades == 1

    def test_a_falling_candle_goes_up_first(self) -> None:
        made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_000, 1_200, 900, 950)]
        tested = run_backtest(
            plan(made, script("buy"), stop_loss=Decimal(5), take_profit=Decimal(5))
        )
        assert [each.closed_because for each in tested.trades] == ["Take-profit"]

    def test_a_position_is_liquidated_and_loses_its_margin(self) -> None:
        made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_000, 1_000, 940, 950)]
        tested = run_backtest(plan(made, script("buy"), leverage=Decimal(20), stake=Decimal(100)))
        (trade,) = tested.trades
        assert trade.closed_because == "Liquidation"
        assert -101 < trade.gross < -99

    def test_funding_is_settled_while_something_is_held(self) -> None:
        # from 07:58 on; the settlement is at 08:00
        begin = BEGIN.replace(hour=7, minute=58)
        made = bodies(*[1_000] * 6, begin=begin)
        tested = run_backtest(plan(past(made, rate="0.001", mark=2_000), script("buy")))
        (position,) = tested.account.positions
        assert position.funding == -position.quantity * 2
        assert tested.account.wallet.funding == position.funding
        assert not tested.skipped_funding

    def test_a_settlement_whose_rate_is_not_known_is_left_out_and_told(self) -> None:
        begin = BEGIN.replace(hour=7, minute=58)
        tested = run_backtest(plan(bodies(*[1_000] * 6, begin=begin), script("buy")))
        assert tested.skipped_funding
        assert tested.account.wallet.funding == 0

    def test_a_limit_closes_what_is_held_and_stops_it(self) -> None:
        prices = [1_000, 1_000, 1_000, 980, 960, 900, 800]
        tested = run_backtest(plan(bodies(*prices), script("buy"), max_drawdown=Decimal(30)))
        assert tested.stopped_because.startswith("Is ")
        assert "below its best, with at most 30.00 allowed" in tested.stopped_because
        (trade,) = tested.trades
        assert trade.exit_price == Decimal("959.9")
        assert not tested.account.positions

    def test_what_is_still_open_is_worth_the_last_price(self) -> None:
        tested = run_backtest(plan(bodies(1_000, 1_000, 1_000, 1_100), script("buy"), terms=FREE))
        (position,) = tested.account.positions
        assert position.mark_price == 1_100
        assert tested.points[-1].equity == tested.account.equity
        assert tested.account.equity == 10_000 + position.quantity * (1_100 - Decimal("1000.1"))

    def test_the_same_plan_comes_to_the_same(self) -> None:
        made = bodies(*(1_000 + (number * 7919) % 97 for number in range(300)))
        one, other = (run_backtest(plan(made, after_a_rise)) for _ in range(2))
        assert one == other
        assert one.trades


class TestProgress:
    """Whoever waits hears how far it is, and may end it."""

    def test_it_is_told_from_nothing_to_all(self) -> None:
        told: list[float] = []
        run_backtest(plan(bodies(*range(100, 1_101)), script()), told.append)
        assert told == sorted(told)
        assert (told[0], told[-1]) == (0, 1)
        assert len(told) > 10

    def test_it_ends_where_nobody_wants_it(self) -> None:
        def tell(progress: float) -> None:
            if progress > 0.5:
                raise Cancelled

        with pytest.raises(Cancelled):
            run_backtest(plan(bodies(*range(100, 1_101)), script()), tell)

    def test_what_a_strategy_raises_comes_through(self) -> None:
        def decide(_candles: Candles, _position: Holding | None) -> Signal:
            raise ZeroDivisionError("by hand")

        with pytest.raises(ZeroDivisionError):
            run_backtest(plan(bodies(100, 101, 102), decide))


class Walked(backtest._Test):
    """A test that looks at every price, whatever could happen there."""

    def _is_quiet(self, _candle: Candle, _stamp: int) -> bool:
        return False

    def _play_price(
        self,
        moment: datetime,
        stamp: int,
        price: Decimal,
        mark: Decimal,
        moved_from: Quote | None = None,
    ) -> None:
        self._quote(moment, price, mark, moved_from)
        change = advance(self._account, self._market, self._settlements())
        assert is_due(self._account, self._market) or not change.bookings
        if moved_from is not None:
            self._ambiguous += any(map(self._is_ambiguous, change.bookings))
        self._take(change)
        if stamp // 60 != self._minute:
            self._minute = stamp // 60
            self._evaluate(moment, stamp, price, mark)


def walked(made: Plan) -> backtest.BacktestResult:
    """What comes of ``made`` where every price is looked at."""
    test = Walked(made)
    for each in made.history.candles[made.begin :]:
        test.play(each)
    return test.result()


def said_by(chance: int) -> Any:
    """A strategy whose words hang on ``chance`` and the newest close alone."""

    def decide(candles: Candles, _position: Holding | None) -> Signal:
        said = (int(candles.close[-1] * 10) * 31 + chance) % 11
        side: Any = {0: "buy", 1: "sell", 2: "close"}.get(said, "hold")
        return Signal(side, 1.0, f"Said {said}")

    return decide


_MOVES = st.lists(
    st.tuples(st.integers(-60, 60), st.integers(0, 60), st.integers(0, 60)),
    min_size=20,
    max_size=120,
)
_PERCENT = st.sampled_from([None, Decimal("0.2"), Decimal("0.7"), Decimal(3)])


@settings(max_examples=150)
@given(
    moves=_MOVES,
    chance=st.integers(0, 10),
    leverage=st.sampled_from([1, 10, 100]),
    seconds=st.sampled_from([60, 60, 60, 300]),
    rate=st.sampled_from([None, "0.0005", "-0.0003"]),
    stop=_PERCENT,
    target=_PERCENT,
    trail=_PERCENT,
    limit=st.sampled_from([None, Decimal(25)]),
)
def test_prices_that_are_passed_over_change_nothing(
    moves: list[tuple[int, int, int]],
    chance: int,
    leverage: int,
    seconds: int,
    rate: str | None,
    stop: Decimal | None,
    target: Decimal | None,
    trail: Decimal | None,
    limit: Decimal | None,
) -> None:
    price, made = 10_000, []
    for number, (move, up, down) in enumerate(moves):
        close = max(1_000, price + move)
        high, low = max(price, close) + up, min(price, close) - down
        # over the settlement at 08:00
        begin = BEGIN.replace(hour=7, minute=40)
        made.append(candle(number, price, high, low, close, seconds=seconds, begin=begin))
        price = close
    asked = plan(
        past(made, seconds=seconds, rate=rate),
        said_by(chance),
        begin=min(5, len(made) - 1),
        leverage=Decimal(leverage),
        stop_loss=stop,
        take_profit=target,
        trailing_stop=trail,
        max_daily_loss=limit,
    )
    assert run_backtest(asked) == walked(asked)


def test_the_order_of_prices_within_a_candle_is_that_of_a_replay() -> None:
    # a wick that only one of the two ways meets before the position is turned at the next candle
    made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_000, 1_010, 990, 1_000)]
    tested = run_backtest(
        plan(made, script("buy"), take_profit=Decimal("0.8"), stop_loss=Decimal("0.8"))
    )
    # neither rose nor fell: down first
    assert [each.closed_because for each in tested.trades] == ["Stop-loss"]


def test_a_candle_that_begins_within_a_minute_is_looked_at_price_by_price() -> None:
    begin = BEGIN + timedelta(seconds=30)
    made = bodies(*(1_000 + (number * 37) % 23 for number in range(60)), begin=begin)
    asked = plan(made, said_by(3), trailing_stop=Decimal("0.3"))
    assert run_backtest(asked) == walked(asked)
    assert run_backtest(replace(asked, begin=7)) == walked(replace(asked, begin=7))
