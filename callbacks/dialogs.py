"""What dialogs do: open at once, send what was filled in, and close when that is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final
from uuid import UUID, uuid4, uuid5
from weakref import WeakValueDictionary

from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from balance.core.errors import BalanceError, KeyInFlight, StoreError, StoreUnreadable
from callbacks.toasts import Completed, show_outcome, show_toast
from layouts.dialogs import declared_fields

# Whoever presses again while something is sent waits for its outcome, and gets the same: a lock for
# each key of a dialog, which is forgotten with the last request that has it.
_SENDING: Final[WeakValueDictionary[str, Any]] = WeakValueDictionary()
_FINDING: Final = Lock()


def open_at_once(app: Dash, layout: Component, name: str, buttons: Iterable[str]) -> None:
    """Have each of ``buttons`` open the dialog ``name`` in ``layout``, whose fields begin with what
    it declares for them: in the page, as nothing of the server is needed."""
    app.clientside_callback(
        ClientsideFunction("desk", "openDialog"),
        Output(f"{name}-dialog", "is_open", allow_duplicate=True),
        Output(f"{name}-error", "children", allow_duplicate=True),
        *(Output(each, "value") for each in declared_fields(layout, name)),
        *(Input(each, "n_clicks") for each in buttons),
        State(f"{name}-fields", "data"),
    )


def request_key(key: str, *content: object) -> str:
    """The idempotency key of a request with ``content`` that a dialog sends with its ``key``:
    whatever else is sent with that, is another request."""
    return uuid5(UUID(key), repr(content)).hex


def send(
    key: str, request: Callable[[], Completed], *, quiet: bool = False
) -> tuple[bool | Any, str, str | Any]:
    """Do what a dialog sends with its ``key``: whether it is open then, its error, and its next
    key. A toast shows what was done, but where it is ``quiet`` as all pages show it anyway."""
    with _FINDING:
        sending = _SENDING.setdefault(key, Lock())
    try:
        with sending:
            outcome = request()
    except BalanceError as fault:
        ending = " Nothing was changed." if isinstance(fault, StoreUnreadable) else ""
        show_toast(f"{fault}{ending}", "error")
        # it may have been done: what is sent again has the same key
        is_open = isinstance(fault, StoreError | KeyInFlight)
        return no_update, f"{fault}{ending}", no_update if is_open else uuid4().hex
    if outcome.replayed or not quiet:
        show_outcome(outcome)
    return False, "", uuid4().hex
