"""The part of the description that tells of bots, strategies, signals and backtests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from balance.api.bot_requests import FILE_TYPES
from balance.api.bot_schemas import (
    BOTS,
    CHANGED_BOT,
    CLOSE,
    NEW_BACKTEST,
    NEW_BOT,
    SIGNAL,
)
from balance.api.description import CONDITIONS, PROBLEMS, READING, body, in_path, query, responses
from balance.api.schemas import OK, TEXT, Schema, list_of, object_of, reference

# of the account these are no changes, so no revision is asked for
_KEY: Final = next(each for each in CONDITIONS if each["name"] == "Idempotency-Key")
_BOT_ID: Final = in_path("bot_id", "The id that its making was answered with.")
_BACKTEST_ID: Final = in_path("backtest_id", "The id that its start was answered with.")
_CHANGING: Final = (400, 401, 403, 413, 415, 422, 503)
_MESSAGE: Final = {"type": "string", "description": "What was done."}


def _read(summary: str, schema: Schema, *problems: int, **more: Any) -> dict[str, Any]:
    return {"summary": summary, **more, "responses": responses(schema, *READING, *problems)}


def _done(
    summary: str,
    *parameters: Mapping[str, Any],
    problems: tuple[int, ...] = _CHANGING,
    body: Schema | None = None,
    needs_body: bool = False,
    **members: Schema,
) -> dict[str, Any]:
    asked = {} if body is None else {"requestBody": _json(body, required=needs_body)}
    schema = object_of({"status": OK, "message": _MESSAGE, **members})
    return {
        "summary": summary,
        "parameters": [*parameters, _KEY],
        **asked,
        "responses": responses(schema, *problems),
    }


def _json(schema: Schema, *, required: bool) -> dict[str, Any]:
    return body(schema, required=required)


def _of_bot(summary: str, body: Schema | None = None, *, needs_body: bool = False) -> Any:
    return _done(
        summary,
        _BOT_ID,
        problems=(*_CHANGING, 404),
        body=body,
        needs_body=needs_body,
        bot=reference("Bot"),
    )


def _state(summary: str, body: Schema | None = None) -> dict[str, Any]:
    return {"post": _of_bot(summary, body)}


def _backtest(status: str, *problems: int) -> dict[str, Any]:
    schema = object_of({"status": OK, "backtest": reference("Backtest")})
    found = responses(schema, *problems)
    return {status: found.pop("200"), **found}


_SIGNAL_BODY: Final = {
    "required": True,
    "content": {kind: {"schema": SIGNAL} for kind in ("application/json", "text/plain")},
}
_LIMIT: Final = {"type": "integer", "minimum": 1, "default": 100}
_ONE_BOT: Final = query("bot", "Only those of the bot with this id.", TEXT)
_LOG_PARAMETERS: Final = [
    _ONE_BOT,
    query(
        "kind",
        "Only entries of this kind; action: of all but hold.",
        {"enum": ["action", "state", "hold", "trade", "ignored", "error"]},
    ),
    query("limit", "Entries a page.", {**_LIMIT, "maximum": 500}),
    query("before", "The last page's next.", {"type": "integer", "minimum": 0}),
]
_TRADE_PARAMETERS: Final = [_ONE_BOT, query("limit", "How many.", {**_LIMIT, "maximum": 1000})]
_DELETE_PARAMETERS: Final = (
    _BOT_ID,
    query("close", "Whether to close what it holds first.", {"type": "boolean", "default": False}),
)
_CANDLE_PROBLEMS: Final = {
    "413": "The body is over 16 MiB",
    "415": "The body is not declared as CSV, JSON, zip or gzip",
    "422": "The file can't be read; the words say which line is wrong",
}


def _candles() -> dict[str, Any]:
    schema = object_of({"status": OK, "file": reference("CandleFile")})
    content = {each: {"schema": TEXT if each == "text/csv" else {}} for each in FILE_TYPES}
    found = responses(schema, 400, 401, 403, 413, 415, 422)
    for status, words in _CANDLE_PROBLEMS.items():
        found[status] = {**found[status], "description": words}
    return {
        "summary": "Send a file of candles for backtests; the newest five are kept",
        "description": (
            "CSV, or JSON as a list of [time, open, high, low, close, volume], as it is or packed "
            "with zip or gzip; several files of one symbol in a .zip are put together."
        ),
        "parameters": [
            query("name", "The file's name, which may say the symbol: BTCUSDT-1m.csv.", TEXT),
            query("symbol", "Which one is taken where the file has several markets.", TEXT),
            query(
                "date_format",
                "Of dates whose day and month can't be told apart: DD/MM/YYYY or the like.",
                TEXT,
            ),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": found,
    }


def _signalled() -> dict[str, Any]:
    described = _done("Give a signal to the bots that take such", results=_RESULTS)
    forbidden = {
        **described["responses"]["403"],
        "description": f"{PROBLEMS[403]}, or the secret of signals is missing or wrong",
    }
    return {
        **described,
        "description": "With a secret, which --signal-secret sets, it needs no token.",
        "requestBody": _SIGNAL_BODY,
        "responses": {**described["responses"], "403": forbidden},
    }


_RESULTS: Final = list_of(reference("SignalResult"))
_COUNT: Final = {"type": "integer", "minimum": 0}

#: What is possible at which path.
BOT_PATHS: Final[Mapping[str, Any]] = {
    "/strategies": {
        "get": _read(
            "The strategies that there are, with their parameters",
            object_of({"status": OK, "strategies": list_of(reference("Strategy"))}),
        )
    },
    "/bots": {
        "get": _read("All bots, as the stream tells them", object_of({"status": OK, **BOTS})),
        "post": _done(
            "Make a bot; it is stopped at first",
            body=NEW_BOT,
            needs_body=True,
            bot=reference("Bot"),
        ),
    },
    "/bots/{bot_id}": {
        "put": _of_bot(
            "Change the settings of a bot that the body names", CHANGED_BOT, needs_body=True
        ),
        "delete": _done(
            "Delete a bot; refused while it holds a position, unless that is closed",
            *_DELETE_PARAMETERS,
            problems=(400, 401, 403, 404, 422, 503),
        ),
    },
    "/bots/{bot_id}/start": _state("Let a bot decide from its next candle on"),
    "/bots/{bot_id}/pause": _state("Let a bot open nothing; it still closes what it holds"),
    "/bots/{bot_id}/resume": _state("Let a paused bot open again"),
    "/bots/{bot_id}/stop": _state("Stop a bot, and close what it holds if asked to", CLOSE),
    "/bots/{bot_id}/duplicate": _state("Make another bot with the same settings"),
    "/bots/stop": {
        "post": _done(
            "Stop all bots, and close what they hold if asked to",
            body=CLOSE,
            stopped=_COUNT,
            closed=_COUNT,
        )
    },
    "/bots/log": {
        "get": _read(
            "What the bots decided and did, newest first",
            object_of(
                {
                    "status": OK,
                    "entries": list_of(reference("LogEntry")),
                    "next": {"type": ["string", "null"]},
                }
            ),
            422,
            parameters=_LOG_PARAMETERS,
        )
    },
    "/bots/trades": {
        "get": _read(
            "The trades of the bots, newest first",
            object_of({"status": OK, "trades": list_of(reference("Trade"))}),
            422,
            parameters=_TRADE_PARAMETERS,
        )
    },
    "/signals": {"post": _signalled()},
    "/backtests": {
        "post": {
            "summary": "Begin a backtest; GET tells how it stands",
            "requestBody": _json(NEW_BACKTEST, required=True),
            "responses": _backtest("202", *_CHANGING),
        }
    },
    "/backtests/{backtest_id}": {
        "get": {
            "summary": "How a backtest stands, and its report when it is done",
            "parameters": [_BACKTEST_ID],
            "responses": _backtest("200", 400, 401, 404),
        },
        "delete": {
            "summary": "Cancel a backtest",
            "parameters": [_BACKTEST_ID],
            "responses": _backtest("200", 400, 401, 403, 404),
        },
    },
    "/candles": {"post": _candles()},
}
