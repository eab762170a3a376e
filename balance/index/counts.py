"""How many rows there are of which something holds: counted once, then only what has come since."""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from balance.index.asking import Condition, count

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
        if wanted.ids is not None:
            return count(connection, wanted)
        with self._guard:
            until, number = self._known.get((build, wanted), (0, 0))
        # another thread may have seen an older state of the index than this one
        if until > rows:
            until, number = 0, 0
        if until < rows:
            newer = wanted if not until else replace(wanted, ids=(until, rows))
            number += count(connection, newer)
        with self._guard:
            self._known[build, wanted] = rows, number
            self._known.move_to_end((build, wanted))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return number
