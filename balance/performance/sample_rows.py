"""The rows of the samples' file, which prove themselves, and the record of which rows there are.

A row has numbers for drawing and seeking, the exact figures as text, and a checksum over all of it
and the account's id. The record has the count of the rows and sums over what the index has of them,
with a checksum of its own, so that a row can't be missing in silence either.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from balance.core.figures import plain
from balance.core.moments import from_milliseconds, milliseconds
from balance.core.wallet import Wallet
from balance.performance.sample import Point, Sample
from balance.store.checksum import checksum, is_proved, sealed

EQUITY_FILE: Final = "equity.db"
#: Which form of the tables this is.
VERSION: Final = 2
#: Of how many seconds the stretches are in which samples are thinned out, by level: 1 and up.
STRETCHES: Final = (60, 900, 3_600, 21_600)
#: The level of what always stays.
HIGHEST: Final = len(STRETCHES)
#: The tables, and the one index, by which everything is sought.
TABLES: Final = (
    """create table samples (
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
    best real not null,
    carried text,
    exact text not null,
    checksum text not null
)""",
    "create index by_time on samples (time, id, level, epoch, chain, revision)",
    "create table record (id integer primary key check (id = 1), text text not null)",
)

# The totals of the wallet in the order in which the file has them.
_TOTALS: Final = (
    *("starting_balance", "deposits", "withdrawals", "adjustments", "realized_pnl"),
    *("fees_paid", "funding", "balance"),
)
# The whole numbers of a row, and its others.
_NUMBERS: Final = struct.Struct("<7q4d")
#: Sums up the rows of the index.
SUMS: Final = (
    "select count(*), sum(id), sum(time), sum(level), sum(epoch + chain + revision) "
    "from samples indexed by by_time"
)
# What follows the totals where nothing was open.
_NOTHING_OPEN: Final = ('],"0.00",', '],"-0.00",')


class Damaged(sqlite3.DatabaseError):
    """The file holds something else than was written; the message says what."""


@contextmanager
def read_tables() -> Iterator[None]:
    """A ``with`` block that reads the tables of a file.

    Raises:
        Damaged: SQLite can't even say what is wrong, as the name in its message is no text.
    """
    try:
        yield
    except UnicodeDecodeError as fault:
        raise Damaged("the description of its tables is damaged") from fault


class Row(NamedTuple):
    """A sample in its file, but for the checksum."""

    # Grows with every sample.
    id: int
    # Unix time in milliseconds.
    time: int
    revision: int
    epoch: int
    chain: int
    level: int
    gap: int
    equity: float
    pnl: float
    growth: float
    # The best growth of its chain up to it.
    best: float
    # Decimal text.
    carried: str | None
    # JSON: the totals of the wallet, the unrealised P&L, the growth, and whether that is whole.
    exact: str

    def proof(self, account: str) -> str:
        """Its checksum as a row of ``account``."""
        *numbers, carried, exact = self
        text = _NUMBERS.pack(*numbers) + f"{carried}\n{exact}".encode()
        return checksum(text, account)

    @property
    def point(self) -> Point:
        """The sample as it is drawn."""
        is_open = not any(each in self.exact for each in _NOTHING_OPEN)
        return Point(self.time, self.chain, self.equity, self.pnl, self.growth, self.gap, is_open)

    @property
    def sample(self) -> Sample:
        """The sample.

        Raises:
            ValueError, TypeError, ArithmeticError: it is none.
        """
        totals, unrealized, growth, is_whole = json.loads(self.exact)
        named: dict[str, Any] = dict(zip(_TOTALS, map(Decimal, totals), strict=True))
        return Sample(
            time=from_milliseconds(self.time),
            revision=self.revision,
            wallet=Wallet(epoch=self.epoch, **named),
            unrealized_pnl=Decimal(unrealized),
            growth=Decimal(growth),
            is_whole=is_whole,
            chain=self.chain,
            carried=None if self.carried is None else Decimal(self.carried),
            gap=self.gap,
            is_kept=self.level == HIGHEST,
        )


#: The columns of a sample.
COLUMNS: Final = (*Row._fields, "checksum")
#: Selects all of them.
SELECT: Final = f"select {', '.join(COLUMNS)} from samples"  # noqa: S608 - names of our own


def row_of(sample: Sample, number: int, best: float = 0.0) -> Row:
    """``sample`` as the row with that ``number``; ``best`` is the best growth of its chain before
    it."""
    totals = [plain(getattr(sample.wallet, name)) for name in _TOTALS]
    exact = [totals, plain(sample.unrealized_pnl), str(sample.growth), sample.is_whole]
    point = point_of(sample)
    return Row(
        id=number,
        time=point.time,
        revision=sample.revision,
        epoch=sample.epoch,
        chain=sample.chain,
        level=HIGHEST if sample.is_kept else _level_of_gap(sample.gap),
        gap=sample.gap,
        # SQLite has no negative zero.
        equity=point.equity + 0.0,
        pnl=point.pnl + 0.0,
        growth=point.growth + 0.0,
        best=max(best, point.growth),
        carried=None if sample.carried is None else plain(sample.carried),
        exact=json.dumps(exact, separators=(",", ":")),
    )


def point_of(sample: Sample) -> Point:
    """``sample`` as it is drawn."""
    return Point(
        *(milliseconds(sample.time), sample.chain),
        *(float(sample.equity), float(sample.pnl), float(sample.growth)),
        *(sample.gap, bool(sample.unrealized_pnl)),
    )


def _level_of_gap(gap: int) -> int:
    """What follows a gap stays as long as that can be seen."""
    return sum(gap >= length for length in STRETCHES)


def proved_rows(found: Iterable[tuple[Any, ...]], account: str) -> Iterator[Row]:
    """The rows of ``account`` that are ``found``, each as ``COLUMNS`` have it.

    Raises:
        Damaged: one is not as it was written.
    """
    for *values, stated in found:
        row = Row(*values)
        try:
            is_sound = stated == row.proof(account)
        except (struct.error, ValueError):
            is_sound = False
        if not is_sound:
            raise Damaged(f"the sample {row.id!r:.20} does not match its checksum")
        yield row


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Which rows a file has."""

    account: str
    # The number of the newest one that there ever was.
    last: int = 0
    # What ``SUMS`` finds.
    sums: tuple[int, ...] = (0, 0, 0, 0, 0)
    # Until when the stretches of each level are thinned out; None before the first sample.
    finished: tuple[int | None, ...] = (None,) * HIGHEST
    # How many rows were taken over from a damaged file.
    adopted: int = 0
    # The time of the newest of the rows that were taken over from a damaged file, where others
    # were lost; 0 where none were.
    incomplete_until: int = 0

    def with_rows(self, rows: Iterable[Row], sign: int = 1) -> Record:
        """It after ``rows`` have come or, with the ``sign`` -1, gone."""
        return self.with_sums(sums_of(rows), sign)

    def with_sums(self, sums: Sequence[int], sign: int) -> Record:
        """The same for rows with those ``sums``."""
        after = tuple(old + sign * new for old, new in zip(self.sums, sums, strict=True))
        return replace(self, sums=after)

    @property
    def text(self) -> str:
        """It as its table has it."""
        return sealed(json.dumps(asdict(self)).encode()).decode()


def sums_of(rows: Iterable[Row]) -> tuple[int, ...]:
    """What ``SUMS`` finds of ``rows``."""
    each = [(1, row.id, row.time, row.level, row.epoch + row.chain + row.revision) for row in rows]
    return tuple(map(sum, zip(*each, strict=True))) or (0, 0, 0, 0, 0)


def read_record(connection: sqlite3.Connection) -> Record:
    """The record of the file behind ``connection``.

    Raises:
        sqlite3.Error: it can't be read, or is damaged.
    """
    found = connection.execute("select text from record").fetchall()
    text = found[0][0] if len(found) == 1 else None
    if not isinstance(text, str) or not is_proved(text.encode()):
        raise Damaged("the record of its rows does not match its checksum")
    document = json.loads(text)
    del document["checksum"]
    lists = {name: tuple(document[name]) for name in ("sums", "finished")}
    return Record(**{**document, **lists})


def check_sums(connection: sqlite3.Connection, record: Record) -> None:
    """
    Raises:
        sqlite3.Error: the index does not have the rows that ``record`` has.
    """
    found = tuple(each or 0 for each in connection.execute(SUMS).fetchone())
    if found != record.sums:
        raise Damaged(
            f"it has {found[0]!r:.20} samples in its index, not those {record.sums[0]} "
            "that were written"
        )


def is_damage(fault: sqlite3.Error) -> bool:
    """Whether ``fault`` says that a file is damaged, rather than that the disk refuses it now."""
    code = getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    # What was cut off can't be read to its end.
    return code == sqlite3.SQLITE_IOERR_SHORT_READ or code & 0xFF not in _REFUSALS


_REFUSALS: Final = frozenset(
    {
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR),
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN),
    }
)
