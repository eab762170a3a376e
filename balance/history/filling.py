"""Filling the index from the ledger, a batch of lines at a time, each batch all or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from balance.core.moments import from_iso
from balance.core.money import exact
from balance.core.wallet import EVENTS, OPENINGS, Wallet
from balance.history.columns import Columns, checksum, columns
from balance.history.database import decoding, natural
from balance.history.epoch_table import read_epochs, write_epoch
from balance.history.epochs import EpochRow, opened_epoch
from balance.history.queries import Hit, hits
from balance.history.schema import SCHEMA, create, version
from balance.history.trigrams import has_texts
from balance.store.codec import WALLET, Outline, outline
from balance.store.state import Line, Store

#: How many lines a batch has at most: what another program may have to wait for.
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the index has come."""

    build: str
    ledger: str
    # where the next line begins
    place: int
    rows: int
    # 1 where it can be searched quickly
    is_ready: int
    # the rows that there were when its samples were taken
    sampled: int

    @property
    def is_sampled(self) -> bool:
        """Whether its samples still tell what is in it: it has not doubled since."""
        return self.rows < 2 * max(1, self.sampled)


def reached(connection: sqlite3.Connection) -> Reached | None:
    """How far the index in the database has come; None where there is none of our version."""
    if version(connection) != SCHEMA:
        return None
    sql = "SELECT build, ledger, place, rows, is_ready, sampled FROM state"
    row = connection.execute(sql).fetchone()
    with decoding():
        return None if row is None else Reached(*row[:2], *map(natural, row[2:]))


def fill(connection: sqlite3.Connection, store: Store) -> bool:
    """Take the next batch of lines over, or begin anew where what is there is not from this
    ledger; within a transaction. Returns whether there may be more.

    Raises:
        Unreadable: a line is no entry.
        StoreUnreadable: the ledger can't be read.
    """
    ledger, before = store.extent().ledger, reached(connection)
    if before is None or before.ledger != ledger or not _is_there(connection, store, before):
        create(connection, ledger)
        before = reached(connection)
    if before is None:
        raise sqlite3.DatabaseError("the index could not be made")
    lines = list(islice(store.lines(before.place), BATCH))
    if lines:
        with exact():
            _take(connection, before, lines)
    return len(lines) == BATCH


def _is_there(connection: sqlite3.Connection, store: Store, before: Reached) -> bool:
    """Whether the last line that was taken over still stands in the ledger."""
    row = _last(connection)
    if row is None:
        return before.place == 0
    (text,) = store.texts([(row.start, row.stop)])
    return row.stop == before.place and checksum(text) == row.checksum


def _last(connection: sqlite3.Connection) -> Hit | None:
    newest = connection.execute("SELECT max(id) FROM ledger").fetchone()[0]
    return None if newest is None else hits(connection, [newest])[0]


def _take(connection: sqlite3.Connection, before: Reached, lines: list[Line]) -> None:
    taken: list[Columns] = []
    last, epoch = _last_outline(connection), _newest_epoch(connection)
    for number, line in enumerate(lines, before.rows + 1):
        last = outline(line.text, last)
        found = columns(number, line, last)
        epoch = _after(connection, epoch, last.document, found.trade_pnl)
        taken.append(found)
    _insert(connection, "ledger", (each.ledger for each in taken))
    _insert(connection, "fills", (each.fill for each in taken if each.fill))
    _insert(connection, "trades", (each.trade for each in taken if each.trade))
    if has_texts(connection):
        texts = ((number, each.said) for number, each in enumerate(taken, before.rows + 1))
        _insert(connection, "texts (rowid, said)", (each for each in texts if each[1]))
    if epoch is not None:
        write_epoch(connection, epoch)
    connection.execute(
        "UPDATE state SET place = ?, rows = ?", (lines[-1].end, before.rows + len(lines))
    )


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    found = list(rows)
    if found:
        marks = ", ".join("?" * len(found[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", found)  # noqa: S608 - ours


def _last_outline(connection: sqlite3.Connection) -> Outline | None:
    row = _last(connection)
    if row is None:
        return None
    return Outline({"revision": row.revision}, row.symbol, row.owner)


def _newest_epoch(connection: sqlite3.Connection) -> EpochRow | None:
    return next(iter(read_epochs(connection, most=1)), None)


def _after(
    connection: sqlite3.Connection,
    epoch: EpochRow | None,
    document: Mapping[str, Any],
    trade_pnl: Decimal | None,
) -> EpochRow:
    """The epoch after the entry in ``document``; one that it ends is kept."""
    number, revision = document["epoch"], document["revision"]
    if epoch is not None and number == epoch.epoch and document["kind"] not in OPENINGS:
        return epoch.with_entry(revision, _wallet(epoch.wallet, document), trade_pnl)
    continued, time = document.get("continues"), from_iso(document["time"])
    since: list[EpochRow] = []
    if epoch is not None:
        epoch = replace(epoch, ended_at=time)
        write_epoch(connection, epoch)
        since = read_epochs(connection, epoch.epoch if continued is None else continued)[::-1]
    wallet = _wallet(None, document)
    return opened_epoch(document["kind"], time, revision, wallet, continued, since)


def _wallet(before: Wallet | None, document: Mapping[str, Any]) -> Wallet:
    """The wallet after the entry in ``document``."""
    kind, amount = document["kind"], Decimal(document["amount"])
    if document.get("wallet") is not None:
        return WALLET.decode(document["wallet"])
    if before is None or kind in OPENINGS:
        return Wallet.opened(document["epoch"], Decimal(document["balance"]))
    return before if kind in EVENTS else before.booked(kind, amount)
