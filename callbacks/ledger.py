"""The ledger on History."""

from typing import Any
from urllib.parse import urlencode

from dash import ClientsideFunction, Dash, Input, Output, State

from balance.core.errors import BalanceError
from balance.desk import Desk
from layouts.history import ALL
from layouts.ledger import ledger_rows

PAGE = 25


def register(app: Dash, desk: Desk) -> None:
    """Let the ledger show what ``desk`` has, and follow the account while it is looked at."""
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
    app.clientside_callback(
        ClientsideFunction("tables", "drawPage"),
        Output("history-ledger", "data-drawn"),
        Input("history-entries", "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output("history-entries", "data"),
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
    def read_page(
        _: str, cursors: list[str], kind: str, epoch: int | None
    ) -> tuple[dict[str, Any], str | None, str, bool, bool, str]:
        wanted: dict[str, Any] = {"kind": None if kind == ALL else kind, "epoch": epoch}
        named = {name: value for name, value in wanted.items() if value is not None}
        download = f"/virtual_balance/history?{urlencode({'format': 'csv', **named})}"
        pages = cursors if isinstance(cursors, list) else []
        page = _told(desk, limit=PAGE, before=pages[-1] if pages else None, **wanted)
        following, number = page.pop("next", None), f"Page {len(pages) + 1}"
        return page, following, number, not pages, following is None, download


def _told(desk: Desk, **wanted: Any) -> dict[str, Any]:
    """The rows of a page of the history, or the problem that keeps it from being read."""
    try:
        page = desk.history(**wanted)
    except BalanceError as fault:
        return {"problem": str(fault)}
    return {"rows": ledger_rows(page.entries, desk.market.decimals), "next": page.next}
