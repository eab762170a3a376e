"""The orders that were ever placed, open or ended: each with its record, from the index.

An order that is open in an index which is not whole may have ended since: so they are listed once
all of the ledger is indexed. One that is open in the account is found before that as well.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from balance.core.entry import Entry, Place
from balance.core.errors import UnknownOrder
from balance.core.order_ids import REVISION_STEP
from balance.core.order_record import OrderRecord, order_records
from balance.core.orders import find_order
from balance.history.damaged_lines import damaged_among, newest_damaged
from balance.history.database import Damaged
from balance.history.filling import reached
from balance.history.index import Index, known
from balance.history.order_table import OrderHit, order_hits, rows_of_order
from balance.history.queries import Hit, hits
from balance.history.question import Question
from balance.history.search import DEEPEST, Answer, Search, unfinished
from balance.store.codec import decode_order_entry
from balance.store.state import Store

# No number that is the id of an order has more digits.
_LONGEST_ID: Final = 16


class OrderHistory:
    """The orders in the ledger of ``store``, by its ``index``. Safe to use from many threads.

    All methods may raise StoreUnreadable where what they need of the ledger is damaged or can't be
    read, and HistoryUnavailable where the index can't be used now.
    """

    def __init__(self, store: Store, index: Index, search: Search) -> None:
        self._store = store
        self._index = index
        self._search = search

    def page(self, question: Question) -> Answer[OrderRecord]:
        """The page of the orders that ``question`` asks for, once all of the ledger is indexed."""

        def read() -> Answer[OrderRecord]:
            progress = self._index.refresh()
            if not progress.is_complete:
                raise unfinished(progress)
            with self._index.database.reading() as connection:
                ids, total = self._search.page(connection, question, known(reached(connection)))
                found = _order_lines(connection, ids)
            return Answer(tuple(self._records(found)), total, progress)

        return self._index.repaired(read)

    def all(self, question: Question) -> Iterator[OrderRecord]:
        """All orders that ``question`` asks for, one by one, whatever its offset and limit."""
        self._search.is_possible(question)
        return self._search.all(question, _order_lines, self._records)

    def find(self, name: str) -> OrderRecord | None:
        """The order with the id ``name``, or the newest with that client id; None where there is
        none. Of those that are open, also while the ledger is being indexed."""

        def read() -> OrderRecord | None:
            progress = self._index.refresh()
            if not progress.is_complete:
                record = self._open_order(name)
                if record is None:
                    raise unfinished(progress)
                return record
            with self._index.database.reading() as connection:
                found = _order_lines(connection, rows_of_order(connection, name))
                self._refuse_order(connection, name, found[0][0] if found else None)
            return next(self._records(found), None)

        return self._index.repaired(read)

    def _refuse_order(
        self, connection: sqlite3.Connection, name: str, hit: OrderHit | None
    ) -> None:
        """Refuse to say what ``name`` is, or that there is none, where a damaged line may have it.

        Raises:
            StoreUnreadable: one may.
        """
        if hit is not None and hit.damaged:
            self._search.refuse(damaged_among(connection, hit.damaged, hit.damaged))
        newest = newest_damaged(connection)
        # It may have placed a newer order with the same client id.
        if newest is not None and (hit is None or (hit.name != name and newest.id > hit.placed)):
            self._search.refuse(newest)

    def _open_order(self, name: str) -> OrderRecord | None:
        """The open order with the id or the client id ``name``, without the index; None where there
        is none, where it has changed since it was placed, or that is too far back."""
        try:
            order = find_order(self._store.read().account, name)
        except UnknownOrder:
            return None
        entries = itertools.islice(self._store.entries(before=_behind(order.id)), DEEPEST)
        placing = next((each for each in entries if _places(each, order.id)), None)
        if placing is None:
            return None
        found = order_records([placing])[order.id]
        return found if found.order == order else None

    def _records(self, found: Sequence[tuple[OrderHit, Sequence[Hit]]]) -> Iterator[OrderRecord]:
        """The records of the orders that were ``found`` with the lines that make them.

        Raises:
            Damaged: something else stands there.
        """
        lines = list({line.id: line for _, each in found for line in each}.values())
        entries = dict(
            zip(
                (each.id for each in lines),
                self._search.lines(lines, decode_order_entry),
                strict=True,
            )
        )
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
