"""The epochs in the index: their sums as exact text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from balance.core.moments import from_iso, iso
from balance.core.trade_sums import TradeSums
from balance.history.database import decoding
from balance.history.epochs import EpochRow
from balance.store.codec import WALLET

_PLAIN: Final = ("opened_by", "continues", "first_revision", "last_revision", "entries")


def read_epochs(connection: sqlite3.Connection, first: int = 0, most: int = -1) -> list[EpochRow]:
    """At most ``most`` epochs (below 0: all), from number ``first`` on, the newest first."""
    rows = connection.execute(
        "SELECT document FROM epochs WHERE epoch >= ? ORDER BY epoch DESC LIMIT ?", (first, most)
    )
    with decoding():
        return [_read(document) for (document,) in rows]


def read_epoch(connection: sqlite3.Connection, number: int) -> EpochRow | None:
    """The epoch with ``number``, or None."""
    rows = connection.execute("SELECT document FROM epochs WHERE epoch = ?", (number,))
    with decoding():
        return next((_read(document) for (document,) in rows), None)


def write_epoch(connection: sqlite3.Connection, row: EpochRow) -> None:
    """Keep ``row`` in the place of what there was of its epoch."""
    document = json.dumps(_document(row))
    connection.execute("INSERT OR REPLACE INTO epochs VALUES (?, ?)", (row.epoch, document))


# those that have ended never change, and to read one takes longer than all else
@lru_cache(maxsize=10_000)
def _read(document: str) -> EpochRow:
    return _epoch(json.loads(document))


def _document(row: EpochRow) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "opened_at": iso(row.opened_at),
        "ended_at": None if row.ended_at is None else iso(row.ended_at),
        "carried": str(row.carried),
        "wallet": WALLET.encode(row.wallet),
        "trades": _sums_document(row.trades),
        "trades_before": _sums_document(row.trades_before),
    }


def _epoch(document: Mapping[str, Any]) -> EpochRow:
    return EpochRow(
        **{name: document[name] for name in _PLAIN},
        opened_at=from_iso(document["opened_at"]),
        ended_at=_moment(document["ended_at"]),
        carried=Decimal(document["carried"]),
        wallet=WALLET.decode(document["wallet"]),
        trades=_sums(document["trades"]),
        trades_before=_sums(document["trades_before"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_iso(text)


def _sums_document(sums: TradeSums) -> list[Any]:
    amounts = (sums.gained, sums.lost, sums.best, sums.worst)
    return [
        sums.trades,
        sums.wins,
        sums.losses,
        *(None if each is None else str(each) for each in amounts),
    ]


def _sums(document: list[Any]) -> TradeSums:
    trades, wins, losses, gained, lost, *extremes = document
    best, worst = (None if each is None else Decimal(each) for each in extremes)
    return TradeSums(
        trades=trades,
        wins=wins,
        losses=losses,
        gained=Decimal(gained),
        lost=Decimal(lost),
        best=best,
        worst=worst,
    )
