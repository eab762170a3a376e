"""The routes of the account; each reads the request, makes one call and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from werkzeug.datastructures import ETags

from balance.api.alerts import AlertRoutes
from balance.api.answers import changed, etag, json_answer
from balance.api.backtest_routes import add_backtest_routes
from balance.api.bot_routes import add_bot_routes
from balance.api.downloads import csv_file
from balance.api.encoding import answer
from balance.api.epoch_routes import add_epoch_route
from balance.api.equity_routes import add_equity_routes
from balance.api.history_routes import add_history_routes
from balance.api.openapi import DESCRIPTION
from balance.api.operations import add_routes
from balance.api.problems import Problem
from balance.api.requests import (
    Wanted,
    change_wanted,
    conditions,
    reset_wanted,
    undo_wanted,
    whole_number,
)
from balance.api.services import Services
from balance.api.settings_routes import add_settings_routes
from balance.api.stream import Stream, StreamClosed, StreamFull
from balance.api.trade_routes import add_trade_routes
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk

CSV_COLUMNS: Final = (
    "revision",
    "line",
    "time",
    "epoch",
    "kind",
    "amount",
    "balance",
    "source",
    "note",
)


def create_api(desk: Desk, stream: Stream, services: Services) -> Blueprint:
    """The blueprint that serves ``desk`` and its ``services``, and ``stream`` for those who
    listen."""
    api = Blueprint("balance", __name__)

    @api.get("/virtual_balance")
    def read() -> Response:
        return _snapshot_response(desk.snapshot())

    @api.post("/virtual_balance")
    def change() -> Response:
        return _carried_out(desk, change_wanted(request))

    @api.post("/virtual_balance/reset")
    def reset() -> Response:
        return _carried_out(desk, reset_wanted(request))

    @api.post("/virtual_balance/reset/undo")
    def undo_reset() -> Response:
        return _carried_out(desk, undo_wanted(request))

    @api.get("/virtual_balance/stream")
    def listen() -> Response:
        try:
            messages = stream.listen()
        except (StreamFull, StreamClosed) as fault:
            raise Problem(
                503, "No stream is free; ask for /virtual_balance instead.", Retry_After="5"
            ) from fault
        response = Response(messages, mimetype="text/event-stream")
        response.headers["Cache-Control"] = "no-store"
        response.call_on_close(stream.leave)
        return response

    @api.get("/virtual_balance/history")
    def history() -> Response:
        wanted: dict[str, Any] = {
            "before": request.args.get("before"),
            "kind": request.args.get("kind"),
            "epoch": whole_number(request, "epoch"),
        }
        limit = whole_number(request, "limit")
        if _wants_csv():
            rows: Iterable[Mapping[str, Any]] = desk.whole_history(**wanted)
            if limit is not None:
                rows = desk.history(limit=limit, **wanted).entries
            return csv_file("virtual-balance-ledger", CSV_COLUMNS, rows)
        page = desk.history(limit=50 if limit is None else limit, **wanted)
        return json_answer({"status": "success", "entries": page.entries, "next": page.next})

    @api.get("/health")
    def health() -> Response:
        snapshot = desk.snapshot()
        return json_answer(
            {
                "status": "success",
                "revision": snapshot.revision,
                "instance": snapshot.instance,
                "streams": stream.listeners,
            }
        )

    @api.get("/openapi.json")
    def describe() -> Response:
        return json_answer(DESCRIPTION)

    add_trade_routes(api, desk)
    add_bot_routes(api, services.bots)
    add_backtest_routes(api, services.backtests)
    add_settings_routes(api, services.settings)
    add_routes(api, AlertRoutes(services.alerts))
    add_equity_routes(api, services.equity)
    add_history_routes(api, desk, services.history, services.bots)
    add_epoch_route(api, desk, services.history, services.equity.of_epoch)
    return api


def _carried_out(desk: Desk, wanted: Wanted) -> Response:
    how = conditions(request)
    how["note"] = wanted.note
    return changed(desk.execute(wanted.action, wanted.amount, **how))


def _snapshot_response(snapshot: Snapshot) -> Response:
    tag = etag(snapshot)
    known: ETags = request.if_none_match
    # whatever a proxy has weakened still tells the same (RFC 9110, 13.1.2)
    is_known = known.contains_weak(tag.strip('"'))
    response = Response(status=304) if is_known else json_answer(answer(snapshot))
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "no-cache"
    return response


def _wants_csv() -> bool:
    if "format" in request.args:
        return request.args["format"] == "csv"
    offered = ["application/json", "text/csv"]
    return request.accept_mimetypes.best_match(offered) == "text/csv"
