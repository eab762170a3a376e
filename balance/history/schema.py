"""The tables of the index: what is filtered and sorted by, and where in the ledger the rest stands.

Amounts are bytes that sort as they do, prices and quantities floats; figures come from the ledger
itself, or are exact text.
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import Final

from balance.history.trigrams import create_texts

#: An index of another version is made anew.
SCHEMA: Final = 3

_SUBJECT: Final = "time INTEGER, epoch INTEGER, kind TEXT, source TEXT, symbol TEXT, owner TEXT"
_TABLES: Final = (
    # how far the index has come; `build` tells one that was made anew from the one before it, and
    # `sampled` how many rows there were when the samples were taken that lead searches
    "state (build TEXT, ledger TEXT, place INTEGER, rows INTEGER, is_ready INTEGER, "
    "sampled INTEGER)",
    # `id` counts from 1 without a gap, in the ledger's order
    "ledger (id INTEGER PRIMARY KEY, revision INTEGER, line INTEGER, start INTEGER, "
    f"stop INTEGER, checksum INTEGER, {_SUBJECT}, amount BLOB, balance BLOB, note TEXT)",
    f"fills (id INTEGER PRIMARY KEY, {_SUBJECT}, side TEXT, type TEXT, reason TEXT, "
    "liquidity TEXT, quantity REAL, price REAL, closed_quantity REAL, fee BLOB, "
    "realized_pnl BLOB, position_pnl BLOB, note TEXT)",
    f"trades (id INTEGER PRIMARY KEY, {_SUBJECT}, side TEXT, outcome TEXT, quantity REAL, "
    "entry_price REAL, exit_price REAL, opened_at INTEGER, closed_at INTEGER, seconds INTEGER, "
    "pnl BLOB, gross BLOB, fees BLOB, funding BLOB, opened_because TEXT, closed_because TEXT)",
    "epochs (epoch INTEGER PRIMARY KEY, document TEXT)",
)
_INDEXES: Final = (
    *(("ledger", name) for name in ("revision", "time", "epoch", "kind", "source", "symbol")),
    *(("ledger", name) for name in ("owner", "amount", "balance", "note", "kind, amount")),
    *(("fills", name) for name in ("time", "epoch", "symbol", "owner", "realized_pnl")),
    *(("fills", name) for name in ("quantity", "price", "fee")),
    *(("trades", name) for name in ("time", "epoch", "symbol", "owner", "pnl", "seconds")),
)

#: What is done once all is in it, and again when it has doubled: samples are taken that tell which
#: way to a row is the shortest.
FINISH: Final = (
    # that a table is gone tells every open connection to read the samples anew
    "DROP TABLE IF EXISTS sqlite_stat1",
    *("PRAGMA analysis_limit = 1000", "ANALYZE"),
    "UPDATE state SET is_ready = 1, sampled = rows",
)


def version(connection: sqlite3.Connection) -> int:
    """The schema that the database has; 0 for an empty one."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def create(connection: sqlite3.Connection, ledger: str) -> None:
    """Make all tables anew, empty, to be filled from ``ledger``; within a transaction."""
    create_texts(connection)
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'texts%'"
    for (name,) in connection.execute(listed).fetchall():
        connection.execute(f'DROP TABLE "{name}"')
    for table in _TABLES:
        connection.execute(f"CREATE TABLE {table}")
    state = (secrets.token_hex(8), ledger)
    connection.execute("INSERT INTO state VALUES (?, ?, 0, 0, 0, 0)", state)
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def missing_indexes(connection: sqlite3.Connection) -> list[str]:
    """The statements that make what there is quick to be searched, as far as that is to be done.
    To fill a table first and to sort it once takes a fraction of keeping it sorted."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'index'"
    there = {name for (name,) in connection.execute(listed)}
    wanted = (
        (f"{table}_{columns.replace(', ', '_')}", table, columns) for table, columns in _INDEXES
    )
    return [
        f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})"
        for name, table, columns in wanted
        if name not in there
    ]
