"""The ledger as it is read: page by page or as a whole, newest first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from balance.core.entry import Entry, Place, cursor, place_of
from balance.core.errors import InvalidRequest
from balance.core.market import Market
from balance.core.moments import iso
from balance.core.rows import fill_row
from balance.core.wallet import KINDS
from balance.history.question import Question, Table
from balance.store.state import Store

#: How many entries a page may hold.
LONGEST_PAGE: Final = 1_000
# no epoch has a larger number
_LARGEST: Final = 10**15

#: What finds entries without reading the ledger line by line; None where that can't be done now.
Search = Callable[[Question], Iterator[Entry] | None]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ledger, newest first; each entry reads as the HTTP answer has it."""

    entries: tuple[Mapping[str, Any], ...]
    # what to ask for as ``before`` to get the next page; None on the last one
    next: str | None


def page(
    store: Store,
    limit: int,
    before: str | int | None,
    kind: str | None,
    epoch: int | None,
    search: Search | None = None,
) -> Page:
    """At most ``limit`` entries, 1 to 1,000, from before ``before`` (a revision, or the last
    page's ``next``), of one kind and epoch if asked.

    Raises:
        InvalidRequest: a parameter is out of range.
        StoreUnreadable: the ledger is damaged there.
    """
    _check_number(limit, "limit", LONGEST_PAGE)
    found = _entries(store, before, kind, epoch, search, limit + 1)
    entries = tuple(itertools.islice(found, limit))
    more = next(found, None) is not None
    return Page(
        entries=tuple(_row(entry) for entry in entries),
        next=cursor(entries[-1].place) if more else None,
    )


def fills(
    store: Store, limit: int, before: str | None, market: Market, search: Search | None = None
) -> Page:
    """At most ``limit`` fills, 1 to 1,000, newest first, from before ``before``; liquidations are
    fills too. Prices are written as ``market`` has them.

    Raises:
        InvalidRequest: a parameter is out of range.
        StoreUnreadable: the ledger is damaged there.
    """
    _check_number(limit, "limit", LONGEST_PAGE)
    place = None if before is None else place_of(str(before))
    found = _found(search, "fills", {}, place, limit + 1)
    if found is None:
        found = (each for each in store.entries(before=place) if each.booking.fill)
    entries = tuple(itertools.islice(found, limit))
    more = next(found, None) is not None
    return Page(
        entries=tuple(fill_row(entry, market) for entry in entries),
        next=cursor(entries[-1].place) if more else None,
    )


def closings(store: Store, after: int, most: int | None = None) -> list[Entry]:
    """The entries since revision ``after`` that ended a trade, oldest first; of at most the newest
    ``most`` entries.

    Raises:
        StoreUnreadable: the ledger is damaged there.
    """
    newer = itertools.takewhile(lambda each: each.revision > after, store.entries())
    found = [
        entry
        for entry in itertools.islice(newer, most)
        if entry.booking.fill is not None and entry.booking.fill.trade is not None
    ]
    return found[::-1]


def lineage(store: Store) -> tuple[Entry, ...]:
    """What opened the running epoch and, where it goes on with an older one, what opened that,
    newest first.

    Raises:
        StoreUnreadable: the account or its ledger can't be read.
    """
    found: list[Entry] = []
    epoch: int | None = store.read().account.wallet.epoch
    while epoch is not None and (opening := store.opening(epoch)) is not None:
        found.append(opening)
        epoch = opening.booking.continues
    return tuple(found)


def since(store: Store, revision: int, most: int) -> list[Entry] | None:
    """The entries after ``revision``, oldest first; None where they are more than ``most``.

    Raises:
        StoreUnreadable: the ledger is damaged there.
    """
    newer = itertools.takewhile(lambda each: each.revision > revision, store.entries())
    found = list(itertools.islice(newer, most + 1))
    return found[::-1] if len(found) <= most else None


def traded_until(store: Store, feed: str) -> datetime | None:
    """The newest moment of ``feed``, by its id, at which something of the account was traded; None
    where the newest 1,000 entries and what is open tell of none.

    Raises:
        StoreUnreadable: the account or its ledger can't be read.
    """
    account = store.read().account
    known = [each.opened_at for each in account.positions if each.feed == feed]
    known += [each.placed_at for each in account.orders if each.feed == feed]
    for entry in itertools.islice(store.entries(), LONGEST_PAGE):
        fill = entry.booking.fill
        if fill is not None and fill.filled_at is not None and fill.feed == feed:
            known.append(fill.filled_at)
            break
    return max(known, default=None)


def rows(
    store: Store,
    before: str | int | None,
    kind: str | None,
    epoch: int | None,
    search: Search | None = None,
) -> Iterator[Mapping[str, Any]]:
    """All entries that :func:`page` would lead through, one by one.

    Raises:
        InvalidRequest: a parameter is out of range.
        StoreUnreadable: the ledger is damaged there.
    """
    return map(_row, _entries(store, before, kind, epoch, search, None))


def _entries(
    store: Store,
    before: str | int | None,
    kind: str | None,
    epoch: int | None,
    search: Search | None,
    most: int | None,
) -> Iterator[Entry]:
    if kind is not None and kind not in KINDS:
        raise InvalidRequest(f"kind must be one of {', '.join(KINDS)}, not {kind!r:.40}.")
    if epoch is not None:
        _check_number(epoch, "epoch")
    place = None if before is None else place_of(str(before))
    one_of = {"kind": kind, "epoch": epoch and min(epoch, _LARGEST)}
    found = _found(search, "ledger", one_of, place, most) if kind or epoch else None
    if found is not None:
        return found
    entries = store.entries(before=place)
    if epoch is not None:
        # epochs only grow: past the wanted one there is nothing more to find
        entries = itertools.takewhile(lambda entry: entry.booking.epoch >= epoch, entries)
    return (
        entry
        for entry in entries
        if (kind is None or entry.booking.kind == kind)
        and (epoch is None or entry.booking.epoch == epoch)
    )


def _found(
    search: Search | None,
    table: Table,
    values: Mapping[str, str | int | None],
    before: Place | None,
    most: int | None,
) -> Iterator[Entry] | None:
    """At most ``most`` entries (None: all) with those of ``values`` that are named."""
    if search is None:
        return None
    one_of = {name: (value,) for name, value in values.items() if value is not None}
    return search(Question(table=table, one_of=one_of, before=before, limit=most))


def _check_number(value: object, what: str, largest: int | None = None) -> None:
    number = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if number < 1 or (largest is not None and number > largest):
        wanted = "1 or more" if largest is None else f"from 1 to {largest:,}"
        raise InvalidRequest(f"{what} must be {wanted}, not {value!r:.40}.")


def _row(entry: Entry) -> Mapping[str, Any]:
    booking = entry.booking
    return {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": booking.amount,
        "balance": booking.balance,
        "source": entry.source,
        "note": booking.note,
    }
