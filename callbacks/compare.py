"""Epochs side by side, as the address says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State

from balance.api.history import epoch_page
from balance.api.services import Services
from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from balance.history.question import parse_question
from balance.performance.epochs import EPOCH_SORTS
from layouts.compare import PICKED, READ, SHOWN, comparison, missing_text
from layouts.elements import CONTENT
from layouts.history_view import parse_epochs
from layouts.reading import FOLLOWS


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let those be compared that are picked, and follow the account."""
    app.clientside_callback(ClientsideFunction("desk", "readCompared"), Input(SHOWN, "data"))
    app.clientside_callback(
        ClientsideFunction("desk", "compare"),
        Input("history-compare", "n_clicks"),
        Input("history-compare-close", "n_clicks"),
        State(PICKED, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "canNotCompare"),
        Output("history-compare", "disabled"),
        Input(PICKED, "data"),
    )

    @app.callback(
        Output("history-epochs", FOLLOWS),
        Output("history-compared-words", "children"),
        Output("history-compared", "hidden"),
        Output("history-comparison", CONTENT),
        Input(READ, "data"),
    )
    def show(read: Mapping[str, str]) -> tuple[Any, ...]:
        numbers = parse_epochs(read["shown"])
        if not numbers:
            return None, "", True, None
        query = {"epoch": ",".join(map(str, numbers)), "limit": str(len(numbers))}
        try:
            page = epoch_page(desk, services, parse_question("epochs", query, EPOCH_SORTS))
        except BalanceError as fault:
            return READ, str(fault), True, None
        rows, is_indexed = page["rows"], page["index"].is_complete
        found = [each["epoch"] for each in rows]
        has_ended = all(each["ended_at"] is not None for each in rows)
        return (
            None if has_ended and len(found) == len(numbers) else READ,
            missing_text(numbers, found, is_indexed=is_indexed),
            len(rows) < 2,
            comparison(rows, page["figures"]),
        )
