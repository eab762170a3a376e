"""What opens over the lists of History, as the address says: an entry, or an order."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from dash import ClientsideFunction, Dash, Input, Output, State

from balance.api.history import found_entry
from balance.api.services import Services
from balance.api.trade import whole_order
from balance.core.errors import BalanceError
from balance.desk.desk import Desk
from layouts import entry, order_record
from layouts.links import Lists
from layouts.reading import READ, problem


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let both dialogs open and close with the address, and follow the account."""
    for name, shown, function in (
        ("entry", entry.SHOWN, "openEntry"),
        ("order-record", order_record.SHOWN, "openOrder"),
    ):
        app.clientside_callback(
            ClientsideFunction("desk", function),
            Output(f"{name}-dialog", "is_open"),
            Output(f"{name}-title", "children", allow_duplicate=True),
            Output(f"{name}-body", "children", allow_duplicate=True),
            Output(f"{name}{READ}", "data"),
            Input(shown, "data"),
            State(f"{name}-dialog", "is_open"),
            prevent_initial_call=True,
        )
    app.clientside_callback(
        ClientsideFunction("desk", "leaveDetails"),
        Input("entry-dialog", "is_open"),
        Input("order-record-dialog", "is_open"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "goFromEntry"),
        Input("entry-before", "n_clicks"),
        Input("entry-after", "n_clicks"),
        Input("entry-show", "n_clicks"),
        State(entry.FOUND, "data"),
        prevent_initial_call=True,
    )
    _register_entry(app, desk, services)
    _register_order(app, desk)


def _register_entry(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("entry-title", "children"),
        Output("entry-body", "children"),
        Output(entry.FOUND, "data"),
        Output("entry-before", "disabled"),
        Output("entry-after", "disabled"),
        Output("entry-show", "disabled"),
        Output("entry-link", "children"),
        Input(f"entry{READ}", "data"),
        State(entry.SHOWN, "data"),
        State("address", "href"),
        prevent_initial_call=True,
    )
    def show_entry(_: object, place: str, address: str) -> tuple[Any, ...]:
        here = urlsplit(address)
        path = app.get_relative_path("/history")
        link = f"{here.scheme}://{here.netloc}{Lists(path).address(entry=place)}"
        try:
            found = found_entry(desk, services, place)
        except BalanceError as fault:
            title, body = f"Entry {place}", problem(str(fault))
            return title, body, None, True, True, True, link
        whole, before, after = found["entry"], found["before"], found["after"]
        return (
            f"{whole['display']['kind']}, entry {place}",
            entry.entry_body(whole, Lists(path, here.query)),
            {"before": before, "after": after, "place": place, "offset": found["offset"]},
            before is None,
            after is None,
            found["offset"] is None,
            link,
        )


def _register_order(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output("order-record-title", "children"),
        Output("order-record-body", "children"),
        Input(f"order-record{READ}", "data"),
        State(order_record.SHOWN, "data"),
        State("address", "href"),
        prevent_initial_call=True,
    )
    def show_order(_: object, name: str, address: str) -> tuple[Any, ...]:
        lists = Lists(app.get_relative_path("/history"), urlsplit(address).query)
        try:
            order = whole_order(desk, name)
        except BalanceError as fault:
            return f"Order {name}", problem(str(fault))
        return f"Order {order['id']}", order_record.order_body(order, lists)
