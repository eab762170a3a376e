"""The part of the description that tells of an epoch."""

from __future__ import annotations

from typing import Final

from balance.api.figure_schemas import figure_schemas
from balance.api.schemas import COUNT, TIME, Schema, money, object_of, or_null, texts
from balance.core.wallet import OPENINGS
from balance.performance.figures import FIGURES

_PERCENT: Final = {"type": ["number", "null"], "description": "In percent; null: not known."}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_MONEY: Final[Schema] = {
    "starting_balance": money("What it began with"),
    "deposits": money("Put in"),
    "withdrawals": money("Taken out"),
    "adjustments": money("Gains less losses booked from outside"),
    "realized_pnl": money("Closed P&L before fees"),
    "fees_paid": money("Trading fees"),
    "funding_paid": money("Funding paid less funding received"),
    "balance": money("The wallet balance at its end, or now"),
    "pnl": money("Balance - (starting balance + deposits - withdrawals)"),
    "carried": money("P&L of all time before it"),
}
_FIGURES: Final = figure_schemas(FIGURES)
#: An epoch with its sums.
EPOCH_SCHEMA: Final[Schema] = object_of(
    {
        "epoch": COUNT,
        "opened_at": TIME,
        "ended_at": {
            **or_null(TIME),
            "description": "Null: it is the running one, or its end is not indexed yet.",
        },
        "seconds": {
            **or_null(_WHOLE),
            "description": "So long it has lasted; null: its end is not indexed yet.",
        },
        "opened_by": {"enum": [*OPENINGS, "repair"]},
        "continues": {**or_null(COUNT), "description": "The epoch that an undo goes on with."},
        "is_current": {"type": "boolean", "description": "Whether it is the running one."},
        "first_revision": COUNT,
        "last_revision": COUNT,
        "entries": COUNT,
        **_MONEY,
        "pnl_percent": _PERCENT,
        **_FIGURES,
        "display": texts(("epoch", "opened_by", "entries", "pnl_percent", *_MONEY, *_FIGURES)),
    }
)
