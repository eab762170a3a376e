"""Outside bots: the programs and agents of others that trade this balance, and how one begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.auto_connect import programs
from layouts.dialogs import close_button, dialog
from layouts.elements import Elements
from layouts.live import live_figure, live_moment
from layouts.parts import button, choice, copy_button, field, moment, needs_server, pressing
from layouts.tab import Place

Row = Mapping[str, Any]

#: The stores of which key's button was pressed, by what it does.
PRESSED: Final = {each: f"auto-keys-{each}" for each in ("connect", "switch", "revoke")}
#: Stands for the secret while it is not shown.
HIDDEN: Final = "\N{BULLET}" * 12

_KINDS: Final = (("A program, with a key", "key"), ("An AI agent, over MCP", "agent"))
_HEAD: Final = ("Name", "Position", "P&L", "Fills", "Last request", "Refused", "")
_EMPTY: Final = (
    "A bot of somebody else trades this balance under a name of its own: freqtrade, a ccxt script, "
    "python-binance or an AI agent, unmodified but for an address and a key. Make a key to begin."
)


def outside_bots(place: Place) -> html.Section:
    """The panel of the keys, for who is at ``place``."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Outside bots", className="panel-title"),
                    html.Span(
                        "Programs and agents of others that trade this balance",
                        className="bots-summary",
                    ),
                    needs_server([button("New key", "auto-new-key", "plus-lg")]),
                ],
                className="panel-head",
            ),
            Elements(id="auto-keys-list", className="bots-place"),
            Elements(programs(place)),
            # what separates one request of this page's from another
            dcc.Store(id="auto-keys-request", data=uuid4().hex),
            *(dcc.Store(id=each) for each in PRESSED.values()),
        ],
        id="auto-keys",
        className="panel bots-panel",
    )


def key_rows(listed: Row) -> Component:
    """The keys that are ``listed``, as rows; what is wrong, or what they are for where there is
    none."""
    if listed["fault"]:
        return html.P(listed["fault"], className="problem", role="alert")
    if not listed["keys"]:
        return html.P(_EMPTY, className="empty-words py-3")
    return needs_server(
        [
            html.Table(
                [
                    html.Thead(html.Tr([html.Th(name, scope="col") for name in _HEAD])),
                    html.Tbody([_row(each) for each in listed["keys"]]),
                ],
                className="keys-table",
            )
        ]
    )


def _row(key: Row) -> html.Tr:
    name, display = key["name"], key["display"]

    def figure(field: str, className: str = "", **more: object) -> Component:
        return live_figure("keys", name, field, className, text=display[field], **more)

    head = [
        html.Div(
            [
                html.Span(name, className="bot-title fw-semibold"),
                html.Span(
                    display["status"], className="bot-state", **{"data-status": _status(key)}
                ),
            ],
            className="d-flex flex-wrap row-gap-1 column-gap-3",
        ),
        figure("client", "bot-below", title=key["client"]),
    ]
    cells = (
        [figure("positions", "key-positions"), figure("orders", "bot-below")],
        [figure("pnl", "pnl-figure")],
        [figure("fills")],
        [
            live_moment("keys", name, "request_time", display["request_time"]),
            figure("request", "bot-below"),
        ],
        [html.Div(_refusals(key), className="key-refusals")],
    )
    return html.Tr(
        [
            html.Th(head, scope="row"),
            *(
                html.Td(cell, **{"data-label": label})
                for label, cell in zip(_HEAD[1:-1], cells, strict=True)
            ),
            html.Td(html.Div(_buttons(key), className="key-buttons"), className="key-actions"),
        ],
        key=name,
    )


def _status(key: Row) -> str:
    """The mark of a key: whether it is paused, or in use."""
    if key["is_paused"]:
        return "paused"
    return "idle" if key["last_request"] is None else "active"


def _refusals(key: Row) -> list[Component | str]:
    """The newest refusal with its reason, which opens to those before it."""
    if not key["refusals"]:
        return ["Nothing"]
    newest, *others = key["refusals"]
    words = [html.Span(newest["reason"], className="key-reason"), " ", moment(newest["time"])]
    if not others:
        return words
    before = [
        html.Li([moment(each["time"]), f" {each['what']}: {each['reason']}"]) for each in others
    ]
    whole = html.Details(
        [html.Summary(words), html.Ul(before, className="mt-1 mb-0 ps-3")],
        id=f"key-refusals-{key['name']}",
    )
    return [whole]


def key_button(do: str, name: str) -> str:
    """The id of the button that does it to a key."""
    return f"key-{do}-{name}"


def _buttons(key: Row) -> list[Component]:
    switch = ("resume", "play-fill") if key["is_paused"] else ("pause", "pause-fill")
    return [
        button(
            verb.capitalize(),
            key_button(do, key["name"]),
            icon,
            **{"aria-label": f"{verb.capitalize()} {key['name']}"},
            # what the button says is done, whatever the key is by then
            **pressing(PRESSED[do], verb=verb, name=key["name"]),
        )
        for do, verb, icon in (
            ("connect", "connect", "plug"),
            ("switch", *switch),
            ("revoke", "revoke", "x-lg"),
        )
    ]


def key_dialog() -> dbc.Modal:
    """Makes a key, and shows one with the configuration of each client."""
    return dialog(
        "key",
        "",
        [
            html.Div(_making(), id="key-making", className="stack"),
            html.Div(_details(), id="key-details", className="stack", hidden=True),
            # the name of the key that is shown
            dcc.Store(id="key-shown"),
        ],
        [
            close_button("key", "Close"),
            button("Make it", "key-make", color="primary", outline=False),
        ],
        size="lg",
    )


def _making() -> list[Component]:
    return [
        choice("key-kind", _KINDS, "key", label="For whom"),
        field(
            "Name",
            dbc.Input(
                id="key-name",
                maxLength=24,
                autocomplete="off",
                autoFocus=True,
                placeholder="freqtrade",
            ),
            "What it trades belongs to this name, in all lists. Letters a-z, digits, - and _.",
            className="words",
        ),
    ]


def _details() -> list[Component]:
    return [
        html.Dl(
            [
                html.Div(
                    [
                        html.Dt(name),
                        html.Dd(
                            [
                                html.Code(id=f"key-{field}"),
                                # what is copied is whole, whatever is shown
                                html.Span(id=f"key-{field}-text", hidden=True),
                                copy_button(f"key-{field}-text", name),
                                *([button("Show", "key-show", "eye")] if field == "secret" else []),
                            ],
                            className="hstack flex-fill gap-2",
                        ),
                    ],
                    id=f"key-{field}-row",
                    className="hstack gap-2",
                )
                for name, field in (
                    *(("Key", "api"), ("Secret", "secret")),
                    *(("Address", "rest"), ("Streams", "stream")),
                )
            ],
            className="key-facts vstack gap-2",
        ),
        choice("key-client", [], "", label="The program", small=True, wraps=True),
        html.Div(
            [
                html.H3("Configuration", className="part-title"),
                copy_button("key-snippet-text", "Configuration"),
                html.P(id="key-words", className="snippet-words"),
                html.Pre(id="key-snippet", className="snippet", tabIndex=0),
                html.Span(id="key-snippet-text", hidden=True),
            ],
            className="snippet-card",
        ),
    ]


def revoke_dialog() -> dbc.Modal:
    """Asks before a key is revoked, and says what it has open."""
    return dialog(
        "revoke",
        "",
        [html.P(id="revoke-words", className="dialog-words"), dcc.Store(id="revoke-name")],
        [
            close_button("revoke", autoFocus=True),
            button("Revoke", "revoke-confirm", color="danger"),
        ],
    )
