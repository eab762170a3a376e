"""Samples as rows of a table: exact figures as text, and what is drawn and sought as numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from balance.core.figures import plain
from balance.core.wallet import Wallet
from balance.performance.sample import Sample

#: Of how many seconds the stretches are in which points are thinned out, by level: 1 and up.
STRETCHES: Final = (60, 900, 3_600, 21_600)
#: The level of what always stays.
HIGHEST: Final = len(STRETCHES)

COLUMNS: Final = (
    *("time", "revision", "epoch", "chain", "level", "gap"),
    *("equity", "pnl", "growth", "carried", "exact"),
)
#: Which form of the tables this is.
VERSION: Final = 1
#: The tables and what is sought in them.
TABLES: Final = """
create table if not exists samples (
    id integer primary key,
    time integer not null,
    revision integer not null,
    epoch integer not null,
    chain integer not null,
    level integer not null,
    gap integer not null,
    equity real not null,
    pnl real not null,
    growth real not null,
    carried text,
    exact text not null
);
create index if not exists by_time on samples (time);
create index if not exists by_level on samples (level, time);
create index if not exists by_epoch on samples (epoch);
create table if not exists known (name text primary key, value text not null);
"""

# The totals of the wallet in the order in which the file has them.
_TOTALS: Final = (
    *("starting_balance", "deposits", "withdrawals", "adjustments", "realized_pnl"),
    *("fees_paid", "funding", "balance"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def row_of(sample: Sample) -> tuple[Any, ...]:
    """``sample`` as ``COLUMNS`` have it."""
    totals = [plain(getattr(sample.wallet, name)) for name in _TOTALS]
    exact = [totals, plain(sample.unrealized_pnl), str(sample.growth), sample.is_whole]
    return (
        *(milliseconds(sample.time), sample.revision, sample.epoch, sample.chain),
        *(HIGHEST if sample.is_kept else _level_of_gap(sample.gap), sample.gap),
        *(float(sample.equity), float(sample.pnl), float(sample.growth)),
        None if sample.carried is None else plain(sample.carried),
        json.dumps(exact, separators=(",", ":")),
    )


def sample_of(row: tuple[Any, ...]) -> Sample:
    """The sample that a row of ``COLUMNS`` tells.

    Raises:
        ValueError: it tells none.
    """
    told = dict(zip(COLUMNS, row, strict=True))
    try:
        totals, unrealized, growth, is_whole = json.loads(told["exact"])
        named: dict[str, Any] = dict(zip(_TOTALS, map(Decimal, totals), strict=True))
        return Sample(
            time=moment(told["time"]),
            revision=told["revision"],
            wallet=Wallet(epoch=told["epoch"], **named),
            unrealized_pnl=Decimal(unrealized),
            growth=Decimal(growth),
            is_whole=is_whole,
            chain=told["chain"],
            carried=None if told["carried"] is None else Decimal(told["carried"]),
            gap=told["gap"],
            is_kept=told["level"] == HIGHEST,
        )
    except (TypeError, ArithmeticError, OverflowError) as fault:
        raise ValueError(f"this is no sample: {fault}") from fault


def milliseconds(time: datetime) -> int:
    """``time`` as Unix time in milliseconds."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def moment(time: int) -> datetime:
    """The moment of a Unix time in milliseconds."""
    return _EPOCH + timedelta(milliseconds=time)


def _level_of_gap(gap: int) -> int:
    """What follows a gap stays as long as that can be seen."""
    return sum(gap >= length for length in STRETCHES)
