"""What was clicked, as a callback that has several inputs needs to know."""

from typing import Any

from dash import ctx


def clicked() -> Any:
    """The id of what was clicked, or in which Enter was pressed; None where a component only came
    into the page."""
    return ctx.triggered_id if ctx.triggered and ctx.triggered[0]["value"] else None


def is_click(count: object) -> bool:
    """Whether ``count``, the ``n_clicks`` of a button, says that it was pressed."""
    return type(count) is int and count > 0
