"""Lists of the history as files: CSV for a spreadsheet, JSON for a program, sent in blocks."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from flask import Response

from balance.api.encoding import encoded
from balance.core.figures import plain
from balance.core.rows import Row
from balance.history.question import PERSON, Listed
from balance.performance.figures import FIGURES

# The columns of files keep their places, so newer figures of epochs come last.
_FIRST_FIGURES: Final = (
    *("trades", "wins", "losses", "even", "win_rate", "profit_factor", "best_trade"),
    *("worst_trade", "return_percent", "max_drawdown_percent"),
)
_NEWER_FIGURES: Final = tuple(each.name for each in FIGURES if each.name not in _FIRST_FIGURES)
#: The columns of each file, in their order.
COLUMNS: Final[Mapping[Listed, tuple[str, ...]]] = MappingProxyType(
    {
        "ledger": (
            *("revision", "line", "place", "time", "epoch", "kind", "amount", "balance"),
            *("source", "symbol", "owner", "note"),
        ),
        "fills": (
            *("revision", "line", "place", "time", "epoch", "order_id", "symbol", "side", "type"),
            *("reason", "liquidity", "quantity", "price", "fee", "closed_quantity"),
            *("realized_pnl", "position_pnl", "owner", "note"),
        ),
        "trades": (
            *("revision", "line", "place", "time", "epoch", "bot", "name", "symbol", "side"),
            *("outcome", "quantity", "entry_price", "exit_price", "opened_at", "closed_at"),
            *("seconds", "pnl", "gross", "fees", "funding", "opened_because", "closed_because"),
        ),
        "epochs": (
            *("epoch", "opened_at", "ended_at", "seconds", "opened_by", "continues"),
            *("first_revision", "last_revision", "entries", "starting_balance", "deposits"),
            *("withdrawals", "adjustments", "realized_pnl", "fees_paid", "funding_paid"),
            *("balance", "pnl", "pnl_percent", "carried", *_FIRST_FIGURES, *_NEWER_FIGURES),
        ),
    }
)
FORMATS: Final = ("csv", "json")
# what people write; a spreadsheet takes a cell that begins so for a formula
_FREE: Final = frozenset({"note", "name", "source", "opened_because", "closed_because"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# how many rows go out at once
_BLOCK: Final = 500


def download(table: Listed, form: str, rows: Iterable[Row]) -> Response:
    """``rows`` of ``table`` as a file, one of ``FORMATS``."""
    name = f"virtual-balance-{table}"
    if form == "csv":
        return csv_file(name, COLUMNS[table], rows)
    return _file(f"{name}.json", "application/json", _json(table, rows))


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Row]) -> Response:
    """``rows`` as a CSV file of ``columns``, called ``name``; no text in it is a formula."""
    return _file(f"{name}.csv", "text/csv", _csv(columns, rows))


def _file(name: str, kind: str, blocks: Generator[str, None, None]) -> Response:
    # what can go wrong goes wrong before the answer begins; later it can only break off
    first = next(blocks)
    response = Response(itertools.chain([first], blocks), mimetype=kind)
    # a chain does not close what it is made of
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
        # nobody's cell is empty
        return PERSON
    if name in _FREE and str(value).startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(table: Listed, rows: Iterable[Row]) -> Generator[str, None, None]:
    before = '{"status":"success","rows":['
    for block in _blocks(rows):
        yield before + ",".join(
            encoded({name: row[name] for name in COLUMNS[table]}) for row in block
        )
        before = ","
    # an empty list has had no beginning yet
    yield f"{before if before != ',' else ''}]}}\n"


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    found = iter(rows)
    while block := list(itertools.islice(found, _BLOCK)):
        yield block
