"""Bots that are killed at any moment of trading go on as if nothing had been: no position without
its owner, no candle traded twice, no trade that is not summed up."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial, reduce
from pathlib import Path

import pytest

from balance.bots.state import bot_file
from balance.core.candles import MINUTE, interval_of
from balance.core.entry import Entry
from balance.core.trade_sums import TradeSums
from balance.store.file_store import FileStore
from balance.store.verification import verify
from tests.bots_alone import BOTS, TURNCOAT, write_walk
from tests.length import rounds
from tests.patience import wait_for
from tests.serving import ROOT

KILLS = rounds(5, 50)
CANDLES = 20_000
SPEED = "3000"


@pytest.fixture
def feed(tmp_path: Path) -> list[str]:
    """Two symbols, replayed at fifty candles a second."""
    for number, (name, price) in enumerate((("BTC", 40_000.0), ("ETH", 2_500.0))):
        write_walk(tmp_path / f"{name}.csv", CANDLES, price, number)
    files = [f"replay:{name}/USDT={tmp_path / name}.csv" for name in ("BTC", "ETH")]
    return ["--feed", files[0], "--feed", files[1], "--speed", SPEED]


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    """A folder with a strategy of a person's own."""
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "turncoat.py").write_text(TURNCOAT)
    return folder


def live(folder: Path, strategies: Path, feed: list[str], until: Callable[[], object]) -> None:
    """Run from the first price on until ``until`` returns, and be killed."""
    command = [sys.executable, "-m", "tests.bots_alone", str(folder), str(strategies), *feed]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        until()
        assert process.poll() is None, "it ended by itself"
    finally:
        process.kill()
        process.communicate()


def openings(entries: list[Entry]) -> Counter[tuple[str, datetime]]:
    """How often each bot opened in each minute of the market."""
    return Counter(
        (fill.owner, interval_of(fill.filled_at, MINUTE))
        for entry in entries
        if (fill := entry.booking.fill) is not None
        and fill.filled_at is not None
        and fill.quantity > fill.closed_quantity
    )


def check(folder: Path, entries: list[Entry]) -> None:
    """That all is consistent, whatever the last life was cut off in."""
    assert verify(folder).faults == ()
    kept = bot_file(folder).latest()
    owners = {bot.id for bot in kept.bots.values()}
    assert [bot.status for bot in kept.bots.values()] == ["running"] * len(BOTS)
    account = FileStore(folder).read().account
    assert {each.owner for each in account.positions} <= owners
    assert {each.owner for each in account.orders} <= owners
    assert set(openings(entries).values()) <= {1}
    for owner in owners:
        times = [
            each.booking.fill.filled_at
            for each in entries
            if each.booking.fill and each.booking.fill.owner == owner
        ]
        # a candle that was traded lies behind the bot for good
        assert times == sorted(times, key=str)


def test_bots_that_are_killed_trade_no_candle_twice(
    folder: Path, feed: list[str], strategies: Path
) -> None:
    chance = random.Random(11)
    for _ in range(KILLS):
        moment = chance.uniform(0.05, 0.7)
        live(folder, strategies, feed, partial(time.sleep, moment))
        check(folder, list(FileStore(folder).entries())[::-1])
    before = FileStore(folder).read().revision

    def has_kept_and_summed_up() -> bool:
        store = FileStore(folder)
        counts = Counter(owner for owner, _ in openings(list(store.entries())).elements())
        has_traded = all(counts[each] > KILLS for each in ("turncoat-1", "nervous-3"))
        return has_traded and bot_file(folder).latest().revision > before

    live(folder, strategies, feed, partial(wait_for, has_kept_and_summed_up, "enough trades"))
    entries = list(FileStore(folder).entries())[::-1]
    check(folder, entries)
    counts = Counter(owner for owner, _ in openings(entries).elements())
    assert counts["turncoat-1"] > KILLS
    assert counts["nervous-3"] > KILLS
    kept = bot_file(folder).latest()
    for bot in kept.bots.values():
        trades = [
            each.booking.fill.trade
            for each in entries
            if each.revision <= kept.revision and each.booking.fill and each.booking.fill.trade
        ]
        own = (trade for trade in trades if trade.owner == bot.id)
        expected = reduce(TradeSums.with_trade, own, TradeSums())
        # The file has no place for the best and the worst trade.
        assert bot.sums == replace(expected, best=None, worst=None)
    print(f"{KILLS} kills, {sum(counts.values())} openings by {len(counts)} bots")
