"""The description of the HTTP interface (OpenAPI 3.1), as ``GET /openapi.json`` serves it."""

from __future__ import annotations

from typing import Any, Final

from balance.api.bot_schemas import BOT_SCHEMAS
from balance.api.description import NOTE, READING, change, only, query, responses
from balance.api.openapi_bots import BOT_PATHS
from balance.api.openapi_equity import EQUITY_PATHS, EQUITY_SCHEMAS
from balance.api.openapi_history import HISTORY_PATHS, HISTORY_SCHEMAS
from balance.api.openapi_settings import SETTINGS_PATHS, SETTINGS_SCHEMAS
from balance.api.openapi_trade import TRADE_PATHS
from balance.api.schemas import (
    ACCOUNT_SCHEMAS,
    COUNT,
    MONEY,
    OK,
    Schema,
    list_of,
    object_of,
    reference,
)
from balance.api.trade_schemas import TRADE_SCHEMAS
from balance.core.wallet import KINDS


def _with_csv(responses: Schema) -> dict[str, Any]:
    content = {**responses["200"]["content"], "text/csv": {"schema": {"type": "string"}}}
    return {**responses, "200": {**responses["200"], "content": content}}


REST: Final[dict[str, Any]] = {
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
                    **responses(reference("Snapshot"), *READING),
                    "304": {"description": "Nothing changed since that ETag"},
                },
            },
            "post": change(
                "Change the balance",
                {
                    "oneOf": [
                        only("balance", "The balance is now this; books an adjustment."),
                        only("adjust", "A gain, or a loss below zero; counts as P&L."),
                        only("deposit", "Money put in; no gain."),
                        only("withdraw", "Money taken out; no loss."),
                    ]
                },
                needs_body=True,
            ),
        },
        "/virtual_balance/reset": {
            "post": change(
                "Begin a new epoch; the history is kept",
                object_of(
                    {
                        "balance": {
                            **MONEY,
                            "description": "To begin with; by default as the settings say.",
                        },
                        "note": NOTE,
                    },
                    [],
                ),
                needs_body=False,
            )
        },
        "/virtual_balance/reset/undo": {
            "post": change(
                "Let the epoch that the last reset ended go on, with its positions and orders, as "
                "a new one; 409 where no reset can be undone",
                object_of({"note": NOTE}, []),
                needs_body=False,
            )
        },
        "/virtual_balance/stream": {
            "get": {
                "summary": "Server-Sent Events: a snapshot at once and after every change",
                "description": "Events named bots carry what GET /bots answers, those named "
                "settings what GET /settings answers, those named alerts the newest firings and "
                "the fault as GET /alerts has them, those named fault a problem, those named "
                "heartbeat the revision, at least every 5 s. The id of a snapshot is its revision.",
                "responses": {
                    "200": {
                        "description": "The stream",
                        "content": {"text/event-stream": {"schema": {"type": "string"}}},
                    },
                    "503": responses({}, 503)["503"],
                },
            }
        },
        "/virtual_balance/history": {
            "get": {
                "summary": "The ledger, newest first; as CSV with Accept: text/csv or format=csv",
                "parameters": [
                    query(
                        "limit",
                        "Entries a page; CSV without it has all.",
                        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50},
                    ),
                    query("before", "A revision, or the last page's next.", {"type": "string"}),
                    query("kind", "Only entries of this kind.", {"enum": list(KINDS)}),
                    query("epoch", "Only entries of this epoch.", COUNT),
                    query("format", "csv: CSV whatever is accepted.", {"enum": ["csv", "json"]}),
                ],
                "responses": _with_csv(
                    responses(
                        object_of(
                            {
                                "status": OK,
                                "entries": list_of(reference("Entry")),
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
        **TRADE_PATHS,
        **BOT_PATHS,
        **SETTINGS_PATHS,
        **EQUITY_PATHS,
        **HISTORY_PATHS,
        "/health": {
            "get": {
                "summary": "Whether the account can be read",
                "responses": responses(
                    object_of(
                        {
                            "status": OK,
                            "revision": COUNT,
                            "instance": {"type": "string"},
                            "streams": {"type": "integer"},
                        }
                    ),
                    *READING,
                ),
            }
        },
        "/openapi.json": {
            "get": {
                "summary": "This description",
                "responses": responses({"type": "object"}, 400, 401),
            }
        },
    },
    "components": {
        "schemas": {
            **ACCOUNT_SCHEMAS,
            **TRADE_SCHEMAS,
            **BOT_SCHEMAS,
            **SETTINGS_SCHEMAS,
            **EQUITY_SCHEMAS,
            **HISTORY_SCHEMAS,
        }
    },
}
