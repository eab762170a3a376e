"""The news of a commit: what the market or a bot did of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from balance.core.entry import Entry
from balance.core.figures import CENTS
from balance.core.words import news

#: What a commit can have as news, the gravest first.
NEWS_KINDS: Final = ("liquidation", "fill", "cancel")
#: How many of the newest a snapshot tells, for those who were away while they came.
MOST_NEWS: Final = 10


@dataclass(frozen=True, slots=True)
class News:
    """What one commit tells that nobody asked for."""

    # of the commit
    revision: int
    # the gravest of what it did, one of NEWS_KINDS
    kind: str
    # who did it: market, offline (the market, found out at the next start) or bot
    source: str
    words: str

    @property
    def row(self) -> Mapping[str, Any]:
        """It as JSON."""
        return asdict(self)


def news_of(entries: Sequence[Entry], decimals: int = CENTS) -> News | None:
    """The news of the commit of ``entries``; None where it has none."""
    words = news(entries, decimals)
    if not words:
        return None
    kinds = {entry.booking.kind for entry in entries}
    kind = next(each for each in NEWS_KINDS if each in kinds)
    return News(entries[0].revision, kind, entries[0].source, words)
