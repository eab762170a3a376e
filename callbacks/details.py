"""What opens over the lists of History, as the address says: an entry, or an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dash import ClientsideFunction, Dash, Input, Output, State

from balance.api.history import found_entry
from balance.api.services import Services
from balance.api.trade import whole_order
from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from callbacks.reading import register_emptying
from layouts import entry, order_record
from layouts.elements import CONTENT
from layouts.history_view import View
from layouts.reading import problem


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let both dialogs open and close with the address, and follow the account."""
    for name, shown, opens in (
        ("entry", entry.SHOWN, "openEntry"),
        ("order-record", order_record.SHOWN, "openOrder"),
    ):
        opening = ClientsideFunction("desk", opens)
        app.clientside_callback(opening, Input(shown, "data"))
        register_emptying(app, name)
    app.clientside_callback(
        ClientsideFunction("desk", "leaveDetails"),
        Input("entry-dialog", "is_open"),
        Input("order-record-dialog", "is_open"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "goFromEntry"),
        Input("entry-before", "n_clicks"),
        Input("entry-after", "n_clicks"),
        Input("entry-show", "n_clicks"),
        State("entry-drawn", "data"),
    )
    _register_entry(app, desk, services)
    _register_order(app, desk)


def _register_entry(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("entry-title", "children"),
        Output("entry-body", CONTENT),
        Output("entry-drawn", "data"),
        Output("entry-before", "disabled"),
        Output("entry-after", "disabled"),
        Output("entry-show", "disabled"),
        Output("entry-link", "children"),
        Input("entry-read", "data"),
        State("address", "href"),
    )
    def show_entry(read: Mapping[str, Any], address: str) -> tuple[Any, ...]:
        place, here = read["shown"], urlsplit(address)
        path = app.get_relative_path("/history")
        link = f"{here.scheme}://{here.netloc}{View(entry=place, path=path).href}"
        try:
            found = found_entry(desk, services, place)
        except BalanceError as fault:
            return f"Entry {place}", problem(str(fault)), None, True, True, True, link
        now = {"place": place, **{name: found[name] for name in ("before", "after", "offset")}}
        title = f"{found['entry']['display']['kind']}, entry {place}"
        body = entry.entry_body(found["entry"], View.parse(here.query, path))
        unknown = (now[name] is None for name in ("before", "after", "offset"))
        return title, body, now, *unknown, link


def _register_order(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("order-record-title", "children"),
        Output("order-record-body", CONTENT),
        Input("order-record-read", "data"),
        State("address", "href"),
    )
    def show_order(read: Mapping[str, Any], address: str) -> tuple[Any, ...]:
        name = read["shown"]
        try:
            order = whole_order(desk, name)
        except BalanceError as fault:
            return f"Order {name}", problem(str(fault))
        view = View.parse(urlsplit(address).query, app.get_relative_path("/history"))
        return f"Order {order['id']}", order_record.order_body(order, view)
