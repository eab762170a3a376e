"""The ledger on Overview and on History."""

from typing import Any
from urllib.parse import urlencode

from dash import ClientsideFunction, Dash, Input, Output, State
from dash.development.base_component import Component

from balance.core.errors import BalanceError
from balance.desk import Desk
from layouts.history import ALL
from layouts.ledger import ledger_table
from layouts.parts import empty_state, problem

NEWEST = 8
PAGE = 25


def register(app: Dash, desk: Desk) -> None:
    """Let the ledgers show what ``desk`` has, and follow the account while they are looked at."""
    for tab in ("overview", "history"):
        app.clientside_callback(
            f"(...given) => window.dash_clientside.tables.follow(...given, '{tab}')",
            Output(f"{tab}-revision", "data"),
            Input("balance-store", "data"),
            Input("tabs", "active_tab"),
            State(f"{tab}-revision", "data"),
        )
    app.clientside_callback(
        ClientsideFunction("tables", "turnPage"),
        Output("history-cursors", "data"),
        Input("history-older-btn", "n_clicks"),
        Input("history-newer-btn", "n_clicks"),
        Input("history-kind", "value"),
        Input("history-epoch", "value"),
        State("history-cursors", "data"),
        State("history-next", "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("overview-ledger", "children"),
        Input("overview-revision", "data"),
        prevent_initial_call=True,
    )
    def show_newest(_: str) -> Component:
        try:
            return ledger_table(desk.history(limit=NEWEST).entries, brief=True)
        except BalanceError as fault:
            return problem(str(fault))

    @app.callback(
        Output("history-ledger", "children"),
        Output("history-next", "data"),
        Output("history-page", "children"),
        Output("history-newer-btn", "disabled"),
        Output("history-older-btn", "disabled"),
        Output("history-download", "href"),
        Input("history-revision", "data"),
        Input("history-cursors", "data"),
        State("history-kind", "value"),
        State("history-epoch", "value"),
        prevent_initial_call=True,
    )
    def show_page(
        _: str, cursors: list[str], kind: str, epoch: int | None
    ) -> tuple[Component, str | None, str, bool, bool, str]:
        wanted: dict[str, Any] = {"kind": None if kind == ALL else kind, "epoch": epoch}
        named = {name: value for name, value in wanted.items() if value is not None}
        download = f"/virtual_balance/history?{urlencode({'format': 'csv', **named})}"
        number, first = f"Page {len(cursors) + 1}", not cursors
        try:
            page = desk.history(limit=PAGE, before=cursors[-1] if cursors else None, **wanted)
        except BalanceError as fault:
            return problem(str(fault)), None, number, first, True, download
        return _listed(page.entries), page.next, number, first, page.next is None, download


def _listed(rows: tuple[Any, ...]) -> Component:
    if rows:
        return ledger_table(rows)
    return empty_state(
        "search", "No such entries", "Nothing in the ledger fits these filters.", "history-empty"
    )
