"""The database of the index: a few connections to a file that anyone may delete at any time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from balance.core.errors import HistoryUnavailable
from balance.store.codec import FAULTS, reason
from balance.store.disk import DISK, Signature

#: How long a question waits for another program that fills the index.
BUSY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.01
# What a connection may keep in memory, in KiB, and how many stay open for the next question.
_CACHE: Final = 4 * 1024
_MOST_IDLE: Final = 3
# What is left of the file of changes once they are in the database, in bytes.
_JOURNAL: Final = 4 * 1024 * 1024
_DAMAGED: Final = (
    # Also a table or a column that is not there: somebody else's database.
    *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR),
    *(sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT),
)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_MESSAGES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room on it",
    sqlite3.SQLITE_IOERR: "the disk failed: look after it",
    sqlite3.SQLITE_READONLY: "it can't be written: give yourself the right to write there",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened: move away what is there if it is no file, else "
    "look at the rights of its folder",
    sqlite3.SQLITE_PERM: "it can't be opened: look at the rights of its folder",
}


class Damaged(Exception):
    """The database is none of ours: it has to be made anew."""


class Busy(HistoryUnavailable):
    """Another program holds the database for too long."""


class Database:
    """A SQLite database at a path, or in memory (None). Safe to use from many threads.

    Using it raises Damaged where the file is no database of ours, and HistoryUnavailable where it
    can't be used now.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is not None:
            DISK.narrow(path.parent, path.name)
        self._idle: list[sqlite3.Connection] = []
        self._inode: int | None = None
        self._guard = threading.Lock()
        # A database in memory is its connection, so it has one for all threads.
        self._alone = threading.Lock() if path is None else contextlib.nullcontext()

    def file(self) -> int | None:
        """What differs between the file and another one in its place; None where there is none."""
        try:
            return None if self._path is None else os.stat(self._path).st_ino
        except OSError:
            return None

    def state(self) -> Signature | None:
        """What differs once somebody has written to the file, and not only beside it; None where
        there is none, or it is in memory."""
        try:
            found = None if self._path is None else os.stat(self._path)
        except OSError:
            return None
        return None if found is None else Signature(found.st_mtime_ns, found.st_size, found.st_ino)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for the time of a ``with`` block."""
        with self._alone, _translated():
            connection = self._taken()
            try:
                yield connection
            finally:
                self._given_back(connection)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that sees one state of the database, whoever writes meanwhile."""
        return self._transaction("BEGIN", "ROLLBACK")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection in a transaction that is kept as a whole or not at all."""
        return self._transaction("BEGIN IMMEDIATE", "COMMIT")

    def discard(self) -> None:
        """Delete the file, so that the next one who comes makes it anew.

        Raises:
            HistoryUnavailable: it can't be deleted.
        """
        with self._guard:
            self._close_idle()
            # A new database would take up the changes that an old one has left beside it.
            for suffix in ("-wal", "-shm", "") if self._path is not None else ():
                try:
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                except OSError as fault:
                    raise HistoryUnavailable(
                        f"its index is damaged and can't be deleted ({fault.strerror}): delete "
                        "it by hand"
                    ) from fault

    def close(self) -> None:
        """Close the connections that are open and not in use."""
        if self._path is not None:
            with self._guard:
                self._close_idle()

    @contextmanager
    def _transaction(self, begin: str, end: str) -> Iterator[sqlite3.Connection]:
        with self.connection() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute(end)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

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
        if self._path is not None:
            DISK.reserve(self._path)
        connection = sqlite3.connect(
            self._path or ":memory:",
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            _wait_for_lock(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL}")
            # A power cut may take the newest batches back; they are taken over again.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection


def _wait_for_lock(action: Callable[[], object]) -> None:
    """Do ``action`` as soon as no other program holds the database. SQLite itself does not wait
    where two would wait for each other, as those do that make the same database."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            action()
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


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
    except UnicodeDecodeError as fault:
        # Where SQLite quotes what it can't read.
        raise Damaged("it has text that is none") from fault
    except sqlite3.Error as fault:
        # The lowest byte is the kind, the others say where.
        code = (getattr(fault, "sqlite_errorcode", None) or 0) & 0xFF
        # Without a code, it is Python that can't read a text.
        if code in _DAMAGED or (not code and isinstance(fault, sqlite3.OperationalError)):
            raise Damaged(str(fault)) from fault
        if code in _BUSY:
            raise Busy("another program has it for too long: try again") from fault
        raise HistoryUnavailable(_MESSAGES.get(code, f"SQLite says {fault}")) from fault
