"""What the description of the HTTP interface is made of: answers, parameters and bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from balance.api.schemas import MONEY, object_of, reference

#: What every problem's status means, whichever route answers it.
PROBLEMS: Final = {
    400: "Not JSON, or an unknown Host",
    401: "The token is missing (only where the server was started with one)",
    403: "A page of another site asked",
    404: "There is no such open order, position, bot, alert or backtest",
    409: "A request with the same Idempotency-Key is not answered yet, or no reset can be undone",
    412: "If-Match names another revision",
    413: "The body is over 64 KiB",
    415: "The body is not declared as JSON",
    422: "JSON that makes no sense: negative, too large, insufficient funds, a key used before",
    503: "The account can't be read or written now, or the symbol has no live price",
}
#: What may be answered to a request that reads, and to one that changes something.
READING: Final = (400, 401, 503)
CHANGING: Final = (400, 401, 403, 409, 412, 413, 415, 422, 503)

CONDITIONS: Final = (
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
)
NOTE: Final = {"type": "string", "maxLength": 200, "description": "Kept in the ledger."}


def responses(schema: Mapping[str, Any], *problems: int) -> dict[str, Any]:
    """The answer that goes well, with ``schema``, and the ``problems`` that there may be."""
    found: dict[str, Any] = {
        "200": {"description": "Done", "content": {"application/json": {"schema": schema}}}
    }
    for status in problems:
        found[str(status)] = {
            "description": PROBLEMS[status],
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        }
    return found


def query(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_path(name: str, description: str) -> dict[str, Any]:
    """A parameter of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def body(schema: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    """A body of ``schema``, as JSON."""
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def change(summary: str, schema: Mapping[str, Any], *, needs_body: bool) -> dict[str, Any]:
    """A change of the account that is asked for with a body of ``schema``."""
    return {
        "summary": summary,
        "parameters": [*CONDITIONS],
        "requestBody": body(schema, required=needs_body),
        "responses": responses(reference("Changed"), *CHANGING),
    }


def only(name: str, description: str) -> dict[str, Any]:
    """A body with the amount ``name``, a note if wanted, and nothing else."""
    members = {name: {**MONEY, "description": description}, "note": NOTE}
    return {**object_of(members, [name]), "additionalProperties": False}
