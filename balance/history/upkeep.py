"""Upkeep of the index: brought up to date, and made anew where it does not fit."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from balance.background.pace import Pace
from balance.core.errors import HistoryUnavailable, StoreUnreadable
from balance.history.database import Busy, Damaged, Database
from balance.history.filling import Reached, fill, reached
from balance.history.schema import FINISH, missing_indexes
from balance.store.advice import option
from balance.store.codec import Unreadable
from balance.store.file_store import LEDGER_FILE
from balance.store.state import Extent, Store

#: The file of the index in the account's folder.
INDEX_FILE: Final = "history.db"
#: What is less behind than this is caught up with before a question is answered, in bytes, and so
#: long that may take.
_SMALL: Final = 2_000_000
_PATIENCE_SECONDS: Final = 1.0

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the ledger is indexed."""

    is_complete: bool
    # of all, rounded down
    percent: int


class Upkeep:
    """Keeps the index of the ledger of ``store`` at ``path`` (None: in memory)."""

    def __init__(self, store: Store, path: Path | None) -> None:
        self.database = Database(path)
        self._store = store
        self._path = path
        self._filling = threading.Lock()
        # what was whole when it was last looked at: the ledger, and the file of the index
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
    def is_begun(self) -> bool:
        """Whether there is anything of an index yet; one in memory is begun when it is asked."""
        return self._path is None or self.database.file() is not None

    @property
    def progress(self) -> Progress:
        """How much of the ledger was indexed when it was last looked at."""
        return Progress(self._whole is not None and self._percent == 100, self._percent)

    def catch_up(self, budget_seconds: float | None = None) -> bool:
        """Index what is new, for at most ``budget_seconds`` (None: until all is, however long
        another program holds the index); returns whether all is indexed.

        Raises:
            StoreUnreadable: the ledger is damaged, or the account can't be read.
            HistoryUnavailable: the index can't be written now.
        """
        begun, pace = time.monotonic(), Pace()
        if not self._filling.acquire(timeout=-1 if budget_seconds is None else budget_seconds):
            return False
        try:
            extent = self._store.extent()
            for step in (self._fill_on, self._sort):
                while self._has_more(step, waits=budget_seconds is None):
                    if budget_seconds is not None and time.monotonic() - begun > budget_seconds:
                        return False
                    pace.rest()
            self._whole, self._percent = (extent, self.database.file()), 100
            return True
        finally:
            self._filling.release()

    def read(self, look: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """What ``look`` finds in the index, with what is new in it."""

        def found() -> _Result:
            self.freshened()
            with self.database.reading() as connection:
                return look(connection)

        return self.renewed(found)

    def freshened(self) -> Progress:
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

    def renewed(self, do: Callable[[], _Result]) -> _Result:
        """What ``do`` returns, tried once more with an index made anew where it was damaged."""
        file = self.database.file()
        try:
            return do()
        except Damaged:
            # unless another thread has done so meanwhile
            if self.database.file() == file:
                self.distrust()
        try:
            return do()
        except Damaged as fault:
            raise HistoryUnavailable(
                f"its index is damaged, {fault}: delete {INDEX_FILE}"
            ) from fault

    def _has_more(self, step: Callable[[], bool], *, waits: bool) -> bool:
        """What ``step`` returns; where it ``waits``, once no other program holds the index."""
        while True:
            try:
                return self.renewed(step)
            except Busy:
                if not waits:
                    raise

    def distrust(self) -> None:
        """Have the index made anew: it does not fit."""
        self._whole = None
        self.database.discard()

    def _fill_on(self) -> bool:
        """Take a batch over; whether there may be more."""
        try:
            with self.database.writing() as connection:
                return fill(connection, self._store)
        except Unreadable as fault:
            reason = f"is damaged: a line {fault}"
            raise StoreUnreadable(LEDGER_FILE, reason, option(self._store.folder)) from fault

    def _sort(self) -> bool:
        """Make it quicker to search, once all is in it; whether there is more of that to do."""
        with self.database.reading() as connection:
            so_far = _reached(reached(connection))
            if so_far.is_ready and so_far.is_sampled:
                return False
            missing = missing_indexes(connection)
        with self.database.writing() as connection:
            for statement in missing[:1] or FINISH:
                connection.execute(statement)
        return bool(missing)


def _reached(found: Reached | None) -> Reached:
    if found is None:
        raise Damaged("there is no index")
    return found
