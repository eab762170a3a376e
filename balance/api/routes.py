"""The HTTP interface: all resources together, and the description of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request
from flask.sansio.blueprints import BlueprintSetupState

from balance.api.account import AccountRoutes
from balance.api.alerts import AlertRoutes
from balance.api.backtests import BacktestRoutes
from balance.api.backups import BackupRoutes
from balance.api.bots import BotRoutes
from balance.api.encoding import encoded
from balance.api.history import HistoryRoutes
from balance.api.keys import KeyRoutes
from balance.api.openapi import description_of
from balance.api.operations import add_routes, get
from balance.api.performance import PerformanceRoutes
from balance.api.services import Services
from balance.api.settings import SettingsRoutes
from balance.api.stream import Stream
from balance.api.trade import OrderIdConverter, TradeRoutes
from balance.desk.desk import Desk


class DescriptionRoutes:
    """The description of all of this."""

    tag = "description"

    @get("/openapi.json", types=("application/json",))
    def read_description(self) -> Response:
        """This description."""
        servers = [{"url": request.url_root.rstrip("/")}]
        body = encoded({**description(), "servers": servers}) + "\n"
        return Response(body, mimetype="application/json", headers={"Cache-Control": "no-store"})


#: The resources, in the order in which they are described.
RESOURCES: Final[tuple[type, ...]] = (
    AccountRoutes,
    TradeRoutes,
    HistoryRoutes,
    PerformanceRoutes,
    BotRoutes,
    BacktestRoutes,
    AlertRoutes,
    KeyRoutes,
    SettingsRoutes,
    BackupRoutes,
    DescriptionRoutes,
)


@functools.cache
def description() -> Mapping[str, Any]:
    """The description of the whole interface, but for the address of the server."""
    return description_of(RESOURCES)


def _add_converters(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["order"] = OrderIdConverter


def create_api(desk: Desk, stream: Stream, services: Services) -> Blueprint:
    """The blueprint that serves ``desk`` and its ``services``, and ``stream`` to those who
    listen."""
    api = Blueprint("balance", __name__)
    api.record_once(_add_converters)
    add_routes(
        api,
        AccountRoutes(desk, stream, services),
        TradeRoutes(desk),
        HistoryRoutes(desk, services),
        PerformanceRoutes(services.equity),
        BotRoutes(services),
        BacktestRoutes(services.backtests),
        AlertRoutes(services),
        KeyRoutes(services, desk.store.folder),
        SettingsRoutes(services.settings),
        BackupRoutes(desk.store.folder),
        DescriptionRoutes(),
    )
    return api
