"""Lists of the history as files: CSV for a spreadsheet, JSON for a program, sent in blocks."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from flask import Response

from balance.api.encoding import encoded
from balance.core.figures import plain
from balance.core.rows import Row
from balance.history.question import PERSON

#: The kinds of files.
FORMATS: Final = ("csv", "json")
# What people write; a spreadsheet takes a cell that begins so for a formula.
_FREE: Final = frozenset({"note", "name", "source", "opened_because", "closed_because"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# How many rows are sent at once.
_BLOCK: Final = 500


def download(table: str, form: str, columns: Sequence[str], rows: Iterable[Row]) -> Response:
    """The ``columns`` of ``rows`` of ``table`` as a file, one of ``FORMATS``."""
    name = f"virtual-balance-{table}"
    if form == "csv":
        return csv_file(name, columns, rows)
    return _file(f"{name}.json", "application/json", _json(columns, rows))


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Row]) -> Response:
    """``rows`` as a CSV file of ``columns``, called ``name``; no text in it is a formula."""
    return _file(f"{name}.csv", "text/csv", _csv(columns, rows))


def _file(name: str, kind: str, blocks: Generator[str, None, None]) -> Response:
    # A fault of the first rows is answered as a problem; a later one can only break the file off.
    first = next(blocks)
    response = Response(itertools.chain([first], blocks), mimetype=kind)
    # A chain does not close what it is made of.
    response.call_on_close(blocks.close)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Generator[str, None, None]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for block in _blocks(rows):
        writer.writerows([_cell(name, row[name]) for name in columns] for row in block)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if name == "owner" and value == "":
        # The cell of nobody's trading is empty.
        return PERSON
    if name in _FREE and str(value).startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(columns: Sequence[str], rows: Iterable[Row]) -> Generator[str, None, None]:
    before = '{"status":"success","rows":['
    for block in _blocks(rows):
        yield before + ",".join(encoded({name: row[name] for name in columns}) for row in block)
        before = ","
    # Of an empty list the beginning was not sent yet.
    yield f"{before if before != ',' else ''}]}}\n"


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    found = iter(rows)
    while block := list(itertools.islice(found, _BLOCK)):
        yield block
