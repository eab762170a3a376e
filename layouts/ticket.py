"""The order ticket: what to trade, how much and at what price, with what it would take."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import uuid4

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.core.figures import NONE, rounded
from balance.core.order import ORDER_KINDS, PATIENCE, Number
from balance.core.orders import Preview
from balance.core.settings import RULES
from layouts.dialogs import close_button, dialog
from layouts.elements import Elements
from layouts.live import LIVE, OF
from layouts.parts import (
    button,
    card,
    choice,
    field,
    needs_server,
    number_entry,
    number_field,
    select,
    share_button,
    unit_field,
    unseen_label,
)

#: The shares of what is available that can be filled in, in percent.
SHARES = (10, 25, 50, 100)
#: The fields of the ticket, as their ids end: what is chosen, and where Enter places the order.
CHOICES: Final = ("symbol", "side", "type", "force", "unit", "leverage", "options")
TYPED: Final = (
    *("size", "price", "second-price", "third-price", "take-profit", "stop-loss", "client-id"),
)
#: Those of the numbers that an order of a type has beside its size, in their order.
NUMBERS: Final = ("price", "second-price", "third-price")
#: Where the page has the ticket previewed, and the name of that as a row of live figures.
PREVIEWED_AT: Final = "/ticket/preview"
_PREVIEWED: Final = "previews/ticket"
#: The type that is two orders: a limit and a stop, of which one cancels the other.
OCO: Final = "oco"
SIDES = (("Buy / Long", "buy"), ("Sell / Short", "sell"))
TYPES = (*((kind.label, kind.type) for kind in ORDER_KINDS.values()), ("OCO", OCO))
FORCES = {name: each.label.capitalize() for name, each in PATIENCE.items()}
UNITS = {"quantity": "base", "notional": "USDT", "percent": "% of available"}
_SHARE = "{} % of what is available"


class Form(NamedTuple):
    """What orders of a type have beside their size."""

    numbers: tuple[Number, ...]
    # Whether they have a time in force.
    is_timed: bool


#: By the type of the orders.
FORMS: Final[Mapping[str, Form]] = {
    **{kind.type: Form(kind.numbers, kind.is_timed) for kind in ORDER_KINDS.values()},
    OCO: Form(
        (
            Number("price", "Limit price", "", ""),
            Number("trigger_price", "Stop price, by the mark", "", ""),
            Number("stop_limit", "Limit price of the stop", "", "", is_optional=True),
        ),
        is_timed=False,
    ),
}
#: The figures of a preview.
PREVIEW: Final = (
    ("Quantity", "quantity"),
    ("Order value", "notional"),
    ("Margin", "margin"),
    ("Fee", "fee"),
    ("Slippage", "slippage"),
    ("Cost", "cost"),
    ("Liquidation price", "liquidation_price"),
    ("Available after", "available_after"),
)


def ticket(leverage: int) -> html.Section:
    """The ticket, with ``leverage`` to begin with; the page asks the server for the preview while
    it is filled in."""
    return card(
        "Order",
        needs_server(
            [
                choice("futures-side", SIDES, "buy", label="Side"),
                choice("futures-type", TYPES, "market", label="Type", wraps=True),
                number_field("futures-price", "Price", hidden=True),
                number_field("futures-second-price", "Price", hidden=True),
                number_field("futures-third-price", "Price", hidden=True),
                _force(),
                dcc.Store(id="futures-forms", data=_forms()),
                dcc.Store(id="futures-ticket-key", data=uuid4().hex),
                _size(),
                _leverage(leverage),
                dbc.Checklist(
                    options=[
                        {"label": "Reduce-only", "value": "reduce_only"},
                        {"label": "Take-profit / stop-loss", "value": "bracket"},
                        {"label": "Client id", "value": "named"},
                    ],
                    value=[],
                    id="futures-options",
                    inline=True,
                ),
                html.Div(
                    [
                        number_field("futures-take-profit", "Take-profit at"),
                        number_field("futures-stop-loss", "Stop-loss at"),
                    ],
                    id="futures-bracket",
                    className="field-pairs",
                    style={"--columns": 2},
                ),
                _client_id(),
                Elements(_preview()),
                html.Div(id="futures-ticket-error", className="dialog-error", role="alert"),
                html.Div(id="futures-ticket-note", className="ticket-note", role="status"),
                button("Buy / Long", "futures-submit", color="primary", outline=False),
            ]
        ),
        className="ticket",
    )


def _forms() -> dict[str, dict[str, Any]]:
    """For the page's script: the labels of the numbers that orders of each type have, and whether
    they have a time in force."""
    return {
        name: {"labels": [*map(_label, form.numbers)], "timed": form.is_timed}
        for name, form in FORMS.items()
    }


def _label(number: Number) -> str:
    return f"{number.label} (optional)" if number.is_optional else number.label


def _client_id() -> Component:
    control = dbc.Input(id="futures-client-id", type="text", maxLength=36, autocomplete="off")
    return field("Client id, a name of your own", control)


def _force() -> Component:
    return field("Time in force", select("futures-force", FORCES, value="GTC"), hidden=True)


def _size() -> Component:
    shares = html.Div(
        [share_button("futures-share", each, _SHARE) for each in SHARES], className="shares mt-2"
    )
    return unit_field(
        "Size",
        number_entry("futures-size", placeholder="0"),
        select("futures-unit", UNITS, value="notional"),
        None,
        unseen_label("Unit of the size", "futures-unit"),
        shares,
    )


def _leverage(leverage: int) -> Component:
    return html.Div(
        [
            dbc.Label("Leverage", html_for="futures-leverage"),
            html.Output(f"{leverage}x", id="futures-leverage-words", className="fw-semibold"),
            dbc.Input(
                id="futures-leverage",
                type="range",
                min=1,
                max=int(RULES["default_leverage"].most),
                step=1,
                value=leverage,
            ),
        ],
        className="field leverage d-flex flex-wrap justify-content-between",
    )


def _preview() -> Component:
    return html.Dl(
        [
            part
            for name, field in PREVIEW
            for part in (
                html.Dt(name),
                html.Dd(NONE, id=f"futures-preview-{field}", **{LIVE: field, OF: _PREVIEWED}),
            )
        ],
        className="preview",
    )


def slip_dialog() -> dbc.Modal:
    """Asks whether a limit that is far through the market is meant."""
    return dialog(
        "slip",
        "Order",
        [
            html.P(id="slip-message", className="dialog-words"),
            html.Ul(id="slip-about", className="dialog-list m-0"),
            # The fields of the ticket with the order that is asked about.
            dcc.Store(id="slip-order"),
        ],
        [close_button("slip", autoFocus=True), button("Place", "slip-confirm", color="danger")],
    )


def slip_question(order: Mapping[str, Any], preview: Preview) -> tuple[str, str, str, str]:
    """What is asked about an ``order`` with such a ``preview``: the title, the message, what it is
    about, and the answer that places it."""
    verb, bound = ("Buy", "much") if order["side"] == "buy" else ("Sell", "little")
    limit, display = rounded(order["price"]), preview.display
    if preview.fills_at_once:
        price = f"at about {display['price']}"
        reason = "the market, on the side where it fills at once."
    else:
        is_maker_only = order.get("time_in_force") == "GTX"
        end = "ends without a fill, being post-only," if is_maker_only else "fills"
        price = f"for as {bound} as {limit}"
        reason = f"your trigger price, on the side where it {end} as soon as it is triggered."
    return (
        f"{verb} {order['symbol']} {price}?",
        f"Your limit, {limit}, is {preview.beyond_percent:.1f} % from {reason}",
        f"{display['quantity']}, worth {display['notional']}",
        f"{verb} {price}",
    )


def shortage(display: Mapping[str, str]) -> str:
    """What an order would need that can't be paid, by the texts of its preview."""
    return f"This needs {display['cost']}, but only {display['available']} are available."
