"""The equity over time: the curves of the panel and of the sidebar get their points."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.core.rows import Row
from layouts.curve import due_of, points_of
from layouts.equity import DAY, DRAWN_AT, PANEL, USUAL, day_points, equity_range


def register(app: Dash, services: Services) -> None:
    """Let the curves be drawn when their points are due, and another range when it is chosen."""

    # A click would wait for Dash three times as long as for this.
    @app.server.get(f"{DRAWN_AT}/<name>")
    def draw_range(name: str) -> Row:
        return equity_range(services.equity.curve(name))

    app.clientside_callback(
        ClientsideFunction("desk", "drawRange"),
        Input(due_of(PANEL), "data"),
    )

    @app.callback(Output(points_of(DAY), "data"), Input(due_of(DAY), "data"))
    def draw_day(_: object) -> Any:
        try:
            return day_points(services.equity.curve(USUAL))
        except BalanceError:
            return no_update  # The strip above the tabs says why.
