"""The routes of the account; each reads the request, makes one call and answers."""

from __future__ import annotations

from flask import Blueprint, Response

from balance.api.account import AccountRoutes
from balance.api.alerts import AlertRoutes
from balance.api.answers import json_answer
from balance.api.backtests import BacktestRoutes
from balance.api.bots import BotRoutes
from balance.api.history import HistoryRoutes
from balance.api.openapi import DESCRIPTION
from balance.api.operations import add_routes
from balance.api.performance import PerformanceRoutes
from balance.api.services import Services
from balance.api.settings import SettingsRoutes
from balance.api.stream import Stream
from balance.api.trade import TradeRoutes
from balance.desk.desk import Desk


def create_api(desk: Desk, stream: Stream, services: Services) -> Blueprint:
    """The blueprint that serves ``desk`` and its ``services``, and ``stream`` for those who
    listen."""
    api = Blueprint("balance", __name__)

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
        HistoryRoutes(desk, services.bots, services.equity),
    )
    return api
