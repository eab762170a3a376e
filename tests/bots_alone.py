"""The account, its market and its bots in a process of their own, without the screen:
``python -m tests.bots_alone FOLDER STRATEGIES FEED…`` runs until it is killed."""

from __future__ import annotations

import argparse
import random
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from balance.api.stream import Stream
from balance.bots.bots import Bots
from balance.market.open_feed import add_feed_options
from balance.server.assembly import Running

#: A strategy that is always in the market, and turns at every candle.
TURNCOAT = '''"""Turns at every candle."""

from balance import Signal


def decide(candles, position):
    """Be on the other side."""
    side = "sell" if position is not None and position.side == "long" else "buy"
    return Signal(side, 0.9, f"Was {position.side if position else 'out'}")
'''
_USUAL = {"timeframe": "1m", "stake": 5, "leverage": 5}
#: Two that are on one symbol, and one that the market stops out again and again.
BOTS = (
    {
        **_USUAL,
        "name": "Turncoat",
        "symbol": "BTC/USDT",
        "strategy": "own_turncoat",
        "trailing_stop": 0.5,
    },
    {**_USUAL, "name": "Greedy", "symbol": "BTC/USDT", "strategy": "buy_and_hold", "cooldown": 3},
    {
        **_USUAL,
        "name": "Nervous",
        "symbol": "ETH/USDT",
        "strategy": "ema_crossover",
        "params": {"fast": 2, "slow": 3},
        "stop_loss": 0.1,
        "take_profit": 0.1,
    },
)


def write_walk(
    file: Path,
    candles: int,
    price: float,
    seed: int,
    minutes: int = 1,
    begin: datetime = datetime(2022, 1, 1, tzinfo=UTC),
) -> None:
    """Write ``candles`` of some ``minutes`` into ``file``, a walk that begins at ``price``."""
    chance, moment = random.Random(seed), begin
    lines = ["time,open,high,low,close,volume"]
    for _ in range(candles):
        opened_at, price = price, price * (1 + chance.gauss(0, 0.0008))
        high, low = max(opened_at, price) * 1.0003, min(opened_at, price) * 0.9997
        prices = ",".join(f"{each:.2f}" for each in (opened_at, high, low, price))
        lines.append(f"{moment:%Y-%m-%d %H:%M},{prices},5")
        moment += timedelta(minutes=minutes)
    file.write_text("\n".join(lines))


def main(arguments: list[str]) -> None:
    """Run, with ``BOTS`` made and started where there are none yet."""
    folder, strategies, *feeds = arguments
    parser = argparse.ArgumentParser()
    add_feed_options(parser)
    options = parser.parse_args(feeds)
    options.data_dir, options.strategies = Path(folder), Path(strategies)
    options.signal_secret = None
    running = Running(options, Stream(1))
    bots = running.services.bots
    assert isinstance(bots, Bots)
    if not bots.listed()["bots"]:
        for members in BOTS:
            made = bots.create(members, key=str(members["name"]))
            bots.start(made.members["bot"]["id"])
    running.start()
    print("running", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
