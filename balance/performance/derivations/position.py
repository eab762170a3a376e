"""How the figures of each open position come about: from its quantity and its prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from balance.core.figures import plain
from balance.core.money import exactly
from balance.core.rows import Row
from balance.core.snapshot import Snapshot
from balance.performance.derivations.derivation import (
    DIVIDED,
    HUNDRED,
    MINUS,
    TIMES,
    Derivation,
    Sign,
    Term,
    total_of,
)


@exactly
def position_derivations(snapshot: Snapshot) -> dict[str, Derivation]:
    """The derivations of notional, unrealised P&L and ROE of each position of ``snapshot``, by the
    name of the figure and the symbol: ``"notional:BTC/USDT"``."""
    return {
        f"{name}:{row['symbol']}": derive(row)
        for row in snapshot.positions
        for name, derive in _FIGURES.items()
    }


def _notional(row: Row) -> Derivation:
    return Derivation(
        f"{row['symbol']} {row['side']}",
        "What is held at mark price: quantity times mark price.",
        (
            _quantity(" ", row),
            _price(TIMES, "Mark price", "mark_price", row),
            _total(row, "notional"),
        ),
    )


def _unrealized(row: Row) -> Derivation:
    return Derivation(
        f"Unrealised P&L of {row['symbol']}",
        "What it would bring to close it at its mark price, before fees.",
        (*_gained(row), _quantity(TIMES, row), _total(row, "unrealized_pnl")),
    )


def _roe(row: Row) -> Derivation:
    leverage = row["leverage"]
    return Derivation(
        f"ROE of {row['symbol']}",
        "The unrealised P&L in percent of the initial margin at the entry price: what the price "
        "moved, over the entry price, times the leverage.",
        (
            *_gained(row),
            _price(DIVIDED, "Entry price", "entry_price", row),
            Term(TIMES, "Leverage", row["display"]["leverage"], leverage),
            Term(TIMES, "In percent", "100", HUNDRED),
            _total(row, "roe_percent"),
        ),
    )


def _gained(row: Row) -> tuple[Term, Term]:
    """What the price moved in favour of the position."""
    entry, mark = ("Entry price", "entry_price"), ("Mark price", "mark_price")
    end, begin = (mark, entry) if row["side"] == "long" else (entry, mark)
    return _price(" ", *end, row), _price(MINUS, *begin, row)


def _price(sign: Sign, label: str, name: str, row: Row) -> Term:
    return Term(sign, label, row["display"][name], row[name])


def _quantity(sign: Sign, row: Row) -> Term:
    quantity: Decimal = row["quantity"]
    return Term(sign, "Quantity", plain(quantity), quantity)


def _total(row: Row, name: str) -> Term:
    labels = {"notional": "Notional", "unrealized_pnl": "Unrealised P&L", "roe_percent": "ROE"}
    return total_of(labels[name], row[name], row["display"][name])


_FIGURES: Any = {"notional": _notional, "unrealized_pnl": _unrealized, "roe_percent": _roe}
