"""The proof of the index: whether its tables hold what was written there. SQLite notices some
damage of a file, and takes the rest for rows.

What a list shows stands in proved lines of the ledger, so a damaged index shows no wrong entry. But
it may leave rows out, or sort them wrongly. So it has a sum over all rows of its lists, which is
compared after the start, and when another program wrote to the file.
"""

from __future__ import annotations

import marshal
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from balance.background.pace import Pace
from balance.core.errors import HistoryUnavailable
from balance.history.database import Damaged
from balance.history.lists import Table
from balance.history.trigrams import has_texts, indexed_text, sum_of_texts, text_sum

#: The columns with texts that are searched, by the table that has them.
TextColumns = Mapping[Table, Sequence[str]]
# So many rows are summed up before others get their turn, and so many steps of SQLite are made
# before it is seen whether to stop.
_BLOCK: Final = 100
# The newest one that is the same whatever else there is in memory, and the same in any version.
_FORMAT: Final = 2
_STEPS: Final = 100_000


def checksum(values: tuple[Any, ...]) -> int:
    """What differs between ``values``, a tuple, and others, but for one in four billion."""
    return zlib.crc32(marshal.dumps(values, _FORMAT))


def sum_of(rows: Iterable[tuple[Any, ...]]) -> int:
    """What ``rows`` of a table add to the sum of the index."""
    return sum(map(checksum, rows))


def sum_of_sealed(rows: Iterable[tuple[Any, ...]]) -> int:
    """The same of rows that end with their own checksum, which is what each adds.

    Raises:
        Damaged: a row is not that of its checksum.
    """
    total = 0
    for *values, stated in rows:
        if checksum(tuple(values)) != stated:
            raise Damaged("a row is not what was written")
        total += stated
    return total


def prove(
    connection: sqlite3.Connection,
    expected: int,
    sealed: Sequence[str],
    texts: TextColumns,
    is_stopping: Callable[[], bool],
) -> None:
    """Prove that the rows of the tables that ``texts`` names, and of those whose rows are
    ``sealed``, add up to ``expected``, that all ways to them lead there, and that what is known of
    their texts is true.

    Raises:
        Damaged: one of these is not so.
        HistoryUnavailable: ``is_stopping`` came first.
    """
    pace = Pace()

    def rested(rows: Iterable[Any]) -> Iterator[Any]:
        for number, row in enumerate(rows):
            if number % _BLOCK == 0:
                pace.rest()
                if is_stopping():
                    raise HistoryUnavailable("the server is stopping")
            yield row

    connection.set_progress_handler(lambda: int(is_stopping()), _STEPS)
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise Damaged(str(found))
    finally:
        connection.set_progress_handler(None, 0)

    def rows_of(table: str) -> Iterator[Any]:
        return rested(connection.execute(f"SELECT * FROM {table}"))  # noqa: S608 - ours

    rows = sum(sum_of(rows_of(each)) for each in texts)
    rows += sum(sum_of_sealed(rows_of(each)) for each in sealed)
    if rows != expected:
        raise Damaged("its rows are not those that were written")
    if has_texts(connection):
        in_rows = sum(text_sum(number, text) for number, text in rested(_texts(connection, texts)))
        if sum_of_texts(connection) != in_rows:
            raise Damaged("it finds other texts than those of its rows")


def _texts(connection: sqlite3.Connection, columns: TextColumns) -> Iterator[tuple[int, str]]:
    """What people wrote in each entry, by the number of its row."""
    first, *others = columns
    names = ", ".join(f"{table}.{each}" for table in columns for each in columns[table])
    joined = " ".join(f"LEFT JOIN {table} USING (id)" for table in others)
    for number, *texts in connection.execute(f"SELECT id, {names} FROM {first} {joined}"):  # noqa: S608
        yield number, indexed_text(dict.fromkeys(texts))
