"""Toasts: what any callback in Python says at the lower right of the page."""

from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, Output, set_props

from balance.desk.transactions import Outcome
from layouts.shell import TOAST, TOASTS


def register(app: Dash) -> None:
    """Have the page show each message that callbacks put into its store."""
    app.clientside_callback(
        ClientsideFunction("desk", "showToast"),
        Output(TOASTS, "data-shown"),
        Input(TOAST, "data"),
        prevent_initial_call=True,
    )


def show_toast(message: str, kind: str = "info", focus: str = "") -> None:
    """Show ``message`` beside what the running callback returns; ``kind`` is ``info`` or ``error``.
    ``focus`` is the id of what has the focus from then on where its place goes: empty, it stays."""
    # another one each time, so that the same message is shown again
    data = {"message": message, "kind": kind, "focus": focus, "id": uuid4().hex}
    set_props(TOAST, {"data": data})


def show_outcome(outcome: Outcome) -> None:
    """Show what was done to the account; a fill sounds, where the settings have it so."""
    is_fill = any(each.booking.kind == "fill" for each in outcome.entries)
    message = (
        f"It was done the first time. {outcome.message}" if outcome.replayed else outcome.message
    )
    show_toast(message, "fill" if is_fill else "info")
