"""Boards for the tests: markets that stand still until a test moves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from balance.core.quote import Candle
from balance.market.board import LiveBoard
from tests.accounts import MOMENT
from tests.markets import BTC, ETH, market, quote


def board(btc: object = 40_000, eth: object = 2_000, **changes: Any) -> LiveBoard:
    """Bitcoin at ``btc`` and Ether at ``eth``; Solana is known, but has no price."""
    found = LiveBoard()
    found.market = market(
        quote(BTC, btc, funding_rate="0.0001", day_open=39_000), quote(ETH, eth), **changes
    )
    found.candles = some_candles
    return found


def some_candles(_symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
    """Ten candles of ``seconds`` each, or the newest ``limit`` of them."""
    candles = [
        Candle(
            time=MOMENT + timedelta(seconds=seconds * number),
            open=Decimal(100 + number),
            high=Decimal(103 + number),
            low=Decimal(99 + number),
            close=Decimal(102 + number),
            volume=Decimal("1.5"),
        )
        for number in range(10)
    ]
    return candles[-limit:]


def priced(of: LiveBoard, btc: object) -> None:
    """Let Bitcoin be at ``btc`` from now on."""
    quotes = {**of.market.quotes, BTC: quote(BTC, btc, funding_rate="0.0001", day_open=39_000)}
    of.market = replace(of.market, quotes=quotes, tick=of.market.tick + 1)
