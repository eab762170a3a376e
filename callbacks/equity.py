"""The equity over time: the curves of the panel and of the sidebar get their points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError
from layouts.curve import due_of, points_of
from layouts.equity import (
    DAY,
    FIGURES,
    NOTE,
    PANEL,
    RANGE,
    USUAL,
    day_points,
    equity_points,
    range_figures,
    range_options,
)


def register(app: Dash, services: Services) -> None:
    """Let the curves be drawn when their points are due, and another range when it is chosen."""

    @app.callback(
        Output(points_of(PANEL), "data"),
        Output(FIGURES, "children"),
        Output(RANGE, "options"),
        Output(NOTE, "children"),
        Input(due_of(PANEL), "data"),
        Input(RANGE, "value"),
        State(RANGE, "options"),
    )
    def draw(_: object, chosen: str, offered: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        try:
            row = services.equity.curve(chosen)
        except BalanceError as fault:
            return no_update, no_update, no_update, str(fault)
        options = range_options(chosen, row)
        is_same = [each["disabled"] for each in options] == [each["disabled"] for each in offered]
        return (
            equity_points(row),
            range_figures(row),
            no_update if is_same else options,
            row["words"],
        )

    @app.callback(Output(points_of(DAY), "data"), Input(due_of(DAY), "data"))
    def draw_day(_: object) -> Any:
        try:
            return day_points(services.equity.curve(USUAL))
        except BalanceError:
            return no_update  # The strip above the tabs says why.
