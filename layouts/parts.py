"""Small parts that every tab is put together from.

The page is kept flat and small: each component in it costs time at every change of the balance,
so an icon is a class of what it stands on, and a label is text.
"""

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

Children = Component | str | list["Component | str"]


def button(
    words: str,
    id: str,
    icon: str = "",
    *,
    color: str = "secondary",
    outline: bool = True,
    **more: object,
) -> dbc.Button:
    """A button with a word on it and, before that, a Bootstrap icon."""
    return dbc.Button(
        words,
        id=id,
        size="sm",
        color=color,
        outline=outline,
        className=f"bi-{icon}" if icon else "",
        **more,
    )


def copy_button(target: str, what: str) -> html.Button:
    """A button that copies the text of the element with the id ``target``; ``what`` is its name."""
    return html.Button(
        "Copy",
        id=f"{target}-copy",
        type="button",
        title=f"Copy: {what}",
        className="btn btn-sm btn-outline-secondary bi-copy",
        **{"data-copy": target},
    )


def card(title: str, *children: Component, className: str = "") -> html.Section:
    """A panel with a heading."""
    return html.Section(
        [html.H2(title, className="panel-title"), *children],
        className=f"panel {className}".strip(),
    )
