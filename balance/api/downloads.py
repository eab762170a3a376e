"""Lists of the history as files: CSV for a spreadsheet, JSON for a program, sent in blocks."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from flask import Response

from balance.api.encoding import encoded
from balance.core.figures import plain
from balance.core.question import Listed
from balance.core.rows import Row

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
            *("realized_pnl", "position_pnl", "owner"),
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
            *("balance", "pnl", "pnl_percent", "carried", "trades", "wins", "win_rate"),
            *("profit_factor", "best_trade", "worst_trade", "return_percent"),
            "max_drawdown_percent",
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
    write, kind = (_csv, "text/csv") if form == "csv" else (_json, "application/json")
    blocks = write(table, rows)
    # what can go wrong goes wrong before the answer begins; later it can only break off
    first = next(blocks)
    response = Response(itertools.chain([first], blocks), mimetype=kind)
    name = f"virtual-balance-{table}.{form}"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "no-store"
    return response


def _csv(table: Listed, rows: Iterable[Row]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS[table])
    for block in _blocks(rows):
        writer.writerows([_cell(name, row[name]) for name in COLUMNS[table]] for row in block)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if name in _FREE and str(value).startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(table: Listed, rows: Iterable[Row]) -> Iterator[str]:
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
