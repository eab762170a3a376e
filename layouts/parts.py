"""Small parts that every tab is put together from.

The page is kept flat and small: each component in it costs time at every change of the balance,
so an icon is a class of what it stands on, and a label is text.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

Children = Component | str | list["Component | str"]


def element_id(id: Mapping[str, str]) -> str:
    """The id that the component with the ``id`` of several parts has in the page."""
    return json.dumps(id, sort_keys=True, separators=(",", ":"))


def id_in_page(id: str | dict[str, str]) -> str:
    """The id that the component with the ``id`` has in the page, as a label names it."""
    return id if isinstance(id, str) else element_id(id)


def button(
    label: str,
    id: str,
    icon: str = "",
    *,
    color: str = "secondary",
    outline: bool = True,
    className: str = "",
    **more: object,
) -> html.Button:
    """A small button with a ``label`` and, before that, a Bootstrap icon; ``more`` is as of
    ``html.Button``."""
    look = f"btn btn-sm btn-{'outline-' if outline else ''}{color}"
    classes = (look, f"bi-{icon}" if icon else "", className)
    named = {"id": id, "type": "button", "className": " ".join(filter(None, classes))}
    return html.Button(label, **{**named, **more})


def pressing(store: str, **what: str) -> dict[str, str]:
    """What has the page put ``what`` a button is for into a ``store`` when it is pressed. The
    button of a row that is drawn anew needs it: were it an Input itself, Dash would drop a press
    that is under way then."""
    return {"data-press": store, "data-pressed": json.dumps(what)}


def row_button(id: str, icon: str, label: str, name: str, **more: object) -> html.Button:
    """A button with an icon alone, in a row of a list; its ``name`` says of which row it is."""
    named = {"title": label, "aria-label": name, "className": "icon-button"}
    return button("", id, icon, **{**named, **more})


def icon_button(id: str, icon: str, words: str, **more: object) -> html.Button:
    """A button with a Bootstrap icon alone; ``words`` say what it does."""
    return html.Button(
        id=id,
        type="button",
        title=words,
        className=f"btn icon-button bi-{icon}",
        **{"aria-label": words, **more},
    )


def share_button(name: str, percent: int, title: str) -> html.Button:
    """A button that fills in a share; ``title`` says of what, with a place for the ``percent``."""
    return button(f"{percent}%", f"{name}-{percent}", title=title.format(percent))


def copy_button(target: str, what: str, label: str = "Copy") -> html.Button:
    """A button that copies the text of the element with the id ``target``; ``what`` is its name."""
    more = {"title": f"Copy: {what}", "data-copy": target}
    return button(label, f"{target}-copy", "copy", **more)


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
    return dbc.Label(words, html_for=id_in_page(id), className="visually-hidden")


def field(
    label: str,
    control: Component,
    hint: Children | None = None,
    *more: Component,
    of: str | dict[str, str] = "",
    className: str = "",
    hidden: bool = False,
) -> html.Div:
    """A ``control`` of a form below its ``label``, above a ``hint`` that may change, and ``more``.

    The ids of the parts begin with that of the control, or of what is called so in it (``of``):
    ``-field``, ``-label`` and ``-hint``."""
    of = of or control.id
    name = id_in_page(of)
    below = [] if hint is None else [html.Div(hint, id=f"{name}-hint", className="hint")]
    return html.Div(
        [dbc.Label(label, html_for=name, id=f"{name}-label"), control, *below, *more],
        id=f"{name}-field",
        className=f"field {className}".strip(),
        hidden=hidden,
    )


def number_entry(id: str | dict[str, str], **more: object) -> dbc.Input:
    """Where a number is typed, as people write it; ``more`` is as of ``dbc.Input``."""
    typed = {"type": "text", "inputmode": "decimal", "autocomplete": "off"}
    return dbc.Input(id=id, **{**typed, **more})


def number_field(id: str, label: str, *, hidden: bool = False) -> html.Div:
    """A field for a price or a quantity."""
    return field(label, number_entry(id), hidden=hidden)


def unit_field(
    label: str, control: dbc.Input, unit: str | Component, *more: Any, **how: Any
) -> html.Div:
    """A field for a number with its ``unit`` behind it; the rest is as of :func:`field`."""
    behind = dbc.InputGroupText(unit) if isinstance(unit, str) else unit
    return field(label, dbc.InputGroup([control, behind]), *more, of=control.id, **how)


def select(id: str | dict[str, str], labels: Mapping[str, str], **more: object) -> dbc.Select:
    """One of those values that have ``labels``; ``more`` is as of ``dbc.Select``."""
    return dbc.Select(id=id, options=option_list(labels), **more)


def option_list(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Values with their ``labels``, as what offers them takes them."""
    return [{"value": value, "label": label} for value, label in labels.items()]
