"""How many rows there are of which something holds: counted once, then only what makes the
difference."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from typing import Final

from balance.history.condition import Condition
from balance.history.queries import count

_MOST: Final = 64


class Counts:
    """The newest counts, as long as the index only grows."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, Condition], tuple[int, int]] = OrderedDict()
        self._guard = threading.Lock()

    def count(
        self, connection: sqlite3.Connection, wanted: Condition, build: str, rows: int
    ) -> int:
        """How many of the first ``rows`` rows of the index called ``build`` there are of which
        ``wanted`` holds."""
        gapless = wanted.gapless(rows)
        if gapless is not None:
            return max(0, gapless[1] - gapless[0])
        first, last = wanted.ids or (0, rows)
        if first:
            return count(connection, wanted)
        everywhere = wanted.within(0, rows, rows)
        with self._guard:
            until, number = self._known.get((build, everywhere), (0, 0))
        # another thread may have seen a newer state of the index; and what is far is counted anew
        if until > rows or abs(last - until) > last:
            until, number = 0, 0
        if until != last:
            low, high = sorted((until, last))
            between = count(connection, wanted.within(low, high, rows))
            number += between if last > until else -between
        self._keep((build, everywhere), (last, number))
        return number

    def _keep(self, what: tuple[str, Condition], known: tuple[int, int]) -> None:
        with self._guard:
            self._known[what] = known
            self._known.move_to_end(what)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
