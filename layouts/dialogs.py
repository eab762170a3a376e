"""The dialogs: begin anew, move money in, out or by hand, change a position, explain a figure."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.live import everything
from layouts.parts import Children, button, needs_server

#: What closes the dialog that it names, at once and also while the server does not answer.
CLOSES = "data-close"
_OFF = "The server does not answer, so what is here may have changed. It goes on when it is back."


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
    what went wrong. Its store ``-key`` holds the idempotency key of what it sends: another one in
    each page, and once
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
                    # shown while that is off
                    html.P(_OFF, className="dialog-off warning m-0"),
                    html.Div(id=f"{name}-error", className="dialog-error", role="alert"),
                ]
            ),
            *([dbc.ModalFooter(buttons)] if buttons else []),
            dcc.Store(id=f"{name}-key", data=uuid4().hex),
            dcc.Store(id=f"{name}-fields", data=dict(fields or {})),
        ],
        id=f"{name}-dialog",
        # what opens is there at once
        fade=False,
        is_open=False,
        labelledby=f"{name}-title",
        **whole,
    )


def close_button(name: str, label: str = "Cancel", **more: object) -> html.Button:
    """A button that closes the dialog whose ids begin with ``name``."""
    return button(label, f"{name}-cancel", **{CLOSES: f"{name}-dialog", **more})


def declared_fields(layout: Component, name: str) -> list[str]:
    """The ids of the ``fields`` that the dialog ``name`` in ``layout`` declares."""
    (store,) = (
        each for each in everything(layout) if getattr(each, "id", None) == f"{name}-fields"
    )
    return list(store.data)
