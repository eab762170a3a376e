"""What is asked of an index to find out whether it is sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from balance.core.errors import HistoryUnavailable
from balance.history.history import History
from balance.history.question import Question

_ALL = Question(table="ledger", limit=1_000)
_QUESTIONS = {
    "ledger": _ALL,
    "oldest first": replace(_ALL, sort="revision"),
    "by time": replace(_ALL, sort="time"),
    "by amount": replace(_ALL, sort="-amount", limit=20),
    "deposits": replace(_ALL, one_of={"kind": ("deposit", "adjustment")}),
    "an epoch": replace(_ALL, one_of={"epoch": (2,)}),
    "a text": replace(_ALL, text="monthly"),
    "of a bot": replace(_ALL, one_of={"owner": ("rsi-2",)}),
    "of a source": replace(_ALL, one_of={"source": ("screen",)}),
    "of a symbol": replace(_ALL, one_of={"symbol": ("BTC/USDT",)}),
    "fills": replace(_ALL, table="fills"),
    "fills by price": replace(_ALL, table="fills", sort="-price"),
    "small fees": replace(_ALL, table="fills", most={"fee": Decimal("0.02")}),
    "trades": replace(_ALL, table="trades"),
    "best trades": replace(_ALL, table="trades", sort="-pnl"),
    "wins": replace(_ALL, table="trades", one_of={"outcome": ("win",)}),
    "why": replace(_ALL, table="trades", text="rsi 28"),
}


def answers(history: History) -> Mapping[str, Any]:
    """Each list of ``history`` by its name; None where it is refused."""
    found: dict[str, Any] = {}
    for name, question in _QUESTIONS.items():
        try:
            answer = history.answer(question)
            found[name] = answer.rows, answer.total
        except HistoryUnavailable:
            found[name] = None
    try:
        found["epochs"] = history.epochs()
    except HistoryUnavailable:
        found["epochs"] = None
    return found
