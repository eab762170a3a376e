"""The strip of what is damaged is drawn anew whenever something else is."""

from dataclasses import asdict
from typing import Any

from dash import Dash, Input, Output
from dash.development.base_component import Component

from balance.api.services import Services
from layouts.damage import DRAWN, STRIP, damage_parts


def register(app: Dash, services: Services) -> None:
    """Let the strip follow what ``services`` know of it."""

    @app.callback(Output(STRIP, "children"), Input(DRAWN, "data"))
    def draw(_drawn: Any) -> list[Component]:
        return damage_parts([asdict(each) for each in services.damages.listed])
