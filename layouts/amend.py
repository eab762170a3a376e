"""The dialog that gives an open order other numbers: its prices and its quantity."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html

from balance.core.figures import NONE
from balance.core.order import ORDER_KINDS
from balance.core.rows import OrderRow
from layouts.dialogs import close_button, dialog
from layouts.parts import button, number_field
from layouts.reading import FOLLOWS

#: The fields: those of the numbers that an order of its type has beside its size, in their order,
#: and that of its quantity.
FIELDS: Final = ("order-price", "order-second-price", "order-quantity")


class Amendable(NamedTuple):
    """A number of an open order that can be changed."""

    # The member of orders and requests.
    name: str
    label: str
    # How it is read as it is typed.
    format: Literal["money", "quantity", "plain"]


def amend_dialog() -> dbc.Modal:
    """Gives an open order other numbers; what the order has not is hidden as it opens."""
    return dialog(
        "order",
        "Order",
        [
            html.Div(
                [
                    number_field("order-price", "Price"),
                    number_field("order-second-price", "Price"),
                    number_field("order-quantity", "Quantity"),
                ],
                className="stack",
                **{FOLLOWS: "order-changed"},
            ),
            html.Div(id="order-about", className="hint", role="status"),
            # The id, which the page puts here to open the dialog.
            dcc.Store(id="order-edited"),
            # What stood in the fields as the dialog opened.
            dcc.Store(id="order-opened"),
            # Set when the account has changed while the dialog is open.
            dcc.Store(id="order-changed"),
            # What stands in the fields, once it has rested for a moment.
            dcc.Store(id="order-typed"),
        ],
        [
            close_button("order"),
            button("Save", "order-set", color="primary", outline=False),
        ],
    )


def amend_title(order: OrderRow) -> str:
    """What the dialog of ``order`` is called."""
    display = order["display"]
    return f"{display['symbol']} {display['side_words']}, {display['type']}"


def amendable(order: OrderRow) -> list[Amendable | None]:
    """The numbers of ``order`` that can be changed, by :data:`FIELDS`; None where it has none."""
    numbers = [
        Amendable(each.name, each.label, each.format)
        for each in ORDER_KINDS[order["type"]].numbers
        # What follows the price already does so, wherever it was to begin.
        if not each.is_optional or order["best_price"] is None
    ]
    spare = [None] * (len(FIELDS) - 1 - len(numbers))
    # An exit for a whole position has no quantity.
    quantity = Amendable("quantity", "Quantity", "quantity")
    return [*numbers, *spare, None if order["quantity"] is None else quantity]


def shown(order: OrderRow, number: Amendable | None) -> str:
    """``number`` of ``order`` as its field shows it; empty where there is none."""
    text = NONE if number is None else order["display"][number.name]
    return "" if text == NONE else text
