"""The grid follows the price within one file: in a backtest, in a replay and on an exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from balance.backtests.backtest import Plan, run_backtest
from balance.backtests.candles import history_of_feed, history_of_file, plan_backtest
from balance.backtests.report import notes, report
from balance.core.instruments import KNOWN, fits, fitting_rules, instrument, rules_at, rules_over
from balance.core.matching import advance, is_due, regrid
from balance.core.money import exact
from balance.core.quote import Candle
from balance.market.exchange.quotes import QuoteBuilder
from balance.market.replay.candle_file import candles_in, read_candles
from balance.market.replay.feed import ReplayFeed
from balance.strategies.own import Catalogue
from tests.accounts import account, order, position
from tests.backtesting import csv_of, script
from tests.backtesting import settings as bot
from tests.markets import BTC, FREE, market, quote
from tests.patience import patience
from tests.screen import wait_for
from tests.serving import Server

NEW = "NEW/USDT"
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def d(number: object) -> Decimal:
    return Decimal(str(number))


def hours(*closes: Decimal) -> list[Candle]:
    """Hourly candles from one price to the next."""
    return [
        Candle(
            time=BEGIN + number * HOUR,
            open=before,
            high=max(before, close),
            low=min(before, close),
            close=close,
            volume=Decimal(1_000),
        )
        for number, (before, close) in enumerate(pairwise(closes))
    ]


def slide(first: object, last: object, count: int) -> list[Decimal]:
    """``count`` prices from ``first`` to ``last``, each by the same factor from the one before."""
    begin, end = float(d(first)), float(d(last))
    way = [begin * (end / begin) ** (place / (count - 1)) for place in range(count)]
    return [d(f"{price:.6g}") for price in way]


#: From 80 to 0.00005, and then up by half.
FALL = [*slide(80, "0.00005", 601), *slide("0.00005", "0.000073", 200)]
#: The same way back.
RISE = [*slide("0.00005", 80, 601), *slide(80, 120, 200)]


def planned_on(closes: Sequence[Decimal], *sides: str, since: int = 0, **changes: Any) -> Plan:
    """A backtest that says ``sides`` from the candle ``since`` on, at no cost."""
    past = history_of_file(candles_in([("new.csv", csv_of(hours(*closes)).encode())]), NEW)
    usual = {"symbol": NEW, "timeframe": "1h", "stake": d(100), "leverage": d(1)}
    chosen = Catalogue().kind("buy_and_hold").make({})
    return plan_backtest(
        past,
        bot(**{**usual, **changes}),
        chosen,
        script(*sides),
        balance=d(10_000),
        since=BEGIN + since * HOUR,
        terms=FREE,
    )


# the rules on their way


def test_the_rules_change_where_the_price_has_left_them() -> None:
    candles = hours(*FALL)
    rules = rules_over(instrument(NEW, candles[0].open), candles)
    assert [each.tick_size for _, each in rules] == [
        d("0.001"),
        d("0.00001"),
        d("0.0000001"),
        d("1e-9"),
    ]
    for candle in candles:
        now = rules_at(rules, candle.time)
        assert fits(now.tick_size, candle.low)
        assert fits(now.tick_size, candle.high)


def test_the_rules_of_a_price_that_rises_become_coarser() -> None:
    candles = hours(*RISE)
    rules = rules_over(instrument(NEW, candles[0].open), candles)
    ticks = [each.tick_size for _, each in rules]
    assert ticks == sorted(ticks)
    assert rules_at(rules, candles[-1].time).tick_size >= d("0.00001")
    for candle in candles:
        assert fits(rules_at(rules, candle.time).tick_size, candle.high)


def test_within_the_grid_nothing_changes() -> None:
    candles = hours(*slide(80, 300, 100), *slide(300, 20, 100))
    assert rules_over(instrument(NEW, d(80)), candles) == [(BEGIN, instrument(NEW, d(80)))]


def test_an_exchanges_own_rules_are_never_left() -> None:
    own = market().instruments[BTC]
    fixed = type(own)(**{name: getattr(own, name) for name in _FIELDS})
    assert not fixed.follows_price
    assert fitting_rules(fixed, d("0.001"), d("0.002")) is fixed
    assert len(rules_over(fixed, hours(*FALL))) == 1


_FIELDS = ("symbol", "tick_size", "step_size", "min_quantity", "min_notional", "brackets")


def test_a_candle_that_falls_by_orders_of_magnitude_has_a_grid_for_all_of_it() -> None:
    rules = fitting_rules(instrument(NEW, d(80)), d("0.00005"), d("0.13"))
    with exact():
        assert rules.tick_size <= d("0.00005") / 10_000
        assert rules.step_size * d("0.13") <= 1
    assert fitting_rules(rules, d("0.00005"), d("0.00006")) is rules


def test_all_but_the_grid_stays_as_it_is() -> None:
    own = replace(instrument(NEW, d(80)), funding_interval=HOUR, has_mark=False)
    after = fitting_rules(own, d("0.00005"), d("0.00005"))
    grid = ("tick_size", "step_size", "min_quantity")
    assert all(getattr(after, name) != getattr(own, name) for name in grid)
    assert replace(after, **{name: getattr(own, name) for name in grid}) == own


def test_bitcoin_has_its_usual_grid_again_once_it_is_dear() -> None:
    candles = hours(*slide("0.05", 60_000, 500))
    rules = rules_over(instrument(BTC, candles[0].open), candles)
    assert rules[-1][1] == KNOWN[BTC]


# backtests


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_what_is_bought_after_a_long_fall_costs_what_it_costs(side: str) -> None:
    made = planned_on(FALL, side, "close", since=620)
    (trade,) = (of := run_backtest(made)).trades
    for price, candle in zip(
        (trade.entry_price, trade.exit_price), made.history.candles[made.begin + 1 :], strict=False
    ):
        assert abs(price / candle.open - 1) < d("0.001")
    # a candle rises by 0.2 %
    assert abs(trade.gross) < d("0.5")
    assert "left its grid" not in notes(made, of)


def test_buy_and_hold_brings_what_the_price_does() -> None:
    made = planned_on(FALL, "buy", since=600, stake=d(100), stake_unit="percent")
    told = report(made, run_backtest(made))
    assert abs(told["return_percent"] - told["hold_percent"]) < d("0.5")
    assert told["hold_percent"] > 45


def test_what_was_sold_short_at_the_top_brings_the_whole_fall() -> None:
    made = planned_on(FALL, "sell", stake=d(1_000))
    of = run_backtest(made)
    (held,) = of.account.positions
    assert held.mark_price == FALL[-1]
    assert 999 < held.unrealized_pnl < 1_000
    said = notes(made, of)
    assert said.count("The price of NEW/USDT left its grid: from 2022-01-") == 3
    assert "its tick is 0.00001 and its step" in said


def test_an_order_that_rests_is_kept_while_the_price_rises() -> None:
    # bought at 0.00005, with a target of 900 % and a stop
    made = planned_on(RISE, "buy", take_profit=d(900), stop_loss=d(50))
    of = run_backtest(made)
    (trade,) = of.trades
    assert trade.closed_because == "Take-profit"
    assert abs(trade.exit_price / trade.entry_price - 10) < d("0.02")


def test_a_backtest_of_the_feeds_past_follows_too() -> None:
    candles = hours(*FALL)
    now = instrument(NEW, candles[-1].close)
    past = history_of_feed(lambda *_: candles, lambda *_: None, now)
    for candle in past.candles:
        assert fits(rules_at(past.rules, candle.time).tick_size, candle.low)


# orders that are open while the grid changes


@pytest.mark.parametrize(
    ("order_changes", "expected"),
    [
        ({"side": "buy", "price": d("0.12345")}, {"price": d("0.13")}),
        ({"side": "sell", "price": d("0.12345")}, {"price": d("0.12")}),
        (
            {"side": "sell", "type": "stop_market", "price": None, "trigger_price": d("0.0012")},
            {"trigger_price": d("0.01")},
        ),
        (
            {"side": "buy", "type": "stop_market", "price": None, "trigger_price": d("5.001")},
            {"trigger_price": d("5.01")},
        ),
        (
            {"side": "buy", "price": d(2), "take_profit": d("3.339"), "stop_loss": d("1.119")},
            {"price": d(2), "take_profit": d("3.33"), "stop_loss": d("1.11")},
        ),
        (
            {"side": "sell", "price": d(2), "take_profit": d("1.119"), "stop_loss": d("3.331")},
            {"price": d(2), "take_profit": d("1.12"), "stop_loss": d("3.34")},
        ),
    ],
)
def test_an_open_order_is_kept_at_a_price_that_is_not_better(
    order_changes: dict[str, Any], expected: dict[str, Decimal]
) -> None:
    rules = instrument(NEW, d(200))
    assert rules.tick_size == d("0.01")
    before = order(symbol=NEW, reserved_margin=d(1), **order_changes)
    change = regrid(account(orders=(before,)), rules)
    (after,) = change.account.orders
    assert after.id == before.id
    assert {name: getattr(after, name) for name in expected} == expected
    assert not after.is_off_grid(rules)
    (booking,) = change.bookings
    assert (booking.kind, booking.amount) == ("order", 0)
    assert "On the new tick 0.01: " in booking.note
    # once is enough
    assert regrid(change.account, rules).bookings == ()


def test_orders_stay_in_their_order_and_the_position_stays() -> None:
    prices = ("1.111", "2", "3.333", "4")
    orders = tuple(order(id=f"o-{each}", symbol=NEW, price=d(each)) for each in prices)
    other = order(id="btc", symbol=BTC, price=d(39_000))
    held = position(symbol=NEW)
    of = account(orders=(orders[0], other, *orders[1:]), positions=(held,))
    after = regrid(of, instrument(NEW, d(200))).account
    assert [each.id for each in after.orders] == [each.id for each in of.orders]
    assert [each.price for each in after.orders_of(NEW)] == [d("1.12"), d(2), d("3.34"), d(4)]
    assert after.positions == (held,)
    assert after.orders_of(BTC) == (other,)


def test_a_finer_tick_moves_no_order() -> None:
    dear = instrument(NEW, d(80))
    orders = tuple(
        order(symbol=NEW, price=dear.tick_size * each, side=side)
        for each, side in ((81_234, "sell"), (60_001, "buy"))
    )
    for price in ("1", "0.001", "0.00005", "1e-9"):
        assert regrid(account(orders=orders), instrument(NEW, d(price))).bookings == ()


def test_what_an_order_keeps_back_grows_with_its_price() -> None:
    before = order(symbol=NEW, price=d("0.004"), reserved_margin=d(20))
    after = regrid(account(orders=(before,)), instrument(NEW, d(200))).account
    assert after.orders[0].reserved_margin == 50
    after.check()


def test_an_order_that_can_not_be_paid_there_is_cancelled() -> None:
    before = order(symbol=NEW, price=d("0.004"), reserved_margin=d(20))
    small = order(id="o-2", symbol=NEW, price=d("0.0101"), reserved_margin=d(10))
    change = regrid(account(40, orders=(before, small)), instrument(NEW, d(200)))
    change.account.check()
    assert [each.kind for each in change.bookings] == ["cancel", "order"]
    assert "0.01 is the nearest price of its new grid" in change.bookings[0].note
    assert [each.id for each in change.account.orders] == ["o-2"]


@given(
    st.sampled_from(["buy", "sell"]),
    st.decimals("0.00001", "1000", places=8),
    st.decimals("0.00001", "10000", places=5),
)
def test_no_order_fares_better_for_its_new_price(side: str, price: Decimal, now: Decimal) -> None:
    rules = instrument(NEW, now)
    before = order(symbol=NEW, side=side, price=price, reserved_margin=d(0))
    after = regrid(account(orders=(before,)), rules).account.orders[0].price or d(0)
    assert abs(after - price) < rules.tick_size or price < rules.tick_size
    assert after >= price if side == "buy" else after <= max(price, rules.tick_size)


def test_the_market_puts_open_orders_on_its_tick() -> None:
    rules = instrument(NEW, d(200))
    at = market(quote(NEW, 200), instruments={NEW: rules}, terms=FREE)
    of = account(orders=(order(symbol=NEW, price=d("1.111"), feed="simulated"),))
    assert is_due(of, at)
    change = advance(of, at, {})
    assert [each.kind for each in change.bookings] == ["order"]
    assert change.account.orders[0].price == d("1.12")
    assert not is_due(change.account, at)


# replays


def test_a_replay_tells_the_rules_of_each_moment(tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text(csv_of(hours(*FALL)))
    feed = ReplayFeed({NEW: file}, speed=None)
    said = set()
    assert feed.message == ""
    while quotes := feed.next(0):
        (told,) = quotes
        rules = feed.instruments[NEW]
        assert told.ask - told.bid == rules.tick_size
        assert fits(rules.tick_size, told.last)
        said.add(feed.message)
    assert len(said) == 4
    assert feed.message.startswith("The replay has ended")
    again = ReplayFeed({NEW: file}, speed=None, start=BEGIN + 700 * HOUR)
    assert again.instruments[NEW].tick_size == d("1e-9")
    assert "its tick is 0.000000001 and its step" in again.message


def test_a_backtest_has_the_rules_of_the_replay(tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text(csv_of(hours(*RISE)))
    feed = ReplayFeed({NEW: file}, speed=None)
    rules = history_of_file(read_candles(file), NEW).rules
    while quotes := feed.next(0):
        assert feed.instruments[NEW] == rules_at(rules, quotes[0].time)


def test_a_running_replay_keeps_what_is_open_on_its_way_up(tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text(csv_of(hours(*RISE)))
    options = ("--feed", f"replay:{NEW}={file}")
    # the market's next moment is a quarter of an hour away
    with Server(tmp_path / "data", *options, "--speed", "1") as server:
        bought = {"symbol": NEW, "side": "buy", "notional": 100, "leverage": 1}
        waiting = {**bought, "type": "limit", "price": 0.000041234, "notional": 50}
        for body in (bought, waiting):
            answer = requests.post(f"{server.url}/orders", json=body, timeout=patience())
            assert answer.status_code == 200, answer.text
        (before,) = answer.json()["open_orders"]
        assert before["price"] == 0.000041234
        server.stop()
    with Server(tmp_path / "data", *options, "--speed", "1000000000") as server:
        wait_for(lambda: server.get("/prices").json()["state"] == "ended", "the end of the replay")
        price = server.get("/prices").json()["prices"][NEW]
        snapshot = server.get().json()
        history = server.get("/virtual_balance/history").json()
    assert price["tick_size"] >= 0.0001
    assert price["last"] == 120
    (held,), (waiting,) = snapshot["positions"], snapshot["open_orders"]
    # 100 USDT, less than a step of half a USDT, at 0.00005
    assert held["notional"] > 99.4 / 0.00005001 * 120
    assert waiting["price"] == price["tick_size"]
    assert waiting["quantity"] == before["quantity"]
    moved = [each for each in history["entries"] if "On the new tick" in each["note"]]
    assert moved
    assert all(each["amount"] == 0 for each in moved)


# exchanges


def test_an_exchange_that_tells_no_tick_is_followed() -> None:
    board = QuoteBuilder(instrument(NEW, d(80)), perpetual=False)
    now, seen = BEGIN, 0.0

    def told(price: object) -> Any:
        nonlocal now, seen
        now, seen = now + timedelta(seconds=1), seen + 1
        text = str(price)
        return board.take({"last": text, "bid": text, "ask": text}, now, seen)

    assert told(80).bid == 80
    for _ in range(5):
        found = told("0.000051234")
    assert found.last == d("0.000051234")
    assert board.instrument.tick_size == d("1e-9")
