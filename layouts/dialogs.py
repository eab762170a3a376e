"""The two dialogs: begin anew, and move money in, out or by hand."""

import dash_bootstrap_components as dbc
from dash import html

from layouts.parts import button, number_field


def reset_dialog(starting_balance: str) -> dbc.Modal:
    """Asks for the starting balance of the next epoch before it begins."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Reset the account")),
            dbc.ModalBody(
                [
                    _amount_field("reset-amount", "Starting balance", starting_balance),
                    html.P(
                        "A new epoch begins with this balance: open orders are cancelled, "
                        "positions are closed at their last price, and the history so far stays "
                        "readable.",
                        className="dialog-words",
                    ),
                    _error("reset-error"),
                ]
            ),
            dbc.ModalFooter(
                [
                    button("Cancel", "reset-cancel"),
                    button("Reset", "reset-confirm", "arrow-counterclockwise", color="danger"),
                ]
            ),
        ],
        id="reset-dialog",
        centered=True,
        is_open=False,
    )


def money_dialog() -> dbc.Modal:
    """Deposit, withdraw, adjust by a gain or loss, or set the balance."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Change the balance")),
            dbc.ModalBody(
                [
                    dbc.RadioItems(
                        options=[
                            {"label": "Deposit", "value": "deposit"},
                            {"label": "Withdraw", "value": "withdraw"},
                            {"label": "Adjust", "value": "adjust"},
                            {"label": "Set", "value": "balance"},
                        ],
                        value="deposit",
                        id="money-action",
                        className="choice",
                        inputClassName="btn-check",
                        labelClassName="btn btn-outline-secondary",
                        labelCheckedClassName="active",
                    ),
                    _amount_field("money-amount", "Amount", ""),
                    html.P(id="money-words", className="dialog-words"),
                    html.Div(
                        [
                            dbc.Label("Note (optional)", html_for="money-note"),
                            dbc.Input(id="money-note", maxLength=200, autoComplete="off"),
                        ]
                    ),
                    _error("money-error"),
                ]
            ),
            dbc.ModalFooter(
                [
                    button("Cancel", "money-cancel"),
                    button("Deposit", "money-confirm", color="primary", outline=False),
                ]
            ),
        ],
        id="money-dialog",
        centered=True,
        is_open=False,
    )


def position_dialog() -> dbc.Modal:
    """Closes a part of a position, and sets or removes its take-profit and stop-loss."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Position", id="position-title")),
            dbc.ModalBody(
                [
                    html.Div(
                        [
                            number_field("position-quantity", "Close this quantity at market"),
                            button("Close", "position-close", "box-arrow-right", color="danger"),
                        ],
                        className="field-and-button",
                    ),
                    html.Div(
                        [
                            number_field("position-take-profit", "Take-profit at"),
                            number_field("position-stop-loss", "Stop-loss at"),
                        ],
                        className="pair",
                    ),
                    html.P(
                        "Each closes the whole position at market when the mark price reaches it. "
                        "An empty field removes it.",
                        className="dialog-words",
                    ),
                    _error("position-error"),
                ]
            ),
            dbc.ModalFooter(
                [
                    button("Cancel", "position-cancel"),
                    button("Set both", "position-set", color="primary", outline=False),
                ]
            ),
        ],
        id="position-dialog",
        centered=True,
        is_open=False,
    )


def _amount_field(id: str, label: str, value: str) -> html.Div:
    return html.Div(
        [
            dbc.Label(label, html_for=id),
            dbc.InputGroup(
                [
                    dbc.Input(
                        id=id,
                        value=value,
                        type="text",
                        inputmode="decimal",
                        autoComplete="off",
                    ),
                    dbc.InputGroupText("USDT"),
                ]
            ),
        ],
        className="field",
    )


def _error(id: str) -> html.Div:
    return html.Div(id=id, className="dialog-error", role="alert")
