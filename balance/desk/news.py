"""The newest news of an account, for those who were away while they came."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from balance.core.entry import Entry
from balance.core.errors import StoreError
from balance.core.messages import MOST_NEWS, News, news_of
from balance.store.state import State, Store

# how far back the ledger is looked through at most
_MOST_COMMITS: Final = 100


class RecentNews:
    """Finds the newest news of a store's account in its ledger, and keeps up with the commits.
    Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # the newest state that was asked about, with its news: replaced as a whole
        self._known: tuple[State, tuple[News, ...]] | None = None

    def until(self, state: State, decimals: int) -> tuple[News, ...]:
        """The newest news up to ``state``, oldest first; their words are those of when they were
        found. Of a ledger that is damaged, those that can be read."""
        known = self._known
        if known is not None and known[0] is state:
            return known[1]
        after, before = _older(known, state)
        found = (news_of(each, decimals) for each in self._commits(state, after))
        newer = list(itertools.islice((each for each in found if each is not None), MOST_NEWS))
        news = (*before, *reversed(newer))[-MOST_NEWS:]
        self._known = state, news
        return news

    def _commits(self, state: State, after: int) -> Iterator[Sequence[Entry]]:
        """The entries of each commit after revision ``after`` up to ``state``, newest first."""
        yield state.entries
        if state.revision <= after + 1:
            return
        entries = self._store.entries(before=(state.revision, 1))
        commits = itertools.groupby(entries, lambda entry: entry.revision)
        with suppress(StoreError):
            for revision, of_one in itertools.islice(commits, _MOST_COMMITS):
                if revision <= after:
                    return
                yield tuple(of_one)[::-1]


def _older(
    known: tuple[State, tuple[News, ...]] | None, state: State
) -> tuple[int, tuple[News, ...]]:
    """The revision from which ``state`` goes on, with the news up to there."""
    if known is None or known[0].account_id != state.account_id:
        return 0, ()
    # threads may ask in another order than they committed, and a file may have been put back
    return (known[0].revision, known[1]) if known[0].revision < state.revision else (0, ())
