"""Entries as the ledger itself tells them, wherever the index has found them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from balance.core.entry import Entry, Place
from balance.core.errors import StoreUnreadable
from balance.history.columns import checksum
from balance.history.database import Damaged
from balance.history.queries import Hit
from balance.store.advice import option
from balance.store.codec import Unreadable, encode_entry, outline, outlined
from balance.store.file_store import LEDGER_FILE
from balance.store.state import Store


@dataclass(frozen=True, slots=True)
class Told:
    """An entry, and of what and whom it tells."""

    entry: Entry
    # None: of no symbol
    symbol: str | None
    # the id of a bot; empty: the person; None: of nobody's trading
    owner: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """An entry whole, with its effect, and what stands around it."""

    told: Told
    # its neighbours; the later one is None, too, where the index has not come to it
    before: Place | None
    after: Place | None = None
    # how many entries are newer, as far as is known
    offset: int | None = None

    def placed(self, after: Place | None, offset: int) -> Story:
        """The same, with what the index knows."""
        return replace(self, after=after, offset=offset)


def told(store: Store, found: Sequence[Hit]) -> Iterator[Told]:
    """What the ledger has where the index has ``found`` something.

    Raises:
        Damaged: something else stands there.
        StoreUnreadable: the ledger can't be read.
    """
    texts = store.texts([(each.start, each.stop) for each in found])
    for hit, text in zip(found, texts, strict=True):
        if checksum(text) != hit.checksum:
            raise Damaged("it does not fit the ledger")
        try:
            yield Told(outline(text).entry, hit.symbol, hit.owner)
        except Unreadable as fault:
            reason = f"is damaged: a line {fault}"
            raise StoreUnreadable(LEDGER_FILE, reason, option(store.folder)) from fault


def newest_first(store: Store, before: Place | None = None) -> Iterator[Told]:
    """The ledger without its index, newest first, from before a place on.

    Raises:
        StoreUnreadable: the ledger is damaged there.
    """
    commits = groupby(store.entries(before=before), key=lambda entry: entry.revision)
    for _, commit in commits:
        yield from _commit(list(commit))


def story(store: Store, place: Place) -> Story | None:
    """The entry at ``place`` and the one before it; None where there is none.

    Raises:
        StoreUnreadable: the ledger is damaged there.
    """
    revision, line = place
    found = newest_first(store, (revision, line + 1))
    first = next(found, None)
    if first is None or first.entry.place != place:
        return None
    earlier = next(found, None)
    return Story(first, None if earlier is None else earlier.entry.place)


def _commit(entries: list[Entry]) -> list[Told]:
    """The entries of one commit, newest first, with what each of them tells of."""
    outlines = list(outlined(map(encode_entry, reversed(entries))))[::-1]
    return [
        Told(entry, each.symbol, each.owner) for entry, each in zip(entries, outlines, strict=True)
    ]
