"""How a figure comes about, term by term, and what opens that."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from balance.core.figures import plain
from layouts.live import derivable
from layouts.reading import reading_dialog

#: The type in the ids of the amounts, which follow the account while the dialog is open.
AMOUNT: Final = "derivation-amount"

Row = Mapping[str, Any]


def derivation_dialog() -> dbc.Modal:
    """The figure that was chosen, with the terms that it is made of."""
    return reading_dialog(
        "derivation",
        "How it comes about",
        above=[html.P(id="derivation-text", className="dialog-words")],
        pace=2_000,
    )


def shape(terms: Sequence[Row]) -> list[list[str | None]]:
    """What is drawn of ``terms`` but for their amounts."""
    return [[each["sign"], each["label"], each["href"], each["derive"]] for each in terms]


def derivation_table(
    terms: Sequence[Row], trail: Sequence[str], path: str, *, takes_focus: bool = False
) -> list[Component]:
    """The ``terms`` with links to their entries below the ``path`` of the page, and before them the
    way back to the last figure of the ``trail``; the first that opens a derivation ``takes_focus``
    where the focus was on what it replaces."""
    names = [*trail[-1:], *(each["derive"] for each in terms if each["derive"])]
    focused = names[0] if takes_focus and names else None
    rows = [_term(each, at, path, focused) for at, each in enumerate(terms)]
    table = html.Table(
        html.Tbody(rows), className="table mb-0 derivation", **{"aria-label": "Terms"}
    )
    return [*(_opener("Back", each, focused, "back") for each in trail[-1:]), table]


def exactly(amount: Any) -> str:
    """What the title of an amount says."""
    return "" if amount is None else f"Exactly {plain(amount)}"


def _term(term: Row, at: int, path: str, focused: str | None) -> html.Tr:
    label, href, derive = term["label"], term["href"], term["derive"]
    name: Component | str = label
    if href:
        name = html.A(label, href=path.removesuffix("/") + href)
    elif derive:
        name = _opener(label, derive, focused)
    return html.Tr(
        [
            html.Td(term["sign"], className="text-body-secondary"),
            html.Th(name, scope="row"),
            html.Td(
                term["display"],
                id={"type": AMOUNT, "at": at},
                className="number",
                title=exactly(term["amount"]),
            ),
        ],
        className="sum" if term["sign"] == "=" else "",
    )


def _opener(text: str, name: str, focused: str | None, className: str = "") -> html.Button:
    return html.Button(
        text,
        type="button",
        autoFocus=name == focused,
        className=f"btn btn-link p-0 text-reset text-start {className}".strip(),
        **derivable(name),
    )
