"""The keyboard shortcuts: one table, which the page obeys and the help dialog lists."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import dash_bootstrap_components as dbc
from dash import html

from layouts.dialogs import close_button, dialog
from layouts.elements import Elements
from layouts.parts import icon_button
from layouts.tab import Tab


@dataclass(frozen=True)
class Shortcut:
    """Keys, and what they do."""

    # each of them does it; two with a space between them are pressed one after the other
    keys: tuple[str, ...]
    words: str
    # a CSS selector: what is clicked or gets the focus
    target: str
    act: Literal["click", "focus"] = "click"
    # the only address at which they do it; empty for all
    path: str = ""


ANYWHERE = (
    Shortcut(("s",), "Sync the balance", "#sidebar-sync-balance-btn"),
    Shortcut(("r",), "Reset", "#sidebar-reset-balance-btn"),
    Shortcut(("u",), "Undo the last reset", "#history-undo"),
    Shortcut(("d",), "Deposit, withdraw", "#sidebar-money-btn"),
    Shortcut(("n",), "Alerts", "#alerts-btn"),
    Shortcut(("t",), "Light or dark", "#theme-btn"),
    Shortcut((",",), "Settings", "#settings-btn"),
    Shortcut(("?",), "This list", "#help-btn"),
)
FUTURES = (
    Shortcut(("b",), "Buy / Long", "#futures-side input[value=buy]", path="/futures"),
    Shortcut(("v",), "Sell / Short", "#futures-side input[value=sell]", path="/futures"),
    Shortcut(("/",), "To the size", "#futures-size", "focus", "/futures"),
)


def shortcuts(tabs: Sequence[Tab]) -> tuple[Shortcut, ...]:
    """All of them; each of ``tabs`` has its number, and ``g`` and its first letter."""
    return (*_to_tabs(tabs), *ANYWHERE, *FUTURES)


def help_button(tabs: Sequence[Tab]) -> html.Button:
    """Opens the help; the page reads the table from it."""
    table = json.dumps([asdict(each) for each in shortcuts(tabs)])
    return icon_button(
        "help-btn", "question-circle", "Keyboard shortcuts", **{"data-shortcuts": table}
    )


def help_dialog(tabs: Sequence[Tab]) -> dbc.Modal:
    """Lists the shortcuts."""
    return dialog(
        "help",
        "Keyboard shortcuts",
        [
            Elements(
                _group("Tabs", _to_tabs(tabs)),
                _group("Anywhere", ANYWHERE),
                _group("Futures Trading", FUTURES),
                html.P(
                    "They rest while you type, and while a dialog is open. Esc closes it. "
                    "The settings turn them off.",
                    className="dialog-words",
                ),
            ),
        ],
        [close_button("help", "Close")],
    )


def _to_tabs(tabs: Sequence[Tab]) -> tuple[Shortcut, ...]:
    return tuple(
        Shortcut(
            (str(number), f"g {tab.label[0].lower()}"),
            tab.label,
            f'.tab-row a[href$="{tab.path}"]',
        )
        for number, tab in enumerate(tabs[:9], start=1)
    )


def _group(title: str, group: Iterable[Shortcut]) -> html.Section:
    rows = [
        part
        for each in group
        for part in (html.Dt(each.words), html.Dd([*_alternatives(each.keys)]))
    ]
    return html.Section(
        [html.H3(title, className="part-title mb-1"), html.Dl(rows, className="keys")]
    )


def _alternatives(keys: Sequence[str]) -> Iterator[str | html.Kbd]:
    for place, alternative in enumerate(keys):
        if place:
            yield " or "
        for number, key in enumerate(alternative.split()):
            if number:
                yield " then "
            yield html.Kbd(key)
