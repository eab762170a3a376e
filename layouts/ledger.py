"""The ledger as a table of rows."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from dash import html

from balance.core.figures import dollars, gain
from layouts.live import tone
from layouts.parts import moment

#: What a kind of entry and a source are called on the screen.
KIND_WORDS = {
    "start": "Start",
    "reset": "Reset",
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "adjustment": "Adjustment",
    "external_edit": "File edited",
    "repair": "Repair",
    "realized_pnl": "Realised P&L",
    "liquidation": "Liquidation",
    "fee": "Fee",
    "funding": "Funding",
}
SOURCE_WORDS = {
    "screen": "Screen",
    "http": "HTTP",
    "shell": "Shell",
    "program": "Program",
    "file": "File",
}
_COLUMNS = ("Revision", "When", "What", "Amount", "Balance after", "From", "Note", "Epoch")
_NUMERIC = frozenset({"Revision", "Amount", "Balance after", "Epoch"})


def ledger_table(rows: Sequence[Mapping[str, Any]], *, brief: bool = False) -> html.Table:
    """``rows``, entries as the history gives them, newest first; ``brief`` leaves out what only
    the whole history needs."""
    columns = _COLUMNS[1:5] if brief else _COLUMNS
    return html.Table(
        [
            html.Thead(html.Tr([html.Th(name, className=_align(name)) for name in columns])),
            html.Tbody([_row(row, columns) for row in rows]),
        ],
        className="ledger",
    )


def _row(row: Mapping[str, Any], columns: Sequence[str]) -> html.Tr:
    amount = _amount(row["kind"], row["amount"])
    cells = {
        "Revision": html.Td(str(row["revision"]), className="number"),
        "When": html.Td(moment(row["time"]), className="when"),
        "What": html.Td(KIND_WORDS[row["kind"]]),
        "Amount": html.Td(amount, className="number pnl-figure", **{"data-tone": tone(amount)}),
        "Balance after": html.Td(dollars(row["balance"]), className="number"),
        "From": html.Td(SOURCE_WORDS.get(row["source"], row["source"])),
        "Note": html.Td(row["note"], className="note"),
        "Epoch": html.Td(str(row["epoch"]), className="number"),
    }
    return html.Tr([cells[name] for name in columns])


def _amount(kind: str, amount: Decimal) -> str:
    # what an epoch begins with is no gain
    return dollars(amount) if kind in ("start", "reset") else gain(amount)


def _align(name: str) -> str:
    return "number" if name in _NUMERIC else ""
