"""The part of the description that tells of prices, orders and positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from balance.api.description import (
    CHANGING,
    CONDITIONS,
    READING,
    body,
    in_path,
    query,
    responses,
)
from balance.api.schemas import COUNT, OK, TIME, Schema, object_of, reference
from balance.api.trade_schemas import (
    CANDLES,
    CLOSE_BODY,
    FILLS,
    MARKET,
    ORDER_BODY,
    ORDERS,
    POSITIONS,
    PREVIEW,
)

_SYMBOL: Final = in_path("symbol", "BTC/USDT, also written BTC-USDT or btcusdt.")
# what comes without a body is neither too long nor of another type
_WITHOUT_BODY: Final = tuple(status for status in CHANGING if status not in (413, 415))


def _read(summary: str, schema: Schema, *problems: int, **more: Any) -> dict[str, Any]:
    return {"summary": summary, **more, "responses": responses(schema, *READING, *problems)}


def _listed(**rows: Schema) -> dict[str, Any]:
    return object_of({"status": OK, "revision": COUNT, "as_of": TIME, **rows})


def _traded(
    summary: str,
    *parameters: Mapping[str, Any],
    problems: tuple[int, ...] = CHANGING,
    **more: Any,
) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": [*parameters, *CONDITIONS],
        **more,
        "responses": responses(reference("Traded"), *problems),
    }


_CANDLE_PARAMETERS: Final = [
    _SYMBOL,
    query(
        "timeframe",
        "Whole minutes, hours or a day: 1m, 15m, 4h, 1d.",
        {"type": "string", "pattern": "^[0-9]{1,4}[mhd]$", "default": "1m"},
    ),
    query(
        "limit",
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": 1500, "default": 500},
    ),
]
_FILL_PARAMETERS: Final = [
    query(
        "limit", "Fills a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    ),
    query("before", "A revision, or the last page's next.", {"type": "string"}),
]

#: What is possible at which path.
TRADE_PATHS: Final[Mapping[str, Any]] = {
    "/prices": {
        "get": _read(
            "The newest price of each symbol, and where it comes from",
            object_of({"status": OK, **MARKET}),
        )
    },
    "/candles/{symbol}": {
        "get": _read(
            "The newest candles of a symbol, oldest first, the running one last",
            object_of({"status": OK, "candles": CANDLES}),
            422,
            parameters=_CANDLE_PARAMETERS,
        )
    },
    "/positions": {"get": _read("The open positions", _listed(positions=POSITIONS))},
    "/orders": {
        "get": _read("The open orders, oldest first", _listed(orders=ORDERS)),
        "post": _traded(
            "Place an order; at market, it fills at once",
            problems=(*CHANGING, 404),
            requestBody=body(ORDER_BODY, required=True),
        ),
        "delete": _traded(
            "Cancel all open orders, or those of one symbol",
            query("symbol", "Only orders of this symbol.", {"type": "string"}),
            problems=(*_WITHOUT_BODY, 404),
        ),
    },
    "/orders/preview": {
        "post": {
            "summary": "What an order would do now, without placing it",
            "requestBody": body(ORDER_BODY, required=True),
            "responses": responses(
                object_of({"status": OK, **PREVIEW}), 400, 401, 403, 404, 413, 415, 422, 503
            ),
        }
    },
    "/orders/{order_id}": {
        "delete": _traded(
            "Cancel an open order",
            in_path("order_id", "The id that its placing was answered with."),
            problems=(*_WITHOUT_BODY, 404),
        )
    },
    "/positions/{symbol}/close": {
        "post": _traded(
            "Close a position at market, or a part of it",
            _SYMBOL,
            problems=(*CHANGING, 404),
            requestBody=body(CLOSE_BODY, required=False),
        )
    },
    "/fills": {
        "get": _read(
            "The fills, newest first; liquidations are fills too",
            object_of({"status": OK, "fills": FILLS, "next": {"type": ["string", "null"]}}),
            422,
            parameters=_FILL_PARAMETERS,
        )
    },
}
