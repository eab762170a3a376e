"""The description of the HTTP interface (OpenAPI 3.1), as ``GET /openapi.json`` serves it."""

from __future__ import annotations

from typing import Any, Final

from balance.core.snapshot import DISPLAYED
from balance.core.wallet import KINDS

_MONEY: Final = {"type": "number", "description": "In the quote currency, up to 8 decimals."}
_TIME: Final = {"type": "string", "format": "date-time", "description": "UTC."}
_COUNT: Final = {"type": "integer", "minimum": 1}


def _money(description: str) -> dict[str, Any]:
    return {"type": "number", "description": f"{description}, in the quote currency."}


_SNAPSHOT: Final[dict[str, Any]] = {
    "status": {"const": "success"},
    "account": {"type": "string", "description": "Another account counts its revisions anew."},
    "revision": {**_COUNT, "description": "Counts committed changes; never goes back."},
    "tick": {"type": "integer", "description": "Counts price moves within one instance."},
    "instance": {"type": "string", "description": "Which server process answered."},
    "epoch": {**_COUNT, "description": "Counts resets, from 1."},
    "currency": {"const": "USDT"},
    "as_of": {**_TIME, "description": "When the account or a price last changed, UTC."},
    "balance": _money("Wallet balance: settled money"),
    "unrealized_pnl": _money("Sum over the positions at mark price"),
    "portfolio_value": _money("Equity: wallet balance + unrealised P&L"),
    "used_margin": _money("Margin of positions and open orders"),
    "available_balance": _money("Wallet balance - used margin"),
    "free_equity": _money("Equity - used margin: what is available if unrealised P&L counts"),
    "maintenance_margin": _money("Sum over the positions at mark price"),
    "current_pnl": _money("Equity - (starting balance + deposits - withdrawals)"),
    "pnl_percent": {
        "type": ["number", "null"],
        "description": "P&L in percent of the capital put in; null where none is left in.",
    },
    "starting_balance": _money("What the epoch began with"),
    "deposits": _money("Put in since"),
    "withdrawals": _money("Taken out since"),
    "adjustments": _money("Gains less losses booked from outside"),
    "realized_pnl": _money("Closed P&L before fees"),
    "fees_paid": _money("Trading fees"),
    "funding_paid": _money("Funding paid less funding received"),
    "positions": {"type": "array", "items": {"type": "object"}},
    "open_orders": {"type": "array", "items": {"type": "object"}},
    "market": {
        "type": "object",
        "description": "The feed's name, its state, the time of its newest quote, and prices.",
        "properties": {
            "feed": {"type": ["string", "null"]},
            "label": {"type": "string", "description": "What the screen calls the feed."},
            "state": {"enum": ["none", "waiting", "live", "stale", "ended"]},
            "words": {"type": "string", "description": "What there is to say about the state."},
            "as_of": {"type": ["string", "null"]},
            "prices": {"type": "object"},
        },
    },
    "news": {
        "type": "string",
        "description": "What the newest change tells that nobody asked for: fills, liquidations.",
    },
    "display": {
        "type": "object",
        "description": "The figures as text, as the dashboard shows them.",
        "properties": {name: {"type": "string"} for name in DISPLAYED},
    },
}

_ENTRY: Final[dict[str, Any]] = {
    "revision": _COUNT,
    "line": {**_COUNT, "description": "The entry's place among those of its revision."},
    "time": _TIME,
    "epoch": _COUNT,
    "kind": {"enum": list(KINDS)},
    "amount": _money("What it moved the wallet balance by"),
    "balance": _money("The wallet balance after it"),
    "source": {"type": "string", "description": "screen, http, shell, program or file."},
    "note": {"type": "string"},
}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
    }


_SCHEMAS: Final = {
    "Snapshot": _object(_SNAPSHOT),
    "Changed": {
        "allOf": [
            {"$ref": "#/components/schemas/Snapshot"},
            _object({"message": {"type": "string", "description": "What was done."}}),
        ]
    },
    "Entry": _object(_ENTRY),
    "Problem": _object(
        {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened, and what to do next."},
            "required": _money("What the change needs (insufficient funds)"),
            "available": _money("What there is (insufficient funds)"),
            "expected": {"type": "integer", "description": "The revision in If-Match."},
            "actual": {"type": "integer", "description": "The account's revision."},
        },
        ["type", "title", "status", "detail"],
    ),
}

_PROBLEMS: Final = {
    400: "Not JSON, or an unknown Host",
    401: "The token is missing (only where the server was started with one)",
    403: "A page of another site asked",
    409: "A request with the same Idempotency-Key is not answered yet",
    412: "If-Match names another revision",
    413: "The body is over 64 KiB",
    415: "The body is not declared as JSON",
    422: "JSON that makes no sense: negative, too large, insufficient funds, a key used before",
    503: "The account can't be read or written now",
}


def _responses(schema: dict[str, Any], *problems: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "200": {"description": "Done", "content": {"application/json": {"schema": schema}}}
    }
    for status in problems:
        found[str(status)] = {
            "description": _PROBLEMS[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
    return found


def _with_csv(responses: dict[str, Any]) -> dict[str, Any]:
    content = {**responses["200"]["content"], "text/csv": {"schema": {"type": "string"}}}
    return {**responses, "200": {**responses["200"], "content": content}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_CONDITIONS: Final = [
    {
        "name": "If-Match",
        "in": "header",
        "description": "Refuse unless the account is at this revision: a number or an ETag.",
        "schema": {"type": "string"},
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repeated key gets the first answer and changes nothing.",
        "schema": {"type": "string", "maxLength": 200},
    },
]
_CHANGING: Final = (400, 401, 403, 409, 412, 413, 415, 422, 503)
_READING: Final = (400, 401, 503)
_NOTE: Final = {"type": "string", "maxLength": 200, "description": "Kept in the ledger."}


def _change(summary: str, body: dict[str, Any], *, needs_body: bool) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": _CONDITIONS,
        "requestBody": {
            "required": needs_body,
            "content": {"application/json": {"schema": body}},
        },
        "responses": _responses(_reference("Changed"), *_CHANGING),
    }


def _one_of(name: str, description: str) -> dict[str, Any]:
    member = {**_MONEY, "description": description}
    return {**_object({name: member, "note": _NOTE}, [name]), "additionalProperties": False}


DESCRIPTION: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Virtual Balance",
        "version": "1",
        "description": "One virtual balance for paper trading, in sync everywhere.",
    },
    "paths": {
        "/virtual_balance": {
            "get": {
                "summary": "The snapshot; with If-None-Match, 304 while nothing changed",
                "responses": {
                    **_responses(_reference("Snapshot"), *_READING),
                    "304": {"description": "Nothing changed since that ETag"},
                },
            },
            "post": _change(
                "Change the balance",
                {
                    "oneOf": [
                        _one_of("balance", "The balance is now this; books an adjustment."),
                        _one_of("adjust", "A gain, or a loss below zero; counts as P&L."),
                        _one_of("deposit", "Money put in; no gain."),
                        _one_of("withdraw", "Money taken out; no loss."),
                    ]
                },
                needs_body=True,
            ),
        },
        "/virtual_balance/reset": {
            "post": _change(
                "Begin a new epoch; the history is kept",
                _object(
                    {
                        "balance": {**_MONEY, "description": "To begin with; 10,000 by default."},
                        "note": _NOTE,
                    },
                    [],
                ),
                needs_body=False,
            )
        },
        "/virtual_balance/stream": {
            "get": {
                "summary": "Server-Sent Events: a snapshot at once and after every change",
                "description": "Events named fault carry a problem, those named heartbeat the "
                "revision, at least every 5 s. The id of a snapshot is its revision.",
                "responses": {
                    "200": {
                        "description": "The stream",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    },
                    "503": _responses({}, 503)["503"],
                },
            }
        },
        "/virtual_balance/history": {
            "get": {
                "summary": "The ledger, newest first; as CSV with Accept: text/csv or format=csv",
                "parameters": [
                    _query(
                        "limit",
                        "Entries a page; CSV without it has all.",
                        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50},
                    ),
                    _query("before", "A revision, or the last page's next.", {"type": "string"}),
                    _query("kind", "Only entries of this kind.", {"enum": list(KINDS)}),
                    _query("epoch", "Only entries of this epoch.", _COUNT),
                    _query("format", "csv: CSV whatever is accepted.", {"enum": ["csv", "json"]}),
                ],
                "responses": _with_csv(
                    _responses(
                        _object(
                            {
                                "status": {"const": "success"},
                                "entries": {"type": "array", "items": _reference("Entry")},
                                "next": {"type": ["string", "null"]},
                            }
                        ),
                        400,
                        401,
                        422,
                        503,
                    )
                ),
            }
        },
        "/health": {
            "get": {
                "summary": "Whether the account can be read",
                "responses": _responses(
                    _object(
                        {
                            "status": {"const": "success"},
                            "revision": _COUNT,
                            "instance": {"type": "string"},
                            "streams": {"type": "integer"},
                        }
                    ),
                    *_READING,
                ),
            }
        },
        "/openapi.json": {
            "get": {
                "summary": "This description",
                "responses": _responses({"type": "object"}, 400, 401),
            }
        },
    },
    "components": {"schemas": _SCHEMAS},
}
