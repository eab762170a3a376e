"""The dialogs of the account: begin anew, undo that, move money in, out or by hand."""

from collections.abc import Mapping
from typing import Final, Literal

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.dialogs import close_button, dialog
from layouts.parts import button, choice, field, number_entry, unit_field

MoneyAction = Literal["deposit", "withdraw", "adjust", "set_balance"]
#: What each action is called on its button, and what it does.
ACTIONS: Final[Mapping[MoneyAction, tuple[str, str]]] = {
    "deposit": ("Deposit", "Money put in. It is no gain: P&L stays as it is."),
    "withdraw": ("Withdraw", "Money taken out. It is no loss: P&L stays as it is."),
    "adjust": ("Adjust", "A gain, or a loss with a minus sign. It counts as P&L."),
    "set_balance": ("Set", "What the wallet balance is now. The difference counts as P&L."),
}

#: The store that a button puts something into to have the last reset undone.
UNDO: Final = "undo-requested"


def reset_dialog(starting_balance: str) -> dbc.Modal:
    """Asks for the starting balance of the next epoch before it begins."""
    return dialog(
        "reset",
        "Reset the account",
        [
            _amount_field("reset-amount", "Starting balance", starting_balance),
            html.P(
                "A new epoch begins with this balance: open orders are cancelled, "
                "positions are closed at their last price, and the history so far stays "
                "readable. You can undo it until the next reset.",
                className="dialog-words",
            ),
        ],
        [
            close_button("reset"),
            button("Reset", "reset-confirm", "arrow-counterclockwise", color="danger"),
        ],
        fields={"reset-amount": starting_balance},
    )


def undo_dialog() -> dbc.Modal:
    """Says what an undo of the last reset would end, before it does."""
    return dialog(
        "undo",
        "Undo the reset?",
        [
            html.P(
                "The account goes on as the reset found it. What has happened since ends with "
                "that:",
                className="dialog-words",
            ),
            html.Ul(id="undo-about", className="dialog-list m-0"),
            dcc.Store(id=UNDO),
            # the revision that the question is about
            dcc.Store(id="undo-revision"),
        ],
        [
            close_button("undo", autoFocus=True),
            button("Undo the reset", "undo-confirm", "arrow-counterclockwise", color="danger"),
        ],
    )


def money_dialog() -> dbc.Modal:
    """Deposit, withdraw, adjust by a gain or loss, or set the balance."""
    return dialog(
        "money",
        "Change the balance",
        [
            choice(
                "money-action",
                [(label, action) for action, (label, _) in ACTIONS.items()],
                "deposit",
                label="What to do",
            ),
            _amount_field("money-amount", "Amount", ""),
            html.P(ACTIONS["deposit"][1], id="money-words", className="dialog-words"),
            field("Note (optional)", dbc.Input(id="money-note", maxLength=200, autocomplete="off")),
        ],
        [
            close_button("money"),
            button("Deposit", "money-confirm", color="primary", outline=False),
        ],
        fields={"money-amount": "", "money-note": ""},
    )


def _amount_field(id: str, label: str, value: str) -> Component:
    return unit_field(label, number_entry(id, value=value, autoFocus=True), "USDT")
