"""The index of the ledger: brought up to date, and made anew where it does not fit."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from balance.background.pace import Pace
from balance.background.worker import Worker
from balance.core.errors import HistoryUnavailable, StoreError
from balance.core.shape import Doc
from balance.history.database import Busy, Damaged, Database
from balance.history.filling import FINISH, Reached, fill, missing_indexes, reached
from balance.store.state import Extent, Store

#: The file of the index in the account's folder.
INDEX_FILE: Final = "history.db"
# A question first waits for the index to take over a backlog of at most so many bytes, for at
# most so many seconds.
_SMALL: Final = 2_000_000
_PATIENCE_SECONDS: Final = 1.0
# One turn of the indexer, the pause after a commit, and how often it checks for changes made by
# other programs, or whether a fault was mended.
_TURN_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 2.0
_CHECK_SECONDS: Final = 15.0

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the ledger is indexed."""

    is_complete: Annotated[bool, Doc("Whether all of the ledger is indexed.")]
    # Of the whole ledger, rounded down.
    percent: Annotated[int, Doc(minimum=0, maximum=100)]


class Index:
    """The index of the ledger of ``store``, in the file ``path`` (None: in memory). It is made anew
    whenever it does not fit the ledger. Safe to use from many threads, and many processes may
    share the file."""

    def __init__(self, store: Store, path: Path | None) -> None:
        self.database = Database(path)
        self._store = store
        self._path = path
        self._filling = threading.Lock()
        # The ledger and the index file as they were when the index was last known to be whole.
        self._whole: tuple[Extent, int | None] | None = None
        self._percent = 0

    @property
    def is_complete(self) -> bool:
        """Whether all of the ledger is indexed now.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        return self._whole == (self._store.extent(), self.database.file())

    @property
    def exists(self) -> bool:
        """Whether there is an index yet; one in memory is made by the first question."""
        return self._path is None or self.database.file() is not None

    @property
    def progress(self) -> Progress:
        """How much of the ledger was indexed at the last check."""
        return Progress(self._whole is not None and self._percent == 100, self._percent)

    def catch_up(self, budget_seconds: float | None = None) -> bool:
        """Index what is new, for at most ``budget_seconds`` (None: until all is, however long
        another program holds the index); returns whether all is indexed.

        Raises:
            StoreUnreadable: the account or the ledger can't be read.
            HistoryUnavailable: the index can't be written now.
        """
        start, pace = time.monotonic(), Pace()
        if not self._filling.acquire(timeout=-1 if budget_seconds is None else budget_seconds):
            return False
        try:
            extent = self._store.extent()
            for step in (self._fill_on, self._sort):
                while self._has_more(step, waits=budget_seconds is None):
                    if budget_seconds is not None and time.monotonic() - start > budget_seconds:
                        return False
                    pace.rest()
            self._whole, self._percent = (extent, self.database.file()), 100
            return True
        finally:
            self._filling.release()

    def read(self, query: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """What ``query`` finds in the index, with the newest entries in it."""

        def found() -> _Result:
            self.refresh()
            with self.database.reading() as connection:
                return query(connection)

        return self.repaired(found)

    def refresh(self) -> Progress:
        """Catch up, where that is quickly done."""
        if self.is_complete:
            return Progress(True, 100)
        extent = self._store.extent()
        with self.database.reading() as connection:
            so_far = reached(connection)
        there = so_far.place if so_far is not None and so_far.ledger == extent.ledger else 0
        is_done = False
        if extent.end - there <= _SMALL:
            try:
                is_done = self.catch_up(_PATIENCE_SECONDS)
            except Busy:
                if so_far is not None and so_far.is_ready:
                    raise
        self._percent = 100 if is_done else min(99, 100 * there // max(extent.end, 1))
        return Progress(is_done, self._percent)

    def repaired(self, action: Callable[[], _Result]) -> _Result:
        """What ``action`` returns, tried once more with an index made anew where it was damaged."""
        file = self.database.file()
        try:
            return action()
        except Damaged:
            # Another thread may have discarded it meanwhile.
            if self.database.file() == file:
                self.discard()
        try:
            return action()
        except Damaged as fault:
            raise HistoryUnavailable(
                f"its index is damaged, {fault}: delete {INDEX_FILE}"
            ) from fault

    def discard(self) -> None:
        """Delete the index, as it does not fit: it is made anew."""
        self._whole = None
        self.database.discard()

    def _has_more(self, step: Callable[[], bool], *, waits: bool) -> bool:
        """What ``step`` returns; where it ``waits``, once no other program holds the index."""
        while True:
            try:
                return self.repaired(step)
            except Busy:
                if not waits:
                    raise

    def _fill_on(self) -> bool:
        """Take a batch over; whether there may be more."""
        with self.database.writing() as connection:
            return fill(connection, self._store)

    def _sort(self) -> bool:
        """Make one SQL index that is missing, once all rows are in; whether more are missing."""
        with self.database.reading() as connection:
            so_far = known(reached(connection))
            if so_far.is_ready and so_far.is_sampled:
                return False
            missing = missing_indexes(connection)
        with self.database.writing() as connection:
            for statement in missing[:1] or FINISH:
                connection.execute(statement)
        return bool(missing)


def indexer(index: Index) -> Worker:
    """A worker that keeps ``index`` up to date in the background."""
    last_fault = ""

    def turn() -> float | None:
        nonlocal last_fault
        try:
            is_done = index.is_complete or index.catch_up(_TURN_SECONDS)
        except StoreError as fault:
            # A fault is logged once, until a turn succeeds again.
            if str(fault) != last_fault:
                _log.warning("the history is not indexed: %s", fault)
            last_fault = str(fault)
            return None
        last_fault = ""
        return None if is_done else 0

    return Worker(
        "history-index",
        turn,
        "the history could not be indexed",
        every=_CHECK_SECONDS,
        settle=_QUIET_SECONDS,
        last=index.database.close,
    )


def known(found: Reached | None) -> Reached:
    """``found``, which must be there.

    Raises:
        Damaged: there is no index in the database.
    """
    if found is None:
        raise Damaged("there is no index")
    return found
