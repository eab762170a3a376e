"""How a figure comes about: its dialog opens for what names one, and follows the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.performance.performance import Equity
from callbacks.reading import register_emptying
from layouts.derivation import derivation_table
from layouts.elements import CONTENT
from layouts.reading import problem

# What the names of the figures of a range of the curve begin with: "range:week:pnl".
_OF_RANGE = "range:"


def register(app: Dash, services: Services) -> None:
    """Let the dialog open for what names a derivation."""
    register_emptying(app, "derivation")

    @app.callback(
        Output("derivation-title", "children"),
        Output("derivation-text", "children"),
        Output("derivation-body", CONTENT),
        Output("derivation-drawn", "data"),
        Input("derivation-read", "data"),
        State("derivation-drawn", "data"),
    )
    def show(read: Mapping[str, Any], drawn: Mapping[str, Any] | None) -> tuple[Any, ...]:
        shown = read["shown"]
        try:
            found = _derivation(services.equity, shown["name"])
        except BalanceError as fault:
            return no_update, "", problem(str(fault)), None
        if found is None:
            return no_update, "", problem("This figure is not known."), None
        trail = _trail(shown, drawn)
        table = derivation_table(
            shown["name"],
            found["terms"],
            trail,
            app.config.requests_pathname_prefix,
            takes_focus=shown["isWithin"],
        )
        return found["title"], found["words"], table, {"shown": shown, "trail": trail}


def _trail(shown: Mapping[str, Any], drawn: Mapping[str, Any] | None) -> list[str]:
    """The names of the figures that led to the one that is ``shown``, after what is ``drawn``."""
    if drawn is None or not shown["isWithin"]:
        return []
    trail: list[str] = drawn["trail"]
    if shown == drawn["shown"]:
        return trail
    # the one that is open may be come back to
    return trail[:-1] if trail[-1:] == [shown["name"]] else [*trail, drawn["shown"]["name"]]


def _derivation(equity: Equity, name: str) -> Mapping[str, Any] | None:
    """The derivation called ``name``; None where there is none.

    Raises:
        BalanceError: the account can't be read, or there is no such range.
    """
    if name.startswith(_OF_RANGE):
        _, range_name, figure = name.split(":", 2)
        found = equity.curve(range_name)["derivations"].get(figure)
    else:
        found = equity.performance()["derivations"].get(name)
    return found
