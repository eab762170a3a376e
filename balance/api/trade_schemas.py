"""The shapes of prices, candles, orders, positions and fills, as JSON Schema.

Quantities are in base units, prices in the quote currency per base unit.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from balance.api.schemas import (
    COUNT,
    TEXT,
    TIME,
    Schema,
    list_of,
    money,
    object_of,
    or_null,
    reference,
    texts,
)
from balance.core.order import Reason

_ABOVE_ZERO: Final = {"type": "number", "exclusiveMinimum": 0}
_QUANTITY: Final = {**_ABOVE_ZERO, "description": "In base units."}
_PRICE: Final = {**_ABOVE_ZERO, "description": "In the quote currency per base unit."}
_NUMBER: Final = {"type": "number"}
_PERCENT: Final = {"type": "number", "description": "In percent."}
_LEVERAGE: Final = {"type": "number", "minimum": 1}
_SYMBOL: Final = {"type": "string", "description": "Such as BTC/USDT."}
_ORDER_ID: Final = {"type": "string", "description": "What DELETE /orders/{order_id} takes."}
_SIDE: Final = {"enum": ["buy", "sell"]}
_TYPE: Final = {"enum": ["market", "limit", "stop_market", "take_profit_market"]}
_LIQUIDITY: Final = {"enum": ["maker", "taker"]}
_FEED: Final = {"type": "string", "description": "Whose prices it goes by."}
_OWNER: Final = {"type": "string", "description": "The bot's id; empty: the person's."}
_ALL: Final = {
    **or_null(_QUANTITY),
    "description": "In base units; null closes whatever the position is when it triggers.",
}

_QUOTED: Final = ("bid", "ask", "last", "mark")
_QUOTE: Final[Schema] = {
    **dict.fromkeys(_QUOTED, _PRICE),
    "mark_source": {
        "enum": ["mark", "last"],
        "description": "last: no mark price is known, and the last price is taken for it.",
    },
    "change_percent": {**or_null(_PERCENT), "description": "In percent, against a day ago."},
    "funding_rate": {
        **or_null(_NUMBER),
        "description": "Of the coming settlement, as a fraction: above zero, longs pay shorts.",
    },
    "time": {**TIME, "description": "The market's own time, UTC."},
    "state": {"enum": ["live", "stale"], "description": "Nothing fills on a stale price."},
    "base": {"type": "string", "description": "What quantities are in: BTC."},
    "tick_size": {**_PRICE, "description": "Prices are multiples of it."},
    "step_size": {**_QUANTITY, "description": "Quantities are multiples of it."},
    "max_leverage": {**_LEVERAGE, "description": "Of a small position."},
    "display": texts((*_QUOTED, "mark_source", "change_percent", "funding_rate")),
}
#: What is told of the market, in the snapshot and by GET /prices.
MARKET: Final[Schema] = {
    "feed": {"type": ["string", "null"], "description": "Its id; positions are bound to it."},
    "label": {"type": "string", "description": "What the screen calls the feed."},
    "state": {"enum": ["none", "waiting", "live", "stale", "ended"]},
    "words": {"type": "string", "description": "What there is to say about the state."},
    "as_of": {"type": ["string", "null"], "description": "When the newest quote came, UTC."},
    "prices": {
        "type": "object",
        "description": "By symbol.",
        "additionalProperties": reference("Price"),
    },
}

_CANDLE: Final[Schema] = {
    "time": {**TIME, "description": "When it began, UTC."},
    **dict.fromkeys(("open", "high", "low", "close"), _PRICE),
    "volume": {"type": "number", "minimum": 0, "description": "In base units."},
}

_POSITION: Final[Schema] = {
    "symbol": _SYMBOL,
    "side": {"enum": ["long", "short"]},
    "quantity": _QUANTITY,
    "entry_price": _PRICE,
    "mark_price": _PRICE,
    "marked_at": {**TIME, "description": "The market's time of the mark price, UTC."},
    "liquidation_price": {**or_null(_PRICE), "description": "Null where there is none."},
    "liquidation_distance_percent": {
        **or_null(_PERCENT),
        "description": "From the mark price to there, in percent of it; null where there is none.",
    },
    "leverage": _LEVERAGE,
    "notional": money("Quantity times mark price"),
    "exposure_percent": {
        **or_null(_PERCENT),
        "description": "The notional in percent of the equity; null where that is nothing.",
    },
    "isolated_margin": money("What the position can lose"),
    "maintenance_margin": money("At mark price"),
    "margin_ratio": {
        **or_null(_PERCENT),
        "description": "Maintenance margin over isolated margin + unrealised P&L, in percent.",
    },
    "unrealized_pnl": money("At mark price, before fees"),
    "roe_percent": {**_PERCENT, "description": "On the initial margin, in percent."},
    "realized_pnl": money("Of what was closed since it was opened, before fees"),
    "fees_paid": money("Since it was opened"),
    "funding_paid": money("Funding paid less funding received since it was opened"),
    "take_profit": {**or_null(_PRICE), "description": "The attached trigger price."},
    "stop_loss": {**or_null(_PRICE), "description": "The attached trigger price."},
    "opened_at": {**TIME, "description": "The market's time, UTC."},
    "feed": _FEED,
    "owner": _OWNER,
    "opened_because": {"type": "string", "description": "What its bot said; else empty."},
    "display": texts(
        (
            *("symbol", "side", "quantity", "entry_price", "mark_price", "liquidation_price"),
            *("take_profit", "stop_loss", "leverage", "notional", "exposure_percent"),
            *("isolated_margin", "margin_ratio", "unrealized_pnl", "roe_percent", "realized_pnl"),
            *("side_words", "exits", "owner", "liquidation_distance_percent"),
        )
    ),
}

_TERMS: Final[Schema] = {
    "symbol": _SYMBOL,
    "side": _SIDE,
    "type": _TYPE,
    "quantity": _ALL,
    "price": {**or_null(_PRICE), "description": "Of a limit order."},
    "trigger_price": {**or_null(_PRICE), "description": "The mark price that sets it off."},
    "leverage": _LEVERAGE,
    "reduce_only": {"type": "boolean"},
    "take_profit": {**or_null(_PRICE), "description": "For the position that it opens."},
    "stop_loss": {**or_null(_PRICE), "description": "For the position that it opens."},
    "reserved_margin": money("What it keeps back while it is open"),
}
_ORDER: Final[Schema] = {
    "id": _ORDER_ID,
    **_TERMS,
    "placed_at": {**TIME, "description": "The market's time, UTC."},
    "feed": _FEED,
    "owner": _OWNER,
    "display": texts(
        (
            *("symbol", "side", "type", "quantity", "price", "trigger_price", "take_profit"),
            *("stop_loss", "leverage", "reserved_margin", "side_words", "exits", "owner"),
        )
    ),
}
_FILLED: Final[Schema] = {
    "id": _ORDER_ID,
    "status": {"const": "filled"},
    "symbol": _SYMBOL,
    "side": _SIDE,
    "type": _TYPE,
    "quantity": _QUANTITY,
    "price": _PRICE,
    "fee": money("On the notional"),
    "liquidity": _LIQUIDITY,
    "realized_pnl": money("Of what it closed, before fees"),
}

_FILL: Final[Schema] = {
    "revision": COUNT,
    "line": COUNT,
    "time": TIME,
    "epoch": COUNT,
    "order_id": TEXT,
    "symbol": _SYMBOL,
    "side": _SIDE,
    "type": _TYPE,
    "reason": {"enum": [*get_args(Reason)]},
    "liquidity": _LIQUIDITY,
    "quantity": _QUANTITY,
    # a position that can lose no more is closed at nothing
    "price": {"type": "number", "description": "In the quote currency per base unit."},
    "fee": money("On the notional"),
    "closed_quantity": {
        "type": "number",
        "minimum": 0,
        "description": "What of it closed a position, in base units.",
    },
    "realized_pnl": money("Of what it closed, before fees"),
    "position_pnl": {
        **or_null(money("What the position brought in all")),
        "description": "Realised P&L - fees + funding of the position that it closed, else null.",
    },
    "owner": _OWNER,
    "display": texts(
        (
            *("symbol", "side", "why", "liquidity", "quantity", "price", "fee", "realized_pnl"),
            "owner",
        )
    ),
}

#: What POST /orders/preview answers.
PREVIEW: Final[Schema] = {
    "quantity": {"type": "number", "minimum": 0, "description": "In base units, on the step."},
    "price": {**_PRICE, "description": "What it would fill at."},
    "notional": money("Quantity times price"),
    "leverage": _LEVERAGE,
    "margin": money("Initial margin of what it opens"),
    "fee": money("On the notional"),
    "cost": money("What must be available for it"),
    "liquidity": _LIQUIDITY,
    "fills_at_once": {"type": "boolean", "description": "Whether it fills as it arrives."},
    "beyond_percent": or_null(
        {
            "type": "number",
            "minimum": 0,
            "description": "How far its limit is through the market; null where it is not.",
        }
    ),
    "realized_pnl": or_null(money("Of what it closes, before fees; null where it closes nothing")),
    "liquidation_price": {**or_null(_PRICE), "description": "Of the position after it."},
    "available_after": money("What would be available after it; below zero, it is refused"),
    "affordable": {"type": "boolean", "description": "Whether there is enough for it."},
    "warning": {"type": "string", "description": "What to know before; empty for nothing."},
    "display": texts(
        (
            *("quantity", "leverage", "notional", "margin", "fee", "cost", "price"),
            *("available", "available_after", "liquidation_price", "realized_pnl"),
        )
    ),
}

_SIZES: Final[Schema] = {
    "quantity": {**_QUANTITY, "description": "In base units, cut to the step."},
    "notional": {**_ABOVE_ZERO, "description": "Quantity times price, in the quote currency."},
    "percent": {
        **_ABOVE_ZERO,
        "maximum": 100,
        "description": "Of the available balance for margin and fee; reduce-only, of the position.",
    },
}
_ONE_SIZE: Final = [{"required": [name]} for name in _SIZES]
_ASKED: Final[Schema] = {
    "symbol": {"type": "string", "description": "BTC/USDT, also written btc-usdt or BTCUSDT."},
    "side": _SIDE,
    **_SIZES,
    "leverage": {
        "type": "integer",
        "minimum": 1,
        "description": "By default that of what is open of the symbol, or else 10.",
    },
    "reduce_only": {"type": "boolean", "default": False},
    "take_profit": {**_PRICE, "description": "A trigger price for the position that it opens."},
    "stop_loss": {**_PRICE, "description": "A trigger price for the position that it opens."},
}


def _asked(kind: Schema, required: list[str], sizes: Schema, **price: Schema) -> dict[str, Any]:
    members = {**_ASKED, "type": kind, **price}
    return {
        **object_of(members, ["symbol", "side", *required]),
        **sizes,
        "additionalProperties": False,
    }


_WHOLE: Final[Schema] = {
    "required": ["reduce_only"],
    "properties": {"reduce_only": {"const": True}},
    "not": {"anyOf": _ONE_SIZE},
}
#: What POST /orders takes.
ORDER_BODY: Final[Schema] = {
    "oneOf": [
        _asked({"const": "market", "default": "market"}, [], {"oneOf": _ONE_SIZE}),
        _asked({"const": "limit"}, ["type", "price"], {"oneOf": _ONE_SIZE}, price=_PRICE),
        _asked(
            {"enum": ["stop_market", "take_profit_market"]},
            ["type", "trigger_price"],
            # without a size it closes all of the position
            {"oneOf": [*_ONE_SIZE, _WHOLE]},
            trigger_price={**_PRICE, "description": "The mark price that sets it off."},
        ),
    ]
}
#: What POST /positions/{symbol}/close takes.
CLOSE_BODY: Final[Schema] = {
    **object_of({name: _SIZES[name] for name in ("quantity", "percent")}, []),
    "maxProperties": 1,
    "additionalProperties": False,
}

#: The shapes of the market and of trades, by name.
TRADE_SCHEMAS: Final[Schema] = {
    "Price": object_of(_QUOTE),
    "Market": object_of(MARKET),
    "Candle": object_of(_CANDLE),
    "Position": object_of(_POSITION),
    "Order": object_of(_ORDER),
    "FilledOrder": object_of(_FILLED),
    "OpenOrder": object_of({"id": _ORDER_ID, "status": {"const": "open"}, **_TERMS}),
    "Traded": {
        "allOf": [
            reference("Changed"),
            object_of(
                {
                    "order": {
                        "description": "What became of the order; null where none was placed.",
                        "anyOf": [
                            reference("FilledOrder"),
                            reference("OpenOrder"),
                            {"type": "null"},
                        ],
                    }
                }
            ),
        ]
    },
    "Fill": object_of(_FILL),
}
#: Rows of positions, orders, fills and candles.
POSITIONS, ORDERS, FILLS, CANDLES = (
    list_of(reference(name)) for name in ("Position", "Order", "Fill", "Candle")
)
