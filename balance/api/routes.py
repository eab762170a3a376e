"""The routes of the account; each reads the request, makes one call and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Blueprint, Response, request

from balance.api.account import AccountRoutes
from balance.api.alerts import AlertRoutes
from balance.api.answers import json_answer
from balance.api.backtests import BacktestRoutes
from balance.api.bots import BotRoutes
from balance.api.downloads import csv_file
from balance.api.epoch_routes import add_epoch_route
from balance.api.history_routes import add_history_routes
from balance.api.openapi import DESCRIPTION
from balance.api.operations import add_routes
from balance.api.performance import PerformanceRoutes
from balance.api.requests import (
    whole_number,
)
from balance.api.services import Services
from balance.api.settings import SettingsRoutes
from balance.api.stream import Stream
from balance.api.trade import TradeRoutes
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

    @api.get("/virtual_balance/history")
    def history() -> Response:
        wanted: dict[str, Any] = {
            "before": request.args.get("before"),
            "kind": request.args.get("kind"),
            "epoch": whole_number(request, "epoch"),
        }
        limit = whole_number(request, "limit")
        if _wants_csv():
            rows: Iterable[Mapping[str, Any]] = desk.ledger.rows(**wanted)
            if limit is not None:
                rows = desk.history(limit=limit, **wanted).entries
            return csv_file("virtual-balance-ledger", CSV_COLUMNS, rows)
        page = desk.history(limit=50 if limit is None else limit, **wanted)
        return json_answer({"status": "success", "entries": page.entries, "next": page.next})

    @api.get("/openapi.json")
    def describe() -> Response:
        return json_answer(DESCRIPTION)

    add_routes(
        api,
        AccountRoutes(desk, stream),
        TradeRoutes(desk),
        BotRoutes(services.bots),
        BacktestRoutes(services.backtests),
        SettingsRoutes(services.settings),
        AlertRoutes(services.alerts),
        PerformanceRoutes(services.equity),
    )
    add_history_routes(api, desk, services.history, services.bots)
    add_epoch_route(api, desk, services.history, services.equity.of_epoch)
    return api


def _wants_csv() -> bool:
    if "format" in request.args:
        return request.args["format"] == "csv"
    offered = ["application/json", "text/csv"]
    return request.accept_mimetypes.best_match(offered) == "text/csv"
