"""Toasts: what any callback in Python says at the lower right of the page."""

from typing import Protocol
from uuid import uuid4

from dash import ClientsideFunction, Dash, Input, set_props

from balance.desk.transactions import Outcome
from layouts.shell import TOAST


class Completed(Protocol):
    """What a change that was made comes to, of the account or of what is kept beside it."""

    @property
    def message(self) -> str:
        """One sentence that says what was done; empty where nothing was to be done."""

    @property
    def replayed(self) -> bool:
        """Whether an earlier request with the same key had done it already."""


def register(app: Dash) -> None:
    """Have the page show each message that callbacks put into its store."""
    app.clientside_callback(ClientsideFunction("desk", "showToast"), Input(TOAST, "data"))


def show_toast(message: str, kind: str = "info", focus: str = "") -> None:
    """Show ``message`` beside what the running callback returns; ``kind`` is ``info`` or ``error``.
    ``focus`` is the id of what has the focus from then on where its place goes: empty, it stays."""
    # another one each time, so that the same message is shown again
    data = {"message": message, "kind": kind, "focus": focus, "id": uuid4().hex}
    set_props(TOAST, {"data": data})


def show_outcome(outcome: Completed) -> None:
    """Show what was done; a fill sounds, where the settings have it so."""
    before = "It was done the first time. " if outcome.replayed else ""
    entries = outcome.entries if isinstance(outcome, Outcome) else ()
    is_fill = any(each.booking.kind == "fill" for each in entries)
    show_toast(f"{before}{outcome.message}", "fill" if is_fill else "info")
