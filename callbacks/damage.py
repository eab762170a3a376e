"""The strip of what is damaged follows what the page knows of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output
from dash.development.base_component import Component

from layouts.damage import KNOWN, STRIP, damage_parts


def register(app: Dash) -> None:
    """Let the strip be drawn anew whenever something else is damaged."""

    @app.callback(Output(STRIP, "children"), Input(KNOWN, "data"), prevent_initial_call=True)
    def draw(known: Sequence[Mapping[str, Any]]) -> list[Component]:
        return damage_parts(known)
