"""The dialogs: begin anew, move money in, out or by hand, change a position, explain a figure."""

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.core.figures import NONE
from layouts.parts import Children, button, needs_server, number_field

#: What closes the dialog that it names, at once and also while the server does not answer.
CLOSES = "data-close"


def dialog(
    name: str,
    title: Children,
    body: Sequence[Component | str],
    foot: Sequence[Component],
    *,
    fields: Mapping[str, object] | None = None,
    **more: object,
) -> dbc.Modal:
    """A dialog whose ids begin with ``name``: ``-dialog``, ``-title`` and ``-error``, the place for
    what went wrong. Its store ``-key`` holds the idempotency key of what it sends: another one once
    that was answered, so that what got no answer can be sent again without being done twice. Its
    store ``-fields`` holds what its ``fields`` begin with when it is opened, by their ids.

    All but what closes it is off while the server does not answer; ``more`` is as of
    ``dbc.Modal``."""
    buttons = [each if hasattr(each, CLOSES) else needs_server([each]) for each in foot]
    whole = {"centered": True, "scrollable": True, **more}
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title, id=f"{name}-title")),
            dbc.ModalBody(
                [
                    needs_server(body),
                    html.Div(id=f"{name}-error", className="dialog-error", role="alert"),
                ]
            ),
            *([dbc.ModalFooter(buttons)] if buttons else []),
            dcc.Store(id=f"{name}-key"),
            dcc.Store(id=f"{name}-fields", data=dict(fields or {})),
        ],
        id=f"{name}-dialog",
        # what opens is there at once
        fade=False,
        is_open=False,
        labelledby=f"{name}-title",
        **whole,
    )


def close_button(name: str, words: str = "Cancel", **more: object) -> html.Button:
    """A button that closes the dialog whose ids begin with ``name``."""
    return html.Button(
        words,
        id=f"{name}-cancel",
        type="button",
        className="btn btn-sm btn-outline-secondary",
        **{CLOSES: f"{name}-dialog", **more},
    )


_POSITION = (
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
                [
                    html.Div([html.Dt(name), html.Dd(NONE, id=f"position-{field}")])
                    for name, field in _POSITION
                ],
                className="position-facts",
            ),
            _exit("position-take-profit", "Take-profit at"),
            _exit("position-stop-loss", "Stop-loss at"),
            html.P(
                "Each closes the whole position at market when the mark price reaches it. "
                "An empty field removes it.",
                className="dialog-words",
            ),
            html.Fieldset(
                [
                    html.Div(
                        [
                            number_field("position-margin", "Add margin, or remove with a minus"),
                            button("Move", "position-move-margin"),
                        ],
                        className="position-close",
                    ),
                    _about("position-margin"),
                ],
            ),
            html.Fieldset(
                [
                    html.Legend("Close at market"),
                    html.Div(
                        [
                            number_field("position-quantity", "Quantity"),
                            html.Div([_part(each) for each in (25, 50, 100)], className="shares"),
                            button("Close", "position-close", "box-arrow-right", color="danger"),
                        ],
                        className="position-close",
                    ),
                    _about("position-quantity"),
                ],
            ),
        ],
        [
            button("Reverse", "position-reverse", color="danger"),
            close_button("position"),
            button("Save", "position-set", color="primary", outline=False),
        ],
    )


def order_dialog() -> dbc.Modal:
    """Gives an open order other numbers; the page labels the fields, and hides those of what the
    order has not."""
    return dialog(
        "order",
        "Order",
        [
            number_field("order-price", "Price"),
            number_field("order-second-price", "Price"),
            number_field("order-quantity", "Quantity"),
            _about("order"),
        ],
        [
            close_button("order"),
            button("Save", "order-set", color="primary", outline=False),
        ],
    )


def _exit(id: str, label: str) -> html.Div:
    """A price at which a position is closed, with what that would bring."""
    return html.Div([number_field(id, label), _about(id)], className="position-exit")


def _about(id: str) -> html.Div:
    """What the page says of the number in the field ``id``, or of those of a dialog."""
    return html.Div(id=f"{id}-about", className="hint", role="status")


def _part(percent: int) -> html.Button:
    return html.Button(
        f"{percent}%",
        type="button",
        id=f"position-part-{percent}",
        className="btn btn-sm btn-outline-secondary",
        title=f"Fill in {percent} % of the position",
        **{"data-part": percent},
    )
