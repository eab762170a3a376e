"""Outside bots: the programs and agents of others that trade this balance, and how one begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from layouts.auto_connect import programs
from layouts.parts import button, choice, copy_button
from layouts.tab import Place

#: The store of the page that holds the keys, as ``GET /keys`` answers them.
KNOWN: Final = "auto-keys-known"
#: Where their rows are drawn, and the store of what they show.
LIST: Final = "auto-keys-list"
DRAWN: Final = "auto-keys-drawn"
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
                    button("New key", "auto-new-key", "plus-lg"),
                ],
                className="bots-head",
            ),
            html.Div(id=LIST, className="bots-place"),
            programs(place),
            dcc.Store(id=KNOWN),
            # the keys as they are drawn
            dcc.Store(id=DRAWN),
        ],
        id="auto-keys",
        className="panel bots-panel",
    )


def key_rows(known: Mapping[str, Any]) -> list[Component]:
    """The keys that are ``known``, as rows; what is wrong, or what they are for where there is
    none."""
    if known["fault"]:
        return [html.P(known["fault"], className="problem", role="alert")]
    if not known["keys"]:
        return [html.P(_EMPTY, className="empty-words keys-empty")]
    return [
        html.Table(
            [
                html.Thead(html.Tr([html.Th(name, scope="col") for name in _HEAD])),
                html.Tbody([_row(each) for each in known["keys"]]),
            ],
            className="keys-table",
        )
    ]


def _row(key: Mapping[str, Any]) -> html.Tr:
    name = key["name"]
    cells = (
        [part("position", key), part("orders", key)],
        [part("pnl", key)],
        [part("fills", key)],
        [part("time", key), part("request", key)],
        [part("refusals", key)],
    )
    return html.Tr(
        [
            html.Th(
                [
                    html.Div([html.Span(name, className="bot-title"), part("state", key)]),
                    part("client", key),
                ],
                scope="row",
            ),
            *(
                html.Td(cell, **{"data-label": head})
                for head, cell in zip(_HEAD[1:-1], cells, strict=True)
            ),
            html.Td(
                html.Div(
                    [
                        _action("connect", name, "Connect", "plug"),
                        part("switch", key),
                        _action("revoke", name, "Revoke", "x-lg"),
                    ],
                    className="key-buttons",
                ),
                className="key-actions",
            ),
        ]
    )


def _action(kind: str, name: str, word: str, icon: str) -> html.Button:
    return html.Button(
        word,
        id={"type": f"key-{kind}", "name": name},
        type="button",
        n_clicks=0,
        className=f"btn btn-sm btn-outline-secondary bi-{icon}",
        **{"aria-label": f"{word} {name}"},
    )


Row = Mapping[str, Any]


class Part(NamedTuple):
    """A part of a row that follows its key: the component, and its properties by the key's row."""

    component: type[Component]
    properties: Mapping[str, Callable[[Row], Any]]
    # What never changes about it.
    fixed: Mapping[str, Any] = MappingProxyType({})


def _text(name: str) -> Callable[[Row], str]:
    return lambda key: key["display"][name]


def _positions(key: Row) -> str:
    """What a key holds, each position on a line of its own."""
    held: list[str] = key["display"]["position"].split(", ")
    return "\n".join(f"{each[:1].upper()}{each[1:]}" for each in held)


def _state(key: Row) -> str:
    """The mark of a key: whether it is paused, or in use."""
    if key["is_paused"]:
        return "paused"
    return "idle" if key["last_request"] is None else "active"


def _tone(key: Row) -> str:
    return {"+": "gain", "-": "loss"}.get(key["display"]["pnl"][:1], "flat")


def _time(key: Row) -> str:
    return "" if key["last_request"] is None else key["last_request"]["time"]


def _request(key: Row) -> str:
    return "None yet" if key["last_request"] is None else key["last_request"]["what"]


def _refusals(key: Row) -> list[Component | str]:
    """The newest refusal with its reason, which opens to those before it."""
    if not key["refusals"]:
        return ["Nothing"]
    newest, *others = key["refusals"]
    words = [html.Span(newest["reason"], className="key-reason"), " ", _moment(newest["time"])]
    if not others:
        return words
    before = [
        html.Li([_moment(each["time"]), f" {each['what']}: {each['reason']}"]) for each in others
    ]
    return [html.Details([html.Summary(words), html.Ul(before)])]


def _moment(time: str) -> html.Time:
    """How long ago that was, which the page keeps up to date."""
    return html.Time(className="moment", dateTime=time)


def _switch(key: Row) -> tuple[str, str, str]:
    """What the button does that pauses a key or resumes it: its verb, its word and its icon."""
    if key["is_paused"]:
        return "resume", "Resume", "play-fill"
    return "pause", "Pause", "pause-fill"


#: The parts of a row that are fed while it stands, by the type in their ids: what stands keeps the
#: focus, and what is open stays so.
PARTS: Final[Mapping[str, Part]] = {
    "state": Part(
        html.Span,
        {"children": _text("status"), "data-status": _state},
        {"className": "bot-state"},
    ),
    "client": Part(
        html.Div,
        {"children": _text("client"), "title": lambda key: key["client"]},
        {"className": "bot-below"},
    ),
    "position": Part(html.Span, {"children": _positions}, {"className": "key-positions"}),
    "orders": Part(html.Div, {"children": _text("orders")}, {"className": "bot-below"}),
    "pnl": Part(
        html.Span, {"children": _text("pnl"), "data-tone": _tone}, {"className": "live pnl-figure"}
    ),
    "fills": Part(html.Span, {"children": _text("fills")}),
    "time": Part(
        html.Time,
        {"dateTime": _time, "className": lambda key: "moment" if key["last_request"] else ""},
    ),
    "request": Part(html.Div, {"children": _request}, {"className": "bot-below"}),
    "refusals": Part(html.Div, {"children": _refusals}, {"className": "key-refusals"}),
    "switch": Part(
        html.Button,
        {
            "children": lambda key: _switch(key)[1],
            "value": lambda key: _switch(key)[0],
            "className": lambda key: f"btn btn-sm btn-outline-secondary bi-{_switch(key)[2]}",
            "aria-label": lambda key: f"{_switch(key)[1]} {key['name']}",
        },
        {"type": "button", "n_clicks": 0},
    ),
}
#: Each property of theirs: the type of the part, and its name.
FED: Final = tuple((kind, name) for kind, each in PARTS.items() for name in each.properties)


def part(kind: str, key: Row) -> Component:
    """The part called ``kind`` of the row of ``key``."""
    component, properties, fixed = PARTS[kind]
    values = {name: read(key) for name, read in properties.items()}
    return component(id={"type": f"key-{kind}", "name": key["name"]}, **fixed, **values)


def fed(kind: str, name: str, key: Row, before: Row) -> Any:
    """The property ``name`` of the part called ``kind`` as ``key`` has it; None where it is as
    ``before``."""
    if kind == "refusals" and key["refusals"] == before["refusals"]:
        return None
    read = PARTS[kind].properties[name]
    value = read(key)
    return None if value == read(before) else value


def key_dialog() -> dbc.Modal:
    """Makes a key, and shows one with the configuration of each client."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id="key-title")),
            dbc.ModalBody(
                [
                    html.Div(_making(), id="key-making", className="key-body"),
                    html.Div(_details(), id="key-details", className="key-body", hidden=True),
                    html.Div(id="key-error", className="dialog-error", role="alert"),
                ]
            ),
            dbc.ModalFooter(
                [
                    button("Close", "key-close"),
                    button("Make it", "key-make", color="primary", outline=False),
                ]
            ),
            # the name of the key that is shown, and what tells one request to make one from others
            dcc.Store(id="key-shown"),
            dcc.Store(id="key-request"),
        ],
        id="key-dialog",
        size="lg",
        centered=True,
        scrollable=True,
        fade=False,
        is_open=False,
        labelledby="key-title",
    )


def _making() -> list[Component]:
    return [
        choice("key-kind", _KINDS, "key", label="For whom"),
        html.Div(
            [
                dbc.Label("Name", html_for="key-name"),
                dbc.Input(
                    id="key-name",
                    maxLength=24,
                    autoComplete="off",
                    autoFocus=True,
                    placeholder="freqtrade",
                ),
                html.Div(
                    "What it trades belongs to this name, in all lists. Letters a-z, digits, - and "
                    "_.",
                    className="hint",
                ),
            ],
            className="field words",
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
                                *([_show_button()] if field == "secret" else []),
                            ]
                        ),
                    ],
                    id=f"key-{field}-row",
                )
                for name, field in (
                    *(("Key", "key"), ("Secret", "secret")),
                    *(("Address", "rest"), ("Streams", "stream")),
                )
            ],
            className="key-facts",
        ),
        choice("key-client", [], "", label="The program", small=True, wraps=True),
        html.Div(
            [
                html.H3("Configuration", className="snippet-title"),
                copy_button("key-snippet-text", "Configuration"),
                html.P(id="key-words", className="snippet-words"),
                html.Pre(id="key-snippet", className="snippet", tabIndex=0),
                html.Span(id="key-snippet-text", hidden=True),
            ],
            className="snippet-card",
        ),
    ]


def _show_button() -> html.Button:
    return html.Button(
        "Show",
        id="key-show",
        type="button",
        n_clicks=0,
        className="btn btn-sm btn-outline-secondary bi-eye",
    )


def revoke_dialog() -> dbc.Modal:
    """Asks before a key is revoked, and says what it has open."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id="revoke-title")),
            dbc.ModalBody(
                [
                    html.P(id="revoke-words", className="dialog-words"),
                    html.Div(id="revoke-error", className="dialog-error", role="alert"),
                ]
            ),
            dbc.ModalFooter(
                [
                    button("Cancel", "revoke-cancel"),
                    button("Revoke", "revoke-confirm", color="danger"),
                ]
            ),
            dcc.Store(id="revoke-name"),
            dcc.Store(id="revoke-request"),
        ],
        id="revoke-dialog",
        centered=True,
        fade=False,
        is_open=False,
        labelledby="revoke-title",
    )
