"""One order, from its placing to its end: its terms, what became of it, and where the ledger says
so."""

from collections.abc import Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from balance.core.figures import NONE
from layouts.entry import figures, section, term_list, when
from layouts.history_view import View
from layouts.reading import reading_dialog

#: The store that says which order the address opens: its id, or None.
SHOWN: Final = "history-order-shown"
# The texts of its terms, of those that can be changed while it is open, and of its fill.
_TERMS: Final = {
    "side": "Side",
    "type": "Type",
    "quantity": "Quantity",
    "price": "Limit price",
    "trigger_price": "Trigger price",
    "take_profit": "Take-profit",
    "stop_loss": "Stop-loss",
    "leverage": "Leverage",
}
_CHANGED: Final = ("quantity", "price", "trigger_price")
_FILL: Final = {
    "filled_quantity": "Filled",
    "average_price": "Average price",
    "fee": "Fee",
    "liquidity": "Liquidity",
    "realized_pnl": "Realised P&L",
}


def order_record_dialog() -> dbc.Modal:
    """The order that the address opens."""
    return reading_dialog("order-record", "Order", stores=(SHOWN,), size="lg")


def order_body(order: Mapping[str, Any], view: View) -> list[Component]:
    """All that there is to say of ``order``, a row as ``GET /orders/<id>`` has it."""
    display, parts = order["display"], [_summary(order, view)]
    parts.append(section(order["symbol"], figures(_TERMS, _known(display))))
    if before := _as_placed(order):
        parts.append(section("As it was placed", figures(_TERMS, before)))
    if order["state"] == "FILLED":
        parts.append(section("Its fill", figures(_FILL, _known(display))))
    return parts


def _known(display: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in display.items() if text != NONE}


def _summary(order: Mapping[str, Any], view: View) -> html.Dl:
    display, group = order["display"], order["group"]

    def entry(place: str, time: str | None = None) -> list[Component | str]:
        link = view.over(f"entry {place}", entry=place)
        return [link] if time is None else [*when(time), ", ", link]

    def optional(label: str, value: Any, shown: Any = None) -> list[tuple[str, Any]]:
        return [(label, value if shown is None else shown)] if value else []

    changed, ended = order["changed_place"], order["ended_place"]
    return term_list(
        [
            ("State", html.Strong(display["state"])),
            *optional("Why it ended", order["why"]),
            *optional("Why it was placed", order["because"]),
            ("Placed", entry(order["place"], order["time"])),
            *optional("Last changed", changed, changed and entry(changed)),
            *optional("Ended", ended, ended and entry(ended, order["ended_at"])),
            ("Whose", display["owner"]),
            *optional("Client id", order["client_id"]),
            *optional("OCO", group, group and view.over(group, order=group)),
        ]
    )


def _as_placed(order: Mapping[str, Any]) -> dict[str, str]:
    """What an amendment or the trigger has changed, as it was before."""
    asked = order["asked"]
    if asked is None:
        return {}
    return {name: asked["display"][name] for name in _CHANGED if asked[name] != order[name]}
