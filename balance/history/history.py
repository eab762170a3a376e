"""The history: the ledger as lists, each answered from the index or, without it, from the ledger.

Who asks for what, and what happens while the index is not whole, damaged or locked:

- ``answer`` (a page of a filtered list): what the index has so far, with its progress; the ledger
  itself where nothing is filtered and the newest come first; else ``HistoryUnavailable``.
- ``records`` (a whole list, for a file): the ledger itself where nothing is filtered and the newest
  come first; else ``HistoryUnavailable``.
- ``orders``: as ``order_history`` says.
- ``page``, ``fills`` and ``rows`` (lists of one kind and epoch): always the ledger itself.
- ``entry``: from the ledger; its later neighbour is known to the index only.
- ``epochs``, ``epoch``, ``marks`` and ``fills_of``: only from the index, as far as it goes.
- everything else reads the newest entries of the ledger, which are found at once.

A line of the ledger that is damaged has a number in the index, and no row (``damaged_lines``):

- A page of a list needs it where it may be among the rows that pass the filters, unless the page is
  full before that line in the order of the ledger. Then its ``total`` is None. Where nothing but
  revisions is filtered, pages behind it are answered too.
- A whole list needs it where it may be among its rows, and so do marks.
- The sums of its epoch and of all later ones need it, as they carry the P&L of the earlier ones.
- So does an order that was open before it: it is not known what became of it, unless a later entry
  states it as open again.
- An entry needs it only where it is of the same commit.

What needs it raises StoreUnreadable with the number of the line. A line that was indexed before it
was damaged is noticed when it is read; what the index has of it stays true.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from balance.core.entry import Entry, Place, cursor, place_of
from balance.core.errors import HistoryUnavailable, InvalidRequest, StoreUnreadable
from balance.core.market import Market
from balance.core.wallet import KINDS
from balance.history.damaged_lines import (
    damaged_lines,
    needed_damaged,
    newest_damaged,
)
from balance.history.epochs import Epoch
from balance.history.filling import reached, read_epoch, read_epochs
from balance.history.index import Index, Progress
from balance.history.ledger_check import LedgerCheck
from balance.history.order_history import OrderHistory
from balance.history.queries import (
    Condition,
    Hit,
    fill_line,
    hits,
    marked,
    neighbours,
    row_of,
    values_of,
)
from balance.history.question import PERSON, Question
from balance.history.rows import EntryRow, LedgerRecord, entry_row, fill_row
from balance.history.search import DEEPEST, Answer, Search, unfinished
from balance.store.codec import encode_entry, outline, outlined
from balance.store.damage import Damages
from balance.store.state import Store

#: How many entries a page may hold.
LONGEST_PAGE: Final = 1_000
# No epoch has a larger number.
_LARGEST: Final = 10**15


@dataclass(frozen=True, slots=True)
class EpochList:
    """Epochs, newest first."""

    epochs: Sequence[Epoch]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ledger or of the fills, newest first; each row reads as the HTTP answer."""

    entries: tuple[Mapping[str, Any], ...]
    # The ``before`` of the next page; None on the last one.
    next: str | None
    # How many rows can't be read, and are on no page.
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class EntryInContext:
    """An entry whole, with its effect, and its neighbours."""

    record: LedgerRecord
    before: Place | None
    # None, too, where the index has not come to it.
    after: Place | None = None
    # How many entries are newer; None where the index has not come to it, or one is damaged.
    offset: int | None = None


class History:
    """The ledger of ``store`` as lists, with an index at ``path`` (None: in memory). Safe to use
    from many threads.

    All methods may raise StoreUnreadable where the ledger is damaged or can't be read. Those that
    need the index raise HistoryUnavailable where it can't be used now.
    """

    def __init__(
        self, store: Store, path: Path | None = None, damages: Damages | None = None
    ) -> None:
        """What is found damaged is listed in ``damages`` (None: in none of others)."""
        #: What is known to be damaged.
        self.damages = damages or Damages()
        #: The check of the whole ledger, which somebody has to go on with.
        self.check = LedgerCheck(store, self.damages)
        #: The index, which somebody has to keep up to date.
        self.index = Index(store, path, self.damages)
        self._store = store
        self._search = Search(store, self.index)
        #: The orders that were ever placed.
        self.orders = OrderHistory(store, self.index, self._search)

    @property
    def progress(self) -> Progress:
        """How much of the ledger was indexed at the last check."""
        return self.index.progress

    def answer(self, question: Question) -> Answer[LedgerRecord]:
        """The page that ``question`` asks for. While the index is not whole: the rows that it has
        or, where nothing is filtered and the newest come first, those of the ledger itself."""
        try:
            answer = self.index.repaired(lambda: self._found(question))
            if answer.progress.is_complete or not question.is_whole:
                return answer
            progress = answer.progress
        except HistoryUnavailable:
            if not question.is_whole:
                raise
            progress = Progress(False, min(self.progress.percent, 99))
        if question.offset > DEEPEST:
            raise unfinished(progress)
        end = None if question.limit is None else question.offset + question.limit
        rows = itertools.islice(newest_first(self._store), question.offset, end)
        return Answer(tuple(rows), None, progress)

    def records(self, question: Question) -> Iterator[LedgerRecord]:
        """All rows that ``question`` asks for, one by one, whatever its offset and limit."""
        if not self._search.is_possible(question):
            yield from newest_first(self._store)
            return
        yield from self._search.all(question, hits, self._records)

    def entry(self, place: Place) -> EntryInContext | None:
        """The entry at ``place`` with its neighbours; None where there is none."""
        revision, line = place
        records = newest_first(self._store, (revision, line + 1))
        record = next(records, None)
        if record is None or record.entry.place != place:
            return None
        found = EntryInContext(record, None)
        with suppress(StoreUnreadable):
            earlier = next(records, None)
            found = EntryInContext(record, None if earlier is None else earlier.entry.place)
        with suppress(HistoryUnavailable, StoreUnreadable):
            return self.index.read(lambda connection: _in_context(connection, found))
        return found

    def epochs(self, most: int = -1) -> Sequence[Epoch]:
        """The newest ``most`` epochs (below 0: all), newest first, as far as they are indexed."""
        return self.epoch_list(most).epochs

    def epoch_list(self, most: int = -1, *, newest: int | None = None) -> EpochList:
        """The epochs as :meth:`epochs` has them, and how much of the ledger they are of. Those
        after number ``newest`` (None: the running one) are not needed, and may be missing."""

        def read(connection: sqlite3.Connection) -> Sequence[Epoch]:
            self._refuse_sums(connection, newest)
            return read_epochs(connection, most=most)

        return self.index.repaired(lambda: EpochList(*self.index.read_so_far(read)))

    def epoch(self, number: int) -> Epoch | None:
        """The epoch with ``number``; None where it is not indexed."""

        def read(connection: sqlite3.Connection) -> Epoch | None:
            self._refuse_sums(connection, number)
            return read_epoch(connection, number)

        return self.index.read(read)

    def marks(self, begin: datetime, end: datetime, most: int) -> Sequence[Entry]:
        """The newest ``most`` entries from ``begin`` to ``end``, by the ledger's time, that moved
        the equity without being a result of trading, and liquidations; oldest first."""

        def read(connection: sqlite3.Connection) -> Sequence[Entry]:
            every = Question(table="ledger", begin=begin, end=end)
            self._search.refuse(needed_damaged(connection, Condition("ledger", (), ()), every))
            found = hits(connection, marked(connection, begin, end, most))
            return tuple(each.entry for each in self._records(found))

        return self.index.read(read)

    def fills_of(self, places: Sequence[Place]) -> Mapping[Place, Place]:
        """Where the fills stand that the realised P&L and the fees at ``places`` are of, by the
        place of each."""

        def read(connection: sqlite3.Connection) -> Mapping[Place, Place]:
            lines = {place: fill_line(connection, place) for place in places}
            return {place: (place[0], line) for place, line in lines.items() if line is not None}

        return self.index.read(read)

    def values(self, column: Literal["symbol", "owner"]) -> Sequence[str]:
        """The symbols or the owners that there are in the ledger, as far as it is indexed; none
        before it can be searched quickly."""

        def read(connection: sqlite3.Connection) -> Sequence[str]:
            so_far = reached(connection)
            is_quick = so_far is not None and so_far.is_ready
            return values_of(connection, column) if is_quick else ()

        return self.index.repaired(lambda: self.index.read_so_far(read)[0])

    def page(
        self,
        *,
        limit: int = 50,
        before: str | int | None = None,
        kind: str | None = None,
        epoch: int | None = None,
        owner: str | None = None,
    ) -> Page:
        """A page of the ledger: at most ``limit`` entries, 1 to 1,000, from before ``before`` (a
        revision, or the last page's ``next``), of one kind, epoch and owner if they are given;
        ``owner`` is the name of a key or the id of a bot, or ``you``, the person.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        _check_number(limit, "limit", LONGEST_PAGE)
        entries = self._entries(_view(before, kind, epoch, limit + 1, owner))
        found, following = _page(entries, limit)
        return Page(tuple(map(entry_row, found)), following)

    def rows(
        self,
        *,
        before: str | int | None = None,
        kind: str | None = None,
        epoch: int | None = None,
    ) -> Iterator[EntryRow]:
        """All rows that the pages of :meth:`page` have, one by one.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        return map(entry_row, self._entries(_view(before, kind, epoch, None)))

    def fills(self, market: Market, *, limit: int = 50, before: str | None = None) -> Page:
        """A page of the fills, as :meth:`page` has them; liquidations are fills too. Prices are
        written as ``market`` has them.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        _check_number(limit, "limit", LONGEST_PAGE)
        place = None if before is None else place_of(str(before))
        entries = self._entries(Question(table="fills", before=place, limit=limit + 1))
        found, following = _page(entries, limit)
        return Page(tuple(fill_row(each, market) for each in found), following)

    def since(self, revision: int, most: int) -> list[Entry] | None:
        """The entries after ``revision``, oldest first; None where they are more than ``most``, or
        one of them is damaged."""
        try:
            found = list(itertools.islice(self._newer(revision), most + 1))
        except StoreUnreadable:
            return None
        return found[::-1] if len(found) <= most else None

    def fills_after(self, revision: int) -> Iterator[Entry]:
        """The entries after ``revision`` that filled an order, newest first."""
        return (each for each in self._newer(revision) if each.booking.fill is not None)

    def closings(self, revision: int) -> list[Entry]:
        """The entries since ``revision`` that ended a trade, oldest first."""
        return [each for each in self._newer(revision) if _is_closing(each)][::-1]

    def recent_closings(self, most: int) -> Iterator[Entry]:
        """Those of the newest ``most`` entries that ended a trade, newest first."""
        return filter(_is_closing, itertools.islice(self._store.entries(), most))

    def opening(self, epoch: int) -> Entry | None:
        """The first entry of ``epoch``; None where the ledger has none."""
        return self._store.opening(epoch)

    def lineage(self) -> tuple[Entry, ...]:
        """The entry that opened the running epoch and, where that continues an older one, the
        entry that opened that, newest first."""
        found: list[Entry] = []
        epoch: int | None = self._store.read().account.wallet.epoch
        while epoch is not None and (opening := self._store.opening(epoch)) is not None:
            found.append(opening)
            epoch = opening.booking.continues
        return tuple(found)

    def _newer(self, revision: int) -> Iterator[Entry]:
        for entry in self._store.entries():
            if entry.revision <= revision:
                return
            yield entry
            # Where that is the last one, what is before it need not be sound.
            if entry.place == (revision + 1, 1):
                return

    def _entries(self, question: Question) -> Iterator[Entry]:
        """The entries of a view, newest first, from the index where that is whole. Never the first
        to make an index in a file: a program that reads one page would have to fill it."""
        if question.one_of or question.table == "fills":
            with suppress(HistoryUnavailable, StoreUnreadable):
                found = self._searched(question) if self.index.exists else None
                if found is not None:
                    return (each.entry for each in found)
        entries = self._owned(question) or self._store.entries(before=question.before)
        (epoch,) = question.one_of.get("epoch", (0,))
        # Epochs only grow: past this one there are no more entries of it.
        entries = itertools.takewhile(lambda each: each.booking.epoch >= int(epoch), entries)
        return (each for each in entries if _is_in_view(each, question))

    def _owned(self, question: Question) -> Iterator[Entry] | None:
        """The entries of the owners in ``question``, newest first; None where it names none."""
        owners = question.one_of.get("owner")
        if owners is None:
            return None
        records = newest_first(self._store, question.before)
        return (
            each.entry
            for each in records
            if each.owner is not None and (each.owner or PERSON) in owners
        )

    def _searched(self, question: Question) -> Iterator[LedgerRecord] | None:
        """The records of a view from the index; None where that is not whole."""
        if question.limit is None:
            return self.records(question) if self._search.is_possible(question) else None
        answer = self.answer(question)
        return iter(answer.rows) if answer.progress.is_complete else None

    def _found(self, question: Question) -> Answer[LedgerRecord]:
        progress = self.index.refresh()
        if question.is_whole and not progress.is_complete:
            return Answer((), None, progress)
        with self.index.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None:
                return Answer((), 0, Progress(False, 0))
            ids, total = self._search.page(connection, question, so_far)
            found = hits(connection, ids)
        return Answer(tuple(self._records(found)), total, progress)

    def _records(self, found: Sequence[Hit]) -> Iterator[LedgerRecord]:
        """The entries of the ledger where the index has ``found`` something.

        Raises:
            Damaged: something else stands there.
        """
        lines = self._search.lines(found, outline)
        for hit, line in zip(found, lines, strict=True):
            yield LedgerRecord(line.entry, hit.symbol, hit.owner)

    def _refuse_sums(self, connection: sqlite3.Connection, epoch: int | None) -> None:
        """Refuse the sums of ``epoch`` (None: of the running one) where they need a damaged line.

        Raises:
            StoreUnreadable: they do.
        """
        for first in damaged_lines(connection, 1):
            if epoch is None or epoch >= first.first_epoch:
                self._search.refuse(first)


def newest_first(store: Store, before: Place | None = None) -> Iterator[LedgerRecord]:
    """The ledger without its index, newest first, from just before a place on.

    Raises:
        StoreUnreadable: the ledger is damaged there.
    """
    commit: list[Entry] = []
    for entry in store.entries(before=before):
        commit.append(entry)
        if entry.line == 1:
            outlines = list(outlined(map(encode_entry, reversed(commit))))[::-1]
            for own, each in zip(commit, outlines, strict=True):
                yield LedgerRecord(own, each.symbol, each.owner)
            commit.clear()


def traded_until(store: Store, feed: str) -> datetime | None:
    """The newest moment of ``feed``, by its id, at which something of the account was traded; None
    where the newest 1,000 entries, as far back as they are sound, and what is open have none.

    Raises:
        StoreUnreadable: the account can't be read.
    """
    account = store.read().account
    times = [each.opened_at for each in account.positions if each.feed == feed]
    times += [each.placed_at for each in account.orders if each.feed == feed]
    with suppress(StoreUnreadable):
        for entry in itertools.islice(store.entries(), LONGEST_PAGE):
            fill = entry.booking.fill
            if fill is not None and fill.filled_at is not None and fill.feed == feed:
                times.append(fill.filled_at)
                break
    return max(times, default=None)


def _view(
    before: str | int | None,
    kind: str | None,
    epoch: int | None,
    limit: int | None,
    owner: str | None = None,
) -> Question:
    """The question for the ledger of one kind, epoch and owner.

    Raises:
        InvalidRequest: a parameter is out of range.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidRequest(f"kind must be one of {', '.join(KINDS)}, not {kind!r:.40}.")
    if epoch is not None:
        _check_number(epoch, "epoch")
    return Question(
        table="ledger",
        one_of={
            **({} if kind is None else {"kind": (kind,)}),
            **({} if epoch is None else {"epoch": (min(epoch, _LARGEST),)}),
            **({} if owner is None else {"owner": (owner,)}),
        },
        before=None if before is None else place_of(str(before)),
        limit=limit,
    )


def _is_in_view(entry: Entry, question: Question) -> bool:
    booking = entry.booking
    return (
        (question.table == "ledger" or booking.fill is not None)
        and booking.kind in question.one_of.get("kind", (booking.kind,))
        and booking.epoch in question.one_of.get("epoch", (booking.epoch,))
    )


def _is_closing(entry: Entry) -> bool:
    """Whether ``entry`` ended a trade."""
    return entry.booking.fill is not None and entry.booking.fill.trade is not None


def _page(entries: Iterator[Entry], limit: int) -> tuple[list[Entry], str | None]:
    """The next ``limit`` of ``entries``, and the ``before`` of the page behind them."""
    found = list(itertools.islice(entries, limit))
    try:
        has_more = next(entries, None) is not None
    except StoreUnreadable:
        has_more = True  # The page behind says what is damaged.
    return found, cursor(found[-1].place) if has_more else None


def _check_number(value: object, name: str, largest: int | None = None) -> None:
    number = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if number < 1 or (largest is not None and number > largest):
        valid = "1 or more" if largest is None else f"from 1 to {largest:,}"
        raise InvalidRequest(f"{name} must be {valid}, not {value!r:.40}.")


def _in_context(connection: sqlite3.Connection, found: EntryInContext) -> EntryInContext:
    """``found`` with what the index knows of the entries around it; damaged ones are none."""
    so_far, hit = reached(connection), row_of(connection, *found.record.entry.place)
    if so_far is None or hit is None:
        return found
    older, newer = neighbours(connection, hit.id)
    after = None if newer is None else (newer.revision, newer.line)
    before = found.before if older is None else (older.revision, older.line)
    damaged = newest_damaged(connection)
    # A damaged line may be two that a lost newline has joined.
    is_countable = damaged is None or damaged.previous < hit.id
    offset = so_far.rows - hit.id if is_countable else None
    return replace(found, before=before, after=after, offset=offset)
