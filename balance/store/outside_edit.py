"""What another program changed in the account, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from balance.core.account import Account
from balance.core.figures import grouped
from balance.core.moments import iso
from balance.core.order import Order
from balance.core.position import Position

# What only the market changes, so that the ledger does not know the newest.
_MARKS: Final = (
    *("mark_price", "marked_at", "maintenance_rate", "maintenance_amount"),
    "best_price",
)
_MOST_NAMED: Final = 6


def changed_figures(before: Account, after: Account, *, is_marked: bool) -> str:
    """Each figure that leads from ``before`` to ``after``, the old one and the new one. Unless
    ``before`` ``is_marked``, its positions are marked as the ledger has them, and marks are none
    of the figures."""
    skipped = () if is_marked else _MARKS
    changes = list(_changes(before, after, skipped))
    if len(changes) > _MOST_NAMED:
        changes[_MOST_NAMED:] = [f"{len(changes) - _MOST_NAMED} more"]
    return "; ".join(changes) or "no figure is another one"


def _changes(before: Account, after: Account, skipped: Collection[str]) -> Iterator[str]:
    yield from _differences("", before.wallet, after.wallet, skipped)
    yield from _of_each("position", _by_name(before.positions), _by_name(after.positions), skipped)
    yield from _of_each("order", _by_name(before.orders), _by_name(after.orders), skipped)
    yield from _leverages(before, after)


def _leverages(before: Account, after: Account) -> Iterator[str]:
    symbols = {each.symbol for each in (*before.leverages, *after.leverages)}
    for symbol in sorted(symbols):
        old, new = before.set_leverage(symbol), after.set_leverage(symbol)
        if old != new:
            yield f"leverage {symbol} {_text(old)} -> {_text(new)}"


def _by_name(holdings: Collection[Position | Order]) -> dict[str, Position | Order]:
    return {each.id if isinstance(each, Order) else each.symbol: each for each in holdings}


def _of_each(
    what: str,
    before: Mapping[str, Position | Order],
    after: Mapping[str, Position | Order],
    skipped: Collection[str],
) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if new is None or old is None:
            yield f"{what} {name} {_size(old)} -> {_size(new)}"
        else:
            yield from _differences(f"{what} {name} ", old, new, skipped)


def _size(holding: Position | Order | None) -> str:
    return "none" if holding is None else f"{holding.side} {_text(holding.quantity)}"


def _differences(place: str, before: Any, after: Any, skipped: Collection[str]) -> Iterator[str]:
    for each in fields(before):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old != new and each.name not in skipped:
            yield f"{place}{each.name.replace('_', ' ')} {_text(old)} -> {_text(new)}"


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return grouped(value)
    if isinstance(value, datetime):
        return iso(value)
    return "none" if value in (None, "") else f"{value}"
