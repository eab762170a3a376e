"""The tables of the index, and filling them from the ledger: a batch of lines at a time, each batch
all or nothing.

Amounts are bytes that sort as they do, prices and quantities floats: what is shown comes from the
ledger itself, or is exact text.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, astuple, dataclass, fields, replace
from decimal import Decimal
from functools import lru_cache
from itertools import islice, starmap
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from balance.core.entry import Booking, Entry
from balance.core.errors import StoreUnreadable
from balance.core.moments import from_iso
from balance.core.money import exact
from balance.core.trade import Fill, Trade
from balance.core.trade_sums import TradeSums
from balance.core.wallet import OPENINGS, Wallet
from balance.history.columns import Column, milliseconds
from balance.history.damaged_lines import (
    TABLE,
    DamagedLine,
    Neighbour,
    add_damaged,
    damaged_lines,
    end_damaged,
    newest_damaged,
    newest_row,
)
from balance.history.database import Damaged, decoding, natural
from balance.history.epochs import Epoch, RunningEpoch, opened_epoch
from balance.history.lists import COLUMNS, SUBJECT, SUBJECTS, Table
from balance.history.order_table import ORDER_INDEXES, ORDER_TABLE, OrderRows
from balance.history.proof import checksum, prove, sum_of
from balance.history.queries import Hit, hits
from balance.history.question import PERSON
from balance.history.trigrams import create_texts, has_texts, indexed_text
from balance.store.codec import FAULTS, WALLET, Outline, Unreadable, outline, read_trade, reason
from balance.store.records import Record
from balance.store.state import Line, Store

#: How many lines a batch has at most: what another program may have to wait for.
BATCH: Final = 500
# So many damaged lines are looked at again, whether somebody has mended them.
_MOST_LOOKED_AT: Final = 20

# Where an entry stands in the ledger.
_SPOT: Final = ("revision", "line", "start", "stop", "checksum")
_EPOCH: Final = Record(Epoch, WALLET, Record(TradeSums))
# The lists of entries, whose rows have the number of their line.
_OF_ENTRIES: Final[tuple[Table, ...]] = ("ledger", "fills", "trades")
# Their columns with what people write, which are searched.
_TEXTS: Final = {
    table: [place for place, each in enumerate(COLUMNS[table]) if each.mark.kind == "text"]
    for table in _OF_ENTRIES
}
# Their names.
_TEXT_NAMES: Final = {
    table: [COLUMNS[table][place].name for place in places] for table, places in _TEXTS.items()
}
# What a fill has where an older version did not write it.
_USUAL: Final = {each.name: each.default for each in fields(Fill) if each.default is not MISSING}


def reader(
    columns: Sequence[Column], known: Collection[str], getter: Callable[..., Callable[[Any], Any]]
) -> Callable[[Any], list[Any]]:
    """What reads the values of ``columns`` in the form in which they are stored; ``getter`` makes
    what reads some of the names that are ``known``.

    Raises:
        TypeError: a column is not known and has no source.
    """
    plain = [each.name for each in columns if each.mark.source is None]
    missing = [each for each in plain if each not in known]
    if missing:
        raise TypeError(f"{missing[0]} is no member of what is read: give its mark a source")
    read = getter(*plain)
    sources = [(place, each.mark.source) for place, each in enumerate(columns) if each.mark.source]
    stores = [(place, each.store) for place, each in enumerate(columns) if each.store]

    def stored(origin: Any) -> list[Any]:
        values = list(read(origin))
        for place, source in sources:
            values.insert(place, source(origin))
        for place, store in stores:
            values[place] = store(values[place])
        return values

    return stored


_ENTRY_MEMBERS: Final = {each.name for cls in (Entry, Booking) for each in fields(cls)}
_FILL_MEMBERS: Final = {"note", *(each.name for each in fields(Fill))}
# What reads a row from the document of its entry, from that of its fill with the note, and from
# the trade.
_LEDGER: Final = reader(COLUMNS["ledger"], _ENTRY_MEMBERS, itemgetter)
_FILL: Final = reader(COLUMNS["fills"], _FILL_MEMBERS, itemgetter)
_TRADE: Final = reader(COLUMNS["trades"], dir(Trade), attrgetter)


def _typed(columns: Iterable[Column]) -> str:
    return ", ".join(each.sql for each in columns)


_TABLES: Final = (
    # How far the index has come; `build` tells one that was made anew from the one before it, and
    # `sampled` is how many rows there were when the samples were taken that lead searches.
    # `total` is the sum over all rows of the lists, `updates` how often one has changed, `latest`
    # the latest time, `late` how much earlier than one before it a row was at most, and `checksum`
    # that of the others here.
    "state (build TEXT, ledger TEXT, place INTEGER, rows INTEGER, is_ready INTEGER, "
    "sampled INTEGER, total INTEGER, updates INTEGER, latest INTEGER, late INTEGER, "
    "checksum INTEGER)",
    # `id` counts from 1 without a gap, in the ledger's order.
    f"ledger (id INTEGER PRIMARY KEY, {', '.join(f'{each} INTEGER' for each in _SPOT)}, "
    f"{_typed(SUBJECT)}, {_typed(COLUMNS['ledger'])})",
    *(
        f"{table} (id INTEGER PRIMARY KEY, {_typed(SUBJECT)}, {_typed(COLUMNS[table])})"
        for table in ("fills", "trades")
    ),
    ORDER_TABLE,
    # Those that have ended before the first damaged line, and the running one where there is none.
    "epochs (epoch INTEGER PRIMARY KEY, document TEXT, checksum INTEGER)",
    TABLE,
)
_DOCUMENT: Final = [each.name for cls in (Epoch, Wallet, TradeSums) for each in fields(cls)]
#: The version of the tables: an index with another one is made anew.
SCHEMA: Final = zlib.crc32(repr((_TABLES, ORDER_INDEXES, _DOCUMENT)).encode()) >> 1

_INDEXES: Final = (
    *(("ledger", name) for name in ("revision", "kind", "source", "kind, amount")),
    *(
        (table, each.name)
        for table, columns in COLUMNS.items()
        for each in (*SUBJECTS[table], *columns)
        if each.mark.is_fast
    ),
    ("orders", "name"),
)
# What takes the samples that tell which way to a row is the shortest.
_SAMPLE: Final = (
    # That a table is gone tells every open connection to read the samples anew.
    "DROP TABLE IF EXISTS sqlite_stat1",
    *("PRAGMA analysis_limit = 1000", "ANALYZE"),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the index has come."""

    build: str
    ledger: str
    # Where the next line begins.
    place: int
    rows: int
    # 1 where it can be searched quickly.
    is_ready: int
    # The rows that there were when its samples were taken.
    sampled: int
    # The sum over all rows of its lists.
    total: int
    # How many times a row that was there has changed.
    updates: int
    # The latest time of a row and, as clocks are set back, how much earlier than one before it a
    # row was at most: both in milliseconds.
    latest: int
    late: int

    @property
    def is_sampled(self) -> bool:
        """Whether its samples are still true of it: it has not doubled since."""
        return self.rows < 2 * max(1, self.sampled)


def reached(connection: sqlite3.Connection) -> Reached | None:
    """How far the index in the database has come; None where there is none with our tables.

    Raises:
        Damaged: what it says of itself is not what was written.
    """
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
        return None
    row = connection.execute("SELECT * FROM state").fetchone()
    if row is None:
        return None
    if checksum(row[:-1]) != row[-1]:
        raise Damaged("what it says of itself is not what was written")
    with decoding():
        return Reached(*row[:2], *map(natural, row[2:-1]))


def _set_reached(connection: sqlite3.Connection, state: Reached) -> None:
    values = astuple(state)
    marks = ", ".join("?" * (len(values) + 1))
    connection.execute("DELETE FROM state")
    connection.execute(f"INSERT INTO state VALUES ({marks})", (*values, checksum(values)))  # noqa: S608


def finish(connection: sqlite3.Connection, state: Reached) -> None:
    """What is done once all rows are in, and again when they have doubled: samples are taken."""
    for statement in _SAMPLE:
        connection.execute(statement)
    _set_reached(connection, replace(state, is_ready=1, sampled=state.rows))


def prove_tables(connection: sqlite3.Connection, is_stopping: Callable[[], bool]) -> None:
    """Prove that the index holds what was written there, as :func:`prove` does."""
    state = reached(connection)
    if state is not None:
        prove(connection, state.total, ["orders"], _TEXT_NAMES, is_stopping)


def missing_indexes(connection: sqlite3.Connection) -> list[str]:
    """The statements that make the SQL indexes which are not there yet. To fill a table first and
    to sort it once takes a fraction of keeping it sorted."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'index'"
    there = {name for (name,) in connection.execute(listed)}
    named = (
        (f"{table}_{columns.replace(', ', '_')}", table, columns) for table, columns in _INDEXES
    )
    return [
        f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})"
        for name, table, columns in named
        if name not in there
    ]


def fill(connection: sqlite3.Connection, store: Store) -> bool:
    """Take the next batch of lines over, or start anew where the index is not of this ledger;
    within a transaction. Returns whether there may be more. Lines that are damaged are noted.

    Raises:
        StoreUnreadable: the ledger can't be read.
    """
    ledger, before = store.extent().ledger, reached(connection)
    if before is None or before.ledger != ledger or not _is_there(connection, store, before):
        _create(connection, ledger)
        before = reached(connection)
    if before is None:
        raise sqlite3.DatabaseError("the index could not be made")
    lines = list(islice(store.lines(before.place), BATCH))
    if lines:
        with exact():
            _take(connection, before, lines)
    return len(lines) == BATCH


def read_epochs(connection: sqlite3.Connection, first: int = 0, most: int = -1) -> list[Epoch]:
    """At most ``most`` epochs (below 0: all), from number ``first`` on, the newest first."""
    rows = connection.execute(
        "SELECT * FROM epochs WHERE epoch >= ? ORDER BY epoch DESC LIMIT ?", (first, most)
    )
    with decoding():
        return list(starmap(_read_epoch, rows))


def read_epoch(connection: sqlite3.Connection, number: int) -> Epoch | None:
    """The epoch with ``number``, or None."""
    rows = connection.execute("SELECT * FROM epochs WHERE epoch = ?", (number,))
    with decoding():
        return next(starmap(_read_epoch, rows), None)


# Those that have ended never change, and reading one takes longer than all else.
@lru_cache(maxsize=10_000)
def _read_epoch(number: int, document: str, stated: int) -> Epoch:
    if checksum((number, document)) != stated:
        raise ValueError(f"epoch {number!r:.20} is not what was written")
    return _EPOCH.decode(json.loads(document))


def _write_epoch(connection: sqlite3.Connection, epoch: Epoch) -> None:
    document = json.dumps(_EPOCH.encode(epoch))
    values = epoch.epoch, document, checksum((epoch.epoch, document))
    connection.execute("INSERT OR REPLACE INTO epochs VALUES (?, ?, ?)", values)


def _create(connection: sqlite3.Connection, ledger: str) -> None:
    """Make all tables anew, empty, to be filled from ``ledger``."""
    create_texts(connection)
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'texts%'"
    for (name,) in connection.execute(listed).fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    for table in _TABLES:
        connection.execute(f"CREATE TABLE {table}")
    for statement in ORDER_INDEXES:
        connection.execute(statement)
    _set_reached(connection, Reached(secrets.token_hex(8), ledger, *[0] * 8))
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _is_there(connection: sqlite3.Connection, store: Store, before: Reached) -> bool:
    """Whether the last line that was taken over still stands in the ledger, and what was damaged
    still is."""
    if not all(_is_damaged(store, each) for each in damaged_lines(connection, _MOST_LOOKED_AT)):
        return False
    row, damaged = _last(connection), newest_damaged(connection)
    newest = max((row, damaged), key=lambda each: 0 if each is None else each.id)
    if newest is None or newest.id != before.rows or newest.stop != before.place:
        return before.place == before.rows == 0
    if row is None or newest is damaged:
        return True
    try:
        (text,) = store.texts([(row.start, row.stop)])
    except StoreUnreadable:
        return False
    return row.is_of(text)


def _is_damaged(store: Store, damaged: DamagedLine) -> bool:
    """Whether what is ``damaged`` still is."""
    if damaged.cause != damaged.id:
        return True
    line = next(iter(store.lines(damaged.start)), None)
    if line is None or line.end != damaged.stop:
        return False
    try:
        _outlined(damaged.id, line, None)
    except Unreadable:
        return True
    return False


def _last(connection: sqlite3.Connection) -> Hit | None:
    newest = connection.execute("SELECT max(id) FROM ledger").fetchone()[0]
    return None if newest is None else hits(connection, [newest])[0]


class _Rows(NamedTuple):
    """What the tables have of one entry."""

    # By table; an entry without a fill is in the ledger only.
    rows: Mapping[Table, tuple[Any, ...]]
    # What people wrote in it.
    text: str
    # The P&L of the trade that it ended; None where it ended none.
    trade_pnl: Decimal | None
    neighbour: Neighbour


def _take(connection: sqlite3.Connection, before: Reached, lines: list[Line]) -> None:
    found: list[_Rows] = []
    newest, damaged = newest_row(connection), newest_damaged(connection)
    known = read_epochs(connection, most=1) if damaged is None else []
    epoch = RunningEpoch(known[0]) if known else None
    last = _last_outline(connection, before)
    orders = OrderRows(connection, 0 if damaged is None else damaged.id)
    latest, late = before.latest, before.late
    for number, line in enumerate(lines, before.rows + 1):
        cause = number
        try:
            last = _outlined(number, line, last)
            if damaged is not None and damaged.id == number - 1 and _needs_last(last):
                cause = damaged.cause
                raise Unreadable(damaged.fault)
            rows = _rows(number, line, last)
            orders.take(number, last.document)
        except Unreadable as fault:
            if damaged is None:
                # From here on no sums are known.
                connection.execute("DELETE FROM epochs WHERE epoch >= ?", (newest.epoch,))
            spot = (line.start, line.end, newest.id, newest.epoch)
            damaged = DamagedLine(number, cause, *spot, str(fault))
            add_damaged(connection, damaged, newest)
            orders.damage(number)
            last = epoch = None
            continue
        found.append(rows)
        newest = rows.neighbour
        latest, late = max(latest, newest.time), max(late, latest - newest.time)
        if damaged is None:
            epoch = _epoch_after(connection, epoch, last.document, rows.trade_pnl)
        elif damaged.id == number - 1:
            end_damaged(connection, newest)
    added, updated = orders.write()
    total = before.total + added
    for table in _OF_ENTRIES:
        rows_of_table = [each.rows[table] for each in found if table in each.rows]
        _insert(connection, table, rows_of_table)
        total += sum_of(rows_of_table)
    if has_texts(connection):
        texts = ((each.neighbour.id, each.text) for each in found if each.text)
        _insert(connection, "texts (rowid, said)", list(texts))
    if epoch is not None:
        _write_epoch(connection, epoch.epoch())
    state = replace(before, place=lines[-1].end, rows=before.rows + len(lines))
    state = replace(state, total=total, updates=before.updates + updated)
    _set_reached(connection, replace(state, latest=latest, late=late))


def _last_outline(connection: sqlite3.Connection, before: Reached) -> Outline | None:
    """The outline of the last line that was taken over, as far as the next one needs it; None where
    there is none, or it is damaged."""
    row = _last(connection)
    if row is None or row.id != before.rows:
        return None
    return Outline({"revision": row.revision}, row.symbol, row.owner)


def _outlined(number: int, line: Line, last: Outline | None) -> Outline:
    """The outline of ``line``, the ``number``-th, behind ``last``.

    Raises:
        Unreadable: it is not proved, or no entry; the message names the line.
    """
    if line.fault:
        raise Unreadable(line.fault)
    try:
        return outline(line.text, last)
    except Unreadable as fault:
        raise Unreadable(f"line {number} {fault}") from fault


def _needs_last(entry: Outline) -> bool:
    """Whether what ``entry`` is about may stand in the line before it only."""
    return entry.symbol is None and entry.place[1] > 1


def _rows(number: int, line: Line, entry: Outline) -> _Rows:
    """What the tables have of ``entry`` in ``line``, the ledger's ``number``-th.

    Raises:
        Unreadable: it is no entry; the message names the line.
    """
    document = entry.document
    try:
        subject = (
            *(milliseconds(document["time"]), document["epoch"], document["kind"]),
            *(document["source"], entry.symbol or "", _owner(entry.owner)),
        )
        own = _LEDGER(document)
        spot = (*entry.place, line.start, line.end)
        proof = checksum((zlib.crc32(line.text), number, *spot, *subject[-2:]))
        rows: dict[Table, tuple[Any, ...]] = {"ledger": (number, *spot, proof, *subject, *own)}
        texts = [own[place] for place in _TEXTS["ledger"]]
        fill, trade = document.get("fill"), None
        if fill is not None:
            own = _FILL({**_USUAL, "note": document["note"], **fill})
            rows["fills"] = (number, *subject, *own)
            texts += [own[place] for place in _TEXTS["fills"]]
            trade = read_trade(fill)
        if trade is not None:
            own = _TRADE(trade)
            rows["trades"] = (number, *subject, *own)
            texts += [own[place] for place in _TEXTS["trades"]]
    except FAULTS as fault:
        raise Unreadable(f"line {number} does not hold a valid entry: {reason(fault)}") from fault
    # The ledger and the fills have the same note.
    text = indexed_text(dict.fromkeys(texts))
    neighbour = Neighbour(number, document["epoch"], subject[0])
    return _Rows(rows, text, None if trade is None else trade.pnl, neighbour)


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - ours


def _owner(owner: str | None) -> str:
    """``owner`` as the index has it: nobody's is empty."""
    return "" if owner is None else owner or PERSON


def _epoch_after(
    connection: sqlite3.Connection,
    epoch: RunningEpoch | None,
    document: Mapping[str, Any],
    trade_pnl: Decimal | None,
) -> RunningEpoch:
    """The epoch after the entry in ``document``; one that it ends is written."""
    number, revision, kind = document["epoch"], document["revision"], document["kind"]
    stated = document.get("wallet")
    wallet = None if stated is None else WALLET.decode(stated)
    if epoch is not None and number == epoch.number and kind not in OPENINGS:
        epoch.add(revision, kind, document["amount"], wallet, trade_pnl)
        return epoch
    continued, time = document.get("continues"), from_iso(document["time"])
    since: list[Epoch] = []
    if epoch is not None:
        ended = replace(epoch.epoch(), ended_at=time)
        _write_epoch(connection, ended)
        since = read_epochs(connection, ended.epoch if continued is None else continued)[::-1]
    opened = wallet or Wallet.opened(number, Decimal(document["balance"]))
    return RunningEpoch(opened_epoch(kind, time, revision, opened, continued, since))
