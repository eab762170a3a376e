"""What was clicked, as a callback that has several inputs needs to know."""

from threading import Lock
from typing import Any, Final

from dash import ctx

#: Held while a dialog sends what is to be done once: whoever presses its button again meanwhile
#: waits for the outcome of the first time, and gets the same.
SENDING: Final = Lock()


def clicked() -> Any:
    """The id of what was clicked, or in which Enter was pressed; None where a component only came
    into the page."""
    return ctx.triggered_id if ctx.triggered and ctx.triggered[0]["value"] else None
