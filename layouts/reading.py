"""Dialogs that show what is known of one thing, which the server is asked for when they open."""

from collections.abc import Sequence
from typing import Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.elements import Elements

#: The store that has the component read anew that it stands on, whenever the account has moved
#: while that is in sight: at most once a second.
FOLLOWS: Final = "data-follows"
#: With the prices, too, and at most once in so many milliseconds; with the account ten times as
#: often.
PACE: Final = "data-pace"
#: In any case, once in so many milliseconds.
AGAIN: Final = "data-again"


def reading_dialog(
    name: str,
    title: str,
    *,
    above: Sequence[Component] = (),
    foot: Sequence[Component] = (),
    stores: Sequence[str] = (),
    pace: int | None = None,
    **more: object,
) -> dbc.Modal:
    """A dialog whose ids begin with ``name``: ``-dialog``, ``-title``, and ``-body``, which has the
    shape of a text as long as it is empty, and says why where the server does not answer. Its
    store ``-read`` has that read which it holds as ``shown``; ``-drawn`` says what is drawn, None
    where nothing is; ``stores`` are the ids of others. ``pace`` is as of ``PACE``, ``more`` as of
    ``dbc.Modal``."""
    follows = {FOLLOWS: f"{name}-read", **({PACE: pace} if pace else {})}
    place = awaited(f"{name}-body", f"stack {name}-body", place=Elements, **follows)
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title, id=f"{name}-title")),
            dbc.ModalBody([*above, *place]),
            *([dbc.ModalFooter(list(foot))] if foot else []),
            *(dcc.Store(id=each) for each in (f"{name}-read", f"{name}-drawn", *stores)),
            # what it is called until what it shows has come
            dcc.Store(id=f"{name}-heading", data=title),
        ],
        id=f"{name}-dialog",
        centered=True,
        scrollable=True,
        # what opens is there at once
        fade=False,
        is_open=False,
        labelledby=f"{name}-title",
        **more,
    )


def awaited(
    id: str, className: str = "", *, place: type[Component] = html.Div, **more: object
) -> list[Component]:
    """A ``place`` with the ``id`` that has the shape of rows as long as it is empty, and what
    stands below it then where the server does not answer."""
    why = "The server does not answer. This comes when it is back."
    return [place(id=id, className=f"awaited {className}".strip(), **more), *problem(why)]


def problem(text: str) -> list[Component]:
    """What stands in the place of what can't be shown: why not."""
    return [html.P(text, className="problem", role="alert")]
