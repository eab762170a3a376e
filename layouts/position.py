"""The dialog of an open position, with its exits and its margin, and the question before it is
reversed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.core.figures import NONE
from balance.core.rows import PositionRow
from layouts.dialogs import close_button, dialog
from layouts.live import live_figure
from layouts.parts import button, number_field, share_button
from layouts.reading import FOLLOWS

#: The fields, as their ids end: the prices of the two exits, what the margin gets, what is closed.
FIELDS: Final = ("take-profit", "stop-loss", "margin", "quantity")
#: What may be filled in as the quantity, in percent of the position.
PARTS: Final = (25, 50, 100)
_PART: Final = "Fill in {} % of the position"

_FACTS: Final = (
    ("Entry", "entry_price"),
    ("Mark", "mark_price"),
    ("Unrealised P&L", "unrealized_pnl"),
    ("Liquidation", "liquidation_price"),
)


def position_dialog() -> dbc.Modal:
    """Sets or removes the take-profit and stop-loss of a position; moves its margin, reverses it,
    closes it or a part of it."""
    return dialog(
        "position",
        "Position",
        [
            html.Dl(
                id="position-facts",
                className="position-facts",
                **{FOLLOWS: "position-changed"},
            ),
            _exit("take-profit", "Take-profit at"),
            _exit("stop-loss", "Stop-loss at"),
            html.P(
                "Each closes the whole position at market when the mark price reaches it. "
                "An empty field removes it.",
                className="dialog-words",
            ),
            html.Div(
                [
                    html.Div(
                        [
                            number_field("position-margin", "Add margin, or remove with a minus"),
                            button("Move", "position-move-margin"),
                        ],
                        className="position-close",
                    ),
                    _preview("margin"),
                ],
                className="pt-3 border-top",
            ),
            html.Div(
                [
                    html.H3("Close at market", className="part-title mb-2"),
                    html.Div(
                        [
                            number_field("position-quantity", "Quantity"),
                            html.Div(
                                [share_button("position-part", each, _PART) for each in PARTS],
                                className="shares",
                            ),
                            button("Close", "position-close", "box-arrow-right", color="danger"),
                        ],
                        className="position-close",
                    ),
                    _preview("quantity"),
                ],
                className="pt-3 border-top",
            ),
            # The symbol, which the page puts here to open the dialog.
            dcc.Store(id="position-edited"),
            # Set when the account has changed while the dialog is open.
            dcc.Store(id="position-changed"),
            # What stands in the fields, once it has rested for a moment.
            dcc.Store(id="position-typed"),
        ],
        [
            button("Reverse", "position-reverse", color="danger"),
            close_button("position"),
            button("Save", "position-set", color="primary", outline=False),
        ],
    )


def position_title(position: PositionRow) -> str:
    """What the dialog of ``position`` is called."""
    display = position["display"]
    return f"{position['symbol']} {display['side_words']}, {display['quantity']}"


def position_facts(position: PositionRow) -> list[Component]:
    """The figures of ``position``, which follow the prices."""
    symbol, display = position["symbol"], position["display"]
    return [
        html.Div(
            [
                html.Dt(label),
                html.Dd(
                    live_figure(
                        "positions", symbol, field, id=f"position-{field}", text=display[field]
                    )
                ),
            ]
        )
        for label, field in _FACTS
    ]


def exit_text(position: PositionRow, name: str) -> str:
    """The price of the exit called ``name`` as its field shows it; empty where there is none."""
    text = position["display"][name.replace("-", "_")]
    return "" if text == NONE else text


def reverse_dialog() -> dbc.Modal:
    """Asks before a position is reversed, and says what it would be then."""
    return dialog(
        "reverse",
        "Reverse",
        [
            html.P(id="reverse-message", className="dialog-words"),
            html.Ul(id="reverse-about", className="dialog-list m-0"),
        ],
        [
            close_button("reverse", autoFocus=True),
            button("Reverse", "reverse-confirm", color="danger"),
        ],
    )


def listed(texts: Sequence[str]) -> list[html.Li]:
    """``texts`` as the items of a list."""
    return [html.Li(each) for each in texts]


def _exit(name: str, label: str) -> html.Div:
    """A price at which a position is closed, with what that would bring."""
    return html.Div(
        [number_field(f"position-{name}", label), _preview(name)], className="position-exit"
    )


def _preview(name: str) -> html.Div:
    """What the number in the field ``name`` would do."""
    return html.Div(id=f"position-{name}-about", className="hint", role="status")
