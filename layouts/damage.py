"""The strip that says on every tab what is damaged in the data folder, as long as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from layouts.parts import copy_button

#: The store of what the strip is drawn from; the page changes it when that is something else.
DRAWN = "damage-drawn"
#: The strip; it is empty, and takes no room, while nothing is damaged.
STRIP = "damage-note"

_COMMAND = re.compile("`([^`]+)`")

Damage = Sequence[Mapping[str, Any]]


def damage_strip(known: Damage) -> list[Component]:
    """The strip with what is ``known`` when the page is opened, and the store that it follows."""
    first = {"data-known": json.dumps(known, separators=(",", ":"), ensure_ascii=False)}
    return [
        dcc.Store(id=DRAWN),
        html.Div(damage_parts(known), id=STRIP, className="damage", role="status", **first),
    ]


def damage_parts(known: Damage) -> list[Component]:
    """The parts of the strip: the first damage in one line, which opens to all of them, and the
    command that mends it."""
    if not known:
        return []
    # What a command mends is named before what only a person can.
    known = sorted(known, key=lambda each: _COMMAND.search(each["message"]) is None)
    first, more = known[0]["message"], len(known) - 1
    commands = _COMMAND.findall(first)
    return [
        html.Details(
            [
                html.Summary(
                    [
                        html.Span(first.replace("`", ""), className="text-truncate"),
                        *(
                            [
                                html.Span(
                                    f"and {more} more",
                                    className="damage-more flex-shrink-0 fw-semibold",
                                )
                            ]
                            if more
                            else []
                        ),
                    ]
                ),
                html.Ul([html.Li(marked(each["message"])) for each in known]),
            ]
        ),
        # A message names the command that shows more first, and the one that mends last.
        *(
            [
                html.Code(commands[-1], id="damage-command", className="text-truncate"),
                copy_button("damage-command", commands[-1]),
            ]
            if commands
            else []
        ),
    ]


def marked(message: str) -> list[Component | str]:
    """``message`` with its commands as code."""
    return [
        html.Code(part) if place % 2 else part
        for place, part in enumerate(_COMMAND.split(message))
        if part
    ]
