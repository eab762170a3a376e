"""Where a file has mark prices, positions are valued and liquidated by them; where it has none, by
the last price, and that is said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from balance.backtests.backtest import run_backtest
from balance.backtests.candles import history_of_file
from balance.core.instruments import fitting_rules, instrument
from balance.desk.desk import Desk
from balance.market.board import FileBoard, LiveBoard, save_market
from balance.market.replay.candle_file import read_candles
from balance.market.replay.feed import ReplayFeed
from balance.server.engine import Engine
from balance.store.file_store import FileStore
from tests.backtesting import plan, script
from tests.markets import BTC

#: A wick that no mark price has had, on either side.
WICKS = {"buy": "1000,1000,900,1000", "sell": "1000,1100,1000,1000"}


def file_of(folder: Path, side: str, *, marks: bool) -> Path:
    """Minutes at 1,000, the fourth with a wick against ``side``; the mark stands still."""
    lines = [f"time,open,high,low,close,volume{',mark_open,mark_high,mark_low,mark_close' * marks}"]
    for minute in range(8):
        prices = WICKS[side] if minute == 3 else "1000,1000,1000,1000"
        lines.append(f"2022-01-01 00:{minute:02},{prices},1{',1000,1001,999,1000' * marks}")
    path = folder / "btcusdt.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("marks", [True, False])
class TestWick:
    """A wick of 10 % against a position of 20x."""

    def test_in_a_backtest_it_liquidates_only_where_it_is_taken_for_the_mark(
        self, tmp_path: Path, side: str, *, marks: bool
    ) -> None:
        past = history_of_file(read_candles(file_of(tmp_path, side, marks=marks)), BTC)
        tested = run_backtest(plan(past, script(side), leverage=Decimal(20), stake=Decimal(100)))
        assert [each.closed_because for each in tested.trades] == ["Liquidation"] * (not marks)
        assert len(tested.account.positions) == marks

    def test_in_a_backtest_a_stop_goes_by_the_mark(
        self, tmp_path: Path, side: str, *, marks: bool
    ) -> None:
        past = history_of_file(read_candles(file_of(tmp_path, side, marks=marks)), BTC)
        tested = run_backtest(plan(past, script(side), stop_loss=Decimal(5)))
        assert [each.closed_because for each in tested.trades] == ["Stop-loss"] * (not marks)

    def test_in_a_replay_it_is_the_same_and_the_source_of_the_mark_is_told(
        self, tmp_path: Path, folder: Path, side: str, *, marks: bool
    ) -> None:
        board = LiveBoard()
        desk = Desk(FileStore(folder), board)
        feed = ReplayFeed({BTC: file_of(tmp_path, side, marks=marks)}, speed=None)
        engine = Engine(desk, board, feed, lambda _: None, folder)
        engine.process(feed.next(0))
        desk.place_order(symbol=BTC, side=side, quantity="0.1", leverage=20)
        while quotes := feed.next(0):
            engine.process(quotes)
        assert len(desk.snapshot().positions) == marks
        price = desk.snapshot().market["prices"][BTC]
        assert price["mark_source"] == ("mark" if marks else "last")
        assert price["display"]["mark_source"] == ("" if marks else "(last price)")
        # Other programs see the same.
        save_market(tmp_path, board.market, {})
        assert FileBoard(tmp_path).market.instruments[BTC].has_mark == marks


def test_a_grid_that_follows_the_price_keeps_what_is_known_of_the_mark() -> None:
    rules = replace(instrument("NEW/USDT", Decimal(80)), has_mark=False)
    there = fitting_rules(rules, Decimal("0.00005"), Decimal("0.00006"))
    assert there.tick_size < rules.tick_size
    assert not there.has_mark
