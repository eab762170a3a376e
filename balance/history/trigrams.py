"""Which rows may have a text in them, by each three letters that stand in a row in it."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_TABLE: Final = (
    "CREATE VIRTUAL TABLE texts USING fts5(said, content='', columnsize=0, detail=none, "
    "tokenize='trigram case_sensitive 1')"
)
_LETTERS: Final = 3
# What more than one of so many rows may have is found as quickly by reading all of them.
_RARE: Final = 50


def create_texts(connection: sqlite3.Connection) -> None:
    """Make the table anew, where this SQLite has such tables."""
    connection.execute("DROP TABLE IF EXISTS texts")
    try:
        connection.execute(_TABLE)
        # Merged less often than usual while it is filled.
        connection.execute("INSERT INTO texts (texts, rank) VALUES ('automerge', 16)")
    except sqlite3.OperationalError:
        # This SQLite is old or was made without them: a text is searched for in every row.
        return


def has_texts(connection: sqlite3.Connection) -> bool:
    """Whether the database knows of texts."""
    listed = "SELECT 1 FROM sqlite_master WHERE name = 'texts'"
    return connection.execute(listed).fetchone() is not None


def indexed_text(texts: Iterable[str]) -> str:
    """``texts`` of one row as the table has them; empty where there is nothing in them."""
    # SQLite would not search behind a zero.
    return "\n".join(filter(None, texts)).replace("\0", "\n")


def sum_of_texts(connection: sqlite3.Connection) -> int:
    """A sum over all that the table knows, which is that of :func:`text_sum` of each row.

    Raises:
        sqlite3.Error: the table is damaged.
    """
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.known USING fts5vocab('main', 'texts', 'instance')"
    )
    known = connection.execute("SELECT term, sum(doc) FROM temp.known GROUP BY term")
    return sum(_weight(term) * numbers for term, numbers in known)


def text_sum(number: int, text: str) -> int:
    """What ``text``, of the row ``number``, adds to the sum of all texts."""
    return number * sum(map(_weight, _trigrams(text)))


@lru_cache(maxsize=100_000)
def _weight(trigram: str) -> int:
    return zlib.crc32(trigram.encode("utf-8", "backslashreplace"))


def _trigrams(text: str) -> set[str]:
    return {text[at : at + _LETTERS] for at in range(len(text) - _LETTERS + 1)}


def rare(connection: sqlite3.Connection, text: str, rows: int) -> str | None:
    """What finds in the table those of ``rows`` that may have ``text``; None where it is too short
    for that, or they are many."""
    trigrams = _trigrams(text)
    if not trigrams or "\0" in text or not has_texts(connection):
        return None
    match = " AND ".join('"{}"'.format(each.replace('"', '""')) for each in sorted(trigrams))
    found = "SELECT rowid FROM texts WHERE texts MATCH ? LIMIT ?"
    count = f"SELECT count(*) FROM ({found})"  # noqa: S608 - names are ours
    (number,) = connection.execute(count, (match, rows // _RARE + 1)).fetchone()
    return match if number <= rows // _RARE else None
