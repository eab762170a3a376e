"""The index of the ledger: brought up to date, and made anew where it does not fit."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from balance.background.pace import Pace
from balance.background.worker import Worker
from balance.core.errors import HistoryUnavailable, StoreError
from balance.core.shape import Doc
from balance.history.database import Busy, Damaged, Database
from balance.history.filling import Reached, fill, finish, missing_indexes, prove_tables, reached
from balance.store.damage import Damage, Damages
from balance.store.disk import Signature
from balance.store.state import Extent, Store

#: The file of the index in the account's folder.
INDEX_FILE: Final = "history.db"
# A question first waits for the index to take over a backlog of at most so many bytes, for at
# most so many seconds.
_SMALL: Final = 2_000_000
_PATIENCE_SECONDS: Final = 1.0
# So large a file, in bytes, is proved before the first question is answered.
_SMALL_FILE: Final = 3_000_000
# One turn of the indexer, the pause after a commit, and how often it checks for changes made by
# other programs, or whether a fault was mended.
_TURN_SECONDS: Final = 0.5
_QUIET_SECONDS: Final = 2.0
_CHECK_SECONDS: Final = 15.0
# A large file that other programs write to is proved so often.
_PROOF_SECONDS: Final = 600.0

_MADE_ANEW: Final = Damage(
    INDEX_FILE,
    None,
    f"{INDEX_FILE} was damaged, and is made anew from the ledger. Nothing else is concerned. If "
    "this happens again, look after the disk.",
)

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

    def __init__(self, store: Store, path: Path | None, damages: Damages) -> None:
        """That it was damaged is listed in ``damages``."""
        self.database = Database(path)
        self._store = store
        self._path = path
        self._damages = damages
        # The state of the file when it was last known to hold what was written.
        self._proved: Signature | None = None
        self._is_trusted = True
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
    def is_trusted(self) -> bool:
        """Whether it is whole before its file is proved: a large one is, unless somebody proves it
        in the background."""
        return self._is_trusted

    def distrust(self) -> None:
        """Have it called whole only once its file was proved, as somebody does that in the
        background."""
        self._whole = None
        self._is_trusted = self._path is None or self.database.file() is None

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
            for step in (self._prove_small, self._fill_on, self._sort):
                while self._has_more(step, waits=budget_seconds is None):
                    if budget_seconds is not None and time.monotonic() - start > budget_seconds:
                        return False
                    pace.rest()
            if not self._is_trusted:
                if budget_seconds is not None:
                    return False
                self._has_more(self._prove, waits=True)
            self._whole, self._percent = (extent, self.database.file()), 100
            return True
        finally:
            self._filling.release()

    def read(self, query: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """What ``query`` finds in the index, with the newest entries in it."""
        return self.repaired(lambda: self.read_so_far(query)[0])

    def read_so_far(
        self, query: Callable[[sqlite3.Connection], _Result]
    ) -> tuple[_Result, Progress]:
        """What ``query`` finds in the index, and how much of the ledger that is of.

        Raises:
            Damaged: it has to be made anew.
        """
        progress = self.refresh()
        with self.database.reading() as connection:
            return query(connection), progress

    def refresh(self) -> Progress:
        """Catch up, where that is quickly done."""
        self._prove_small()
        if self.is_complete:
            return Progress(True, 100)
        extent = self._store.extent()
        with self.database.reading() as connection:
            so_far = reached(connection)
        there = so_far.place if so_far is not None and so_far.ledger == extent.ledger else 0
        is_done = False
        if extent.end - there <= _SMALL:
            # Where another program holds it for longer, what it lacks is said with what it has.
            with suppress(Busy):
                is_done = self.catch_up(_PATIENCE_SECONDS)
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
        """Delete the index, as it is damaged: it is made anew."""
        self._whole = self._proved = None
        self.database.discard()
        self._is_trusted = True
        _log.warning("%s", _MADE_ANEW.message)
        self._damages.report(_MADE_ANEW)

    def prove(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Prove that the file holds what was written there, unless nobody else has written to it
        since the last proof; one that is damaged is made anew.

        Raises:
            HistoryUnavailable: it can't be read now, or ``is_stopping`` came first.
        """
        self.repaired(lambda: self._prove(is_stopping))

    def _prove(self, is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Prove the file; nothing is left to be done then."""
        if self.database.state() not in (None, self._proved):
            # What open connections have of the file in memory proves nothing.
            self.database.close()
            state = self.database.state()
            with self.database.reading() as connection:
                prove_tables(connection, is_stopping)
            self._proved, self._is_trusted = state, True
        return False

    def _prove_small(self) -> bool:
        """Prove a file that is small; that of a large one goes on in the background."""
        state = self.database.state()
        return state is not None and state.size <= _SMALL_FILE and self._prove()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; a file that was proved before it is so after it."""
        is_proved = self.database.state() == self._proved
        with self.database.writing() as connection:
            yield connection
        if is_proved:
            self._proved = self.database.state()

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
        with self._writing() as connection:
            return fill(connection, self._store)

    def _sort(self) -> bool:
        """Make one SQL index that is missing, once all rows are in; whether more are missing."""
        with self.database.reading() as connection:
            so_far = known(reached(connection))
            if so_far.is_ready and so_far.is_sampled:
                return False
            missing = missing_indexes(connection)
        with self._writing() as connection:
            for statement in missing[:1]:
                connection.execute(statement)
            if not missing:
                finish(connection, known(reached(connection)))
        return bool(missing)


def indexer(index: Index) -> Worker:
    """A worker that keeps ``index`` up to date in the background."""
    last_fault, proved_at = "", time.monotonic()
    index.distrust()

    def turn() -> float | None:
        nonlocal last_fault, proved_at
        try:
            is_done = index.is_complete or index.catch_up(_TURN_SECONDS)
            if not index.is_trusted or time.monotonic() - proved_at > _PROOF_SECONDS:
                index.prove(lambda: worker.is_stopping)
                proved_at = time.monotonic()
        except StoreError as fault:
            if worker.is_stopping:
                return None
            # A fault is logged once, until a turn succeeds again.
            if str(fault) != last_fault:
                _log.warning("the history is not indexed: %s", fault)
            last_fault = str(fault)
            return None
        last_fault = ""
        return None if is_done else 0

    worker = Worker(
        "history-index",
        turn,
        "the history could not be indexed",
        every=_CHECK_SECONDS,
        settle=_QUIET_SECONDS,
        last=index.database.close,
    )
    return worker


def known(found: Reached | None) -> Reached:
    """``found``, which must be there.

    Raises:
        Damaged: there is no index in the database.
    """
    if found is None:
        raise Damaged("there is no index")
    return found
