"""The history: the ledger as lists, each answered from the index or, without it, from the ledger.

Who asks for what, and what happens while the index is not whole, damaged or locked:

- ``answer`` (a page of a filtered list): what the index has so far, with its progress; the ledger
  itself where nothing is filtered and the newest come first; else ``HistoryUnavailable``.
- ``records`` (a whole list, for a file): the ledger itself where nothing is filtered and the newest
  come first; else ``HistoryUnavailable``.
- ``orders`` and ``order_records``: from the index, once it is whole, as an order that is open in it
  may have ended since. ``order``: likewise, but for one that is open in the account.
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
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from balance.core.entry import Entry, Place, cursor, place_of
from balance.core.errors import HistoryUnavailable, InvalidRequest, StoreUnreadable, UnknownOrder
from balance.core.market import Market
from balance.core.order_ids import REVISION_STEP
from balance.core.order_record import OrderRecord, order_records
from balance.core.orders import find_order
from balance.core.wallet import KINDS
from balance.history.damaged_lines import (
    DamagedLine,
    Needed,
    damaged_among,
    damaged_lines,
    first_needed,
    needed_damaged,
    newest_damaged,
)
from balance.history.database import Damaged
from balance.history.epochs import Epoch
from balance.history.filling import Reached, reached, read_epoch, read_epochs
from balance.history.index import Index, Progress, known
from balance.history.ledger_check import LedgerCheck
from balance.history.order_table import OrderHit, order_hits, rows_of_order
from balance.history.queries import (
    Condition,
    Counts,
    Hit,
    all_ids,
    condition,
    fill_line,
    gapless_ids,
    hits,
    marked,
    neighbours,
    page_ids,
    row_of,
    sorted_by_id,
)
from balance.history.question import PERSON, Question
from balance.history.rows import EntryRow, LedgerRecord, entry_row, fill_row
from balance.store.codec import Unreadable, decode_order_entry, encode_entry, outline, outlined
from balance.store.damage import Damages
from balance.store.state import Store

#: How many entries a page may hold.
LONGEST_PAGE: Final = 1_000
# So far back the ledger itself is read while it is not indexed yet.
_DEEPEST: Final = 5_000
# How many rows of a whole list are read at once.
_BLOCK: Final = 500
# No number that is the id of an order has more digits.
_LONGEST_ID: Final = 16
R = TypeVar("R")
F = TypeVar("F")
# No epoch has a larger number.
_LARGEST: Final = 10**15


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """The page of a list that a question asks for."""

    rows: tuple[R, ...]
    # Of all pages; None where it is not known yet, or not in question.
    total: int | None
    progress: Progress


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
        self._store = store
        self._counts = Counts()
        #: The index, which somebody has to keep up to date.
        self.index = Index(store, path, self.damages)

    @property
    def progress(self) -> Progress:
        """How much of the ledger was indexed at the last check."""
        return self.index.progress

    def answer(self, question: Question) -> Answer[LedgerRecord]:
        """The page that ``question`` asks for. While the index is not whole: the rows that it has
        or, where nothing is filtered and the newest come first, those of the ledger itself."""
        try:
            answer = self.index.repaired(lambda: self._search(question))
            if answer.progress.is_complete or not question.is_whole:
                return answer
            progress = answer.progress
        except HistoryUnavailable:
            if not question.is_whole:
                raise
            progress = Progress(False, min(self.progress.percent, 99))
        if question.offset > _DEEPEST:
            raise unfinished(progress)
        end = None if question.limit is None else question.offset + question.limit
        rows = itertools.islice(newest_first(self._store), question.offset, end)
        return Answer(tuple(rows), None, progress)

    def records(self, question: Question) -> Iterator[LedgerRecord]:
        """All rows that ``question`` asks for, one by one, whatever its offset and limit."""
        if not self._is_searchable(question):
            yield from newest_first(self._store)
            return
        try:
            build, ids = self._all_ids(question)
            for start in range(0, len(ids), _BLOCK):
                yield from self._records(self._block(build, ids[start : start + _BLOCK], hits))
        except Damaged as fault:
            # The rows that were sent stay sent; the next file comes from an index made anew.
            self.index.discard()
            raise unfinished(Progress(False, 0)) from fault

    def orders(self, question: Question) -> Answer[OrderRecord]:
        """The page of the orders that ``question`` asks for, once all of the ledger is indexed."""

        def read() -> Answer[OrderRecord]:
            progress = self.index.refresh()
            if not progress.is_complete:
                raise unfinished(progress)
            with self.index.database.reading() as connection:
                ids, total = self._page(connection, question, known(reached(connection)))
                found = _order_lines(connection, ids)
            return Answer(tuple(self._order_records(found)), total, progress)

        return self.index.repaired(read)

    def order_records(self, question: Question) -> Iterator[OrderRecord]:
        """All orders that ``question`` asks for, one by one, whatever its offset and limit."""
        self._is_searchable(question)
        try:
            build, ids = self._all_ids(question)
            for start in range(0, len(ids), _BLOCK):
                block = ids[start : start + _BLOCK]
                yield from self._order_records(self._block(build, block, _order_lines))
        except Damaged as fault:
            self.index.discard()
            raise unfinished(Progress(False, 0)) from fault

    def order(self, name: str) -> OrderRecord | None:
        """The order with the id ``name``, or the newest with that client id; None where there is
        none. Of those that are open, also while the ledger is being indexed."""

        def read() -> OrderRecord | None:
            progress = self.index.refresh()
            if not progress.is_complete:
                record = self._open_order(name)
                if record is None:
                    raise unfinished(progress)
                return record
            with self.index.database.reading() as connection:
                found = _order_lines(connection, rows_of_order(connection, name))
                self._refuse_order(connection, name, found[0][0] if found else None)
            return next(self._order_records(found), None)

        return self.index.repaired(read)

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
            self._refuse(needed_damaged(connection, Condition("ledger", (), ()), every))
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
            return self.records(question) if self._is_searchable(question) else None
        answer = self.answer(question)
        return iter(answer.rows) if answer.progress.is_complete else None

    def _is_searchable(self, question: Question) -> bool:
        """Whether the index can answer ``question``; the ledger itself answers one as well.

        Raises:
            HistoryUnavailable: the index is needed, and not whole yet.
        """
        try:
            progress = self.index.repaired(self.index.refresh)
        except HistoryUnavailable:
            if question.is_whole:
                return False
            raise
        if not progress.is_complete and not question.is_whole:
            raise unfinished(progress)
        return progress.is_complete

    def _search(self, question: Question) -> Answer[LedgerRecord]:
        progress = self.index.refresh()
        if question.is_whole and not progress.is_complete:
            return Answer((), None, progress)
        with self.index.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None:
                return Answer((), 0, Progress(False, 0))
            ids, total = self._page(connection, question, so_far)
            found = hits(connection, ids)
        return Answer(tuple(self._records(found)), total, progress)

    def _page(
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
                self._refuse(damaged_among(connection, min(gapless), end))
            return gapless
        if not sorted_by_id(question) or question.limit is None:
            raise needed.line.error(self._store.folder)
        ends = (max(first, needed.at), last) if is_newest_first else (first, needed.at - 1)
        ids = page_ids(connection, where.within(*ends, rows), question)
        if len(ids) < question.limit:
            raise needed.line.error(self._store.folder)
        return ids

    def _refuse(self, damaged: DamagedLine | None) -> None:
        """Refuse what needs ``damaged``, if there is one.

        Raises:
            StoreUnreadable: there is one.
        """
        if damaged is not None:
            raise damaged.error(self._store.folder)

    def _refuse_sums(self, connection: sqlite3.Connection, epoch: int | None) -> None:
        """Refuse the sums of ``epoch`` (None: of the running one) where they need a damaged line.

        Raises:
            StoreUnreadable: they do.
        """
        for first in damaged_lines(connection, 1):
            if epoch is None or epoch >= first.first_epoch:
                self._refuse(first)

    def _refuse_order(
        self, connection: sqlite3.Connection, name: str, hit: OrderHit | None
    ) -> None:
        """Refuse to say what ``name`` is, or that there is none, where a damaged line may have it.

        Raises:
            StoreUnreadable: one may.
        """
        if hit is not None and hit.damaged:
            self._refuse(damaged_among(connection, hit.damaged, hit.damaged))
        newest = newest_damaged(connection)
        # It may have placed a newer order with the same client id.
        if newest is not None and (hit is None or (hit.name != name and newest.id > hit.placed)):
            self._refuse(newest)

    def _open_order(self, name: str) -> OrderRecord | None:
        """The open order with the id or the client id ``name``, without the index; None where there
        is none, where it has changed since it was placed, or that is too far back."""
        try:
            order = find_order(self._store.read().account, name)
        except UnknownOrder:
            return None
        entries = itertools.islice(self._store.entries(before=_behind(order.id)), _DEEPEST)
        placing = next((each for each in entries if _places(each, order.id)), None)
        if placing is None:
            return None
        found = order_records([placing])[order.id]
        return found if found.order == order else None

    def _all_ids(self, question: Question) -> tuple[str, array[int]]:
        """The build of the index, and the ids of all rows that ``question`` asks for."""
        with self.index.database.reading() as connection:
            so_far = known(reached(connection))
            where = condition(connection, question, so_far.rows, so_far.updates)
            needed = first_needed(connection, where, question, so_far.rows)
            self._refuse(None if needed is None else needed.line)
            return so_far.build, all_ids(connection, where, question)

    def _block(
        self,
        build: str,
        ids: Sequence[int],
        find: Callable[[sqlite3.Connection, Sequence[int]], list[F]],
    ) -> list[F]:
        """What ``find`` finds of the rows with ``ids``, if the index is still the one called
        ``build``. Each
        block is read by itself: a download may take all day, and an open transaction would keep
        the database from being tidied up."""
        with self.index.database.reading() as connection:
            so_far = reached(connection)
            if so_far is None or so_far.build != build:
                raise HistoryUnavailable("it was indexed anew meanwhile: try again")
            return find(connection, ids)

    def _records(self, found: Sequence[Hit]) -> Iterator[LedgerRecord]:
        """The entries of the ledger where the index has ``found`` something.

        Raises:
            Damaged: something else stands there.
        """
        texts = self._store.texts([(each.start, each.stop) for each in found])
        for hit, text in zip(found, texts, strict=True):
            if not hit.is_of(text):
                raise Damaged("it does not fit the ledger")
            try:
                yield LedgerRecord(outline(text).entry, hit.symbol, hit.owner)
            except Unreadable as fault:
                raise Damaged(f"a line that it has {fault}") from fault

    def _order_records(
        self, found: Sequence[tuple[OrderHit, Sequence[Hit]]]
    ) -> Iterator[OrderRecord]:
        """The records of the orders that were ``found`` with the lines that make them.

        Raises:
            Damaged: something else stands there.
        """
        lines = list({line.id: line for _, each in found for line in each}.values())
        texts = self._store.texts([(each.start, each.stop) for each in lines])
        entries = {}
        for line, text in zip(lines, texts, strict=True):
            if not line.is_of(text):
                raise Damaged("it does not fit the ledger")
            try:
                entries[line.id] = decode_order_entry(text)
            except Unreadable as fault:
                raise Damaged(f"a line that it has {fault}") from fault
        for order, each in found:
            record = order_records(entries[line.id] for line in each).get(order.name)
            if record is None:
                raise Damaged("it does not fit the ledger")
            yield record


def _order_lines(
    connection: sqlite3.Connection, ids: Sequence[int]
) -> list[tuple[OrderHit, Sequence[Hit]]]:
    """The orders whose rows are ``ids``, in this order, with the lines that make their records."""
    found = order_hits(connection, ids)
    lines = sorted({line for each in found for line in each.lines})
    places = dict(zip(lines, hits(connection, lines), strict=True))
    return [(each, [places[line] for line in each.lines]) for each in found]


def _behind(name: str) -> Place | None:
    """The place behind the commit that an order with the id ``name`` was placed in; None where the
    id does not say it, as those of older versions."""
    is_number = name.isascii() and name.isdecimal() and len(name) <= _LONGEST_ID
    return (int(name) // REVISION_STEP + 1, 1) if is_number else None


def _places(entry: Entry, name: str) -> bool:
    """Whether ``entry`` places the order with the id ``name``."""
    effect = entry.booking.effect
    if effect is None or name in effect.closed:
        return False
    return any(each.id == name for each in effect.opened)


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


def unfinished(progress: Progress) -> HistoryUnavailable:
    """The error for what needs all of the ledger to be indexed, at this ``progress``."""
    return HistoryUnavailable(
        f"it is being indexed, and {progress.percent} % are done: try again in a minute"
    )
