"""A bot on a replay trades exactly as its backtest of the same days did: every fill, every fee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from balance.backtests.backtest import BacktestResult as Outcome
from balance.backtests.backtest import CandleHistory, Plan, run_backtest
from balance.bots.bots import Bots
from balance.bots.settings import settings_of
from balance.core.market import Market
from balance.core.quote import Settlement
from balance.core.trade import Trade
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.market.replay.candle_file import read_candles
from balance.market.replay.feed import ReplayFeed
from balance.server.engine import Engine
from balance.store.file_store import FileStore
from balance.store.verification import verify
from balance.strategies.own import Catalogue, ask_strategy
from balance.strategies.strategy import lookback_of
from tests.bots_alone import write_walk
from tests.length import LONG, rounds
from tests.markets import BTC
from tests.serving import ROOT

REAL = ROOT.parent / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"
BOTS: dict[str, dict[str, Any]] = {
    "ema": {
        "strategy": "ema_crossover",
        "timeframe": "1m",
        "stop_loss": 0.6,
        "take_profit": 1.5,
        "trailing_stop": 0.5,
        "cooldown": 7,
    },
    "bollinger": {
        "strategy": "bollinger_reversion",
        "timeframe": "1m",
        "stop_loss": 2,
        "leverage": 20,
        "stake": 30,
        "min_confidence": 0.1,
    },
    "donchian": {
        "strategy": "donchian_breakout",
        "timeframe": "5m",
        "stake": 100,
        "stake_unit": "usdt",
        "leverage": 25,
        "direction": "short",
        "trailing_stop": 0.4,
        "max_drawdown": 60,
        "max_daily_loss": 40,
    },
    # on candles of an hour
    "hourly": {
        "strategy": "ema_crossover",
        "params": {"fast": 2, "slow": 4},
        "timeframe": "5m",
        "trailing_stop": 0.5,
    },
    "hours": {
        "strategy": "ema_crossover",
        "params": {"fast": 2, "slow": 4},
        "timeframe": "1h",
    },
    "days": {
        "strategy": "ema_crossover",
        "params": {"fast": 2, "slow": 4},
        "timeframe": "1d",
    },
}
MINUTELY = ("ema", "bollinger", "donchian")


def backtest(file: Path, members: dict[str, Any], start: datetime, end: datetime) -> Outcome:
    """What came of a bot with the settings ``members`` from ``start`` until ``end``."""
    feed = ReplayFeed({BTC: file}, speed=None)
    instrument, catalogue = feed.instruments[BTC], Catalogue()
    market = Market(instruments=feed.instruments)
    settings = settings_of(members, catalogue.kind, market)
    strategy = catalogue.kind(settings.strategy).make(settings.params)
    read = read_candles(file)
    candles = [each for each in read.candles if each.time < end]

    def unknown(_: datetime) -> Settlement | None:
        return None

    past = CandleHistory(
        instrument=instrument, candles=candles, seconds=read.seconds, settlement=unknown
    )
    plan = Plan(
        settings=settings,
        decide=partial(ask_strategy, strategy),
        lookback=lookback_of(strategy),
        history=past,
        begin=sum(each.time < start for each in candles),
    )
    return run_backtest(plan, lambda _: None)


def run(
    folder: Path, file: Path, members: dict[str, Any], start: datetime, end: datetime
) -> tuple[Desk, Bots]:
    """The account after a bot with the settings ``members`` ran on the replay of the same time."""
    board = LiveBoard()
    desk = Desk(FileStore(folder), board)
    feed = ReplayFeed({BTC: file}, speed=None, start=start)
    bots = Bots(desk, folder=folder)
    engine = Engine(desk, board, feed, lambda _: None, folder, acting=[bots])
    bots.begin(anew=True)
    made = bots.create(members)
    bots.start(made.members["bot"]["id"])
    while (quotes := feed.next(0)) and quotes[0].time < end:
        engine.process(quotes)
    bots.rest()
    return desk, bots


def without_owner(trades: Sequence[Trade]) -> list[Trade]:
    return [replace(each, owner="") for each in trades]


def check(folder: Path, file: Path, name: str, start: datetime, end: datetime) -> Outcome:
    members = {"name": name, "symbol": BTC, **BOTS[name]}
    expected = backtest(file, members, start, end)
    desk, bots = run(folder, file, members, start, end)
    fills = [each.booking.fill for each in desk.ledger.closings(0)]
    trades = [each.trade for each in fills if each is not None and each.trade is not None]
    assert without_owner(trades) == without_owner(expected.trades)
    assert desk.snapshot().portfolio_value == expected.account.equity
    (row,) = bots.listed()["bots"]
    assert row["stopped_because"] == expected.stopped_because
    assert row["realized"] == expected.sums.pnl
    assert verify(folder).faults == ()
    return expected


@pytest.mark.parametrize("name", MINUTELY)
def test_a_bot_on_a_replay_trades_as_its_backtest_did(
    folder: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    write_walk(file, 1_500, 40_000, seed=5)
    start = datetime(2022, 1, 1, 8, 3, tzinfo=UTC)
    tested = check(folder, file, name, start, datetime(2022, 1, 2, tzinfo=UTC))
    assert len(tested.trades) >= 3


# Hours, weeks from Saturday on, and hours and days of a zone half an hour off.
@pytest.mark.parametrize(
    ("minutes", "name", "late"),
    [(60, "hourly", 0), (7 * 1_440, "hourly", 0), (60, "hours", 30), (1_440, "days", 1_410)],
)
def test_candles_that_are_longer_than_the_timeframe_are_waited_for(
    folder: Path, tmp_path: Path, minutes: int, name: str, late: int
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    begin, length = datetime(2022, 1, 1, 0, late % 60, tzinfo=UTC), timedelta(minutes=minutes)
    begin += timedelta(hours=late // 60)
    write_walk(file, 400, 40_000, seed=5, minutes=minutes, begin=begin)
    start = begin + 56 * length + timedelta(minutes=3)
    tested = check(folder, file, name, start, begin + rounds(152, 312) * length)
    assert len(tested.trades) >= 3


@pytest.mark.skipif(not REAL.exists(), reason="needs the real minutes beside the repository")
@pytest.mark.parametrize("name", MINUTELY if LONG else ("ema",))
def test_a_bot_on_real_minutes_trades_as_its_backtest_did(folder: Path, name: str) -> None:
    start = datetime(2022, 1, 20, 12, 3, tzinfo=UTC)
    tested = check(folder, REAL, name, start, datetime(2022, 1, 21, 8, tzinfo=UTC))
    assert len(tested.trades) >= 3
