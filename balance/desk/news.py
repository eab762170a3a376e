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

# How many commits are read at most.
_MOST_COMMITS: Final = 100


class RecentNews:
    """Finds the newest news of a store's account in its ledger, and keeps up with the commits.
    Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # The last state that was read, with its news: replaced as a whole.
        self._known: tuple[State, tuple[News, ...]] | None = None

    def until(self, state: State, decimals: int) -> tuple[News, ...]:
        """The newest news up to ``state``, oldest first, with the sentences of when they were
        found. Of a damaged ledger, those that can be read."""
        after, before = 0, tuple[News, ...]()
        if self._known is not None:
            known, news = self._known
            if known is state:
                return news
            # Threads may come in another order than they committed, and a file may be put back.
            if known.account_id == state.account_id and known.revision < state.revision:
                after, before = known.revision, news
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
            for revision, commit in itertools.islice(commits, _MOST_COMMITS):
                if revision <= after:
                    return
                yield tuple(commit)[::-1]
