"""The part of the description that tells of the equity over time, and of performance."""

from __future__ import annotations

from typing import Any, Final

from balance.api.description import READING, query, responses
from balance.api.equity_routes import USUAL_RANGE
from balance.api.figure_schemas import figure_schemas
from balance.api.schemas import (
    COUNT,
    OK,
    TEXT,
    TIME,
    Schema,
    list_of,
    money,
    money_or_null,
    object_of,
    or_null,
    reference,
    texts,
)
from balance.performance.account_figures import ACCOUNT_FIGURES
from balance.performance.curve import MARKED, MOST_MARKS, MOST_POINTS, RANGES
from balance.performance.figures import FIGURES

_PERCENT: Final = {"type": ["number", "null"]}
_NOT_KNOWN: Final = "null where it is not known"

_POINT: Final = {
    "type": ["array", "null"],
    "items": {"type": ["string", "number", "null"]},
    "description": "The time, the equity, the P&L of all time (null where it is not known), and "
    "how far the time-weighted growth is below its best before, of the same epoch, in percent, at "
    "most 0. Null instead of a point: the server was off before the next one.",
}
_MARK: Final[Schema] = {
    "place": {"type": "string", "description": "Where the entry stands in the ledger: 42 or 42.3."},
    "time": TIME,
    "kind": {"enum": list(MARKED)},
    "amount": money("What it moved the balance by; of a reset, what the epoch begins with"),
    "display": texts(("kind", "amount", "words")),
}
_RANGE_FIGURES: Final[Schema] = {
    "equity_low": money("The lowest equity"),
    "equity_high": money("The highest equity"),
    "pnl": money_or_null(f"P&L in the range; {_NOT_KNOWN}"),
    "return_percent": {
        **_PERCENT,
        "description": "Time-weighted, across resets too; null where it is not known.",
    },
    "max_drawdown_percent": {
        "type": "number",
        "description": "How far below its best before, of the same epoch, the growth was at the "
        "deepest in the range, at most 0.",
    },
}
_CURVE: Final[Schema] = {
    "status": OK,
    "range": {"enum": list(RANGES)},
    "from": TIME,
    "to": TIME,
    "points": {**list_of(_POINT), "maxItems": MOST_POINTS},
    "marks": {
        **list_of(reference("EquityMark")),
        "description": f"The newest {MOST_MARKS} in the range, oldest first.",
    },
    "figures": object_of({**_RANGE_FIGURES, "display": texts(_RANGE_FIGURES)}),
    "derivations": {
        **object_of(dict.fromkeys(("pnl", "return_percent"), reference("Derivation"))),
        "description": "How the P&L and the return of the range come about.",
    },
    "since": {**or_null(TIME), "description": "When the first sample is of; null: there is none."},
    "words": {
        "type": "string",
        "description": "What became of an earlier file of samples, and whether there are more "
        "marks than are told; empty for nothing.",
    },
}
_FIGURES: Final = figure_schemas((*FIGURES, *ACCOUNT_FIGURES))
_TERM: Final[Schema] = {
    "sign": {
        "enum": [" ", "+", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}", "="],
        "description": "What is done with what was there before; '=' says what it is.",
    },
    "label": TEXT,
    "display": {"type": "string", "description": "The amount as text."},
    "amount": {"type": "number"},
    "href": {
        "type": ["string", "null"],
        "description": "Where the History shows the entries that make it up.",
    },
    "derive": {
        "type": ["string", "null"],
        "description": "The name of the derivation that tells how this comes about in turn.",
    },
}

#: The shapes of the equity over time, by name.
EQUITY_SCHEMAS: Final[Schema] = {
    "EquityMark": object_of(_MARK),
    "Derivation": object_of(
        {
            "title": TEXT,
            "words": {"type": "string", "description": "What it is, or why it is not known."},
            "terms": {
                **list_of(object_of(_TERM)),
                "description": "In their order; none where the figure is not known.",
            },
        }
    ),
}
#: The paths, as OpenAPI has them.
EQUITY_PATHS: Final[dict[str, Any]] = {
    "/equity": {
        "get": {
            "summary": "The equity over time, with what moved it",
            "parameters": [
                query("range", "How far back.", {"enum": list(RANGES), "default": USUAL_RANGE})
            ],
            "responses": responses(object_of(_CURVE), *READING, 422),
        }
    },
    "/performance": {
        "get": {
            "summary": "The figures of the account's performance, and how every figure comes about",
            "responses": responses(
                object_of(
                    {
                        "status": OK,
                        "revision": COUNT,
                        "figures": object_of(_FIGURES),
                        "display": texts(_FIGURES),
                        "derivations": {
                            "type": "object",
                            "additionalProperties": reference("Derivation"),
                            "description": "By the name of the figure, those of the snapshot too.",
                        },
                    }
                ),
                *READING,
            ),
        }
    },
}
