"""Bots that trade often, for measurements beside them."""

from __future__ import annotations

from typing import Any

from tests.serving import Server

_SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
_STRATEGIES: tuple[dict[str, Any], ...] = (
    {"strategy": "ema_crossover", "params": {"fast": 2, "slow": 5}},
    {"strategy": "rsi_reversion", "params": {"period": 5}},
    {"strategy": "bollinger_reversion", "params": {"period": 10}},
    {"strategy": "donchian_breakout", "params": {"entry": 5, "exit": 3}},
    {"strategy": "buy_and_hold"},
)


def start_bots(server: Server, count: int) -> list[str]:
    """Make and start ``count`` bots on candles of a minute, over all symbols; their ids."""
    ids = []
    for number in range(count):
        members = {
            **_STRATEGIES[number % len(_STRATEGIES)],
            "name": f"Bot {number + 1}",
            "symbol": _SYMBOLS[number % len(_SYMBOLS)],
            "timeframe": "1m",
            "stake": 5,
            "trailing_stop": 0.5,
        }
        answer = server.post(members, "/bots")
        assert answer.ok, answer.text
        ids.append(answer.json()["bot"]["id"])
        assert server.post(None, f"/bots/{ids[-1]}/start").ok
    return ids
