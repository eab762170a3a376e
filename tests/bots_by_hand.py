"""Bots for the tests, on an account in a folder and in a market that a test moves by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from balance.bots.bots import Bots
from balance.core.candles import merge_candles
from balance.core.market import Market
from balance.core.matching import is_due
from balance.core.position import Position
from balance.core.quote import Candle
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.store.disk import Disk
from balance.store.file_store import FileStore
from balance.strategies.own import Catalogue, OwnStrategies
from tests.markets import BTC, ETH, FREE, market, quote
from tests.refusing import RefusingDisk

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

#: A strategy that a test tells what to do with the price at which a candle closes.
LEVELS = '''"""Does what the price says."""

import time

from balance import Signal


def decide(candles, position):
    """Buy from 41,000 on and sell from 39,000 down; two prices are for what goes wrong."""
    price = candles[-1].close
    if price == 13_000:
        raise ValueError("thirteen")
    if price == 14_000:
        time.sleep(0.5)
    if price >= 41_000:
        return Signal("buy", 0.9, f"{price:,.0f} is high")
    if price <= 39_000:
        return Signal("sell", 0.6, f"{price:,.0f} is low")
    return Signal("close", 1, "Flat") if price == 40_500 else None
'''
#: What the bots of these tests have.
USUAL: Mapping[str, Any] = {
    "name": "Levels",
    "symbol": BTC,
    "timeframe": "1m",
    "strategy": "own_levels",
    "stake": 1_000,
    "stake_unit": "usdt",
    "leverage": 4,
}


class ByHand:
    """Bots, their desk and their market: Bitcoin at 40,000 at noon, without fees and slippage."""

    def __init__(
        self,
        folder: Path,
        *,
        secret: str | None = None,
        feed: str = "simulated",
        disk: Disk | None = None,
    ) -> None:
        self.folder = folder
        self.disk = RefusingDisk()
        disk = disk or self.disk
        self.board = LiveBoard()
        self.board.market = market(
            quote(BTC, 40_000, time=NOON), quote(ETH, 2_000, time=NOON), terms=FREE, feed=feed
        )
        self.board.candles = self.candles
        # of a minute each, by symbol; the last one is running
        self.minutes: dict[str, list[Candle]] = {BTC: [], ETH: []}
        strategies = folder.with_name("strategies")
        if not strategies.exists():
            strategies.mkdir()
            (strategies / "levels.py").write_text(LEVELS)
        self.desk = Desk(FileStore(folder, disk=disk), self.board)
        self.bots = Bots(self.desk, Catalogue(OwnStrategies(strategies)), folder, secret, disk)
        self.heard: list[Mapping[str, Any]] = []
        self.bots.subscribe(self.heard.append)
        self.bots.begin()
        self.heard.clear()

    @property
    def market(self) -> Market:
        """The market as it is."""
        return self.board.market

    @property
    def now(self) -> datetime:
        """Its time."""
        return self.market.quotes[BTC].time

    def price(self, mark: object, *, seconds: int = 1, symbol: str = BTC) -> None:
        """``symbol`` costs ``mark`` some ``seconds`` later; what is due is done, and bots look."""
        moment = self.now + timedelta(seconds=seconds)
        quotes = {
            each.symbol: replace(each, time=moment) for each in self.market.quotes.values()
        } | {symbol: quote(symbol, mark, time=moment)}
        bests = self.desk.account().bests(self.market)
        tick = self.market.tick + 1
        self.board.market = replace(self.market, quotes=quotes, bests=bests, tick=tick)
        self._extend(quotes)
        if is_due(self.desk.account(), self.market):
            self.desk.advance(self.market, {})
        self.bots.look(self.market)

    def close(self, *marks: object, symbol: str = BTC) -> None:
        """For each of ``marks``: a minute passes that closes at it, and the next one begins so."""
        for mark in marks:
            ends = self.now.replace(second=0, microsecond=0) + MINUTE
            self.price(mark, seconds=int((ends - self.now).total_seconds()) - 1, symbol=symbol)
            self.price(mark, symbol=symbol)

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """What the board gives."""
        return list(merge_candles(self.minutes[symbol], seconds))[-limit:]

    def create(self, *, start: bool = True, **members: Any) -> str:
        """The id of a new bot with the usual settings and ``members``, by default started."""
        done = self.bots.create({**USUAL, **members})
        bot: str = done.members["bot"]["id"]
        if start:
            self.bots.start(bot)
        return bot

    def row(self, bot: str) -> Mapping[str, Any]:
        """The row of ``bot``."""
        return next(each for each in self.bots.listed()["bots"] if each["id"] == bot)

    def held(self, symbol: str = BTC) -> Position | None:
        """The position of ``symbol``."""
        return self.desk.account().position(symbol)

    def side(self, symbol: str = BTC) -> str:
        """Its side; empty where there is none."""
        held = self.held(symbol)
        return "" if held is None else held.side

    def revision(self) -> int:
        """How many changes the account has had."""
        return self.desk.version[1]

    def log(self, **asked: Any) -> list[tuple[str, str]]:
        """The kinds and words of the log, oldest first."""
        entries = self.bots.log(**asked).entries
        return [(each["kind"], each["words"]) for each in entries][::-1]

    def again(self, **how: Any) -> ByHand:
        """The bots after a restart that nothing was kept for, in the market as it stood."""
        other = ByHand(self.folder, **how)
        other.board.market = replace(self.market, feed=other.market.feed)
        other.minutes = self.minutes
        other.bots.begin()
        other.heard.clear()
        return other

    def _extend(self, quotes: Mapping[str, Any]) -> None:
        for symbol, each in quotes.items():
            begun, price = each.time.replace(second=0, microsecond=0), each.last
            known = self.minutes[symbol]
            if known and known[-1].time == begun:
                last = known.pop()
                low, high = min(last.low, price), max(last.high, price)
                candle = replace(last, low=low, high=high, close=price)
            else:
                candle = Candle(
                    time=begun, open=price, high=price, low=price, close=price, volume=price
                )
            known.append(candle)
