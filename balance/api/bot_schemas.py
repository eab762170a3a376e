"""The shapes of bots, strategies, signals and backtests, as JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from balance.api.figure_schemas import LISTED, figure_schemas
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
from balance.bots.settings import LONGEST_NAME, TIMEFRAMES
from balance.performance.figures import FIGURES

_NUMBER: Final = {"type": "number"}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_ABOVE_ZERO: Final = {"type": "number", "exclusiveMinimum": 0}
_PRICE: Final = {**_ABOVE_ZERO, "description": "In the quote currency per base unit."}
_QUANTITY: Final = {**_ABOVE_ZERO, "description": "In base units."}
_PERCENT: Final = {"type": "number", "description": "In percent."}
_CONFIDENCE: Final = {"type": "number", "minimum": 0, "maximum": 1}
_SYMBOL: Final = {"type": "string", "description": "Such as BTC/USDT, also written btc-usdt."}
_POSITION_SIDE: Final = {"enum": ["long", "short"]}
_SIGNAL_SIDE: Final = {"enum": ["buy", "sell", "close", "hold"]}
_ACTIONS: Final = ("none", "opened", "closed", "flipped", "ignored", "refused")


def _told(schema: Schema, description: str) -> dict[str, Any]:
    return {**schema, "description": description}


def _percent_below(most: int) -> dict[str, Any]:
    of = {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": most}
    return _told(of, "In percent of the price; null: none.")


def _or_nothing(schema: Schema) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


#: What a bot may be told.
SETTINGS: Final[Schema] = {
    "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_NAME,
        "description": "Unlike that of any other bot.",
    },
    "symbol": _SYMBOL,
    "timeframe": _told(
        {"enum": list(TIMEFRAMES), "default": "5m"}, "Of the candles that it decides on."
    ),
    "strategy": _told(TEXT, "An id of GET /strategies."),
    "params": {
        "type": "object",
        "additionalProperties": _NUMBER,
        "description": "The strategy's parameters by name; the usual ones where left out.",
    },
    "direction": {"enum": ["both", "long", "short"], "default": "both"},
    "stake": _told(
        {**_ABOVE_ZERO, "default": 10}, "The margin of one position, in the stake_unit."
    ),
    "stake_unit": _told(
        {"enum": ["percent", "usdt"], "default": "percent"},
        "Of the available balance, or in USDT.",
    ),
    "leverage": {"type": "integer", "minimum": 1, "default": 3},
    "min_confidence": _told({**_CONFIDENCE, "default": 0}, "Leaves signals below it alone."),
    "stop_loss": _percent_below(100),
    "take_profit": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": 1000,
        "description": "In percent of the price; null: none.",
    },
    "trailing_stop": _percent_below(100),
    "cooldown": _told(
        {"type": "integer", "minimum": 0, "default": 0},
        "Minutes from the end of a trade to the next.",
    ),
    "max_positions": _told(
        {"type": ["integer", "null"], "minimum": 1},
        "Opens nothing while the account has so many open positions; null: any number.",
    ),
    "max_daily_loss": _told(
        {"type": ["number", "null"], "exclusiveMinimum": 0},
        "In USDT: when a day has lost so much, it closes and stops; null: never.",
    ),
    "max_drawdown": _told(
        {"type": ["number", "null"], "exclusiveMinimum": 0},
        "In USDT: so far below its best P&L, it closes and stops; null: never.",
    ),
}


def settings_body(required: Sequence[str], **more: Schema) -> dict[str, Any]:
    """A body with settings, of which ``required`` are needed, and ``more`` members."""
    return {**object_of({**SETTINGS, **more}, required), "additionalProperties": False}


#: What POST /bots and PUT /bots/{bot_id} take.
NEW_BOT: Final = settings_body(("name", "symbol", "strategy"))
CHANGED_BOT: Final = settings_body(())
#: What POST /backtests takes.
NEW_BACKTEST: Final = {
    **settings_body(
        ("strategy",),
        hours={
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "description": "The newest so many; null: all there is.",
        },
        file=_told({"type": ["string", "null"]}, "An id that POST /candles gave; null: this feed."),
        balance={
            "type": ["number", "null"],
            "minimum": 1,
            "default": 10_000,
            "description": "To begin with, in the quote currency.",
        },
    ),
    # the file says of which symbol it is
    "anyOf": [{"required": ["symbol"]}, {"required": ["file"]}],
}
#: What says whether to close what is held.
CLOSE: Final = {
    **object_of({"close": {"type": "boolean", "default": False}}, []),
    "additionalProperties": False,
}
#: What POST /signals takes.
SIGNAL: Final = {
    **object_of(
        {
            "symbol": _SYMBOL,
            "side": _told(
                {"type": "string", "pattern": "^(?i:buy|sell|close|long|short|flat)$"},
                "buy or long, sell or short, close or flat.",
            ),
            "confidence": {
                "type": ["number", "null"],
                "minimum": 0,
                "maximum": 1,
                "default": 1,
                "description": "What min_confidence of a bot goes by.",
            },
            "size": {
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "description": "In base units; by default each bot's own stake.",
            },
            "source": _told({"type": ["string", "null"], "maxLength": 60}, "Who says so."),
            "secret": _told({}, "Where the server was started with --signal-secret."),
        },
        ["symbol", "side"],
    ),
    "additionalProperties": False,
}

_PARAMETER: Final[Schema] = {
    "name": TEXT,
    "label": TEXT,
    "words": TEXT,
    "kind": {"enum": ["int", "float"]},
    "default": _NUMBER,
    "least": _NUMBER,
    "most": _NUMBER,
    "step": {"type": ["number", "null"]},
}
_STRATEGY: Final[Schema] = {
    "id": TEXT,
    "name": TEXT,
    "words": TEXT,
    "own": _told({"type": "boolean"}, "Whether it is from the folder of --strategies."),
    "error": _told({"type": ["string", "null"]}, "Why it can't be used, where it can't."),
    "parameters": list_of(object_of(_PARAMETER)),
}
_DECISION: Final[Schema] = {
    "time": _told(TIME, "The market's time, UTC."),
    "candle": {
        **or_null(TIME),
        "description": "When the candle began that it is about; null for a signal from outside.",
    },
    "side": _SIGNAL_SIDE,
    "confidence": _CONFIDENCE,
    "reason": TEXT,
    "action": {"enum": list(_ACTIONS)},
    "words": _told(TEXT, "What it did, or why not."),
}
_HELD: Final[Schema] = {
    "side": _POSITION_SIDE,
    "quantity": _QUANTITY,
    "entry_price": _PRICE,
    "unrealized_pnl": money("At mark price, before fees"),
}
_BOT: Final[Schema] = {
    "id": TEXT,
    "name": TEXT,
    "settings": reference("BotSettings"),
    "status": {"enum": ["stopped", "running", "paused"]},
    "symbol": _SYMBOL,
    "strategy_name": TEXT,
    "stopped_because": _told(TEXT, "Why it stopped itself; else empty."),
    "held_by": _told(
        {"type": ["string", "null"]},
        "Who else has what is open of its symbol: a bot's id, or empty for the person; it opens "
        "nothing meanwhile. Null: nobody.",
    ),
    "position": _or_nothing(object_of(_HELD)),
    "signal": _or_nothing(object_of(_DECISION)),
    "pnl": money("Of this epoch, after fees, with what it holds"),
    "realized": money("Of its closed trades of this epoch, after fees and funding"),
    "trades": _WHOLE,
    **dict.fromkeys(("wins", "losses", "even"), _WHOLE),
    "win_rate": _told({"type": ["number", "null"]}, "In percent; null before the first trade."),
    "fees": money("Of this epoch"),
    "curve": _told(list_of(_NUMBER), "The realised P&L after each trade, newest last."),
    "created_at": TIME,
    "started_at": or_null(TIME),
    "display": texts(
        (
            *("pnl", "realized", "win_rate", "position", "confidence", "fees", "trades"),
            *("strategy", "stake", "status", "entry_price", "unrealized_pnl", "curve"),
            "held_by",
        )
    ),
}
#: What GET /bots and the stream tell.
BOTS: Final[Schema] = {
    "version": _told(COUNT, "Another one: something about the bots has changed."),
    "can_change": _told({"type": "boolean"}, "Whether they run, and can be changed, here."),
    "words": _told(TEXT, "Why not, where they can't."),
    "bots": list_of(reference("Bot")),
    "display": texts(("pnl", "running")),
}

_LOG_ENTRY: Final[Schema] = {
    "id": COUNT,
    "time": TIME,
    "bot": TEXT,
    "name": TEXT,
    "kind": {"enum": ["state", "hold", "trade", "ignored", "error"]},
    "candle": or_null(TIME),
    "symbol": TEXT,
    "side": TEXT,
    "confidence": or_null(_CONFIDENCE),
    "reason": TEXT,
    "words": _told(TEXT, "What it did, in a sentence."),
}
_TRADE: Final[Schema] = {
    "revision": _told(or_null(COUNT), "Of the ledger entry that ended it; null in a backtest."),
    "line": or_null(COUNT),
    "place": or_null(TEXT),
    "time": _told(or_null(TIME), "The ledger's time of that; null in a backtest."),
    "epoch": or_null(COUNT),
    "bot": _told(TEXT, "Its id; empty: the person's."),
    "name": TEXT,
    "symbol": TEXT,
    "side": _POSITION_SIDE,
    "outcome": {"enum": ["win", "loss", "even"]},
    "quantity": _QUANTITY,
    "entry_price": _told(_ABOVE_ZERO, "The average of all its entries, weighted by quantity."),
    # a position that can lose no more is closed at nothing
    "exit_price": _told(_NUMBER, "In the quote currency per base unit."),
    "opened_at": _told(TIME, "The market's time, UTC."),
    "closed_at": _told(TIME, "The market's time, UTC."),
    "seconds": _WHOLE,
    "pnl": money("After fees and funding"),
    "gross": money("Before fees and funding"),
    "fees": money("Of opening and closing"),
    "funding": money("Received less paid"),
    "opened_because": TEXT,
    "closed_because": TEXT,
    "display": texts(
        (
            *("symbol", "side", "quantity", "entry_price", "exit_price", "pnl", "fees"),
            *("funding", "duration", "opened_because", "closed_because", "outcome"),
        )
    ),
}
_RESULT: Final[Schema] = {
    "bot": TEXT,
    "name": TEXT,
    "action": {"enum": list(_ACTIONS)},
    "words": TEXT,
}

_FIGURES: Final[Schema] = {
    "starting_balance": money("To begin with"),
    "equity": money("At the end"),
    "net_pnl": money("Equity - starting balance"),
    "hold_percent": _told(_PERCENT, "What the price did from its first to its last."),
    **figure_schemas(FIGURES),
    "max_drawdown_percent": _told(
        _PERCENT, "The largest fall from the best equity before, in percent of that."
    ),
    "fees": money("Paid"),
    "funding": money("Received less paid"),
    "exposure_percent": _told(_PERCENT, "Of the candles, those in which something was held."),
    "average_pnl": _told(
        {"type": ["number", "null"]}, "Of a trade, in the quote currency; null without trades."
    ),
}
_REPORT: Final[Schema] = {
    "from": TIME,
    "to": TIME,
    "candles": COUNT,
    "seconds": _told(COUNT, "Of one candle."),
    **_FIGURES,
    "curve": _told(
        list_of(
            {
                "type": "array",
                "items": {"type": ["string", "number"]},
                "minItems": 3,
                "maxItems": 3,
            }
        ),
        "At most 400 points: the time, the equity, and what holding would be worth.",
    ),
    "rows": _told(list_of(reference("Trade")), "The newest 500 trades, newest first."),
    "stopped_because": _told(TEXT, "Why the bot stopped itself; else empty."),
    "ambiguous_trades": _told(
        _WHOLE, "Those that ended in a candle which held both their stop and their target."
    ),
    "refused": _told(
        list_of(object_of({"count": COUNT, "reason": TEXT})),
        "Signals that the account refused, by reason; figures are those of the first.",
    ),
    "figures": LISTED,
    "display": texts(_FIGURES),
}
_BACKTEST: Final[Schema] = {
    "id": TEXT,
    "state": {"enum": ["running", "done", "cancelled", "failed"]},
    "progress": {"type": "number", "minimum": 0, "maximum": 1},
    "words": _told(TEXT, "What went wrong, or what else there is to know."),
    "result": _or_nothing(reference("Report")),
}
_FILE: Final[Schema] = {
    "id": _told(TEXT, "What POST /backtests takes as file."),
    "name": TEXT,
    "symbol": _told(
        {"type": ["string", "null"]}, "As a column or its name says; null where neither does."
    ),
    "candles": COUNT,
    "seconds": _told(COUNT, "Of one candle."),
    "from": TIME,
    "to": TIME,
    "notes": _told(list_of(TEXT), "What there is to know of it, such as rows that are left out."),
}

#: The shapes of bots and backtests, by name.
BOT_SCHEMAS: Final[Schema] = {
    "BotSettings": object_of(SETTINGS),
    "Strategy": object_of(_STRATEGY),
    "Bot": object_of(_BOT),
    "LogEntry": object_of(_LOG_ENTRY),
    "Trade": object_of(_TRADE),
    "SignalResult": object_of(_RESULT),
    "Backtest": object_of(_BACKTEST),
    "Report": object_of(_REPORT),
    "CandleFile": object_of(_FILE),
}
