"""Bots in the engine: they look once what is due is done, and no fault of theirs stops it."""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from balance.api.stream import Stream
from balance.bots.bots import Bots
from balance.bots.followed import FollowedBots
from balance.core.candles import merge_candles
from balance.core.errors import StoreUnreadable
from balance.core.market import Market, Terms
from balance.core.quote import Candle
from balance.desk.desk import Desk
from balance.market.board import MARKET_FILE, LiveBoard, read_market
from balance.market.open_feed import add_feed_options
from balance.server import assembly
from balance.server.engine import Engine
from balance.store.file_store import ACCOUNT_FILE, FileStore
from tests.bots_by_hand import MINUTE, NOON, USUAL
from tests.feeds import HandFed
from tests.markets import BTC, FREE, on, quote

HOLD = {**USUAL, "strategy": "buy_and_hold"}


class Told(HandFed):
    """A feed by hand that makes candles of what it has told, as feeds do."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Candle] = []

    def tell(self, mark: int, after: timedelta) -> None:
        """Let Bitcoin cost ``mark`` some time after noon."""
        each = quote(BTC, mark, time=NOON + after)
        self.told.append(
            Candle(
                time=each.time, open=each.last, high=each.last, low=each.last, close=each.last,
                volume=each.last,
            )
        )  # fmt: skip
        self.give(each)

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """Those of what was told."""
        return list(merge_candles(self.told, seconds))[-limit:]


class Running:
    """An engine with bots, of which one is given a name only, and what both have shown."""

    def __init__(self, folder: Path, terms: Terms = FREE) -> None:
        self.folder, self.feed = folder, Told()
        self.board = LiveBoard(on(terms))
        self.desk = Desk(FileStore(folder), self.board)
        self.bots = Bots(self.desk, folder=folder)
        self.engine = Engine(self.desk, self.board, self.feed, lambda _: None, folder, [self.bots])
        self.bots.begin()

    def __enter__(self) -> Running:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    def minutes(self, *marks: int, begin: int = 0) -> None:
        """Let a minute pass after each of ``marks``."""
        for number, mark in enumerate(marks, start=begin):
            self.feed.tell(mark, number * MINUTE)

    def create(self, **members: Any) -> str:
        """The id of a new bot that runs."""
        bot: str = self.bots.create({**HOLD, **members}).members["bot"]["id"]
        self.bots.start(bot)
        return bot

    def side(self) -> str:
        """The side of what is held; empty where nothing is."""
        held = self.desk.account().position(BTC)
        return "" if held is None else held.side


@pytest.fixture
def run(folder: Path) -> Iterator[Running]:
    """An engine that runs, with Bitcoin at 40,000."""
    with Running(folder) as running:
        running.minutes(40_000)
        yield running


def test_a_bot_trades_while_the_engine_runs(run: Running) -> None:
    bot = run.create()
    run.minutes(40_000, 40_000, 41_000, begin=1)
    (row,) = run.bots.listed()["bots"]
    assert (row["id"], row["position"]["side"], row["pnl"]) == (bot, "long", 100)


def test_what_is_due_is_done_before_the_bots_look(run: Running) -> None:
    run.create(stop_loss=1)
    run.minutes(40_000, 40_000, begin=1)
    assert run.side() == "long"
    # at this price the stop is met and a candle closes: bought again only after it was sold
    run.minutes(39_500, begin=3)
    fills = [(each["side"], each["reason"]) for each in run.desk.fills(limit=10).entries][::-1]
    assert fills == [("buy", "order"), ("sell", "stop_loss"), ("buy", "order")]
    (row,) = run.bots.listed()["bots"]
    assert (row["trades"], row["position"]["entry_price"]) == (1, 39_500)


def test_bots_see_a_price_once_it_is_that_of_the_market(run: Running) -> None:
    seen: list[tuple[bool, int]] = []
    look = run.bots.look

    def watched(market: Market) -> None:
        seen.append((run.board.market is market, market.tick))
        look(market)

    run.bots.look = watched  # type: ignore[method-assign]
    run.minutes(40_100, 40_200, begin=1)
    assert [same for same, _ in seen] == [True, True]
    assert seen[1][1] == seen[0][1] + 1


def test_what_was_missed_is_filled_but_not_decided_on(folder: Path) -> None:
    with Running(folder) as first:
        first.minutes(40_000)
        first.create()
        first.minutes(40_000, 40_000, begin=1)
        assert first.side() == "long"
        first.desk.close_position(BTC)
    second = Running(folder)
    second.feed.told = first.feed.told
    second.feed.past = [[quote(BTC, 40_000 + n, time=NOON + n * MINUTE)] for n in range(3, 9)]
    second.engine.start(last_seen=NOON)
    try:
        assert len(second.feed.missed_since) == 1
        assert second.side() == ""
        second.minutes(40_000, begin=9)
        assert second.side() == "long"
    finally:
        second.engine.stop()


def fail(*_: Any) -> None:
    raise RuntimeError("a fault of the bots")


def test_a_fault_of_the_bots_stops_neither_the_market_nor_its_trust(
    run: Running, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.desk.place_order(symbol=BTC, side="buy", quantity="0.1", stop_loss=39_000)
    monkeypatch.setattr(run.bots, "look", fail)
    monkeypatch.setattr(run.bots, "show", fail)
    run.minutes(40_500, 40_600, begin=1)
    assert run.board.market.live == {BTC}
    run.desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=10)
    run.minutes(38_000, begin=3)
    assert run.side() == ""
    faults = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert 1 <= len(faults) <= 2


def test_an_account_that_can_not_be_read_keeps_no_prices_from_being_saved(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.create()
    run.minutes(40_000, 40_000, begin=1)
    file = run.folder / ACCOUNT_FILE
    good = file.read_bytes()
    file.write_bytes(b"{")
    monkeypatch.setattr("balance.server.engine.SAVE_SECONDS", 0)
    run.minutes(40_700, 40_800, 40_900, begin=3)
    saved = read_market((run.folder / MARKET_FILE).read_bytes())
    assert saved.quotes[BTC].last >= 40_700
    file.write_bytes(good)
    run.minutes(41_000, begin=6)
    assert run.bots.listed()["bots"][0]["position"]["side"] == "long"


def test_looking_and_showing_cost_little_where_there_is_nothing_to_do(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.create(trailing_stop=5, max_drawdown=5_000)
    run.minutes(40_000, 40_000, begin=1)
    assert run.side() == "long"
    counts = {"read": 0, "commit": 0, "entries": 0, "candles": 0}

    def counted(name: str, owner: Any) -> None:
        original = getattr(owner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, call)

    for name in ("read", "commit", "entries"):
        counted(name, FileStore)
    counted("candles", Told)
    market = run.board.market
    # within a minute that every bot has looked in, prices cost a look at the account's version
    for number in range(1, 41):
        moment = market.quotes[BTC].time + timedelta(seconds=number)
        later = replace(market, quotes={BTC: quote(BTC, 40_000, time=moment)})
        run.bots.look(later)
    assert counts["commit"] == counts["entries"] == counts["candles"] == 0
    assert counts["read"] <= 3 * 40
    counts["read"] = 0
    for _ in range(100):
        run.bots.show()
    assert counts["read"] <= 20
    assert counts["commit"] == counts["entries"] == 0


def test_bots_are_kept_when_the_engine_stops(folder: Path) -> None:
    with Running(folder) as first:
        first.minutes(40_000)
        first.create()
        first.minutes(*[40_000] * 3, begin=1)
        row = first.bots.listed()["bots"]
    assert Running(folder).bots.listed()["bots"] == [
        # nothing is live yet
        {**row[0], "display": {**row[0]["display"], "status": "Waits for prices"}}
    ]


def test_requests_and_the_engine_do_not_get_in_each_others_way(run: Running) -> None:
    faults: list[BaseException] = []

    def ask(name: str) -> None:
        try:
            for number in range(12):
                bot = run.bots.create({**HOLD, "name": f"{name} {number}"}).members["bot"]["id"]
                run.bots.start(bot)
                run.bots.listed()
                run.bots.trades()
                run.bots.edit(bot, {"stake": 5})
                run.bots.stop(bot, close=True)
                run.bots.delete(bot, close=True)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    number = 1
    while any(thread.is_alive() for thread in threads):
        run.minutes(40_000 + number, begin=number)
        number += 1
    assert faults == []
    assert run.bots.listed()["bots"] == []
    assert run.side() == ""


def options(folder: Path) -> argparse.Namespace:
    """What a server on ``folder`` is started with."""
    parser = argparse.ArgumentParser()
    add_feed_options(parser)
    found = parser.parse_args([])
    found.data_dir, found.strategies, found.signal_secret = folder, None, None
    return found


def test_a_server_starts_on_an_account_that_is_damaged_and_its_bots_wait(folder: Path) -> None:
    running = Running(folder)
    running.create()
    (folder / ACCOUNT_FILE).write_bytes(b"{")
    server = assembly.Running(options(folder), Stream(1))
    try:
        server.start()
        with pytest.raises(StoreUnreadable):
            server.services.bots.listed()
    finally:
        server.stop()


def test_the_second_server_on_a_folder_shows_the_bots_of_the_first(folder: Path) -> None:
    first = assembly.Running(options(folder), Stream(1))
    try:
        assert isinstance(first.services.bots, Bots)
        first.start()
        first.services.bots.create(HOLD)
        second = assembly.Running(options(folder), Stream(1))
        assert isinstance(second.services.bots, FollowedBots)
        assert [each["name"] for each in second.services.bots.listed()["bots"]] == ["Levels"]
        second.start()
        second.stop()
    finally:
        first.stop()


def test_listeners_of_the_stream_hear_of_the_bots_from_the_start(folder: Path) -> None:
    Running(folder).create()
    stream = Stream(1)
    server = assembly.Running(options(folder), stream)
    messages = stream.listen()
    try:
        server.start()
        assert any(b"event: bots" in next(messages) for _ in range(5))
    finally:
        server.stop()
