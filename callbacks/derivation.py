"""How a figure comes about: its dialog opens for what names one, and follows the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.performance.performance import Equity
from layouts.derivation import AMOUNT, DRAWN, SHOWN, derivation_table, exactly, shape
from layouts.reading import READ, problem

# What the names of the figures of a range of the curve begin with: "range:week:pnl".
_OF_RANGE = "range:"


def register(app: Dash, services: Services) -> None:
    """Let the dialog open for what names a derivation."""
    app.clientside_callback(
        ClientsideFunction("desk", "openDerivation"),
        Output("derivation-dialog", "is_open"),
        Output("derivation-title", "children", allow_duplicate=True),
        Output("derivation-body", "children", allow_duplicate=True),
        Output(f"derivation{READ}", "data"),
        Input(SHOWN, "data"),
        State("derivation-dialog", "is_open"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("derivation-title", "children"),
        Output("derivation-text", "children"),
        Output("derivation-body", "children"),
        Output(DRAWN, "data"),
        Output({"type": AMOUNT, "at": ALL}, "children"),
        Output({"type": AMOUNT, "at": ALL}, "title"),
        Input(f"derivation{READ}", "data"),
        State(SHOWN, "data"),
        State(DRAWN, "data"),
        prevent_initial_call=True,
    )
    def show(_: object, shown: Mapping[str, Any], drawn: object) -> tuple[Any, ...]:
        same = [no_update] * len(ctx.outputs_list[-1])
        try:
            found = _derivation(services.equity, shown["name"])
        except BalanceError as fault:
            return no_update, "", problem(str(fault)), None, same, same
        if found is None:
            return no_update, "", problem("This figure is not known."), None, same, same
        terms, heading = found["terms"], (found["title"], found["words"])
        now = [shown["opened"], shown["name"], shape(terms)]
        if now == drawn and len(same) == len(terms):
            # what stands keeps the focus
            amounts = [each["display"] for each in terms]
            return *heading, no_update, now, amounts, [exactly(each["amount"]) for each in terms]
        path = app.config.requests_pathname_prefix
        table = derivation_table(terms, shown["trail"], path, takes_focus=shown["isWithin"])
        return *heading, table, now, same, same


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
