"""What is asked of an index to find out whether it is sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from balance.core.errors import HistoryUnavailable, StoreUnreadable
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
    "orders": replace(_ALL, table="orders"),
    "open orders": replace(_ALL, table="orders", one_of={"state": ("NEW",)}),
    "orders that ended last": replace(_ALL, table="orders", sort="-ended_at", limit=20),
    "sales": replace(_ALL, table="orders", one_of={"side": ("sell",)}, sort="-realized_pnl"),
}

#: Those that need every line before which an order was open.
OF_ORDERS = frozenset(name for name, each in _QUESTIONS.items() if each.table == "orders")


def answers(history: History) -> Mapping[str, Any]:
    """Each list of ``history`` by its name; None where it is refused."""
    asked: dict[str, Callable[[], Any]] = {
        name: partial(_rows, history, question) for name, question in _QUESTIONS.items()
    }
    asked["epochs"] = history.epochs
    found: dict[str, Any] = {}
    for name, ask in asked.items():
        found[name] = None
        with suppress(HistoryUnavailable, StoreUnreadable):
            found[name] = ask()
    return found


def _rows(history: History, question: Question) -> Any:
    if question.table == "orders":
        orders = history.orders.page(question)
        return orders.rows, orders.total
    answer = history.answer(question)
    return answer.rows, answer.total
