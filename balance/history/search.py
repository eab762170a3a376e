"""Searches of the index: the rows that a question asks for, and their lines of the ledger."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from balance.core.errors import HistoryUnavailable
from balance.history.damaged_lines import DamagedLine, Needed, damaged_among, first_needed
from balance.history.database import Damaged
from balance.history.filling import Reached, reached
from balance.history.index import Index, Progress, known
from balance.history.queries import (
    Condition,
    Counts,
    Hit,
    all_ids,
    condition,
    gapless_ids,
    page_ids,
    sorted_by_id,
)
from balance.history.question import Question
from balance.store.codec import Unreadable
from balance.store.state import Store

#: So far back the ledger itself is read while it is not indexed yet.
DEEPEST: Final = 5_000
# How many rows of a whole list are read at once.
_BLOCK: Final = 500
R = TypeVar("R")
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """The page of a list that a question asks for."""

    rows: tuple[R, ...]
    # Of all pages; None where it is not known yet, or not in question.
    total: int | None
    progress: Progress


class Search:
    """Searches the ``index`` of the ledger of ``store``. Safe to use from many threads.

    All methods may raise StoreUnreadable where what they need of the ledger is damaged or can't be
    read, HistoryUnavailable where the index can't be used now, and Damaged where it does not fit.
    """

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index
        self._counts = Counts()

    def is_possible(self, question: Question) -> bool:
        """Whether the index can answer ``question``; the ledger itself answers one as well.

        Raises:
            HistoryUnavailable: the index is needed, and not whole yet.
        """
        try:
            progress = self._index.repaired(self._index.refresh)
        except HistoryUnavailable:
            if question.is_whole:
                return False
            raise
        if not progress.is_complete and not question.is_whole:
            raise unfinished(progress)
        return progress.is_complete

    def all(
        self,
        question: Question,
        find: Callable[[sqlite3.Connection, Sequence[int]], list[F]],
        read: Callable[[list[F]], Iterator[R]],
    ) -> Iterator[R]:
        """All rows that ``question`` asks for, one by one, whatever its offset and limit: what
        ``read`` makes of those that ``find`` finds by their ids."""
        try:
            build, ids = self._all_ids(question)
            for start in range(0, len(ids), _BLOCK):
                yield from read(self._block(build, ids[start : start + _BLOCK], find))
        except Damaged as fault:
            # The rows that were sent stay sent; the next file comes from an index made anew.
            self._index.discard()
            raise unfinished(Progress(False, 0)) from fault

    def page(
        self, connection: sqlite3.Connection, question: Question, so_far: Reached
    ) -> tuple[Sequence[int], int | None]:
        """The ids of the page of ``question``, and how many rows all pages have; None where that is
        not known, or not in question."""
        where = condition(connection, question, so_far.rows, so_far.updates)
        needed = first_needed(connection, where, question, so_far.rows)
        if needed is not None:
            return self._sound_ids(connection, where, question, so_far.rows, needed), None
        if not question.is_counted:
            return page_ids(connection, where, question), None
        total = self._counts.count(connection, where, so_far.build, so_far.rows)
        gapless = gapless_ids(where, question, so_far.rows)
        if gapless is not None:
            return gapless, total
        # A search for rare rows ends with the last of them.
        left = max(0, total - question.offset)
        most = left if question.limit is None else min(question.limit, left)
        return page_ids(connection, where, replace(question, limit=most)), total

    def _sound_ids(
        self,
        connection: sqlite3.Connection,
        where: Condition,
        question: Question,
        rows: int,
        needed: Needed,
    ) -> Sequence[int]:
        """The ids of the page of ``question``, which comes to its end before what is ``needed``
        first, or has all entries between two sound ones.

        Raises:
            StoreUnreadable: the page needs that line, or another damaged one.
        """
        first, last = where.ids or (0, rows)
        is_newest_first = question.order[1]
        gapless = gapless_ids(where, question, rows)
        if gapless is not None:
            if gapless:
                newest = max(gapless)
                # What comes right after the last one may be one of them too.
                end = newest + 1 if newest == last else newest
                self.refuse(damaged_among(connection, min(gapless), end))
            return gapless
        if not sorted_by_id(question) or question.limit is None:
            raise needed.line.error(self._store.folder)
        ends = (max(first, needed.at), last) if is_newest_first else (first, needed.at - 1)
        ids = page_ids(connection, where.within(*ends, rows), question)
        if len(ids) < question.limit:
            raise needed.line.error(self._store.folder)
        return ids

    def lines(self, found: Sequence[Hit], decode: Callable[[bytes], R]) -> Iterator[R]:
        """What ``decode`` reads from the lines of the ledger where the index has ``found``
        something.

        Raises:
            Damaged: something else stands there.
        """
        texts = self._store.texts([(each.start, each.stop) for each in found])
        for hit, text in zip(found, texts, strict=True):
            if not hit.is_of(text):
                raise Damaged("it does not fit the ledger")
            try:
                line = decode(text)
            except Unreadable as fault:
                raise Damaged(f"a line that it has {fault}") from fault
            yield line

    def refuse(self, damaged: DamagedLine | None) -> None:
        """Refuse what needs ``damaged``, if there is one.

        Raises:
            StoreUnreadable: there is one.
        """
        if damaged is not None:
            raise damaged.error(self._store.folder)

    def _all_ids(self, question: Question) -> tuple[str, array[int]]:
        """The build of the index, and the ids of all rows that ``question`` asks for."""
        with self._index.database.reading() as connection:
            so_far = known(reached(connection))
            where = condition(connection, question, so_far.rows, so_far.updates)
            needed = first_needed(connection, where, question, so_far.rows)
            self.refuse(None if needed is None else needed.line)
            return so_far.build, all_ids(connection, where, question)

    def _block(
        self,
        build: str,
        ids: Sequence[int],
        find: Callable[[sqlite3.Connection, Sequence[int]], list[F]],
    ) -> list[F]:
        """What ``find`` finds of the rows with ``ids``, if the index is still the one called
        ``build``. Each block is read by itself: a download may take all day, and an open
        transaction would keep the database from being tidied up."""
        with self._index.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None or so_far.build != build:
                raise HistoryUnavailable("it was indexed anew meanwhile: try again")
            return find(connection, ids)


def unfinished(progress: Progress) -> HistoryUnavailable:
    """The error for what needs all of the ledger to be indexed, at this ``progress``."""
    return HistoryUnavailable(
        f"it is being indexed, and {progress.percent} % are done: try again in a minute"
    )
