"""The shapes of what the HTTP interface answers, as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from balance.core.messages import BOT, MARKET, MOST_NEWS, NEWS_KINDS, OFFLINE
from balance.core.snapshot import DISPLAYED
from balance.core.wallet import KINDS

Schema = Mapping[str, Any]

MONEY: Final = {"type": "number", "description": "In the quote currency, up to 8 decimals."}
TIME: Final = {"type": "string", "format": "date-time", "description": "UTC."}
COUNT: Final = {"type": "integer", "minimum": 1}
TEXT: Final = {"type": "string"}
OK: Final = {"const": "success"}


def money(description: str) -> dict[str, Any]:
    """A number of the quote currency."""
    return {"type": "number", "description": f"{description}, in the quote currency."}


def money_or_null(description: str) -> dict[str, Any]:
    """A number of the quote currency, or null."""
    return or_null(money(description))


def or_null(schema: Schema) -> dict[str, Any]:
    """What ``schema`` describes, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def object_of(properties: Schema, required: Sequence[str] | None = None) -> dict[str, Any]:
    """An object with ``properties``, all of them unless ``required`` names fewer."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
    }


def list_of(schema: Schema) -> dict[str, Any]:
    """An array of what ``schema`` describes."""
    return {"type": "array", "items": schema}


def texts(names: Iterable[str]) -> dict[str, Any]:
    """Figures as text, as the dashboard shows them, by ``names``."""
    return {
        **object_of(dict.fromkeys(names, TEXT)),
        "description": "The figures as text, as the dashboard shows them.",
    }


def reference(name: str) -> dict[str, str]:
    """What the description has under ``name``."""
    return {"$ref": f"#/components/schemas/{name}"}


_SNAPSHOT: Final[Schema] = {
    "status": OK,
    "account": {"type": "string", "description": "Another account counts its revisions anew."},
    "revision": {**COUNT, "description": "Counts committed changes; never goes back."},
    "tick": {
        "type": "integer",
        "description": "Counts price moves, and new days, within one instance.",
    },
    "instance": {"type": "string", "description": "Which server process answered."},
    "epoch": {**COUNT, "description": "Counts resets, from 1."},
    "currency": {"const": "USDT"},
    "as_of": {**TIME, "description": "When the account or a price last changed, UTC."},
    "balance": money("Wallet balance: settled money"),
    "unrealized_pnl": money("Sum over the positions at mark price"),
    "portfolio_value": money("Equity: wallet balance + unrealised P&L"),
    "used_margin": money("Margin of positions and open orders"),
    "available_balance": money("Wallet balance - used margin"),
    "free_equity": money("Equity - used margin: what is available if unrealised P&L counts"),
    "maintenance_margin": money("Sum over the positions at mark price"),
    "current_pnl": money("Equity - (starting balance + deposits - withdrawals)"),
    "pnl_percent": {
        "type": ["number", "null"],
        "description": "P&L in percent of the capital put in; null where none is left in.",
    },
    "pnl_today": money_or_null("P&L since 00:00 UTC; null where the past is not known"),
    "pnl_today_percent": {
        "type": ["number", "null"],
        "description": "pnl_today in percent of what the equity would be without it.",
    },
    "pnl_week": money_or_null("P&L since Monday 00:00 UTC; null where the past is not known"),
    "pnl_all_time": money_or_null("P&L of all epochs; null where the past is not known"),
    "long_exposure": money("Long positions at mark price"),
    "short_exposure": money("Short positions at mark price, above zero"),
    "net_exposure": money("Longs - shorts"),
    "exposure_percent": {
        "type": ["number", "null"],
        "description": "Longs + shorts in percent of the equity; null where that is nothing.",
    },
    "starting_balance": money("What the epoch began with"),
    "deposits": money("Put in since"),
    "withdrawals": money("Taken out since"),
    "adjustments": money("Gains less losses booked from outside"),
    "realized_pnl": money("Closed P&L before fees"),
    "fees_paid": money("Trading fees"),
    "funding_paid": money("Funding paid less funding received"),
    "positions": list_of(reference("Position")),
    "open_orders": list_of(reference("Order")),
    "market": reference("Market"),
    "can_undo_reset": {
        "type": "boolean",
        "description": "Whether the epoch began with a reset that can be undone now.",
    },
    "news": {
        "type": "string",
        "description": "What the newest change tells that nobody asked for: fills, liquidations.",
    },
    "recent_news": {
        **list_of(reference("News")),
        "description": f"The newest {MOST_NEWS} of these, oldest first.",
    },
    "display": texts(DISPLAYED),
}

_NEWS: Final[Schema] = {
    "revision": COUNT,
    "kind": {"enum": list(NEWS_KINDS), "description": "The gravest of what the change did."},
    "source": {
        "enum": [MARKET, OFFLINE, BOT],
        "description": "Who did it; offline: the market, found out at the next start.",
    },
    "words": TEXT,
    "items": {
        **list_of(
            object_of(
                {
                    "kind": {"enum": list(NEWS_KINDS)},
                    "owner": {"type": "string", "description": "A bot's id; empty: the person's."},
                    "words": TEXT,
                    "result": money("What it realised, after its fee"),
                }
            )
        ),
        "description": "The same one by one.",
    },
}

_ENTRY: Final[Schema] = {
    "revision": COUNT,
    "line": {**COUNT, "description": "The entry's place among those of its revision."},
    "time": TIME,
    "epoch": COUNT,
    "kind": {"enum": list(KINDS)},
    "amount": money("What it moved the wallet balance by"),
    "balance": money("The wallet balance after it"),
    "source": {
        "type": "string",
        "description": "screen, http, shell, program, file, market or offline.",
    },
    "note": TEXT,
}

_PROBLEM: Final[Schema] = {
    "type": TEXT,
    "title": TEXT,
    "status": {"type": "integer"},
    "detail": {"type": "string", "description": "What happened, and what to do next."},
    "required": money("What the change needs (insufficient funds)"),
    "available": money("What there is (insufficient funds)"),
    "expected": {"type": "integer", "description": "The revision in If-Match."},
    "actual": {"type": "integer", "description": "The account's revision."},
}

#: The shapes of the account, by name.
ACCOUNT_SCHEMAS: Final[Schema] = {
    "Snapshot": object_of(_SNAPSHOT),
    "Changed": {
        "allOf": [
            reference("Snapshot"),
            object_of({"message": {"type": "string", "description": "What was done."}}),
        ]
    },
    "News": object_of(_NEWS),
    "Entry": object_of(_ENTRY),
    "Problem": object_of(_PROBLEM, ["type", "title", "status", "detail"]),
}
