"""The description of the HTTP interface (OpenAPI 3.1), as ``GET /openapi.json`` serves it."""

from __future__ import annotations

from typing import Any, Final

from balance.api.bot_schemas import BOT_SCHEMAS
from balance.api.description import query, responses
from balance.api.openapi_history import HISTORY_PATHS, HISTORY_SCHEMAS
from balance.api.schemas import (
    ACCOUNT_SCHEMAS,
    COUNT,
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
        **HISTORY_PATHS,
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
            **HISTORY_SCHEMAS,
        }
    },
}
