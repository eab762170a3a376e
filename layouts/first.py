"""The first minute: three things to try on an account in which nothing has been done yet."""

import json
import shlex
from typing import Final

from dash import dcc, html
from dash.development.base_component import Component

from layouts.auto_connect import curl_parts
from layouts.parts import button, copy_button, needs_server
from layouts.tab import Place

#: The store whose change has the panel drawn anew, and that of what its buttons do now.
DRAWN: Final = "overview-first-drawn"
NOW: Final = "overview-first-now"
#: What a browser keeps: the account that the panel was first shown for, and whether it was
#: dismissed.
KEPT: Final = "overview-first-kept"
#: The steps, in their order; the first two are done with a button.
STEPS: Final = ("position", "bot", "script")
PRESSED: Final = STEPS[:2]


def first_minute(place: Place) -> html.Section:
    """The panel for who is at ``place``; it is shown once it is known whether the account is a new
    one."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Your first minute", className="panel-title m-0"),
                    html.Span(
                        id="overview-first-progress",
                        className="flex-fill text-body-secondary",
                        role="status",
                    ),
                    button("Not now", "overview-first-dismiss", "x-lg"),
                ],
                className="d-flex flex-wrap align-items-center row-gap-2 column-gap-3 mb-3",
            ),
            html.Ol(
                [
                    _step(
                        "position",
                        "Open a first position",
                        *_pressed("position", "Open this position", "graph-up-arrow"),
                    ),
                    _step("bot", "Start a bot", *_pressed("bot", "Start this bot", "robot")),
                    _step(
                        "script",
                        "Connect your own script",
                        html.P(
                            "Either line books a gain of 12.30, on every open tab at once.",
                            className="m-0 text-body-secondary",
                        ),
                        _line("curl", "For a shell", _curl_text(place)),
                        _line(
                            "python", "In this program's folder or environment", _python_text(place)
                        ),
                    ),
                ],
                className="first-steps list-unstyled m-0",
            ),
            dcc.Store(id=DRAWN),
            dcc.Store(id=NOW),
            dcc.Store(id=KEPT, storage_type="local"),
        ],
        id="overview-first",
        className="panel first",
        hidden=True,
    )


def _step(name: str, title: str, *parts: Component) -> html.Li:
    # shown where it is
    state = html.Span("Done", className="first-state ms-2 fw-normal")
    return html.Li(
        [html.H3([title, state], className="part-title"), *parts],
        id=f"overview-first-{name}",
        className="first-step vstack gap-2 align-items-start",
    )


def _pressed(name: str, words: str, icon: str) -> tuple[Component, Component]:
    """What a step does, and the button that does it."""
    target = f"overview-first-{name}-btn"
    act = button(words, target, icon, color="primary", outline=False, disabled=True)
    return html.P(
        id=f"overview-first-{name}-words", className="first-words m-0 text-body-secondary"
    ), needs_server([act])


def _line(name: str, what: str, text: str) -> html.Div:
    target = f"overview-first-{name}"
    return html.Div(
        [
            html.Span(what, className="snippet-words"),
            copy_button(target, what),
            html.Pre(text, id=target, className="snippet p-2 mt-1", tabIndex=0),
        ],
        className="snippet-card w-100",
    )


def _curl_text(place: Place) -> str:
    return " ".join(curl_parts(place, "/virtual_balance", '{"adjust": 12.30}'))


def _python_text(place: Place) -> str:
    folder = json.dumps(place.data_dir) if place.data_dir else ""
    code = f"from balance import open_account; print(open_account({folder}).adjust(12.30).balance)"
    return f"python -c {shlex.quote(code)}"
