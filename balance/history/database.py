"""The database of the index: a few connections to a file that anyone may delete at any time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from balance.core.errors import HistoryUnavailable
from balance.store.codec import FAULTS, reason

#: How long a question waits for another program that fills the index.
BUSY_SECONDS: Final = 5.0
# what a connection may keep in memory, in KiB, and how many are kept for the next question
_CACHE: Final = 4 * 1024
_MOST_IDLE: Final = 3
# what is left of the file of changes once they are in the database, in bytes
_JOURNAL: Final = 4 * 1024 * 1024
_DAMAGED: Final = (
    # also a table or a column that is not there: somebody else's database
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR),
    *(sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT),
)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_WORDS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room on it",
    sqlite3.SQLITE_IOERR: "the disk failed: look after it",
    sqlite3.SQLITE_READONLY: "it can't be written: give yourself the right to write there",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened: look at the rights of its folder",
    sqlite3.SQLITE_PERM: "it can't be opened: look at the rights of its folder",
}


class Damaged(Exception):
    """The database is none of ours: it has to be made anew."""


class Busy(HistoryUnavailable):
    """Another program holds the database for too long."""


class Database:
    """A SQLite database at a path, or in memory (None). Safe to use from many threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._inode: int | None = None
        self._guard = threading.Lock()
        # one in memory has one connection for all
        self._alone = threading.RLock() if path is None else contextlib.nullcontext()
        self._shared: sqlite3.Connection | None = None

    def file(self) -> int | None:
        """What tells the file from another one in its place; None where there is none."""
        try:
            return None if self._path is None else os.stat(self._path).st_ino
        except OSError:
            return None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for the time of a ``with`` block.

        Raises:
            Damaged: the file is no database of ours.
            HistoryUnavailable: it can't be used now.
        """
        with self._alone, _translated():
            if self._path is None and self._shared is None:
                self._shared = self._opened()
            connection = self._shared or self._taken()
            try:
                yield connection
            finally:
                if connection is not self._shared:
                    self._given_back(connection)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database, whoever writes meanwhile.

        Raises:
            Damaged, HistoryUnavailable: as :meth:`connection` says.
        """
        with self.connection() as connection:
            is_outer = not connection.in_transaction
            if is_outer:
                connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if is_outer and connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that is kept as a whole or not at all.

        Raises:
            Damaged, HistoryUnavailable: as :meth:`connection` says.
        """
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def discard(self) -> None:
        """Delete the file, so that the next one who comes makes it anew.

        Raises:
            HistoryUnavailable: it can't be deleted.
        """
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        with self._guard:
            self._close_idle()
            # a new database would take up the changes that an old one has left beside it
            for suffix in ("-wal", "-shm", "") if self._path is not None else ():
                try:
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                except OSError as fault:
                    raise HistoryUnavailable(
                        f"its index is damaged and can't be deleted ({fault.strerror}): delete "
                        "it by hand"
                    ) from fault

    def close(self) -> None:
        """Close what is kept open."""
        with self._guard:
            self._close_idle()

    def _taken(self) -> sqlite3.Connection:
        with self._guard:
            if self._inode is not None and self._inode != self.file():
                self._close_idle()
            connection = self._idle.pop() if self._idle else self._opened()
            self._inode = self.file()
            return connection

    def _given_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if len(self._idle) < _MOST_IDLE and self._inode == self.file():
                self._idle.append(connection)
            else:
                connection.close()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL}")
            # a power cut may take the newest batches back; they are taken over again
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def decoding() -> Iterator[None]:
    """A ``with`` block that reads what the tables hold.

    Raises:
        Damaged: it is nothing that we have written.
    """
    try:
        yield
    except FAULTS as fault:
        raise Damaged(f"what it holds makes no sense: {reason(fault)}") from fault


def natural(value: object) -> int:
    """``value``, a whole number from 0 on.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r:.40} is no whole number")
    return value


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        # the lowest byte tells the kind, the others where
        code = (getattr(fault, "sqlite_errorcode", None) or 0) & 0xFF
        # without a code, it is Python that can't read a text
        if code in _DAMAGED or (not code and isinstance(fault, sqlite3.OperationalError)):
            raise Damaged(str(fault)) from fault
        if code in _BUSY:
            raise Busy("another program has it for too long: try again") from fault
        raise HistoryUnavailable(_WORDS.get(code, f"SQLite says {fault}")) from fault
