"""How a figure comes about, term by term, and what opens that."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from balance.core.figures import plain
from layouts.live import derivable
from layouts.reading import reading_dialog

Row = Mapping[str, Any]


def derivation_dialog() -> dbc.Modal:
    """The figure that was chosen, with the terms that it is made of."""
    return reading_dialog(
        "derivation",
        "How it comes about",
        above=[html.P(id="derivation-text", className="dialog-words")],
        pace=2_000,
    )


def derivation_table(
    name: str, terms: Sequence[Row], trail: Sequence[str], path: str, *, takes_focus: bool = False
) -> list[Component]:
    """The ``terms`` of the figure ``name`` with links to their entries below the ``path`` of the
    page, and before them the way back to the last figure of the ``trail``; the first that opens a
    derivation ``takes_focus`` where the focus was on what it replaces."""
    names = [*trail[-1:], *(each["derive"] for each in terms if each["derive"])]
    focused = names[0] if takes_focus and names else None
    table = html.Table(
        html.Tbody([_term(each, path, focused) for each in terms]),
        className="table mb-0 derivation",
        # the terms of another figure are others, also where they look the same
        key=name,
        **{"aria-label": "Terms"},
    )
    return [*(_opener("Back", each, focused, "back") for each in trail[-1:]), table]


def _term(term: Row, path: str, focused: str | None) -> html.Tr:
    label, href, derive = term["label"], term["href"], term["derive"]
    exactly = "" if term["amount"] is None else f"Exactly {plain(term['amount'])}"
    name: Component | str = label
    if href:
        name = html.A(label, href=path.removesuffix("/") + href)
    elif derive:
        name = _opener(label, derive, focused)
    return html.Tr(
        [
            html.Td(term["sign"], className="text-body-secondary"),
            html.Th(name, scope="row"),
            html.Td(term["display"], className="number", title=exactly),
        ],
        className="sum" if term["sign"] == "=" else "",
    )


def _opener(text: str, name: str, focused: str | None, className: str = "") -> html.Button:
    return html.Button(
        text,
        type="button",
        key=name,
        autoFocus=name == focused,
        className=f"btn btn-link p-0 text-reset text-start {className}".strip(),
        **derivable(name),
    )
