"""Small parts that every tab is put together from.

The page is kept flat and small: each component in it costs time at every change of the balance,
so an icon is a class of what it stands on, and a label is text.
"""

import json
from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

Children = Component | str | list["Component | str"]


def element_id(id: Mapping[str, str]) -> str:
    """The id that the component with the ``id`` of several parts has in the page."""
    return json.dumps(id, sort_keys=True, separators=(",", ":"))


def button(
    words: str,
    id: str | dict[str, str],
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


def icon_button(id: str, icon: str, words: str, **more: object) -> html.Button:
    """A button with a Bootstrap icon alone; ``words`` say what it does."""
    return html.Button(
        id=id,
        type="button",
        title=words,
        className=f"btn icon-button bi-{icon}",
        **{"aria-label": words, **more},
    )


def copy_button(target: str, what: str, label: str = "Copy") -> html.Button:
    """A button that copies the text of the element with the id ``target``; ``what`` is its name."""
    return html.Button(
        label,
        id=f"{target}-copy",
        type="button",
        title=f"Copy: {what}",
        className="btn btn-sm btn-outline-secondary bi-copy",
        **{"data-copy": target},
    )


def moment(time: str, symbol: str = "") -> html.Time:
    """How long ago the ``time`` is, which the page keeps up to date; with a ``symbol`` by the time
    of its market, as a replay has a time of its own."""
    market = {"data-market": symbol} if symbol else {}
    return html.Time(className="moment", dateTime=time, **market)


def card(title: str, *children: Component, className: str = "", **more: object) -> html.Section:
    """A panel with a heading."""
    return html.Section(
        [html.H2(title, className="panel-title"), *children],
        className=f"panel {className}".strip(),
        **more,
    )


def empty_state(icon: str, title: str, text: str) -> html.Div:
    """What stands where a list has no rows: an icon, a title, and what to do first."""
    return html.Div(
        [html.P(title, className="empty-title"), html.P(text, className="empty-words")],
        className=f"empty bi-{icon}",
    )


def choice(
    id: str,
    options: Sequence[tuple[Children, str]],
    value: str,
    *,
    label: str,
    small: bool = False,
    wraps: bool = False,
) -> html.Div:
    """One of a few, as buttons in a row, or in rows where it ``wraps``; ``options`` are words and
    values, ``label`` what is chosen, for those who don't see it."""
    return html.Div(
        dbc.RadioItems(
            options=[{"label": word, "value": each} for word, each in options],
            value=value,
            id=id,
            # the keyboard comes to it once, and the arrows choose
            name=id,
            className="choice",
            inputClassName="btn-check",
            labelClassName=f"btn btn-outline-secondary{' btn-sm' if small else ''}",
            labelCheckedClassName="active",
        ),
        className="desk-choice wraps" if wraps else "desk-choice",
        role="radiogroup",
        **{"aria-label": label},
    )


def needs_server(
    children: Sequence[Component | str], className: str = "", **more: object
) -> html.Fieldset:
    """What is of no use without the server, such as a form, a list with its filters, or a button:
    the page disables it while the server does not answer. It takes no room of its own."""
    return html.Fieldset(children, className=f"needs-server {className}".strip(), **more)


def unseen_label(words: str, id: str | dict[str, str]) -> dbc.Label:
    """What the field ``id`` is called by those who don't see it."""
    return dbc.Label(words, html_for=id, className="visually-hidden")


def number_field(id: str, label: str, *, hidden: bool = False) -> html.Div:
    """A field for a price or a quantity."""
    return html.Div(
        [
            dbc.Label(label, html_for=id, id=f"{id}-label"),
            dbc.Input(id=id, type="text", inputmode="decimal", autoComplete="off"),
        ],
        id=f"{id}-field",
        className="field",
        hidden=hidden,
    )
