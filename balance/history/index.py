"""The index of the ledger: what the lists of the history are answered from."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

from balance.core.entry import Entry, Place
from balance.core.errors import HistoryUnavailable, StoreUnreadable
from balance.history.condition import condition
from balance.history.counts import Counts
from balance.history.database import Damaged
from balance.history.entries import Story, Told, newest_first, story, told
from balance.history.epoch_table import read_epoch, read_epochs
from balance.history.epochs import EpochRow
from balance.history.filling import reached
from balance.history.queries import Hit, all_ids, hits, marked, page, row_of
from balance.history.question import Question
from balance.history.upkeep import Progress, Upkeep
from balance.store.state import Store

#: So far back the ledger itself is read while it is not indexed yet.
_DEEPEST: Final = 5_000
# how many rows of a whole list are read at once
_BLOCK: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found."""

    rows: tuple[Told, ...]
    # of all pages; None where it is not known yet
    total: int | None
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An entry that moved the equity without being a result of trading, or ended a position by
    force."""

    place: Place
    time: datetime
    epoch: int
    kind: str
    amount: Decimal
    note: str


class Index:
    """Answers questions about the ledger of ``store``; kept at ``path`` (None: in memory). What is
    there is made anew whenever it does not fit the ledger. Safe to use from many threads, and many
    processes may have the same file."""

    def __init__(self, store: Store, path: Path | None = None) -> None:
        self._store = store
        self._upkeep = Upkeep(store, path)
        self._counts = Counts()

    @property
    def is_complete(self) -> bool:
        """Whether all of the ledger is indexed now.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        return self._upkeep.is_complete

    @property
    def progress(self) -> Progress:
        """How much of the ledger was indexed when it was last looked at."""
        return self._upkeep.progress

    def catch_up(self, budget_seconds: float | None = None) -> bool:
        """Index what is new, for at most ``budget_seconds`` (None: until all is); returns whether
        all is indexed.

        Raises:
            StoreUnreadable: the ledger is damaged, or the account can't be read.
            HistoryUnavailable: the index can't be written now.
        """
        return self._upkeep.catch_up(budget_seconds)

    def close(self) -> None:
        """Close what is kept open."""
        self._upkeep.database.close()

    def ask(self, asked: Question) -> Answer:
        """The rows that are asked for. While the index is not whole: those that it has or, where
        all is asked for newest first, those of the ledger itself.

        Raises:
            StoreUnreadable: the ledger is damaged there.
            HistoryUnavailable: the index is needed, and can't be used now.
        """
        try:
            answer = self._upkeep.renewed(lambda: self._indexed(asked))
            if answer.progress.is_complete or not asked.is_whole:
                return answer
            progress = answer.progress
        except (HistoryUnavailable, StoreUnreadable):
            if not asked.is_whole:
                raise
            progress = Progress(False, min(self.progress.percent, 99))
        if asked.offset > _DEEPEST:
            raise _unfinished(progress)
        end = None if asked.limit is None else asked.offset + asked.limit
        rows = islice(newest_first(self._store), asked.offset, end)
        return Answer(tuple(rows), None, progress)

    def whole(self, asked: Question) -> Iterator[Told]:
        """All rows that are asked for, one by one, whatever its offset and limit.

        Raises:
            StoreUnreadable: the ledger is damaged there.
            HistoryUnavailable: the index is not whole yet, or can't be used now.
        """
        if not self._is_searchable(asked):
            yield from newest_first(self._store)
            return
        try:
            build, ids = self._all(asked)
            for start in range(0, len(ids), _BLOCK):
                yield from told(self._store, self._block(build, ids[start : start + _BLOCK]))
        except Damaged as fault:
            # what has gone out can't be taken back; the next one finds it made anew
            self._upkeep.distrust()
            raise _unfinished(Progress(False, 0)) from fault

    def entries(self, asked: Question) -> Iterator[Entry] | None:
        """Those that are asked for, without their effects; None where they can't be told quickly:
        the ledger has to be read. Never the first to begin an index in a file.

        Raises:
            StoreUnreadable, HistoryUnavailable: on the way, as :meth:`whole` says.
        """
        with suppress(HistoryUnavailable, StoreUnreadable):
            if not self._upkeep.is_begun:
                return None
            if asked.limit is None:
                is_searchable = self._is_searchable(asked)
                return (each.entry for each in self.whole(asked)) if is_searchable else None
            answer = self.ask(asked)
            return (each.entry for each in answer.rows) if answer.progress.is_complete else None
        return None

    def story(self, place: Place) -> Story | None:
        """The entry at ``place`` with what stands around it; None where there is none.

        Raises:
            StoreUnreadable: the ledger is damaged there.
        """
        found = story(self._store, place)
        with suppress(HistoryUnavailable, StoreUnreadable):
            return self._upkeep.read(lambda connection: _placed(connection, found, place))
        return found

    def epochs(self, most: int = -1) -> Sequence[EpochRow]:
        """The newest ``most`` epochs (below 0: all), newest first, as far as they are indexed.

        Raises:
            StoreUnreadable, HistoryUnavailable: as :meth:`catch_up` says.
        """
        return self._upkeep.read(lambda connection: read_epochs(connection, most=most))

    def epoch(self, number: int) -> EpochRow | None:
        """The epoch with ``number``, as far as it is indexed; None where none is.

        Raises:
            StoreUnreadable, HistoryUnavailable: as :meth:`catch_up` says.
        """
        return self._upkeep.read(lambda connection: read_epoch(connection, number))

    def marks(self, begin: datetime, end: datetime, most: int) -> Sequence[Mark]:
        """The newest ``most`` marks from ``begin`` to ``end``, by the ledger's time, oldest first.

        Raises:
            StoreUnreadable, HistoryUnavailable: as :meth:`catch_up` says.
        """

        def read(connection: sqlite3.Connection) -> Sequence[Mark]:
            found = hits(connection, marked(connection, begin, end, most))
            return tuple(_mark(each) for each in told(self._store, found))

        return self._upkeep.read(read)

    def _is_searchable(self, asked: Question) -> bool:
        """Whether ``asked`` can be answered from the index; the ledger itself answers one as well.

        Raises:
            HistoryUnavailable: the index is needed, and not whole yet.
        """
        try:
            progress = self._upkeep.renewed(self._upkeep.freshened)
        except (HistoryUnavailable, StoreUnreadable):
            if asked.is_whole:
                return False
            raise
        if not progress.is_complete and not asked.is_whole:
            raise _unfinished(progress)
        return progress.is_complete

    def _all(self, asked: Question) -> tuple[str, array[int]]:
        """The build of the index, and the ids of all rows that are asked for."""
        with self._upkeep.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None:
                raise Damaged("there is no index")
            wanted = condition(connection, asked, so_far.rows)
            return so_far.build, all_ids(connection, wanted, asked)

    def _block(self, build: str, ids: Sequence[int]) -> list[Hit]:
        """Where the rows with ``ids`` stand, if the index is still the one called ``build``. Each
        block is looked up anew: who takes a file may take all day, and would keep the database from
        being tidied up."""
        with self._upkeep.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None or so_far.build != build:
                raise HistoryUnavailable("it was indexed anew meanwhile: try again")
            return hits(connection, ids)

    def _indexed(self, asked: Question) -> Answer:
        progress = self._upkeep.freshened()
        if asked.is_whole and not progress.is_complete:
            return Answer((), None, progress)
        with self._upkeep.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None:
                return Answer((), 0, Progress(False, 0))
            wanted = condition(connection, asked, so_far.rows)
            total = self._counts.count(connection, wanted, so_far.build, so_far.rows)
            # what is rare is not looked for beyond the last of it
            left = max(0, total - asked.offset)
            most = left if asked.limit is None else min(asked.limit, left)
            ids = page(connection, wanted, replace(asked, limit=most), so_far.rows) if most else []
            found = hits(connection, ids)
        return Answer(tuple(told(self._store, found)), total, progress)


def _placed(connection: sqlite3.Connection, found: Story | None, place: Place) -> Story | None:
    """``found`` with what the index knows of the entry at ``place``."""
    so_far, hit = reached(connection), row_of(connection, *place)
    if found is None or so_far is None or hit is None:
        return found
    newer = hits(connection, [hit.id + 1]) if hit.id < so_far.rows else []
    return found.placed(_place(newer), so_far.rows - hit.id)


def _place(found: Sequence[Hit]) -> Place | None:
    return (found[0].revision, found[0].line) if found else None


def _mark(row: Told) -> Mark:
    entry, booking = row.entry, row.entry.booking
    return Mark(
        place=entry.place,
        time=entry.time,
        epoch=booking.epoch,
        kind=booking.kind,
        amount=booking.amount,
        note=booking.note,
    )


def _unfinished(progress: Progress) -> HistoryUnavailable:
    return HistoryUnavailable(
        f"it is being indexed, and {progress.percent} % are done: try again in a minute"
    )
