"""The part of the description that tells of the history: its lists, its epochs, single entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from balance.api.bot_schemas import BOT_SCHEMAS
from balance.api.description import in_path, query, responses
from balance.api.downloads import FORMATS
from balance.api.figure_schemas import LISTED
from balance.api.openapi_epochs import EPOCH_SCHEMA
from balance.api.schemas import (
    ACCOUNT_SCHEMAS,
    OK,
    TEXT,
    TIME,
    Schema,
    list_of,
    object_of,
    or_null,
    reference,
    texts,
)
from balance.api.trade_schemas import TRADE_SCHEMAS
from balance.core.trade import OUTCOMES
from balance.core.wallet import KINDS
from balance.history.question import (
    FILTERS,
    MOST_ROWS,
    SORTS,
    USUAL_ROWS,
    Listed,
    newest_first,
)
from balance.performance.epochs import EPOCH_SORTS

_WHOLE: Final = {"type": "integer", "minimum": 0}
_PLACE: Final = {"type": "string", "description": "Revision and line: 42, or 42.3 for its third."}
_SYMBOL: Final = {"type": ["string", "null"], "description": "Null: it tells of none."}
_OWNER: Final = {
    "type": ["string", "null"],
    "description": "The bot's id; empty: the person's; null: of nobody's trading.",
}
_INDEX: Final = object_of(
    {
        "is_complete": {"type": "boolean", "description": "Whether all of the ledger is indexed."},
        "percent": {"type": "integer", "minimum": 0, "maximum": 100},
    }
)
_TOTAL: Final = {
    **or_null(_WHOLE),
    "description": "Of all pages; null while the ledger is being indexed.",
}


def _properties(schemas: Schema, name: str) -> Schema:
    found: Schema = schemas[name]["properties"]
    return found


_LEDGER_ROW: Final[Schema] = {
    **_properties(ACCOUNT_SCHEMAS, "Entry"),
    "place": _PLACE,
    "symbol": _SYMBOL,
    "owner": _OWNER,
    "display": texts(("kind", "amount", "balance", "source", "owner", "tone")),
}
_TRADE: Final = _properties(BOT_SCHEMAS, "Trade")
_TRADE_ROW: Final[Schema] = {
    **_TRADE,
    "place": _PLACE,
    "time": {**TIME, "description": "The ledger's time of the entry that ended it, UTC."},
    "outcome": {
        "enum": list(OUTCOMES),
        "description": "A win brought more than nothing, a loss less, an even trade exactly 0.",
    },
    "display": texts((*_TRADE["display"]["properties"], "outcome")),
}
_EFFECT: Final = object_of(
    {
        "symbol": TEXT,
        "position": {"anyOf": [reference("Position"), {"type": "null"}]},
        "opened": list_of(reference("Order")),
        "closed": {**list_of(TEXT), "description": "Ids of orders that are no longer open."},
    }
)

#: The shapes of the history, by name.
HISTORY_SCHEMAS: Final[Schema] = {
    "LedgerRow": object_of(_LEDGER_ROW),
    "HistoryFill": object_of({**_properties(TRADE_SCHEMAS, "Fill"), "place": _PLACE, "note": TEXT}),
    "TradeRow": object_of(_TRADE_ROW),
    "Epoch": EPOCH_SCHEMA,
    "WholeEntry": object_of(
        {
            **_LEDGER_ROW,
            "fill": {"anyOf": [reference("HistoryFill"), {"type": "null"}]},
            "trade": {"anyOf": [reference("TradeRow"), {"type": "null"}]},
            "effect": {"anyOf": [_EFFECT, {"type": "null"}]},
        }
    ),
}

_AMOUNT_OF: Final[Mapping[Listed, str]] = {
    "ledger": "amount",
    "fills": "realised P&L",
    "trades": "P&L",
    "epochs": "P&L",
}
_PARAMETERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "kind": (f"Of these kinds, with commas between: {', '.join(KINDS)}.", TEXT),
    "epoch": ("Of these epochs, with commas between.", TEXT),
    "symbol": ("Of these symbols, with commas between.", TEXT),
    "owner": ("Of the person, you, or of bots by their ids, with commas between.", TEXT),
    "source": ("Who asked: of these, with commas between.", TEXT),
    "side": ("buy or sell of fills, long or short of trades.", TEXT),
    "reason": ("Why it filled: order, stop_loss, take_profit, liquidation, reset, undo.", TEXT),
    "outcome": (f"Of these, with commas between: {', '.join(OUTCOMES)}.", TEXT),
    "text": ("A part of the note or of a trade's reasons, in letters of either case.", TEXT),
    "from": ("Not before this time of the ledger.", TIME),
    "to": ("Not after this time of the ledger.", TIME),
    "after": ("Of later revisions than this.", _WHOLE),
    "until": ("Of revisions up to this.", _WHOLE),
}


# what is meant otherwise of epochs
_OF_EPOCHS: Final[Mapping[str, tuple[str, Schema]]] = {
    "epoch": ("These, with commas between.", TEXT),
    "from": ("Not opened before this time of the ledger.", TIME),
    "to": ("Not opened after this time of the ledger.", TIME),
    "after": ("Opened by later revisions than this.", _WHOLE),
    "until": ("Opened by revisions up to this.", _WHOLE),
}


def _parameters(table: Listed) -> list[dict[str, Any]]:
    amounts = {
        "least": (f"At least so much {_AMOUNT_OF[table]}.", {"type": "number"}),
        "most": (f"At most so much {_AMOUNT_OF[table]}.", {"type": "number"}),
    }
    known = {**_PARAMETERS, **amounts, **(_OF_EPOCHS if table == "epochs" else {})}
    columns = EPOCH_SORTS if table == "epochs" else SORTS[table]
    sorts = [way + name for name in columns for way in ("", "-")]
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS}
    return [
        *(query(name, *known[name]) for name in FILTERS[table]),
        query(
            "sort",
            "A column; - before it turns it round, and ties with it, which are oldest first.",
            {"enum": sorts, "default": newest_first(table)},
        ),
        query("offset", "How many rows to leave out first.", {**_WHOLE, "default": 0}),
        query("limit", "Rows a page.", limit),
        query("format", "All that is filtered, as a file.", {"enum": [*FORMATS]}),
    ]


def _list(table: Listed, summary: str, row: str) -> dict[str, Any]:
    schema = object_of(
        {
            "status": OK,
            "rows": list_of(reference(row)),
            "total": _TOTAL,
            "offset": _WHOLE,
            "index": _INDEX,
            **({"figures": LISTED} if table == "epochs" else {}),
        }
    )
    found = responses(schema, 400, 401, 422, 503)
    content = {**found["200"]["content"], "text/csv": {"schema": TEXT}}
    return {
        "get": {
            "summary": summary,
            "description": "A filter of several values may be named again, too. In a CSV file, the "
            "person's owner is you, and a text that a spreadsheet would take for a formula begins "
            "with an apostrophe; a JSON file has no texts for people.",
            "parameters": _parameters(table),
            "responses": {**found, "200": {**found["200"], "content": content}},
        }
    }


def _entry() -> dict[str, Any]:
    known = {**or_null(TEXT), "description": "The place of its neighbour; null: there is none."}
    schema = object_of(
        {
            "status": OK,
            "entry": reference("WholeEntry"),
            "before": known,
            "after": known,
            "offset": {**or_null(_WHOLE), "description": "How many are newer; null: not known."},
            "index": _INDEX,
        }
    )
    found = responses(schema, 400, 401, 404, 422, 503)
    missing = {**found["404"], "description": "There is no such entry"}
    return {
        "get": {
            "summary": "One entry whole, with its fill and its effect",
            "parameters": [in_path("place", "A revision such as 42, or 42.3 for its third line.")],
            "responses": {**found, "404": missing},
        }
    }


#: What is possible at which path.
HISTORY_PATHS: Final[Mapping[str, Any]] = {
    "/history/ledger": _list("ledger", "The ledger, filtered and sorted", "LedgerRow"),
    "/history/fills": _list("fills", "The fills, filtered and sorted", "HistoryFill"),
    "/history/trades": _list("trades", "The closed trades, filtered and sorted", "TradeRow"),
    "/history/epochs": _list("epochs", "The epochs, filtered and sorted, with their sums", "Epoch"),
    "/history/entries/{place}": _entry(),
}
